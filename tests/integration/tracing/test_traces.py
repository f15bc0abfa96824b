"""One trace of all that follows from a client's call, whatever is replayed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry import trace

from invincible import activity, workflow
from invincible.client import Client, WithStartWorkflowOperation, WorkflowUpdateFailedError
from invincible.common import WorkflowIDConflictPolicy
from invincible.contrib.opentelemetry.workflow import completed_span
from invincible.worker import Replayer, Worker
from tests.support.tracing import Spans, context_of

SOON = timedelta(seconds=10)


@activity.defn(start_to_close_timeout=SOON)
async def pack(what: str) -> str:
    with trace.get_tracer("test").start_as_current_span("wrap"):
        return what


@activity.defn(start_to_close_timeout=SOON)
def weigh(what: str) -> int:
    with trace.get_tracer("test").start_as_current_span("scale"):
        return len(what)


@workflow.defn
class Courier:
    def __init__(self) -> None:
        self.arrived = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.arrived)

    @workflow.signal
    def arrive(self) -> None:
        self.arrived = True


@workflow.defn
class Parcel:
    def __init__(self) -> None:
        self.released = False

    @workflow.run
    async def run(self, what: str) -> str:
        if what == "delivered":
            return what
        completed_span("noted", attributes={"what": what})
        await pack.execute(what)
        await weigh.execute(what)
        await pack.execute_local(what)
        courier = await workflow.start_child_workflow(Courier.run, id=f"{workflow.info().workflow_id}-courier")
        await courier.signal(Courier.arrive)
        await courier
        await workflow.wait_condition(lambda: self.released)
        workflow.continue_as_new("delivered")

    @workflow.signal
    async def release(self) -> None:
        await workflow.sleep(0.01)
        self.released = True

    @workflow.query
    def is_released(self) -> bool:
        return self.released

    @workflow.update
    async def label(self, text: str) -> str:
        return await pack.execute(text)

    @label.validator
    def check_label(self, text: str) -> None:
        if not text:
            raise ValueError("empty")


WITH_DURATIONS = """\
order
  QueryWorkflow:is_released
    HandleQuery:is_released
  SignalWorkflow:release
    HandleSignal:release
  StartWorkflow:Parcel
    RunWorkflow:Parcel
      RunWorkflow:Parcel
      SignalChildWorkflow:arrive
        HandleSignal:arrive
      StartActivity:pack
        RunActivity:pack
          wrap
      StartActivity:pack
        RunActivity:pack
          wrap
      StartActivity:weigh
        RunActivity:weigh
          scale
      StartChildWorkflow:Courier
        RunWorkflow:Courier
      noted
  StartWorkflowUpdate:label
    HandleUpdate:label
      StartActivity:pack
        RunActivity:pack
          wrap
    ValidateUpdate:label
  StartWorkflowUpdate:label
    ValidateUpdate:label
"""
WITHOUT = """\
order
  QueryWorkflow:is_released
    HandleQuery:is_released
  SignalWorkflow:release
  StartWorkflow:Parcel
    CompleteWorkflow:Parcel
    HandleSignal:release
    HandleUpdate:label
    RunWorkflow:Parcel
    RunWorkflow:Parcel
    SignalChildWorkflow:arrive
    StartActivity:pack
      RunActivity:pack
        wrap
    StartActivity:pack
      RunActivity:pack
        wrap
    StartActivity:pack
      RunActivity:pack
        wrap
    StartActivity:weigh
      RunActivity:weigh
        scale
    StartChildWorkflow:Courier
      CompleteWorkflow:Courier
      HandleSignal:arrive
      RunWorkflow:Courier
    ValidateUpdate:label
    ValidateUpdate:label
    noted
  StartWorkflowUpdate:label
  StartWorkflowUpdate:label
