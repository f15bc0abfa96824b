"""Queries: of the class, dynamic and set at run time, what they may not do, and those that are built in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from invincible import workflow
from invincible.client import WorkflowQueryFailedError, WorkflowQueryRejectedError
from invincible.common import QueryRejectCondition, RawValue
from tests.support.features import MINUTE, Feature, of_kind, rested


@workflow.defn
class Asked:
    """Answers."""

    def __init__(self) -> None:
        self.state = "begun"
        self.done = False

    @workflow.run
    async def run(self) -> str:
        def at_run_time(number: int) -> int:
            return 2 * number

        workflow.set_query_handler("at_run_time", at_run_time)
        assert workflow.get_query_handler("at_run_time") is at_run_time
        workflow.set_current_details("*in* details")
        await rested()
        self.state = "rested"
        await asyncio.gather(self.waits(), rested())
        return "end"

    async def waits(self) -> None:
        await workflow.wait_condition(lambda: self.done)

    @workflow.signal(description="ends it")
    def finish(self) -> None:
        self.done = True

    @workflow.update(description="does nothing")
    def touch(self) -> None: ...

    @workflow.query(description="where it is")
    def current(self) -> str:
        return self.state

    @workflow.query(name="renamed")
    def combined(self, first: str, second: int = 2) -> dict[str, int]:
        return {first: second}

    @workflow.query(dynamic=True)
    def anything(self, name: str, arguments: Sequence[RawValue]) -> str:
        values = [workflow.payload_converter().from_payload(each.payload) for each in arguments]
        return f"{name} {values}"

    @workflow.query
    def failing(self) -> None:
        raise ValueError("no answer")

    @workflow.query
    def changing(self, how: str) -> Any:
        if how == "timer":
            return asyncio.get_running_loop().call_later(1, print)
        if how == "activity":
            return workflow.start_activity("x", start_to_close_timeout=MINUTE)
        if how == "patch":
            return workflow.patched("x")
        if how == "memo":
            return workflow.upsert_memo({"x": 1})
        if how == "details":
            return workflow.set_current_details("x")
        if how == "handler":
            return workflow.set_query_handler("x", None)
        if how == "random":
            return workflow.random().random()
        return workflow.unsafe.is_read_only()


async def test_queries_are_answered_while_the_run_is_open_and_after(feature: Feature) -> None:
    async with feature.worker([Asked]):
        handle = await feature.start(Asked.run)
        await feature.resting(handle, times=2)
        for closed in (False, True):
            if closed:
                await handle.signal(Asked.finish)
                await handle.result()
            assert await handle.query(Asked.current) == "rested"
            assert await handle.query(Asked.combined, "one") == {"one": 2}
            assert await handle.query("renamed", args=["one", 3]) == {"one": 3}
            assert await handle.query("at_run_time", 21) == 42
            assert await handle.query("unknown", args=["x", 1]) == "unknown ['x', 1]"
            with pytest.raises(WorkflowQueryFailedError, match="no answer"):
                await handle.query(Asked.failing)
        with pytest.raises(WorkflowQueryRejectedError):
            await handle.query(Asked.current, reject_condition=QueryRejectCondition.NOT_OPEN)


async def test_a_query_cannot_change_the_run(feature: Feature) -> None:
    async with feature.worker([Asked]):
        handle = await feature.start(Asked.run)
        await feature.resting(handle, times=2)
        assert await handle.query(Asked.changing, "nothing") is True
        for how in ("timer", "activity", "patch", "memo", "details", "handler"):
            with pytest.raises(WorkflowQueryFailedError, match="not possible in a query") as failure:
                await handle.query(Asked.changing, how)
            assert "would change the workflow" in str(failure.value)
        await handle.signal(Asked.finish)
        assert await handle.result() == "end"
    assert not of_kind(await feature.events(handle), "timer_started")


@workflow.defn
class Few:
    @workflow.query
    def one(self) -> int:
        return 1

    @workflow.run
    async def run(self) -> None: ...


async def test_an_unknown_query_is_told_the_known_ones(feature: Feature) -> None:
    async with feature.worker([Few]):
        handle = await feature.start(Few.run)
        await handle.result()
        with pytest.raises(WorkflowQueryFailedError, match=r"no query 'two'.*one"):
            await handle.query("two")
        with pytest.raises(WorkflowQueryFailedError):
            await handle.query("one", "an argument too many")


async def test_the_stack_trace_tells_where_the_code_waits(feature: Feature) -> None:
    async with feature.worker([Asked]):
        handle = await feature.start(Asked.run)
        await feature.resting(handle, times=2)
        trace: str = await handle.query("__stack_trace", result_type=str)
        enhanced: dict[str, Any] = json.loads(
            (await handle.query("__enhanced_stack_trace", result_type=RawValue)).payload.data
        )
        await handle.signal(Asked.finish)
        await handle.result()
    assert __file__ in trace
    assert ", in run\n    await asyncio.gather(self.waits(), rested())" in trace
    assert ", in waits\n    await workflow.wait_condition(lambda: self.done)" in trace
    assert "_engine" not in trace
    places = [(each["filePath"], each["functionName"]) for stack in enhanced["stacks"] for each in stack["locations"]]
    assert {(__file__, "run"), (__file__, "waits")} <= set(places)
    assert "class Asked" in enhanced["sources"][__file__][0]["content"]


async def test_the_metadata_tells_what_the_workflow_offers(feature: Feature) -> None:
    async with feature.worker([Asked]):
        handle = await feature.start(Asked.run)
        await feature.resting(handle, times=2)
        raw = await handle.query("__temporal_workflow_metadata", result_type=RawValue)
        await handle.signal(Asked.finish)
        await handle.result()
    assert raw.payload.metadata["messageType"] == b"temporal.api.sdk.v1.WorkflowMetadata"
    metadata = json.loads(raw.payload.data)
    assert metadata["currentDetails"] == "*in* details"
    definition = metadata["definition"]
    assert definition["type"] == "Asked"
    assert definition["signalDefinitions"] == [{"name": "finish", "description": "ends it"}]
    assert definition["updateDefinitions"] == [{"name": "touch", "description": "does nothing"}]
    queries = {each.get("name"): each.get("description") for each in definition["queryDefinitions"]}
    assert queries["current"] == "where it is"
    assert {None, "renamed", "at_run_time", "__stack_trace"} <= set(queries)
