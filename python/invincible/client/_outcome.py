"""Workflows that did not complete, as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    FailureError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)

from ._errors import WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowTaskFailedError

if TYPE_CHECKING:
    from invincible._native import WorkflowOutcome
    from invincible.converter import DataConverter

# The server knows of nondeterminism a moment before the worker can explain it; seconds that this may take.
_EXPLANATION_TIMEOUT = 1.0
# The reason that the server gives where workflow code has raised an exception.
_RAISED = "WORKFLOW_WORKER_UNHANDLED_FAILURE"


async def failure_of(
    outcome: WorkflowOutcome, workflow_id: str, converter: DataConverter, parent: str | None = None
) -> Exception:
    """The exception for those who wait for the result, of the workflow or of the parent that waits for it."""
    if outcome.kind == "continued_as_new":
        return WorkflowContinuedAsNewError(outcome.new_execution_run_id)
    if outcome.kind == "task_failed":
        return await _task_failure(outcome, workflow_id, converter, parent)
    return WorkflowFailureError(cause=await _cause(outcome, converter))


async def _cause(outcome: WorkflowOutcome, converter: DataConverter) -> BaseException:
    if outcome.kind == "timed_out":
        return TimeoutError("Workflow timed out", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[])
    if outcome.kind == "canceled":
        return CancelledError("Workflow cancelled", *await converter.decode(outcome.payloads))
    if outcome.kind == "terminated":
        return TerminatedError(outcome.reason or "Workflow terminated", *await converter.decode(outcome.payloads))
    if outcome.failure is None:
        return FailureError("the server did not tell why")
    return await converter.decode_failure(outcome.failure)


async def _task_failure(
    outcome: WorkflowOutcome, workflow_id: str, converter: DataConverter, parent: str | None
) -> WorkflowTaskFailedError:
    from ._task_failures import task_failures

    told = await _cause(outcome, converter)
    message, stack_trace = str(told), ""
    if isinstance(told, FailureError):
        message = told.message
        stack_trace = "" if told.failure is None else told.failure.stack_trace
    if outcome.reason == "NON_DETERMINISTIC_ERROR":
        cause = await task_failures.find_nondeterminism(workflow_id, outcome.run_id, message, _EXPLANATION_TIMEOUT)
        message = message if cause is None else str(cause)
    else:
        cause = task_failures.find(workflow_id, outcome.run_id)
    return WorkflowTaskFailedError(
        workflow_id,
        outcome.run_id,
        outcome.reason,
        message,
        stack_trace,
        raised=_raised(told if cause is None else cause) if outcome.reason == _RAISED else None,
        parent=parent,
        cause=told if cause is None else cause,
    )


def _raised(error: BaseException) -> str | None:
    return error.type if isinstance(error, ApplicationError) else type(error).__name__
