"""From type hints to decoders: each hint is looked at once, its decoder kept."""

from __future__ import annotations

import collections
import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

from invincible._native import JsonPlan, Payload

from ._decode_containers import SEQUENCE_DECODERS, mapping_decoder, sequence_decoder, tuple_decoder, union_decoder
from ._decode_leaves import (
    LEAVES,
    Decoder,
    decode_any,
    decode_decimal,
    decode_float,
    decode_int,
    decode_str,
    enum_decoder,
    literal_decoder,
)
from ._decode_records import dataclass_decoder, model_decoder, named_tuple_decoder, typed_dict_decoder
from ._errors import ConversionError
from ._hints import is_alias, is_pydantic_model, is_union, type_name, unwrapped
from ._json import decode_json
from ._plans import plan_of
from ._type_converter import JSONTypeConverter

# Hints made on the fly, a result_type=list[int] in a loop say, must not pile up.
_CACHE_SIZE = 4096

_SEQUENCES: dict[Any, Callable[[Iterable[Any]], Any]] = {
    set: set,
    frozenset: frozenset,
    collections.deque: collections.deque,
    tuple: tuple,
}
_MAPPINGS: dict[Any, Callable[[Mapping[Any, Any]], Any]] = {
    collections.ChainMap: lambda items: collections.ChainMap(dict(items)),
    collections.Counter: collections.Counter,
    collections.OrderedDict: collections.OrderedDict,
    collections.UserDict: collections.UserDict,
    collections.defaultdict: partial(collections.defaultdict, None),
    types.MappingProxyType: lambda items: types.MappingProxyType(dict(items)),
}


class Decoders:
    """Decoders by type hint.

    Args:
        type_converters: Asked first about every value, at every depth.
    """

    def __init__(self, type_converters: Sequence[JSONTypeConverter] = ()) -> None:
        """Starts with no decoders."""
        self._type_converters = tuple(type_converters)
        # By identity: hints that are equal may differ in the order of a union, and not all of them hash.
        self._known: dict[int, tuple[Any, Decoder, JsonPlan]] = {}

    def __reduce__(self) -> str | tuple[Any, ...]:
        # Converters are sent to other processes. What is compiled stays here: functions of functions cannot be.
        return "DEFAULT_DECODERS" if self is DEFAULT_DECODERS else (type(self), (self._type_converters,))

    def read(self, hint: Any, payload: Payload) -> Any:
        """The value of a JSON payload as the hint wants it.

        Raises:
            ConversionError: It is not JSON, or does not fit the hint.
        """
        known = self._known.get(id(hint)) or self._look_at(hint)
        value = known[2].read(payload)
        # The decoder knows more than its plan, and what is wrong.
        return self.decode(hint, decode_json(payload.data)) if value is NotImplemented else value

    def decode(self, hint: Any, value: Any) -> Any:
        """The value as the hint wants it.

        Raises:
            ConversionError: It does not fit the hint.
        """
        try:
            return self.decoder_for(hint)(value)
        except RecursionError:
            raise ConversionError(f"nested too deeply for {type_name(hint)}") from None

    def decoder_for(self, hint: Any) -> Decoder:
        """The decoder of a type hint. Hints that nothing can be decoded into get one that says so when it is used."""
        return (self._known.get(id(hint)) or self._look_at(hint))[1]

    def _look_at(self, hint: Any) -> tuple[Any, Decoder, JsonPlan]:
        decoder = self._compile(hint)
        for converter in reversed(self._type_converters):
            decoder = _converted_first(converter, hint, decoder)
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        # The hint is kept alive: its id must not be given to another.
        self._known[id(hint)] = known = hint, decoder, plan_of(decoder)
        return known

    def _compile(self, hint: Any) -> Decoder:
        inner = unwrapped(hint)
        if inner is not hint:
            return self._compile_later(inner) if is_alias(hint) else self.decoder_for(inner)
        try:
            leaf = LEAVES.get(hint)
        except TypeError:
            leaf = None
        if leaf is not None:
            return leaf
        origin, args = get_origin(hint), get_args(hint)
        if is_union(origin):
            return union_decoder(type_name(hint), tuple(map(self.decoder_for, args)))
        if origin is Literal:
            return literal_decoder(args)
        if isinstance(hint, TypeVar):
            return self._compile_type_variable(hint)
        if isinstance(hint, (str, ForwardRef)):
            return _refusing(f"the forward reference {type_name(hint)!r} cannot be resolved here: use the type itself")
        record = origin or hint
        if not isinstance(record, type):
            return _refusing(f"values cannot be decoded into {type_name(hint)}")
        return (
            self._compile_record(record, args)
            or self._compile_container(hint, record, args)
            or _instance_decoder(type_name(hint), record)
        )

    def _compile_later(self, hint: Any) -> Decoder:
        # A type alias may refer to itself.
        decoder: Decoder | None = None

        def decode(value: Any) -> Any:
            nonlocal decoder
            if decoder is None:
                decoder = self.decoder_for(hint)
            return decoder(value)

        return decode

    def _compile_type_variable(self, variable: TypeVar) -> Decoder:
        if variable.__constraints__:
            return self.decoder_for(Union[variable.__constraints__])  # noqa: UP007 - made of a tuple
        return decode_any if variable.__bound__ is None else self.decoder_for(variable.__bound__)

    def _compile_record(self, record: type[Any], args: tuple[Any, ...]) -> Decoder | None:
        name = record.__name__
        if dataclasses.is_dataclass(record):
            return dataclass_decoder(record, args, self.decoder_for)
        if issubclass(record, Enum):
            return enum_decoder(record)
        if issubclass(record, tuple) and hasattr(record, "_fields"):
            return named_tuple_decoder(record, args, self.decoder_for)
        if issubclass(record, dict) and hasattr(record, "__total__"):
            return typed_dict_decoder(record, args, self.decoder_for)
        # Pydantic's, or whatever offers its methods.
        if callable(validate := getattr(record, "model_validate", None)):
            # Models are written with the names of the fields, which those with aliases do not take by themselves.
            return model_decoder(name, validate, by_name={"by_name": True} if is_pydantic_model(record) else None)
        if callable(validate := getattr(record, "parse_obj", None)):
            return model_decoder(name, validate, mapping_only=True)
        return None

    def _compile_container(self, hint: Any, record: type[Any], args: tuple[Any, ...]) -> Decoder | None:
        name = type_name(hint)
        if issubclass(record, str):
            return lambda value: record(decode_str(value))
        if record.__module__ == "decimal" and record.__name__ == "Decimal":
            return decode_decimal
        if issubclass(record, Mapping):
            # Counter[str] has one argument, the others two or none.
            key, value = (*args, Any, Any)[:2]
            return mapping_decoder(name, _MAPPINGS.get(record, dict), self.decoder_for(key), self.decoder_for(value))
        if record is tuple and args and args[-1] is not ...:
            return tuple_decoder(name, tuple(map(self.decoder_for, args)))
        if issubclass(record, Iterable):
            item = self.decoder_for(args[0] if args else Any)
            return sequence_decoder(name, _SEQUENCES.get(record, list), item)
        return None


