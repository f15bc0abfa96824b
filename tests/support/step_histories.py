"""Histories of any length, written instead of recorded: of a workflow that takes its steps from its argument."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from invincible import workflow
from invincible.api.common.v1 import Payload, Payloads
from invincible.api.enums.v1 import EventType
from invincible.api.history.v1 import History, HistoryEvent
from invincible.client import WorkflowHistory

SECOND = timedelta(seconds=1)

# What `history_of` can write. A kind is a step, or several with a comma, of which the last ends the workflow task.
KINDS = (
    "timer",
    "activity",
    "abandon",
    "cancel,timer",
    "signal",
    "signal,timer",
    "update",
    "update,activity",
    "local,timer",
    "patch,activity",
    "local,local,signal",
)
# Those that end no workflow task.
WITHIN_TASK = ("cancel", "local", "patch")
ENDS = ("completed", "terminated", "timed-out", "open", "started")
DISTURBANCES = ("failed", "timed-out", "heartbeat")


@workflow.defn
class Steps:
    """Takes one step after the other; some of them end a workflow task, others are part of it."""

    def __init__(self) -> None:
        self.signals = 0
        self.updates = 0

    @workflow.run
    async def run(self, steps: list[str]) -> int:
        signals = updates = 0
        for number, step in enumerate(steps):
            if step == "timer":
                await asyncio.sleep(1)
            elif step == "activity":
                await workflow.execute_activity("step", number, start_to_close_timeout=SECOND)
            elif step in ("abandon", "cancel"):
                handle = workflow.start_activity(
                    "step",
                    number,
                    start_to_close_timeout=SECOND,
                    cancellation_type=workflow.ActivityCancellationType.ABANDON,
                )
                await asyncio.sleep(1)
                handle.cancel()
                await asyncio.wait((handle,))
            elif step == "local":
                await workflow.execute_local_activity("step", number, start_to_close_timeout=SECOND)
            elif step == "patch":
                assert workflow.patched(f"patch-{number}")
            elif step == "signal":
                signals += 1
                await workflow.wait_condition(lambda: self.signals >= signals)  # noqa: B023
            elif step == "update":
                updates += 1
                await workflow.wait_condition(lambda: self.updates >= updates)  # noqa: B023
        return len(steps)

    @workflow.signal
    def poke(self) -> None:
        self.signals += 1

    @workflow.update
    def change(self, by: int) -> int:
        self.updates += by
        return self.updates

    @change.validator
    def _check(self, by: int) -> None:
        assert by > 0


class Writer:
    """Writes a history of `Steps` event by event."""

    def __init__(self, steps: Sequence[str]) -> None:
        self.history = History()
        self.now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.task = 0
        self.activities = self.timers = self.updates = 0
        self.waiting: list[tuple[str, int]] = []
        started = self.event("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
        started.workflow_type.name = "Steps"
        started.task_queue.name = "steps"
        started.original_execution_run_id = started.first_execution_run_id = "run-of-steps"
        started.attempt = 1
        started.workflow_task_timeout.FromTimedelta(10 * SECOND)
        started.input.CopyFrom(_payloads(list(steps)))

    def event(self, kind: str) -> HistoryEvent:
        self.now += timedelta(milliseconds=1)
        event = self.history.events.add(event_id=len(self.history.events) + 1)
        event.event_time.FromDatetime(self.now)
        event.event_type = EventType.Value(f"EVENT_TYPE_{kind}")
        return event

    def start_task(self) -> HistoryEvent:
        scheduled = self.event("WORKFLOW_TASK_SCHEDULED")
        scheduled.workflow_task_scheduled_event_attributes.attempt = 1
        event = self.event("WORKFLOW_TASK_STARTED")
        event.workflow_task_started_event_attributes.scheduled_event_id = scheduled.event_id
        event.workflow_task_started_event_attributes.history_size_bytes = 100 * event.event_id
        return event

    def complete_task(self, build: str = "") -> None:
        event = self.event("WORKFLOW_TASK_COMPLETED")
        attributes = event.workflow_task_completed_event_attributes
        attributes.scheduled_event_id, attributes.started_event_id = event.event_id - 2, event.event_id - 1
        if not self.task:
            attributes.sdk_metadata.core_used_flags.extend((1, 2, 3))
        if build:
            attributes.worker_version.build_id = build
        self.task = event.event_id
        for kind, task in self.waiting:
            self.answer_update(kind, task)
        self.waiting.clear()

    def answer_update(self, update_id: str, sequenced: int) -> None:
        event = self.event("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")
        accepted = event.workflow_execution_update_accepted_event_attributes
        accepted.protocol_instance_id = update_id
        accepted.accepted_request_message_id = f"{update_id}/request"
        accepted.accepted_request_sequencing_event_id = sequenced
        accepted.accepted_request.meta.update_id = update_id
        accepted.accepted_request.input.name = "change"
        accepted.accepted_request.input.args.CopyFrom(_payloads(1))
        completed = self.event("WORKFLOW_EXECUTION_UPDATE_COMPLETED")
        attributes = completed.workflow_execution_update_completed_event_attributes
        attributes.meta.update_id = update_id
        attributes.accepted_event_id = event.event_id
        attributes.outcome.success.CopyFrom(_payloads(self.updates))

    def step(self, number: int, step: str) -> bool:
        """Returns whether the workflow waits for another task now."""
        if step == "timer":
            self.fire(self.timer())
        elif step == "activity":
            self.end_activity(self.activity(number))
        elif step == "abandon":
            scheduled = self.activity(number)
            self.fire(self.timer())
            self.start_task()
            self.complete_task()
            self.end_activity(scheduled)
        elif step == "cancel":
            self.activity(number)
            self.fire(self.timer())
            self.start_task()
            self.complete_task()
        elif step == "signal":
            self.event("WORKFLOW_EXECUTION_SIGNALED").workflow_execution_signaled_event_attributes.signal_name = "poke"
        elif step == "update":
            self.updates += 1
            self.waiting.append((f"update-{self.updates}", len(self.history.events)))
        elif step == "local":
            self.local_activity()
        elif step == "patch":
            self.patch(f"patch-{number}")
        return step not in WITHIN_TASK

    def timer(self) -> int:
        event = self.event("TIMER_STARTED")
        self.timers += 1
        attributes = event.timer_started_event_attributes
        attributes.timer_id = str(self.timers)
        attributes.start_to_fire_timeout.FromTimedelta(SECOND)
        attributes.workflow_task_completed_event_id = self.task
        return event.event_id

    def fire(self, started: int) -> None:
        self.now += SECOND
        attributes = self.event("TIMER_FIRED").timer_fired_event_attributes
        attributes.timer_id = str(self.timers)
        attributes.started_event_id = started

    def activity(self, number: int) -> int:
        event = self.event("ACTIVITY_TASK_SCHEDULED")
        self.activities += 1
        attributes = event.activity_task_scheduled_event_attributes
        attributes.activity_id = str(self.activities)
        attributes.activity_type.name = "step"
        attributes.task_queue.name = "steps"
        attributes.input.CopyFrom(_payloads(number))
        attributes.workflow_task_completed_event_id = self.task
        return event.event_id

    def end_activity(self, scheduled: int) -> None:
        started = self.event("ACTIVITY_TASK_STARTED")
        started.activity_task_started_event_attributes.scheduled_event_id = scheduled
        attributes = self.event("ACTIVITY_TASK_COMPLETED").activity_task_completed_event_attributes
        attributes.scheduled_event_id = scheduled
        attributes.started_event_id = started.event_id
        attributes.result.CopyFrom(_payloads("done"))

    def local_activity(self) -> None:
        self.activities += 1
        data = {
            "seq": self.activities,
            "attempt": 1,
            "activity_id": str(self.activities),
            "activity_type": "step",
            "complete_time": {"seconds": int(self.now.timestamp()), "nanos": 0},
            "backoff": None,
            "original_schedule_time": {"seconds": int(self.now.timestamp()), "nanos": 0},
        }
        attributes = self.event("MARKER_RECORDED").marker_recorded_event_attributes
        attributes.marker_name = "core_local_activity"
        attributes.details["data"].CopyFrom(_payloads(data))
        attributes.details["result"].CopyFrom(_payloads("done"))
        attributes.workflow_task_completed_event_id = self.task

    def patch(self, patch_id: str) -> None:
        attributes = self.event("MARKER_RECORDED").marker_recorded_event_attributes
        attributes.marker_name = "core_patch"
        attributes.details["patch-data"].CopyFrom(_payloads({"id": patch_id, "deprecated": False}))
        attributes.workflow_task_completed_event_id = self.task
        upserted = self.event("UPSERT_WORKFLOW_SEARCH_ATTRIBUTES").upsert_workflow_search_attributes_event_attributes
        upserted.search_attributes.indexed_fields["TemporalChangeVersion"].CopyFrom(_payloads([patch_id]).payloads[0])
        upserted.workflow_task_completed_event_id = self.task

    def disturb(self, kind: str) -> None:
        """Let the next task have something before it."""
        started = self.start_task().event_id
        if kind == "failed":
            failed = self.event("WORKFLOW_TASK_FAILED").workflow_task_failed_event_attributes
            failed.scheduled_event_id, failed.started_event_id = started - 1, started
        elif kind == "timed-out":
            timed_out = self.event("WORKFLOW_TASK_TIMED_OUT").workflow_task_timed_out_event_attributes
            timed_out.scheduled_event_id, timed_out.started_event_id = started - 1, started
        elif kind == "heartbeat":
            completed = self.event("WORKFLOW_TASK_COMPLETED").workflow_task_completed_event_attributes
            completed.scheduled_event_id, completed.started_event_id = started - 1, started

    def end(self, kind: str, steps: Sequence[str]) -> None:
        if kind == "completed":
            attributes = self.event("WORKFLOW_EXECUTION_COMPLETED").workflow_execution_completed_event_attributes
            attributes.workflow_task_completed_event_id = self.task
            attributes.result.CopyFrom(_payloads(len(steps)))
        elif kind == "terminated":
            self.event("WORKFLOW_EXECUTION_TERMINATED").workflow_execution_terminated_event_attributes.reason = "enough"
        elif kind == "timed-out":
            self.event("WORKFLOW_EXECUTION_TIMED_OUT")


def _payloads(value: Any) -> Payloads:
    return Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())])


def history_of(
    steps: Iterable[str],
    *,
    end: str = "completed",
    disturbed: dict[int, str] | None = None,
    builds: dict[int, str] | None = None,
    run_id: str = "run-of-steps",
) -> WorkflowHistory:
    """The history of `Steps` with these steps.

    Args:
        steps: Of those in `KINDS`; those `WITHIN_TASK` need another behind them.
        end: One of `ENDS`; "open" is after the last task, "started" within it.
        disturbed: What comes before the task after the step of a number: one of `DISTURBANCES`.
        builds: The build that completed the task after the step of a number.
    """
    steps = list(steps)
    disturbed, builds = disturbed or {}, builds or {}
    writer = Writer(steps)
    writer.history.events[0].workflow_execution_started_event_attributes.original_execution_run_id = run_id
    writer.start_task()
    writer.complete_task(builds.get(-1, ""))
    for number, step in enumerate(steps):
        if not writer.step(number, step):
            continue
        if number in disturbed:
            writer.disturb(disturbed[number])
        writer.start_task()
        if end != "started" or number < len(steps) - 1:
            writer.complete_task(builds.get(number, ""))
    writer.end(end, steps)
    return WorkflowHistory(f"steps-{run_id}", list(writer.history.events))
