"""Cancelling the workflow: whom it reaches, what code may do about it, and how the run ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from invincible.exceptions import CancelledError as TemporalCancelledError
from tests.support.engine import (
    Driver,
    activity_done,
    activity_failed,
    application_failure,
    cancelled_failure,
    child_done,
    child_started,
    completed,
    failed,
    greet,
    kinds,
    value,
)

CANCELLED = [_native.CancelWorkflowExecution]


def test_it_reaches_the_activity_that_the_workflow_waits_for() -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    driver = Driver(hello)
    driver.start()
    assert kinds(driver.activate(_native.CancelWorkflow())) == [_native.RequestCancelActivity]
    assert kinds(driver.activate(activity_failed(cancelled_failure()))) == CANCELLED


def test_a_workflow_that_waits_for_a_timer_ends_as_cancelled() -> None:
    @workflow.defn
    async def nap() -> None:
        await workflow.sleep(60)

    driver = Driver(nap)
    driver.start()
    assert kinds(driver.activate(_native.CancelWorkflow())) == [_native.CancelTimer, *CANCELLED]


def test_a_run_that_is_cancelled_in_its_first_task_starts_all_the_same() -> None:
    @workflow.defn
    async def tidy() -> str:
        try:
            await workflow.sleep(60)
        except asyncio.CancelledError:
            return "started and cancelled"
        return "slept"

    commands = Driver(tidy).start(_native.CancelWorkflow())
    assert kinds(commands) == [_native.StartTimer, _native.CancelTimer, _native.CompleteWorkflowExecution]
    assert value(commands[-1].result) == "started and cancelled"


def test_the_reason_is_known() -> None:
    @workflow.defn
    async def curious() -> list[Any]:
        before = workflow.cancellation_reason()
        with contextlib.suppress(asyncio.CancelledError):
            await workflow.sleep(60)
        return [before, workflow.cancellation_reason()]

    driver = Driver(curious)
    driver.start()
    _, end = driver.activate(_native.CancelWorkflow(reason="enough"))
    assert value(end.result) == [None, "enough"]


def test_a_workflow_may_clean_up() -> None:
    @workflow.defn
    async def tidy() -> None:
        try:
            await workflow.sleep(60)
        finally:
            await greet.execute("clean-up")

    driver = Driver(tidy)
    driver.start()
    assert kinds(driver.activate(_native.CancelWorkflow())) == [_native.CancelTimer, _native.ScheduleActivity]
    assert kinds(driver.activate(activity_done("done"))) == CANCELLED


def test_a_workflow_may_go_on() -> None:
    @workflow.defn
    async def stubborn() -> str:
        try:
            await workflow.sleep(60)
        except asyncio.CancelledError:
            await workflow.sleep(1)
        return "done"

    driver = Driver(stubborn)
    driver.start()
    driver.activate(_native.CancelWorkflow())
    assert completed(driver.activate(_native.FireTimer(seq=2))) == "done"


def test_what_is_shielded_goes_on() -> None:
    @workflow.defn
    async def shielding() -> str:
        task = asyncio.create_task(greet.execute("Ada"))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            return "after all: " + await task
        return "uncancelled"

    driver = Driver(shielding)
    driver.start()
    assert driver.activate(_native.CancelWorkflow()) == []
    assert completed(driver.activate(activity_done("Hello"))) == "after all: Hello"


def test_it_reaches_everything_that_is_gathered() -> None:
    @workflow.defn
    async def many() -> None:
        await asyncio.gather(greet.execute("Ada"), greet.execute("Bob"), workflow.sleep(60))

    driver = Driver(many)
    driver.start()
    commands = driver.activate(_native.CancelWorkflow())
    assert kinds(commands) == [_native.RequestCancelActivity] * 2 + [_native.CancelTimer, *CANCELLED]


def test_a_failure_during_the_clean_up_fails_the_workflow() -> None:
    @workflow.defn
    async def clumsy() -> None:
        try:
            await workflow.sleep(60)
        finally:
            raise ApplicationError("dropped")

    driver = Driver(clumsy)
    driver.start()
    *_, end = driver.activate(_native.CancelWorkflow())
    assert isinstance(end, _native.FailWorkflowExecution)
    assert end.failure.message == "dropped"


def test_an_activity_that_was_cancelled_without_the_workflow_fails_it() -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    driver = Driver(hello)
    driver.start()
    failure = failed(driver.activate(activity_failed(cancelled_failure())))
    assert failure.cause is not None
    assert isinstance(failure.cause.info, _native.CanceledFailureInfo)


@pytest.mark.parametrize("raised", [asyncio.CancelledError("by hand"), TemporalCancelledError("by hand")])
def test_a_cancellation_that_nobody_asked_for_fails_the_workflow(raised: BaseException) -> None:
    @workflow.defn
    async def odd() -> None:
        raise raised

    assert isinstance(failed(Driver(odd).start()).info, _native.CanceledFailureInfo)


def test_a_second_request_reaches_the_code_again() -> None:
    @workflow.defn
    async def stubborn() -> int:
        count = 0
        while count < 2:
            try:
                await workflow.sleep(60)
            except asyncio.CancelledError:
                count += 1
        return count

    driver = Driver(stubborn)
    driver.start()
    assert kinds(driver.activate(_native.CancelWorkflow())) == [_native.CancelTimer, _native.StartTimer]
    *_, end = driver.activate(_native.CancelWorkflow())
    assert value(end.result) == 2


def test_cancelling_a_condition_and_a_lock_leaves_them_usable() -> None:
    @workflow.defn
    async def locks() -> str:
        lock = asyncio.Lock()
        async with lock:
            waiting = asyncio.create_task(lock.acquire())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.sleep(0)
        async with lock:
            return "free"

    assert completed(Driver(locks).start()) == "free"


def test_cancelled_exceptions_are_told_from_others() -> None:
    seen: list[bool] = []

    @workflow.defn
    async def hello() -> None:
        try:
            await greet.execute("Ada")
        except ActivityError as error:
            seen.append(is_cancelled_exception(error))

    for failure in (cancelled_failure(), application_failure()):
        driver = Driver(hello)
        driver.start()
        driver.activate(activity_failed(failure))
    assert seen == [True, False]


def test_a_cancelled_scope_cancels_only_what_is_in_it() -> None:
    @workflow.defn
    async def scoped() -> list[str]:
        outside = asyncio.create_task(greet.execute("outside"))

        async def scope() -> None:
            await asyncio.gather(greet.execute("one"), greet.execute("two"))

        inside = asyncio.create_task(scope())
        await workflow.sleep(1)
        inside.cancel()
        results = await asyncio.gather(inside, return_exceptions=True)
        return [type(results[0]).__name__, await outside]

    driver = Driver(scoped)
    driver.start()
    requests = driver.activate(_native.FireTimer(seq=1))
    assert [(type(each), each.seq) for each in requests] == [
        (_native.RequestCancelActivity, 2),
        (_native.RequestCancelActivity, 3),
    ]
    driver.activate(activity_failed(cancelled_failure(), seq=2), activity_failed(cancelled_failure(), seq=3))
    assert completed(driver.activate(activity_done("out"))) == ["ActivityError", "out"]


# Cancelled in the task that brings the answer: histories depend on what comes of it


def both_orders(target: Any, answer: Any) -> list[list[Any]]:
    cancel = _native.CancelWorkflow()
    commands = []
    for jobs in ([answer, cancel], [cancel, answer]):
        driver = Driver(target)
        driver.start()
        commands.append(kinds(driver.activate(*jobs)))
    return commands


def test_cancelled_in_the_task_that_brings_the_start_of_a_child_the_child_is_asked_to_stop() -> None:
    @workflow.defn
    async def parent() -> None:
        await workflow.execute_child_workflow("Child")

    assert both_orders(parent, child_started()) == [[_native.CancelChildWorkflowExecution, *CANCELLED]] * 2


def test_cancelled_in_the_task_that_brings_the_start_of_an_operation_it_is_asked_to_stop() -> None:
    @workflow.defn
    async def caller() -> None:
        await workflow.create_nexus_client(service="s", endpoint="e").execute_operation("o", None)

    started = _native.ResolveNexusOperationStart(seq=1, operation_token="token")
    assert both_orders(caller, started) == [[_native.RequestCancelNexusOperation, *CANCELLED]] * 2


def test_a_signal_that_arrives_in_the_task_that_cancels_the_workflow_is_withdrawn_in_vain() -> None:
    @workflow.defn
    async def sender() -> None:
        await workflow.get_external_workflow_handle("other").signal("poke")

    arrived = _native.ResolveSignalExternalWorkflow(seq=1)
    ended = [_native.CancelSignalWorkflow, _native.CompleteWorkflowExecution]
    assert both_orders(sender, arrived) == [ended] * 2


def test_cancelled_in_the_task_that_brings_the_result_of_an_activity() -> None:
    @workflow.defn
    async def hello() -> str:
        return await greet.execute("Ada")

    assert both_orders(hello, activity_done("Hello")) == [CANCELLED] * 2


def test_cancelled_in_the_task_in_which_a_timer_fires() -> None:
    @workflow.defn
    async def nap() -> None:
        await workflow.sleep(60)

    assert both_orders(nap, _native.FireTimer(seq=1)) == [CANCELLED] * 2


def test_cancelled_in_the_task_that_tells_that_another_workflow_was_asked_to_stop() -> None:
    @workflow.defn
    async def canceller() -> None:
        await workflow.get_external_workflow_handle("other").cancel()

    asked = _native.ResolveRequestCancelExternalWorkflow(seq=1)
    assert both_orders(canceller, asked) == [[_native.CompleteWorkflowExecution], CANCELLED]


async def caught(awaitable: Any) -> str:
    try:
        await awaitable
    except BaseException as error:
        return type(error).__name__
    return "done"


async def cancel_later() -> str:
    handle = greet.start("Ada")
    await workflow.sleep(5)
    handle.cancel()
    return await caught(handle)


FIRED, DONE = _native.FireTimer(seq=1), activity_done("Hello")
ENDED = [_native.CompleteWorkflowExecution]


@pytest.mark.parametrize(
    ("body", "jobs", "commands", "result"),
    [
        (lambda: caught(greet.execute("Ada")), [DONE, _native.CancelWorkflow()], ENDED, "CancelledError"),
        (lambda: caught(greet.execute("Ada")), [_native.CancelWorkflow(), DONE], ENDED, "CancelledError"),
        (lambda: caught(asyncio.wait_for(greet.execute("Ada"), 5)), [FIRED, DONE], ENDED, "TimeoutError"),
        (lambda: caught(asyncio.wait_for(greet.execute("Ada"), 5)), [DONE, FIRED], ENDED, "TimeoutError"),
        (cancel_later, [FIRED, DONE], ENDED, "CancelledError"),
        (cancel_later, [DONE, FIRED], ENDED, "done"),
        (
            lambda: caught(workflow.execute_child_workflow("Child")),
            [child_started(), child_done("Hello"), _native.CancelWorkflow()],
            [_native.CancelChildWorkflowExecution, *ENDED],
            "CancelledError",
        ),
    ],
)
def test_the_cancellation_wins_over_an_answer_of_the_same_task(
    body: Any, jobs: list[Any], commands: list[type], result: str
) -> None:
    @workflow.defn
    async def racing() -> str:
        outcome: str = await body()
        return outcome

    driver = Driver(racing)
    driver.start()
    got = driver.activate(*jobs)
    assert kinds(got) == commands
    assert value(got[-1].result) == result


def test_an_answer_that_is_cancelled_ends_what_is_gathered() -> None:
    @workflow.defn
    async def many() -> None:
        await asyncio.gather(greet.execute("Ada"), greet.execute("Bob"))

    expected = [_native.RequestCancelActivity, *CANCELLED]
    assert both_orders(many, activity_done("Hello")) == [expected] * 2
