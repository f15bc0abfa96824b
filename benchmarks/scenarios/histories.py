"""Program: writes the histories that are replayed. Both SDKs and the floor read the same bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from invincible.api.common.v1 import Payload, Payloads
from invincible.api.enums.v1 import EventType
from invincible.api.history.v1 import History, HistoryEvent

TASK_QUEUE = "bench"
RUN_ID = "0195a5f0-0000-7000-8000-000000000000"
# Core's flags that a server records with a run of today (id and type checks, order of terminal commands).
CORE_FLAGS = (1, 2, 3)
EVENT_GAP = timedelta(milliseconds=2)


def payloads(*values: Any) -> Payloads:
    return Payloads(
        payloads=[Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode()) for value in values]
    )


class HistoryBuilder:
    """Appends events as a server would record them; every method returns the id of the event it ends with."""

    def __init__(self, workflow_type: str, *arguments: Any) -> None:
        self.history = History()
        self.now = datetime(2026, 1, 1, tzinfo=timezone.utc)
        self.task = 0
        self.sized_events = self.size_bytes = 0
        started = self.append("WORKFLOW_EXECUTION_STARTED").workflow_execution_started_event_attributes
        started.workflow_type.name = workflow_type
        started.task_queue.name = TASK_QUEUE
        started.workflow_id = "workflow"
        started.original_execution_run_id = started.first_execution_run_id = RUN_ID
        started.identity = "bench"
        started.attempt = 1
        started.workflow_task_timeout.FromTimedelta(timedelta(seconds=10))
        if arguments:
            started.input.CopyFrom(payloads(*arguments))

    def append(self, kind: str) -> HistoryEvent:
        self.now += EVENT_GAP
        event = self.history.events.add()
        event.event_id = len(self.history.events)
        event.event_time.FromDatetime(self.now)
        event.event_type = EventType.Value(f"EVENT_TYPE_{kind}")
        event.task_id = 1048576 + event.event_id
        return event

    def size(self) -> int:
        """Bytes of the events so far; each is looked at once."""
        new = self.history.events[self.sized_events :]
        self.size_bytes += sum(event.ByteSize() for event in new)
        self.sized_events += len(new)
        return self.size_bytes

    def workflow_task(self) -> int:
        scheduled = self.append("WORKFLOW_TASK_SCHEDULED")
        scheduled.workflow_task_scheduled_event_attributes.task_queue.name = TASK_QUEUE
        scheduled.workflow_task_scheduled_event_attributes.attempt = 1
        started = self.append("WORKFLOW_TASK_STARTED")
        started.workflow_task_started_event_attributes.scheduled_event_id = scheduled.event_id
        started.workflow_task_started_event_attributes.identity = "bench"
        started.workflow_task_started_event_attributes.history_size_bytes = self.size()
        completed = self.append("WORKFLOW_TASK_COMPLETED")
        attributes = completed.workflow_task_completed_event_attributes
        attributes.scheduled_event_id = scheduled.event_id
        attributes.started_event_id = started.event_id
        attributes.identity = "bench"
        if not self.task:
            attributes.sdk_metadata.core_used_flags.extend(CORE_FLAGS)
        self.task = completed.event_id
        return self.task

    def schedule_activity(self, number: int) -> int:
        event = self.append("ACTIVITY_TASK_SCHEDULED")
        attributes = event.activity_task_scheduled_event_attributes
        attributes.activity_id = str(number + 1)
        attributes.activity_type.name = "step"
        attributes.task_queue.name = TASK_QUEUE
        attributes.input.CopyFrom(payloads(number))
        attributes.start_to_close_timeout.FromTimedelta(timedelta(seconds=30))
        attributes.workflow_task_completed_event_id = self.task
        return event.event_id

    def complete_activity(self, scheduled: int, result: int) -> int:
        started = self.append("ACTIVITY_TASK_STARTED")
        started.activity_task_started_event_attributes.scheduled_event_id = scheduled
        started.activity_task_started_event_attributes.identity = "bench"
        started.activity_task_started_event_attributes.attempt = 1
        event = self.append("ACTIVITY_TASK_COMPLETED")
        attributes = event.activity_task_completed_event_attributes
        attributes.scheduled_event_id = scheduled
        attributes.started_event_id = started.event_id
        attributes.identity = "bench"
        attributes.result.CopyFrom(payloads(result))
        return event.event_id

    def timer(self, number: int, duration: timedelta) -> int:
        started = self.append("TIMER_STARTED")
        attributes = started.timer_started_event_attributes
        attributes.timer_id = str(number + 1)
        attributes.start_to_fire_timeout.FromTimedelta(duration)
        attributes.workflow_task_completed_event_id = self.task
        self.now += duration
        fired = self.append("TIMER_FIRED")
        fired.timer_fired_event_attributes.timer_id = attributes.timer_id
        fired.timer_fired_event_attributes.started_event_id = started.event_id
        return fired.event_id

    def signal(self, name: str, number: int) -> int:
        event = self.append("WORKFLOW_EXECUTION_SIGNALED")
        attributes = event.workflow_execution_signaled_event_attributes
        attributes.signal_name = name
        attributes.identity = "bench"
        attributes.request_id = f"signal-{number}"
        attributes.input.CopyFrom(payloads(number))
        return event.event_id

    def update(self, name: str, number: int) -> int:
        """Accepted and completed by the latest workflow task, which it came with."""
        update_id = f"update-{number}"
        accepted = self.append("WORKFLOW_EXECUTION_UPDATE_ACCEPTED")
        attributes = accepted.workflow_execution_update_accepted_event_attributes
        attributes.protocol_instance_id = update_id
        attributes.accepted_request_message_id = f"{update_id}/request"
        # The event that was the last one when the server sent the update: that which scheduled the workflow task.
        attributes.accepted_request_sequencing_event_id = self.task - 2
        attributes.accepted_request.meta.update_id = update_id
        attributes.accepted_request.meta.identity = "bench"
        attributes.accepted_request.input.name = name
        attributes.accepted_request.input.args.CopyFrom(payloads(number))
        completed = self.append("WORKFLOW_EXECUTION_UPDATE_COMPLETED")
        outcome = completed.workflow_execution_update_completed_event_attributes
        outcome.meta.CopyFrom(attributes.accepted_request.meta)
        outcome.accepted_event_id = accepted.event_id
        outcome.outcome.success.CopyFrom(payloads(number))
        return completed.event_id

    def complete(self, result: int | None) -> History:
        attributes = self.append("WORKFLOW_EXECUTION_COMPLETED").workflow_execution_completed_event_attributes
        attributes.workflow_task_completed_event_id = self.task
        if result is None:
            attributes.result.payloads.add(metadata={"encoding": b"binary/null"})
        else:
            attributes.result.CopyFrom(payloads(result))
        return self.history


def sequential_activities(count: int) -> History:
    builder = HistoryBuilder("SequentialActivities", count)
    for number in range(count):
        builder.workflow_task()
        builder.complete_activity(builder.schedule_activity(number), number)
    builder.workflow_task()
    return builder.complete(sum(range(count)))


def fan_out(count: int, batch: int) -> History:
    """All activities in one workflow task; their results come back in batches."""
    builder = HistoryBuilder("FanOut", count)
    builder.workflow_task()
    scheduled = [builder.schedule_activity(number) for number in range(count)]
    for first in range(0, count, batch):
        for number in range(first, min(first + batch, count)):
            builder.complete_activity(scheduled[number], number)
        builder.workflow_task()
    return builder.complete(sum(range(count)))


def timers(count: int) -> History:
    builder = HistoryBuilder("Timers", count)
    for number in range(count):
        builder.workflow_task()
        builder.timer(number, timedelta(seconds=1))
    builder.workflow_task()
    return builder.complete(count)


def signals(workflow_type: str, count: int, batch: int, result: int) -> History:
    """Signals come in batches, each batch with a workflow task of its own."""
    builder = HistoryBuilder(workflow_type, count)
    builder.workflow_task()
    for first in range(0, count, batch):
        for number in range(first, min(first + batch, count)):
            builder.signal("add", number)
        builder.workflow_task()
    return builder.complete(result)


def updates(count: int) -> History:
    builder = HistoryBuilder("Updates", count)
    builder.workflow_task()
    for number in range(count):
        builder.workflow_task()
        builder.update("add", number)
    return builder.complete(sum(range(count)))


def one_task() -> History:
    builder = HistoryBuilder("Trivial")
    builder.workflow_task()
    return builder.complete(None)


def main(arguments: Sequence[str]) -> None:
    folder = Path(arguments[0])
    histories = {"one_task": one_task()}
    # As many operations as make about 100, 1,000 and 20,000 events.
    for size in (100, 1_000, 20_000):
        histories |= {
            f"sequential_{size}": sequential_activities(size // 6),
            f"fan_out_{size}": fan_out(size * 3 // 10, batch=10),
            f"timers_{size}": timers(size // 5),
            f"signals_{size}": signals("Signals", size // 4, 1, sum(range(size // 4))),
            f"updates_{size}": updates(size // 5),
        }
    for count in (100, 1_000):
        histories |= {
            f"pending_{count}": fan_out(count, batch=10),
            f"conditions_{count}": signals("Conditions", count, 10, count),
        }
    folder.mkdir(parents=True, exist_ok=True)
    for name, history in histories.items():
        (folder / f"{name}.binpb").write_bytes(history.SerializeToString())
    print(json.dumps({name: len(history.events) for name, history in histories.items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
