"""Exceptions that stand for Temporal failures, and those the package raises itself.

Each subclass of :class:`FailureError` has a counterpart in ``temporal.api.failure.v1.Failure``: raised in a workflow
or activity it is sent as that failure, and a failure that is received is raised as that exception, its cause in
``__cause__``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any

from invincible import _native


class TemporalError(Exception):
    """Base of every exception this package defines."""

    @property
    def cause(self) -> BaseException | None:
        """The exception that caused this one: ``__cause__``."""
        return self.__cause__


class FailureError(TemporalError):
    """Base of the exceptions that fail a workflow, an update or an activity when raised in it.

    Args:
        message: What went wrong.
        failure: The failure this exception was made from. It is what is sent if the exception is raised again.
        exc_args: The exception's ``args``, if they are not the message alone.
    """

    def __init__(
        self, message: str, *, failure: _native.Failure | None = None, exc_args: tuple[Any, ...] | None = None
    ) -> None:
        """Creates the error."""
        super().__init__(*((message,) if exc_args is None else exc_args))
        self._message = message
        self._failure = failure

    @property
    def message(self) -> str:
        """What went wrong."""
        return self._message

    @property
    def failure(self) -> _native.Failure | None:
        """The failure this exception was made from, if it came from the server."""
        return self._failure

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles what the exception holds; its constructor may ask for more than ``args``."""
        failure = self._failure
        serialized = None if failure is None else failure.SerializeToString()
        return _unpickle, (type(self), self.args, {**self.__dict__, "_failure": serialized})


def _unpickle(error_type: type[FailureError], args: tuple[Any, ...], state: dict[str, Any]) -> FailureError:
    error = error_type.__new__(error_type, *args)
    error.__dict__.update(state)
    serialized = state["_failure"]
    error._failure = None if serialized is None else _native.Failure.FromString(serialized)
    return error


class WorkflowAlreadyStartedError(FailureError):
    """A workflow of this id is running, or its id may not be used again.

    Args:
        workflow_id: Id of the workflow.
        workflow_type: Type that was to be started.
        run_id: Run that exists already, if known.
        first_run_id: First run of its chain, if known.
    """

    def __init__(
        self, workflow_id: str, workflow_type: str, *, run_id: str | None = None, first_run_id: str | None = None
    ) -> None:
        """Creates the error."""
        super().__init__("Workflow execution already started")
        self.workflow_id = workflow_id
        self.workflow_type = workflow_type
        self.run_id = run_id
        self.first_run_id = first_run_id


class ActivityAlreadyStartedError(FailureError):
    """A standalone activity of this id is running, or its id may not be used again.

    Args:
        activity_id: Id of the activity.
        activity_type: Type that was to be started.
        run_id: Run that exists already, if known.
    """

    def __init__(self, activity_id: str, activity_type: str, *, run_id: str | None = None) -> None:
        """Creates the error."""
        super().__init__("Activity execution already started")
        self.activity_id = activity_id
        self.activity_type = activity_type
        self.run_id = run_id


class NexusOperationAlreadyStartedError(FailureError):
    """A standalone Nexus operation of this id is running, or its id may not be used again.

    Args:
        operation_id: Id of the operation.
        run_id: Run that exists already, if known.
    """

    def __init__(self, operation_id: str, *, run_id: str | None = None) -> None:
        """Creates the error."""
        super().__init__("Nexus operation execution already started")
        self.operation_id = operation_id
        self.run_id = run_id


class InvalidVersioningOverrideError(FailureError):
    """The server refused the versioning override of a workflow."""

    def __init__(self) -> None:
        """Creates the error."""
        super().__init__("Invalid versioning override")


class ApplicationErrorCategory(IntEnum):
    """Weight of an application error in logs and metrics."""

    UNSPECIFIED = 0
    BENIGN = 1
    """Expected: not counted as a failure and logged at debug level."""


