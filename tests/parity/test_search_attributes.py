"""Generated search attributes, here and in the peer."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from invincible.api.common.v1 import SearchAttributes
from invincible.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from invincible.converter import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attributes,
)
from tests.parity import strategies
from tests.parity.peer import Peer
from tests.parity.same import same

text = strategies.text
moments = st.datetimes(timezones=st.just(timezone.utc)) | strategies.datetimes.filter(
    lambda each: each.tzinfo is not None
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": text,
    "keyword": text,
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": strategies.floats,
    "bool": st.booleans(),
    "datetime": moments,
    "keyword_list": st.lists(text, max_size=3),
}
typed = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(lambda kind: st.tuples(text, st.just(kind), VALUES[kind])),
    max_size=4,
    unique_by=lambda pair: pair[0],
)
untyped = st.dictionaries(
    text, st.one_of([st.lists(VALUES[kind], max_size=2) for kind in VALUES if kind != "keyword_list"])
)


def message_of(attributes: Any) -> bytes:
    message = SearchAttributes()
    encode_search_attributes(attributes, message)
    return bytes(message.SerializeToString(deterministic=True))


@given(pairs=typed)
def test_typed(peer: Peer, pairs: list[tuple[str, str, Any]]) -> None:
    attributes = TypedSearchAttributes(
        [
            SearchAttributePair[Any](getattr(SearchAttributeKey, f"for_{kind}")(name), value)
            for name, kind, value in pairs
        ]
    )
    message = message_of(attributes)
    assert message == peer.ask("encode_search_attributes", pairs)
    decoded = [
        (pair.key.name, pair.key.indexed_value_type.name.lower(), pair.value)
        for pair in decode_typed_search_attributes(SearchAttributes.FromString(message))
    ]
    expected = sorted((name, "double" if kind == "float" else kind, value) for name, kind, value in pairs)
    assert same(sorted(decoded), expected)
    assert same(sorted(peer.ask("decode_typed_search_attributes", message)), expected)


@given(attributes=untyped)
def test_untyped(peer: Peer, attributes: dict[str, list[Any]]) -> None:
    message = message_of(attributes)
    assert message == peer.ask("encode_search_attributes", attributes)
    expected = {
        name: [each.isoformat() if isinstance(each, datetime) else each for each in values]
        for name, values in attributes.items()
    }
    assert same(decode_search_attributes(SearchAttributes.FromString(message)), expected)
    assert same(peer.ask("decode_search_attributes", message), expected)
