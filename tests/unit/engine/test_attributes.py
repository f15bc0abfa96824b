"""Memo and search attributes: what a run is described by, and how it changes that."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import SearchAttributeKey
from invincible.converter import encode_typed_search_attribute_value
from tests.support.engine import Driver, completed, kinds, payload, value

COLOUR = SearchAttributeKey.for_keyword("Colour")
SIZE = SearchAttributeKey.for_int("Size")
TAGS = SearchAttributeKey.for_keyword_list("Tags")
DUE = SearchAttributeKey.for_datetime("Due")


def attributes(command: Any) -> dict[str, Any]:
    assert isinstance(command, _native.UpsertWorkflowSearchAttributes)
    return {name: value(each) for name, each in command.search_attributes.items()}


def test_the_memo_of_the_start_is_decoded() -> None:
    @workflow.defn
    async def reader() -> list[Any]:
        memo = workflow.memo()
        assert isinstance(memo["when"], str)
        assert workflow.memo_value("when", type_hint=datetime) == datetime(2024, 1, 1, tzinfo=timezone.utc)
        return [memo["note"], workflow.memo_value("note"), workflow.memo_value("missing", "default")]

    memo = {"note": payload("first"), "when": payload("2024-01-01T00:00:00+00:00")}
    assert completed(Driver(reader, memo=memo).start()) == ["first", "first", "default"]


@pytest.mark.parametrize(
    ("memo", "match"),
    [
        ({}, "the memo has no 'missing'; its keys are: none"),
        ({"b": payload(1), "a": payload(2)}, "the memo has no 'missing'; its keys are: a, b"),
    ],
)
def test_a_missing_key_is_named_with_those_there_are(memo: Any, match: str) -> None:
    @workflow.defn
    async def reader() -> None:
        workflow.memo_value("missing")

    with pytest.raises(KeyError, match=match):
        Driver(reader, memo=memo).start()


def test_a_memo_value_of_the_wrong_type_is_named() -> None:
    @workflow.defn
    async def reader() -> None:
        workflow.memo_value("note", type_hint=int)

    with pytest.raises(TypeError, match="memo 'note'"):
        Driver(reader, memo={"note": payload("first")}).start()


def test_changes_of_the_memo_are_sent_and_seen() -> None:
    @workflow.defn
    async def writer() -> list[Any]:
        info = workflow.info()
        workflow.upsert_memo({"note": "second", "gone": None}, event_groups=[workflow.create_event_group("group")])
        workflow.upsert_memo({})
        return [workflow.memo(), sorted(info.raw_memo), sorted(workflow.info().raw_memo)]

    command, end = Driver(writer, memo={"gone": payload(1), "stays": payload(2)}).start()
    assert isinstance(command, _native.ModifyWorkflowProperties)
    assert {key: value(each) for key, each in command.upserted_memo.items()} == {"note": "second", "gone": None}
    assert [each.id for each in command.event_groups] == ["group"]
    memo, before, after = value(end.result)
    assert memo == {"stays": 2, "note": "second"}
    assert after == ["note", "stays"]
    assert before == after


def test_a_memo_value_that_cannot_be_encoded_is_named_and_nothing_changes() -> None:
    @workflow.defn
    async def writer() -> list[str]:
        try:
            workflow.upsert_memo({"good": 1, "bad": object()})
        except TypeError as error:
            return [str(error), *workflow.memo()]
        return []

    (message,) = completed(Driver(writer).start())
    assert re.match("memo 'bad' cannot be encoded: .*object", message)


def test_the_search_attributes_of_the_start_are_decoded() -> None:
    @workflow.defn
    async def reader() -> list[Any]:
        info = workflow.info()
        return [info.search_attributes["Colour"], info.typed_search_attributes[COLOUR]]

    encoded = encode_typed_search_attribute_value(COLOUR, "red")
    assert completed(Driver(reader, search_attributes={"Colour": encoded}).start()) == [["red"], "red"]


def test_typed_changes_are_sent_and_seen() -> None:
    @workflow.defn
    async def writer() -> list[Any]:
        workflow.upsert_search_attributes(
            [COLOUR.value_set("red"), SIZE.value_set(5), TAGS.value_set(["a", "b"])],
            event_groups=[workflow.create_event_group("group")],
        )
        first = workflow.info().typed_search_attributes
        workflow.upsert_search_attributes([COLOUR.value_unset()])
        workflow.upsert_search_attributes([])
        second = workflow.info().typed_search_attributes
        return [first[COLOUR], first[SIZE], list(first[TAGS]), second.get(COLOUR), second[SIZE]]

    set_all, unset, end = Driver(writer).start()
    assert attributes(set_all) == {"Colour": "red", "Size": 5, "Tags": ["a", "b"]}
    assert set_all.search_attributes["Size"].metadata["type"] == b"Int"
    assert [each.id for each in set_all.event_groups] == ["group"]
    assert attributes(unset) == {"Colour": None}
    assert value(end.result) == ["red", 5, ["a", "b"], None, 5]


def test_untyped_changes_are_sent_and_seen() -> None:
    @workflow.defn
    async def writer() -> list[Any]:
        when = datetime(2024, 1, 1, tzinfo=timezone.utc)
        workflow.upsert_search_attributes({"Colour": ["red"], "Due": [when]})
        workflow.upsert_search_attributes({"Colour": []})
        info = workflow.info()
        return ["Colour" in info.search_attributes, info.search_attributes["Due"] == [when]]

    both, removed, end = Driver(writer).start()
    assert attributes(both) == {"Colour": ["red"], "Due": ["2024-01-01T00:00:00+00:00"]}
    assert attributes(removed) == {"Colour": []}
    assert value(end.result) == [False, True]


def test_a_known_key_keeps_its_type_when_a_mapping_changes_it() -> None:
    @workflow.defn
    async def writer() -> str:
        workflow.upsert_search_attributes({"Colour": ["blue"]})
        return workflow.info().typed_search_attributes[COLOUR]

    encoded = encode_typed_search_attribute_value(COLOUR, "red")
    *_, end = Driver(writer, search_attributes={"Colour": encoded}).start()
    assert value(end.result) == "blue"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            [COLOUR],
            r"by a mapping, or by updates made with key.value_set\(...\) or key.value_unset\(\), got SearchAttr",
        ),
        ([SIZE.value_set("five")], "Size"),  # type: ignore[arg-type]
        ({"Size": [object()]}, "object"),
    ],
)
def test_wrong_changes_are_refused(changes: Any, match: str) -> None:
    @workflow.defn
    async def writer() -> None:
        workflow.upsert_search_attributes(changes)

    with pytest.raises((TypeError, ValueError), match=match):
        Driver(writer).start()


def test_info_is_the_same_object_until_attributes_change() -> None:
    @workflow.defn
    async def reader() -> list[bool]:
        first = workflow.info()
        same = workflow.info() is first
        workflow.upsert_search_attributes([SIZE.value_set(1)])
        return [same, workflow.info() is first]

    commands = Driver(reader).start()
    assert kinds(commands) == [_native.UpsertWorkflowSearchAttributes, _native.CompleteWorkflowExecution]
    assert value(commands[1].result) == [True, False]
