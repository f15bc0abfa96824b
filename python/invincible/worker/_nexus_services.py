"""The Nexus services of a worker: registration, and where their handlers run."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import nexusrpc
from nexusrpc.handler import (
    CancelOperationContext,
    Handler,
    MiddlewareSafeOperationHandler,
    OperationContext,
    OperationHandler,
    OperationHandlerMiddleware,
    StartOperationContext,
    StartOperationResultAsync,
    StartOperationResultSync,
)

from ._nexus_interceptor import (
    ExecuteNexusOperationCancelInput,
    ExecuteNexusOperationStartInput,
    NexusOperationInboundInterceptor,
)

if TYPE_CHECKING:
    from ._interceptor import Interceptor


def registered_services(
    services: Sequence[Any], executor: Executor | None, interceptors: Sequence[Interceptor]
) -> Handler:
    """What dispatches requests to the handlers of services.

    Args:
        services: Objects of classes decorated by ``nexusrpc.handler.service_handler``.
        executor: Where ``def`` handlers run; threads of their own if ``None``.
        interceptors: What is around each call of a handler; the first is outermost.

    Raises:
        TypeError: One of them is none, or the executor is none.
        ValueError: Two are of one service.
    """
    # Another process could have neither the handler nor its context.
    if executor is not None and (isinstance(executor, ProcessPoolExecutor) or not isinstance(executor, Executor)):
        raise TypeError(
            f"nexus_task_executor must be a concurrent.futures.ThreadPoolExecutor, got {type(executor).__name__}"
        )
    names: dict[str, Any] = {}
    for each in services:
        if inspect.isclass(each):
            raise TypeError(f"{each.__name__} is a class: register an object of it, as `{each.__name__}()`")
        definition = nexusrpc.get_service_definition(type(each))
        if definition is None:
            raise TypeError(
                f"{type(each).__name__} is no Nexus service handler: decorate the class with "
                "@nexusrpc.handler.service_handler"
            )
        if definition.name in names:
            raise ValueError(
                f"two handlers are of the Nexus service {definition.name!r}: {type(names[definition.name]).__name__} "
                f"and {type(each).__name__}"
            )
        names[definition.name] = each
    executor = executor or _Threads()
    found = Handler(services, executor).service_handlers.values()
    on_loop = [
        replace(
            service,
            operation_handlers={
                name: _OnLoop(handler, executor) for name, handler in service.operation_handlers.items()
            },
        )
        for service in found
    ]
    return Handler(on_loop, middleware=[_Interception(interceptors)] if interceptors else [])


class _Threads(Executor):
    """A thread for each call: slots bound how many there are, and one that never ends keeps nobody from exiting."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # whoever waits for the future gets it
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=run, name="invincible-nexus", daemon=True).start()
        return future


class _OnLoop(MiddlewareSafeOperationHandler):
    """A handler whose methods can be awaited: those that are ``def`` run elsewhere.

    They see the same context variables, and are left alone when whoever waits for them is cancelled.
    """

    def __init__(self, handler: OperationHandler[Any, Any], executor: Executor) -> None:
        self._handler = handler
        self._executor = executor

    async def start(
        self, ctx: StartOperationContext, input: Any
    ) -> StartOperationResultSync[Any] | StartOperationResultAsync:
        result = await self._call(self._handler.start, ctx, input)
        if not isinstance(result, (StartOperationResultSync, StartOperationResultAsync)):
            raise TypeError(
                f"the start of operation {ctx.operation!r} must return a nexusrpc.handler.StartOperationResultSync or "
                f"StartOperationResultAsync, got {type(result).__name__}"
            )
        return result

    async def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        await self._call(self._handler.cancel, ctx, token)

    async def _call(self, method: Callable[..., Any], *args: Any) -> Any:
        if inspect.iscoroutinefunction(method):
            return await method(*args)
        call = partial(contextvars.copy_context().run, _called, method, *args)
        result = await asyncio.get_running_loop().run_in_executor(self._executor, call)
        return await result if inspect.isawaitable(result) else result


def _called(method: Callable[..., Any], *args: Any) -> Any:
    try:
        return method(*args)
    except StopIteration as error:  # futures do not take it, and whoever waits for one would wait for ever
        raise RuntimeError("the handler raised StopIteration") from error


class _Interception(OperationHandlerMiddleware):
    def __init__(self, interceptors: Sequence[Interceptor]) -> None:
        self._interceptors = interceptors

    def intercept(self, ctx: OperationContext, next: MiddlewareSafeOperationHandler) -> MiddlewareSafeOperationHandler:
        chain: NexusOperationInboundInterceptor = _Innermost(next)
        for interceptor in reversed(self._interceptors):
            chain = interceptor.intercept_nexus_operation(chain)
        return _Intercepted(chain)


class _Innermost(NexusOperationInboundInterceptor):
    def __init__(self, handler: MiddlewareSafeOperationHandler) -> None:
        self._handler = handler

    async def execute_nexus_operation_start(
        self, input: ExecuteNexusOperationStartInput
    ) -> StartOperationResultSync[Any] | StartOperationResultAsync:
        return await self._handler.start(input.ctx, input.input)

    async def execute_nexus_operation_cancel(self, input: ExecuteNexusOperationCancelInput) -> None:
        await self._handler.cancel(input.ctx, input.token)


class _Intercepted(MiddlewareSafeOperationHandler):
    def __init__(self, chain: NexusOperationInboundInterceptor) -> None:
        self._chain = chain

    async def start(
        self, ctx: StartOperationContext, input: Any
    ) -> StartOperationResultSync[Any] | StartOperationResultAsync:
        return await self._chain.execute_nexus_operation_start(ExecuteNexusOperationStartInput(ctx, input))

    async def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        await self._chain.execute_nexus_operation_cancel(ExecuteNexusOperationCancelInput(ctx, token))
