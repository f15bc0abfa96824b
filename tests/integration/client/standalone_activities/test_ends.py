"""How standalone activities end, are held back and change while they run, on the real server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invincible import activity
from invincible.api.workflowservice.v1 import ResetActivityExecutionRequest, ResetActivityExecutionResponse
from invincible.client import (
    ActivityExecutionStatus,
    ActivityOptionsKey,
    ActivityOptionsKeys,
    Client,
    PendingActivityState,
)
from invincible.common import (
    Priority,
    RetryPolicy,
)
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from invincible.service import RPCError, RPCStatusCode
from tests.support.conditions import eventually
from tests.support.standalone_activities import (
    MINUTE,
    SECOND,
    SOON,
    double,
    failure,
    refuse,
    reports,
    started,
    third_time_lucky,
    wait_on_a_thread,
    wait_to_be_stopped,
    worker,
)

# Ends


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
    assert reports[id] == [activity.ActivityCancellationDetails(cancel_requested=True)]
    description = await handle.describe(include_outcome=True)
    assert description.status is ActivityExecutionStatus.CANCELED
    assert description.canceled_reason == "not needed any more"
    assert description.has_outcome_failure()
    assert isinstance(await description.outcome_failure(), CancelledError)


async def test_a_def_activity_hears_of_its_cancellation_and_may_complete(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_on_a_thread, id=id, task_queue=work)
    await started(handle)
    await handle.cancel()
    assert await handle.result() == str(activity.ActivityCancellationDetails(cancel_requested=True))
    assert (await handle.describe()).status is ActivityExecutionStatus.COMPLETED


async def test_termination_ends_it_at_once(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_to_be_stopped, id=id, task_queue=work)
    await started(handle)
    await handle.terminate(reason="out of tea")
    cause = await failure(handle)
    assert isinstance(cause, TerminatedError)
    assert cause.message == "out of tea"

    async def told() -> bool:
        return reports[id] == [activity.ActivityCancellationDetails(not_found=True)]

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
    assert reports[id] == [activity.ActivityCancellationDetails(paused=True)]
    await handle.unpause()
    assert await handle.result() == 2


async def test_a_running_activity_is_told_that_it_is_reset(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(wait_to_be_stopped, id=id, task_queue=work)
    await started(handle)
    request = ResetActivityExecutionRequest(namespace="default", activity_id=id, request_id=id)
    await client.service_client._rpc_call("reset_activity_execution", request, ResetActivityExecutionResponse)

    async def told() -> bool:
        return reports[id] == [activity.ActivityCancellationDetails(reset=True)]

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
