"""Signals, updates and queries on their way through interceptors, and the end of that way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from invincible import _native
from invincible._engine.definition import HandlerDefinition, SignalDefinition, UpdateDefinition
from invincible._engine.introspection import BUILT_IN_QUERIES
from invincible._engine.messages import Handlers, Messages, awaited

from .inputs import ExecuteWorkflowInput, HandleQueryInput, HandleSignalInput, HandleUpdateInput
from .interceptors import WorkflowInboundInterceptor, WorkflowOutboundInterceptor

if TYPE_CHECKING:
    from .run import InterceptedRun

D = TypeVar("D", bound=HandlerDefinition)


class InterceptedMessages(Messages):
    """The messages of one run, whose handlers are called through its interceptors."""

    def __init__(self, run: InterceptedRun) -> None:
        super().__init__(run)
        self._intercepted = run

    def _signal_call(
        self, job: _native.SignalWorkflow, handler: SignalDefinition, arguments: list[Any]
    ) -> Callable[[], Any]:
        name = job.signal_name
        input = HandleSignalInput(name, arguments, job.headers, _target=(name, handler))
        return partial(self._intercepted.inbound.handle_signal, input)

    def _update_call(self, job: _native.DoUpdate, handler: UpdateDefinition, arguments: list[Any]) -> Callable[[], Any]:
        return partial(self._intercepted.inbound.handle_update_handler, _update_input(job, handler, arguments))

    def _validate(self, job: _native.DoUpdate, handler: UpdateDefinition, arguments: list[Any]) -> None:
        inbound: Any = self._intercepted.inbound
        validated = inbound.handle_update_validator(_update_input(job, handler, arguments))
        if asyncio.iscoroutine(validated):  # which would refuse nothing
            validated.close()
            raise TypeError("handle_update_validator of an interceptor must not be async: a validator may not wait")

    def _answer(self, job: _native.QueryWorkflow) -> Any:
        name, target = job.query_type, None
        arguments: list[Any] = []
        if name not in BUILT_IN_QUERIES:
            handler = self.find_query(name)
            arguments = self._arguments(handler, name, job.arguments)
            target = name, handler
        input = HandleQueryInput(job.query_id, name, arguments, job.headers, _target=target)
        # Context variables that interceptors set are for this query alone.
        return copy_context().run(_result_at_once, self._intercepted.inbound.handle_query(input))


class InboundEnd(WorkflowInboundInterceptor):
    """The end of the way in: the workflow's own code."""

    def __init__(self, run: InterceptedRun) -> None:
        self._run = run

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self._run.outbound = outbound

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return await self._run.call_run(input.run_fn, input.args)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        messages = self._run.messages
        handler = _handler(messages.signals, "signal", input.signal, input._target)
        await awaited(messages.call(handler, input.args))

    async def handle_query(self, input: HandleQueryInput) -> Any:
        built_in = BUILT_IN_QUERIES.get(input.query)
        if built_in is not None:
            return built_in(self._run)
        messages = self._run.messages
        return messages.call(_handler(messages.queries, "query", input.query, input._target), input.args)()

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        messages = self._run.messages
        handler = _handler(messages.updates, "update", input.update, input._target)
        if handler.validator is not None:
            messages.call(handler, input.args, function=handler.validator)()

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        messages = self._run.messages
        handler = _handler(messages.updates, "update", input.update, input._target)
        return await awaited(messages.call(handler, input.args))


def _update_input(job: _native.DoUpdate, handler: UpdateDefinition, arguments: list[Any]) -> HandleUpdateInput:
    return HandleUpdateInput(job.id, job.name, arguments, job.headers, _target=(job.name, handler))


def _handler(handlers: Handlers[D], kind: str, name: str, target: tuple[str, HandlerDefinition] | None) -> D:
    """The handler that was found when the call came, unless an interceptor has named another.

    Raises:
        LookupError: there is none of this name.
    """
    if target is not None and target[0] == name:
        return cast("D", target[1])
    handler = handlers.find(name)
    if handler is None:
        raise LookupError(
            f"an interceptor has named {kind} {name!r}, for which the workflow has no handler; those that it has are: "
            f"{handlers.names()}"
        )
    return handler


def _result_at_once(coroutine: Awaitable[Any]) -> Any:
    """What a coroutine returns that does not wait.

    Raises:
        TypeError: it is none.
        RuntimeError: it waits.
    """
    if not asyncio.iscoroutine(coroutine):
        raise TypeError(f"handle_query of an interceptor must be async, got {type(coroutine).__name__}")
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("an interceptor waits in handle_query, but a query may not wait")
