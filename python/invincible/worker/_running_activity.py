"""One execution of an activity, as its worker keeps track of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invincible._native import ActivityStart, Payload
from invincible.activity._context import ActivityContext
from invincible.converter import DataConverter


@dataclass(eq=False)
class RunningActivity:
    """An execution that can be asked to stop.

    Args:
        context: What its code can ask about it.
        converter: Converts its values.
        problem: Why it cannot run at all.
        begun: Whether a thread of an executor has taken it.
        task: What runs it on the event loop, or what its thread waits for there.
        on_interrupt: Has it notice that it is to stop, where it runs on a thread or in a process. It does not block,
            and may be called more than once.
        input: Its arguments, if a codec had to decode them.
        input_headers: Its headers, if a codec had to decode them.
        heartbeat: The last heartbeat that the codec has not encoded yet.
        heartbeats: Encodes and sends heartbeats, if there are some.
        heartbeat_error: Why no more can be sent.
    """

    context: ActivityContext
    converter: DataConverter
    problem: BaseException | None = None
    begun: bool = False
    task: asyncio.Task[Any] | None = None
    on_interrupt: Callable[[], None] | None = None
    input: Sequence[Payload] | None = None
    input_headers: Mapping[str, Payload] | None = None
    heartbeat: list[Payload] | None = None
    heartbeats: asyncio.Task[None] | None = None
    heartbeat_error: Exception | None = None

    @property
    def start(self) -> ActivityStart:
        """The task that the execution came with."""
        return self.context.start

    def arguments(self) -> Sequence[Payload]:
        """Its arguments, decoded by the codec if there is one."""
        return self.start.input if self.input is None else self.input

    def headers(self) -> Mapping[str, Payload]:
        """Its headers, decoded by the codec if that is to decode them."""
        return self.start.headers if self.input_headers is None else self.input_headers

    def interrupt(self) -> None:
        """Have it notice that it is to stop. To be called on the event loop."""
        # A thread that waits for the cancellation gets its exception there, rather than a moment later.
        self.context.cancelled.set(self.on_interrupt)
        if self.task is not None:
            # One turn later, so that a task which is cancelled at once begins before, and gives its answer.
            asyncio.get_running_loop().call_soon(self.task.cancel, "Activity cancelled")

    def interruptible_by(self, on_interrupt: Callable[[], None]) -> None:
        """Set ``on_interrupt``, and call it if the request has come already."""
        self.on_interrupt = on_interrupt
        if self.context.cancelled.is_set():
            on_interrupt()
