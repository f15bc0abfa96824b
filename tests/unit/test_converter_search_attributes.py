"""Search attributes as payloads, as the official Python SDK writes and reads them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from invincible._native import Payload
from invincible.api.common.v1 import SearchAttributes as SearchAttributesMessage
from invincible.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from invincible.converter import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_values,
    encode_search_attributes,
    encode_typed_search_attribute_value,
)

DAY = datetime(2020, 1, 1, tzinfo=timezone.utc)
KEYS: list[tuple[SearchAttributeKey[Any], Any, bytes, bytes]] = [
    (SearchAttributeKey.for_text("a"), "x", b"Text", b'"x"'),
    (SearchAttributeKey.for_keyword("a"), "x", b"Keyword", b'"x"'),
    (SearchAttributeKey.for_int("a"), 3, b"Int", b"3"),
    (SearchAttributeKey.for_float("a"), 1.5, b"Double", b"1.5"),
    (SearchAttributeKey.for_bool("a"), True, b"Bool", b"true"),
    (SearchAttributeKey.for_datetime("a"), DAY, b"Datetime", b'"2020-01-01T00:00:00+00:00"'),
    (SearchAttributeKey.for_keyword_list("a"), ["x", "y"], b"KeywordList", b'["x","y"]'),
]


def stored(metadata_type: bytes, data: bytes) -> dict[str, Payload]:
    return {"a": Payload({"encoding": b"json/plain", "type": metadata_type}, data)}


@pytest.mark.parametrize(("key", "value", "metadata_type", "data"), KEYS)
class TestTyped:
    def test_round_trip(self, key: SearchAttributeKey[Any], value: Any, metadata_type: bytes, data: bytes) -> None:
        attributes = TypedSearchAttributes([SearchAttributePair(key, value)])
        payloads = encode_search_attributes(attributes)
        assert payloads == stored(metadata_type, data)
        assert decode_typed_search_attributes(payloads) == attributes

    def test_removal(self, key: SearchAttributeKey[Any], value: Any, metadata_type: bytes, data: bytes) -> None:
        assert encode_typed_search_attribute_value(key, None) == Payload({"encoding": b"binary/null"})

    def test_message(self, key: SearchAttributeKey[Any], value: Any, metadata_type: bytes, data: bytes) -> None:
        message = SearchAttributesMessage()
        encode_search_attributes(TypedSearchAttributes([SearchAttributePair(key, value)]), message)
        assert message.indexed_fields["a"].metadata["type"] == metadata_type
        assert decode_typed_search_attributes(message)[key] == value
        assert decode_search_attributes(message) == {"a": value if isinstance(value, list) else [value]}


@pytest.mark.parametrize(
    ("metadata_type", "data", "value"),
    [
        (b"Keyword", b'["x"]', "x"),
        (b"Double", b"3", 3.0),
        (b"Datetime", b'"2020-01-01T00:00:00Z"', DAY),
        (b"KeywordList", b'"x"', ["x"]),
    ],
)
def test_forms_that_servers_send(metadata_type: bytes, data: bytes, value: Any) -> None:
    (pair,) = decode_typed_search_attributes(stored(metadata_type, data))
    assert pair.value == value
    assert type(pair.value) is type(value)


@pytest.mark.parametrize(
    ("metadata_type", "data"),
    [
        (b"", b"3"),
        (b"Bogus", b"3"),
        (b"Int", b'"s"'),
        (b"Int", b"null"),
        (b"Int", b"1.0"),
        (b"Int", b"[]"),
        (b"Keyword", b'["x","y"]'),
    ],
)
def test_what_has_no_type_or_another_is_left_out(metadata_type: bytes, data: bytes) -> None:
    assert decode_typed_search_attributes(stored(metadata_type, data)) == TypedSearchAttributes.empty


@pytest.mark.parametrize(("data", "values"), [(b"3", [3]), (b"[1,2]", [1, 2]), (b"null", [None]), (b"[]", [])])
def test_untyped(data: bytes, values: list[Any]) -> None:
    assert decode_search_attributes(stored(b"Int", data)) == {"a": values}


@pytest.mark.parametrize(
    ("values", "data"),
    [
        (["a"], b'["a"]'),
        ([1, 2], b"[1,2]"),
        ([True], b"[true]"),
        ([], b"[]"),
        ([DAY], b'["2020-01-01T00:00:00+00:00"]'),
    ],
)
def test_untyped_values(values: Any, data: bytes) -> None:
    assert encode_search_attributes({"a": values}) == {"a": Payload({"encoding": b"json/plain"}, data)}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (SearchAttributeKey.for_int("Count"), "x", "'Count' of type INT cannot have a value of type str"),
        (SearchAttributeKey.for_float("Share"), 1, "'Share' of type DOUBLE cannot have a value of type int"),
        (SearchAttributeKey.for_keyword_list("Tags"), "x", "'Tags' of type KEYWORD_LIST cannot have a value of type"),
        (SearchAttributeKey.for_keyword_list("Tags"), [1], "'Tags' is a keyword list: all its values must be str"),
    ],
)
def test_typed_values_of_another_type(key: SearchAttributeKey[Any], value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        encode_typed_search_attribute_value(key, value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("x", "must be a list, got str"),
        ([None], "must be str, int, float, bool or datetime, got NoneType"),
        (["a", 1], "must all be of one type, got int, str"),
        ([True, 1], "must all be of one type, got bool, int"),
    ],
)
def test_untyped_values_of_another_type(values: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        encode_search_attribute_values(values)


def test_dates_need_a_time_zone() -> None:
    naive = datetime(2020, 1, 1)
    with pytest.raises(ValueError, match="must have a time zone, 2020-01-01T00:00:00 has none"):
        encode_typed_search_attribute_value(SearchAttributeKey.for_datetime("a"), naive)
    with pytest.raises(ValueError, match="must have a time zone"):
        encode_search_attribute_values([naive])
