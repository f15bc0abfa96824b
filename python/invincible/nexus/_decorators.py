"""Decorators of operations that interact with Temporal."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar, overload

import nexusrpc
from nexusrpc import InputT, OutputT

# Its own decorators mark methods with it; there is no public name for it.
from nexusrpc._util import set_operation_factory
from nexusrpc.handler import OperationHandler

from ._client import TemporalNexusClient, TemporalOperationResult
from ._contexts import TemporalStartOperationContext, WorkflowRunOperationContext
from ._handlers import TemporalOperationHandler, WorkflowRunOperationHandler
from ._token import WorkflowHandle

S = TypeVar("S")

WorkflowRunStart: TypeAlias = Callable[[S, WorkflowRunOperationContext, InputT], Awaitable[WorkflowHandle[OutputT]]]
TemporalStart: TypeAlias = Callable[
    [S, TemporalStartOperationContext, TemporalNexusClient, InputT], Awaitable[TemporalOperationResult[OutputT]]
]


@overload
def workflow_run_operation(start: WorkflowRunStart[S, InputT, OutputT]) -> WorkflowRunStart[S, InputT, OutputT]: ...
@overload
def workflow_run_operation(
    *, name: str | None = None
) -> Callable[[WorkflowRunStart[S, InputT, OutputT]], WorkflowRunStart[S, InputT, OutputT]]: ...
def workflow_run_operation(start: Any = None, *, name: str | None = None) -> Any:
    """Makes a method of a service handler the start of an operation whose end is that of a workflow.

    Args:
        start: An ``async def`` method with a :class:`WorkflowRunOperationContext` and an input, which returns what the
            context's ``start_workflow`` gives. Cancelling the operation cancels the workflow.
        name: Name of the operation; that of the method by default.

    Raises:
        TypeError: ``start`` is no ``async def``.
    """

    def decorate(start: WorkflowRunStart[Any, Any, Any]) -> WorkflowRunStart[Any, Any, Any]:
        def handler(service: Any) -> OperationHandler[Any, Any]:
            return WorkflowRunOperationHandler(partial(start, service))

        _mark(start, handler, "workflow_run_operation", name, WorkflowHandle, parameters=2)
        return start

    return decorate if start is None else decorate(start)


@overload
def temporal_operation(start: TemporalStart[S, InputT, OutputT]) -> TemporalStart[S, InputT, OutputT]: ...
@overload
def temporal_operation(
    *, name: str | None = None
) -> Callable[[TemporalStart[S, InputT, OutputT]], TemporalStart[S, InputT, OutputT]]: ...
def temporal_operation(start: Any = None, *, name: str | None = None) -> Any:
    """Makes a method of a service handler the start of an operation behind which there is a workflow, an update or an
    activity, or that is done at once.

    Args:
        start: An ``async def`` method with a :class:`TemporalStartOperationContext`, a :class:`TemporalNexusClient` and
            an input, which returns a :class:`TemporalOperationResult`. Cancelling the operation does what
            :class:`TemporalOperationHandler` does.
        name: Name of the operation; that of the method by default.

    Raises:
        TypeError: ``start`` is no ``async def``.
    """

    def decorate(start: TemporalStart[Any, Any, Any]) -> TemporalStart[Any, Any, Any]:
        class Handler(TemporalOperationHandler[Any, Any]):
            def __init__(self, service: Any) -> None:
                self._service = service

            async def start_operation(
                self, ctx: TemporalStartOperationContext, client: TemporalNexusClient, input: Any
            ) -> TemporalOperationResult[Any]:
                return await start(self._service, ctx, client, input)

        _mark(start, Handler, "temporal_operation", name, TemporalOperationResult, parameters=3)
        return start

    return decorate if start is None else decorate(start)


def _mark(
    start: Any,
    factory: Callable[[Any], OperationHandler[Any, Any]],
    decorator: str,
    name: str | None,
    result: type,
    parameters: int,
) -> None:
    """Has service handlers find the operation of a method."""
    method = getattr(start, "__name__", type(start).__name__)
    if not inspect.iscoroutinefunction(start) and not inspect.iscoroutinefunction(type(start).__call__):
        raise TypeError(f"@{decorator} is for async def methods, and {method} is none")
    input_type, output_type = _types(start, result, parameters)
    operation = nexusrpc.Operation(name=name or method, input_type=input_type, output_type=output_type)
    operation.method_name = method
    nexusrpc.set_operation(factory, operation)
    set_operation_factory(start, factory)


def _types(start: Any, result: type, parameters: int) -> tuple[Any, Any]:
    """Types of input and output, where the annotations tell them; a service definition has them otherwise."""
    function = start if inspect.isroutine(start) else type(start).__call__
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError):
        return None, None
    returned = hints.pop("return", None)
    arguments = typing.get_args(returned) if typing.get_origin(returned) is result else ()
    _, *names = inspect.signature(function).parameters  # the first is the service
    input_type = hints.get(names[-1]) if len(names) == parameters else None
    return input_type, arguments[0] if arguments else None
