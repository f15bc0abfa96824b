"""What calls about workflows raise, beside :class:`~invincible.service.RPCError`."""

from __future__ import annotations

from invincible.exceptions import TemporalError

from ._status import WorkflowExecutionStatus


class WorkflowFailureError(TemporalError):
    """The workflow did not complete: it failed, timed out, was cancelled or terminated.

    Args:
        cause: Why; an :class:`~invincible.exceptions.ApplicationError`, ``CancelledError``, ``TerminatedError``,
            ``TimeoutError`` ...
    """

    def __init__(self, *, cause: BaseException) -> None:
        """Creates the error."""
        super().__init__("Workflow execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why the workflow did not complete."""
        assert self.__cause__ is not None
        return self.__cause__


class WorkflowContinuedAsNewError(TemporalError):
    """The run ended by continuing as a new one, and later runs were not to be followed.

    Args:
        new_execution_run_id: The new run.
    """

    def __init__(self, new_execution_run_id: str) -> None:
        """Creates the error."""
        super().__init__("Workflow continued as new")
        self._new_execution_run_id = new_execution_run_id

    @property
    def new_execution_run_id(self) -> str:
        """The new run."""
        return self._new_execution_run_id


class NexusOperationFailureError(TemporalError):
    """The standalone Nexus operation did not complete: it failed, timed out, was cancelled or terminated.

    Args:
        cause: Why; an :class:`~invincible.exceptions.ApplicationError`, ``CancelledError``, ``TerminatedError``,
            ``TimeoutError`` ...
    """

    def __init__(self, *, cause: BaseException) -> None:
        """Creates the error."""
        super().__init__("Nexus operation execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why the operation did not complete."""
        assert self.__cause__ is not None
        return self.__cause__


class WorkflowQueryRejectedError(TemporalError):
    """The query was rejected for the status of the workflow, as the reject condition says.

    Args:
        status: That status.
    """

    def __init__(self, status: WorkflowExecutionStatus | None) -> None:
        """Creates the error."""
        super().__init__(f"Query rejected, status: {status.name if status is not None else None}")
        self._status = status

    @property
    def status(self) -> WorkflowExecutionStatus | None:
        """Status of the workflow."""
        return self._status


class WorkflowQueryFailedError(TemporalError):
    """The query handler raised, or there is none. Its own exception, where it is known, is the ``__cause__``.

    Args:
        message: The message of that exception.
    """

    def __init__(self, message: str) -> None:
        """Creates the error."""
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        """The message of the handler's exception."""
        return self._message


class WorkflowUpdateFailedError(TemporalError):
    """The update did not succeed: its validator rejected it, its handler raised, or there is none.

    Args:
        cause: Why; an :class:`~invincible.exceptions.ApplicationError`, mostly.
    """

    def __init__(self, cause: BaseException) -> None:
        """Creates the error."""
        super().__init__("Workflow update failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why the update did not succeed."""
        assert self.__cause__ is not None
        return self.__cause__


class RPCTimeoutOrCancelledError(TemporalError):
    """A call ran into its deadline, or was cancelled."""


class WorkflowUpdateRPCTimeoutOrCancelledError(RPCTimeoutOrCancelledError):
    """Waiting for an update ran into its deadline, or was cancelled. The update itself goes on.

    The ``__cause__`` is an ``asyncio.CancelledError`` if the wait was cancelled.
    """

    def __init__(self) -> None:
        """Creates the error."""
        super().__init__("Timeout or cancellation waiting for update")


class NoWorkerError(TemporalError):
    """A workflow waits on a task queue that no worker polls.

    Raised to those who wait for what a workflow does, by clients of a test environment only. Elsewhere they wait on: a
    worker may come at any time.

    Args:
        workflow_id: The workflow.
        task_queue: The task queue.
        activity_type: The activity that it waits for; ``None`` if no worker runs the workflow itself.
    """

    def __init__(self, workflow_id: str, task_queue: str, activity_type: str | None) -> None:
        """Creates the error."""
        if activity_type is None:
            problem = f"waits on task queue {task_queue!r}, and no worker polls that for workflows"
            advice = "is it the name that the worker has, and does the worker run?"
        else:
            problem = (
                f"waits for activity {activity_type!r} on task queue {task_queue!r}, and no worker polls that for "
                "activities"
            )
            advice = "give a worker there activities=[...]; invincible.testing.mock_activity makes a mock of one"
        super().__init__(f"workflow {workflow_id!r} {problem}: {advice}")
        self.workflow_id = workflow_id
        self.task_queue = task_queue
        self.activity_type = activity_type


class WorkflowTaskFailedError(TemporalError):
    """Workflow code has a bug: a workflow task failed, and the server would try it again for ever.

    Raised to those who wait for what a workflow does, by clients of a test environment only: for the result of it, or
    of a parent that waits for it, for an update or the answer to a query. Elsewhere they wait on: the bug may be fixed
    while the workflow runs. The exception that the workflow raised is the ``__cause__``.

    Args:
        workflow_id: The workflow.
        run_id: Its run.
        reason: Name of the server's reason, ``WORKFLOW_WORKER_UNHANDLED_FAILURE`` say.
        message: Message of the failure.
        stack_trace: Traceback in the workflow's code, as text.
        raised: Name of the exception's class, if workflow code has raised one.
        parent: Id of the workflow that waits for this one, if that is the one asked for.
        cause: The exception.
    """

    def __init__(
        self,
        workflow_id: str,
        run_id: str,
        reason: str,
        message: str,
        stack_trace: str,
        *,
        raised: str | None = None,
        parent: str | None = None,
        cause: BaseException | None = None,
    ) -> None:
        """Creates the error."""
        of = "" if parent is None else f", a child workflow of {parent!r},"
        told = f": {message} ({reason})" if raised is None else f": its code raised {raised}: {message}"
        # An exception that comes with its traceback is shown with it.
        stack = f"\n{stack_trace}" if stack_trace and (cause is None or cause.__traceback__ is None) else ""
        super().__init__(f"workflow {workflow_id!r}{of} cannot go on{told}{stack}")
        self.__cause__ = cause
        self.workflow_id = workflow_id
        self.run_id = run_id
        self.reason = reason
        self.message = message
        self.stack_trace = stack_trace
