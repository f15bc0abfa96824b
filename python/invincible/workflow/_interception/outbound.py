"""The end of the way out: what a run asks for becomes commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from invincible._engine.activities import Activities, ActivityHandle
from invincible._engine.children import Children, ChildWorkflowHandle
from invincible._engine.external import External, SignalTarget
from invincible._engine.nexus import NexusOperationHandle, NexusOperations
from invincible._engine.options import ActivityOptions, ChildWorkflowOptions, LocalActivityOptions, given_groups
from invincible._engine.reference import Reference
from invincible._engine.run import WorkflowRun
from invincible.workflow._info import Info, info_of

from .inputs import (
    ContinueAsNewInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)
from .interceptors import WorkflowOutboundInterceptor
from .options import options_of
from .signal_with_start import (
    SignalWithStartWorkflowRequest,
    SignalWithStartWorkflowResponse,
    operation_input,
    start_operation,
)

if TYPE_CHECKING:
    from .run import InterceptedRun


class OutboundEnd(WorkflowOutboundInterceptor):
    """Does what the engine does where there are no interceptors."""

    def __init__(self, run: InterceptedRun) -> None:
        self._run = run

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        run = self._run
        run.require_writable("continuing as new")
        WorkflowRun.continue_as_new(
            run,
            Reference(input.workflow, None) if input.workflow is not None else None,
            input.args,
            task_queue=input.task_queue,
            run_timeout=input.run_timeout,
            task_timeout=input.task_timeout,
            backoff_start_interval=input.backoff_start_interval,
            retry_policy=input.retry_policy,
            memo=input.memo,
            search_attributes=input.search_attributes,
            versioning_intent=input.versioning_intent,
            initial_versioning_behavior=input.initial_versioning_behavior,
            event_groups=input.event_groups,
            headers=dict(input.headers),
        )

    def info(self) -> Info:
        return info_of(self._run)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        await External.signal(
            self._run.external,
            SignalTarget(child_workflow_id=input.child_workflow_id),
            input.signal,
            input.args,
            given_groups(input.event_groups),
            headers=dict(input.headers),
        )

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        await External.signal(
            self._run.external,
            SignalTarget(workflow_id=input.workflow_id, run_id=input.workflow_run_id or "", namespace=input.namespace),
            input.signal,
            input.args,
            given_groups(input.event_groups),
            headers=dict(input.headers),
        )

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        return Activities.schedule(
            self._run.activities,
            Reference(input.activity, None),
            input.args,
            options_of(ActivityOptions, input),
            input.ret_type,
            headers=dict(input.headers),
            disable_eager_execution=input.disable_eager_execution,
        )

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        return await Children.start(
            self._run.children,
            Reference(input.workflow, None),
            input.args,
            options_of(ChildWorkflowOptions, input),
            input.ret_type,
            headers=dict(input.headers),
        )

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        return Activities.schedule_local(
            self._run.activities,
            Reference(input.activity, None),
            input.args,
            options_of(LocalActivityOptions, input),
            input.ret_type,
            headers=dict(input.headers),
        )

    async def start_nexus_operation(self, input: StartNexusOperationInput[Any, Any]) -> NexusOperationHandle[Any]:
        return await NexusOperations.call(
            self._run.nexus,
            input.endpoint,
            input.service,
            input.operation,
            input.input,
            output_type=input.output_type,
            schedule_to_close_timeout=input.schedule_to_close_timeout,
            schedule_to_start_timeout=input.schedule_to_start_timeout,
            start_to_close_timeout=input.start_to_close_timeout,
            cancellation_type=input.cancellation_type,
            headers=input.headers,
            summary=input.summary,
            event_groups=input.event_groups,
        )

    async def start_signal_with_start_workflow(
        self, request: SignalWithStartWorkflowRequest
    ) -> NexusOperationHandle[SignalWithStartWorkflowResponse]:
        handle: NexusOperationHandle[SignalWithStartWorkflowResponse]
        handle = await self._run.outbound.start_system_nexus_operation(operation_input(request))
        return handle

    async def start_system_nexus_operation(
        self, input: StartNexusOperationInput[Any, Any]
    ) -> NexusOperationHandle[Any]:
        return await start_operation(self._run, input)
