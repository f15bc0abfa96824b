"""What the values of a run belong to, for converters and codecs that want to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from invincible.converter import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WorkflowSerializationContext,
)

if TYPE_CHECKING:
    from .run import WorkflowRun

# The server's own Nexus endpoint, and its service with the operations of every client.
SYSTEM_ENDPOINT = "__temporal_system"


def workflow_context(run: WorkflowRun, workflow_id: str) -> WorkflowSerializationContext | None:
    """The context of a workflow's values; ``None`` if nobody wants to know."""
    if not run.worker.contextual:
        return None
    return WorkflowSerializationContext(namespace=run.worker.namespace, workflow_id=workflow_id)


def activity_context(
    run: WorkflowRun, activity_type: str, activity_id: str | None, task_queue: str | None, *, is_local: bool = False
) -> ActivitySerializationContext | None:
    """The context of an activity's values; ``None`` if nobody wants to know.

    Args:
        run: The run that schedules it.
        activity_type: Its type.
        activity_id: The id that the workflow has given it; one that it got is no part of the context.
        task_queue: Its task queue, where it is not that of the worker.
        is_local: Whether it is a local activity.
    """
    if not run.worker.contextual:
        return None
    return ActivitySerializationContext(
        namespace=run.worker.namespace,
        activity_id=activity_id,
        activity_type=activity_type,
        activity_task_queue=task_queue or run.worker.task_queue,
        workflow_id=run.init.workflow_id,
        workflow_type=run.init.workflow_type,
        is_local=is_local,
    )


def nexus_context(run: WorkflowRun, endpoint: str, service: str, operation: str) -> NexusSerializationContext | None:
    """The context of a Nexus operation's values; ``None`` if nobody wants to know."""
    if not run.worker.contextual:
        return None
    return NexusSerializationContext(endpoint=endpoint, service=service, operation=operation)


class Operation(Protocol):
    """Something that a run has asked for and waits for."""

    @property
    def what(self) -> str: ...  # how errors name it
    @property
    def context(self) -> SerializationContext | None: ...  # what its values belong to, if somebody wants to know


def operation_of(run: WorkflowRun, message: str, seq: int) -> Operation | None:
    """The operation that a job or command is about.

    Args:
        run: The run. No activation of it may be in work.
        message: The class of the job or command.
        seq: Its sequence number.
    """
    pending = _pending(run, message)
    operation: Operation | None = pending.get(seq) if pending is not None else None
    return operation


def context_of(run: WorkflowRun, message: str, seq: int) -> SerializationContext | None:
    """The context of the values in a job or command: its operation's, see ``operation_of``, or else the workflow's."""
    operation = operation_of(run, message, seq)
    return run.context if operation is None else operation.context


def is_of_server(run: WorkflowRun, message: str, seq: int) -> bool:
    """Whether a job brings what the server itself has made, and no codec has seen; see ``operation_of``."""
    return message.startswith("ResolveNexus") and getattr(operation_of(run, message, seq), "is_system", False)


def _pending(run: WorkflowRun, message: str) -> Any:
    match message:
        case "ScheduleActivity" | "ScheduleLocalActivity" | "ResolveActivity":
            return run.activities.pending
        case "StartChildWorkflowExecution" | "ResolveChildWorkflowExecutionStart" | "ResolveChildWorkflowExecution":
            return run.children.pending
        case "SignalExternalWorkflowExecution" | "ResolveSignalExternalWorkflow":
            return run.external.signals
        case "ResolveRequestCancelExternalWorkflow":
            return run.external.cancellations
        case "ScheduleNexusOperation" | "ResolveNexusOperationStart" | "ResolveNexusOperation":
            return run.nexus.pending
    return None
