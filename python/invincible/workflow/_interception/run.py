"""A run whose calls pass interceptors on their way in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NoReturn

from invincible._engine.definition import WorkflowDefinition
from invincible._engine.parts import made_when_used
from invincible._engine.reference import Reference
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible._native import InitializeWorkflow

from .inputs import ContinueAsNewInput, ExecuteWorkflowInput
from .interceptors import WorkflowInboundInterceptor
from .messages import InboundEnd, InterceptedMessages
from .operations import (
    InterceptedActivities,
    InterceptedChildren,
    InterceptedExternal,
    InterceptedNexusOperations,
    argument_types,
)
from .outbound import OutboundEnd


class InterceptedRun(WorkflowRun):
    """A run of a worker that has interceptors of workflows.

    Args:
        interceptors: The classes of its interceptors, the outermost first.
    """

    def __init__(
        self,
        interceptors: Sequence[type[WorkflowInboundInterceptor]],
        definition: WorkflowDefinition,
        worker: WorkerContext,
        run_id: str,
        init: InitializeWorkflow,
    ) -> None:
        super().__init__(definition, worker, run_id, init)
        self._interceptors = interceptors
        # Until it is made: a run that could not be made may still be asked.
        self.inbound: WorkflowInboundInterceptor = InboundEnd(self)

    @made_when_used
    def activities(self) -> InterceptedActivities:
        return InterceptedActivities(self)

    @made_when_used
    def messages(self) -> InterceptedMessages:
        return InterceptedMessages(self)

    @made_when_used
    def children(self) -> InterceptedChildren:
        return InterceptedChildren(self)

    @made_when_used
    def external(self) -> InterceptedExternal:
        return InterceptedExternal(self)

    @made_when_used
    def nexus(self) -> InterceptedNexusOperations:
        return InterceptedNexusOperations(self)

    def _instantiate(self) -> None:
        # Interceptors are there before the workflow's own object, whose constructor may make calls already.
        inbound: WorkflowInboundInterceptor = InboundEnd(self)
        for interceptor in reversed(self._interceptors):
            inbound = interceptor(inbound)
        inbound.init(OutboundEnd(self))
        if self.outbound is None:
            raise RuntimeError(
                "an interceptor has kept init to itself, so that no outbound calls are possible: its init must call "
                f"super().init(outbound); the interceptors are: {', '.join(map(_name, self._interceptors))}"
            )
        self.inbound = inbound
        super()._instantiate()

    def _main_call(self) -> Awaitable[Any]:
        definition = self.definition
        return self.inbound.execute_workflow(
            ExecuteWorkflowInput(
                type=definition.workflow_class or definition.run,
                run_fn=definition.run,
                args=self._take_arguments(),
                headers=self.init.headers,
            )
        )

    def continue_as_new(self, reference: Reference | None, arguments: Sequence[Any], **options: Any) -> NoReturn:
        self.outbound.continue_as_new(
            ContinueAsNewInput(
                workflow=reference.name if reference is not None else None,
                args=arguments,
                headers={},
                arg_types=argument_types(reference) if reference is not None else None,
                **options,
            )
        )
        raise RuntimeError(
            "an interceptor has returned from continue_as_new, so that the run cannot end: it must call "
            "self.next.continue_as_new(input), or raise an exception"
        )


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"