"""


@pytest.mark.parametrize("cached_workflows", [1000, 0], ids=["cached", "replayed"])
@pytest.mark.parametrize(("how", "tree"), [("plugged", WITH_DURATIONS), ("intercepted", WITHOUT)])
async def test_one_trace_with_every_span_once(
    request: pytest.FixtureRequest,
    spans: Spans,
    address: str,
    task_queue: str,
    caplog: pytest.LogCaptureFixture,
    how: str,
    tree: str,
    cached_workflows: int,
) -> None:
    options: dict[str, Any] = request.getfixturevalue(how)
    client = await Client.connect(address, **options)
    client._raise_task_failures = True
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[Parcel, Courier],
        activities=[pack, weigh],
        max_cached_workflows=cached_workflows,
    )
    with caplog.at_level(logging.WARNING, "opentelemetry"):
        async with worker:
            with trace.get_tracer("test").start_as_current_span("order"):
                handle = await client.start_workflow(Parcel.run, "books", id=task_queue, task_queue=task_queue)
                assert await handle.execute_update(Parcel.label, "fragile") == "fragile"
                with pytest.raises(WorkflowUpdateFailedError):
                    await handle.execute_update(Parcel.label, "")
                await spans.have("RunWorkflow:Courier")
                assert await handle.query(Parcel.is_released) is False
                await handle.signal(Parcel.release)
                assert await handle.result() == "delivered"
    assert spans.tree() == tree.splitlines()
    assert len({context_of(span).trace_id for span in spans.all()}) == 1
    # Contexts of evicted runs cannot be detached, and nobody tries.
    assert caplog.messages == []

    before = len(spans.all())
    options.pop("plugins", None)
    replayer = Replayer(workflows=[Parcel, Courier], **{**options, **_of_replayer(how)})
    first = client.get_workflow_handle(task_queue, run_id=handle.first_execution_run_id)
    await replayer.replay_workflow(await first.fetch_history())
    assert len(spans.all()) == before


def _of_replayer(how: str) -> dict[str, Any]:
    from invincible.contrib.opentelemetry import OpenTelemetryPlugin

    return {"plugins": [OpenTelemetryPlugin(add_temporal_spans=True)]} if how == "plugged" else {}


async def test_what_starts_and_tells_at_once_has_one_span(traced: Client, spans: Spans, task_queue: str) -> None:
    async with Worker(traced, task_queue=task_queue, workflows=[Parcel, Courier], activities=[pack, weigh]):
        handle = await traced.start_workflow(
            Courier.run, id=f"{task_queue}-1", task_queue=task_queue, start_signal="arrive"
        )
        await handle.result()
        start = WithStartWorkflowOperation(
            Parcel.run,
            "books",
            id=f"{task_queue}-2",
            task_queue=task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        await traced.execute_update_with_start_workflow(Parcel.label, "fragile", start_workflow_operation=start)
        await traced.execute_activity(pack, "books", id=task_queue, task_queue=task_queue, start_to_close_timeout=SOON)
    tree = "\n".join(spans.tree())
    assert "SignalWithStartWorkflow:Courier\n  HandleSignal:arrive\n  RunWorkflow:Courier\n" in tree
    assert "StartUpdateWithStartWorkflow:Parcel\n  HandleUpdate:label\n    StartActivity:pack\n" in tree
    # A standalone activity.
    assert "\nStartActivity:pack\n  RunActivity:pack\n    wrap" in f"\n{tree}"
    assert spans.named("RunActivity:pack")[-1].attributes is not None


@workflow.defn
async def sending(queue: str) -> None:
    await workflow.signal_with_start_workflow(
        Courier.run, id=f"{queue}-courier", task_queue=queue, signal=Courier.arrive
    )


@pytest.mark.parametrize("how", ["plugged", "intercepted"])
async def test_workflows_signal_with_start_in_their_trace(
    request: pytest.FixtureRequest, spans: Spans, address: str, task_queue: str, how: str
) -> None:
    client = await Client.connect(address, **request.getfixturevalue(how))
    async with Worker(client, task_queue=task_queue, workflows=[sending, Courier]):
        await client.execute_workflow(sending, task_queue, id=task_queue, task_queue=task_queue)
        await client.get_workflow_handle(f"{task_queue}-courier").result()
    tree = "\n".join(line.strip() for line in spans.tree())
    assert "SignalWithStartWorkflow\n" in tree
    assert "HandleSignal:arrive\nRunWorkflow:Courier" in tree
    assert len({context_of(span).trace_id for span in spans.all()}) == 1


async def test_without_spans_of_its_own_the_plugin_keeps_those_of_users_together(
    spans: Spans, address: str, task_queue: str
) -> None:
    from invincible.contrib.opentelemetry import OpenTelemetryPlugin

    client = await Client.connect(address, plugins=[OpenTelemetryPlugin()])
    async with Worker(client, task_queue=task_queue, workflows=[Parcel, Courier], activities=[pack, weigh]):
        with trace.get_tracer("test").start_as_current_span("order"):
            handle = await client.start_workflow(Parcel.run, "books", id=task_queue, task_queue=task_queue)
            await handle.signal(Parcel.release)
            await handle.result()
    assert spans.tree() == ["order", "  noted", "  scale", "  wrap", "  wrap"]
