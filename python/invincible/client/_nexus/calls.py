"""Calls about standalone Nexus operations, at the end of the interceptor chain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from invincible.converter import NexusSerializationContext
from invincible.converter._limits import SentPayloads
from invincible.converter._payloads import as_payload
from invincible.exceptions import NexusOperationAlreadyStartedError
from invincible.service import RPCError, RPCStatusCode

from .._call import service_call
from .._interceptor import OutboundInterceptor
from .._long_poll import poll_until
from .._values import decode_first, encode_text

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import PollNexusOperationExecutionResponse

    from .._client import Client
    from .description import (
        NexusOperationExecutionAsyncIterator,
        NexusOperationExecutionCount,
        NexusOperationExecutionDescription,
    )
    from .handle import NexusOperationHandle
    from .inputs import (
        CancelNexusOperationInput,
        CountNexusOperationsInput,
        DescribeNexusOperationInput,
        GetNexusOperationResultInput,
        ListNexusOperationsInput,
        StartNexusOperationInput,
        TerminateNexusOperationInput,
    )


class NexusCalls(OutboundInterceptor):
    """Makes the calls."""

    _client: Client

    async def start_nexus_operation(self, input: StartNexusOperationInput) -> NexusOperationHandle[Any]:
        """Starts the operation."""
        from invincible.api.workflowservice.v1 import (
            StartNexusOperationExecutionRequest,
            StartNexusOperationExecutionResponse,
        )
        from invincible.converter import encode_search_attributes

        from .._proto import duration, payload_message, user_metadata
        from .._sizes import sizes_checked
        from .handle import NexusOperationHandle

        client = self._client
        context = NexusSerializationContext(input.endpoint, input.service, input.operation)
        converter = client.data_converter.with_context(context)
        [payload] = await converter.encode([input.arg])
        request = StartNexusOperationExecutionRequest(
            namespace=client.namespace,
            identity=client.identity,
            request_id=str(uuid4()),
            operation_id=input.id,
            endpoint=input.endpoint,
            service=input.service,
            operation=input.operation,
            schedule_to_close_timeout=duration(input.schedule_to_close_timeout),
            schedule_to_start_timeout=duration(input.schedule_to_start_timeout),
            start_to_close_timeout=duration(input.start_to_close_timeout),
            input=payload_message(payload),
            id_reuse_policy=input.id_reuse_policy,  # type: ignore[arg-type]
            id_conflict_policy=input.id_conflict_policy,  # type: ignore[arg-type]
            nexus_header=input.headers,
            user_metadata=user_metadata(await encode_text(converter, input.summary)),
        )
        if input.search_attributes is not None:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        target = f"Nexus operation {input.operation!r} with id {input.id!r}"
        sent = SentPayloads(target, {"input": payload}, {})
        try:
            with sizes_checked(client, sent):
                response = await service_call(
                    client, "start_nexus_operation_execution", request, StartNexusOperationExecutionResponse, input
                )
        except RPCError as error:
            raise _start_error(error, input.id) from None
        return NexusOperationHandle(
            client,
            input.id,
            run_id=response.run_id,
            result_type=input.result_type,
            endpoint=input.endpoint,
            service=input.service,
            operation=input.operation,
        )

    async def get_nexus_operation_result(self, input: GetNexusOperationResultInput) -> Any:
        """Waits for the end of the operation."""
        from invincible.api.enums.v1 import NexusOperationWaitStage
        from invincible.api.workflowservice.v1 import (
            PollNexusOperationExecutionRequest,
            PollNexusOperationExecutionResponse,
        )

        from .._errors import NexusOperationFailureError

        client = self._client
        request = PollNexusOperationExecutionRequest(
            namespace=client.namespace,
            operation_id=input.operation_id,
            run_id=input.run_id or "",
            wait_stage=NexusOperationWaitStage.NEXUS_OPERATION_WAIT_STAGE_CLOSED,
        )

        async def poll(timeout: timedelta | None) -> PollNexusOperationExecutionResponse | None:
            response = await client.service_client._rpc_call(
                "poll_nexus_operation_execution",
                request,
                PollNexusOperationExecutionResponse,
                retry=True,
                metadata=input.rpc_metadata,
                timeout=timeout,
            )
            return response if response.WhichOneof("outcome") else None

        outcome = await poll_until(poll, input.rpc_timeout)
        context = NexusSerializationContext(input.endpoint, input.service, input.operation)
        converter = client.data_converter.with_context(context)
        if outcome.HasField("failure"):
            raise NexusOperationFailureError(cause=await converter.decode_failure(outcome.failure))
        target = f"Nexus operation {input.operation_id!r}"
        return await decode_first(converter, [as_payload(outcome.result)], input.result_type, target)

    async def describe_nexus_operation(self, input: DescribeNexusOperationInput) -> NexusOperationExecutionDescription:
        """Asks for the description."""
        from invincible.api.workflowservice.v1 import (
            DescribeNexusOperationExecutionRequest,
            DescribeNexusOperationExecutionResponse,
        )

        from .description import NexusOperationExecutionDescription

        client = self._client
        request = DescribeNexusOperationExecutionRequest(
            namespace=client.namespace, operation_id=input.operation_id, run_id=input.run_id or ""
        )
        response = await service_call(
            client, "describe_nexus_operation_execution", request, DescribeNexusOperationExecutionResponse, input
        )
        return await NexusOperationExecutionDescription._from_response(response, client.data_converter)

    async def cancel_nexus_operation(self, input: CancelNexusOperationInput) -> None:
        """Asks for the cancellation."""
        from invincible.api.workflowservice.v1 import (
            RequestCancelNexusOperationExecutionRequest,
            RequestCancelNexusOperationExecutionResponse,
        )

        request = RequestCancelNexusOperationExecutionRequest(**self._end(input))
        response_type = RequestCancelNexusOperationExecutionResponse
        await service_call(self._client, "request_cancel_nexus_operation_execution", request, response_type, input)

    async def terminate_nexus_operation(self, input: TerminateNexusOperationInput) -> None:
        """Terminates the operation."""
        from invincible.api.workflowservice.v1 import (
            TerminateNexusOperationExecutionRequest,
            TerminateNexusOperationExecutionResponse,
        )

        request = TerminateNexusOperationExecutionRequest(**self._end(input))
        response_type = TerminateNexusOperationExecutionResponse
        await service_call(self._client, "terminate_nexus_operation_execution", request, response_type, input)

    def _end(self, input: CancelNexusOperationInput | TerminateNexusOperationInput) -> dict[str, Any]:
        """Fields of requests that end an operation."""
        return {
            "namespace": self._client.namespace,
            "operation_id": input.operation_id,
            "run_id": input.run_id or "",
            "identity": self._client.identity,
            "request_id": str(uuid4()),
            "reason": input.reason or "",
        }

    def list_nexus_operations(self, input: ListNexusOperationsInput) -> NexusOperationExecutionAsyncIterator:
        """Pages through the list, from the first use of the iterator on."""
        from .description import NexusOperationExecutionAsyncIterator

        return NexusOperationExecutionAsyncIterator(self._client, input)

    async def count_nexus_operations(self, input: CountNexusOperationsInput) -> NexusOperationExecutionCount:
        """Asks for the count."""
        from invincible.api.workflowservice.v1 import (
            CountNexusOperationExecutionsRequest,
            CountNexusOperationExecutionsResponse,
        )

        from .._visibility.count import group_values
        from .description import NexusOperationExecutionCount, NexusOperationExecutionCountAggregationGroup

        request = CountNexusOperationExecutionsRequest(namespace=self._client.namespace, query=input.query or "")
        response = await service_call(
            self._client, "count_nexus_operation_executions", request, CountNexusOperationExecutionsResponse, input
        )
        groups = [
            NexusOperationExecutionCountAggregationGroup(group.count, group_values(group.group_values))
            for group in response.groups
        ]
        return NexusOperationExecutionCount(response.count, groups)


def _start_error(error: RPCError, operation_id: str) -> Exception:
    if error.status is RPCStatusCode.ALREADY_EXISTS:
        from invincible.api.errordetails.v1 import NexusOperationExecutionAlreadyStartedFailure

        taken = NexusOperationExecutionAlreadyStartedFailure()
        if any(detail.Unpack(taken) for detail in error.grpc_status.details):
            return NexusOperationAlreadyStartedError(operation_id, run_id=taken.run_id or None)
    return error
