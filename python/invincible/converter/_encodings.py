"""The converters of null, bytes and JSON, and the default converter."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from invincible._native import Payload

from ._decode import DEFAULT_DECODERS, Decoders
from ._errors import ConversionError
from ._json import AdvancedJSONEncoder, encode_json_with, json_payload, payload_json
from ._payload_converter import CompositePayloadConverter, EncodingPayloadConverter
from ._payloads import as_payload
from ._protobuf import BinaryProtoPayloadConverter, JSONProtoPayloadConverter
from ._type_converter import JSONTypeConverter

_NULL = Payload({"encoding": b"binary/null"})
_PLAIN_METADATA = {"encoding": b"binary/plain"}


class BinaryNullPayloadConverter(EncodingPayloadConverter):
    """``None`` as a payload without data."""

    @property
    def encoding(self) -> str:
        """``binary/null``."""
        return "binary/null"

    def to_payload(self, value: Any) -> Payload | None:
        """Takes ``None``."""
        return _NULL if value is None else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Returns ``None``, whatever the hint.

        Raises:
            ConversionError: There is data.
        """
        if payload.data:
            raise ConversionError("a payload of encoding 'binary/null' must have no data")

    def _takes(self, kind: type) -> bool:
        return kind is type(None)


class BinaryPlainPayloadConverter(EncodingPayloadConverter):
    """Bytes as they are."""

    @property
    def encoding(self) -> str:
        """``binary/plain``."""
        return "binary/plain"

    def to_payload(self, value: Any) -> Payload | None:
        """Takes ``bytes``."""
        return Payload(_PLAIN_METADATA, value) if isinstance(value, bytes) else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Returns ``bytes``, or ``bytearray`` if that is the hint."""
        return bytearray(payload.data) if type_hint is bytearray else payload.data

    def _takes(self, kind: type) -> bool:
        return issubclass(kind, bytes)


class JSONPlainPayloadConverter(EncodingPayloadConverter):
    """Everything else as JSON, back into the hinted types.

    Args:
        encoder: Encoder class; ``None`` for Python's own.
        decoder: Decoder class; ``None`` for Python's own.
        encoding: Encoding in the metadata.
        custom_type_converters: Asked first about every value that is decoded, at every depth.
    """

    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = AdvancedJSONEncoder,
        decoder: type[json.JSONDecoder] | None = None,
        encoding: str = "json/plain",
        custom_type_converters: Sequence[JSONTypeConverter] = (),
    ) -> None:
        """Creates the converter."""
        self._encoder = encoder
        self._decoder = decoder
        self._encoding = encoding
        self._metadata = {"encoding": encoding.encode()}
        self._decoders = Decoders(custom_type_converters) if custom_type_converters else DEFAULT_DECODERS

    @property
    def encoding(self) -> str:
        """The encoding it was created with."""
        return self._encoding

    def to_payload(self, value: Any) -> Payload | None:
        """Takes every value.

        Raises:
            ConversionError: Part of the value has no JSON.
        """
        if self._encoder is AdvancedJSONEncoder:
            return json_payload(value, self._encoding)
        return Payload(self._metadata, encode_json_with(self._encoder, value))

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Returns a value of the hinted type, or what JSON gives if there is no hint.

        Raises:
            ConversionError: The data is not JSON, or not of the hinted type.
        """
        if self._decoder is None:
            payload = as_payload(payload)
            return payload_json(payload) if type_hint is None else self._decoders.read(type_hint, payload)
        value = json.loads(payload.data, cls=self._decoder)
        return value if type_hint is None else self._decoders.decode(type_hint, value)

    def _takes(self, kind: type) -> bool:
        return True


class DefaultPayloadConverter(CompositePayloadConverter):
    """The converters of null, bytes, protobuf messages and JSON, as in every Temporal SDK."""

    default_encoding_payload_converters: ClassVar[tuple[EncodingPayloadConverter, ...]] = (
        BinaryNullPayloadConverter(),
        BinaryPlainPayloadConverter(),
        JSONProtoPayloadConverter(),
        BinaryProtoPayloadConverter(),
        JSONPlainPayloadConverter(),
    )
    """The converters it is made of, for composites of one's own."""

    def __init__(self) -> None:
        """Creates the converter."""
        super().__init__(*self.default_encoding_payload_converters)
