"""Clients: start workflows, wait for their results, query, signal, update, cancel, describe them.

client = await Client.connect("localhost:7233")
handle = await client.start_workflow(Order.run, order, id=f"order-{order.id}", task_queue="orders")
await handle.signal(Order.approve)
receipt = await handle.result()
"""

from __future__ import annotations

from ._client import Client, ClientConfig
from ._description import WorkflowExecution, WorkflowExecutionDescription
from ._errors import (
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
from ._status import WorkflowExecutionStatus, WorkflowHistoryEventFilterType, WorkflowUpdateStage
from ._update import WorkflowUpdateHandle
from ._with_start import WithStartWorkflowOperation

__all__ = [
    "CancelWorkflowInput",
    "Client",
    "ClientConfig",
    "DescribeWorkflowInput",
    "FetchWorkflowHistoryEventsInput",
    "Interceptor",
    "OutboundInterceptor",
    "QueryWorkflowInput",
    "RPCTimeoutOrCancelledError",
    "SignalWorkflowInput",
    "StartWorkflowInput",
    "StartWorkflowUpdateInput",
    "StartWorkflowUpdateWithStartInput",
    "TerminateWorkflowInput",
    "UpdateWithStartStartWorkflowInput",
    "UpdateWithStartUpdateWorkflowInput",
    "WithStartWorkflowOperation",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionDescription",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowHistory",
    "WorkflowHistoryEventAsyncIterator",
    "WorkflowHistoryEventFilterType",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
    "WorkflowTaskFailedError",
    "WorkflowUpdateFailedError",
    "WorkflowUpdateHandle",
    "WorkflowUpdateRPCTimeoutOrCancelledError",
    "WorkflowUpdateStage",
]
