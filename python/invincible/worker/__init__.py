"""Workers run workflows and activities; the replayer runs workflows against recorded histories."""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from invincible.common import WorkerDeploymentVersion

    from ._activity_processes import ActivityProcessExecutor
    from ._config import WorkerConfig
    from ._deployment import WorkerDeploymentConfig
    from ._health import HealthThresholds
    from ._interceptor import (
        ActivityInboundInterceptor,
        ActivityOutboundInterceptor,
        ContinueAsNewInput,
        ExecuteActivityInput,
        ExecuteWorkflowInput,
        HandleQueryInput,
        HandleSignalInput,
        HandleUpdateInput,
        Interceptor,
        SignalChildWorkflowInput,
        SignalExternalWorkflowInput,
        SignalWithStartWorkflowRequest,
        SignalWithStartWorkflowResponse,
        StartActivityInput,
        StartChildWorkflowInput,
        StartLocalActivityInput,
        StartNexusOperationInput,
        WorkflowInboundInterceptor,
        WorkflowInterceptorClassInput,
        WorkflowOutboundInterceptor,
    )
    from ._nexus_interceptor import (
        ExecuteNexusOperationCancelInput,
        ExecuteNexusOperationStartInput,
        NexusOperationInboundInterceptor,
    )
    from ._patches import PatchActivationInput
    from ._plugin import Plugin
    from ._pollers import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum
    from ._processes._options import WorkerProcesses
    from ._replayer import Replayer, ReplayerConfig, WorkflowReplayResults
    from ._replays import WorkflowReplayResult
    from ._runner import run_worker
    from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
    from ._shared_state import SharedHeartbeatSender, SharedStateManager
    from ._tuner import (
        ActivitySlotInfo,
        CustomSlotSupplier,
        FixedSizeSlotSupplier,
        LocalActivitySlotInfo,
        NexusSlotInfo,
        ResourceBasedSlotConfig,
        ResourceBasedSlotSupplier,
        ResourceBasedTunerConfig,
        SlotInfo,
        SlotMarkUsedContext,
        SlotPermit,
        SlotReleaseContext,
        SlotReserveContext,
        WorkerTuner,
        WorkflowSlotInfo,
    )
    from ._watchdog import DeadlockError
    from ._worker import Worker
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "invincible.common": "WorkerDeploymentVersion",
            "._config": "WorkerConfig",
            "._deployment": "WorkerDeploymentConfig",
            "._pollers": "PollerBehavior PollerBehaviorAutoscaling PollerBehaviorSimpleMaximum",
            "._replayer": "Replayer ReplayerConfig WorkflowReplayResults",
            "._replays": "WorkflowReplayResult",
            "._runners": "UnsandboxedWorkflowRunner WorkflowRunner",
            "._watchdog": "DeadlockError",
            "._worker": "Worker",
            "._activity_processes": "ActivityProcessExecutor",
            "._health": "HealthThresholds",
            "._interceptor": (
                "ActivityInboundInterceptor ActivityOutboundInterceptor ContinueAsNewInput ExecuteActivityInput "
                "ExecuteWorkflowInput HandleQueryInput HandleSignalInput HandleUpdateInput Interceptor "
                "SignalChildWorkflowInput SignalExternalWorkflowInput SignalWithStartWorkflowRequest "
                "SignalWithStartWorkflowResponse StartActivityInput StartChildWorkflowInput StartLocalActivityInput "
                "StartNexusOperationInput WorkflowInboundInterceptor WorkflowInterceptorClassInput "
                "WorkflowOutboundInterceptor"
            ),
            "._nexus_interceptor": (
                "ExecuteNexusOperationCancelInput ExecuteNexusOperationStartInput NexusOperationInboundInterceptor"
            ),
            "._patches": "PatchActivationInput",
            "._plugin": "Plugin",
            "._processes._options": "WorkerProcesses",
            "._runner": "run_worker",
            "._shared_state": "SharedHeartbeatSender SharedStateManager",
            "._tuner": (
                "ActivitySlotInfo CustomSlotSupplier FixedSizeSlotSupplier LocalActivitySlotInfo NexusSlotInfo "
                "ResourceBasedSlotConfig ResourceBasedSlotSupplier ResourceBasedTunerConfig SlotInfo "
                "SlotMarkUsedContext SlotPermit SlotReleaseContext SlotReserveContext WorkerTuner WorkflowSlotInfo"
            ),
        },
    )

__all__ = [
    "ActivityInboundInterceptor",
    "ActivityOutboundInterceptor",
    "ActivityProcessExecutor",
    "ActivitySlotInfo",
    "ContinueAsNewInput",
    "CustomSlotSupplier",
    "DeadlockError",
    "ExecuteActivityInput",
    "ExecuteNexusOperationCancelInput",
    "ExecuteNexusOperationStartInput",
    "ExecuteWorkflowInput",
    "FixedSizeSlotSupplier",
    "HandleQueryInput",
    "HandleSignalInput",
    "HandleUpdateInput",
    "HealthThresholds",
    "Interceptor",
    "LocalActivitySlotInfo",
    "NexusOperationInboundInterceptor",
    "NexusSlotInfo",
    "PatchActivationInput",
    "Plugin",
    "PollerBehavior",
    "PollerBehaviorAutoscaling",
    "PollerBehaviorSimpleMaximum",
    "Replayer",
    "ReplayerConfig",
    "ResourceBasedSlotConfig",
    "ResourceBasedSlotSupplier",
    "ResourceBasedTunerConfig",
    "SharedHeartbeatSender",
    "SharedStateManager",
    "SignalChildWorkflowInput",
    "SignalExternalWorkflowInput",
    "SignalWithStartWorkflowRequest",
    "SignalWithStartWorkflowResponse",
    "SlotInfo",
    "SlotMarkUsedContext",
    "SlotPermit",
    "SlotReleaseContext",
    "SlotReserveContext",
    "StartActivityInput",
    "StartChildWorkflowInput",
    "StartLocalActivityInput",
    "StartNexusOperationInput",
    "UnsandboxedWorkflowRunner",
    "Worker",
    "WorkerConfig",
    "WorkerDeploymentConfig",
    "WorkerDeploymentVersion",
    "WorkerProcesses",
    "WorkerTuner",
    "WorkflowInboundInterceptor",
    "WorkflowInterceptorClassInput",
    "WorkflowOutboundInterceptor",
    "WorkflowReplayResult",
    "WorkflowReplayResults",
    "WorkflowRunner",
    "WorkflowSlotInfo",
    "run_worker",
]
