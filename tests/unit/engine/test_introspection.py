"""The queries that every workflow answers: where it waits, and what it offers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from invincible import __version__, _native, workflow
from tests.support.engine import Driver, greet, value


@workflow.defn
class Waiting:
    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("**waiting**")
        assert workflow.get_current_details() == "**waiting**"
        task = asyncio.create_task(self.side_work(), name="side work")
        await workflow.sleep(60)
        await task

    async def side_work(self) -> None:
        await greet.execute("Ada")

    @workflow.signal(description="Nudge it.")
    def nudge(self) -> None: ...

    @workflow.query(name="state", description="How it is.")
    def what_state(self) -> str:
        return ""

    @workflow.update
    def change(self) -> None: ...

    @workflow.update(dynamic=True, description="All others.")
    def anything(self, name: str, args: Any) -> None: ...


def message(result: _native.Payload | None, name: str) -> Any:
    assert result is not None
    assert result.metadata == {"encoding": b"json/protobuf", "messageType": f"temporal.api.sdk.v1.{name}".encode()}
    return json.loads(result.data)


def test_details_are_empty_at_first() -> None:
    @workflow.defn
    async def plain() -> str:
        return workflow.get_current_details()

    (end,) = Driver(plain).start()
    assert value(end.result) == ""


def test_the_stack_trace_shows_where_each_task_waits() -> None:
    driver = Driver(Waiting)
    driver.start()
    trace = value(driver.query("__stack_trace").result)
    assert trace.count("(most recent call last)") == 2
    main, side = trace.split("\n\n", 1)
    assert "in run\n" in main
    assert "await workflow.sleep(60)" in main
    assert side.lstrip().startswith("Stack for side work (most recent call last):")
    assert 'await greet.execute("Ada")' in side
    assert "_engine" not in trace


def test_the_stack_trace_of_a_workflow_that_has_ended_is_empty() -> None:
    @workflow.defn
    async def short() -> None: ...

    driver = Driver(short)
    driver.start()
    assert value(driver.query("__stack_trace").result) == ""


def test_the_stack_trace_follows_async_generators() -> None:
    @workflow.defn
    async def generating() -> None:
        async def numbers() -> AsyncIterator[int]:
            await workflow.sleep(60)
            yield 1

        async for _ in numbers():
            pass

    driver = Driver(generating)
    driver.start()
    trace = value(driver.query("__stack_trace").result)
    assert "in generating" in trace
    assert "in numbers" in trace


def test_the_enhanced_stack_trace_has_the_sources() -> None:
    driver = Driver(Waiting)
    driver.start()
    trace = message(driver.query("__enhanced_stack_trace").result, "EnhancedStackTrace")
    assert trace["sdk"] == {"name": "invincible", "version": __version__}
    functions = [[each["functionName"] for each in stack["locations"]] for stack in trace["stacks"]]
    assert functions[0][0] == "run"
    assert functions[1][0] == "side_work"
    location = trace["stacks"][0]["locations"][0]
    assert location["filePath"] == __file__
    (source,) = trace["sources"][__file__]
    assert source["lineOffset"] == 0
    line = source["content"].splitlines()[location["line"] - 1]
    assert line.strip() == "await workflow.sleep(60)"


def test_a_source_that_cannot_be_read_is_left_empty() -> None:
    namespace: dict[str, Any] = {"workflow": workflow, "__name__": "generated"}
    code = "async def generated():\n    await workflow.sleep(60)\n"
    exec(compile(code, "<generated>", "exec"), namespace)
    driver = Driver(workflow.defn(namespace["generated"]))
    driver.start()
    trace = message(driver.query("__enhanced_stack_trace").result, "EnhancedStackTrace")
    assert trace["sources"]["<generated>"] == [{"lineOffset": 0, "content": ""}]


def test_the_metadata_describe_the_workflow() -> None:
    driver = Driver(Waiting)
    driver.start()
    metadata = message(driver.query("__temporal_workflow_metadata").result, "WorkflowMetadata")
    definition = metadata["definition"]
    assert metadata["currentDetails"] == "**waiting**"
    assert definition["type"] == "Waiting"
    assert {"name": "state", "description": "How it is."} in definition["queryDefinitions"]
    names = [each["name"] for each in definition["queryDefinitions"]]
    assert names == ["__enhanced_stack_trace", "__stack_trace", "__temporal_workflow_metadata", "state"]
    assert definition["signalDefinitions"] == [{"name": "nudge", "description": "Nudge it."}]
    assert definition["updateDefinitions"] == [{"description": "All others."}, {"name": "change"}]


def test_the_metadata_know_handlers_set_at_run_time() -> None:
    @workflow.defn
    async def changing() -> None:
        workflow.set_signal_handler("added", lambda: None)
        await workflow.sleep(60)

    driver = Driver(changing)
    driver.start()
    metadata = message(driver.query("__temporal_workflow_metadata").result, "WorkflowMetadata")
    assert metadata["definition"]["signalDefinitions"] == [{"name": "added"}]
