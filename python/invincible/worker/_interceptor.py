"""Interceptors: code around what a worker runs, and around what that code asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invincible._native import Payload
from invincible.workflow._interception.inputs import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)
from invincible.workflow._interception.interceptors import WorkflowInboundInterceptor, WorkflowOutboundInterceptor
from invincible.workflow._interception.signal_with_start import (
    SignalWithStartWorkflowRequest,
    SignalWithStartWorkflowResponse,
)

if TYPE_CHECKING:
    from invincible.activity import Info

    from ._nexus_interceptor import NexusOperationInboundInterceptor

__all__ = [
    "ActivityInboundInterceptor",
    "ActivityOutboundInterceptor",
    "ContinueAsNewInput",
    "ExecuteActivityInput",
    "ExecuteWorkflowInput",
    "HandleQueryInput",
    "HandleSignalInput",
    "HandleUpdateInput",
    "Interceptor",
    "SignalChildWorkflowInput",
    "SignalExternalWorkflowInput",
    "SignalWithStartWorkflowRequest",
    "SignalWithStartWorkflowResponse",
    "StartActivityInput",
    "StartChildWorkflowInput",
    "StartLocalActivityInput",
    "StartNexusOperationInput",
    "WorkflowInboundInterceptor",
    "WorkflowInterceptorClassInput",
    "WorkflowOutboundInterceptor",
]


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """Argument of :meth:`Interceptor.workflow_interceptor_class`.

    Args:
        unsafe_extern_functions: Functions for workflow code to call by ``workflow.extern_functions()``, by name; one
            mapping for all interceptors of a worker. They run in the middle of workflow code, which they must not
            block, and what they return must be the same on every replay.
    """

    unsafe_extern_functions: MutableMapping[str, Callable[..., Any]]


class Interceptor:
    """Puts code around the activities, workflows and Nexus operations of a worker. Of several, the first in the
    worker's list is outermost; those of its client come before them.

    Example:
        class Audit(Interceptor):
            def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
                return AuditActivity(next)

        class AuditActivity(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                audit.info("%s begins", activity.info().activity_type)
                return await super().execute_activity(input)
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Called for each execution of an activity, remote or local.

        Args:
            next: Where its calls go without this interceptor.

        Returns:
            Where they go with it; it passes them on to ``next``.
        """
        return next

    def intercept_nexus_operation(self, next: NexusOperationInboundInterceptor) -> NexusOperationInboundInterceptor:
        """Called for each call of a Nexus operation that the worker handles.

        Args:
            next: Where it goes without this interceptor.

        Returns:
            Where it goes with it; it passes it on to ``next``.
        """
        return next

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """Called once per worker.

        Args:
            input: Takes functions for workflow code.

        Returns:
            The class of which each run has an object, ``None`` to intercept no workflows.
        """
        return None


@dataclass
class ExecuteActivityInput:
    """Argument of :meth:`ActivityInboundInterceptor.execute_activity`.

    Args:
        fn: The activity as it is registered: a function, a bound method or a callable object.
        args: Arguments, converted; a list of ``RawValue`` is the only one of a dynamic activity.
        executor: Where a ``def`` activity runs; ``None`` for the event loop, or for the worker's own threads.
        headers: Headers that the activity was scheduled with.
    """

    fn: Callable[..., Any]
    args: Sequence[Any]
    executor: Executor | None
    headers: Mapping[str, Payload]


class ActivityInboundInterceptor:
    """Calls of an activity on their way to its code. Each method passes its call on unless it is overridden.

    Args:
        next: Where calls go next.
    """

    def __init__(self, next: ActivityInboundInterceptor) -> None:
        """Creates the interceptor, for one execution of an activity."""
        self.next = next

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Called once, before the execution. To intercept outbound calls, pass an interceptor of them on.

        Args:
            outbound: Where outbound calls go without this interceptor.
        """
        self.next.init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Called for the execution, on the worker's event loop even if the activity runs elsewhere.

        What it returns is the result of the activity. What ``activity.info()`` and the like say is there, and calls of
        the activity's code see context variables as this method sets them.
        """
        return await self.next.execute_activity(input)


class ActivityOutboundInterceptor:
    """Calls of an activity's code on their way out. Each method passes its call on unless it is overridden.

    They are called where the activity runs: on the event loop, on a thread, or for an activity in another process on a
    thread of the worker.

    Args:
        next: Where calls go next.
    """

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        """Creates the interceptor."""
        self.next = next

    def info(self) -> Info:
        """Called for each ``activity.info``."""
        return self.next.info()

    def heartbeat(self, *details: Any) -> None:
        """Called for each ``activity.heartbeat``."""
        self.next.heartbeat(*details)
