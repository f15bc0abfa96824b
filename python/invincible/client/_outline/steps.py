"""What a run did, read from its history: each activity, timer, child workflow, message with its beginning and end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .messages import time_of

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payload
    from invincible.api.failure.v1 import Failure
    from invincible.api.history.v1 import HistoryEvent

State: TypeAlias = Literal["open", "done", "failed", "timed out", "cancelled", "terminated", "told"]


@dataclass
class Step:
    """Something that the run did or was told.

    Attributes:
        id: Number of the event by which it began.
        kind: ``activity``, ``timer``, ``signal`` ...
        name: Type or name of it; empty if it has none.
        began: When it was scheduled, or came.
        state: What became of it; ``told`` for what has no duration, a signal say.
        inputs: Its arguments.
        result: What it returned.
        ended: When it ended.
        failure: Why it failed.
        attempt: The last attempt, where it has any.
        last_failure: Why the attempt before failed.
        notes: What else there is to say of it.
        summary: The summary that the code gave it.
        duration: How long it waits, for timers.
        started: Whether a worker, or the child, has begun.
        key: The id that the workflow knows it by, for activities.
        waiting: What it waits for while it is open, where the server tells.
        event_ids: Numbers of all its events.
    """

    id: int
    kind: str
    name: str
    began: datetime | None
    state: State = "open"
    inputs: Sequence[Payload] = ()
    result: Sequence[Payload] = ()
    ended: datetime | None = None
    failure: Failure | None = None
    attempt: int = 1
    last_failure: Failure | None = None
    notes: list[str] = field(default_factory=list)
    summary: Payload | None = None
    duration: timedelta | None = None
    started: bool = False
    key: str = ""
    waiting: str = ""
    event_ids: list[int] = field(default_factory=list)

    def end(self, event: HistoryEvent, state: State) -> None:
        """Takes down that it ended."""
        self.ended, self.state = time_of(event, "event_time"), state


@dataclass
class Run:
    """What a history tells of its run.

    Attributes:
        steps: What it did, in order.
        workflow_id: Its id.
        run_id: The run's id.
        workflow_type: Its type.
        task_queue: Its task queue.
        inputs: Its arguments.
        notes: How it came about: the parent, the run it goes on from, cron.
        began: When it was started.
        ended: When it ended.
        status: ``running``, ``completed``, ``failed`` ...
        result: What it returned, or the arguments of the run that it continued as.
        failure: Why it failed.
        ending: What else there is to say of its end.
        next_run_id: The run that it goes on as, if it does.
        waits_since: Since when a workflow task waits for a worker, if one does.
        task_started: Whether a worker has it.
        task_attempt: How often it has been tried.
        last_event: Number of the last event.
        paused_since: Since when it is paused, if it is.
        paused_by: Who paused it, and why.
    """

    steps: list[Step] = field(default_factory=list)
    workflow_id: str = ""
    run_id: str = ""
    workflow_type: str = ""
    task_queue: str = ""
    inputs: Sequence[Payload] = ()
    notes: list[tuple[str, str]] = field(default_factory=list)
    began: datetime | None = None
    ended: datetime | None = None
    status: str = "running"
    result: Sequence[Payload] = ()
    failure: Failure | None = None
    ending: list[str] = field(default_factory=list)
    next_run_id: str = ""
    waits_since: datetime | None = None
    task_started: bool = False
    task_attempt: int = 1
    last_event: int = 0
    paused_since: datetime | None = None
    paused_by: str = ""
    _by_event: dict[int, Step] = field(default_factory=dict)

    @staticmethod
    def of(events: Iterable[HistoryEvent]) -> Run:
        """Reads a history, from its first event on."""
        run = Run()
        for event in events:
            run.add(event)
        return run

    @property
    def open(self) -> list[Step]:
        """The steps that have not ended."""
        return [step for step in self.steps if step.state == "open"]

    def add(self, event: HistoryEvent) -> Step | None:
        """Reads one more event.

        Returns:
            The step that it began, changed or ended; ``None`` if it belongs to none.
        """
        from .events import READERS

        self.last_event = event.event_id
        kind = event.WhichOneof("attributes")
        if kind is None:
            return None
        name = kind.removesuffix("_event_attributes")
        reader = READERS.get(name)
        attributes: Any = getattr(event, kind)
        step = reader(self, event, attributes) if reader is not None else self.tell(event, name.replace("_", " "), "")
        if step is not None:
            step.event_ids.append(event.event_id)
        return step

    def begin(self, event: HistoryEvent, kind: str, name: str, **attributes: Any) -> Step:
        """Takes down a step that begins with an event."""
        step = Step(event.event_id, kind, name, time_of(event, "event_time"), **attributes)
        if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
            step.summary = event.user_metadata.summary
        self.steps.append(step)
        self._by_event[event.event_id] = step
        return step

    def tell(self, event: HistoryEvent, kind: str, name: str, **attributes: Any) -> Step:
        """Takes down what happened at once."""
        step = self.begin(event, kind, name, state="told", **attributes)
        step.ended = step.began
        return step

    def step_at(self, event_id: int) -> Step | None:
        """The step that began with an event."""
        return self._by_event.get(event_id)
