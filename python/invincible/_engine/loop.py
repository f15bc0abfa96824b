"""The event loop of one workflow run.

It implements the part of asyncio's loop interface that is deterministic: ready callbacks in first-in-first-out order,
timers that become commands, futures and tasks. CPython's own C tasks and futures run on it, so asyncio's primitives
work unchanged. Everything else raises, with the reason.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import sys
from asyncio import _set_running_loop
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any, NoReturn, Protocol, TypeVar, cast

from .errors import EvictedError
from .log import logger

T = TypeVar("T")

_TASKS_HAVE_CONTEXTS = sys.version_info >= (3, 11)

# In place of the queue of a loop that does not run.
_NOTHING_READY: Any = ()

# Code that catches everything and waits again is not followed for ever.
_CLOSING_STEPS = 100


class Clock(Protocol):
    """What the loop needs of its run: the time of the current activation and timers."""

    timestamp_ns: int

    def require_writable(self, what: str) -> None: ...
    def start_timer(self, handle: TimerHandle, delay: float, summary: str | None) -> None: ...
    def cancel_timer(self, handle: TimerHandle) -> None: ...


class _EvictedRun:
    """What the loop of an evicted run has in its place."""

    timestamp_ns = 0

    def require_writable(self, what: str) -> NoReturn:
        raise EvictedError

    def start_timer(self, handle: TimerHandle, delay: float, summary: str | None) -> NoReturn:
        raise EvictedError

    def cancel_timer(self, handle: TimerHandle) -> None:
        return None


EVICTED = _EvictedRun()


class Handle(partial[object]):
    """A callback that is due; what ``call_soon`` returns. To call it is to run it, in its context.

    There is one for each step of each task, and ``partial`` makes and runs it without a call in Python.
    """

    __slots__ = ()

    def cancel(self) -> None:
        self.__setstate__(_CANCELLED)  # type: ignore[attr-defined]  # for pickle, and the only way to change one

    def cancelled(self) -> bool:
        return self.func is _nothing


def _nothing() -> None:
    pass


# The state of a ``partial`` in the place of its callback, which it lets go.
_CANCELLED: Any = (_nothing, (), {}, None)


class TimerHandle(Handle):
    """A callback that waits for a timer of the server; what ``call_later`` returns."""

    __slots__ = ("_clock", "_when", "seq")

    _clock: Clock
    _when: float
    seq: int

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        if not self.cancelled():
            super().cancel()
            self._clock.cancel_timer(self)


class WorkflowFuture(asyncio.Future[T]):
    """A future that hashes by creation order, so that iterating a set of them is the same on every replay."""

    __slots__ = ("_order",)

    def __init__(self, *, loop: WorkflowLoop) -> None:
        self._order = loop._order = loop._order + 1
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._order


class WorkflowTask(asyncio.Task[T]):
    """A task that hashes by creation order, for the same reason."""

    __slots__ = ("_order", "_run_context")

    def __init__(self, coroutine: Coroutine[Any, Any, T], *, loop: WorkflowLoop, **options: Any) -> None:
        self._order = loop._order = loop._order + 1
        context: contextvars.Context | None = options.get("context")
        if _TASKS_HAVE_CONTEXTS and context is None:
            options["context"] = context = copy_context()
        self._run_context = context
        super().__init__(coroutine, loop=loop, **options)
        # A run that leaves the cache drops its tasks; asyncio would log each as destroyed while pending.
        self._log_destroy_pending = False

    def close(self) -> None:
        """End the coroutine where it waits; its ``finally`` blocks run.

        What they wait for in turn ends as well. ``coroutine.close()`` would leave it half closed, for the garbage
        collector to go on with in the middle of another run.
        """
        coroutine = cast("Coroutine[Any, Any, T]", self.get_coro())
        for _ in range(_CLOSING_STEPS):
            try:
                if self._run_context is not None:
                    self._run_context.run(coroutine.throw, EvictedError())
                else:
                    coroutine.throw(EvictedError())
            except BaseException:  # it has ended, however; nobody is left to tell
                return

    def __hash__(self) -> int:
        return self._order


class WorkflowLoop(asyncio.AbstractEventLoop):
    """The loop that workflow code sees as ``asyncio.get_running_loop()``."""

    _exception_handler: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None

    def __init__(self, run: Clock) -> None:
        self.run: Clock = run
        self.turn = 0
        self._ready: deque[Handle] = _NOTHING_READY
        # How many futures and tasks there have been.
        self._order = 0
        # Those that are not done; one that waits for something that only it knows must not be collected as garbage.
        self._tasks: dict[int, WorkflowTask[Any]] = {}

    # What the engine uses

    def enter(self) -> None:
        """Be the running loop, until ``leave``."""
        if self._ready is _NOTHING_READY:
            self._ready = deque()
        _set_running_loop(self)

    def leave(self) -> None:
        """Be no running loop any more. A queue takes more memory than the rest of the loop: one that waits has none."""
        _set_running_loop(None)
        if not self._ready:
            self._ready = _NOTHING_READY

    def run_ready(self) -> bool:
        """Run callbacks until none is ready; whether any ran."""
        ready = self._ready
        if not ready:
            return False
        while ready:
            self.turn += 1
            try:
                # Not kept in a variable here: the tracebacks of what it raises hold this frame.
                ready.popleft()()
            except Exception as error:
                # As asyncio does; a task keeps its exception to itself, so this is a plain callback's.
                self.call_exception_handler({"message": "a callback of the workflow raised", "exception": error})
        return True

    def next_turn(self) -> int:
        """The turn in which a callback would run that became ready now; ``turn`` counts those that have run."""
        return self.turn + len(self._ready) + 1

    def make_ready(self, handle: Handle) -> None:
        self._ready.append(handle)

    def unfinished_tasks(self) -> list[WorkflowTask[Any]]:
        """Tasks that wait or are about to run, in the order of their creation."""
        return [task for task in self._tasks.values() if not task.done()]

    def _forget(self, task: Any) -> None:
        self._tasks.pop(task._order, None)

    def close_tasks(self) -> None:
        """End every unfinished task of an evicted run; its ``finally`` blocks run, commands they issue are refused."""
        self._ready.clear()
        for task in self.unfinished_tasks():
            task.close()
        self._tasks.clear()
        self._ready.clear()

    # What asyncio's primitives use

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> Handle:
        handle = Handle((copy_context() if context is None else context).run, callback, *args)
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> TimerHandle:
        return self.start_timer(delay, None, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> TimerHandle:
        return self.start_timer(when - self.time(), None, callback, *args, context=context)

    def start_timer(
        self,
        delay: float,
        summary: str | None,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> TimerHandle:
        """Call back after ``delay`` seconds of workflow time. Even no delay is a timer: histories depend on it."""
        if not math.isfinite(delay):
            raise ValueError(f"a timer needs a finite number of seconds, got {delay}")
        handle = TimerHandle((copy_context() if context is None else context).run, callback, *args)
        handle._clock = self.run
        handle._when = self.time() + delay
        self.run.start_timer(handle, max(delay, 0.0), summary)
        return handle

    def time(self) -> float:
        return self.run.timestamp_ns / 1e9

    def create_future(self) -> WorkflowFuture[Any]:
        return WorkflowFuture(loop=self)

    def create_task(self, coroutine: Any, **options: Any) -> WorkflowTask[Any]:  # type: ignore[override]
        options.pop("eager_start", None)
        try:
            self.run.require_writable("starting a task")
        except BaseException:
            coroutine.close()
            raise
        task: WorkflowTask[Any] = WorkflowTask(coroutine, loop=self, **options)
        self._tasks[task._order] = task
        task.add_done_callback(self._forget)
        return task

    # Each new future and task asks; `bool()` is False, without a call in Python.
    get_debug: Any = staticmethod(bool)

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_exception_handler(self) -> Any:
        return self._exception_handler

    def set_exception_handler(self, handler: Any) -> None:
        self._exception_handler = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self._exception_handler is not None:
            self._exception_handler(self, context)
        else:
            self.default_exception_handler(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        exception = context.get("exception")
        logger.error("%s", context.get("message", "error in a workflow callback"), exc_info=exception)

    async def shutdown_asyncgens(self) -> None:
        return None

    # What cannot work in a workflow

    def run_in_executor(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        _refuse("threads (run_in_executor, asyncio.to_thread)", "move the call into an activity")

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]
        _refuse("callbacks from other threads", "send the workflow a signal or an update")

    def run_forever(self) -> NoReturn:
        _refuse("running the event loop", "await inside the workflow: its loop already runs")

    def run_until_complete(self, future: Any) -> NoReturn:
        _refuse("running the event loop", "await inside the workflow: its loop already runs")

    def stop(self) -> NoReturn:
        _refuse("stopping the event loop", "return from the workflow instead")

    def close(self) -> NoReturn:
        _refuse("closing the event loop", "return from the workflow instead")


def set_unless_done(future: asyncio.Future[None]) -> None:
    """Resolve a future that may have been cancelled meanwhile."""
    if not future.done():
        future.set_result(None)


def _refuse(what: str, instead: str) -> NoReturn:
    raise NotImplementedError(f"{what} cannot be used in workflow code, because it would not replay: {instead}")


def _refusing(name: str) -> Callable[..., NoReturn]:
    def method(self: WorkflowLoop, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(f"loop.{name}", "do I/O, threads and processes in an activity")

    return method


for _name, _method in vars(asyncio.AbstractEventLoop).items():
    if callable(_method) and not _name.startswith("_") and _name not in vars(WorkflowLoop):
        setattr(WorkflowLoop, _name, _refusing(_name))
