"""Decoders of values with named fields: dataclasses, named tuples, typed dicts, models.

Fields are looked at when the first value arrives: a type may refer to itself, or to one that is defined later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from invincible._native import JsonPlan
from invincible.exceptions import FailureError

from ._decode_leaves import PASSED_THROUGH, Decoder
from ._errors import ConversionError
from ._hints import substituted, type_arguments, unresolved
from ._plans import plan_of, set_plan

Compile = Callable[[Any], Decoder]

_MISSING = object()


def dataclass_decoder(record: type[Any], arguments: tuple[Any, ...], decoder_for: Compile) -> Decoder:
    """Takes JSON objects; fields that are not the dataclass's are ignored."""
    name = record.__name__
    plan: list[tuple[str, type | None, Decoder]] = []
    later: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    ready = False

    def prepare() -> None:
        nonlocal later, required, ready
        fields = dataclasses.fields(record)
        decoders = _field_decoders(record, arguments, decoder_for)
        later = frozenset(field.name for field in fields if not field.init)
        required = tuple(field.name for field in fields if field.init and _has_no_default(field))
        plan[:] = [(field.name, *decoders[field.name]) for field in fields]
        ready = True

    def native_plan() -> list[tuple[str, JsonPlan]]:
        if not ready:
            prepare()
        return [(field, plan_of(item)) for field, _, item in plan]

    def decode(value: Any) -> Any:
        if not ready:
            prepare()
        if not isinstance(value, Mapping):
            raise ConversionError.mismatch(name, value)
        fields: dict[str, Any] = {}
        get = value.get
        for field, unchanged, item in plan:
            each = get(field, _MISSING)
            if each is _MISSING:
                continue
            if type(each) is unchanged:
                fields[field] = each
                continue
            try:
                fields[field] = item(each)
            except ConversionError as error:
                error.within(f".{field}")
                raise
        if not later:
            return _created(name, record, required, fields)
        # Fields that are no parameters are set afterwards, frozen or not.
        created = _created(name, record, required, {key: each for key, each in fields.items() if key not in later})
        for field in later & fields.keys():
            object.__setattr__(created, field, fields[field])
        return created

    if all(field.init for field in dataclasses.fields(record)):
        set_plan(decode, JsonPlan.record(record, native_plan))
    return decode


def named_tuple_decoder(record: type[Any], arguments: tuple[Any, ...], decoder_for: Compile) -> Decoder:
    """Takes lists in the order of the fields, and JSON objects by name."""
    name = record.__name__
    names: tuple[str, ...] = record._fields
    required = tuple(field for field in names if field not in record._field_defaults)
    decoders: list[Decoder] = []

    def decode(value: Any) -> Any:
        if not decoders:
            found = _field_decoders(record, arguments, decoder_for)
            decoders[:] = [found[field][1] if field in found else decoder_for(Any) for field in names]
        if isinstance(value, (list, tuple)):
            if len(value) > len(names):
                raise ConversionError(f"expected {name} of {len(names)} fields, got {len(value)} items")
            value = dict(zip(names, value, strict=False))
        elif not isinstance(value, Mapping):
            raise ConversionError.mismatch(name, value)
        fields: dict[str, Any] = {}
        for field, item in zip(names, decoders, strict=True):
            each = value.get(field, _MISSING)
            if each is _MISSING:
                continue
            try:
                fields[field] = item(each)
            except ConversionError as error:
                error.within(f".{field}")
                raise
        return _created(name, record, required, fields)

    return decode


def typed_dict_decoder(record: type[Any], arguments: tuple[Any, ...], decoder_for: Compile) -> Decoder:
    """Takes JSON objects; keys that are missing, and keys that are not the type's, stay as they are."""
    name = record.__name__
    decoders: dict[str, Decoder] = {}
    ready = False

    def decode(value: Any) -> Any:
        nonlocal ready
        if not ready:
            found = _field_decoders(record, arguments, decoder_for)
            decoders.update((field, item) for field, (_, item) in found.items())
            ready = True
        if not isinstance(value, Mapping):
            raise ConversionError.mismatch(name, value)
        decoded = dict(value)
        for field in decoders.keys() & decoded.keys():
            try:
                decoded[field] = decoders[field](decoded[field])
            except ConversionError as error:
                error.within(f"[{field!r}]")
                raise
        return decoded

    return decode


def model_decoder(
    name: str,
    validate: Callable[..., Any],
    *,
    mapping_only: bool = False,
    by_name: Mapping[str, Any] | None = None,
) -> Decoder:
    """Takes what the model's own method takes.

    Args:
        name: The model's name.
        validate: Its method.
        mapping_only: Whether only JSON objects are handed to it.
        by_name: Options for a second attempt with what it refused, if there is one.
    """

    def decode(value: Any) -> Any:
        if mapping_only and not isinstance(value, Mapping):
            raise ConversionError.mismatch(name, value)
        try:
            return validate(value)
        except (ConversionError, FailureError):
            raise
        except Exception as error:
            problem = error
        if by_name is not None:
            try:
                return validate(value, **by_name)
            except (ConversionError, FailureError):
                raise
            except TypeError:
                pass  # Pydantic before 2.11.
            except Exception as error:
                # It took more, so it knows better what is wrong.
                problem = error
        raise ConversionError.refused(name, problem) from problem

    return decode


def _field_decoders(
    record: type[Any], arguments: tuple[Any, ...], decoder_for: Compile
) -> dict[str, tuple[type | None, Decoder]]:
    try:
        hints = _field_hints(record)
    except NameError as error:
        raise ConversionError(unresolved(error, record.__name__)) from None
    except Exception as error:
        raise ConversionError(f"the annotations of {record.__name__} cannot be read: {error}") from error
    variables = type_arguments(record, arguments)
    decoders = {field: decoder_for(substituted(hint, variables)) for field, hint in hints.items()}
    return {field: (PASSED_THROUGH.get(decoder), decoder) for field, decoder in decoders.items()}


def _field_hints(record: type[Any]) -> dict[str, Any]:
    try:
        return get_type_hints(record, include_extras=True)
    except TypeError:
        if not dataclasses.is_dataclass(record):
            raise
    # Python 3.10 does not resolve InitVar and KW_ONLY, which annotate what is no field.
    names = {field.name for field in dataclasses.fields(record)}
    hints: dict[str, Any] = {}
    for base in reversed(record.__mro__):
        own = {name: hint for name, hint in vars(base).get("__annotations__", {}).items() if name in names}
        hints |= get_type_hints(type(base.__name__, (), {"__annotations__": own, "__module__": base.__module__}))
    return hints


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _created(name: str, record: type[Any], required: tuple[str, ...], fields: dict[str, Any]) -> Any:
    try:
        return record(**fields)
    except (ConversionError, FailureError):
        raise
    except Exception as error:
        missing = [field for field in required if field not in fields]
        if missing:
            names = ", ".join(map(repr, missing))
            raise ConversionError(f"{name} needs the field{'s' if len(missing) > 1 else ''} {names}") from None
        raise ConversionError.refused(name, error) from error
