"""Search attributes as payloads. They are always JSON, whatever the data converter: the server reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from invincible._native import Payload
from invincible.common import (
    SearchAttributeIndexedValueType,
    SearchAttributeKey,
    SearchAttributePair,
    SearchAttributes,
    SearchAttributeValue,
    SearchAttributeValues,
    SearchAttributeValueType,
    TypedSearchAttributes,
)

from ._durations import parse_datetime
from ._encodings import DefaultPayloadConverter
from ._payloads import as_payload

if TYPE_CHECKING:
    from invincible.api.common.v1 import SearchAttributes as SearchAttributesMessage

_converter = DefaultPayloadConverter()
_SCALARS = (str, int, float, bool, datetime)


def encode_search_attributes(
    attributes: SearchAttributes | TypedSearchAttributes, api: SearchAttributesMessage | None = None
) -> dict[str, Payload]:
    """Turns search attributes into payloads by name.

    Args:
        attributes: The attributes.
        api: A protobuf message to be filled in too.

    Raises:
        TypeError: A value is not of its attribute's type.
        ValueError: A date has no time zone.
    """
    if isinstance(attributes, TypedSearchAttributes):
        payloads = {pair.key.name: encode_typed_search_attribute_value(pair.key, pair.value) for pair in attributes}
    else:
        payloads = {name: encode_search_attribute_values(values) for name, values in attributes.items()}
    if api is not None:
        for name, payload in payloads.items():
            api.indexed_fields[name].ParseFromString(payload.SerializeToString())
    return payloads


def encode_typed_search_attribute_value(
    key: SearchAttributeKey[SearchAttributeValueType], value: SearchAttributeValue | None
) -> Payload:
    """Turns the value of a key into a payload; ``None`` removes the attribute.

    Raises:
        TypeError: The value is not of the key's type.
        ValueError: A date has no time zone.
    """
    if value is None:
        return _converter.to_payload(None)
    is_list = key.indexed_value_type is SearchAttributeIndexedValueType.KEYWORD_LIST
    if not isinstance(value, key.origin_value_type) or (is_list and isinstance(value, str)):
        raise TypeError(
            f"search attribute {key.name!r} of type {key.indexed_value_type.name} cannot have a value of type "
            f"{type(value).__name__}"
        )
    if is_list and isinstance(value, Sequence) and not all(isinstance(keyword, str) for keyword in value):
        raise TypeError(f"search attribute {key.name!r} is a keyword list: all its values must be str")
    payload = _converter.to_payload(_writable(value))
    return Payload({**payload.metadata, "type": key.indexed_value_type._metadata_type.encode()}, payload.data)


def encode_search_attribute_values(vals: SearchAttributeValues) -> Payload:
    """Turns the values of an untyped attribute into a payload.

    Raises:
        TypeError: It is no list, or the values are not of one type that search attributes have.
        ValueError: A date has no time zone.
    """
    if not isinstance(vals, list):
        raise TypeError(f"search attribute values must be a list, got {type(vals).__name__}")
    kinds = {type(value) for value in vals}
    for kind in kinds:
        if not issubclass(kind, _SCALARS):
            raise TypeError(f"search attribute values must be str, int, float, bool or datetime, got {kind.__name__}")
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise TypeError(f"search attribute values must all be of one type, got {names}")
    return _converter.to_payload([_writable(value) for value in vals])


def decode_search_attributes(api: Mapping[str, Payload] | SearchAttributesMessage) -> SearchAttributes:
    """Turns payloads by name, or the protobuf message of them, into lists of values."""
    attributes: dict[str, Any] = {}
    for name, payload in _fields(api).items():
        value = _converter.from_payload(payload)
        values = value if isinstance(value, list) else [value]
        if payload.metadata.get("type") == b"Datetime":
            values = [parse_datetime(each) if isinstance(each, str) else each for each in values]
        attributes[name] = values
    return attributes


def decode_typed_search_attributes(api: Mapping[str, Payload] | SearchAttributesMessage) -> TypedSearchAttributes:
    """Turns payloads by name, or the protobuf message of them, into typed attributes.

    Attributes without a known type in their metadata, or with a value that is not of it, are left out.
    """
    pairs: list[SearchAttributePair[Any]] = []
    for name, payload in _fields(api).items():
        metadata_type = payload.metadata.get("type", b"").decode(errors="replace")
        key = SearchAttributeKey._from_metadata_type(name, metadata_type)
        if key is None:
            continue
        value: Any = _converter.from_payload(payload)
        if key.indexed_value_type is not SearchAttributeIndexedValueType.KEYWORD_LIST:
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            if key.value_type is datetime and isinstance(value, str):
                value = parse_datetime(value)
            elif key.value_type is float and type(value) is int:
                value = float(value)
        elif isinstance(value, str):
            value = [value]
        if isinstance(value, key.origin_value_type):
            pairs.append(SearchAttributePair[Any](key, value))
    return TypedSearchAttributes(pairs)


def _fields(api: Mapping[str, Payload] | SearchAttributesMessage) -> Mapping[str, Payload]:
    if isinstance(api, Mapping):
        return api
    return {name: as_payload(payload) for name, payload in api.indexed_fields.items()}


def _writable(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"search attribute dates must have a time zone, {value.isoformat()} has none")
        return value.isoformat()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
