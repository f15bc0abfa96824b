"""Calls about standalone activities, at the end of the interceptor chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from invincible.converter import ActivitySerializationContext
from invincible.converter._limits import SentPayloads, named_arguments
from invincible.exceptions import ActivityAlreadyStartedError
from invincible.service import RPCError, RPCStatusCode

from .._call import service_call
from .._handler_calls import handler_calls
from .._interceptor import OutboundInterceptor
from .._sizes import sizes_checked
from .._values import encode_arguments, encode_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from invincible._native import Payload
    from invincible.api.workflowservice.v1 import StartActivityExecutionRequest

    from .._client import Client
    from .description import ActivityExecutionDescription
    from .handle import ActivityHandle
    from .inputs import (
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
    from .listing import ActivityExecutionAsyncIterator, ActivityExecutionCount
    from .updates import ActivityExecutionOptions


class ActivityCalls(OutboundInterceptor):
    """Makes the calls."""

    _client: Client

    _headers: Callable[[Mapping[str, Payload]], Awaitable[dict[str, Payload]]]

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        """Starts the activity."""
        from invincible.api.common.v1 import ActivityType, Header
        from invincible.api.taskqueue.v1 import TaskQueue
        from invincible.api.workflowservice.v1 import StartActivityExecutionRequest, StartActivityExecutionResponse
        from invincible.converter import encode_search_attributes
        from invincible.converter._messages import payloads_message

        from .._proto import duration, payload_message, user_metadata
        from .handle import ActivityHandle

        client = self._client
        converter = client.data_converter.with_context(
            ActivitySerializationContext(
                namespace=client.namespace,
                activity_id=input.id,
                activity_type=input.activity_type,
                activity_task_queue=input.task_queue,
                workflow_id=None,
                workflow_type=None,
                is_local=False,
            )
        )
        arguments = await encode_arguments(converter, input.args, input._signature)
        headers = await self._headers(input.headers)
        request = StartActivityExecutionRequest(
            namespace=client.namespace,
            identity=client.identity,
            request_id=str(uuid4()),
            activity_id=input.id,
            activity_type=ActivityType(name=input.activity_type),
            task_queue=TaskQueue(name=input.task_queue),
            schedule_to_close_timeout=duration(input.schedule_to_close_timeout),
            schedule_to_start_timeout=duration(input.schedule_to_start_timeout),
            start_to_close_timeout=duration(input.start_to_close_timeout),
            heartbeat_timeout=duration(input.heartbeat_timeout),
            input=payloads_message(arguments) if arguments else None,
            id_reuse_policy=input.id_reuse_policy,  # type: ignore[arg-type]
            id_conflict_policy=input.id_conflict_policy,  # type: ignore[arg-type]
            header=Header(fields={name: payload_message(value) for name, value in headers.items()})
            if headers
            else None,
            user_metadata=user_metadata(await encode_text(converter, input.summary)),
            start_delay=duration(input.start_delay),
        )
        input.priority._apply_to_proto(request.priority)
        if input.retry_policy is not None:
            input.retry_policy.apply_to_proto(request.retry_policy)
        if input.search_attributes is not None:
            encode_search_attributes(input.search_attributes, request.search_attributes)
        calling = handler_calls.get()
        if calling is not None:
            _carry(request, calling.start(input.id))
        target = f"activity {input.activity_type!r} with id {input.id!r}"
        sent = SentPayloads(target, named_arguments(arguments, input._signature), {})
        try:
            with sizes_checked(client, sent):
                response = await service_call(
                    self._client, "start_activity_execution", request, StartActivityExecutionResponse, input
                )
        except RPCError as error:
            raise _start_error(error, input) from None
        if calling is not None:
            calling.started([response.link.SerializeToString()] if response.HasField("link") else ())
        return ActivityHandle(client, input.id, run_id=response.run_id, result_type=input.result_type)

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        """Asks for the cancellation."""
        from invincible.api.workflowservice.v1 import (
            RequestCancelActivityExecutionRequest,
            RequestCancelActivityExecutionResponse,
        )

        request = RequestCancelActivityExecutionRequest(**self._target(input), reason=input.reason or "")
        await service_call(
            self._client, "request_cancel_activity_execution", request, RequestCancelActivityExecutionResponse, input
        )

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        """Terminates the activity."""
        from invincible.api.workflowservice.v1 import (
            TerminateActivityExecutionRequest,
            TerminateActivityExecutionResponse,
        )

        request = TerminateActivityExecutionRequest(**self._target(input), reason=input.reason or "")
        await service_call(
            self._client, "terminate_activity_execution", request, TerminateActivityExecutionResponse, input
        )

    async def pause_activity(self, input: PauseActivityInput) -> None:
        """Pauses the activity."""
        from invincible.api.workflowservice.v1 import PauseActivityExecutionRequest, PauseActivityExecutionResponse

        request = PauseActivityExecutionRequest(**self._target(input), reason=input.reason or "")
        await service_call(self._client, "pause_activity_execution", request, PauseActivityExecutionResponse, input)

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        """Lets the activity go on."""
        from invincible.api.workflowservice.v1 import UnpauseActivityExecutionRequest, UnpauseActivityExecutionResponse

        from .._proto import duration

        request = UnpauseActivityExecutionRequest(
            **self._target(input), reason=input.reason or "", jitter=duration(input.jitter)
        )
        await service_call(self._client, "unpause_activity_execution", request, UnpauseActivityExecutionResponse, input)

    async def update_activity_options(self, input: UpdateActivityOptionsInput) -> ActivityExecutionOptions:
        """Changes options, or restores them."""
        from invincible.api.workflowservice.v1 import (
            UpdateActivityExecutionOptionsRequest,
            UpdateActivityExecutionOptionsResponse,
        )

        from .updates import ActivityExecutionOptions, apply_updates

        request = UpdateActivityExecutionOptionsRequest(**self._target(input), restore_original=input.restore_original)
        if not input.restore_original:
            apply_updates(input.updates, request)
        response = await service_call(
            self._client, "update_activity_execution_options", request, UpdateActivityExecutionOptionsResponse, input
        )
        return ActivityExecutionOptions._from_message(response.activity_options)

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        """Asks for the description."""
        from invincible.api.workflowservice.v1 import (
            DescribeActivityExecutionRequest,
            DescribeActivityExecutionResponse,
        )

        from .description import ActivityExecutionDescription

        client = self._client
        request = DescribeActivityExecutionRequest(
            namespace=client.namespace,
            activity_id=input.activity_id,
            run_id=input.activity_run_id or "",
            include_input=input.include_input,
            include_outcome=input.include_outcome,
            include_heartbeat_details=input.include_heartbeat_details,
            include_last_failure=input.include_last_failure,
        )
        response = await service_call(
            self._client, "describe_activity_execution", request, DescribeActivityExecutionResponse, input
        )
        return ActivityExecutionDescription._from_response(response, client.namespace, client.data_converter)

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        """Pages through the list, from the first use of the iterator on."""
        from .listing import ActivityExecutionAsyncIterator

        return ActivityExecutionAsyncIterator(self._client, input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        """Asks for the count."""
        from invincible.api.workflowservice.v1 import CountActivityExecutionsRequest, CountActivityExecutionsResponse

        from .listing import ActivityExecutionCount

        request = CountActivityExecutionsRequest(namespace=self._client.namespace, query=input.query or "")
        response = await service_call(
            self._client, "count_activity_executions", request, CountActivityExecutionsResponse, input
        )
        return ActivityExecutionCount._from_response(response)

    def _target(self, input: Any) -> dict[str, Any]:
        """Fields of requests that change an activity."""
        return {
            "namespace": self._client.namespace,
            "activity_id": input.activity_id,
            "run_id": input.activity_run_id or "",
            "identity": self._client.identity,
            "request_id": str(uuid4()),
        }


def _carry(request: StartActivityExecutionRequest, carried: Mapping[str, Any]) -> None:
    """Has a start carry what a handler of a Nexus operation gives it."""
    callbacks = carried.get("completion_callbacks", ())
    for callback in callbacks:
        request.completion_callbacks.add().ParseFromString(callback)
    if callbacks:  # they have the links, too
        request.request_id = carried["request_id"]
    else:
        for link in carried["links"]:
            request.links.add().ParseFromString(link)
    request.on_conflict_options.attach_request_id = True
    request.on_conflict_options.attach_completion_callbacks = True
    request.on_conflict_options.attach_links = True


def _start_error(error: RPCError, input: StartActivityInput) -> Exception:
    if error.status is RPCStatusCode.ALREADY_EXISTS:
        from invincible.api.errordetails.v1 import ActivityExecutionAlreadyStartedFailure

        taken = ActivityExecutionAlreadyStartedFailure()
        if any(detail.Unpack(taken) for detail in error.grpc_status.details):
            return ActivityAlreadyStartedError(input.id, input.activity_type, run_id=taken.run_id or None)
    return error
