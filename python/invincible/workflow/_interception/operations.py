"""What a run asks for, on its way to the interceptors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from invincible._engine.activities import Activities, ActivityHandle
from invincible._engine.children import Children, ChildWorkflowHandle
from invincible._engine.external import External, SignalTarget
from invincible._engine.groups import EventGroup
from invincible._engine.nexus import NexusOperationHandle, NexusOperations
from invincible._engine.options import ActivityOptions, ChildWorkflowOptions, LocalActivityOptions
from invincible._engine.reference import Reference

from .inputs import (
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)
from .options import activity_fields, child_workflow_fields, local_activity_fields

if TYPE_CHECKING:
    from .run import InterceptedRun


class InterceptedActivities(Activities):
    """The activities of one run, scheduled through its interceptors."""

    def __init__(self, run: InterceptedRun) -> None:
        super().__init__(run)
        self._intercepted = run

    def schedule(
        self,
        reference: Reference,
        arguments: Sequence[Any],
        options: ActivityOptions,
        result_type: Any,
        **wire: Any,
    ) -> ActivityHandle[Any]:
        handle = self._intercepted.outbound.start_activity(
            StartActivityInput(
                activity=reference.name,
                args=arguments,
                headers={},
                disable_eager_execution=False,
                arg_types=argument_types(reference),
                ret_type=result_type,
                **activity_fields(options),
            )
        )
        return _handle(handle, "start_activity")

    def schedule_local(
        self,
        reference: Reference,
        arguments: Sequence[Any],
        options: LocalActivityOptions,
        result_type: Any,
        **wire: Any,
    ) -> ActivityHandle[Any]:
        handle = self._intercepted.outbound.start_local_activity(
            StartLocalActivityInput(
                activity=reference.name,
                args=arguments,
                headers={},
                arg_types=argument_types(reference),
                ret_type=result_type,
                **local_activity_fields(options),
            )
        )
        return _handle(handle, "start_local_activity")


class InterceptedChildren(Children):
    """The child workflows of one run, started through its interceptors."""

    def __init__(self, run: InterceptedRun) -> None:
        super().__init__(run)
        self._intercepted = run

    async def start(
        self,
        reference: Reference,
        arguments: Sequence[Any],
        options: ChildWorkflowOptions,
        result_type: Any,
        **wire: Any,
    ) -> ChildWorkflowHandle[Any, Any]:
        run = self._intercepted
        run.require_writable("starting a child workflow")
        handle: ChildWorkflowHandle[Any, Any] = await run.outbound.start_child_workflow(
            StartChildWorkflowInput(
                workflow=reference.name,
                args=arguments,
                id=options.id or str(run.randomness.uuid4()),
                headers={},
                arg_types=argument_types(reference),
                ret_type=result_type,
                **child_workflow_fields(options),
            )
        )
        return handle


class InterceptedExternal(External):
    """The signals of one run to other workflows, sent through its interceptors."""

    def __init__(self, run: InterceptedRun) -> None:
        super().__init__(run)
        self._intercepted = run

    async def signal(
        self, target: SignalTarget, signal: str, arguments: Sequence[Any], groups: Sequence[EventGroup], **wire: Any
    ) -> None:
        outbound = self._intercepted.outbound
        if target.child_workflow_id is not None:
            await outbound.signal_child_workflow(
                SignalChildWorkflowInput(
                    signal=signal,
                    args=arguments,
                    child_workflow_id=target.child_workflow_id,
                    headers={},
                    event_groups=groups or None,
                )
            )
        else:
            await outbound.signal_external_workflow(
                SignalExternalWorkflowInput(
                    signal=signal,
                    args=arguments,
                    namespace=self.run.worker.namespace,
                    workflow_id=target.workflow_id,
                    workflow_run_id=target.run_id or None,
                    headers={},
                    event_groups=groups or None,
                )
            )


class InterceptedNexusOperations(NexusOperations):
    """The Nexus operations of one run, started through its interceptors."""

    def __init__(self, run: InterceptedRun) -> None:
        super().__init__(run)
        self._intercepted = run

    async def call(
        self, endpoint: str, service: str, operation: Any, input: Any, **options: Any
    ) -> NexusOperationHandle[Any]:
        handle: NexusOperationHandle[Any] = await self._intercepted.outbound.start_nexus_operation(
            StartNexusOperationInput(endpoint=endpoint, service=service, operation=operation, input=input, **options)
        )
        return handle


def _handle(given: Any, method: str) -> ActivityHandle[Any]:
    if asyncio.isfuture(given):
        return cast("ActivityHandle[Any]", given)
    if asyncio.iscoroutine(given):
        given.close()
    raise TypeError(f"{method} of an interceptor must not be async, and return the handle of its call, got {given!r}")


def argument_types(reference: Reference) -> list[type] | None:
    """The annotated types of the parameters; ``None`` if one is not known."""
    if reference.signature is None:
        return None
    hints = [parameter.hint for parameter in reference.signature.parameters]
    return None if None in hints else hints
