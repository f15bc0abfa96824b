"""Nexus handlers: operations that other namespaces and other teams call, served by workers.

Services are defined and handled with the package ``nexusrpc``; here is what ties their operations to Temporal. Needs
the extra ``nexus``: ``pip install invincible[nexus]``.

Example:
    @nexusrpc.handler.service_handler(service=Payments)
    class PaymentsHandler:
        @nexus.workflow_run_operation
        async def charge(self, ctx: nexus.WorkflowRunOperationContext, order: Order) -> nexus.WorkflowHandle[Receipt]:
            return await ctx.start_workflow(Charge.run, order, id=f"charge-{order.id}")

    worker = Worker(client, task_queue="payments", nexus_service_handlers=[PaymentsHandler()], workflows=[Charge])
"""

try:
    import nexusrpc as _nexusrpc  # noqa: F401  # only to tell what is missing
except ImportError as error:
    raise ImportError(
        "invincible.nexus needs the package nexusrpc, which is not installed: pip install 'invincible[nexus]'"
    ) from error

from ._client import TemporalNexusClient, TemporalOperationResult
from ._context import (
    Info,
    LoggerAdapter,
    NexusCallback,
    client,
    in_operation,
    info,
    is_worker_shutdown,
    logger,
    metric_meter,
    wait_for_worker_shutdown,
    wait_for_worker_shutdown_sync,
)
from ._contexts import TemporalCancelOperationContext, TemporalStartOperationContext, WorkflowRunOperationContext
from ._decorators import temporal_operation, workflow_run_operation
from ._handlers import (
    CancelActivityOptions,
    CancelUpdateWorkflowOptions,
    CancelWorkflowRunOptions,
    TemporalOperationHandler,
)
from ._token import WorkflowHandle

__all__ = [
    "CancelActivityOptions",
    "CancelUpdateWorkflowOptions",
    "CancelWorkflowRunOptions",
    "Info",
    "LoggerAdapter",
    "NexusCallback",
    "TemporalCancelOperationContext",
    "TemporalNexusClient",
    "TemporalOperationHandler",
    "TemporalOperationResult",
    "TemporalStartOperationContext",
    "WorkflowHandle",
    "WorkflowRunOperationContext",
    "client",
    "in_operation",
    "info",
    "is_worker_shutdown",
    "logger",
    "metric_meter",
    "temporal_operation",
    "wait_for_worker_shutdown",
    "wait_for_worker_shutdown_sync",
    "workflow_run_operation",
]
