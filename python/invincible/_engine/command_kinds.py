"""The kinds of commands: in words, as events of the history, and as Core's messages call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CommandKind:
    """A kind of command.

    Args:
        words: What the workflow code did, with the attributes to fill in.
        attributes: What tells a command from others of its kind, and how to cancel it. The first is the number that
            cancellations refer to.
        event: The event that the server records; ``None`` if the command itself makes none.
        machine: The state machine of Core that meets this event.
        cancels: For a cancellation, the kind that it cancels.
        abandon: The ``cancellation_type`` with which a cancellation makes no event.
    """

    words: str
    attributes: tuple[str, ...]
    event: str | None
    machine: str
    cancels: str | None = None
    abandon: int | None = None


_CANCEL_EXTERNAL = "Cancel external WF machine"
_CANCEL_EXTERNAL_EVENT = "RequestCancelExternalWorkflowExecutionInitiated"

KINDS: Mapping[str, CommandKind] = {
    "StartTimer": CommandKind(
        "started a timer of {duration:g} s", ("seq", "duration"), "TimerStarted", "Timer machine"
    ),
    "CancelTimer": CommandKind(
        "cancelled timer {seq}", ("seq",), "TimerCanceled", "Timer machine", cancels="StartTimer"
    ),
    "ScheduleActivity": CommandKind(
        "scheduled activity {activity_type!r} with id {activity_id!r}",
        ("seq", "activity_type", "activity_id", "cancellation_type"),
        "ActivityTaskScheduled",
        "Activity machine",
        abandon=2,
    ),
    "RequestCancelActivity": CommandKind(
        "asked to cancel activity {seq}",
        ("seq",),
        "ActivityTaskCancelRequested",
        "Activity machine",
        cancels="ScheduleActivity",
    ),
    "ScheduleLocalActivity": CommandKind(
        "scheduled local activity {activity_type!r} with id {activity_id!r}",
        ("seq", "activity_type", "activity_id"),
        None,
        "Local activity machine",
    ),
    "RequestCancelLocalActivity": CommandKind(
        "asked to cancel local activity {seq}", ("seq",), None, "Local activity machine"
    ),
    "StartChildWorkflowExecution": CommandKind(
        "started child workflow {workflow_type!r} with id {workflow_id!r}",
        ("seq", "workflow_type", "workflow_id", "cancellation_type"),
        "StartChildWorkflowExecutionInitiated",
        "Child workflow machine",
        abandon=0,
    ),
    "CancelChildWorkflowExecution": CommandKind(
        "asked to cancel child workflow {child_workflow_seq}",
        ("child_workflow_seq",),
        _CANCEL_EXTERNAL_EVENT,
        _CANCEL_EXTERNAL,
        cancels="StartChildWorkflowExecution",
    ),
    "RequestCancelExternalWorkflowExecution": CommandKind(
        "asked to cancel workflow {workflow_id!r}", ("seq", "workflow_id"), _CANCEL_EXTERNAL_EVENT, _CANCEL_EXTERNAL
    ),
    "SignalExternalWorkflowExecution": CommandKind(
        "sent signal {signal_name!r} to another workflow",
        ("seq", "signal_name"),
        "SignalExternalWorkflowExecutionInitiated",
        "Signal external WF machine",
    ),
    "CancelSignalWorkflow": CommandKind(
        "cancelled signal {seq}",
        ("seq",),
        None,
        "Signal external WF machine",
        cancels="SignalExternalWorkflowExecution",
    ),
    "ScheduleNexusOperation": CommandKind(
        "scheduled Nexus operation {operation!r}",
        ("seq", "operation", "cancellation_type"),
        "NexusOperationScheduled",
        "Nexus operation machine",
        abandon=1,
    ),
    "RequestCancelNexusOperation": CommandKind(
        "asked to cancel Nexus operation {seq}",
        ("seq",),
        "NexusOperationCancelRequested",
        "Nexus operation machine",
        cancels="ScheduleNexusOperation",
    ),
    "SetPatchMarker": CommandKind("asked for patch {patch_id!r}", ("patch_id",), "MarkerRecorded", "Change machine"),
    "UpsertWorkflowSearchAttributes": CommandKind(
        "changed search attributes", (), "UpsertWorkflowSearchAttributes", "UpsertWorkflowSearchAttributesMachine"
    ),
    "ModifyWorkflowProperties": CommandKind(
        "changed the memo", (), "WorkflowPropertiesModified", "ModifyWorkflowPropertiesMachine"
    ),
    "UpdateAccepted": CommandKind(
        "accepted update {protocol_instance_id!r}",
        ("protocol_instance_id",),
        "WorkflowExecutionUpdateAccepted",
        "Update machine",
    ),
    "UpdateCompleted": CommandKind(
        "completed update {protocol_instance_id!r}",
        ("protocol_instance_id",),
        "WorkflowExecutionUpdateCompleted",
        "Update machine",
    ),
    "CompleteWorkflowExecution": CommandKind("returned", (), "WorkflowExecutionCompleted", "Complete workflow machine"),
    "FailWorkflowExecution": CommandKind("failed", (), "WorkflowExecutionFailed", "Fail workflow machine"),
    "CancelWorkflowExecution": CommandKind(
        "ended as cancelled", (), "WorkflowExecutionCanceled", "Cancel workflow machine"
    ),
    "ContinueAsNewWorkflowExecution": CommandKind(
        "continued as new", (), "WorkflowExecutionContinuedAsNew", "Continue as new workflow machine"
    ),
}
