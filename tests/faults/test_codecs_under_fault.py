"""Codecs, converters and interceptors that raise in the middle of other work, and payloads that are too large: what is
hit by them is tried again or fails as it should, each once, and nobody else notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from invincible import activity, workflow
from invincible.api.history.v1 import HistoryEvent
from invincible.client import Client, WorkflowHandle
from invincible.common import RetryPolicy
from invincible.converter import DataConverter, DefaultPayloadConverter, Payload
from invincible.exceptions import ActivityError
from invincible.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    Interceptor,
    StartActivityInput,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from invincible.workflow import ActivityHandle
from tests.support.codecs import Call, SealingCodec, sealing, with_config

LIMIT = 60.0
WORKFLOWS = 24
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=20))
TEN_SECONDS = timedelta(seconds=10)
# The server takes 2 MiB.
TOO_LARGE = 2_200_000


@activity.defn(start_to_close_timeout=TEN_SECONDS, retry_policy=SOON)
async def answer(question: str) -> str:
    return question.replace("question", "answer")


@activity.defn(start_to_close_timeout=TEN_SECONDS, retry_policy=SOON)
def answer_on_thread(question: str) -> str:
    return question.replace("question", "answer")


@workflow.defn
class Asking:
    @workflow.run
    async def run(self, number: int, order: str) -> str:
        call = answer if number % 2 else answer_on_thread
        answered = await call.execute(f"question {number}.")
        again = await answer.execute_local(f"local {number}.")
        return f"done {order}, {answered}, {again}"


class Faults:
    """Raises once at each of the places where it should.

    Args:
        places: Kinds of places, given to the workflows in turn; ``None`` for those that are spared.
    """

    def __init__(self, places: Sequence[str | None]) -> None:
        kinds = [places[number % len(places)] for number in range(WORKFLOWS)]
        self._due = {f"{kind} {number}." for number, kind in enumerate(kinds) if kind is not None}

    def pass_by(self, place: str) -> None:
        """Raises if this place is due; a place is its kind, and the number of the workflow with a full stop."""
        if place in self._due:
            self._due.remove(place)
            raise RuntimeError(f"broken at {place}")

    def pass_payload(self, operation: str, data: bytes) -> None:
        text = data.decode(errors="replace").strip('"')
        # What a workflow returns begins with its order.
        self.pass_by(f"{operation} {text.partition(',')[0]}")

    @property
    def all_raised(self) -> bool:
        return not self._due


AT_WORKFLOW_TASKS = ["decode order", "encode question", "decode answer", "encode done order"]
AT_ACTIVITIES = ["decode question", "encode answer"]


async def play(
    client: Client, task_queue: str, faults: Faults, *, worker_client: Client | None = None, **options: Any
) -> tuple[int, int]:
    """Run all workflows to their right end.

    Returns:
        How many workflow tasks have failed, and how many activities were tried more than once.
    """
    options = {"workflows": [Asking], "activities": [answer, answer_on_thread], **options}
    async with Worker(worker_client or client, task_queue=task_queue, **options):
        handles = [
            await client.start_workflow(
                Asking.run, args=(number, f"order {number}."), id=f"{task_queue}-{number}", task_queue=task_queue
            )
            for number in range(WORKFLOWS)
        ]
        results = await asyncio.wait_for(asyncio.gather(*(each.result() for each in handles)), LIMIT)
    assert results == [f"done order {number}., answer {number}., local {number}." for number in range(WORKFLOWS)]
    assert faults.all_raised
    return await failed_tasks(handles), await repeated_activities(handles)


async def failed_tasks(handles: Sequence[WorkflowHandle[Any, Any]]) -> int:
    failed = [
        event.workflow_task_failed_event_attributes.failure.message
        for event in await all_events(handles)
        if event.HasField("workflow_task_failed_event_attributes")
    ]
    assert all("broken at" in each for each in failed), failed
    return len(failed)


async def repeated_activities(handles: Sequence[WorkflowHandle[Any, Any]]) -> int:
    return sum(event.activity_task_started_event_attributes.attempt > 1 for event in await all_events(handles))


async def all_events(handles: Sequence[WorkflowHandle[Any, Any]]) -> list[HistoryEvent]:
    return [event for each in handles for event in (await each.fetch_history()).events]


@pytest.fixture
def forgiving(client: Client) -> Client:
    """A client that waits for results though tasks fail."""
    client._raise_task_failures = False
    return client


async def test_a_codec_that_raises_hits_each_task_once(forgiving: Client, task_queue: str) -> None:
    faults = Faults([*AT_WORKFLOW_TASKS, *AT_ACTIVITIES])

    async def before(call: Call) -> None:
        for data in call.data:
            faults.pass_payload(call.operation, data)

    # The worker's codec raises, that of the client does not.
    sealed = with_config(forgiving, data_converter=sealing())
    breaking = with_config(forgiving, data_converter=sealing(SealingCodec(before)))
    assert await play(sealed, task_queue, faults, worker_client=breaking) == (16, 8)


class BrittleConverter(DefaultPayloadConverter):
    """Passes the faults by with each payload."""

    faults: ClassVar[Faults]

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        payloads = super().to_payloads(values)
        for payload in payloads:
            self.faults.pass_payload("encode", payload.data)
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: Any = None) -> list[Any]:
        for payload in payloads:
            self.faults.pass_payload("decode", payload.data)
        return super().from_payloads(payloads, type_hints)


async def test_a_converter_that_raises_hits_each_task_once(
    forgiving: Client, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = Faults([*AT_WORKFLOW_TASKS, *AT_ACTIVITIES])
    monkeypatch.setattr(BrittleConverter, "faults", faults, raising=False)
    breaking = with_config(forgiving, data_converter=DataConverter(payload_converter_class=BrittleConverter))
    assert await play(forgiving, task_queue, faults, worker_client=breaking) == (16, 8)


class Breaking(Interceptor):
    """Passes the faults by with calls of workflows and activities."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return BreakingActivity(next, self.faults)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        faults = self.faults

        class BreakingInbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(BreakingOutbound(outbound, faults))

            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                faults.pass_by(f"begin {input.args[0]}.")
                result = await super().execute_workflow(input)
                faults.pass_by(f"end {input.args[0]}.")
                return result

        return BreakingInbound


class BreakingOutbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, faults: Faults) -> None:
        super().__init__(next)
        self.faults = faults

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        self.faults.pass_by(f"start {input.args[0]}")
        return super().start_activity(input)


class BreakingActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, faults: Faults) -> None:
        super().__init__(next)
        self.faults = faults

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self.faults.pass_by(f"before {input.args[0]}")
        result = await super().execute_activity(input)
        self.faults.pass_by(f"after {input.args[0]}")
        return result


async def test_an_interceptor_that_raises_hits_each_task_once(forgiving: Client, task_queue: str) -> None:
    faults = Faults(["begin", "start question", "end", "before question", "after question", None])
    counts = await play(forgiving, task_queue, faults, interceptors=[Breaking(faults)])
    assert counts == (12, 8)


# Payloads that are too large


@activity.defn(
    start_to_close_timeout=TEN_SECONDS,
    retry_policy=RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=20)),
)
async def produce(size: int) -> str:
    return "x" * size


@workflow.defn
async def producing(size: int) -> str:
    """Does not fail with what it asked for."""
    try:
        return f"{len(await produce.execute(size))}"
    except ActivityError as error:
        return str(error.cause)


@workflow.defn
async def returning(size: int) -> str:
    return "x" * size


async def test_payloads_that_are_too_large_hit_nobody_else(forgiving: Client, task_queue: str) -> None:
    async def start(workflow: Any, number: int, size: int) -> WorkflowHandle[Any, Any]:
        id = f"{task_queue}-{workflow.__name__}-{number}"
        return await forgiving.start_workflow(workflow, size, id=id, task_queue=task_queue)

    async with Worker(forgiving, task_queue=task_queue, workflows=[producing, returning], activities=[produce]):
        small, large, stuck = [], [], []
        for number in range(6):
            stuck.append(await start(returning, number, TOO_LARGE))
            large.append(await start(producing, number, TOO_LARGE))
            small += [await start(producing, 10 * (number + 1) + each, 1000) for each in range(3)]
        results = await asyncio.wait_for(asyncio.gather(*(each.result() for each in [*small, *large])), LIMIT)
        assert results[: len(small)] == ["1000"] * len(small)
        assert all("2,200,0" in each for each in results[len(small) :]), results
        assert await repeated_activities(small) == 0
        # What a workflow returns is mended by a new version of its code; until then the run is open.
        for handle in stuck:
            assert (await handle.describe()).close_time is None
            await handle.terminate("its result never gets smaller")
        assert "2,200,0" in "".join(
            event.workflow_task_failed_event_attributes.failure.message for event in await all_events(stuck)
        )
