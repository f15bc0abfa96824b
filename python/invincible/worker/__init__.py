"""Workers run workflows and activities; the replayer runs workflows against recorded histories."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from invincible.common import WorkerDeploymentVersion

from ._config import WorkerConfig
from ._deployment import WorkerDeploymentConfig
from ._pollers import PollerBehavior, PollerBehaviorAutoscaling, PollerBehaviorSimpleMaximum
from ._replayer import Replayer, ReplayerConfig, WorkflowReplayResult, WorkflowReplayResults
from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from ._watchdog import DeadlockError
from ._worker import Worker

if TYPE_CHECKING:
    from ._activity_processes import ActivityProcessExecutor
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
    from ._processes._options import WorkerProcesses
    from ._runner import run_worker
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

# What many programs do without is imported when it is first used: names by the module that has them.
_LAZY = {
    "WorkerProcesses": "_processes._options",
    "run_worker": "_runner",
    "ActivityInboundInterceptor": "_interceptor",
    "ActivityOutboundInterceptor": "_interceptor",
    "ContinueAsNewInput": "_interceptor",
    "ExecuteActivityInput": "_interceptor",
    "ExecuteNexusOperationCancelInput": "_nexus_interceptor",
    "ExecuteNexusOperationStartInput": "_nexus_interceptor",
    "NexusOperationInboundInterceptor": "_nexus_interceptor",
    "ExecuteWorkflowInput": "_interceptor",
    "HandleQueryInput": "_interceptor",
    "HandleSignalInput": "_interceptor",
    "HandleUpdateInput": "_interceptor",
    "HealthThresholds": "_health",
    "Interceptor": "_interceptor",
    "SignalChildWorkflowInput": "_interceptor",
    "SignalExternalWorkflowInput": "_interceptor",
    "SignalWithStartWorkflowRequest": "_interceptor",
    "SignalWithStartWorkflowResponse": "_interceptor",
    "StartActivityInput": "_interceptor",
    "StartChildWorkflowInput": "_interceptor",
    "StartLocalActivityInput": "_interceptor",
    "StartNexusOperationInput": "_interceptor",
    "WorkflowInboundInterceptor": "_interceptor",
    "WorkflowInterceptorClassInput": "_interceptor",
    "WorkflowOutboundInterceptor": "_interceptor",
    "PatchActivationInput": "_patches",
    "Plugin": "_plugin",
    "ActivitySlotInfo": "_tuner",
    "CustomSlotSupplier": "_tuner",
    "FixedSizeSlotSupplier": "_tuner",
    "LocalActivitySlotInfo": "_tuner",
    "NexusSlotInfo": "_tuner",
    "ResourceBasedSlotConfig": "_tuner",
    "ResourceBasedSlotSupplier": "_tuner",
    "ResourceBasedTunerConfig": "_tuner",
    "SlotInfo": "_tuner",
    "SlotMarkUsedContext": "_tuner",
    "SlotPermit": "_tuner",
    "SlotReleaseContext": "_tuner",
    "SlotReserveContext": "_tuner",
    "WorkerTuner": "_tuner",
    "WorkflowSlotInfo": "_tuner",
    "ActivityProcessExecutor": "_activity_processes",
    "SharedHeartbeatSender": "_shared_state",
    "SharedStateManager": "_shared_state",
}

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

if not TYPE_CHECKING:  # for type checkers, modules with a __getattr__ have every name

    def __getattr__(name: str) -> Any:
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f".{module}", __name__), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
