"""Blocking calls: a thread waits while the portal's loop does the work."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from invincible._engine.context import current_run_or_none

from .portal import portal

Work = Callable[["Call"], Awaitable[Any]]

# How long a thread waits before it looks up, in seconds. On Windows Ctrl-C is noticed only then; everywhere, exceptions
# that other threads raise in this one: a worker cancels activities in threads by them.
_LOOK_UP = 0.1 if sys.platform == "win32" else 1.0
# How long an interrupted thread waits for its work to end, in seconds.
_GRACE = 0.5

_deadline: ContextVar[float | None] = ContextVar("invincible_sync_deadline", default=None)


@contextmanager
def sync_timeout(limit: timedelta) -> Iterator[None]:
    """Bounds the time of all blocking calls that this thread makes in the block, together.

    A call that is under way when the time is up is aborted; what the server has begun goes on. Of blocks in one another
    the shortest limit holds.

    Args:
        limit: The time.

    Raises:
        TimeoutError: The time was up in a call, or before it.
        TypeError: ``limit`` is no ``timedelta``.

    Example:
        with sync_timeout(timedelta(seconds=30)):
            receipt = client.execute_workflow(Order.run, order, id=f"order-{order.id}", task_queue="orders")
    """
    if not isinstance(limit, timedelta):
        raise TypeError(f"sync_timeout takes a timedelta, got {type(limit).__name__}")
    outer = _deadline.get()
    deadline = time.monotonic() + limit.total_seconds()
    token = _deadline.set(deadline if outer is None else min(deadline, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


class Outcome(NamedTuple):
    """How work ended."""

    value: Any
    error: BaseException | None

    def get(self) -> Any:
        """The value; raises the error instead if there is one."""
        if self.error is None:
            return self.value
        try:
            raise self.error
        finally:
            del self  # the error refers to this frame


class Calls:
    """The blocking calls of one client and of all that it led to.

    Without a lock: a fork might leave it locked for ever.
    """

    def __init__(self) -> None:
        """No calls yet."""
        self._running: set[Call] = set()
        self._closed = False

    def run(self, work: Work) -> Outcome:
        """Makes a call, and waits for it.

        Whoever gets the outcome raises its error: what lies between would only lengthen the traceback.

        Args:
            work: Does the work, on the portal's loop.

        Raises:
            RuntimeError: The client is closed, or this is the portal's own thread, which would wait for itself.
            RestrictedWorkflowAccessError: This is workflow code.
            TimeoutError: The time was up.
        """
        if current_run_or_none() is not None:
            from invincible._engine.guard import RestrictedWorkflowAccessError

            raise RestrictedWorkflowAccessError("a call of a blocking client")
        call = Call(work)
        self._running.add(call)
        try:
            if self._closed:
                raise RuntimeError("this client is closed")
            outcome = call.run()
        finally:
            self._running.discard(call)
        if self._closed and isinstance(outcome.error, asyncio.CancelledError):
            return Outcome(None, RuntimeError("this client was closed while the call was under way"))
        return outcome

    def close(self) -> None:
        """Refuses further calls, and ends those under way."""
        self._closed = True
        for call in self._running.copy():
            call.cancel()


class Call:
    """One blocking call."""

    def __init__(self, work: Work) -> None:
        """Creates the call, not started."""
        self._work = work
        self._portal = portal()
        self._mail: SimpleQueue[Outcome | _Errand] = SimpleQueue()
        self._task: asyncio.Task[Outcome] | None = None

    def run(self) -> Outcome:
        """Does the work while this thread waits."""
        if self._portal.is_here:
            raise RuntimeError(
                "a blocking call was made by code that the blocking client runs on its event loop, a codec or an "
                "interceptor say, and would wait for itself: use the async client there"
            )
        try:
            self._portal.post(self._start)
            while isinstance(message := self._next(), _Errand):
                self._portal.post(partial(message.report, message.run()))
            return message
        except BaseException:
            self._interrupt()
            raise

    async def ask(self, function: Callable[[], Any]) -> Any:
        """Has the waiting thread call a function. For the work."""
        errand = _Errand(function, self._portal.loop.create_future())
        self._mail.put(errand)
        return (await errand.done).get()

    def cancel(self) -> None:
        """Cancels the work, from any thread."""
        self._portal.post(self._cancel)

    def _start(self) -> None:
        self._task = self._portal.loop.create_task(self._serve())
        self._task.add_done_callback(self._deliver)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> Outcome:
        # Whatever is raised goes to the caller. SystemExit, for one, would end the loop otherwise.
        try:
            return Outcome(await self._work(self), None)
        except BaseException as error:
            traceback = error.__traceback__
            return Outcome(None, error.with_traceback(traceback and traceback.tb_next))

    def _deliver(self, task: asyncio.Task[Outcome]) -> None:
        self._mail.put(Outcome(None, asyncio.CancelledError()) if task.cancelled() else task.result())

    def _next(self) -> Outcome | _Errand:
        deadline = _deadline.get()
        while True:
            left = _LOOK_UP if deadline is None else min(_LOOK_UP, deadline - time.monotonic())
            try:
                return self._mail.get(timeout=max(left, 0))
            except Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    raise TimeoutError("the time that sync_timeout gave was up before the call was done") from None

    def _interrupt(self) -> None:
        """Ends the work, and waits until it has ended unless it resists."""
        self.cancel()
        deadline = time.monotonic() + _GRACE
        while (self._task is None or not self._task.done()) and (left := deadline - time.monotonic()) > 0:
            try:
                if isinstance(self._mail.get(timeout=left), Outcome):
                    return
            except Empty:
                return


class _Errand(NamedTuple):
    """What work asks the waiting thread to do."""

    function: Callable[[], Any]
    done: asyncio.Future[Outcome]

    def run(self) -> Outcome:
        try:
            return Outcome(self.function(), None)
        except Exception as error:
            return Outcome(None, error)

    def report(self, outcome: Outcome) -> None:
        if not self.done.done():
            self.done.set_result(outcome)
