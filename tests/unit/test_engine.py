"""The engine alone: activations made by hand go in, commands come out; no server, no worker, no other event loop."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, activity, workflow
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible.common import RetryPolicy
from invincible.converter import DataConverter
from invincible.exceptions import ActivityError, ApplicationError
from invincible.workflow._definition import workflow_definition

CONVERTER = DataConverter.default.payload_converter
CONTEXT = WorkerContext(
    namespace="default",
    task_queue="engine",
    payload_converter=CONVERTER,
    failure_converter=DataConverter.default.failure_converter,
)
SECOND = 1_000_000_000


def payload(value: Any) -> _native.Payload:
    return CONVERTER.to_payload(value)


def value(payload: _native.Payload | None) -> Any:
    assert payload is not None
    return CONVERTER.from_payload(payload)


class Driver:
    """Feeds one run with activations."""

    def __init__(self, target: Any, *arguments: Any, seed: int = 7) -> None:
        definition = workflow_definition(target)
        self.init = _native.InitializeWorkflow(
            workflow_type=definition.name or "dynamic",
            workflow_id="engine-test",
            arguments=[payload(each) for each in arguments],
            randomness_seed=seed,
        )
        self.run = WorkflowRun(definition, CONTEXT, "run", self.init)
        self.now = 1_700_000_000 * SECOND

    def start(self, *jobs: Any, **fields: Any) -> list[Any]:
        return self.activate(self.init, *jobs, **fields)

    def activate(self, *jobs: Any, **fields: Any) -> list[Any]:
        activation = _native.Activation(run_id="run", timestamp_ns=self.now, jobs=list(jobs), **fields)
        return self.run.activate(activation)


def completed(commands: list[Any]) -> Any:
    (command,) = commands
    assert isinstance(command, _native.CompleteWorkflowExecution), command
    return value(command.result)


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def greet(name: str, *, greeting: str = "Hello") -> str:
    return f"{greeting}, {name}"


def test_a_function_workflow_schedules_its_activity_and_returns_its_result() -> None:
    @workflow.defn
    async def hello(name: str) -> str:
        return await greet.execute(name, greeting="Hi")

    driver = Driver(hello, "Ada")
    (command,) = driver.start()
    assert isinstance(command, _native.ScheduleActivity)
    assert (command.seq, command.activity_id, command.activity_type) == (1, "1", "greet")
    assert command.start_to_close_timeout == 10.0
    assert command.task_queue == "engine"
    assert [value(each) for each in command.arguments] == ["Ada", "Hi"]
    assert completed(driver.activate(_native.ResolveActivity(seq=1, result=payload("Hi, Ada")))) == "Hi, Ada"


def test_options_of_the_call_go_before_those_of_the_definition() -> None:
    @workflow.defn
    async def hello() -> None:
        retry = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3)
        hurried = greet.with_options(start_to_close_timeout=timedelta(seconds=1), retry_policy=retry, summary="hurry")
        hurried.start("Ada")
        await workflow.execute_activity(greet, "Bob", heartbeat_timeout=timedelta(seconds=5), task_queue="elsewhere")

    first, second = Driver(hello).start()
    assert first.start_to_close_timeout == 1.0
    assert (first.retry_policy.initial_interval, first.retry_policy.maximum_attempts) == (2.0, 3)
    assert value(first.summary) == "hurry"
    assert (second.start_to_close_timeout, second.heartbeat_timeout) == (10.0, 5.0)
    assert second.task_queue == "elsewhere"


def test_an_activity_without_a_timeout_is_refused_where_it_is_called() -> None:
    @activity.defn
    async def endless() -> None: ...

    @workflow.defn
    async def hello() -> None:
        await endless.execute()

    with pytest.raises(ValueError, match="'endless' needs start_to_close_timeout or schedule_to_close_timeout"):
        Driver(hello).start()


def test_unknown_options_are_named() -> None:
    with pytest.raises(TypeError, match="'start_to_clos' is not an activity option"):
        activity.defn(start_to_clos=timedelta(seconds=1))  # type: ignore[call-overload]


def test_a_failed_activity_raises_with_its_cause() -> None:
    @workflow.defn
    async def hello() -> str:
        try:
            await greet.execute("Ada")
        except ActivityError as error:
            cause = error.cause
            return f"{cause.type}: {cause.message}" if isinstance(cause, ApplicationError) else repr(cause)
        return "no error"

    driver = Driver(hello)
    driver.start()
    failure = _native.Failure(
        "activity failed",
        info=_native.ActivityFailureInfo(activity_type="greet", activity_id="1"),
        cause=_native.Failure("no voice", info=_native.ApplicationFailureInfo(type="Hoarse")),
    )
    assert completed(driver.activate(_native.ResolveActivity(seq=1, failure=failure))) == "Hoarse: no voice"


def test_an_activity_error_that_nobody_catches_fails_the_workflow() -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    driver = Driver(hello)
    driver.start()
    failure = _native.Failure(
        "activity failed",
        info=_native.ActivityFailureInfo(activity_type="greet", activity_id="1"),
        cause=_native.Failure("no voice", info=_native.ApplicationFailureInfo(type="Hoarse")),
    )
    (command,) = driver.activate(_native.ResolveActivity(seq=1, failure=failure))
    assert isinstance(command, _native.FailWorkflowExecution)
    assert command.failure.cause is not None
    assert command.failure.cause.message == "no voice"


def test_other_exceptions_fail_the_task_and_not_the_workflow() -> None:
    @workflow.defn
    async def broken() -> None:
        raise KeyError("typo")

    with pytest.raises(KeyError, match="typo"):
        Driver(broken).start()


def test_exceptions_declared_as_failures_fail_the_workflow() -> None:
    @workflow.defn(failure_exception_types=[KeyError])
    async def broken() -> None:
        raise KeyError("unknown order")

    (command,) = Driver(broken).start()
    assert isinstance(command, _native.FailWorkflowExecution)
    assert command.failure.info.type == "KeyError"  # type: ignore[union-attr]


@pytest.mark.parametrize("sleep", [asyncio.sleep, workflow.sleep])
def test_sleep_is_a_timer(sleep: Any) -> None:
    @workflow.defn
    async def nap() -> str:
        await sleep(1.5)
        return "awake"

    driver = Driver(nap)
    (timer,) = driver.start()
    assert isinstance(timer, _native.StartTimer)
    assert (timer.seq, timer.duration) == (1, 1.5)
    assert completed(driver.activate(_native.FireTimer(seq=1))) == "awake"


def test_sleeping_for_no_time_needs_no_timer() -> None:
    @workflow.defn
    async def nap() -> str:
        await asyncio.sleep(0)
        await workflow.sleep(0)
        return "awake"

    assert completed(Driver(nap).start()) == "awake"


def test_a_timeout_cancels_what_it_covers_and_a_result_cancels_the_timer() -> None:
    @workflow.defn
    async def impatient() -> str:
        try:
            return await asyncio.wait_for(greet.execute("Ada"), 5)
        except asyncio.TimeoutError:
            return "too late"

    late = Driver(impatient)
    schedule, timer = late.start()
    assert {type(schedule), type(timer)} == {_native.ScheduleActivity, _native.StartTimer}
    (cancel,) = late.activate(_native.FireTimer(seq=1))
    assert isinstance(cancel, _native.RequestCancelActivity)
    cancelled = _native.Failure(
        "activity cancelled",
        info=_native.ActivityFailureInfo(activity_type="greet", activity_id="1"),
        cause=_native.Failure("cancelled", info=_native.CanceledFailureInfo()),
    )
    late.activate(_native.ResolveActivity(seq=1, failure=cancelled))

    quick = Driver(impatient)
    quick.start()
    cancel_timer, done = quick.activate(_native.ResolveActivity(seq=1, result=payload("Hello, Ada")))
    assert isinstance(cancel_timer, _native.CancelTimer)
    assert value(done.result) == "Hello, Ada"


def test_gather_runs_activities_side_by_side_and_keeps_their_order() -> None:
    @workflow.defn
    async def chorus() -> list[str]:
        return list(await asyncio.gather(greet.execute("Ada"), greet.execute("Bob")))

    driver = Driver(chorus)
    assert [value(each.arguments[0]) for each in driver.start()] == ["Ada", "Bob"]
    assert driver.activate(_native.ResolveActivity(seq=2, result=payload("2"))) == []
    assert completed(driver.activate(_native.ResolveActivity(seq=1, result=payload("1")))) == ["1", "2"]


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.total = 0

    @workflow.run
    async def run(self, goal: int) -> int:
        await workflow.wait_condition(lambda: self.total >= goal)
        return self.total

    @workflow.signal
    def add(self, amount: int) -> None:
        self.total += amount

    @workflow.signal(name="add-later")
    async def add_later(self, amount: int) -> None:
        await workflow.sleep(1)
        self.total += amount

    @workflow.query
    def current(self) -> int:
        return self.total

    @workflow.query
    def meddle(self) -> None:
        greet.start("Ada")


def signal(name: str, *arguments: Any) -> _native.SignalWorkflow:
    return _native.SignalWorkflow(signal_name=name, input=[payload(each) for each in arguments])


def query(name: str, *arguments: Any) -> _native.QueryWorkflow:
    return _native.QueryWorkflow(query_id="q", query_type=name, arguments=[payload(each) for each in arguments])


def test_signals_change_state_and_wake_conditions() -> None:
    driver = Driver(Counter, 5)
    assert driver.start() == []
    assert driver.activate(signal("add", 2)) == []
    (timer,) = driver.activate(signal("add-later", 3))
    assert isinstance(timer, _native.StartTimer)
    assert completed(driver.activate(_native.FireTimer(seq=1))) == 5


def test_signals_that_come_with_the_start_are_handled_before_the_workflow_runs() -> None:
    assert completed(Driver(Counter, 2).start(signal("add", 2))) == 2


def test_signals_without_a_handler_do_no_harm() -> None:
    driver = Driver(Counter, 1)
    driver.start()
    assert driver.activate(signal("unknown", 1)) == []
    assert completed(driver.activate(signal("add", 1))) == 1


def test_signals_with_wrong_arguments_name_handler_and_parameter() -> None:
    driver = Driver(Counter, 1)
    driver.start()
    with pytest.raises(Exception, match=r"signal 'add'.*amount.*int"):
        driver.activate(signal("add", "many"))


def test_queries_answer_and_may_change_nothing() -> None:
    driver = Driver(Counter, 5)
    driver.start(signal("add", 3))
    (answer,) = driver.activate(query("current"))
    assert isinstance(answer, _native.QueryResult)
    assert (answer.query_id, value(answer.result)) == ("q", 3)
    (refused,) = driver.activate(query("meddle"))
    assert refused.failure is not None
    assert "scheduling an activity is not possible in a query" in refused.failure.message
    (unknown,) = driver.activate(query("missing"))
    assert "no query 'missing'; its queries are: current, meddle" in unknown.failure.message


def test_a_condition_that_is_never_true_times_out() -> None:
    @workflow.defn
    async def waiting() -> str:
        try:
            await workflow.wait_condition(lambda: False, timeout=timedelta(minutes=1))
        except asyncio.TimeoutError:
            return "gave up"
        return "held"

    driver = Driver(waiting)
    (timer,) = driver.start()
    assert timer.duration == 60.0
    assert completed(driver.activate(_native.FireTimer(seq=1))) == "gave up"


def test_cancellation_reaches_the_workflow_and_its_activity() -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    driver = Driver(hello)
    driver.start()
    (request,) = driver.activate(_native.CancelWorkflow(reason="enough"))
    assert isinstance(request, _native.RequestCancelActivity)
    cancelled = _native.Failure(
        "activity cancelled",
        info=_native.ActivityFailureInfo(activity_type="greet", activity_id="1"),
        cause=_native.Failure("cancelled", info=_native.CanceledFailureInfo()),
    )
    (end,) = driver.activate(_native.ResolveActivity(seq=1, failure=cancelled))
    assert isinstance(end, _native.CancelWorkflowExecution)


def test_a_workflow_may_clean_up_after_cancellation() -> None:
    @workflow.defn
    async def tidy() -> None:
        try:
            await workflow.sleep(60)
        finally:
            await greet.execute("clean-up")

    driver = Driver(tidy)
    driver.start()
    cancel, cleanup = driver.activate(_native.CancelWorkflow())
    assert isinstance(cancel, _native.CancelTimer)
    assert isinstance(cleanup, _native.ScheduleActivity)
    (end,) = driver.activate(_native.ResolveActivity(seq=1, result=payload("done")))
    assert isinstance(end, _native.CancelWorkflowExecution)


def test_time_comes_from_the_activation() -> None:
    @workflow.defn
    async def clock() -> list[float]:
        return [workflow.time(), workflow.now().timestamp(), asyncio.get_running_loop().time()]

    assert completed(Driver(clock).start()) == [1_700_000_000.0] * 3


def test_random_numbers_repeat_with_the_seed_and_change_on_reset() -> None:
    @workflow.defn
    async def dice() -> list[str]:
        first = str(workflow.uuid4())
        await workflow.sleep(1)
        return [first, str(workflow.uuid4())]

    def roll(seed: int, *jobs: Any) -> Any:
        driver = Driver(dice, seed=seed)
        driver.start()
        return completed(driver.activate(*jobs, _native.FireTimer(seq=1)))

    assert roll(1) == roll(1)
    assert roll(1) != roll(2)
    assert roll(1)[0] == roll(1, _native.UpdateRandomSeed(randomness_seed=9))[0]
    assert roll(1)[1] != roll(1, _native.UpdateRandomSeed(randomness_seed=9))[1]
    assert uuid.UUID(roll(1)[0]).version == 4


def test_patches_are_taken_by_new_runs_and_by_runs_whose_history_has_them() -> None:
    @workflow.defn
    async def changed() -> list[bool]:
        return [workflow.patched("change"), workflow.patched("change")]

    *markers, end = Driver(changed).start()
    assert value(end.result) == [True, True]
    assert {marker.patch_id for marker in markers} == {"change"}
    assert completed(Driver(changed).start(is_replaying=True)) == [False, False]
    *markers, end = Driver(changed).start(_native.NotifyHasPatch(patch_id="change"), is_replaying=True)
    assert value(end.result) == [True, True]


def test_tasks_in_sets_keep_the_order_of_their_creation() -> None:
    @workflow.defn
    async def ordered() -> list[int]:
        tasks = [asyncio.create_task(asyncio.sleep(0, number)) for number in range(200)]
        done, _ = await asyncio.wait(tasks)
        return [task.result() for task in set(done)]

    assert completed(Driver(ordered).start()) == list(range(200))


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: asyncio.get_running_loop().run_in_executor(None, print),
        lambda: asyncio.get_running_loop().create_connection(asyncio.Protocol, "localhost", 1),
        lambda: asyncio.get_running_loop().call_soon_threadsafe(print),
    ],
)
def test_what_cannot_replay_is_refused_with_advice(attempt: Any) -> None:
    @workflow.defn
    async def impure() -> None:
        attempt()

    with pytest.raises(NotImplementedError, match=r"cannot be used in workflow code.*(activity|signal)"):
        Driver(impure).start()


def test_eviction_runs_finally_blocks_without_commands() -> None:
    seen: list[str] = []

    @workflow.defn
    async def held() -> None:
        try:
            await workflow.sleep(60)
        finally:
            seen.append("closed")
            greet.start("nobody")

    driver = Driver(held)
    driver.start()
    driver.run.evict()
    assert seen == ["closed"]


def test_results_nobody_asked_for_are_nondeterminism() -> None:
    driver = Driver(Counter, 1)
    driver.start()
    with pytest.raises(workflow.NondeterminismError, match="timer 1 fired"):
        driver.activate(_native.FireTimer(seq=1))
    with pytest.raises(workflow.NondeterminismError, match="activity 4 ended"):
        driver.activate(_native.ResolveActivity(seq=4))


def test_workflow_functions_are_refused_elsewhere() -> None:
    with pytest.raises(workflow.NotInWorkflowError):
        workflow.now()


async def test_decorated_functions_stay_functions() -> None:
    assert await greet("Ada", greeting="Hey") == "Hey, Ada"


def test_a_cancelled_handle_counts_once() -> None:
    @workflow.defn
    async def twice() -> str:
        handle = greet.start("Ada")
        handle.cancel()
        handle.cancel()
        try:
            return await handle
        except ActivityError as error:
            return type(error.cause).__name__

    driver = Driver(twice)
    schedule, request = driver.start()
    assert isinstance(request, _native.RequestCancelActivity)
    assert request.seq == schedule.seq
