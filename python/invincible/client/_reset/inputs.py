"""Input of interceptors for resets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from .point import WorkflowResetPoint


@dataclass
class ResetWorkflowInput:
    """Arguments of :meth:`OutboundInterceptor.reset_workflow`."""

    id: str
    run_id: str | None
    first_execution_run_id: str | None
    point: WorkflowResetPoint
    reason: str
    reapply_signals: bool
    reapply_updates: bool
    reapply_nexus_results: bool
    ret_type: type | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
