"""Memo and search attributes."""

from __future__ import annotations

from datetime import datetime, timezone

from invincible import workflow
from invincible.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from tests.support.features import Feature, attributes, rested

BOOL = SearchAttributeKey.for_bool("FeatureBool")
DATETIME = SearchAttributeKey.for_datetime("FeatureDatetime")
FLOAT = SearchAttributeKey.for_float("FeatureFloat")
INT = SearchAttributeKey.for_int("FeatureInt")
KEYWORD = SearchAttributeKey.for_keyword("FeatureKeyword")
TEXT = SearchAttributeKey.for_text("FeatureText")
WORDS = SearchAttributeKey.for_keyword_list("FeatureWords")
NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)


@workflow.defn
class Memo:
    @workflow.run
    async def run(self) -> list[object]:
        seen: list[object] = [workflow.memo_value("started"), workflow.memo_value("missing", 3)]
        try:
            workflow.memo_value("missing")
        except KeyError:
            seen.append("no such key")
        workflow.upsert_memo({"number": 1, "deep": {"a": [1]}, "gone": "soon"})
        await rested()
        seen.append({key: value for key, value in workflow.memo().items() if key != "cache"})
        workflow.upsert_memo({"gone": None, "number": 2})
        await rested()
        seen.append(sorted(workflow.memo()))
        seen.append(workflow.memo_value("number", type_hint=int))
        seen.append("gone" in workflow.info().raw_memo)
        return seen


async def test_the_memo_is_read_and_changed(feature: Feature) -> None:
    async with feature.worker([Memo]):
        handle = await feature.start(Memo.run, memo={"started": "with"})
        assert await handle.result() == [
            "with",
            3,
            "no such key",
            {"started": "with", "number": 1, "deep": {"a": [1]}, "gone": "soon"},
            ["cache", "deep", "number", "started"],
            2,
            False,
        ]
        description = await handle.describe()
    assert await description.memo() == {
        "cache": feature.cache.value,
        "started": "with",
        "number": 2,
        "deep": {"a": [1]},
    }
    changes = attributes(await feature.events(handle), "workflow_properties_modified")
    assert [sorted(each.upserted_memo.fields) for each in changes] == [["deep", "gone", "number"], ["gone", "number"]]


@workflow.defn
class SearchAttributes:
    @workflow.run
    async def run(self) -> None:
        assert workflow.info().typed_search_attributes[KEYWORD] == "started"
        workflow.upsert_search_attributes(
            [
                BOOL.value_set(True),
                DATETIME.value_set(NOON),
                FLOAT.value_set(1.5),
                INT.value_set(7),
                TEXT.value_set("some text"),
                WORDS.value_set(["a", "b"]),
            ]
        )
        await rested()
        self.check()
        workflow.upsert_search_attributes([INT.value_set(8), FLOAT.value_unset()])
        workflow.upsert_search_attributes({"FeatureBool": [], "FeatureKeyword": ["by name"]})
        await rested()
        found = workflow.info().typed_search_attributes
        assert (found[INT], found[KEYWORD]) == (8, "by name")
        assert found.get(FLOAT) is None
        assert found.get(BOOL) is None
        assert workflow.info().search_attributes["FeatureWords"] == ["a", "b"]

    def check(self) -> None:
        found = workflow.info().typed_search_attributes
        assert (found[BOOL], found[DATETIME], found[FLOAT], found[INT]) == (True, NOON, 1.5, 7)
        assert (found[KEYWORD], found[TEXT], list(found[WORDS])) == ("started", "some text", ["a", "b"])


async def test_search_attributes_of_each_type_are_read_and_changed(feature: Feature) -> None:
    async with feature.worker([SearchAttributes]):
        handle = await feature.start(
            SearchAttributes.run, search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "started")])
        )
        await handle.result()
        description = await handle.describe()
    found = description.typed_search_attributes
    assert (found[DATETIME], found[INT], found[KEYWORD], found[TEXT]) == (NOON, 8, "by name", "some text")
    assert list(found[WORDS]) == ["a", "b"]
    assert found.get(BOOL) is None
    assert found.get(FLOAT) is None
    changes = attributes(await feature.events(handle), "upsert_workflow_search_attributes")
    assert [sorted(each.search_attributes.indexed_fields) for each in changes] == [
        ["FeatureBool", "FeatureDatetime", "FeatureFloat", "FeatureInt", "FeatureText", "FeatureWords"],
        ["FeatureFloat", "FeatureInt"],
        ["FeatureBool", "FeatureKeyword"],
    ]
