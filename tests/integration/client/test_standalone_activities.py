"""Standalone activities on the real server, run by our worker."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import activity
from invincible._native import Payload
from invincible.api.workflowservice.v1 import ResetActivityExecutionRequest, ResetActivityExecutionResponse
from invincible.client import (
    ActivityExecution,
    ActivityExecutionCount,
    ActivityExecutionStatus,
    ActivityFailureError,
    ActivityHandle,
    ActivityOptionsKey,
    ActivityOptionsKeys,
    Client,
    Interceptor,
    OutboundInterceptor,
    PendingActivityState,
    StartActivityInput,
)
from invincible.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from invincible.converter import ArgumentError
from invincible.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from invincible.service import RPCError, RPCStatusCode
from invincible.testing._server import ServerProcess
from invincible.worker import Worker
from tests.support.conditions import eventually

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SOON = timedelta(milliseconds=10)


@dataclass
class Order:
    item: str
    count: int = 1


@activity.defn(start_to_close_timeout=MINUTE)
async def describe_order(order: Order, shout: bool = False) -> str:
    text = f"{order.count} {order.item}"
    return text.upper() if shout else text


@activity.defn(start_to_close_timeout=MINUTE)
def double(number: int) -> int:
    return 2 * number


@activity.defn(start_to_close_timeout=MINUTE)
async def nothing() -> None: ...


class Till:
    def __init__(self, currency: str) -> None:
        self.currency = currency

    @activity.defn(start_to_close_timeout=MINUTE)
    async def price(self, order: Order) -> str:
        return f"{order.count} {self.currency}"


@activity.defn(start_to_close_timeout=MINUTE)
class Greeter:
    async def __call__(self, name: str) -> str:
        return f"Hello, {name}"


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=10 * SECOND, retry_policy=RetryPolicy(SOON))
async def show_info() -> dict[str, Any]:
    info = activity.info()
    return {
        "activity_id": info.activity_id,
        "activity_run_id": info.activity_run_id,
        "activity_type": info.activity_type,
        "attempt": info.attempt,
        "heartbeat_details": info.heartbeat_details,
        "heartbeat_timeout": info.heartbeat_timeout and info.heartbeat_timeout.total_seconds(),
        "in_workflow": info.in_workflow,
        "is_local": info.is_local,
        "namespace": info.namespace,
        "priority_key": info.priority.priority_key,
        "retry_interval": info.retry_policy and info.retry_policy.initial_interval.total_seconds(),
        "schedule_to_close_timeout": info.schedule_to_close_timeout,
        "start_to_close_timeout": info.start_to_close_timeout and info.start_to_close_timeout.total_seconds(),
        "task_queue": info.task_queue,
        "workflow_id": info.workflow_id,
        "workflow_namespace": info.workflow_namespace,
        "workflow_run_id": info.workflow_run_id,
        "workflow_type": info.workflow_type,
        "age": (info.started_time - info.scheduled_time).total_seconds(),
    }


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=RetryPolicy(SOON))
async def third_time_lucky() -> list[Any]:
    attempt = activity.info().attempt
    if attempt < 3:
        activity.heartbeat(f"attempt {attempt}")
        raise ValueError(f"attempt {attempt} failed")
    return [attempt, *activity.info().heartbeat_details]


@activity.defn(start_to_close_timeout=MINUTE)
async def refuse(reason: str) -> None:
    activity.logger.info("about to refuse")
    raise ApplicationError(reason, "detail", type="Refused", non_retryable=True)


# What activities that wait have seen, by activity id.
_reports: dict[str, list[activity.ActivityCancellationDetails | None]] = {}


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=10 * SECOND, retry_policy=RetryPolicy(SOON))
async def wait_to_be_stopped(finish_on_attempt: int = 0) -> int:
    info = activity.info()
    reports = _reports.setdefault(info.activity_id, [])
    if info.attempt == finish_on_attempt:
        return info.attempt
    try:
        while True:
            activity.heartbeat(f"attempt {info.attempt}")
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        reports.append(activity.cancellation_details())
        raise


ACTIVITIES: list[Callable[..., Any]] = [
    describe_order,
    double,
    nothing,
    Till("EUR").price,
    Greeter(),
    show_info,
    third_time_lucky,
    refuse,
    wait_to_be_stopped,
]


@asynccontextmanager
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(
        client,
        task_queue=task_queue,
        activities=ACTIVITIES,
        max_heartbeat_throttle_interval=2 * SOON,
        default_heartbeat_throttle_interval=2 * SOON,
    ):
        yield


@pytest.fixture
async def work(client: Client, task_queue: str) -> AsyncIterator[str]:
    async with worker(client, task_queue):
        yield task_queue


@pytest.fixture
def id() -> str:
    return f"activity-{uuid.uuid4()}"


async def started(handle: ActivityHandle[Any]) -> None:
    """Wait until a worker runs it, and a heartbeat has come."""

    async def is_started() -> bool:
        description = await handle.describe()
        return description.run_state is PendingActivityState.STARTED and description.total_heartbeat_count > 0

    await eventually(is_started, what="the activity runs")


async def failure(handle: ActivityHandle[Any]) -> BaseException:
    with pytest.raises(ActivityFailureError) as error:
        await asyncio.wait_for(handle.result(), 30)
    return error.value.cause


# Starts and results


async def test_functions_methods_objects_and_names_start(client: Client, work: str, id: str) -> None:
    order = Order("tea", 2)
    assert await client.execute_activity(describe_order, order, id=f"{id}-1", task_queue=work) == "2 tea"
    assert await client.execute_activity(describe_order, args=[order, True], id=f"{id}-2", task_queue=work) == "2 TEA"
    assert await client.execute_activity(double, 4, id=f"{id}-3", task_queue=work) == 8
    await client.execute_activity(nothing, id=f"{id}-4", task_queue=work)
    assert await client.execute_activity_method(Till.price, order, id=f"{id}-5", task_queue=work) == "2 EUR"
    assert await client.execute_activity_class(Greeter, "Ada", id=f"{id}-6", task_queue=work) == "Hello, Ada"
    by_name = await client.start_activity(
        "describe_order", order, id=f"{id}-7", task_queue=work, start_to_close_timeout=MINUTE, result_type=str
    )
    assert await by_name.result() == "2 tea"
    assert await (await client.start_activity_method(Till.price, order, id=f"{id}-8", task_queue=work)).result()
    assert await (await client.start_activity_class(Greeter, "Ada", id=f"{id}-9", task_queue=work)).result()


async def test_a_handle_finds_the_result_of_an_earlier_start(client: Client, work: str, id: str) -> None:
    first = await client.start_activity(double, 1, id=id, task_queue=work)
    assert await first.result() == 2
    second = await client.start_activity(double, 5, id=id, task_queue=work)
    assert await second.result() == 10
    assert first.run_id != second.run_id
    assert await client.get_activity_handle(id).result() == 10
    assert await client.get_activity_handle(id, run_id=first.run_id, result_type=int).result() == 2
    assert repr(first) == f"<ActivityHandle id={id!r} run_id={first.run_id!r}>"
    assert await first.result() == 2, "a result that has come stays"


async def test_a_short_deadline_of_calls_leaves_the_wait_alone(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_activity(double, 2, id=id, task_queue=task_queue)
    waiting = asyncio.create_task(handle.result(rpc_timeout=SOON))
    async with worker(client, task_queue):
        assert await asyncio.wait_for(waiting, 30) == 4
    assert await asyncio.wait_for(client.get_activity_handle(id).result(rpc_timeout=SOON), 10) == 4


async def test_the_activity_knows_itself_and_no_workflow(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(show_info, id=id, task_queue=work, priority=Priority(priority_key=2))
    info = await handle.result()
    assert 0 <= info.pop("age") < 30
    assert info == {
        "activity_id": id,
        "activity_run_id": handle.run_id,
        "activity_type": "show_info",
        "attempt": 1,
        "heartbeat_details": [],
        "heartbeat_timeout": 10.0,
        "in_workflow": False,
        "is_local": False,
        "namespace": "default",
        "priority_key": 2,
        "retry_interval": 0.01,
        "schedule_to_close_timeout": None,
        "start_to_close_timeout": 60.0,
        "task_queue": work,
        "workflow_id": None,
        "workflow_namespace": "default",
        "workflow_run_id": None,
        "workflow_type": None,
    }


async def test_log_records_name_the_activity_and_no_workflow(
    client: Client, work: str, id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="invincible"):
        handle = await client.start_activity(refuse, "no tea", id=id, task_queue=work)
        await failure(handle)
    own = next(record for record in caplog.records if record.message == "about to refuse")
    assert own.__dict__["temporal_activity"] == {
        "activity_id": id,
        "activity_type": "refuse",
        "attempt": 1,
        "namespace": "default",
        "task_queue": work,
        "workflow_id": None,
        "workflow_run_id": None,
        "workflow_type": None,
    }
    assert f"activity refuse (id {id}, attempt 1) failed" in caplog.messages


async def test_options_of_the_call_go_before_those_of_the_definition(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_activity(
        show_info,
        id=id,
        task_queue=task_queue,
        start_to_close_timeout=2 * MINUTE,
        schedule_to_close_timeout=5 * MINUTE,
        schedule_to_start_timeout=3 * MINUTE,
        retry_policy=RetryPolicy(SECOND, maximum_attempts=4, non_retryable_error_types=["Bad"]),
        priority=Priority(priority_key=4, fairness_key="tenant", fairness_weight=2.0),
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(SearchAttributeKey.for_keyword_list("BuildIds"), ["one", "two"])]
        ),
        summary="shows what it knows",
        start_delay=10 * MINUTE,
    )
    description = await handle.describe()
    assert description.start_to_close_timeout == 2 * MINUTE
    assert description.schedule_to_close_timeout == 5 * MINUTE
    assert description.schedule_to_start_timeout == 3 * MINUTE
    assert description.heartbeat_timeout == 10 * SECOND, "the definition's"
    assert description.retry_policy == RetryPolicy(
        SECOND, maximum_interval=100 * SECOND, maximum_attempts=4, non_retryable_error_types=["Bad"]
    )
    assert description.priority == Priority(priority_key=4, fairness_key="tenant", fairness_weight=2.0)
    assert description.typed_search_attributes[SearchAttributeKey.for_keyword_list("BuildIds")] == ["one", "two"]
    assert await description.static_summary() == "shows what it knows"
    assert description.start_delay == 10 * MINUTE
    assert description.execution_time == description.schedule_time + 10 * MINUTE
    assert description.expiration_time == description.schedule_time + 15 * MINUTE
    assert description.status is ActivityExecutionStatus.RUNNING
    assert description.run_state is PendingActivityState.SCHEDULED
    await handle.terminate()


async def test_ids_are_taken_as_the_policies_say(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_activity(double, 1, id=id, task_queue=task_queue)
    with pytest.raises(ActivityAlreadyStartedError) as error:
        await client.start_activity(double, 1, id=id, task_queue=task_queue)
    assert (error.value.activity_id, error.value.activity_type) == (id, "double")
    assert error.value.run_id == handle.run_id
    existing = await client.start_activity(
        double, 1, id=id, task_queue=task_queue, id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING
    )
    assert existing.run_id == handle.run_id
    async with worker(client, task_queue):
        assert await handle.result() == 2
        for policy in (ActivityIDReusePolicy.REJECT_DUPLICATE, ActivityIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY):
            with pytest.raises(ActivityAlreadyStartedError):
                await client.start_activity(double, 1, id=id, task_queue=task_queue, id_reuse_policy=policy)
        again = await client.start_activity(double, 3, id=id, task_queue=task_queue)
        assert await again.result() == 6


# What ends activities otherwise


async def test_a_failure_is_the_cause(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(refuse, "no tea", id=id, task_queue=work)
    cause = await failure(handle)
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, list(cause.details)) == ("no tea", "Refused", ["detail"])
    assert (await handle.describe()).status is ActivityExecutionStatus.FAILED


async def test_attempts_are_repeated_with_the_details_of_the_last_heartbeat(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(third_time_lucky, id=id, task_queue=work)
    assert await handle.result() == [3, "attempt 2"]
    description = await handle.describe(include_last_failure=True, include_heartbeat_details=True)
    assert description.attempt == 3
    last = await description.last_failure()
    assert description.has_last_failure()
    assert isinstance(last, ApplicationError)
    assert last.message == "attempt 2 failed"
    assert await description.heartbeat_details([str]) == ["attempt 2"]


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"schedule_to_start_timeout": SECOND, "schedule_to_close_timeout": MINUTE}, TimeoutType.SCHEDULE_TO_START),
        ({"schedule_to_start_timeout": MINUTE, "schedule_to_close_timeout": SECOND}, TimeoutType.SCHEDULE_TO_CLOSE),
    ],
)
async def test_an_activity_that_nobody_runs_times_out(
    client: Client, task_queue: str, id: str, options: dict[str, Any], kind: TimeoutType
) -> None:
    handle = await client.start_activity("nobody's", id=id, task_queue=task_queue, **options)
    cause = await failure(handle)
    assert isinstance(cause, TimeoutError)
    assert cause.type in (kind, TimeoutType.SCHEDULE_TO_START)
    assert (await handle.describe()).status is ActivityExecutionStatus.TIMED_OUT


async def test_cancellation_reaches_the_activity_and_whoever_waits(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_to_be_stopped, id=id, task_queue=work)
    await started(handle)
    await handle.cancel(reason="not needed any more")
    assert isinstance(await failure(handle), CancelledError)
    assert _reports[id] == [activity.ActivityCancellationDetails(cancel_requested=True)]
    description = await handle.describe(include_outcome=True)
    assert description.status is ActivityExecutionStatus.CANCELED
    assert description.canceled_reason == "not needed any more"
    assert description.has_outcome_failure()
    assert isinstance(await description.outcome_failure(), CancelledError)


async def test_termination_ends_it_at_once(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_to_be_stopped, id=id, task_queue=work)
    await started(handle)
    await handle.terminate(reason="out of tea")
    cause = await failure(handle)
    assert isinstance(cause, TerminatedError)
    assert cause.message == "out of tea"

    async def told() -> bool:
        return _reports[id] == [activity.ActivityCancellationDetails(not_found=True)]

    await eventually(told, what="the activity hears that it is gone")
    for call in (handle.cancel, handle.pause, handle.terminate):
        with pytest.raises(RPCError) as error:
            await call()
        assert error.value.status is RPCStatusCode.FAILED_PRECONDITION


async def test_a_paused_activity_begins_no_attempt_until_it_is_unpaused(
    client: Client, task_queue: str, id: str
) -> None:
    handle = await client.start_activity(double, 4, id=id, task_queue=task_queue)
    await handle.pause(reason="wait for the milk")
    async with worker(client, task_queue):
        # The queue is served: one that is started later is done.
        assert await client.execute_activity(double, 1, id=f"{id}-other", task_queue=task_queue) == 2
        description = await handle.describe()
        assert description.run_state is PendingActivityState.PAUSED
        assert description.status is ActivityExecutionStatus.PAUSED
        await handle.unpause(reason="the milk is there", jitter=SOON)
        assert await handle.result() == 8


async def test_a_running_activity_is_told_that_it_is_paused(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_to_be_stopped, 2, id=id, task_queue=work)
    await started(handle)
    await handle.pause()

    async def paused() -> bool:
        return (await handle.describe()).run_state is PendingActivityState.PAUSED

    await eventually(paused, what="the attempt has ended")
    assert _reports[id] == [activity.ActivityCancellationDetails(paused=True)]
    await handle.unpause()
    assert await handle.result() == 2


async def test_a_running_activity_is_told_that_it_is_reset(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_to_be_stopped, id=id, task_queue=work)
    await started(handle)
    request = ResetActivityExecutionRequest(namespace="default", activity_id=id, request_id=id)
    await client.service_client._rpc_call("reset_activity_execution", request, ResetActivityExecutionResponse)

    async def told() -> bool:
        return _reports[id] == [activity.ActivityCancellationDetails(reset=True)]

    await eventually(told, what="the activity hears of the reset")

    async def anew() -> bool:
        description = await handle.describe()
        return description.run_state is PendingActivityState.STARTED and description.attempt == 1

    await eventually(anew, what="the first attempt begins again")
    await handle.terminate()


# Options while it runs


async def test_options_change_while_it_waits(client: Client, task_queue: str, id: str) -> None:
    keys = ActivityOptionsKeys
    handle = await client.start_activity(
        double,
        4,
        id=id,
        task_queue="nobody-serves-this",
        schedule_to_close_timeout=5 * MINUTE,
        heartbeat_timeout=SECOND,
        retry_policy=RetryPolicy(SECOND),
        start_delay=MINUTE,
    )
    changed = await handle.update_options(
        [
            keys.schedule_to_close_timeout.value_set(7 * MINUTE),
            keys.schedule_to_start_timeout.value_set(6 * MINUTE),
            keys.start_to_close_timeout.value_set(2 * MINUTE),
            keys.heartbeat_timeout.value_set(3 * SECOND),
            keys.start_delay.value_set(2 * MINUTE),
            keys.retry_policy.value_set(RetryPolicy(2 * SECOND, maximum_attempts=3)),
            keys.priority.value_set(Priority(priority_key=1)),
        ]
    )
    assert changed.task_queue == "nobody-serves-this"
    assert changed.schedule_to_close_timeout == 7 * MINUTE
    assert changed.schedule_to_start_timeout == 6 * MINUTE
    assert changed.start_to_close_timeout == 2 * MINUTE
    assert changed.heartbeat_timeout == 3 * SECOND
    assert changed.start_delay == 2 * MINUTE
    assert changed.retry_policy == RetryPolicy(2 * SECOND, maximum_interval=200 * SECOND, maximum_attempts=3)
    assert changed.priority == Priority(priority_key=1)

    restored = await handle.restore_original_options()
    assert restored.schedule_to_close_timeout == 5 * MINUTE
    assert restored.heartbeat_timeout == SECOND
    assert restored.priority == Priority()

    unset = await handle.update_options([keys.heartbeat_timeout.value_unset()])
    assert unset.heartbeat_timeout == timedelta(0)
    async with worker(client, task_queue):
        await handle.update_options([keys.task_queue.value_set(task_queue), keys.start_delay.value_unset()])
        assert await handle.result() == 8


async def test_changes_that_make_no_sense_are_refused(client: Client) -> None:
    keys = ActivityOptionsKeys
    handle = client.get_activity_handle("none")
    with pytest.raises(ValueError, match="update_options needs at least one change; restore_original_options"):
        await handle.update_options([])
    with pytest.raises(ValueError, match="more than one change of heartbeat_timeout"):
        await handle.update_options([keys.heartbeat_timeout.value_set(SECOND), keys.heartbeat_timeout.value_unset()])
    with pytest.raises(TypeError, match="start_delay must be a timedelta, got int"):
        await handle.update_options([keys.start_delay.value_set(3)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="start_delay must not be negative, got -1 day"):
        await handle.update_options([keys.start_delay.value_set(-SECOND)])
    with pytest.raises(ValueError, match="no option 'color' to change: take one of ActivityOptionsKeys"):
        await handle.update_options([ActivityOptionsKey[str]("color").value_set("red")])
    with pytest.raises(TypeError, match=r"takes changes such as .*, got ActivityOptionsKey"):
        await handle.update_options([keys.start_delay])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="jitter must not be negative"):
        await handle.unpause(jitter=-SECOND)


# Descriptions


async def test_a_description_of_a_completed_activity(client: Client, work: str, id: str) -> None:
    before = datetime.now(timezone.utc) - SECOND
    handle = await client.start_activity(describe_order, Order("tea", 3), id=id, task_queue=work)
    await handle.result()
    description = await handle.describe(include_input=True, include_outcome=True)
    assert description.activity_id == id
    assert description.activity_run_id == handle.run_id
    assert description.activity_type == "describe_order"
    assert description.namespace == "default"
    assert description.task_queue == work
    assert description.status is ActivityExecutionStatus.COMPLETED
    assert description.run_state is None
    assert description.attempt == 1
    assert description.last_worker_identity == client.identity
    assert description.last_deployment_version is None
    assert description.total_heartbeat_count == 0
    assert description.close_time is not None
    assert description.last_started_time is not None
    assert description.last_attempt_complete_time is not None
    times = [before, description.schedule_time, description.last_started_time, description.close_time]
    assert times == sorted(times)
    assert description.execution_duration == description.close_time - description.schedule_time
    assert description.next_attempt_schedule_time is None
    assert description.canceled_reason is None
    assert list(description.raw_callbacks) == []

    assert description.has_input()
    assert await description.input() == [{"item": "tea", "count": 3}]
    assert await description.input([Order]) == [Order("tea", 3)]
    assert description.has_result()
    assert await description.result() == "3 tea"
    with pytest.raises(ArgumentError, match=f"activity '{id}', result: expected int"):
        await description.result(int)
    assert not description.has_outcome_failure()
    assert await description.outcome_failure() is None
    assert not description.has_last_failure()
    assert await description.last_failure() is None
    assert not description.has_heartbeat_details()
    assert await description.heartbeat_details() is None
    assert await description.static_summary() is None


async def test_a_description_has_only_what_it_was_asked_for(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(third_time_lucky, id=id, task_queue=work)
    await handle.result()
    description = await handle.describe()
    assert not description.has_input()
    assert not description.has_result()
    assert not description.has_outcome_failure()
    assert not description.has_last_failure()
    assert not description.has_heartbeat_details()
    assert await description.input() is None
    assert await description.result() is None
    assert (description.raw_input, description.raw_outcome) == (None, None)
    assert (await handle.describe(include_outcome=True)).has_result()
    assert (await handle.describe(include_last_failure=True)).has_last_failure()
    assert (await handle.describe(include_heartbeat_details=True)).has_heartbeat_details()


# Lists


async def listed(client: Client, query: str, count: int, **options: Any) -> list[ActivityExecution]:
    async def all_of_them() -> list[ActivityExecution]:
        found = [each async for each in client.list_activities(query, **options)]
        assert len(found) == count
        return found

    return await eventually(all_of_them, what=f"{count} activities are listed")


async def test_lists_and_counts(client: Client, work: str, id: str) -> None:
    query = f"TaskQueue = '{work}'"
    for number in range(3):
        await client.execute_activity(double, number, id=f"{id}-{number}", task_queue=work)
    refused = await client.start_activity(refuse, "no", id=f"{id}-refused", task_queue=work)
    await failure(refused)

    found = await listed(client, f"{query} AND ExecutionStatus = 'Completed'", 3)
    assert {each.activity_id for each in found} == {f"{id}-{number}" for number in range(3)}
    [one] = await listed(client, f"{query} AND ActivityType = 'refuse'", 1)
    assert one.status is ActivityExecutionStatus.FAILED
    assert one.activity_run_id == refused.run_id
    assert one.close_time is not None
    assert one.execution_duration is not None

    await listed(client, query, 4)
    pages = client.list_activities(query, page_size=3)
    await pages.fetch_next_page()
    assert pages.current_page is not None
    assert len(pages.current_page) == 3
    assert pages.next_page_token
    rest = [each async for each in client.list_activities(query, next_page_token=pages.next_page_token)]
    assert len(rest) == 1
    assert len([each async for each in client.list_activities(query, limit=2, page_size=1)]) == 2

    async def counted() -> ActivityExecutionCount | None:
        count = await client.count_activities(f"{query} GROUP BY ExecutionStatus")
        return count if count.count == 4 else None

    count = await eventually(counted, what="all are counted")
    assert {tuple(group.group_values): group.count for group in count.groups} == {("Completed",): 3, ("Failed",): 1}
    assert (await client.count_activities(query)).groups == []
    assert (await client.count_activities()).count >= 4


async def test_a_query_that_is_none_is_refused_at_the_first_use(client: Client) -> None:
    found = client.list_activities("color ==")
    with pytest.raises(RPCError, match="invalid query") as error:
        await found.fetch_next_page()
    assert error.value.status is RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError, match="invalid query"):
        await client.count_activities("color ==")


# Mistakes


async def test_an_unknown_activity_is_not_found(client: Client) -> None:
    handle = client.get_activity_handle("no-such-activity")
    calls: list[Callable[[], Awaitable[Any]]] = [
        handle.result,
        handle.describe,
        handle.cancel,
        handle.terminate,
        handle.pause,
        handle.unpause,
        handle.restore_original_options,
    ]
    for call in calls:
        with pytest.raises(RPCError, match="no-such-activity") as error:
            await call()
        assert error.value.status is RPCStatusCode.NOT_FOUND


async def test_a_type_without_a_worker_is_named_with_those_that_are_known(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(
        "tripel",
        id=id,
        task_queue=work,
        start_to_close_timeout=MINUTE,
        retry_policy=RetryPolicy(maximum_attempts=1),
    )
    cause = await failure(handle)
    assert isinstance(cause, ApplicationError)
    assert "activity type 'tripel' is not registered" in cause.message
    assert "double" in cause.message


async def test_wrong_arguments_name_activity_and_parameter(client: Client, work: str, id: str) -> None:
    with pytest.raises(ArgumentError, match=r"activity 'describe_order' takes \(order: Order.*'order' is missing"):
        await client.start_activity(describe_order, args=[], id=id, task_queue=work)
    with pytest.raises(ArgumentError, match=r"activity 'describe_order', argument order: .*object"):
        await client.start_activity(describe_order, object(), id=id, task_queue=work)  # type: ignore[misc]
    once = RetryPolicy(maximum_attempts=1)
    handle = await client.start_activity(
        "double", "two", id=id, task_queue=work, start_to_close_timeout=MINUTE, retry_policy=once
    )
    cause = await failure(handle)
    assert isinstance(cause, ApplicationError)
    assert "activity 'double', argument number" in cause.message
    assert "int" in cause.message


async def test_a_result_of_another_type_names_the_activity(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(
        "double", 2, id=id, task_queue=work, start_to_close_timeout=MINUTE, result_type=Order
    )
    with pytest.raises(ArgumentError, match=f"activity '{id}', result: expected Order"):
        await handle.result()


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        (
            lambda c: c.start_activity("x", id="i", task_queue="q"),
            ValueError,
            "activity 'x' needs start_to_close_timeout or",
        ),
        (lambda c: c.start_activity(double, 1, args=[2], id="i", task_queue="q"), ValueError, "either arg or args"),
        (lambda c: c.start_activity(print, id="i", task_queue="q"), TypeError, "print is not an activity"),
        (lambda c: c.start_activity(double, 1, id="", task_queue="q"), ValueError, "id of activity 'double' must not"),
        (
            lambda c: c.start_activity(double, 1, id=5, task_queue="q"),
            TypeError,
            "id of activity 'double' must be a str",
        ),
        (lambda c: c.start_activity(double, 1, id="i", task_queue=""), ValueError, "task_queue of activity 'double'"),
        (
            lambda c: c.start_activity(double, 1, id="i", task_queue="q", heartbeat_timeout="5"),
            TypeError,
            "heartbeat_timeout must be a timedelta or a number of seconds, got str",
        ),
        (
            lambda c: c.start_activity(double, 1, id="i", task_queue="q", start_delay=-SECOND),
            ValueError,
            "start_delay must not be negative",
        ),
        (
            lambda c: c.start_activity(double, 1, id="i", task_queue="q", retry_policy=3),
            TypeError,
            "retry_policy must be",
        ),
    ],
)
async def test_starts_that_make_no_sense_are_refused(
    client: Client, start: Callable[[Any], Awaitable[Any]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await start(client)


# Interceptors


class Recorder(Interceptor):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return RecordedCalls(next, self.seen)


class RecordedCalls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, seen: list[Any]) -> None:
        super().__init__(next)
        self.seen = seen

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if "activit" not in name:
            return method

        def recorded(input: Any) -> Any:
            self.seen.append((name, input))
            return method(input)

        return recorded

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        assert isinstance(input.args[0], int)
        input.args = [input.args[0] + 1]
        input.headers = {"tenant": Payload({"encoding": b"json/plain"}, b'"acme"')}
        return await super().start_activity(input)


async def test_interceptors_see_and_change_every_call(client: Client, work: str, id: str) -> None:
    recorder = Recorder()
    intercepted = Client(client.service_client, interceptors=[recorder])
    handle = await intercepted.start_activity(double, 4, id=id, task_queue=work)
    assert await handle.result() == 10
    description = await handle.describe()
    assert description.raw_info.header.fields["tenant"].data == b'"acme"'

    waiting = await intercepted.start_activity(double, 4, id=f"{id}-2", task_queue=f"{work}-none")
    await waiting.pause()
    await waiting.unpause()
    await waiting.restore_original_options()
    await waiting.cancel()
    with pytest.raises(RPCError):
        await waiting.terminate()
    intercepted.list_activities("")
    await intercepted.count_activities("")
    assert [name for name, _ in recorder.seen] == [
        "start_activity",
        "describe_activity",
        "start_activity",
        "pause_activity",
        "unpause_activity",
        "update_activity_options",
        "cancel_activity",
        "terminate_activity",
        "list_activities",
        "count_activities",
    ]


async def test_metadata_and_deadline_go_with_the_call(client: Client, task_queue: str, id: str) -> None:
    with pytest.raises(RPCError) as error:
        await client.start_activity(double, 1, id=id, task_queue=task_queue, rpc_timeout=timedelta(microseconds=1))
    assert error.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    with pytest.raises(ValueError, match="rpc_metadata key"):
        await client.start_activity(double, 1, id=id, task_queue=task_queue, rpc_metadata={"bad key": "x"})


async def test_a_wait_outlives_a_restart_of_the_server(tmp_path: Any, task_queue: str, id: str) -> None:
    options = ["--headless", "--db", str(tmp_path / "server.db")]
    server = ServerProcess(["--port", "0", *options])
    try:
        client = await Client.connect(server.ready.grpc)
        handle = await client.start_activity(double, 4, id=id, task_queue=task_queue)
        waiting = asyncio.create_task(handle.result())
        await asyncio.to_thread(server.stop)
        server = await asyncio.to_thread(ServerProcess, ["--port", server.ready.grpc.rpartition(":")[2], *options])
        async with worker(await Client.connect(server.ready.grpc), task_queue):
            assert await asyncio.wait_for(waiting, 60) == 8
    finally:
        server.stop()
