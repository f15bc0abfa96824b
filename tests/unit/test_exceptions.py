"""The exception hierarchy: what each exception holds, shows and keeps when it is pickled."""

from __future__ import annotations

import asyncio
import copy
import pickle
from datetime import timedelta

import pytest

from invincible._native import Failure
from invincible.exceptions import (
    ActivityAlreadyStartedError,
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    InvalidVersioningOverrideError,
    NexusOperationAlreadyStartedError,
    NexusOperationError,
    RetryState,
    ServerError,
    TemporalError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)


def activity_error() -> ActivityError:
    return ActivityError(
        "activity failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="worker",
        activity_type="ship",
        activity_id="1",
        retry_state=RetryState.TIMEOUT,
    )


def child_workflow_error() -> ChildWorkflowError:
    return ChildWorkflowError(
        "child failed",
        namespace="default",
        workflow_id="w",
        run_id="r",
        workflow_type="Order",
        initiated_event_id=5,
        started_event_id=6,
        retry_state=None,
    )


def nexus_operation_error() -> NexusOperationError:
    return NexusOperationError(
        "operation failed", scheduled_event_id=5, endpoint="e", service="s", operation="o", operation_token="t"
    )


EVERY_ERROR: list[FailureError] = [
    FailureError("plain"),
    ApplicationError("app", 1, type="T", non_retryable=True, next_retry_delay=timedelta(seconds=2)),
    CancelledError("cancelled", "detail"),
    TerminatedError("terminated", 1),
    TimeoutError("timeout", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[1]),
    ServerError("server", non_retryable=True),
    WorkflowAlreadyStartedError("w", "Order", run_id="r", first_run_id="f"),
    ActivityAlreadyStartedError("a", "ship", run_id="r"),
    NexusOperationAlreadyStartedError("o", run_id="r"),
    InvalidVersioningOverrideError(),
    activity_error(),
    child_workflow_error(),
    nexus_operation_error(),
]


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
class TestEveryError:
    def test_hierarchy(self, error: FailureError) -> None:
        assert isinstance(error, FailureError)
        assert isinstance(error, TemporalError)
        assert error.failure is None

    def test_pickle_and_copy_keep_everything(self, error: FailureError) -> None:
        for same in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(same) is type(error)
            assert same.args == error.args
            assert vars(same) == vars(error)

    def test_cause(self, error: FailureError) -> None:
        assert error.cause is None
        cause = ValueError("cause")
        with pytest.raises(type(error)) as raised:
            raise copy.copy(error) from cause
        assert raised.value.cause is cause


class TestMessages:
    def test_application_error_shows_its_type(self) -> None:
        error = ApplicationError("no stock", type="OutOfStock")
        assert str(error) == "OutOfStock: no stock"
        assert error.message == "no stock"
        assert str(ApplicationError("no stock")) == "no stock"

    def test_defaults_of_an_application_error(self) -> None:
        error = ApplicationError("m")
        assert (error.details, error.type, error.non_retryable, error.next_retry_delay) == ((), None, False, None)
        assert error.category is ApplicationErrorCategory.UNSPECIFIED

    def test_default_message_of_cancellation(self) -> None:
        assert str(CancelledError()) == "Cancelled"

    def test_exc_args(self) -> None:
        error = FailureError("message", exc_args=(1, 2))
        assert error.args == (1, 2)
        assert error.message == "message"

    def test_already_started_errors(self) -> None:
        error = WorkflowAlreadyStartedError("w", "Order", run_id="r", first_run_id="f")
        assert str(error) == "Workflow execution already started"
        assert (error.workflow_id, error.workflow_type, error.run_id, error.first_run_id) == ("w", "Order", "r", "f")


def test_pickle_keeps_the_failure() -> None:
    failure = Failure("m", source="GoSDK", stack_trace="main.go:1")
    error = pickle.loads(pickle.dumps(FailureError("m", failure=failure)))
    assert error.failure == failure


class TestIsCancelled:
    @pytest.mark.parametrize("error", [asyncio.CancelledError(), CancelledError()])
    def test_cancellation(self, error: BaseException) -> None:
        assert is_cancelled_exception(error)

    @pytest.mark.parametrize("make", [activity_error, child_workflow_error, nexus_operation_error])
    def test_call_that_was_cancelled(self, make: type[FailureError]) -> None:
        error = make()  # type: ignore[call-arg]
        assert not is_cancelled_exception(error)
        error.__cause__ = CancelledError()
        assert is_cancelled_exception(error)

    def test_other_errors_caused_by_cancellation_are_not(self) -> None:
        error = ApplicationError("m")
        error.__cause__ = CancelledError()
        assert not is_cancelled_exception(error)
        assert not is_cancelled_exception(ValueError())
