"""What the interceptors of a worker come to: asked once, when the worker is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invincible.client import Interceptor as ClientInterceptor

from ._interceptor import Interceptor, WorkflowInboundInterceptor, WorkflowInterceptorClassInput


@dataclass(frozen=True)
class Interception:
    """The interceptors of one worker, the outermost first.

    Args:
        activities: Those that may intercept activities.
        workflows: The classes that each run has an object of.
        nexus: Those that may intercept Nexus operations.
        extern_functions: What they let workflow code call.
    """

    activities: Sequence[Interceptor]
    workflows: Sequence[type[WorkflowInboundInterceptor]]
    nexus: Sequence[Interceptor]
    extern_functions: Mapping[str, Callable[..., Any]]


def interception_of(of_client: Sequence[ClientInterceptor], given: Sequence[Any]) -> Interception:
    """What intercepts the calls of a worker: interceptors of its client that are for workers too, then its own.

    Raises:
        TypeError: one is no interceptor of workers, or gives a class that is none of workflows.
        ValueError: one of them is among the client's already.
    """
    shared = [each for each in of_client if isinstance(each, Interceptor)]
    for each in given:
        if not isinstance(each, Interceptor):
            raise TypeError(
                f"interceptors must be objects of subclasses of invincible.worker.Interceptor, got {each!r}"
            )
        if any(each is other for other in shared):
            raise ValueError(
                f"interceptor {_name(type(each))} is one of the client's, which the worker uses anyway: "
                "do not give it again"
            )
    interceptors = (*shared, *given)
    functions: dict[str, Callable[..., Any]] = {}
    classes = [_workflow_class(each, WorkflowInterceptorClassInput(functions)) for each in interceptors]
    return Interception(
        activities=_overriding(interceptors, "intercept_activity"),
        workflows=tuple(each for each in classes if each is not None),
        nexus=_overriding(interceptors, "intercept_nexus_operation"),
        extern_functions=functions,
    )


def _workflow_class(
    interceptor: Interceptor, input: WorkflowInterceptorClassInput
) -> type[WorkflowInboundInterceptor] | None:
    given: Any = interceptor.workflow_interceptor_class(input)
    if given is not None and not (isinstance(given, type) and issubclass(given, WorkflowInboundInterceptor)):
        raise TypeError(
            f"workflow_interceptor_class of {_name(type(interceptor))} must return a subclass of "
            f"invincible.worker.WorkflowInboundInterceptor or None, got {given!r}"
        )
    return given


def _overriding(interceptors: Sequence[Interceptor], method: str) -> Sequence[Interceptor]:
    """Those that do something of a kind: what nobody intercepts takes the shorter way."""
    default = getattr(Interceptor, method)
    return tuple(each for each in interceptors if getattr(getattr(each, method), "__func__", None) is not default)


def _name(type_: type) -> str:
    return f"{type_.__module__}.{type_.__qualname__}"
