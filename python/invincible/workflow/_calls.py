"""Calls of workflows as children, typed with the workflow's own parameters and result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, overload

from typing_extensions import Unpack

from invincible._engine.options import ChildWorkflowOptions
from invincible._engine.reference import workflow_reference
from invincible.types import ProtocolParamType, ProtocolReturnType, ProtocolSelfType

if TYPE_CHECKING:
    from invincible._engine.children import ChildWorkflowHandle
    from invincible._engine.configs import ChildWorkflowConfig
    from invincible._engine.reference import Reference


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


class ChildWorkflowCalls(Generic[S, P, R]):
    """Calls of one workflow from another one, whose child it becomes.

    Args:
        workflow: The run method, or the function that is the workflow. It need not be decorated yet.
        options: The options of the calls.
    """

    def __init__(self, workflow: Callable[..., Any], options: ChildWorkflowOptions) -> None:
        """Keeps both."""
        self._workflow = workflow
        self._options = options

    def start(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, ChildWorkflowHandle[S, R]]:
        """Start the workflow as a child, and return its handle once it has started.

        Raises:
            TypeError: the arguments do not fit the workflow; raised by the call, before anything is awaited.
            WorkflowAlreadyStartedError: a workflow of this id runs, or has run and the reuse policy forbids another.
            ChildWorkflowError: the child was cancelled before it started.
        """
        from ._children import start_child

        return start_child(*self._call(args, kwargs), self._options)

    def execute(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        """Start the workflow as a child and wait for its result.

        Raises:
            TypeError: the arguments do not fit the workflow; raised by the call, before anything is awaited.
            WorkflowAlreadyStartedError: a workflow of this id runs, or has run and the reuse policy forbids another.
            ChildWorkflowError: the child failed; the reason is its ``cause``.
        """
        return self._execute(*self._call(args, kwargs))

    def with_options(self, **options: Unpack[ChildWorkflowConfig]) -> ChildWorkflowCalls[S, P, R]:
        """The same workflow, called with these options, and with those set before that they do not replace.

        Raises:
            TypeError: an option is unknown or of the wrong type.
            ValueError: a timeout is negative.
        """
        return ChildWorkflowCalls(self._workflow, self._options.replaced(options))

    def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Reference, Sequence[Any]]:
        reference = workflow_reference(self._workflow)
        assert reference.signature is not None
        return reference, reference.signature.bind(args, kwargs)

    async def _execute(self, reference: Reference, arguments: Sequence[Any]) -> R:
        from ._children import start_child

        child: ChildWorkflowHandle[S, R] = await start_child(reference, arguments, self._options)
        return await child


class _Workflow(Protocol[S, P, R]):
    def start(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, ChildWorkflowHandle[S, R]]: ...
    def execute(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...
    def with_options(self, **options: Unpack[ChildWorkflowConfig]) -> ChildWorkflowCalls[S, P, R]: ...


class FunctionWorkflow(_Workflow[Any, P, R], Protocol[P, R]):
    """An ``async def`` function decorated by ``defn``: still the function, and callable as a child workflow."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...


class RunMethod(_Workflow[S, P, R], Protocol[S, P, R]):
    """A method decorated by ``run`` as its class has it: still the method, and callable as a child workflow."""

    # The mark tells type checkers a run method from a function workflow, whose first parameter is no instance.
    __invincible_run__: bool

    def __call__(self, instance: S, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...


class RunNoParam(Protocol[ProtocolSelfType, ProtocolReturnType]):
    """A ``RunMethod`` that can be called without arguments."""

    __invincible_run__: bool

    def __call__(self, instance: ProtocolSelfType, /) -> Awaitable[ProtocolReturnType]: ...


class RunSingleParam(Protocol[ProtocolSelfType, ProtocolParamType, ProtocolReturnType]):
    """A ``RunMethod`` that can be called with one argument."""

    __invincible_run__: bool

    def __call__(self, instance: ProtocolSelfType, arg: ProtocolParamType, /) -> Awaitable[ProtocolReturnType]: ...


class RunDescriptor(Protocol[P, R]):
    """What ``run`` puts into the class. It does not have the class among its types, so that a subclass may override
    it."""

    @overload
    def __get__(self, instance: None, owner: type[S]) -> RunMethod[S, P, R]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> Callable[P, Coroutine[Any, Any, R]]: ...


def add_calls(workflow: Callable[..., Any]) -> None:
    """Give a run method, or a function that is a workflow, its typed calls."""
    calls: ChildWorkflowCalls[Any, Any, Any] = ChildWorkflowCalls(workflow, ChildWorkflowOptions())
    for method in ("start", "execute", "with_options"):
        setattr(workflow, method, getattr(calls, method))
