"""JSON as Temporal's default converter writes and reads it. The one place that knows the JSON library."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from enum import Enum
from functools import lru_cache
from operator import attrgetter, methodcaller
from typing import Any

from invincible._native import JsonPlan, JsonWriter, Payload

from ._durations import format_duration
from ._errors import ConversionError
from ._hints import is_pydantic_model

_UNSUPPORTED = object()


class AdvancedJSONEncoder(json.JSONEncoder):
    """A JSON encoder for dataclasses, models, enums, times, UUIDs, decimals and anything that can be iterated over."""

    def default(self, o: Any) -> Any:
        """Turns an object that JSON does not know into one it knows.

        Raises:
            TypeError: There is no JSON for objects of this type.
        """
        simple = _simplified(o)
        return super().default(o) if simple is _UNSUPPORTED else simple


# Compact, sorted, ASCII: what the default converter of the official Python SDK writes, byte for byte.
_COMPACT: Any = {"separators": (",", ":"), "sort_keys": True}
_encoder = AdvancedJSONEncoder(**_COMPACT)
_decoder = json.JSONDecoder()


def json_payload(value: Any, encoding: str) -> Payload:
    """Writes a value.

    Raises:
        ConversionError: Part of the value has no JSON. The message names the part.
    """
    try:
        return _writer.payload(value, encoding)
    except (TypeError, ValueError, RecursionError):
        pass
    # Keys of other types are no error, but only a slower way knows them. It also finds the place of an error.
    try:
        data = _encoder.encode(_Plainer().plain(value)).encode()
        return Payload({"encoding": encoding.encode()}, data)
    except RecursionError:
        raise ConversionError("cannot be written as JSON: nested too deeply") from None


def encode_json_with(encoder: type[json.JSONEncoder] | None, value: Any) -> bytes:
    """Writes a value with an encoder of the user's, its errors untouched; ``None`` is Python's own."""
    return json.dumps(value, cls=encoder, **_COMPACT).encode()


def payload_json(payload: Payload) -> Any:
    """Reads the value of a payload.

    Raises:
        ConversionError: The data is not JSON. The message says where it stops to be.
    """
    value = JsonPlan.ANY.read(payload)
    return decode_json(payload.data) if value is NotImplemented else value


def decode_json(data: bytes) -> Any:
    """Reads a value.

    Raises:
        ConversionError: The data is not JSON. The message says where it stops to be.
    """
    try:
        return _decoder.decode(data.decode())
    except (ValueError, RecursionError):
        pass
    try:
        # A byte order mark, or another of the encodings JSON may have.
        return json.loads(data)
    except json.JSONDecodeError as error:
        reason = f"not valid JSON: {error.msg} at byte {error.pos} of {len(data)}"
    except UnicodeDecodeError as error:
        reason = f"not valid JSON: {error.reason} at byte {error.start} of {len(data)}"
    except ValueError as error:
        reason = f"not readable JSON: {error}"
    except RecursionError:
        reason = "not readable JSON: nested too deeply"
    raise ConversionError(reason)


def _simplified(value: Any) -> Any:
    kind: type = type(value)
    simplify = _simplifier(kind)
    return _UNSUPPORTED if simplify is None else simplify(value)


@lru_cache(maxsize=1024)
def _simplifier(kind: type) -> Callable[[Any], Any] | None:
    """What turns values of a type into values that are nearer to JSON."""
    if dataclasses.is_dataclass(kind):
        names = _field_names(kind)
        return lambda value: {name: getattr(value, name) for name in names}
    if issubclass(kind, (date, time)):
        return lambda value: value.isoformat()
    if issubclass(kind, type):
        return None
    # Models: pydantic's of version 1, of version 2 as their `dict` is defined but without its warning, and others.
    if callable(old := getattr(kind, "dict", None)) and not hasattr(old, "__deprecated__"):
        return methodcaller("dict")
    if callable(getattr(kind, "model_dump", None)):
        return methodcaller("model_dump", by_alias=False) if is_pydantic_model(kind) else methodcaller("model_dump")
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, Mapping):
        return dict
    if issubclass(kind, Iterable):
        return list
    if issubclass(kind, timedelta):
        return format_duration
    # Told by name so that only who uses decimals imports them.
    if issubclass(kind, uuid.UUID) or (kind.__module__ == "decimal" and kind.__name__ == "Decimal"):
        return str
    return None


def _form(kind: type) -> tuple[str, ...] | Callable[[Any], Any] | None:
    """What the native writer makes of instances of a type: an object of these fields, or what this makes of them."""
    return tuple(sorted(_field_names(kind))) if dataclasses.is_dataclass(kind) else _simplifier(kind)


# Writes what the encoder would write, byte for byte, and has it write what is rare.
_writer = JsonWriter(_form, _encoder.encode)


@lru_cache(maxsize=1024)
def _field_names(record: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(record))


class _Plainer:
    """Turns one value into JSON's own types, and knows where in it something cannot be."""

    def __init__(self) -> None:
        self._holders: set[int] = set()
        self._used_up = False

    def plain(self, value: Any) -> Any:
        result = self._plain(value)
        if self._used_up:
            raise ConversionError("an iterator cannot be written beside keys that are not text: make it a list")
        return result

    def _plain(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, int, float)):
            return value
        if isinstance(value, Iterator):
            # The first attempt to write the value has read it to its end.
            self._used_up = True
            return []
        if id(value) in self._holders:
            raise ConversionError(f"cannot be written as JSON: the {type(value).__name__} holds itself")
        self._holders.add(id(value))
        try:
            if isinstance(value, dict):
                return {_plain_key(key): self._member(key, each) for key, each in value.items()}
            if isinstance(value, (list, tuple)):
                return [self._part(f"[{index}]", each) for index, each in enumerate(value)]
            if dataclasses.is_dataclass(value) and not isinstance(value, type):
                names = _field_names(type(value))
                return {name: self._part(f".{name}", getattr(value, name)) for name in names}
            simple = _simplified(value)
            if simple is _UNSUPPORTED:
                raise ConversionError(
                    f"a value of type {type(value).__name__} cannot be written as JSON: use a dataclass, or a payload "
                    f"converter that knows the type"
                )
            return self._plain(simple)
        finally:
            self._holders.discard(id(value))

    def _part(self, step: str, value: Any) -> Any:
        try:
            return self._plain(value)
        except ConversionError as error:
            error.within(step)
            raise

    def _member(self, key: Any, value: Any) -> Any:
        try:
            return self._plain(value)
        except ConversionError as error:
            error.within_key(key)
            raise


def _plain_key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    simple = _simplified(key)
    if simple is _UNSUPPORTED or isinstance(simple, (list, dict)):
        raise ConversionError(f"a key of type {type(key).__name__} cannot be written as JSON: use str")
    return _plain_key(simple)
