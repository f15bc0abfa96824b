"""Resets of workflows on the real server: code that was wrong is put right, and the workflow goes on."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import assert_type

from invincible import activity, workflow
from invincible.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    ResetWorkflowInput,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowResetError,
    WorkflowResetPoint,
)
from invincible.converter import ArgumentError
from invincible.exceptions import ApplicationError
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.guides import follow, text

TIMEOUT = timedelta(seconds=10)

done: list[str] = []
"""What activities have done, by workflow and step."""


def log(step: str) -> None:
    done.append(f"{activity.info().workflow_id} {step}")


def steps_of(handle: WorkflowHandle[Any, Any]) -> list[str]:
    return [step.removeprefix(f"{handle.id} ") for step in done if step.startswith(f"{handle.id} ")]


@activity.defn(start_to_close_timeout=TIMEOUT)
async def reserve() -> int:
    log("reserve")
    return 5


@activity.defn(start_to_close_timeout=TIMEOUT)
async def charge(amount: int) -> str:
    log(f"charge {amount}")
    if amount > 100:
        raise ApplicationError("not that much", non_retryable=True)
    return f"charged {amount}"


@activity.defn(start_to_close_timeout=TIMEOUT)
async def step(number: int) -> None:
    log(str(number))


@workflow.defn(name="Order")
class WrongOrder:
    @workflow.run
    async def run(self) -> str:
        price = await reserve.execute()
        return await charge.execute(price * 1000)


@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> str:
        price = await reserve.execute()
        return await charge.execute(price)


@workflow.defn
class Basket:
    """Signals, updates and its cancellation, until it is told to end."""

    def __init__(self) -> None:
        self.items: list[str] = []
        self.ended = False

    @workflow.run
    async def run(self) -> list[str]:
        await reserve.execute()
        try:
            await workflow.wait_condition(lambda: self.ended)
        except asyncio.CancelledError:
            self.items.append("cancelled")
        return self.items

    @workflow.signal
    def add(self, item: str) -> None:
        self.items.append(item)

    @workflow.update
    def put(self, item: str) -> int:
        self.items.append(item)
        return len(self.items)

    @workflow.signal
    def end(self) -> None:
        self.ended = True

    @workflow.query
    def content(self) -> list[str]:
        return self.items


@workflow.defn
async def three_steps() -> str:
    await step.execute(1)
    await step.execute_local(2)
    await step.execute(3)
    await step.execute(4)
    return "done"


@workflow.defn
async def without_activities() -> str:
    return "done"


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[Worker]:
    workflows = [Basket, three_steps, without_activities]
    async with Worker(client, task_queue=task_queue, workflows=workflows, activities=[reserve, step]) as worker:
        yield worker


async def failed_order(client: Client, task_queue: str) -> WorkflowHandle[Order, str]:
    """An order that wrong code has brought to its end."""
    async with Worker(client, task_queue=task_queue, workflows=[WrongOrder], activities=[reserve, charge]):
        handle = await client.start_workflow(Order.run, id=task_queue, task_queue=task_queue)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    return handle


async def idle_after(handle: WorkflowHandle[Any, Any], step: str) -> None:
    """Waits until an activity is done and the workflow knows."""

    async def is_idle() -> bool:
        events = (await handle.fetch_history()).events
        return step in steps_of(handle) and events[-1].HasField("workflow_task_completed_event_attributes")

    await eventually(is_idle, what=f"the workflow waits after {step}")


# Code put right


async def test_a_failed_workflow_completes_by_the_right_code(client: Client, task_queue: str) -> None:
    handle = await failed_order(client, task_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=[reserve, charge]):
        again = await handle.reset(WorkflowResetPoint.before_activity(charge), reason="charged in cents")
        assert_type(again, WorkflowHandle[Order, str])
        assert await again.result() == "charged 5"
    assert steps_of(handle) == ["reserve", "charge 5000", "charge 5"]
    assert (again.id, again.run_id) == (handle.id, None)
    assert again.result_run_id not in (None, handle.result_run_id)
    assert (await again.describe()).run_id == again.result_run_id
    old = client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
    assert (await old.describe()).status is WorkflowExecutionStatus.FAILED
    [told] = [
        event.workflow_task_failed_event_attributes
        for event in (await again.fetch_history()).events
        if event.HasField("workflow_task_failed_event_attributes")
    ]
    assert (told.base_run_id, told.new_run_id) == (handle.result_run_id, again.result_run_id)
    assert "charged in cents" in told.failure.message


async def test_a_running_workflow_is_terminated_and_its_new_run_goes_on(client: Client, task_queue: str) -> None:
    @workflow.defn(name="Order")
    class Stuck:
        @workflow.run
        async def run(self) -> str:
            await reserve.execute()
            await charge.execute(1)
            await workflow.wait_condition(lambda: False)
            return "never"

    async with Worker(client, task_queue=task_queue, workflows=[Stuck], activities=[reserve, charge]):
        handle = await client.start_workflow(Order.run, id=task_queue, task_queue=task_queue)

        await idle_after(handle, "charge 1")
    old = client.get_workflow_handle(handle.id, run_id=handle.result_run_id)
    again = await handle.reset(WorkflowResetPoint.before_activity("charge"))
    assert (await old.describe()).status is WorkflowExecutionStatus.TERMINATED
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=[reserve, charge]):
        assert await again.result() == "charged 5"
    assert again.first_execution_run_id == handle.result_run_id


async def test_a_run_may_be_reset_again_and_an_old_one_too(client: Client, task_queue: str) -> None:
    handle = await failed_order(client, task_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=[reserve, charge]):
        second = await handle.reset(WorkflowResetPoint.before_activity(charge))
        assert await second.result() == "charged 5"
        third = await second.reset(WorkflowResetPoint.first_task())
        assert await third.result() == "charged 5"
        assert steps_of(handle) == ["reserve", "charge 5000", "charge 5", "reserve", "charge 5"]
        old: WorkflowHandle[Order, str] = client.get_workflow_handle_for(
            Order.run, handle.id, run_id=handle.result_run_id
        )
        fourth = await old.reset(WorkflowResetPoint.before_activity(charge))
        assert await fourth.result() == "charged 5"
    runs = {handle.result_run_id, second.result_run_id, third.result_run_id, fourth.result_run_id}
    assert len(runs) == 4


async def test_the_new_run_has_the_type_of_result_of_the_old(client: Client, task_queue: str, worker: Worker) -> None:
    await client.execute_workflow(three_steps, id=task_queue, task_queue=task_queue)
    again = await client.get_workflow_handle(task_queue, result_type=int).reset(WorkflowResetPoint.last_task())
    with pytest.raises(ArgumentError, match=r"result.*int"):
        await again.result()


# Points


POINTS: dict[str, tuple[Callable[[], WorkflowResetPoint], str]] = {
    "first task": (WorkflowResetPoint.first_task, "1234"),
    "last task": (WorkflowResetPoint.last_task, ""),
    "a call by id": (lambda: WorkflowResetPoint.before_activity_id("4"), "4"),
    "a local call by id": (lambda: WorkflowResetPoint.before_activity_id("2"), "234"),
    "first call": (lambda: WorkflowResetPoint.before_activity(step), "1234"),
    "second call, a local one": (lambda: WorkflowResetPoint.before_activity(step, occurrence=2), "234"),
    "third call, asked for with the second": (lambda: WorkflowResetPoint.before_activity(step, occurrence=3), "234"),
    "last call": (lambda: WorkflowResetPoint.before_activity("step", occurrence=-1), "4"),
    "last call but three": (lambda: WorkflowResetPoint.before_activity("step", occurrence=-4), "1234"),
    "event": (lambda: WorkflowResetPoint.event(4), "1234"),
    "event of a started task": (lambda: WorkflowResetPoint.event(3), "1234"),
}


@pytest.mark.parametrize("name", POINTS)
async def test_what_comes_after_the_point_is_done_again(
    client: Client, task_queue: str, worker: Worker, name: str
) -> None:
    point, expected = POINTS[name]
    handle = await client.start_workflow(three_steps, id=task_queue, task_queue=task_queue)
    assert await handle.result() == "done"
    assert steps_of(handle) == list("1234")
    again = await handle.reset(point())
    assert await again.result() == "done"
    assert "".join(steps_of(handle)[4:]) == expected


async def test_a_workflow_that_fails_its_tasks_can_be_reset(client: Client, task_queue: str) -> None:
    @workflow.defn(name="Order")
    class Broken:
        @workflow.run
        async def run(self) -> str:
            await reserve.execute()
            raise KeyError("a bug")

    handle = await client.start_workflow(Order.run, id=task_queue, task_queue=task_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Broken], activities=[reserve, charge]):

        async def has_failed() -> bool:
            events = (await handle.fetch_history()).events
            return any(event.HasField("workflow_task_failed_event_attributes") for event in events)

        await eventually(has_failed, what="the second task fails")
    again = await handle.reset(WorkflowResetPoint.last_task())
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=[reserve, charge]):
        assert await again.result() == "charged 5"
    assert steps_of(handle) == ["reserve", "reserve", "charge 5"]


# What is reapplied


async def basket(client: Client, task_queue: str) -> WorkflowHandle[Basket, list[str]]:
    """A basket with an item of a signal and one of an update, both after its first task."""
    handle = await client.start_workflow(Basket.run, id=task_queue, task_queue=task_queue)
    await idle_after(handle, "reserve")
    await handle.signal(Basket.add, "signalled")
    assert await handle.execute_update(Basket.put, "put") == 2
    return handle


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["signalled", "put"]),
        ({"reapply_signals": False}, ["put"]),
        ({"reapply_updates": False}, ["signalled"]),
        ({"reapply_signals": False, "reapply_updates": False, "reapply_nexus_results": False}, []),
    ],
)
async def test_signals_and_updates_after_the_point_are_sent_again_or_not(
    client: Client, task_queue: str, worker: Worker, options: dict[str, Any], expected: list[str]
) -> None:
    handle = await basket(client, task_queue)
    again = await handle.reset(WorkflowResetPoint.first_task(), **options)

    async def content() -> bool:
        return await again.query(Basket.content) == expected

    await eventually(content, what=f"the basket has {expected}")
    await again.signal(Basket.end)
    assert await again.result() == expected


async def test_a_cancellation_after_the_point_is_forgotten(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await basket(client, task_queue)
    await handle.cancel()
    assert await handle.result() == ["signalled", "put", "cancelled"]
    again = await handle.reset(WorkflowResetPoint.first_task())
    await again.signal(Basket.end)
    assert await again.result() == ["signalled", "put"]


# Impossible points


IMPOSSIBLE: dict[str, tuple[Callable[[], WorkflowResetPoint], str]] = {
    "unknown activity": (
        lambda: WorkflowResetPoint.before_activity(charge),
        r"before activity 'charge': the activities in its history are 'step' \(4 times\)$",
    ),
    "too few calls": (
        lambda: WorkflowResetPoint.before_activity(step, occurrence=5),
        r"before activity 'step' \(occurrence 5\): its history has that activity 4 times$",
    ),
    "too few calls from the end": (
        lambda: WorkflowResetPoint.before_activity(step, occurrence=-5),
        r"before activity 'step' \(occurrence -5\): its history has that activity 4 times$",
    ),
    "unknown id": (
        lambda: WorkflowResetPoint.before_activity_id("7"),
        r"with id '7': the activities in its history are '1' \(step\), '2' \(step\), '3' \(step\), '4' \(step\)$",
    ),
    "another event": (lambda: WorkflowResetPoint.event(5), r"to event 5: .* by which one completed: 4 and 10, of 4 in"),
    "the first event": (lambda: WorkflowResetPoint.event(1), r"to event 1: .* by which one completed: 4, of 4 in"),
    "no event": (lambda: WorkflowResetPoint.event(99), r"to event 99: .* by which one completed: \d+, of 4 in"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
async def test_an_impossible_point_is_an_error_that_tells_what_there_is(
    client: Client, task_queue: str, worker: Worker, name: str
) -> None:
    point, message = IMPOSSIBLE[name]
    handle = await client.start_workflow(three_steps, id=task_queue, task_queue=task_queue)
    await handle.result()
    with pytest.raises(WorkflowResetError, match=message) as raised:
        await handle.reset(point())
    assert str(raised.value).startswith(f"workflow '{task_queue}' (run {handle.result_run_id}) cannot be reset ")
    assert (raised.value.workflow_id, raised.value.run_id) == (task_queue, handle.result_run_id)
    assert (await client.get_workflow_handle(task_queue).describe()).run_id == handle.result_run_id


@pytest.mark.parametrize(
    "point", [WorkflowResetPoint.before_activity("charge"), WorkflowResetPoint.before_activity_id("1")]
)
async def test_a_history_without_activities_says_so(
    client: Client, task_queue: str, worker: Worker, point: WorkflowResetPoint
) -> None:
    handle = await client.start_workflow(without_activities, id=task_queue, task_queue=task_queue)
    await handle.result()
    with pytest.raises(WorkflowResetError, match=r"its history has no activities$"):
        await handle.reset(point)


async def test_a_workflow_that_no_worker_has_seen_has_no_point(client: Client, task_queue: str) -> None:
    handle = await client.start_workflow(Order.run, id=task_queue, task_queue=task_queue)
    for point in (WorkflowResetPoint.first_task(), WorkflowResetPoint.last_task()):
        with pytest.raises(WorkflowResetError, match=r"no worker has taken one of its workflow tasks yet$"):
            await handle.reset(point)
    with pytest.raises(WorkflowResetError, match=r"none of its workflow tasks has completed yet$"):
        await handle.reset(WorkflowResetPoint.event(3))


async def test_a_workflow_of_another_chain_of_runs_is_not_reset(
    client: Client, task_queue: str, worker: Worker
) -> None:
    first = await client.start_workflow(without_activities, id=task_queue, task_queue=task_queue)
    await first.result()
    second = await client.start_workflow(without_activities, id=task_queue, task_queue=task_queue)
    await second.result()
    with pytest.raises(WorkflowResetError, match=f"runs that began with {first.result_run_id}$"):
        await first.reset(WorkflowResetPoint.first_task())
    assert (await second.describe()).run_id == second.result_run_id


async def test_an_unknown_workflow_is_not_found(client: Client, task_queue: str) -> None:
    with pytest.raises(RPCError) as raised:
        await client.get_workflow_handle(task_queue).reset(WorkflowResetPoint.first_task())
    assert raised.value.status is RPCStatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: WorkflowResetPoint.event(0), ValueError, "event_id must be positive, got 0"),
        (lambda: WorkflowResetPoint.before_activity(step, occurrence=0), ValueError, "occurrence must not be 0"),
        (lambda: WorkflowResetPoint.before_activity(log), TypeError, "log is not an activity"),
    ],
)
def test_points_that_make_no_sense_are_refused(
    make: Callable[[], WorkflowResetPoint], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()


# Interceptors


async def test_interceptors_see_resets_and_may_change_them(address: str, client: Client, task_queue: str) -> None:
    seen: list[ResetWorkflowInput] = []

    class FromTheStart(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
            return Changed(next)

    class Changed(OutboundInterceptor):
        async def reset_workflow(self, input: ResetWorkflowInput) -> WorkflowHandle[Any, Any]:
            seen.append(input)
            return await super().reset_workflow(dataclasses.replace(input, point=WorkflowResetPoint.first_task()))

    handle = await failed_order(client, task_queue)
    intercepted = await Client.connect(address, interceptors=[FromTheStart()])
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=[reserve, charge]):
        point = WorkflowResetPoint.before_activity(charge)
        again = await intercepted.get_workflow_handle_for(Order.run, task_queue).reset(point, reapply_updates=False)
        assert await again.result() == "charged 5"
    assert steps_of(handle) == ["reserve", "charge 5000", "reserve", "charge 5"]
    [input] = seen
    assert (input.id, input.run_id, input.point, input.reason) == (task_queue, None, point, "")
    assert (input.reapply_signals, input.reapply_updates) == (True, False)


# The guide


async def test_the_guide_does_what_it_says(client: Client, address: str, task_queue: str) -> None:
    handle = await failed_order(client, task_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=[reserve, charge]):
        names = await follow("reset.md", address, {"order-17": task_queue}, Order=Order, charge=charge)
        assert names["receipt"] == "charged 5"
        last = client.get_workflow_handle(task_queue)
        assert await last.result() == "charged 5"
    assert steps_of(handle) == ["reserve", "charge 5000", "charge 5", "reserve", "charge 5"]


async def test_the_error_of_the_guide_is_the_real_one(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await client.start_workflow(three_steps, id=task_queue, task_queue=task_queue)
    await handle.result()
    with pytest.raises(WorkflowResetError) as raised:
        await handle.reset(WorkflowResetPoint.before_activity("chrage"))
    [shown] = re.findall(r"^workflow 'order-17'.*", text("reset.md"), re.MULTILINE)
    shape = r"workflow '.*' \(run .*\) cannot be reset before activity 'chrage': the activities in its history are "
    assert re.match(shape, shown)
    assert re.match(shape, str(raised.value))
