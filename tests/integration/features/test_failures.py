"""What fails a workflow and what fails only its task, retries of workflows, and runs by a schedule."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from invincible import workflow
from invincible.api.enums.v1 import WorkflowTaskFailedCause
from invincible.client import WorkflowExecutionStatus, WorkflowFailureError
from invincible.common import RetryPolicy
from invincible.exceptions import ApplicationError, TimeoutError
from tests.support.features import SOON, Feature, attributes, of_kind, recorded, rested


class Refused(Exception):
    """Fails a workflow only where it is listed."""


class Worse(Refused):
    pass


@workflow.defn
class Fails:
    @workflow.run
    async def run(self, how: str) -> None:
        await rested()
        assert workflow.is_failure_exception(ApplicationError("x"))
        assert workflow.is_failure_exception(asyncio.TimeoutError())
        assert not workflow.is_failure_exception(Refused())
        if how == "timeout":
            await workflow.wait_condition(lambda: False, timeout=0.01)
        try:
            raise ValueError("the reason")
        except ValueError as error:
            raise ApplicationError("no", "a detail", {"n": 1}, type="Sorry", non_retryable=True) from error


async def test_a_failure_error_fails_the_workflow_with_its_causes(feature: Feature) -> None:
    async with feature.worker([Fails]):
        handle = await feature.start(Fails.run, "raise")
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.FAILED
    error = failure.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("no", "Sorry", True)
    assert list(error.details) == ["a detail", {"n": 1}]
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.message, error.cause.type) == ("the reason", "ValueError")
    (failed,) = attributes(await feature.events(handle), "workflow_execution_failed")
    assert __file__ in failed.failure.stack_trace


async def test_a_condition_that_times_out_fails_the_workflow(feature: Feature) -> None:
    async with feature.worker([Fails]):
        handle = await feature.start(Fails.run, "timeout")
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "TimeoutError"


@workflow.defn(failure_exception_types=[Refused])
class Listed:
    @workflow.run
    async def run(self) -> None:
        await rested()
        raise Worse("listed by its base")


@workflow.defn
class Unlisted:
    @workflow.run
    async def run(self) -> None:
        await rested()
        raise Worse("not listed")


@pytest.mark.parametrize(
    ("definition", "types"),
    [(Listed, ()), (Unlisted, (Refused,)), (Unlisted, (Exception,))],
    ids=["own", "worker", "all"],
)
async def test_other_exceptions_fail_the_workflow_where_they_are_listed(
    feature: Feature, definition: Any, types: tuple[type[BaseException], ...]
) -> None:
    async with feature.worker([definition], workflow_failure_exception_types=types):
        handle = await feature.start(definition.run)
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "Worse"


bugs: set[str] = set()


@workflow.defn(sandboxed=False)  # The guard, rightly, refuses a global that the code changes.
class Buggy:
    @workflow.run
    async def run(self) -> str:
        await rested()
        if workflow.info().workflow_id in bugs:
            # Mended before the task is tried again.
            bugs.discard(workflow.info().workflow_id)
            raise Refused("a bug")
        return str(await recorded("mended"))


async def test_a_bug_fails_the_task_until_it_is_mended(feature: Feature, caplog: pytest.LogCaptureFixture) -> None:
    feature.client._raise_task_failures = False
    bugs.add(feature.task_queue)
    with caplog.at_level(logging.WARNING, logger="invincible.worker"):
        async with feature.worker([Buggy]):
            handle = await feature.start(Buggy.run)
            assert await handle.result() == "mended"
    (failed,) = attributes(await feature.events(handle), "workflow_task_failed")
    assert failed.cause == WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    assert (failed.failure.message, failed.failure.application_failure_info.type) == ("a bug", "Refused")
    said = [each for each in caplog.records if feature.task_queue in each.getMessage()]
    assert len(said) == 1
    assert said[0].exc_info is not None


@workflow.defn
class Retried:
    @workflow.run
    async def run(self) -> list[object]:
        attempt = workflow.info().attempt
        failure = workflow.get_last_failure()
        await recorded(repr(failure))
        await rested()
        if attempt < 3:
            raise ApplicationError(f"attempt {attempt}", attempt, type="Sorry")
        assert isinstance(failure, ApplicationError)
        return [attempt, failure.message, failure.type, list(failure.details)]


async def test_a_retried_workflow_knows_why_the_attempt_before_failed(feature: Feature) -> None:
    async with feature.worker([Retried]):
        handle = await feature.start(
            Retried.run, retry_policy=RetryPolicy(initial_interval=SOON, backoff_coefficient=1.0, maximum_attempts=5)
        )
        assert await handle.result() == [3, "attempt 2", "Sorry", [2]]


@workflow.defn
class Scheduled:
    """The first run of the schedule succeeds, the second fails, the third sees both and ends the schedule."""

    @workflow.run
    async def run(self) -> int:
        assert workflow.info().cron_schedule == "@every 1s"
        last = workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else None
        failure = workflow.get_last_failure()
        await recorded([last, str(failure)])
        await rested()
        if last is None:
            assert workflow.get_last_completion_result() is None
            return 41
        assert last == 41
        if failure is None:
            raise ApplicationError("the second", type="Sorry")
        assert isinstance(failure, ApplicationError)
        assert failure.message == "the second"
        workflow.continue_as_new(workflow="Last")


@workflow.defn(name="Last")
class Last:
    @workflow.run
    async def run(self) -> str:
        return "the last"


async def test_runs_by_cron_know_the_last_result_and_failure(feature: Feature) -> None:
    async with feature.worker([Scheduled, Last]):
        handle = await feature.start(Scheduled.run, cron_schedule="@every 1s")
        runs = [handle.result_run_id or ""]
        while len(runs) < 4:
            run = feature.client.get_workflow_handle(handle.id, run_id=runs[-1])
            await feature.closed(run)
            last = (await feature.events(handle, runs[-1]))[-1]
            runs.append(getattr(last, last.WhichOneof("attributes") or "").new_execution_run_id)
        await feature.closed(feature.client.get_workflow_handle(handle.id, run_id=runs[-1]))
    kinds = [(await feature.events(handle, run))[-1].WhichOneof("attributes") for run in runs[:3]]
    assert kinds == [
        "workflow_execution_completed_event_attributes",
        "workflow_execution_failed_event_attributes",
        "workflow_execution_continued_as_new_event_attributes",
    ]


@workflow.defn
class TooSlow:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(minutes=1))


async def test_a_run_that_times_out_tells_its_caller(feature: Feature) -> None:
    async with feature.worker([TooSlow]):
        handle = await feature.start(TooSlow.run, run_timeout=timedelta(seconds=1))
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        assert isinstance(failure.value.cause, TimeoutError)
    assert of_kind(await feature.events(handle), "workflow_execution_timed_out")