def value_to_type(hint: Any, value: Any, custom_converters: Sequence[JSONTypeConverter] = ()) -> Any:
    """Turns a value as JSON gives it into one of the hinted type.

    Args:
        hint: The type wanted: a plain type, a dataclass, an enum, a union, a generic, a typed dict and so on.
        value: What ``json.loads`` returned, or a part of it.
        custom_converters: Asked first about every value, at every depth.

    Raises:
        ConversionError: The value does not fit the hint. The message names the place in the value.
    """
    decoders = Decoders(custom_converters) if custom_converters else DEFAULT_DECODERS
    return decoders.decode(hint, value)


DEFAULT_DECODERS = Decoders()


def _converted_first(converter: JSONTypeConverter, hint: Any, decoder: Decoder) -> Decoder:
    unhandled = JSONTypeConverter.Unhandled

    def decode(value: Any) -> Any:
        converted = converter.to_typed_value(hint, value)
        return decoder(value) if converted is unhandled else converted

    if decoder in SEQUENCE_DECODERS:
        SEQUENCE_DECODERS.add(decode)
    return decode


def _instance_decoder(name: str, record: type[Any]) -> Decoder:
    """Takes what is of the type already; a decoded value can be only of JSON's own types."""
    number = next(
        (decode for kind, decode in ((int, decode_int), (float, decode_float)) if issubclass(record, kind)), None
    )

    def decode(value: Any) -> Any:
        if number is not None:
            return record(number(value))
        try:
            if isinstance(value, record):
                return value
        except TypeError:
            # A protocol that does not allow the test.
            pass
        raise ConversionError(
            f"values cannot be decoded into {name}: use a dataclass, or a JSONTypeConverter that makes it"
        )

    return decode


def _refusing(reason: str) -> Decoder:
    def decode(value: Any) -> Any:
        raise ConversionError(reason)

    return decode
