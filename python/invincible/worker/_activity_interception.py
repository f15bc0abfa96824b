"""Executions of activities on their way through interceptors.

Interceptors run on the worker's event loop. A ``def`` activity keeps the thread that it was given: the thread waits
until its call comes out of the interceptors, makes the call, and waits for what they make of its outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import Context, copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from invincible.activity._context import ActivityContext

from ._activity_places import Place
from ._activity_registry import Activity
from ._interceptor import ActivityInboundInterceptor, ActivityOutboundInterceptor, ExecuteActivityInput, Interceptor
from ._running_activity import RunningActivity

if TYPE_CHECKING:
    from invincible.activity import Info

_Call = Callable[[ExecuteActivityInput], Awaitable[Any]]


class ActivityInterception:
    """Passes executions through the interceptors of one worker.

    Args:
        interceptors: The outermost first.
        loop: The worker's event loop.
        executor: Where ``def`` activities run, if not on the worker's own threads.
    """

    def __init__(
        self, interceptors: Sequence[Interceptor], loop: asyncio.AbstractEventLoop, executor: Executor | None
    ) -> None:
        self._interceptors = interceptors
        self._loop = loop
        self._executor = executor

    async def on_loop(self, activity: Activity, running: RunningActivity, function: partial[Any]) -> Any:
        """The result of an ``async def`` activity: of the function with its arguments."""

        async def at_end(input: ExecuteActivityInput) -> Any:
            return await _call_of(activity, input)()

        return await self._through(running, _input(running, function, None), at_end)

    def around(self, place: Place) -> Place:
        """Where ``def`` activities are called, with the interceptors before it."""
        return _InterceptedPlace(self, place)

    def on_thread(self, activity: Activity, running: RunningActivity, function: partial[Any], place: Place) -> Any:
        """The result of a ``def`` activity, which begins on the thread that calls this."""
        calls: SimpleQueue[_ThreadCall | None] = SimpleQueue()

        async def at_end(input: ExecuteActivityInput) -> Any:
            made = partial(place.call, activity, running, _call_of(activity, input))
            # From here on it is the thread that is interrupted.
            task, running.task = running.task, None
            try:
                if input.executor is not self._executor:
                    if not isinstance(input.executor, ThreadPoolExecutor):
                        raise TypeError(
                            "an interceptor can only move an activity to another ThreadPoolExecutor, "
                            f"got {input.executor!r}"
                        )
                    return await self._loop.run_in_executor(input.executor, copy_context().run, made)
                ended = self._loop.create_future()
                calls.put(_ThreadCall(made, copy_context(), ended))
                return await ended
            finally:
                running.task = task

        async def interruptible() -> Any:
            running.task = task = asyncio.current_task()
            assert task is not None
            # A thread that has left asks for no outcome, which asyncio would log as never looked at.
            task.add_done_callback(lambda task: task.cancelled() or task.exception())
            try:
                return await self._through(running, _input(running, function, self._executor), at_end)
            except (KeyboardInterrupt, SystemExit) as error:  # no affair of the event loop, which they would end
                return _Exit(error)
            finally:
                running.task = None

        outcome = asyncio.run_coroutine_threadsafe(interruptible(), self._loop)
        outcome.add_done_callback(lambda outcome: calls.put(None))
        try:
            while (each := calls.get()) is not None:
                each.make(self._loop)
        except BaseException:
            outcome.cancel()
            raise
        result = outcome.result()
        if isinstance(result, _Exit):
            raise result.error
        return result

    async def _through(self, running: RunningActivity, input: ExecuteActivityInput, call: _Call) -> Any:
        inbound: ActivityInboundInterceptor = _InboundEnd(running.context, call)
        for interceptor in reversed(self._interceptors):
            inbound = interceptor.intercept_activity(inbound)
            if not isinstance(inbound, ActivityInboundInterceptor):
                raise TypeError(
                    f"intercept_activity of {type(interceptor).__qualname__} must return an "
                    f"ActivityInboundInterceptor, got {inbound!r}"
                )
        inbound.init(_OutboundEnd(running.context))
        if running.context.outbound is None:
            names = ", ".join(type(each).__qualname__ for each in self._interceptors)
            raise RuntimeError(
                "an interceptor of activities has kept init to itself: its init must call super().init(outbound); "
                f"the interceptors are: {names}"
            )
        return await inbound.execute_activity(input)


class _InterceptedPlace:
    def __init__(self, interception: ActivityInterception, place: Place) -> None:
        self._interception = interception
        self._place = place

    def call(self, activity: Activity, running: RunningActivity, function: partial[Any]) -> Any:
        return self._interception.on_thread(activity, running, function, self._place)

    def close(self) -> None:
        self._place.close()


def _input(running: RunningActivity, function: partial[Any], executor: Executor | None) -> ExecuteActivityInput:
    # On the wire, keyword-only parameters come after the others.
    arguments = [*function.args, *function.keywords.values()]
    return ExecuteActivityInput(function.func, arguments, executor, running.headers())


def _call_of(activity: Activity, input: ExecuteActivityInput) -> partial[Any]:
    """The function with its arguments, as interceptors have left them."""
    if activity.definition.name is None:
        return partial(input.fn, *input.args)
    return activity.definition.signature.call(partial(partial, input.fn), input.args)


class _Exit:
    """What an interceptor has raised to end the program."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _ThreadCall:
    """A call that a thread is to make for a task on the event loop."""

    def __init__(self, call: Callable[[], Any], context: Context, ended: asyncio.Future[Any]) -> None:
        self._call = call
        self._context = context
        self._ended = ended

    def make(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            result = self._context.run(self._call)
        except (KeyboardInterrupt, SystemExit):  # no affair of the event loop, which they would end
            raise
        except StopIteration as error:  # futures do not take it
            problem = RuntimeError("the activity raised StopIteration")
            problem.__cause__ = error
            loop.call_soon_threadsafe(_end, self._ended, None, problem)
        except BaseException as error:
            loop.call_soon_threadsafe(_end, self._ended, None, error)
        else:
            loop.call_soon_threadsafe(_end, self._ended, result, None)


def _end(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class _InboundEnd(ActivityInboundInterceptor):
    def __init__(self, context: ActivityContext, call: _Call) -> None:
        self._context = context
        self._call = call

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        context = self._context
        context.outbound = outbound
        context.send_heartbeat = lambda details: outbound.heartbeat(*details)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await self._call(input)


class _OutboundEnd(ActivityOutboundInterceptor):
    def __init__(self, context: ActivityContext) -> None:
        self._context = context
        self._send_heartbeat = context.send_heartbeat

    def info(self) -> Info:
        return self._context.info

    def heartbeat(self, *details: Any) -> None:
        self._send_heartbeat(details)
