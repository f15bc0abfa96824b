"""What each kind of event means for a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from .markers import read_marker
from .messages import duration_of, enum_text, time_of
from .steps import Run, State, Step
from .text import duration_text
from .values import value_text

if TYPE_CHECKING:
    from invincible.api.history.v1 import HistoryEvent

Reader = Callable[[Run, "HistoryEvent", Any], "Step | None"]


def _workflow_started(run: Run, event: HistoryEvent, started: Any) -> None:
    run.workflow_id = started.workflow_id
    run.run_id = started.original_execution_run_id
    run.workflow_type = started.workflow_type.name
    run.task_queue = started.task_queue.name
    run.inputs = started.input.payloads
    run.began = time_of(event, "event_time")
    if started.parent_workflow_execution.workflow_id:
        run.notes.append(("parent", started.parent_workflow_execution.workflow_id))
    if started.continued_execution_run_id:
        how = {"workflow": "continued from", "retry": "retry of", "cron schedule": "cron after"}
        words = how.get(enum_text(started, "initiator"), "continued from")
        run.notes.append((words, started.continued_execution_run_id))
    if started.attempt > 1:
        run.notes.append(("attempt", str(started.attempt)))
    if started.cron_schedule:
        run.notes.append(("cron", started.cron_schedule))
    delay = duration_of(started, "first_workflow_task_backoff")
    if delay is not None:
        run.notes.append(("delayed by", duration_text(delay)))


def _ended(status: str) -> Reader:
    def read(run: Run, event: HistoryEvent, ended: Any) -> None:
        run.status, run.ended = status, time_of(event, "event_time")
        run.waits_since = run.paused_since = None
        fields = ended.DESCRIPTOR.fields_by_name
        if "failure" in fields and ended.HasField("failure"):
            run.failure = ended.failure
        for name in ("result", "details", "input"):
            if name in fields and ended.HasField(name):
                run.result = getattr(ended, name).payloads
        if "reason" in fields and ended.reason:
            run.ending.append(f"reason: {ended.reason}")
        if status == "terminated" and ended.identity:
            run.ending.append(f"by {ended.identity}")
        if "retry_state" in fields and enum_text(ended, "retry_state") == "maximum attempts reached":
            run.ending.append("maximum attempts reached")
        if "new_execution_run_id" in fields and ended.new_execution_run_id:
            run.next_run_id = ended.new_execution_run_id
            run.ending.append(f"goes on as run {run.next_run_id}")

    return read


def _task_scheduled(run: Run, event: HistoryEvent, task: Any) -> None:
    run.waits_since, run.task_started = time_of(event, "event_time"), False
    run.task_attempt = task.attempt


def _task_started(run: Run, _: HistoryEvent, __: Any) -> None:
    run.task_started = True


def _task_completed(run: Run, _: HistoryEvent, __: Any) -> None:
    run.waits_since, run.task_started = None, False


def _task_failed(run: Run, event: HistoryEvent, failed: Any) -> Step | None:
    run.waits_since, run.task_started = None, False
    cause = enum_text(failed, "cause")
    if cause == "reset workflow":
        return run.tell(event, "reset", "", notes=[f"from run {failed.base_run_id}"])
    if cause in ("unhandled command", "force close command"):
        return None  # the task is done again, with what came meanwhile: nothing is wrong
    before = run.steps[-1] if run.steps else None
    failure = failed.failure if failed.HasField("failure") else None
    if before is not None and before.kind == "workflow task" and before.failure == failure and cause in before.notes:
        before.attempt += 1
        before.ended = time_of(event, "event_time")
        return before
    step = run.begin(event, "workflow task", "", state="failed", notes=[cause], failure=failure)
    step.ended = step.began
    return step


def _task_timed_out(run: Run, event: HistoryEvent, timed_out: Any) -> Step | None:
    run.waits_since, run.task_started = None, False
    which = enum_text(timed_out, "timeout_type").replace(" ", "-")
    if which == "schedule-to-start":
        return None  # the worker that has the run cached did not take it: others may
    step = run.begin(event, "workflow task", "", state="timed out", notes=[which])
    step.ended = step.began
    return step


def _activity_scheduled(run: Run, event: HistoryEvent, scheduled: Any) -> Step:
    name, inputs = scheduled.activity_type.name, scheduled.input.payloads
    step = run.begin(event, "activity", name, inputs=inputs, key=scheduled.activity_id)
    if scheduled.task_queue.name not in ("", run.task_queue):
        step.notes.append(f"on {scheduled.task_queue.name}")
    return step


def _activity_started(run: Run, _: HistoryEvent, started: Any) -> Step | None:
    step = run.step_at(started.scheduled_event_id)
    if step is not None:
        step.started, step.attempt = True, started.attempt
        if started.HasField("last_failure"):
            step.last_failure = started.last_failure
    return step


def _timer_started(run: Run, event: HistoryEvent, started: Any) -> Step:
    duration = duration_of(started, "start_to_fire_timeout") or timedelta(0)
    return run.begin(event, "timer", "", duration=duration)


def _cancel_requested(run: Run, _: HistoryEvent, requested: Any) -> Step | None:
    step = run.step_at(requested.scheduled_event_id)
    if step is not None:
        step.notes.append("cancellation requested")
    return step


def _closes(state: State, by: str = "scheduled_event_id") -> Reader:
    def read(run: Run, event: HistoryEvent, closed: Any) -> Step | None:
        step = run.step_at(getattr(closed, by))
        if step is None:
            return None
        step.end(event, state)
        fields = closed.DESCRIPTOR.fields_by_name
        if "failure" in fields and closed.HasField("failure"):
            step.failure = closed.failure
        if "cause" in fields and state == "failed" and (cause := enum_text(closed, "cause")):
            step.notes.append(cause)
        for name in ("result", "details"):
            if name in fields and closed.HasField(name):
                value = getattr(closed, name)
                step.result = value.payloads if hasattr(value, "payloads") else [value]
        return step

    return read


def _child_initiated(run: Run, event: HistoryEvent, initiated: Any) -> Step:
    step = run.begin(event, "child workflow", initiated.workflow_type.name, inputs=initiated.input.payloads)
    step.notes.append(f"id {initiated.workflow_id}")
    if initiated.task_queue.name not in ("", run.task_queue):
        step.notes.append(f"on {initiated.task_queue.name}")
    return step


def _begun(by: str) -> Reader:
    def read(run: Run, _: HistoryEvent, started: Any) -> Step | None:
        step = run.step_at(getattr(started, by))
        if step is not None:
            step.started = True
        return step

    return read


def _signaled(run: Run, event: HistoryEvent, signaled: Any) -> Step:
    step = run.tell(event, "signal", signaled.signal_name, inputs=signaled.input.payloads)
    if signaled.external_workflow_execution.workflow_id:
        step.notes.append(f"from workflow {signaled.external_workflow_execution.workflow_id}")
    return step


def _told_to_cancel(run: Run, event: HistoryEvent, requested: Any) -> Step:
    step = run.tell(event, "cancellation requested", "")
    if requested.external_workflow_execution.workflow_id:
        step.notes.append(f"by workflow {requested.external_workflow_execution.workflow_id}")
    if requested.cause:
        step.notes.append(f"reason: {requested.cause}")
    return step


def _signal_sent(run: Run, event: HistoryEvent, initiated: Any) -> Step:
    to = initiated.workflow_execution.workflow_id
    return run.begin(
        event, "signal to workflow", initiated.signal_name, inputs=initiated.input.payloads, notes=[f"to {to}"]
    )


def _cancel_sent(run: Run, event: HistoryEvent, initiated: Any) -> Step:
    to = initiated.workflow_execution.workflow_id
    return run.begin(event, "cancellation of workflow", "", notes=[f"of {to}"])


def _update_accepted(run: Run, event: HistoryEvent, accepted: Any) -> Step:
    request = accepted.accepted_request
    step = run.begin(event, "update", request.input.name, inputs=request.input.args.payloads, started=True)
    step.notes.append(f"id {request.meta.update_id or accepted.protocol_instance_id}")
    return step


def _update_completed(run: Run, event: HistoryEvent, completed: Any) -> Step | None:
    step = run.step_at(completed.accepted_event_id)
    if step is None:
        return None
    if completed.outcome.HasField("failure"):
        step.end(event, "failed")
        step.failure = completed.outcome.failure
    else:
        step.end(event, "done")
        step.result = completed.outcome.success.payloads
    return step


def _update_rejected(run: Run, event: HistoryEvent, rejected: Any) -> Step:
    request = rejected.rejected_request
    step = run.begin(event, "update", request.input.name, inputs=request.input.args.payloads, notes=["rejected"])
    step.end(event, "failed")
    step.failure = rejected.failure
    return step


def _update_admitted(run: Run, event: HistoryEvent, admitted: Any) -> Step:
    request = admitted.request
    return run.tell(event, "update admitted", request.input.name, inputs=request.input.args.payloads)


def _nexus_scheduled(run: Run, event: HistoryEvent, scheduled: Any) -> Step:
    name = f"{scheduled.service}.{scheduled.operation}"
    inputs = [scheduled.input] if scheduled.HasField("input") else []
    return run.begin(event, "Nexus operation", name, inputs=inputs, notes=[f"at {scheduled.endpoint}"])


def _search_attributes(run: Run, event: HistoryEvent, upserted: Any) -> Step | None:
    fields = upserted.search_attributes.indexed_fields
    if fields.keys() == {"TemporalChangeVersion"}:
        return None  # SDKs do it for each patch, which has a marker
    notes = [f"{name} = {value_text(payload, 60)}" for name, payload in sorted(fields.items())]
    return run.tell(event, "search attributes", "", notes=notes)


def _properties(run: Run, event: HistoryEvent, modified: Any) -> Step:
    notes = [f"{name} = {value_text(payload, 60)}" for name, payload in sorted(modified.upserted_memo.fields.items())]
    return run.tell(event, "memo", "", notes=notes)


def _paused(run: Run, event: HistoryEvent, told: Any) -> Step:
    run.status, run.paused_since = "paused", time_of(event, "event_time")
    run.paused_by = ": ".join(filter(None, (told.identity, told.reason)))
    return run.tell(event, "paused", "", notes=_reasons(told))


def _unpaused(run: Run, event: HistoryEvent, told: Any) -> Step:
    run.status, run.paused_since = "running", None
    return run.tell(event, "unpaused", "", notes=_reasons(told))


def _reasons(told: Any) -> list[str]:
    return [f"reason: {told.reason}"] if told.reason else []


def _nothing(*_: Any) -> None:
    return None


READERS: dict[str, Reader] = {
    "workflow_execution_started": _workflow_started,
    "workflow_execution_completed": _ended("completed"),
    "workflow_execution_failed": _ended("failed"),
    "workflow_execution_timed_out": _ended("timed out"),
    "workflow_execution_canceled": _ended("cancelled"),
    "workflow_execution_terminated": _ended("terminated"),
    "workflow_execution_continued_as_new": _ended("continued as new"),
    "workflow_task_scheduled": _task_scheduled,
    "workflow_task_started": _task_started,
    "workflow_task_completed": _task_completed,
    "workflow_task_failed": _task_failed,
    "workflow_task_timed_out": _task_timed_out,
    "activity_task_scheduled": _activity_scheduled,
    "activity_task_started": _activity_started,
    "activity_task_completed": _closes("done"),
    "activity_task_failed": _closes("failed"),
    "activity_task_timed_out": _closes("timed out"),
    "activity_task_cancel_requested": _cancel_requested,
    "activity_task_canceled": _closes("cancelled"),
    "timer_started": _timer_started,
    "timer_fired": _closes("done", "started_event_id"),
    "timer_canceled": _closes("cancelled", "started_event_id"),
    "marker_recorded": read_marker,
    "workflow_execution_signaled": _signaled,
    "workflow_execution_cancel_requested": _told_to_cancel,
    "start_child_workflow_execution_initiated": _child_initiated,
    "start_child_workflow_execution_failed": _closes("failed", "initiated_event_id"),
    "child_workflow_execution_started": _begun("initiated_event_id"),
    "child_workflow_execution_completed": _closes("done", "initiated_event_id"),
    "child_workflow_execution_failed": _closes("failed", "initiated_event_id"),
    "child_workflow_execution_canceled": _closes("cancelled", "initiated_event_id"),
    "child_workflow_execution_timed_out": _closes("timed out", "initiated_event_id"),
    "child_workflow_execution_terminated": _closes("terminated", "initiated_event_id"),
    "signal_external_workflow_execution_initiated": _signal_sent,
    "signal_external_workflow_execution_failed": _closes("failed", "initiated_event_id"),
    "external_workflow_execution_signaled": _closes("done", "initiated_event_id"),
    "request_cancel_external_workflow_execution_initiated": _cancel_sent,
    "request_cancel_external_workflow_execution_failed": _closes("failed", "initiated_event_id"),
    "external_workflow_execution_cancel_requested": _closes("done", "initiated_event_id"),
    "workflow_execution_update_admitted": _update_admitted,
    "workflow_execution_update_accepted": _update_accepted,
    "workflow_execution_update_rejected": _update_rejected,
    "workflow_execution_update_completed": _update_completed,
    "nexus_operation_scheduled": _nexus_scheduled,
    "nexus_operation_started": _begun("scheduled_event_id"),
    "nexus_operation_completed": _closes("done"),
    "nexus_operation_failed": _closes("failed"),
    "nexus_operation_canceled": _closes("cancelled"),
    "nexus_operation_timed_out": _closes("timed out"),
    "nexus_operation_cancel_requested": _cancel_requested,
    "nexus_operation_cancel_request_completed": _nothing,
    "nexus_operation_cancel_request_failed": _nothing,
    "upsert_workflow_search_attributes": _search_attributes,
    "workflow_properties_modified": _properties,
    "workflow_execution_paused": _paused,
    "workflow_execution_unpaused": _unpaused,
}
