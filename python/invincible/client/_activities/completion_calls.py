"""Calls that complete activities, at the end of the interceptor chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from invincible._engine.reference import NOT_GIVEN
from invincible.activity import ActivityCancellationDetails

from .._call import service_call
from .._interceptor import OutboundInterceptor

if TYPE_CHECKING:
    from typing import TypeAlias

    from invincible.api.common.v1 import Payloads
    from invincible.converter import DataConverter

    from .._client import Client
    from .completion_inputs import (
        CompleteAsyncActivityInput,
        FailAsyncActivityInput,
        HeartbeatAsyncActivityInput,
        ReportCancellationAsyncActivityInput,
    )

    Input: TypeAlias = (
        HeartbeatAsyncActivityInput
        | CompleteAsyncActivityInput
        | FailAsyncActivityInput
        | ReportCancellationAsyncActivityInput
    )


class AsyncActivityCalls(OutboundInterceptor):
    """Makes the calls."""

    _client: Client

    async def heartbeat_async_activity(self, input: HeartbeatAsyncActivityInput) -> None:
        """Records the heartbeat."""
        from .errors import AsyncActivityCancelledError

        details = await self._payloads(input, input.details)
        response = await self._send("record_activity_task_heartbeat", input, details=details)
        if response.cancel_requested or response.activity_paused or response.activity_reset:
            raise AsyncActivityCancelledError(
                ActivityCancellationDetails(
                    cancel_requested=response.cancel_requested,
                    paused=response.activity_paused,
                    reset=response.activity_reset,
                )
            )

    async def complete_async_activity(self, input: CompleteAsyncActivityInput) -> None:
        """Completes the activity."""
        result = await self._payloads(input, () if input.result is NOT_GIVEN else (input.result,))
        await self._send("respond_activity_task_completed", input, result=result)

    async def fail_async_activity(self, input: FailAsyncActivityInput) -> None:
        """Fails the attempt."""
        from invincible.converter._messages import failure_message

        failure = await self._converter(input).encode_failure(input.error)
        details = await self._payloads(input, input.last_heartbeat_details)
        await self._send(
            "respond_activity_task_failed", input, failure=failure_message(failure), last_heartbeat_details=details
        )

    async def report_cancellation_async_activity(self, input: ReportCancellationAsyncActivityInput) -> None:
        """Ends the activity as cancelled."""
        await self._send("respond_activity_task_canceled", input, details=await self._payloads(input, input.details))

    def _converter(self, input: Input) -> DataConverter:
        return input.data_converter_override or self._client.data_converter

    async def _payloads(self, input: Input, values: Sequence[Any]) -> Payloads | None:
        return await self._converter(input).encode_wrapper(values) if values else None

    async def _send(self, rpc: str, input: Input, **fields: Any) -> Any:
        """Makes one of the two RPCs of a kind: an activity is named by a task token or by ids."""
        from invincible.api.workflowservice import v1 as messages

        target = input.id_or_token
        if isinstance(target, bytes):
            activity: dict[str, Any] = {"task_token": target}
        else:
            rpc = f"{rpc}_by_id"
            activity = {
                "workflow_id": target.workflow_id or "",
                "run_id": target.run_id or "",
                "activity_id": target.activity_id,
            }
        message = "".join(word.capitalize() for word in rpc.split("_"))
        client = self._client
        request = getattr(messages, f"{message}Request")(
            namespace=client.namespace, identity=client.identity, **activity, **fields
        )
        return await service_call(
            client,
            rpc,
            request,
            getattr(messages, f"{message}Response"),
            input,
        )
