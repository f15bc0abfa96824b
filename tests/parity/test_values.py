"""Generated values and types, here and in the peer: the same bytes, the same values, nothing refused that it takes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invincible._native import Payload
from invincible.contrib.pydantic import pydantic_data_converter
from invincible.converter import ConversionError, PayloadConverter
from tests.parity import strategies, zoo
from tests.parity.peer import Peer, Refused
from tests.parity.same import loses, same

CONVERTERS = {"default": PayloadConverter.default, "pydantic": pydantic_data_converter.payload_converter}
default = CONVERTERS["default"]


def json_of(payload: Payload) -> Any:
    return json.loads(payload.data) if payload.encoding == "json/plain" else None


def is_changed(original: Payload, value: Any) -> bool:
    """Whether a value that was decoded from a payload is less than what the payload holds."""
    return loses(json_of(original), json_of(default.to_payload(value)))


def written_by(peer: Peer, which: str, value: Any) -> Payload | Refused:
    try:
        return Payload(*peer.ask("encode", which, value))
    except Refused as refusal:
        return refusal


def is_equal(ours: Payload, theirs: Payload, hint: Any) -> bool:
    # Text has another hash in each process, and sets of it another order.
    return ours == theirs or ("set" in str(hint).lower() and sorted(ours.data) == sorted(theirs.data))


@pytest.mark.parametrize("beyond", [False, True], ids=["theirs", "beyond"])
@settings(max_examples=100)
@given(data=st.data())
def test_round_trip(data: st.DataObject, beyond: bool) -> None:
    hint = data.draw(strategies.hints(beyond=beyond))
    value = data.draw(strategies.values_of(hint))
    decoded = default.from_payload(default.to_payload(value), hint)
    if strategies.is_clear(hint):
        assert same(decoded, value)
    else:
        # Another member of a union takes it too: once it did, it keeps doing so.
        assert same(default.from_payload(default.to_payload(decoded), hint), decoded)


@settings(max_examples=150)
@given(data=st.data())
def test_there_and_back(peer: Peer, data: st.DataObject) -> None:
    hint = data.draw(strategies.hints())
    value = data.draw(strategies.values_of(hint))
    ours = default.to_payload(value)
    theirs = written_by(peer, "default", value)
    if isinstance(theirs, Refused):
        # Keys that JSON has no text for, or that cannot be sorted.
        assert re.search("keys must be|not supported between|can't compare", str(theirs))
    else:
        assert is_equal(ours, theirs, hint)
    decoded, read = default.from_payload(ours, hint), peer.ask("decode", "default", hint, ours.SerializeToString())
    assert same(decoded, read) or (is_changed(ours, read) and not is_changed(ours, decoded))


@settings(max_examples=250)
@given(data=st.data())
def test_nothing_is_refused_that_the_peer_takes(peer: Peer, data: st.DataObject) -> None:
    hint = data.draw(strategies.hints())
    written = default.to_payload(data.draw(strategies.values_of(hint)))
    payload = default.to_payload([data.draw(strategies.damaged(json_of(written)))])
    hint = list[hint]  # type: ignore[valid-type]
    try:
        read = peer.ask("decode", "default", hint, payload.SerializeToString())
    except Refused:
        return
    try:
        decoded = default.from_payload(payload, hint)
    except ConversionError:
        # A mapping that nearly is one member of a union is no sequence of its keys for us.
        assert is_changed(payload, read)
    else:
        assert same(decoded, read) or (is_changed(payload, read) and not is_changed(payload, decoded))


@settings(max_examples=150)
@given(data=st.data())
def test_pydantic_there_and_back(peer: Peer, data: st.DataObject) -> None:
    converter = CONVERTERS["pydantic"]
    # Pydantic reads iterables lazily: there is nothing to compare.
    hint = data.draw(strategies.hints(beyond=True).filter(lambda each: "Iterable" not in str(each)))
    value = data.draw(strategies.values_of(hint))
    theirs = written_by(peer, "pydantic", value)
    if isinstance(theirs, Refused):
        with pytest.raises(ConversionError):
            converter.to_payload(value)
        return
    ours = converter.to_payload(value)
    assert is_equal(ours, theirs, hint)
    try:
        read = peer.ask("decode", "pydantic", hint, ours.SerializeToString())
    except Refused:
        with pytest.raises(ConversionError):
            converter.from_payload(ours, hint)
    else:
        assert same(converter.from_payload(ours, hint), read)


@pytest.mark.parametrize("which", CONVERTERS)
@given(data=st.one_of(st.binary(max_size=12), strategies.json_values.map(json.dumps).map(str.encode)))
def test_json_without_a_type(peer: Peer, which: str, data: bytes) -> None:
    payload = Payload({"encoding": b"json/plain"}, data)
    try:
        read = peer.ask("decode", which, None, payload.SerializeToString())
    except Refused:
        with pytest.raises(ConversionError):
            CONVERTERS[which].from_payload(payload)
    else:
        assert same(CONVERTERS[which].from_payload(payload), read)


@pytest.mark.parametrize("encoding", ["binary/null", "binary/plain", "json/protobuf", "binary/protobuf", "other"])
@pytest.mark.parametrize("data", [b"", b"{}", b'"1s"', b"\xff"])
@pytest.mark.parametrize(
    "message_type", ["google.protobuf.Duration", "temporal.api.common.v1.Payload", "no.Such", None]
)
def test_other_encodings(peer: Peer, encoding: str, data: bytes, message_type: str | None) -> None:
    metadata = {"encoding": encoding.encode()}
    if message_type is not None:
        metadata["messageType"] = message_type.encode()
    payload = Payload(metadata, data)
    try:
        read = peer.ask("decode_to_text", payload.SerializeToString())
    except Refused:
        with pytest.raises(ConversionError):
            default.from_payload(payload)
    else:
        assert str(default.from_payload(payload)) == read


@pytest.mark.parametrize("hint", zoo.RECORDS, ids=str)
def test_every_record_is_one_that_the_peer_takes(peer: Peer, hint: Any) -> None:
    @settings(max_examples=3)
    @given(strategies.values_of(hint))
    def check(value: Any) -> None:
        assert same(peer.ask("decode", "default", hint, default.to_payload(value).SerializeToString()), value)

    check()
