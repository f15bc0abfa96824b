"""Clients: start workflows, wait for their results, query, signal, update, cancel, describe them.

client = await Client.connect("localhost:7233")
handle = await client.start_workflow(Order.run, order, id=f"order-{order.id}", task_queue="orders")
await handle.signal(Order.approve)
receipt = await handle.result()

Programs without an event loop have the same with names that begin with ``Sync``: :class:`SyncClient` leads to the rest.
"""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from ._activities.completion import AsyncActivityHandle
    from ._activities.completion_inputs import (
        AsyncActivityIDReference,
        CompleteAsyncActivityInput,
        FailAsyncActivityInput,
        HeartbeatAsyncActivityInput,
        ReportCancellationAsyncActivityInput,
    )
    from ._activities.description import ActivityExecution, ActivityExecutionDescription
    from ._activities.errors import ActivityFailureError, AsyncActivityCancelledError
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
    from ._activities.listing import (
        ActivityExecutionAsyncIterator,
        ActivityExecutionCount,
        ActivityExecutionCountAggregationGroup,
    )
    from ._activities.status import ActivityExecutionStatus, PendingActivityState
    from ._activities.updates import (
        ActivityExecutionOptions,
        ActivityOptionsKey,
        ActivityOptionsKeys,
        ActivityOptionsUpdate,
    )
    from ._client import Client
    from ._cloud import CloudOperationsClient
    from ._config import ClientConfig
    from ._connect_config import ClientConnectConfig
    from ._description import WorkflowExecution, WorkflowExecutionDescription
    from ._errors import (
        NexusOperationFailureError,
        NoWorkerError,
        RPCTimeoutOrCancelledError,
        WorkflowContinuedAsNewError,
        WorkflowFailureError,
        WorkflowQueryFailedError,
        WorkflowQueryRejectedError,
        WorkflowTaskFailedError,
        WorkflowUpdateFailedError,
        WorkflowUpdateRPCTimeoutOrCancelledError,
    )
    from ._handle import WorkflowHandle
    from ._history import WorkflowHistory, WorkflowHistoryEventAsyncIterator
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
        UpdateWithStartStartWorkflowInput,
        UpdateWithStartUpdateWorkflowInput,
    )
    from ._interceptor import Interceptor, OutboundInterceptor
    from ._nexus.client import NexusClient
    from ._nexus.description import (
        NexusOperationExecution,
        NexusOperationExecutionAsyncIterator,
        NexusOperationExecutionCancellationInfo,
        NexusOperationExecutionCount,
        NexusOperationExecutionCountAggregationGroup,
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
    from ._plugin import Plugin
    from ._reset.errors import WorkflowResetError
    from ._reset.inputs import ResetWorkflowInput
    from ._reset.point import WorkflowResetPoint
    from ._schedules.action import ScheduleAction, ScheduleActionStartWorkflow
    from ._schedules.apply import AppliedSchedule
    from ._schedules.description import (
        ScheduleActionExecution,
        ScheduleActionExecutionStartWorkflow,
        ScheduleActionResult,
        ScheduleDescription,
        ScheduleInfo,
    )
    from ._schedules.errors import ScheduleAlreadyRunningError
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
    from ._schedules.listing import (
        ScheduleAsyncIterator,
        ScheduleListAction,
        ScheduleListActionStartWorkflow,
        ScheduleListDescription,
        ScheduleListInfo,
        ScheduleListSchedule,
        ScheduleListState,
    )
    from ._schedules.schedule import (
        Schedule,
        ScheduleBackfill,
        ScheduleOverlapPolicy,
        SchedulePolicy,
        ScheduleState,
        ScheduleUpdate,
        ScheduleUpdateInput,
    )
    from ._schedules.spec import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec
    from ._status import WorkflowExecutionStatus, WorkflowHistoryEventFilterType, WorkflowUpdateStage
    from ._sync.calls import sync_timeout
    from ._sync.classes import (
        SyncActivityExecution,
        SyncActivityExecutionDescription,
        SyncActivityExecutionIterator,
        SyncActivityHandle,
        SyncAsyncActivityHandle,
        SyncClient,
        SyncCloudOperationsClient,
        SyncCloudService,
        SyncHealthService,
        SyncNexusClient,
        SyncNexusOperationExecution,
        SyncNexusOperationExecutionDescription,
        SyncNexusOperationExecutionIterator,
        SyncNexusOperationHandle,
        SyncOperatorService,
        SyncScheduleDescription,
        SyncScheduleHandle,
        SyncScheduleIterator,
        SyncScheduleListDescription,
        SyncScheduleUpdateInput,
        SyncServiceClient,
        SyncTestService,
        SyncWithStartWorkflowOperation,
        SyncWorkerDeploymentHandle,
        SyncWorkerDeploymentIterator,
        SyncWorkerDeploymentVersionDescription,
        SyncWorkerDeploymentVersionSummary,
        SyncWorkflowExecution,
        SyncWorkflowExecutionDescription,
        SyncWorkflowExecutionIterator,
        SyncWorkflowHandle,
        SyncWorkflowHistoryEventIterator,
        SyncWorkflowService,
        SyncWorkflowUpdateHandle,
    )
    from ._update import WorkflowUpdateHandle
    from ._versions.build_ids import (
        BuildIdOp,
        BuildIdOpAddNewCompatible,
        BuildIdOpAddNewDefault,
        BuildIdOpMergeSets,
        BuildIdOpPromoteBuildIdWithinSet,
        BuildIdOpPromoteSetByBuildId,
        BuildIdReachability,
        BuildIdVersionSet,
        TaskReachabilityType,
        WorkerBuildIdVersionSets,
        WorkerTaskReachability,
    )
    from ._versions.deployment import (
        TaskQueueType,
        WorkerDeploymentDescription,
        WorkerDeploymentListDescription,
        WorkerDeploymentRouting,
        WorkerDeploymentTaskQueue,
        WorkerDeploymentVersionDescription,
        WorkerDeploymentVersionStatus,
        WorkerDeploymentVersionSummary,
    )
    from ._versions.deployments import WorkerDeploymentAsyncIterator
    from ._versions.handle import WorkerDeploymentHandle
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
    from ._visibility.count import WorkflowExecutionCount, WorkflowExecutionCountAggregationGroup
    from ._visibility.executions import WorkflowExecutionAsyncIterator
    from ._visibility.inputs import CountWorkflowsInput, ListWorkflowsInput
    from ._with_start import WithStartWorkflowOperation
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "._activities.completion": "AsyncActivityHandle",
            "._activities.completion_inputs": (
                "AsyncActivityIDReference CompleteAsyncActivityInput FailAsyncActivityInput "
                "HeartbeatAsyncActivityInput ReportCancellationAsyncActivityInput"
            ),
            "._activities.description": "ActivityExecution ActivityExecutionDescription",
            "._activities.errors": "ActivityFailureError AsyncActivityCancelledError",
            "._activities.handle": "ActivityHandle",
            "._activities.inputs": (
                "CancelActivityInput CountActivitiesInput DescribeActivityInput ListActivitiesInput "
                "PauseActivityInput StartActivityInput TerminateActivityInput UnpauseActivityInput "
                "UpdateActivityOptionsInput"
            ),
            "._activities.listing": (
                "ActivityExecutionAsyncIterator ActivityExecutionCount ActivityExecutionCountAggregationGroup"
            ),
            "._activities.status": "ActivityExecutionStatus PendingActivityState",
            "._activities.updates": (
                "ActivityExecutionOptions ActivityOptionsKey ActivityOptionsKeys ActivityOptionsUpdate"
            ),
            "._client": "Client",
            "._cloud": "CloudOperationsClient",
            "._config": "ClientConfig",
            "._connect_config": "ClientConnectConfig",
            "._description": "WorkflowExecution WorkflowExecutionDescription",
            "._errors": (
                "NexusOperationFailureError NoWorkerError RPCTimeoutOrCancelledError WorkflowContinuedAsNewError "
                "WorkflowFailureError WorkflowQueryFailedError WorkflowQueryRejectedError WorkflowTaskFailedError "
                "WorkflowUpdateFailedError WorkflowUpdateRPCTimeoutOrCancelledError"
            ),
            "._handle": "WorkflowHandle",
            "._history": "WorkflowHistory WorkflowHistoryEventAsyncIterator",
            "._inputs": (
                "CancelWorkflowInput DescribeWorkflowInput FetchWorkflowHistoryEventsInput QueryWorkflowInput "
                "SignalWorkflowInput StartWorkflowInput StartWorkflowUpdateInput StartWorkflowUpdateWithStartInput "
                "TerminateWorkflowInput UpdateWithStartStartWorkflowInput UpdateWithStartUpdateWorkflowInput"
            ),
            "._interceptor": "Interceptor OutboundInterceptor",
            "._nexus.client": "NexusClient",
            "._nexus.description": (
                "NexusOperationExecution NexusOperationExecutionAsyncIterator "
                "NexusOperationExecutionCancellationInfo NexusOperationExecutionCount "
                "NexusOperationExecutionCountAggregationGroup NexusOperationExecutionDescription"
            ),
            "._nexus.handle": "NexusOperationHandle",
            "._nexus.inputs": (
                "CancelNexusOperationInput CountNexusOperationsInput DescribeNexusOperationInput "
                "GetNexusOperationResultInput ListNexusOperationsInput StartNexusOperationInput "
                "TerminateNexusOperationInput"
            ),
            "._plugin": "Plugin",
            "._reset.errors": "WorkflowResetError",
            "._reset.inputs": "ResetWorkflowInput",
            "._reset.point": "WorkflowResetPoint",
            "._schedules.action": "ScheduleAction ScheduleActionStartWorkflow",
            "._schedules.apply": "AppliedSchedule",
            "._schedules.description": (
                "ScheduleActionExecution ScheduleActionExecutionStartWorkflow ScheduleActionResult "
                "ScheduleDescription ScheduleInfo"
            ),
            "._schedules.errors": "ScheduleAlreadyRunningError",
            "._schedules.handle": "ScheduleHandle",
            "._schedules.inputs": (
                "BackfillScheduleInput CreateScheduleInput DeleteScheduleInput DescribeScheduleInput "
                "ListSchedulesInput PauseScheduleInput TriggerScheduleInput UnpauseScheduleInput UpdateScheduleInput"
            ),
            "._schedules.listing": (
                "ScheduleAsyncIterator ScheduleListAction ScheduleListActionStartWorkflow ScheduleListDescription "
                "ScheduleListInfo ScheduleListSchedule ScheduleListState"
            ),
            "._schedules.schedule": (
                "Schedule ScheduleBackfill ScheduleOverlapPolicy SchedulePolicy ScheduleState ScheduleUpdate "
                "ScheduleUpdateInput"
            ),
            "._schedules.spec": "ScheduleCalendarSpec ScheduleIntervalSpec ScheduleRange ScheduleSpec",
            "._status": "WorkflowExecutionStatus WorkflowHistoryEventFilterType WorkflowUpdateStage",
            "._sync.calls": "sync_timeout",
            "._update": "WorkflowUpdateHandle",
            "._versions.build_ids": (
                "BuildIdOp BuildIdOpAddNewCompatible BuildIdOpAddNewDefault BuildIdOpMergeSets "
                "BuildIdOpPromoteBuildIdWithinSet BuildIdOpPromoteSetByBuildId BuildIdReachability BuildIdVersionSet "
                "TaskReachabilityType WorkerBuildIdVersionSets WorkerTaskReachability"
            ),
            "._versions.deployment": (
                "TaskQueueType WorkerDeploymentDescription WorkerDeploymentListDescription WorkerDeploymentRouting "
                "WorkerDeploymentTaskQueue WorkerDeploymentVersionDescription WorkerDeploymentVersionStatus "
                "WorkerDeploymentVersionSummary"
            ),
            "._versions.deployments": "WorkerDeploymentAsyncIterator",
            "._versions.handle": "WorkerDeploymentHandle",
            "._versions.inputs": (
                "DeleteWorkerDeploymentInput DeleteWorkerDeploymentVersionInput DescribeWorkerDeploymentInput "
                "DescribeWorkerDeploymentVersionInput GetWorkerBuildIdCompatibilityInput "
                "GetWorkerTaskReachabilityInput ListWorkerDeploymentsInput SetWorkerDeploymentCurrentVersionInput "
                "SetWorkerDeploymentRampingVersionInput UpdateWorkerBuildIdCompatibilityInput "
                "UpdateWorkerDeploymentVersionMetadataInput"
            ),
            "._visibility.count": "WorkflowExecutionCount WorkflowExecutionCountAggregationGroup",
            "._visibility.executions": "WorkflowExecutionAsyncIterator",
            "._visibility.inputs": "CountWorkflowsInput ListWorkflowsInput",
            "._with_start": "WithStartWorkflowOperation",
            "._sync.classes": (
                "SyncActivityExecution SyncActivityExecutionDescription SyncActivityExecutionIterator "
                "SyncActivityHandle SyncAsyncActivityHandle SyncClient SyncCloudOperationsClient SyncCloudService "
                "SyncHealthService SyncNexusClient SyncNexusOperationExecution "
                "SyncNexusOperationExecutionDescription SyncNexusOperationExecutionIterator SyncNexusOperationHandle "
                "SyncOperatorService SyncScheduleDescription SyncScheduleHandle SyncScheduleIterator "
                "SyncScheduleListDescription SyncScheduleUpdateInput SyncServiceClient SyncTestService "
                "SyncWithStartWorkflowOperation SyncWorkerDeploymentHandle SyncWorkerDeploymentIterator "
                "SyncWorkerDeploymentVersionDescription SyncWorkerDeploymentVersionSummary SyncWorkflowExecution "
                "SyncWorkflowExecutionDescription SyncWorkflowExecutionIterator SyncWorkflowHandle "
                "SyncWorkflowHistoryEventIterator SyncWorkflowService SyncWorkflowUpdateHandle"
            ),
        },
    )

