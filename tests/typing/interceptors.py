"""What type checkers make of interceptors. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NoReturn, TypeVar

from typing_extensions import assert_type

from invincible import activity, workflow
from invincible.client import Client
from invincible.client import Interceptor as ClientInterceptor
from invincible.converter import Payload
from invincible.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    Replayer,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


class Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(Outbound(outbound))
        super().init(self)  # type: ignore[arg-type]

    async def handle_signal(self, input: HandleSignalInput) -> None:
        assert_type(input.signal, str)
        assert_type(input.args, Sequence[Any])
        assert_type(input.headers, Mapping[str, Payload])
        input.headers = {"key": b"no payload"}  # type: ignore[dict-item]

    async def handle_query(self, input: HandleQueryInput) -> int:
        return len(input.id)

    def handle_update_validator(self, input: HandleUpdateInput) -> str:  # type: ignore[override]
        return input.update


class Outbound(WorkflowOutboundInterceptor):
    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        assert_type(input.workflow, str | None)
        super().continue_as_new(input)

    def info(self) -> workflow.Info:
        return assert_type(self.next.info(), workflow.Info)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        assert_type(input.start_to_close_timeout, timedelta | None)
        input.start_to_close_timeout = 3  # type: ignore[assignment]
        return assert_type(super().start_activity(input), workflow.ActivityHandle[Any])

    async def start_local_activity(  # type: ignore[override]
        self, input: StartLocalActivityInput
    ) -> workflow.ActivityHandle[Any]:
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        assert_type(input.parent_close_policy, workflow.ParentClosePolicy)
        return await super().start_child_workflow(input)

    async def start_nexus_operation(self, input: StartNexusOperationInput[I, O]) -> workflow.NexusOperationHandle[O]:
        assert_type(input.output_type, type[O] | None)
        assert_type(input.operation_name, str)
        return assert_type(await super().start_nexus_operation(input), workflow.NexusOperationHandle[O])


class Executions(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        assert_type(outbound.info(), activity.Info)
        super().init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await self.next.execute_activity(input)


class Both(Interceptor, ClientInterceptor):
    def intercept_activity(self, next: ActivityInboundInterceptor) -> Executions:
        return Executions(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[Inbound]:
        input.unsafe_extern_functions["double"] = lambda number: number * 2
        return Inbound


def workers(client: Client) -> None:
    Worker(client, task_queue="q", interceptors=[Both()])
    Worker(client, task_queue="q", interceptors=[Both])  # type: ignore[list-item]
    Worker(client, task_queue="q", interceptors=[ClientInterceptor()])  # type: ignore[list-item]
    Replayer(workflows=[], interceptors=(Both(),))
