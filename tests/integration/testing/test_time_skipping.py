"""Time skipping on the embedded server: months pass in a second, each workflow has its own clock."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import pytest
from nexusrpc.handler import service_handler

from invincible import activity, nexus, workflow
from invincible.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleBackfill,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    StartWorkflowInput,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowTaskFailedError,
    WorkflowUpdateStage,
)
from invincible.common import RetryPolicy, WorkflowIDConflictPolicy
from invincible.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType
from invincible.service import RPCError, RPCStatusCode
from invincible.testing import FastForwardConfig, TimeSkipper, TimeSkippingConfig, WorkflowEnvironment
from invincible.worker import Worker
from tests.support.conditions import eventually

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What a test may take on a machine with much else to do; time that is not skipped takes hours at least.
WITHIN = 60


@workflow.defn
async def sleep_days(days: int) -> float:
    """Days that have passed."""
    begin = workflow.now()
    for _ in range(days):
        await asyncio.sleep(DAY.total_seconds())
    return (workflow.now() - begin) / DAY


@workflow.defn
class Subscription:
    """Counts its months, until it is cancelled."""

    def __init__(self) -> None:
        self._months = 0
        self._cancelled = False

    @workflow.run
    async def run(self) -> int:
        while not self._cancelled:
            try:
                await workflow.wait_condition(lambda: self._cancelled, timeout=30 * DAY)
            except asyncio.TimeoutError:
                self._months += 1
        return self._months

    @workflow.signal
    def cancel(self) -> None:
        self._cancelled = True

    @workflow.query
    def months(self) -> int:
        return self._months

    @workflow.update
    async def pause(self, days: int) -> int:
        await asyncio.sleep(days * DAY.total_seconds())
        return self._months


@workflow.defn
async def parent_of(child: str, days: int) -> float:
    """Days that pass for a child, which begins on the second day."""
    begin = workflow.now()
    await asyncio.sleep(DAY.total_seconds())
    await workflow.execute_child_workflow(child, *([days] if days else []), id=f"{workflow.info().workflow_id}-child")
    return (workflow.now() - begin) / DAY


@workflow.defn
async def begins(_: int) -> datetime:
    return workflow.now()


@workflow.defn
async def tell_child_begin() -> timedelta:
    """How far a child's clock is ahead of its parent's when it begins."""
    await asyncio.sleep(40 * DAY.total_seconds())
    child = await workflow.execute_child_workflow(begins, 0, id=f"{workflow.info().workflow_id}-child")
    return child - workflow.now()


@workflow.defn
async def again_and_again(runs: int) -> datetime:
    await asyncio.sleep(10 * DAY.total_seconds())
    if runs > 1:
        workflow.continue_as_new(runs - 1)
    return workflow.now()


@workflow.defn
async def fails_three_times() -> int:
    attempt = workflow.info().attempt
    if attempt <= 3:
        raise ApplicationError("again")
    return attempt


@workflow.defn
async def now() -> datetime:
    return workflow.now()


@workflow.defn
async def nothing() -> None:
    pass


@workflow.defn
async def unreliable() -> tuple[float, str]:
    begin = workflow.now()
    try:
        await workflow.execute_activity(
            fails,
            start_to_close_timeout=15 * timedelta(minutes=1),
            schedule_to_close_timeout=HOUR,
            retry_policy=RetryPolicy(initial_interval=timedelta(minutes=5)),
        )
    except ActivityError as error:
        return (workflow.now() - begin) / timedelta(minutes=1), str(error.__cause__)
    raise AssertionError("the activity fails")


@activity.defn
async def fails() -> None:
    raise LookupError("no such account")


@workflow.defn
async def patient() -> tuple[str, str | None]:
    try:
        return await workflow.execute_activity(
            hangs,
            start_to_close_timeout=timedelta(minutes=15),
            heartbeat_timeout=timedelta(minutes=5),
            retry_policy=RetryPolicy(maximum_attempts=2),
        ), None
    except ActivityError as error:
        timeout = error.__cause__
        return "timed out", timeout.type.name if isinstance(timeout, TimeoutError) and timeout.type else None


@activity.defn
async def hangs() -> str:
    info = activity.info()
    if str(info.workflow_id).endswith("-second") and info.attempt == 2:
        return "done"
    await asyncio.Event().wait()
    return "never"


@activity.defn
async def beats() -> int:
    for beat in range(5):
        activity.heartbeat(beat)
        await asyncio.sleep(0.05)
    return activity.info().attempt


@workflow.defn
async def with_heartbeats() -> int:
    """The attempt of an activity that beats, between two long sleeps."""
    await asyncio.sleep(DAY.total_seconds())
    attempt: int = await workflow.execute_activity(
        beats, start_to_close_timeout=timedelta(seconds=30), heartbeat_timeout=timedelta(seconds=20)
    )
    await asyncio.sleep(DAY.total_seconds())
    return attempt


@workflow.defn
async def broken_tomorrow() -> None:
    await asyncio.sleep(DAY.total_seconds())
    raise KeyError("a bug")


@workflow.defn
async def broken_in_the_next_run(runs: int) -> None:
    await asyncio.sleep(DAY.total_seconds())
    if not runs:
        raise KeyError("a bug in the last run")
    workflow.continue_as_new(runs - 1)


WORKFLOWS = [
    sleep_days,
    Subscription,
    parent_of,
    begins,
    tell_child_begin,
    again_and_again,
    fails_three_times,
    now,
    nothing,
    unreliable,
    patient,
    with_heartbeats,
    broken_tomorrow,
    broken_in_the_next_run,
]


@pytest.fixture
async def clocked(address: str, task_queue: str) -> AsyncIterator[WorkflowEnvironment]:
    """What ``start_time_skipping`` makes, on the server of all tests."""
    clocked = WorkflowEnvironment.from_client(await Client.connect(address), time_skipping=True)
    async with Worker(clocked.client, task_queue=task_queue, workflows=WORKFLOWS, activities=[fails, hangs, beats]):
        yield clocked


@pytest.fixture
async def free(address: str, task_queue: str) -> AsyncIterator[TimeSkipper]:
    """Workflows that skip time from their start on."""
    skipper = TimeSkipper(await Client.connect(address))
    skipper.client._raise_task_failures = True
    async with Worker(skipper.client, task_queue=task_queue, workflows=WORKFLOWS, activities=[fails, hangs, beats]):
        yield skipper


async def subscribe(client: Client, task_queue: str) -> WorkflowHandle[Subscription, int]:
    return await client.start_workflow(Subscription.run, id=task_queue, task_queue=task_queue)


def real_now() -> datetime:
    return datetime.now(timezone.utc)


async def test_a_hundred_days_pass(clocked: WorkflowEnvironment, task_queue: str) -> None:
    begin = time.monotonic()
    days = await clocked.client.execute_workflow(sleep_days, 100, id=task_queue, task_queue=task_queue)
    assert days == pytest.approx(100, abs=0.01)
    assert time.monotonic() - begin < WITHIN


async def test_ten_workflows_skip_side_by_side(clocked: WorkflowEnvironment, task_queue: str) -> None:
    begin = time.monotonic()
    days = await asyncio.gather(
        *(
            clocked.client.execute_workflow(sleep_days, 100, id=f"{task_queue}-{number}", task_queue=task_queue)
            for number in range(10)
        )
    )
    assert days == pytest.approx([100] * 10, abs=0.01)
    assert time.monotonic() - begin < 2 * WITHIN


async def test_time_stands_until_somebody_waits(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    assert await handle.query(Subscription.months) == 0
    before = await clocked.get_current_time(handle)
    assert before - real_now() < HOUR

    await clocked.sleep(89 * DAY)
    assert await handle.query(Subscription.months) == 2
    assert 88 * DAY < await clocked.get_current_time(handle) - before < 90 * DAY

    await clocked.sleep((2 * DAY).total_seconds())
    assert await handle.query(Subscription.months) == 3

    await handle.signal(Subscription.cancel)
    assert await handle.result() == 3


async def test_the_clock_stands_again_when_the_wait_is_given_up(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    waiting = asyncio.ensure_future(handle.result())

    async def some_months() -> bool:
        return await handle.query(Subscription.months) >= 3

    await eventually(some_months, what="three months have passed")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    # A clock that ran would not wait for queries to be answered. A wait that was over may be told a moment later.
    months = [await handle.query(Subscription.months) for _ in range(30)]
    assert months[-1] - months[0] <= 1
    await handle.signal(Subscription.cancel)
    assert await handle.result() == months[-1]


async def test_time_passes_while_somebody_waits_and_sleeps(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(sleep_days, 100, id=task_queue, task_queue=task_queue)
    result, _ = await asyncio.gather(handle.result(), clocked.sleep(10 * DAY))
    assert result == pytest.approx(100, abs=0.01)


async def test_a_step_forward_does_not_stop_the_clock_for_who_waits(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    handle = await subscribe(clocked.client, task_queue)
    waiting = asyncio.ensure_future(handle.result())

    async def has_months(months: int) -> bool:
        return await handle.query(Subscription.months) >= months

    await eventually(lambda: has_months(1), what="the clock runs")
    assert await clocked.fast_forward(handle, 31 * DAY)
    months = await handle.query(Subscription.months)
    await eventually(lambda: has_months(months + 5), what="the clock runs on")
    await handle.signal(Subscription.cancel)
    assert await waiting > months


async def test_times_that_pass_side_by_side_add_up(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    begin = await clocked.get_current_time(handle)
    await asyncio.gather(clocked.sleep(31 * DAY), clocked.sleep(3 * DAY), clocked.sleep(31 * DAY))
    assert await clocked.get_current_time(handle) - begin == pytest.approx(65 * DAY, abs=HOUR)
    assert await handle.query(Subscription.months) == 2
    await handle.terminate()


async def test_only_the_workflow_that_is_awaited_runs(clocked: WorkflowEnvironment, task_queue: str) -> None:
    standing = await subscribe(clocked.client, task_queue)
    await clocked.client.execute_workflow(sleep_days, 300, id=f"{task_queue}-300", task_queue=task_queue)
    assert await standing.query(Subscription.months) == 0
    await standing.terminate()


async def test_children_inherit_the_clock(clocked: WorkflowEnvironment, task_queue: str) -> None:
    ahead = await clocked.client.execute_workflow(tell_child_begin, id=task_queue, task_queue=task_queue)
    assert abs(ahead) < HOUR


async def test_children_that_are_there_already_run_with_their_parent(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    handle = await clocked.client.start_workflow(
        parent_of, args=["sleep_days", 50], id=task_queue, task_queue=task_queue
    )
    await clocked.sleep(2 * DAY)
    child = clocked.client.get_workflow_handle(f"{task_queue}-child", result_type=float)
    assert (await child.describe()).status is not None
    # A clock is a workflow's own: the parent waits through the days that its child skips.
    assert await handle.result() == pytest.approx(1, abs=0.1)
    assert await child.result() == pytest.approx(50, abs=0.01)


async def test_a_parent_stays_behind_a_child_that_is_open(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(
        parent_of, args=["Subscription", 0], id=task_queue, task_queue=task_queue
    )
    begin = await clocked.get_current_time(handle)
    await clocked.sleep(70 * DAY)
    child = clocked.client.get_workflow_handle_for(Subscription.run, f"{task_queue}-child")
    assert await child.query(Subscription.months) == 2
    assert await clocked.get_current_time(child) - begin == pytest.approx(70 * DAY, abs=HOUR)
    assert await clocked.get_current_time(handle) - begin == pytest.approx(DAY, abs=HOUR)
    await child.signal(Subscription.cancel)
    assert await handle.result() == pytest.approx(1, abs=0.1)


async def test_continuing_as_new_retries_and_cron_go_on_with_the_clock(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    end = await clocked.client.execute_workflow(again_and_again, 5, id=f"{task_queue}-new", task_queue=task_queue)
    assert end - real_now() == pytest.approx(50 * DAY, abs=HOUR)

    retries = RetryPolicy(initial_interval=DAY)
    handle = await clocked.client.start_workflow(
        fails_three_times, id=f"{task_queue}-retry", task_queue=task_queue, retry_policy=retries
    )
    assert await handle.result() == 4
    # One day, two days, four days.
    last = clocked.client.get_workflow_handle(f"{task_queue}-retry")
    assert await clocked.get_current_time(last) - real_now() == pytest.approx(7 * DAY, abs=HOUR)

    cron = await clocked.client.start_workflow(
        nothing, id=f"{task_queue}-cron", task_queue=task_queue, cron_schedule="0 12 * * *"
    )
    await clocked.sleep(20 * DAY)
    assert await clocked.get_current_time(cron) - real_now() == pytest.approx(20 * DAY, abs=HOUR)
    runs = await eventually(
        lambda: twenty_runs(clocked.client, f"{task_queue}-cron"), what="each day of the cron has its run"
    )
    assert runs in (20, 21)
    await cron.terminate()


async def twenty_runs(client: Client, workflow_id: str) -> int | None:
    """Runs that have ended; the last one waits for its day."""
    runs = (await client.count_workflows(f"WorkflowId = '{workflow_id}' AND ExecutionStatus != 'Running'")).count
    return runs if runs >= 20 else None


async def test_a_start_delay_is_skipped(clocked: WorkflowEnvironment, task_queue: str) -> None:
    begun = await clocked.client.execute_workflow(now, id=task_queue, task_queue=task_queue, start_delay=77 * DAY)
    assert begun - real_now() == pytest.approx(77 * DAY, abs=HOUR)


async def test_timeouts_of_workflows_are_skipped_to(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with pytest.raises(WorkflowFailureError) as raised:
        await clocked.client.execute_workflow(
            Subscription.run, id=task_queue, task_queue=task_queue, execution_timeout=365 * DAY
        )
    assert isinstance(raised.value.cause, TimeoutError)


async def test_the_time_between_attempts_of_an_activity_is_skipped(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    minutes, cause = await clocked.client.execute_workflow(unreliable, id=task_queue, task_queue=task_queue)
    # 5, 10 and 20 minutes between four attempts; 40 more would be too many.
    assert minutes == pytest.approx(35, abs=1)
    assert "no such account" in cause


async def test_no_time_is_skipped_while_an_activity_runs(clocked: WorkflowEnvironment, task_queue: str) -> None:
    assert await clocked.client.execute_workflow(with_heartbeats, id=task_queue, task_queue=task_queue) == 1


async def test_the_log_tells_what_a_clock_waits_for(
    clocked: WorkflowEnvironment, task_queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("invincible.testing._clocks._LONG", 0.0)
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    sleeping = asyncio.ensure_future(clocked.sleep(DAY))

    async def told() -> bool:
        return f"the clock of workflow '{task_queue}' stands while it waits for activities: hangs." in caplog.text

    await eventually(told, what="the log tells of the activity")
    await handle.terminate()
    await sleeping


@pytest.mark.parametrize("exceeded", [TimeoutType.START_TO_CLOSE, TimeoutType.HEARTBEAT])
async def test_an_activity_that_hangs_times_out_now(
    clocked: WorkflowEnvironment, task_queue: str, exceeded: TimeoutType
) -> None:
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    for _ in range(2):
        await clocked.time_out_activity(handle, hangs, exceeded)
    assert await handle.result() == ("timed out", exceeded.name)


async def test_the_attempt_after_a_timeout_has_all_its_time(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(patient, id=f"{task_queue}-second", task_queue=task_queue)
    await clocked.time_out_activity(handle, "hangs")
    assert await handle.result() == ("done", None)


async def test_an_activity_that_is_not_there_does_not_time_out(
    clocked: WorkflowEnvironment, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invincible.testing._activity_timeouts._PATIENCE", 0.1)
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    with pytest.raises(RuntimeError, match=rf"workflow '{task_queue}' has no activity 'charge' .*: hangs \("):
        await clocked.time_out_activity(handle, "charge")
    with pytest.raises(ValueError, match="timeout_type must be one of START_TO_CLOSE"):
        await clocked.time_out_activity(handle, "hangs", 9)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="handle must be a WorkflowHandle, got str"):
        await clocked.time_out_activity("hangs", "hangs")  # type: ignore[arg-type]
    await handle.terminate()


async def test_signal_with_start_and_update_with_start_have_a_clock_too(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    signalled = await clocked.client.start_workflow(
        Subscription.run, id=f"{task_queue}-signal", task_queue=task_queue, start_signal="unknown"
    )
    start = WithStartWorkflowOperation(
        Subscription.run,
        id=f"{task_queue}-update",
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    update = await clocked.client.start_update_with_start_workflow(
        Subscription.pause, 45, start_workflow_operation=start, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    updated = await start.workflow_handle()
    await clocked.sleep(50 * DAY)
    assert await update.result() == 1
    for handle in (signalled, updated):
        assert await handle.query(Subscription.months) == 1
        await handle.terminate()


async def test_a_blocking_client_skips_too(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with await clocked.connect_sync_client() as client:
        days = await asyncio.to_thread(
            client.execute_workflow, sleep_days, 30, id=f"{task_queue}-30", task_queue=task_queue
        )
        assert days == pytest.approx(30, abs=0.01)
        handle = await asyncio.to_thread(client.start_workflow, Subscription.run, id=task_queue, task_queue=task_queue)
        await clocked.sleep(40 * DAY)
        assert await asyncio.to_thread(handle.query, Subscription.months) == 1
        await asyncio.to_thread(handle.terminate)


async def test_other_clients_of_the_environment_skip_too(clocked: WorkflowEnvironment, task_queue: str) -> None:
    other = await clocked.connect_client(identity="other")
    handle = await subscribe(other, task_queue)
    await clocked.sleep(40 * DAY)
    assert await handle.query(Subscription.months) == 1
    await handle.terminate()


class Recorder(Interceptor):
    """Keeps what is started, and has one workflow skip time in a way of its own."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        outer = self

        class Recording(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[object, object]:
                outer.started.append(input.id)
                if input.id.endswith("-own"):
                    input.time_skipping_config = TimeSkippingConfig(max_session_skip_count=2)._to_message()
                return await super().start_workflow(input)

        return Recording(next)


async def test_interceptors_see_starts_and_may_decide(clocked: WorkflowEnvironment, task_queue: str) -> None:
    recorder = Recorder()
    client = await clocked.connect_client(interceptors=[recorder])
    assert await client.execute_workflow(sleep_days, 3, id=task_queue, task_queue=task_queue) == pytest.approx(
        3, abs=0.1
    )
    own = await client.start_workflow(Subscription.run, id=f"{task_queue}-own", task_queue=task_queue)

    async def stopped() -> bool:
        info = await clocked.get_time_skipping_info(own)
        return info is not None and not info.effective_config.enabled

    await eventually(stopped, what="two skips were enough")

    async def two_months() -> bool:
        return await own.query(Subscription.months) == 2

    await eventually(two_months, what="the second month has ended")
    assert recorder.started == [task_queue, own.id]
    await own.terminate()


async def test_workflows_may_be_started_in_real_time(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with clocked.with_time_skipping_disabled():
        handle = await subscribe(clocked.client, task_queue)
    assert await clocked.get_time_skipping_info(handle) is None
    assert abs(await clocked.get_current_time(handle) - real_now()) < HOUR
    await clocked.sleep(100 * DAY)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(handle.result(), 0.3)
    assert await handle.query(Subscription.months) == 0
    await handle.terminate()


async def test_waits_may_be_in_real_time(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await subscribe(clocked.client, task_queue)
    with clocked.auto_time_skipping_disabled(), pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(handle.result(), 0.3)
    assert await handle.query(Subscription.months) == 0
    await clocked.sleep(31 * DAY)
    assert await handle.query(Subscription.months) == 1
    await handle.terminate()


async def test_the_time_of_the_environment_is_the_furthest(clocked: WorkflowEnvironment, task_queue: str) -> None:
    assert abs(await clocked.get_current_time() - real_now()) < HOUR
    await clocked.client.execute_workflow(sleep_days, 30, id=task_queue, task_queue=task_queue)
    assert await clocked.get_current_time() - real_now() == pytest.approx(30 * DAY, abs=HOUR)
    await clocked.sleep(10 * DAY)
    assert await clocked.get_current_time() - real_now() == pytest.approx(40 * DAY, abs=HOUR)
    await clocked.sleep(0)
    assert await clocked.get_current_time() - real_now() == pytest.approx(40 * DAY, abs=HOUR)


async def test_one_workflow_is_fast_forwarded(clocked: WorkflowEnvironment, task_queue: str) -> None:
    other = await subscribe(clocked.client, f"{task_queue}")
    handle = await clocked.client.start_workflow(sleep_days, 10, id=f"{task_queue}-ten", task_queue=task_queue)
    assert await clocked.fast_forward(handle, 4 * DAY + HOUR) is True
    assert await clocked.get_current_time(handle) - real_now() == pytest.approx(4 * DAY + HOUR, abs=HOUR / 2)
    assert await clocked.fast_forward(handle, (100 * DAY).total_seconds()) is False
    assert await handle.result() == pytest.approx(10, abs=0.1)
    assert await other.query(Subscription.months) == 0
    with pytest.raises(RPCError, match=f"workflow '{handle.id}' is not running") as refused:
        await clocked.fast_forward(handle, DAY)
    assert refused.value.status is RPCStatusCode.NOT_FOUND
    with pytest.raises(RPCError, match=f"workflow '{handle.id}' has ended already"):
        await clocked.fast_forward(handle)
    await other.signal(Subscription.cancel)
    assert await other.result() == 0


async def test_one_workflow_is_fast_forwarded_to_its_end(free: TimeSkipper, task_queue: str) -> None:
    with free.with_time_skipping_disabled():
        handle = await free.client.start_workflow(sleep_days, 10, id=task_queue, task_queue=task_queue)
    assert await free.get_time_skipping_info(handle) is None
    assert await free.fast_forward(handle) is False
    assert await handle.result() == pytest.approx(10, abs=0.1)


async def test_a_later_fast_forward_ends_an_earlier(clocked: WorkflowEnvironment, task_queue: str) -> None:
    # An activity that is running holds the first one up.
    handle = await clocked.client.start_workflow(patient, id=task_queue, task_queue=task_queue)
    first = asyncio.ensure_future(clocked.fast_forward(handle, DAY))

    async def on_its_way() -> bool:
        info = await clocked.get_time_skipping_info(handle)
        return info is not None and info.effective_config.HasField("fast_forward_config")

    await eventually(on_its_way, what="the first step is set")
    second = asyncio.ensure_future(clocked.fast_forward(handle, DAY))
    with pytest.raises(RuntimeError, match=f"the fast-forward of workflow '{task_queue}' was given up"):
        await first
    await handle.terminate()
    assert await second is False


async def test_workflows_may_skip_from_their_start_on(free: TimeSkipper, task_queue: str) -> None:
    handle = await free.client.start_workflow(
        Subscription.run, id=task_queue, task_queue=task_queue, execution_timeout=3650 * DAY
    )

    # Nobody waits for the result.
    async def timed_out() -> bool:
        return (await free.get_current_time(handle)) - real_now() > 3600 * DAY

    await eventually(timed_out, what="ten years have passed", timeout=WITHIN)
    info = await free.get_time_skipping_info(handle)
    assert info is not None
    assert info.effective_config.max_session_skip_count == 1_000_000


async def test_a_config_may_stop_after_a_step(address: str, task_queue: str) -> None:
    step = TimeSkippingConfig(fast_forward_config=FastForwardConfig(id="first", duration=35 * DAY))
    skipper = TimeSkipper(await Client.connect(address), config=step)
    assert skipper.config is step
    async with Worker(skipper.client, task_queue=task_queue, workflows=[Subscription]):
        handle = await subscribe(skipper.client, task_queue)

        async def arrived() -> bool:
            info = await skipper.get_time_skipping_info(handle)
            return info is not None and not info.effective_config.enabled

        await eventually(arrived, what="the step is done")
        assert await handle.query(Subscription.months) == 1
        assert await skipper.get_current_time(handle) - real_now() == pytest.approx(35 * DAY, abs=HOUR)
        await handle.terminate()


async def test_children_may_be_left_out(address: str, task_queue: str) -> None:
    skipper = TimeSkipper(await Client.connect(address), config=TimeSkippingConfig(disable_propagation=True))
    async with Worker(skipper.client, task_queue=task_queue, workflows=[parent_of, sleep_days]):
        handle = await skipper.client.start_workflow(
            parent_of, args=["sleep_days", 5], id=task_queue, task_queue=task_queue
        )
        child = skipper.client.get_workflow_handle(f"{task_queue}-child")

        async def begun() -> bool:
            try:
                return (await child.describe()).history_length >= 5
            except RPCError:
                return False

        await eventually(begun, what="the child sleeps")
        info = await skipper.get_time_skipping_info(child)
        assert info is None or not info.effective_config.enabled
        # It has begun at its parent's time.
        assert await skipper.get_current_time(child) - real_now() == pytest.approx(DAY, abs=HOUR)
        await handle.terminate()


async def test_the_client_that_a_skipper_was_given_stays_as_it_is(client: Client, task_queue: str) -> None:
    skipper = TimeSkipper(client)
    assert skipper.client is not client
    assert (skipper.client.namespace, skipper.client.service_client) == (client.namespace, client.service_client)
    handle = await subscribe(client, task_queue)
    assert await skipper.get_time_skipping_info(handle) is None
    await handle.terminate()


async def test_an_environment_of_a_skippers_client_skips(client: Client, task_queue: str) -> None:
    clocked = WorkflowEnvironment.from_client(TimeSkipper(client).client)
    assert (clocked.supports_time_skipping_v1, clocked.supports_time_skipping_v2) == (False, True)
    async with Worker(clocked.client, task_queue=task_queue, workflows=[sleep_days, Subscription]):
        assert await clocked.client.execute_workflow(
            sleep_days, 30, id=f"{task_queue}-30", task_queue=task_queue
        ) == pytest.approx(30, abs=0.1)
        assert await clocked.get_current_time() - real_now() == pytest.approx(30 * DAY, abs=HOUR)
    with pytest.raises(RuntimeError, match="with_time_skipping_disabled"):
        clocked.auto_time_skipping_disabled()


async def test_workflows_without_a_timer_sleep_too_where_all_skip(free: TimeSkipper, task_queue: str) -> None:
    clocked = WorkflowEnvironment.from_client(free.client)
    handle = await free.client.start_workflow(patient_mailbox, id=task_queue, task_queue=f"{task_queue}-mail")
    async with Worker(free.client, task_queue=f"{task_queue}-mail", workflows=[patient_mailbox]):
        await clocked.sleep(40 * DAY)
        assert await clocked.get_current_time(handle) - real_now() == pytest.approx(40 * DAY, abs=HOUR)
        info = await clocked.get_time_skipping_info(handle)
        assert info is not None
        assert info.effective_config.enabled
        await handle.terminate()


@workflow.defn
async def patient_mailbox() -> None:
    await workflow.wait_condition(lambda: False)


def daily(task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(nothing, id=f"{task_queue}-job", task_queue=task_queue),
        spec=ScheduleSpec(cron_expressions=["0 12 * * *"]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
    )


async def test_ninety_days_of_a_schedule_pass(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.create_schedule(task_queue, daily(task_queue))
    assert await clocked.fast_forward(handle, 90 * DAY) is True
    info = (await handle.describe()).info
    assert info.num_actions == 90
    times = [action.scheduled_at for action in info.recent_actions]
    assert all(later - earlier == DAY for earlier, later in itertools.pairwise(times))
    assert times[-1] - real_now() > 88 * DAY
    assert await clocked.get_current_time(handle) - real_now() == pytest.approx(90 * DAY, abs=HOUR)
    last = info.recent_actions[-1].action
    assert isinstance(last, ScheduleActionExecutionStartWorkflow)
    await clocked.client.get_workflow_handle(last.workflow_id).result()
    await handle.delete()


async def test_a_scheduled_workflow_skips_when_it_is_awaited(clocked: WorkflowEnvironment, task_queue: str) -> None:
    action = ScheduleActionStartWorkflow(sleep_days, 30, id=task_queue, task_queue=task_queue)
    handle = await clocked.client.create_schedule(task_queue, Schedule(action=action, spec=ScheduleSpec()))
    await handle.trigger()

    async def started() -> str | None:
        actions = (await handle.describe()).info.recent_actions
        return actions[0].action.workflow_id if actions else None  # type: ignore[attr-defined]

    workflow_id = await eventually(started, what="the schedule has started its workflow")
    waiting = clocked.client.get_workflow_handle(workflow_id, result_type=float)
    assert await waiting.result() == pytest.approx(30, abs=0.01)
    await handle.delete()


async def test_a_schedule_is_back_filled(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.create_schedule(task_queue, daily(task_queue))
    begin = real_now()
    await handle.backfill(ScheduleBackfill(start_at=begin, end_at=begin + 9 * DAY))

    async def nine() -> bool:
        return (await handle.describe()).info.num_actions == 9

    await eventually(nine, what="nine actions were taken")
    await handle.delete()


async def test_wrong_schedules_are_named(clocked: WorkflowEnvironment) -> None:
    handle = clocked.client.get_schedule_handle("no-such-schedule")
    with pytest.raises(RPCError, match="schedule 'no-such-schedule' is not running"):
        await clocked.fast_forward(handle, DAY)
    with pytest.raises(TypeError, match="a schedule has no end"):
        await clocked.fast_forward(handle)


async def test_a_bug_is_told_whatever_one_waits_for(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(broken_tomorrow, id=task_queue, task_queue=task_queue)
    with pytest.raises(WorkflowTaskFailedError, match="its code raised KeyError: 'a bug'") as raised:
        await clocked.sleep(2 * DAY)
    assert type(raised.value.__cause__) is KeyError
    with pytest.raises(WorkflowTaskFailedError, match=f"workflow '{task_queue}' cannot go on"):
        await clocked.fast_forward(handle, DAY)
    with pytest.raises(WorkflowTaskFailedError):
        await clocked.fast_forward(handle)
    with pytest.raises(WorkflowTaskFailedError):
        await handle.query("anything")
    with pytest.raises(WorkflowTaskFailedError):
        await handle.result()
    # It has been told: other workflows go on.
    other = await clocked.client.start_workflow(Subscription.run, id=f"{task_queue}-other", task_queue=task_queue)
    await clocked.sleep(40 * DAY)
    assert await other.query(Subscription.months) == 1
    await other.terminate()
    await handle.terminate()


async def test_a_bug_in_a_later_run_is_told(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with pytest.raises(WorkflowTaskFailedError, match="a bug in the last run") as raised:
        await clocked.client.execute_workflow(broken_in_the_next_run, 2, id=task_queue, task_queue=task_queue)
    assert type(raised.value.__cause__) is KeyError


async def test_a_bug_in_a_child_is_told_to_who_waits_for_its_parent(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    with pytest.raises(WorkflowTaskFailedError) as raised:
        await clocked.client.execute_workflow(
            parent_of, args=["broken_tomorrow", 0], id=task_queue, task_queue=task_queue
        )
    # It has been told: time passes for others.
    await clocked.sleep(DAY)
    assert raised.value.workflow_id == f"{task_queue}-child"
    assert str(raised.value) == (
        f"workflow '{task_queue}-child', a child workflow of '{task_queue}', cannot go on: its code raised KeyError: "
        "'a bug'"
    )
    assert type(raised.value.__cause__) is KeyError


async def test_a_bug_in_a_childs_child_is_told_to_blocking_clients(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    with await clocked.connect_sync_client() as client:
        failures: list[BaseException] = []

        def wait() -> None:
            try:
                client.execute_workflow(grandparent, id=task_queue, task_queue=f"{task_queue}-old")
            except WorkflowTaskFailedError as error:
                failures.append(error)

        async with Worker(
            clocked.client, task_queue=f"{task_queue}-old", workflows=[grandparent, parent_of, broken_tomorrow]
        ):
            thread = threading.Thread(target=wait)
            thread.start()
            await asyncio.to_thread(thread.join, WITHIN)
        assert [type(error.__cause__) for error in failures] == [KeyError]


@workflow.defn
async def grandparent() -> None:
    await workflow.execute_child_workflow(
        parent_of, args=["broken_tomorrow", 0], id=f"{workflow.info().workflow_id}-parent"
    )


@activity.defn
async def start_another(workflow_id: str) -> float:
    task_queue = activity.info().task_queue
    days: float = await activity.client().execute_workflow(sleep_days, 30, id=workflow_id, task_queue=task_queue)
    return days


@workflow.defn
async def delegates(workflow_id: str) -> float:
    days: float = await workflow.execute_activity(
        start_another, workflow_id, start_to_close_timeout=timedelta(minutes=5)
    )
    return days


async def test_workers_in_other_processes_start_workflows_that_skip(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    queue = f"{task_queue}-processes"
    async with Worker(
        clocked.client, task_queue=queue, workflows=[sleep_days, delegates], activities=[start_another], processes=1
    ):
        days = await clocked.client.execute_workflow(delegates, f"{queue}-30", id=queue, task_queue=queue)
    assert days == pytest.approx(30, abs=0.01)


@service_handler
class Archive:
    """Takes a month for everything."""

    @nexus.workflow_run_operation
    async def store(self, ctx: nexus.WorkflowRunOperationContext, workflow_id: str) -> nexus.WorkflowHandle[float]:
        return await ctx.start_workflow(sleep_days, 30, id=workflow_id)


@workflow.defn
async def archives(endpoint: str) -> float:
    client = workflow.create_nexus_client(service=Archive, endpoint=endpoint)
    days: float = await client.execute_operation(Archive.store, f"{workflow.info().workflow_id}-stored")
    return days


async def test_what_is_behind_a_nexus_operation_skips(clocked: WorkflowEnvironment, task_queue: str) -> None:
    queue = f"{task_queue}-nexus"
    endpoint = await clocked.create_nexus_endpoint(queue, queue)
    async with Worker(
        clocked.client, task_queue=queue, workflows=[sleep_days, archives], nexus_service_handlers=[Archive()]
    ):
        days = await clocked.client.execute_workflow(archives, queue, id=queue, task_queue=queue)
    assert days == pytest.approx(30, abs=0.01)
    await clocked.delete_nexus_endpoint(endpoint)


async def test_wrong_steps_are_refused(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = clocked.client.get_workflow_handle(task_queue)
    for refused in (True, "1", None):
        with pytest.raises(TypeError, match="duration must be a timedelta or a number of seconds"):
            await clocked.sleep(refused)  # type: ignore[arg-type]
    for impossible in (-1, timedelta(seconds=-1), float("nan"), float("inf"), timedelta.max):
        with pytest.raises(ValueError, match=r"duration"):
            await clocked.sleep(impossible)
    with pytest.raises(ValueError, match="duration of a fast-forward must be positive"):
        await clocked.fast_forward(handle, 0)
    with pytest.raises(TypeError, match="handle must be a WorkflowHandle or ScheduleHandle, got str"):
        await clocked.fast_forward(task_queue, 1)  # type: ignore[arg-type]
    with pytest.raises(RPCError, match=f"workflow '{task_queue}' is not running"):
        await clocked.fast_forward(handle, 1)
    with pytest.raises(RPCError, match=task_queue):
        await clocked.get_current_time(handle)