class ApplicationError(FailureError):
    """An error of workflow or activity code. Other exceptions arrive as this one, their class name as type.

    Args:
        message: What went wrong.
        details: Values sent with the error.
        type: A name that callers and retry policies can tell it by.
        non_retryable: Whether it ends retries whatever the retry policy says.
        next_retry_delay: Wait before the next attempt, instead of the retry policy's.
        category: Weight in logs and metrics.
    """

    def __init__(
        self,
        message: str,
        *details: Any,
        type: str | None = None,
        non_retryable: bool = False,
        next_retry_delay: timedelta | None = None,
        category: ApplicationErrorCategory = ApplicationErrorCategory.UNSPECIFIED,
    ) -> None:
        """Creates the error."""
        super().__init__(message, exc_args=(f"{type}: {message}" if type else message,))
        self._details = details
        self._type = type
        self._non_retryable = non_retryable
        self._next_retry_delay = next_retry_delay
        self._category = category

    @property
    def details(self) -> Sequence[Any]:
        """Values sent with the error."""
        return self._details

    @property
    def type(self) -> str | None:
        """A name that callers and retry policies can tell it by."""
        return self._type

    @property
    def non_retryable(self) -> bool:
        """Whether it ends retries whatever the retry policy says."""
        return self._non_retryable

    @property
    def next_retry_delay(self) -> timedelta | None:
        """Wait before the next attempt, instead of the retry policy's."""
        return self._next_retry_delay

    @property
    def category(self) -> ApplicationErrorCategory:
        """Weight in logs and metrics."""
        return self._category


class CancelledError(FailureError):
    """A workflow, activity or operation was cancelled.

    Args:
        message: What went wrong.
        details: Values sent with the error.
    """

    def __init__(self, message: str = "Cancelled", *details: Any) -> None:
        """Creates the error."""
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """Values sent with the error."""
        return self._details


class TerminatedError(FailureError):
    """A workflow was terminated.

    Args:
        message: What went wrong.
        details: Values given with the termination.
    """

    def __init__(self, message: str, *details: Any) -> None:
        """Creates the error."""
        super().__init__(message)
        self._details = details

    @property
    def details(self) -> Sequence[Any]:
        """Values given with the termination."""
        return self._details


class TimeoutType(IntEnum):
    """The timeout that was exceeded."""

    START_TO_CLOSE = 1
    """Of one attempt, or one run."""
    SCHEDULE_TO_START = 2
    """Of the wait for a worker."""
    SCHEDULE_TO_CLOSE = 3
    """Of all attempts together."""
    HEARTBEAT = 4
    """Of the time between two heartbeats."""


class TimeoutError(FailureError):
    """A workflow, activity or operation took too long.

    Args:
        message: What went wrong.
        type: The timeout that was exceeded.
        last_heartbeat_details: What the activity's last heartbeat carried.
    """

    def __init__(self, message: str, *, type: TimeoutType | None, last_heartbeat_details: Sequence[Any]) -> None:
        """Creates the error."""
        super().__init__(message)
        self._type = type
        self._last_heartbeat_details = last_heartbeat_details

    @property
    def type(self) -> TimeoutType | None:
        """The timeout that was exceeded."""
        return self._type

    @property
    def last_heartbeat_details(self) -> Sequence[Any]:
        """What the activity's last heartbeat carried."""
        return self._last_heartbeat_details


class ServerError(FailureError):
    """The service itself failed the workflow or activity.

    Args:
        message: What went wrong.
        non_retryable: Whether it ends retries.
    """

    def __init__(self, message: str, *, non_retryable: bool = False) -> None:
        """Creates the error."""
        super().__init__(message)
        self._non_retryable = non_retryable

    @property
    def non_retryable(self) -> bool:
        """Whether it ends retries."""
        return self._non_retryable


class RetryState(IntEnum):
    """Why there was no further attempt."""

    IN_PROGRESS = 1
    """There may still be one."""
    NON_RETRYABLE_FAILURE = 2
    """The error is not to be retried."""
    TIMEOUT = 3
    """The next one would begin after its time was over."""
    MAXIMUM_ATTEMPTS_REACHED = 4
    """There were as many as there may be."""
    RETRY_POLICY_NOT_SET = 5
    """There is no retry policy."""
    INTERNAL_SERVER_ERROR = 6
    """The server could not go on."""
    CANCEL_REQUESTED = 7
    """It was to be cancelled."""


