"""The converters of protobuf messages. Nothing of protobuf is imported before the first message is met."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from invincible._native import Payload

from ._errors import ConversionError
from ._payload_converter import EncodingPayloadConverter

if TYPE_CHECKING:
    from google.protobuf.message import Message

# Modules of protobuf itself with messages that other SDKs send.
_WELL_KNOWN = ("any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers")


class JSONProtoPayloadConverter(EncodingPayloadConverter):
    """Protobuf messages as JSON.

    Args:
        ignore_unknown_fields: Whether fields that the message type does not have are skipped, not refused.
    """

    def __init__(self, ignore_unknown_fields: bool = False) -> None:
        """Creates the converter."""
        self._ignore_unknown_fields = ignore_unknown_fields

    @property
    def encoding(self) -> str:
        """``json/protobuf``."""
        return "json/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        """Takes protobuf messages."""
        if not _is_message(value):
            return None
        from google.protobuf.json_format import MessageToDict

        data = json.dumps(MessageToDict(value), separators=(",", ":"), sort_keys=True).encode()
        return Payload(_metadata(self.encoding, value), data)

    def _takes(self, kind: type) -> bool:
        return _is_message_type(kind)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Returns a message of the type that the metadata names.

        Raises:
            ConversionError: The message type is not known, or the data does not fit it.
        """
        from google.protobuf.json_format import Parse, ParseError

        from ._storage_references import is_reference, not_configured

        if is_reference(payload):
            raise not_configured(payload)
        message_type = _message_type(payload, type_hint)
        try:
            return Parse(payload.data, message_type(), ignore_unknown_fields=self._ignore_unknown_fields)
        except (ParseError, UnicodeDecodeError) as error:
            raise ConversionError.refused(message_type.DESCRIPTOR.full_name, error) from error


class BinaryProtoPayloadConverter(EncodingPayloadConverter):
    """Protobuf messages in their own encoding."""

    @property
    def encoding(self) -> str:
        """``binary/protobuf``."""
        return "binary/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        """Takes protobuf messages."""
        return Payload(_metadata(self.encoding, value), value.SerializeToString()) if _is_message(value) else None

    def _takes(self, kind: type) -> bool:
        return _is_message_type(kind)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Returns a message of the type that the metadata names.

        Raises:
            ConversionError: The message type is not known, or the data does not fit it.
        """
        from google.protobuf.message import DecodeError

        message_type = _message_type(payload, type_hint)
        try:
            return message_type.FromString(payload.data)
        except DecodeError as error:
            raise ConversionError.refused(message_type.DESCRIPTOR.full_name, error) from error


def _is_message(value: Any) -> bool:
    return _is_message_type(type(value))


def _is_message_type(kind: type) -> bool:
    # There can be no message before the module of its base class is imported.
    module = sys.modules.get("google.protobuf.message")
    return module is not None and issubclass(kind, module.Message)


def _metadata(encoding: str, message: Message) -> dict[str, bytes]:
    return {"encoding": encoding.encode(), "messageType": message.DESCRIPTOR.full_name.encode()}


def _message_type(payload: Payload, hint: Any) -> type[Message]:
    from google.protobuf.message import Message

    name = payload.metadata.get("messageType", b"").decode(errors="replace")
    if isinstance(hint, type) and issubclass(hint, Message) and name in ("", hint.DESCRIPTOR.full_name):
        return hint
    found = _registered(name) or _of_this_package(name)
    if found is None:
        described = f"the protobuf message type {name!r}" if name else "no messageType in the payload's metadata"
        raise ConversionError(
            f"{described} is not known here: import the module that defines it, or give the message class as type hint"
            if name
            else f"{described}: give the message class as type hint"
        )
    return found


def _registered(name: str) -> type[Message] | None:
    from google.protobuf import descriptor_pool
    from google.protobuf.message_factory import GetMessageClass

    if name.startswith("google.protobuf."):
        for module in _WELL_KNOWN:
            import_module(f"google.protobuf.{module}_pb2")
    try:
        return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
    except KeyError:
        return None


def _of_this_package(name: str) -> type[Message] | None:
    """A class of ``invincible.api``, whose messages are not in protobuf's default pool."""
    prefix = "temporal.api."
    module_name, _, class_name = name.rpartition(".")
    if not module_name.startswith(prefix):
        return None
    try:
        module = import_module(f"invincible.api.{module_name.removeprefix(prefix)}")
    except ImportError:
        return None
    found: type[Message] | None = getattr(module, class_name, None)
    return found