__all__ = [
    "ActivityExecution",
    "ActivityExecutionAsyncIterator",
    "ActivityExecutionCount",
    "ActivityExecutionCountAggregationGroup",
    "ActivityExecutionDescription",
    "ActivityExecutionOptions",
    "ActivityExecutionStatus",
    "ActivityFailureError",
    "ActivityHandle",
    "ActivityOptionsKey",
    "ActivityOptionsKeys",
    "ActivityOptionsUpdate",
    "AppliedSchedule",
    "AsyncActivityCancelledError",
    "AsyncActivityHandle",
    "AsyncActivityIDReference",
    "BackfillScheduleInput",
    "BuildIdOp",
    "BuildIdOpAddNewCompatible",
    "BuildIdOpAddNewDefault",
    "BuildIdOpMergeSets",
    "BuildIdOpPromoteBuildIdWithinSet",
    "BuildIdOpPromoteSetByBuildId",
    "BuildIdReachability",
    "BuildIdVersionSet",
    "CancelActivityInput",
    "CancelNexusOperationInput",
    "CancelWorkflowInput",
    "Client",
    "ClientConfig",
    "ClientConnectConfig",
    "CloudOperationsClient",
    "CompleteAsyncActivityInput",
    "CountActivitiesInput",
    "CountNexusOperationsInput",
    "CountWorkflowsInput",
    "CreateScheduleInput",
    "DeleteScheduleInput",
    "DeleteWorkerDeploymentInput",
    "DeleteWorkerDeploymentVersionInput",
    "DescribeActivityInput",
    "DescribeNexusOperationInput",
    "DescribeScheduleInput",
    "DescribeWorkerDeploymentInput",
    "DescribeWorkerDeploymentVersionInput",
    "DescribeWorkflowInput",
    "FailAsyncActivityInput",
    "FetchWorkflowHistoryEventsInput",
    "GetNexusOperationResultInput",
    "GetWorkerBuildIdCompatibilityInput",
    "GetWorkerTaskReachabilityInput",
    "HeartbeatAsyncActivityInput",
    "Interceptor",
    "ListActivitiesInput",
    "ListNexusOperationsInput",
    "ListSchedulesInput",
    "ListWorkerDeploymentsInput",
    "ListWorkflowsInput",
    "NexusClient",
    "NexusOperationExecution",
    "NexusOperationExecutionAsyncIterator",
    "NexusOperationExecutionCancellationInfo",
    "NexusOperationExecutionCount",
    "NexusOperationExecutionCountAggregationGroup",
    "NexusOperationExecutionDescription",
    "NexusOperationFailureError",
    "NexusOperationHandle",
    "NoWorkerError",
    "OutboundInterceptor",
    "PauseActivityInput",
    "PauseScheduleInput",
    "PendingActivityState",
    "Plugin",
    "QueryWorkflowInput",
    "RPCTimeoutOrCancelledError",
    "ReportCancellationAsyncActivityInput",
    "ResetWorkflowInput",
    "Schedule",
    "ScheduleAction",
    "ScheduleActionExecution",
    "ScheduleActionExecutionStartWorkflow",
    "ScheduleActionResult",
    "ScheduleActionStartWorkflow",
    "ScheduleAlreadyRunningError",
    "ScheduleAsyncIterator",
    "ScheduleBackfill",
    "ScheduleCalendarSpec",
    "ScheduleDescription",
    "ScheduleHandle",
    "ScheduleInfo",
    "ScheduleIntervalSpec",
    "ScheduleListAction",
    "ScheduleListActionStartWorkflow",
    "ScheduleListDescription",
    "ScheduleListInfo",
    "ScheduleListSchedule",
    "ScheduleListState",
    "ScheduleOverlapPolicy",
    "SchedulePolicy",
    "ScheduleRange",
    "ScheduleSpec",
    "ScheduleState",
    "ScheduleUpdate",
    "ScheduleUpdateInput",
    "SetWorkerDeploymentCurrentVersionInput",
    "SetWorkerDeploymentRampingVersionInput",
    "SignalWorkflowInput",
    "StartActivityInput",
    "StartNexusOperationInput",
    "StartWorkflowInput",
    "StartWorkflowUpdateInput",
    "StartWorkflowUpdateWithStartInput",
    "SyncActivityExecution",
    "SyncActivityExecutionDescription",
    "SyncActivityExecutionIterator",
    "SyncActivityHandle",
    "SyncAsyncActivityHandle",
    "SyncClient",
    "SyncCloudOperationsClient",
    "SyncCloudService",
    "SyncHealthService",
    "SyncNexusClient",
    "SyncNexusOperationExecution",
    "SyncNexusOperationExecutionDescription",
    "SyncNexusOperationExecutionIterator",
    "SyncNexusOperationHandle",
    "SyncOperatorService",
    "SyncScheduleDescription",
    "SyncScheduleHandle",
    "SyncScheduleIterator",
    "SyncScheduleListDescription",
    "SyncScheduleUpdateInput",
    "SyncServiceClient",
    "SyncTestService",
    "SyncWithStartWorkflowOperation",
    "SyncWorkerDeploymentHandle",
    "SyncWorkerDeploymentIterator",
    "SyncWorkerDeploymentVersionDescription",
    "SyncWorkerDeploymentVersionSummary",
    "SyncWorkflowExecution",
    "SyncWorkflowExecutionDescription",
    "SyncWorkflowExecutionIterator",
    "SyncWorkflowHandle",
    "SyncWorkflowHistoryEventIterator",
    "SyncWorkflowService",
    "SyncWorkflowUpdateHandle",
    "TaskQueueType",
    "TaskReachabilityType",
    "TerminateActivityInput",
    "TerminateNexusOperationInput",
    "TerminateWorkflowInput",
    "TriggerScheduleInput",
    "UnpauseActivityInput",
    "UnpauseScheduleInput",
    "UpdateActivityOptionsInput",
    "UpdateScheduleInput",
    "UpdateWithStartStartWorkflowInput",
    "UpdateWithStartUpdateWorkflowInput",
    "UpdateWorkerBuildIdCompatibilityInput",
    "UpdateWorkerDeploymentVersionMetadataInput",
    "WithStartWorkflowOperation",
    "WorkerBuildIdVersionSets",
    "WorkerDeploymentAsyncIterator",
    "WorkerDeploymentDescription",
    "WorkerDeploymentHandle",
    "WorkerDeploymentListDescription",
    "WorkerDeploymentRouting",
    "WorkerDeploymentTaskQueue",
    "WorkerDeploymentVersionDescription",
    "WorkerDeploymentVersionStatus",
    "WorkerDeploymentVersionSummary",
    "WorkerTaskReachability",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionAsyncIterator",
    "WorkflowExecutionCount",
    "WorkflowExecutionCountAggregationGroup",
    "WorkflowExecutionDescription",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowHistory",
    "WorkflowHistoryEventAsyncIterator",
    "WorkflowHistoryEventFilterType",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
    "WorkflowResetError",
    "WorkflowResetPoint",
    "WorkflowTaskFailedError",
    "WorkflowUpdateFailedError",
    "WorkflowUpdateHandle",
    "WorkflowUpdateRPCTimeoutOrCancelledError",
    "WorkflowUpdateStage",
    "sync_timeout",
]