class ActivityError(FailureError):
    """An activity failed, as its workflow sees it. The activity's own error is the cause.

    Args:
        message: What went wrong.
        scheduled_event_id: Event that scheduled the activity.
        started_event_id: Event that started it.
        identity: Worker that ran it.
        activity_type: Its type.
        activity_id: Its id.
        retry_state: Why there was no further attempt.
    """

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        started_event_id: int,
        identity: str,
        activity_type: str,
        activity_id: str,
        retry_state: RetryState | None,
    ) -> None:
        """Creates the error."""
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._started_event_id = started_event_id
        self._identity = identity
        self._activity_type = activity_type
        self._activity_id = activity_id
        self._retry_state = retry_state

    @property
    def scheduled_event_id(self) -> int:
        """Event that scheduled the activity."""
        return self._scheduled_event_id

    @property
    def started_event_id(self) -> int:
        """Event that started it."""
        return self._started_event_id

    @property
    def identity(self) -> str:
        """Worker that ran it."""
        return self._identity

    @property
    def activity_type(self) -> str:
        """Its type."""
        return self._activity_type

    @property
    def activity_id(self) -> str:
        """Its id."""
        return self._activity_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why there was no further attempt."""
        return self._retry_state


class ChildWorkflowError(FailureError):
    """A child workflow failed, as its parent sees it. The child's own error is the cause.

    Args:
        message: What went wrong.
        namespace: Namespace of the child.
        workflow_id: Its workflow id.
        run_id: Its run id.
        workflow_type: Its type.
        initiated_event_id: Event that asked for the child.
        started_event_id: Event that started it.
        retry_state: Why there was no further attempt.
    """

    def __init__(
        self,
        message: str,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str,
        workflow_type: str,
        initiated_event_id: int,
        started_event_id: int,
        retry_state: RetryState | None,
    ) -> None:
        """Creates the error."""
        super().__init__(message)
        self._namespace = namespace
        self._workflow_id = workflow_id
        self._run_id = run_id
        self._workflow_type = workflow_type
        self._initiated_event_id = initiated_event_id
        self._started_event_id = started_event_id
        self._retry_state = retry_state

    @property
    def namespace(self) -> str:
        """Namespace of the child."""
        return self._namespace

    @property
    def workflow_id(self) -> str:
        """Its workflow id."""
        return self._workflow_id

    @property
    def run_id(self) -> str:
        """Its run id."""
        return self._run_id

    @property
    def workflow_type(self) -> str:
        """Its type."""
        return self._workflow_type

    @property
    def initiated_event_id(self) -> int:
        """Event that asked for the child."""
        return self._initiated_event_id

    @property
    def started_event_id(self) -> int:
        """Event that started it."""
        return self._started_event_id

    @property
    def retry_state(self) -> RetryState | None:
        """Why there was no further attempt."""
        return self._retry_state


class NexusOperationError(FailureError):
    """A Nexus operation failed, as its caller sees it. The handler's own error is the cause.

    Args:
        message: What went wrong.
        scheduled_event_id: Event that scheduled the operation.
        endpoint: Endpoint it was called at.
        service: Service it belongs to.
        operation: Its name.
        operation_token: Token of an asynchronous operation, empty otherwise.
    """

    def __init__(
        self,
        message: str,
        *,
        scheduled_event_id: int,
        endpoint: str,
        service: str,
        operation: str,
        operation_token: str,
    ) -> None:
        """Creates the error."""
        super().__init__(message)
        self._scheduled_event_id = scheduled_event_id
        self._endpoint = endpoint
        self._service = service
        self._operation = operation
        self._operation_token = operation_token

    @property
    def scheduled_event_id(self) -> int:
        """Event that scheduled the operation."""
        return self._scheduled_event_id

    @property
    def endpoint(self) -> str:
        """Endpoint it was called at."""
        return self._endpoint

    @property
    def service(self) -> str:
        """Service it belongs to."""
        return self._service

    @property
    def operation(self) -> str:
        """Its name."""
        return self._operation

    @property
    def operation_token(self) -> str:
        """Token of an asynchronous operation, empty otherwise."""
        return self._operation_token


class NexusHandlerError(FailureError):
    """The handler of a Nexus operation refused or broke, rather than the operation having failed.

    Args:
        message: What went wrong.
        type: The kind of problem, ``BAD_REQUEST`` or ``NOT_FOUND`` say: a predefined handler error of Nexus RPC.
        retryable: Whether the handler said that the call may be repeated; ``None`` if its type decides.
    """

    def __init__(self, message: str, *, type: str, retryable: bool | None = None) -> None:
        """Creates the error."""
        super().__init__(message)
        self._type = type
        self._retryable = retryable

    @property
    def type(self) -> str:
        """The kind of problem."""
        return self._type

    @property
    def retryable(self) -> bool | None:
        """Whether the handler said that the call may be repeated; ``None`` if its type decides."""
        return self._retryable


def is_cancelled_exception(exception: BaseException) -> bool:
    """Whether the exception means cancellation, Python's or Temporal's.

    True for ``asyncio.CancelledError`` and :class:`CancelledError`, and for an activity, child workflow or Nexus
    operation that failed because it was cancelled.
    """
    if isinstance(exception, (asyncio.CancelledError, CancelledError)):
        return True
    wrapped = isinstance(exception, (ActivityError, ChildWorkflowError, NexusOperationError))
    return wrapped and isinstance(exception.__cause__, CancelledError)
