"""Interceptors: code around every call of a client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._activities.completion_inputs import (
        CompleteAsyncActivityInput,
        FailAsyncActivityInput,
        HeartbeatAsyncActivityInput,
        ReportCancellationAsyncActivityInput,
    )
    from ._activities.description import ActivityExecutionDescription
    from ._activities.handle import ActivityHandle
    from ._activities.inputs import (
        CancelActivityInput,
        CountActivitiesInput,
        DescribeActivityInput,
        ListActivitiesInput,
        PauseActivityInput,
        StartActivityInput,
        TerminateActivityInput,
        UnpauseActivityInput,
        UpdateActivityOptionsInput,
    )
    from ._activities.listing import ActivityExecutionAsyncIterator, ActivityExecutionCount
    from ._activities.updates import ActivityExecutionOptions
    from ._description import WorkflowExecutionDescription
    from ._handle import WorkflowHandle
    from ._history import WorkflowHistoryEventAsyncIterator
    from ._inputs import (
        CancelWorkflowInput,
        DescribeWorkflowInput,
        FetchWorkflowHistoryEventsInput,
        QueryWorkflowInput,
        SignalWorkflowInput,
        StartWorkflowInput,
        StartWorkflowUpdateInput,
        StartWorkflowUpdateWithStartInput,
        TerminateWorkflowInput,
    )
    from ._nexus.description import (
        NexusOperationExecutionAsyncIterator,
        NexusOperationExecutionCount,
        NexusOperationExecutionDescription,
    )
    from ._nexus.handle import NexusOperationHandle
    from ._nexus.inputs import (
        CancelNexusOperationInput,
        CountNexusOperationsInput,
        DescribeNexusOperationInput,
        GetNexusOperationResultInput,
        ListNexusOperationsInput,
        StartNexusOperationInput,
        TerminateNexusOperationInput,
    )
    from ._reset.inputs import ResetWorkflowInput
    from ._schedules.description import ScheduleDescription
    from ._schedules.handle import ScheduleHandle
    from ._schedules.inputs import (
        BackfillScheduleInput,
        CreateScheduleInput,
        DeleteScheduleInput,
        DescribeScheduleInput,
        ListSchedulesInput,
        PauseScheduleInput,
        TriggerScheduleInput,
        UnpauseScheduleInput,
        UpdateScheduleInput,
    )
    from ._schedules.listing import ScheduleAsyncIterator
    from ._update import WorkflowUpdateHandle
    from ._versions.build_ids import WorkerBuildIdVersionSets, WorkerTaskReachability
    from ._versions.deployment import WorkerDeploymentDescription, WorkerDeploymentVersionDescription
    from ._versions.deployments import WorkerDeploymentAsyncIterator
    from ._versions.inputs import (
        DeleteWorkerDeploymentInput,
        DeleteWorkerDeploymentVersionInput,
        DescribeWorkerDeploymentInput,
        DescribeWorkerDeploymentVersionInput,
        GetWorkerBuildIdCompatibilityInput,
        GetWorkerTaskReachabilityInput,
        ListWorkerDeploymentsInput,
        SetWorkerDeploymentCurrentVersionInput,
        SetWorkerDeploymentRampingVersionInput,
        UpdateWorkerBuildIdCompatibilityInput,
        UpdateWorkerDeploymentVersionMetadataInput,
    )
    from ._visibility.count import WorkflowExecutionCount
    from ._visibility.executions import WorkflowExecutionAsyncIterator
    from ._visibility.inputs import CountWorkflowsInput, ListWorkflowsInput


class Interceptor:
    """Puts code around the calls of a client. Of several, the first in the client's list is outermost.

    Example:
        class Tenant(Interceptor):
            def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
                return TenantCalls(next)

        class TenantCalls(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
                input.memo = {**(input.memo or {}), "tenant": current_tenant()}
                return await super().start_workflow(input)
    """

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """Called once per client.

        Args:
            next: What the calls go to without this interceptor.

        Returns:
            What they go to with it; it passes them on to ``next``.
        """
        return next


class OutboundInterceptor:
    """Calls of a client on their way out. Each method passes its call on unless it is overridden.

    Args:
        next: Where calls go next.
    """

    def __init__(self, next: OutboundInterceptor) -> None:
        """Creates the interceptor."""
        self.next = next

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Called for :meth:`Client.start_workflow`, with and without a signal."""
        return await self.next.start_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        """Called for :meth:`WorkflowHandle.cancel`."""
        await self.next.cancel_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        """Called for :meth:`WorkflowHandle.describe`."""
        return await self.next.describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        """Called for :meth:`WorkflowHandle.fetch_history_events` and :meth:`WorkflowHandle.fetch_history`."""
        return self.next.fetch_workflow_history_events(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        """Called for :meth:`WorkflowHandle.query`."""
        return await self.next.query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        """Called for :meth:`WorkflowHandle.signal`."""
        await self.next.signal_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        """Called for :meth:`WorkflowHandle.terminate`."""
        await self.next.terminate_workflow(input)

    async def reset_workflow(self, input: ResetWorkflowInput) -> WorkflowHandle[Any, Any]:
        """Called for :meth:`WorkflowHandle.reset`."""
        return await self.next.reset_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        """Called for :meth:`WorkflowHandle.start_update` and :meth:`WorkflowHandle.execute_update`."""
        return await self.next.start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        """Called for :meth:`Client.start_update_with_start_workflow` and its counterpart that waits for the result."""
        return await self.next.start_update_with_start_workflow(input)

    def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
        """Called for :meth:`Client.list_workflows`."""
        return self.next.list_workflows(input)

    async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
        """Called for :meth:`Client.count_workflows`."""
        return await self.next.count_workflows(input)

    async def start_nexus_operation(self, input: StartNexusOperationInput) -> NexusOperationHandle[Any]:
        """Called for :meth:`NexusClient.start_operation`."""
        return await self.next.start_nexus_operation(input)

    async def get_nexus_operation_result(self, input: GetNexusOperationResultInput) -> Any:
        """Called for :meth:`NexusOperationHandle.result`."""
        return await self.next.get_nexus_operation_result(input)

    async def describe_nexus_operation(self, input: DescribeNexusOperationInput) -> NexusOperationExecutionDescription:
        """Called for :meth:`NexusOperationHandle.describe`."""
        return await self.next.describe_nexus_operation(input)

    async def cancel_nexus_operation(self, input: CancelNexusOperationInput) -> None:
        """Called for :meth:`NexusOperationHandle.cancel`."""
        await self.next.cancel_nexus_operation(input)

    async def terminate_nexus_operation(self, input: TerminateNexusOperationInput) -> None:
        """Called for :meth:`NexusOperationHandle.terminate`."""
        await self.next.terminate_nexus_operation(input)

    def list_nexus_operations(self, input: ListNexusOperationsInput) -> NexusOperationExecutionAsyncIterator:
        """Called for :meth:`Client.list_nexus_operations`."""
        return self.next.list_nexus_operations(input)

    async def count_nexus_operations(self, input: CountNexusOperationsInput) -> NexusOperationExecutionCount:
        """Called for :meth:`Client.count_nexus_operations`."""
        return await self.next.count_nexus_operations(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:
        """Called for :meth:`Client.create_schedule`."""
        return await self.next.create_schedule(input)

    def list_schedules(self, input: ListSchedulesInput) -> ScheduleAsyncIterator:
        """Called for :meth:`Client.list_schedules`."""
        return self.next.list_schedules(input)

    async def backfill_schedule(self, input: BackfillScheduleInput) -> None:
        """Called for :meth:`ScheduleHandle.backfill`."""
        await self.next.backfill_schedule(input)

    async def delete_schedule(self, input: DeleteScheduleInput) -> None:
        """Called for :meth:`ScheduleHandle.delete`."""
        await self.next.delete_schedule(input)

    async def describe_schedule(self, input: DescribeScheduleInput) -> ScheduleDescription:
        """Called for :meth:`ScheduleHandle.describe`."""
        return await self.next.describe_schedule(input)

    async def pause_schedule(self, input: PauseScheduleInput) -> None:
        """Called for :meth:`ScheduleHandle.pause`."""
        await self.next.pause_schedule(input)

    async def trigger_schedule(self, input: TriggerScheduleInput) -> None:
        """Called for :meth:`ScheduleHandle.trigger`."""
        await self.next.trigger_schedule(input)

    async def unpause_schedule(self, input: UnpauseScheduleInput) -> None:
        """Called for :meth:`ScheduleHandle.unpause`."""
        await self.next.unpause_schedule(input)

    async def update_schedule(self, input: UpdateScheduleInput) -> None:
        """Called for :meth:`ScheduleHandle.update`."""
        await self.next.update_schedule(input)

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """Called for :meth:`Client.start_activity` and the calls like it, which wait for the result or not."""
        return await self.next.start_activity(input)

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        """Called for :meth:`ActivityHandle.cancel`."""
        await self.next.cancel_activity(input)

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        """Called for :meth:`ActivityHandle.terminate`."""
        await self.next.terminate_activity(input)

    async def pause_activity(self, input: PauseActivityInput) -> None:
        """Called for :meth:`ActivityHandle.pause`."""
        await self.next.pause_activity(input)

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        """Called for :meth:`ActivityHandle.unpause`."""
        await self.next.unpause_activity(input)

    async def update_activity_options(self, input: UpdateActivityOptionsInput) -> ActivityExecutionOptions:
        """Called for :meth:`ActivityHandle.update_options` and :meth:`ActivityHandle.restore_original_options`."""
        return await self.next.update_activity_options(input)

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        """Called for :meth:`ActivityHandle.describe`."""
        return await self.next.describe_activity(input)

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        """Called for :meth:`Client.list_activities`."""
        return self.next.list_activities(input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        """Called for :meth:`Client.count_activities`."""
        return await self.next.count_activities(input)

    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        """Called for :meth:`AsyncActivityHandle.heartbeat`."""
        await self.next.heartbeat_async_activity(input)

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        """Called for :meth:`AsyncActivityHandle.complete`."""
        await self.next.complete_async_activity(input)

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        """Called for :meth:`AsyncActivityHandle.fail`."""
        await self.next.fail_async_activity(input)

    async def report_cancellation_async_activity(self, input: ReportCancellationAsyncActivityInput) -> None:
        """Called for :meth:`AsyncActivityHandle.report_cancellation`."""
        await self.next.report_cancellation_async_activity(input)

    async def update_worker_build_id_compatibility(self, input: UpdateWorkerBuildIdCompatibilityInput) -> None:
        """Called for :meth:`Client.update_worker_build_id_compatibility`."""
        await self.next.update_worker_build_id_compatibility(input)

    async def get_worker_build_id_compatibility(
        self, input: GetWorkerBuildIdCompatibilityInput
    ) -> WorkerBuildIdVersionSets:
        """Called for :meth:`Client.get_worker_build_id_compatibility`."""
        return await self.next.get_worker_build_id_compatibility(input)

    async def get_worker_task_reachability(self, input: GetWorkerTaskReachabilityInput) -> WorkerTaskReachability:
        """Called for :meth:`Client.get_worker_task_reachability`."""
        return await self.next.get_worker_task_reachability(input)

    def list_worker_deployments(self, input: ListWorkerDeploymentsInput) -> WorkerDeploymentAsyncIterator:
        """Called for :meth:`Client.list_worker_deployments`."""
        return self.next.list_worker_deployments(input)

    async def describe_worker_deployment(self, input: DescribeWorkerDeploymentInput) -> WorkerDeploymentDescription:
        """Called for :meth:`WorkerDeploymentHandle.describe`."""
        return await self.next.describe_worker_deployment(input)

    async def set_worker_deployment_current_version(self, input: SetWorkerDeploymentCurrentVersionInput) -> bytes:
        """Called for :meth:`WorkerDeploymentHandle.set_current_version`."""
        return await self.next.set_worker_deployment_current_version(input)

    async def set_worker_deployment_ramping_version(self, input: SetWorkerDeploymentRampingVersionInput) -> bytes:
        """Called for :meth:`WorkerDeploymentHandle.set_ramping_version`."""
        return await self.next.set_worker_deployment_ramping_version(input)

    async def describe_worker_deployment_version(
        self, input: DescribeWorkerDeploymentVersionInput
    ) -> WorkerDeploymentVersionDescription:
        """Called for :meth:`WorkerDeploymentHandle.describe_version`."""
        return await self.next.describe_worker_deployment_version(input)

    async def update_worker_deployment_version_metadata(
        self, input: UpdateWorkerDeploymentVersionMetadataInput
    ) -> Mapping[str, Any]:
        """Called for :meth:`WorkerDeploymentHandle.update_version_metadata`."""
        return await self.next.update_worker_deployment_version_metadata(input)

    async def delete_worker_deployment_version(self, input: DeleteWorkerDeploymentVersionInput) -> None:
        """Called for :meth:`WorkerDeploymentHandle.delete_version`."""
        await self.next.delete_worker_deployment_version(input)

    async def delete_worker_deployment(self, input: DeleteWorkerDeploymentInput) -> None:
        """Called for :meth:`WorkerDeploymentHandle.delete`."""
        await self.next.delete_worker_deployment(input)
