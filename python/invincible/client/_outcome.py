"""Workflows that did not complete, as exceptions."""

from __future__ import annotations

from invincible._native import WorkflowOutcome
from invincible.converter import DataConverter
from invincible.exceptions import CancelledError, FailureError, TerminatedError, TimeoutError, TimeoutType

from ._errors import WorkflowContinuedAsNewError, WorkflowFailureError, WorkflowTaskFailedError


async def failure_of(outcome: WorkflowOutcome, workflow_id: str, converter: DataConverter) -> Exception:
    """The exception for those who wait for the result."""
    if outcome.kind == "continued_as_new":
        return WorkflowContinuedAsNewError(outcome.new_execution_run_id)
    cause = await _cause(outcome, converter)
    return (
        _task_failure(outcome, workflow_id, cause)
        if outcome.kind == "task_failed"
        else WorkflowFailureError(cause=cause)
    )


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


def _task_failure(outcome: WorkflowOutcome, workflow_id: str, cause: BaseException) -> WorkflowTaskFailedError:
    message, stack_trace = str(cause), ""
    if isinstance(cause, FailureError):
        message = cause.message
        stack_trace = "" if cause.failure is None else cause.failure.stack_trace
    error = WorkflowTaskFailedError(workflow_id, outcome.run_id, outcome.reason, message, stack_trace)
    error.__cause__ = cause
    return error
