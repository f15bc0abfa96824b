"""Finds out when something blocks the event loop that runs a worker's ``async def`` activities, and what it is.

The thread that watches has the loop call back, a few times a second and only while activities are under way. Who keeps
the loop from it is in the loop's frame at that time.
"""

from __future__ import annotations

import asyncio
import os
import site
import sys
import sysconfig
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

from invincible._engine.explain import Site, user_frame
from invincible.activity._context import ActivityContext, current
from invincible.common import MetricGaugeFloat

from ._failures import logger

if TYPE_CHECKING:
    from ._activities import ActivityRunner
    from ._running_activity import RunningActivity

_HAS_CONTEXTS = sys.version_info >= (3, 12)
# So many activities are named where it is not clear which it is.
_SHOWN = 5

METRIC = "invincible_event_loop_lag"


class LoopLag:
    """How late the turns of an event loop are. To be made on the loop's thread.

    Args:
        runner: Runs the activities.
        warning: Seconds after which a turn that does not end is told of; ``None``: never.
        gauge: Takes the lag, in seconds, whenever it is known.

    Attributes:
        lag: How long the loop took to call back the last time, in seconds.
    """

    def __init__(self, runner: ActivityRunner, *, warning: float | None, gauge: MetricGaugeFloat | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._runner = runner
        self._warning = warning
        self._gauge = gauge
        self._asked_at: float | None = None
        self._overdue = 0.0
        self._warned = False
        self.lag = 0.0

    def look(self, seconds: float) -> float:
        """Count the time since the last look, on the thread that watches; for how long the loop has not called back."""
        if self._asked_at is not None:
            self._overdue += seconds
            if self._warning is not None and self._overdue >= self._warning and not self._warned:
                self._warned = True
                logger.warning("%s", self._complaint())
            return self._overdue
        if self._runner._running:
            self._overdue = 0.0
            self._asked_at = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(self._called)
            except RuntimeError:  # the loop is closed, and nobody has ended the worker
                self._asked_at = None
        return 0.0

    def _called(self) -> None:
        assert self._asked_at is not None
        self.lag = time.monotonic() - self._asked_at
        self._asked_at = None
        if self._gauge is not None:
            self._gauge.set(self.lag)
        if self._warned:
            self._warned = False
            logger.warning("the event loop turns again, after %.1f s", self.lag)

    def _complaint(self) -> str:
        place = _place(sys._current_frames().get(self._thread_id))
        return (
            f"{self._culprit()} blocks the event loop for {self._overdue:.1f} s by now: it is at {place}. "
            "Other async activities stand still meanwhile. Await what takes long, or make the activity a `def`, which "
            "runs on a thread"
        )

    def _culprit(self) -> str:
        """The activity whose code the loop runs now, itself or in a task that it has started."""
        task = asyncio.current_task(self._loop)
        if task is None:
            return "something"
        context = _context_of(task)
        on_loop = [running for running in self._runner._running.copy().values() if running.task is not None]
        for running in on_loop:
            if running.task is task or running.context is context:
                return f"activity {_name(running)}"
        if _HAS_CONTEXTS or not on_loop:
            return f"the task {task.get_name()!r}"
        names = ", ".join(_name(running) for running in on_loop[:_SHOWN])
        return f"the task {task.get_name()!r}, perhaps of one of the activities {names},"


def _name(running: RunningActivity) -> str:
    start = running.start
    workflow = f", workflow {start.workflow_id!r}" if start.workflow_id else ""
    return f"{start.activity_type!r} (id {start.activity_id!r}{workflow})"


def _context_of(task: asyncio.Task[Any]) -> ActivityContext | None:
    if sys.version_info >= (3, 12):
        return task.get_context().get(current)
    return None


def _place(frame: FrameType | None) -> str:
    """Where the program is, and within what library if it is in one."""
    innermost = user_frame(frame)
    if innermost is None:
        return "an unknown place"
    libraries = _libraries()
    own: FrameType | None = innermost
    while own is not None and own.f_code.co_filename.startswith(libraries):
        own = user_frame(own.f_back)
    inner = Site(innermost.f_code, innermost.f_lasti)
    if own is None or own is innermost:
        return str(inner)
    return f"{Site(own.f_code, own.f_lasti)} (within {inner})"


def _libraries() -> tuple[str, ...]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths.update(site.getsitepackages() if hasattr(site, "getsitepackages") else ())
    return (*(os.path.join(path, "") for path in paths if path), "<frozen")
