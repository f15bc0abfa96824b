"""Interceptors that change nothing, for what works without them must work with them; and one that does not replay."""

from __future__ import annotations

from time import time_ns
from typing import Any

from invincible.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)


class PassOnInbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(WorkflowOutboundInterceptor(outbound))


class PassOnActivity(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        super().init(ActivityOutboundInterceptor(outbound))


class PassOn(Interceptor):
    """Passes on all calls of workflows and activities."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return PassOnActivity(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return PassOnInbound


class AsksForTheTime(WorkflowInboundInterceptor):
    """By a name of its own module, in which there are no workflows."""

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        return [time_ns(), await super().execute_workflow(input)]
