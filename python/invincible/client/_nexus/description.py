"""What the server tells about standalone Nexus operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from invincible.common import (
    NexusOperationCancellationState,
    NexusOperationExecutionStatus,
    PendingNexusOperationExecutionState,
    SearchAttributeValue,
    TypedSearchAttributes,
)
from invincible.converter import DataConverter, NexusSerializationContext, decode_typed_search_attributes
from invincible.converter._payloads import as_payload

from .._call import service_call
from .._paging import PagedIterator
from .._values import decode_first
from .inputs import ListNexusOperationsInput

if TYPE_CHECKING:
    from invincible.api.nexus.v1 import NexusOperationExecutionCancellationInfo as CancellationInfoMessage
    from invincible.api.nexus.v1 import NexusOperationExecutionInfo, NexusOperationExecutionListInfo
    from invincible.api.workflowservice.v1 import DescribeNexusOperationExecutionResponse

    from .._client import Client


@dataclass(frozen=True)
class NexusOperationExecution:
    """One execution of a standalone Nexus operation.

    Attributes:
        operation_id: Id of the operation.
        run_id: Its run: an id may be used again.
        endpoint: The endpoint it is called through.
        service: Name of the service.
        operation: Name of the operation in the service.
        schedule_time: When the server took it.
        close_time: When it ended, if it has.
        status: Its status.
        search_attributes: Its search attributes.
        state_transition_count: How often its state has changed.
        execution_duration: From its schedule time to its end, or until now.
        raw_info: All of it, as a protobuf message.
    """

    operation_id: str
    run_id: str
    endpoint: str
    service: str
    operation: str
    schedule_time: datetime | None
    close_time: datetime | None
    status: NexusOperationExecutionStatus
    search_attributes: TypedSearchAttributes
    state_transition_count: int
    execution_duration: timedelta | None
    raw_info: NexusOperationExecutionListInfo | NexusOperationExecutionInfo = field(repr=False)


@dataclass(frozen=True)
class NexusOperationExecutionCancellationInfo:
    """How far the cancellation of a standalone Nexus operation has come.

    Attributes:
        raw: All of it, as a protobuf message.
        requested_time: When it was asked for.
        state: How far it has come.
        attempt: How often the handler has been told.
        last_attempt_complete_time: When that ended last.
        next_attempt_schedule_time: When the handler is told again.
        last_attempt_failure: Why it could not be told last.
        blocked_reason: What keeps the server from telling it.
        reason: The reason given by whoever asked.
    """

    raw: CancellationInfoMessage = field(repr=False)
    requested_time: datetime | None
    state: NexusOperationCancellationState
    attempt: int
    last_attempt_complete_time: datetime | None
    next_attempt_schedule_time: datetime | None
    last_attempt_failure: BaseException | None
    blocked_reason: str | None
    reason: str


@dataclass(frozen=True)
class NexusOperationExecutionDescription(NexusOperationExecution):
    """One execution of a standalone Nexus operation, in detail.

    Attributes:
        raw_description: All of it, as a protobuf message.
        state: What a running operation waits for.
        schedule_to_close_timeout: Bound for the whole operation.
        schedule_to_start_timeout: Bound for the wait until it has started.
        start_to_close_timeout: Bound for the time from its start to its end.
        attempt: How often the handler has been called.
        expiration_time: When it times out.
        last_attempt_complete_time: When the last call of the handler ended.
        next_attempt_schedule_time: When the handler is called again.
        last_attempt_failure: Why the last call failed.
        blocked_reason: What keeps the server from calling it.
        request_id: Id of the request that started it.
        operation_token: What the handler knows it by, if it runs on after its start.
        identity: Who started it.
        cancellation_info: Its cancellation, if that was asked for.
    """

    raw_description: DescribeNexusOperationExecutionResponse = field(repr=False)
    state: PendingNexusOperationExecutionState
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    attempt: int
    expiration_time: datetime | None
    last_attempt_complete_time: datetime | None
    next_attempt_schedule_time: datetime | None
    last_attempt_failure: BaseException | None
    blocked_reason: str | None
    request_id: str
    operation_token: str | None
    identity: str
    cancellation_info: NexusOperationExecutionCancellationInfo | None
    _data_converter: DataConverter = field(repr=False, compare=False)

    @classmethod
    async def _from_response(
        cls, response: DescribeNexusOperationExecutionResponse, converter: DataConverter
    ) -> NexusOperationExecutionDescription:
        from .._proto import field, time_of, timedelta_of

        info = response.info
        converter = converter.with_context(NexusSerializationContext(info.endpoint, info.service, info.operation))

        async def failure(message: Any) -> BaseException | None:
            failed = field(message, "last_attempt_failure")
            return None if failed is None else await converter.decode_failure(failed)

        cancellation: CancellationInfoMessage | None = field(info, "cancellation_info")
        return cls(
            **_common(info),
            raw_description=response,
            state=PendingNexusOperationExecutionState(info.state),
            schedule_to_close_timeout=timedelta_of(info, "schedule_to_close_timeout"),
            schedule_to_start_timeout=timedelta_of(info, "schedule_to_start_timeout"),
            start_to_close_timeout=timedelta_of(info, "start_to_close_timeout"),
            attempt=info.attempt,
            expiration_time=time_of(info, "expiration_time"),
            last_attempt_complete_time=time_of(info, "last_attempt_complete_time"),
            next_attempt_schedule_time=time_of(info, "next_attempt_schedule_time"),
            last_attempt_failure=await failure(info),
            blocked_reason=info.blocked_reason or None,
            request_id=info.request_id,
            operation_token=info.operation_token or None,
            identity=info.identity,
            cancellation_info=None
            if cancellation is None
            else NexusOperationExecutionCancellationInfo(
                raw=cancellation,
                requested_time=time_of(cancellation, "requested_time"),
                state=NexusOperationCancellationState(cancellation.state),
                attempt=cancellation.attempt,
                last_attempt_complete_time=time_of(cancellation, "last_attempt_complete_time"),
                next_attempt_schedule_time=time_of(cancellation, "next_attempt_schedule_time"),
                last_attempt_failure=await failure(cancellation),
                blocked_reason=cancellation.blocked_reason or None,
                reason=cancellation.reason,
            ),
            _data_converter=converter,
        )

    async def static_summary(self) -> str | None:
        """The summary it was started with."""
        return await self._metadata("summary")

    async def static_details(self) -> str | None:
        """The details it was started with."""
        return await self._metadata("details")

    async def _metadata(self, name: str) -> str | None:
        from .._proto import field

        payload = field(self.raw_description.info.user_metadata, name)
        if payload is None:
            return None
        text: str = await decode_first(self._data_converter, [as_payload(payload)], str, f"static {name}")
        return text


@dataclass
class NexusOperationExecutionCount:
    """How many standalone Nexus operations a query finds.

    Attributes:
        count: How many.
        groups: How many of each kind, if the query groups them.
    """

    count: int
    groups: Sequence[NexusOperationExecutionCountAggregationGroup]


@dataclass
class NexusOperationExecutionCountAggregationGroup:
    """How many standalone Nexus operations are of one kind.

    Attributes:
        count: How many.
        group_values: The values that make the kind.
    """

    count: int
    group_values: Sequence[SearchAttributeValue]


class NexusOperationExecutionAsyncIterator(PagedIterator[NexusOperationExecution]):
    """The standalone Nexus operations that a query finds. Made by :meth:`Client.list_nexus_operations`.

    Args:
        client: Makes the calls.
        input: The query.
    """

    def __init__(self, client: Client, input: ListNexusOperationsInput) -> None:
        """Creates the iterator; it fetches nothing yet."""
        super().__init__(
            limit=input.limit,
            page_size=input.page_size,
            next_page_token=input.next_page_token,
            about=f"query={input.query or ''!r}",
        )
        self._client = client
        self._input = input

    async def _fetch_page(
        self, page_size: int | None, token: bytes | None
    ) -> tuple[Sequence[NexusOperationExecution], bytes]:
        from invincible.api.workflowservice.v1 import (
            ListNexusOperationExecutionsRequest,
            ListNexusOperationExecutionsResponse,
        )

        response = await service_call(
            self._client,
            "list_nexus_operation_executions",
            ListNexusOperationExecutionsRequest(
                namespace=self._client.namespace,
                page_size=page_size or 0,
                next_page_token=token or b"",
                query=self._input.query or "",
            ),
            ListNexusOperationExecutionsResponse,
            self._input,
        )
        return [NexusOperationExecution(**_common(info)) for info in response.operations], response.next_page_token


def _common(info: NexusOperationExecutionInfo | NexusOperationExecutionListInfo) -> dict[str, Any]:
    from .._proto import time_of, timedelta_of

    return {
        "operation_id": info.operation_id,
        "run_id": info.run_id,
        "endpoint": info.endpoint,
        "service": info.service,
        "operation": info.operation,
        "schedule_time": time_of(info, "schedule_time"),
        "close_time": time_of(info, "close_time"),
        "status": NexusOperationExecutionStatus(info.status),
        "search_attributes": decode_typed_search_attributes(info.search_attributes),
        "state_transition_count": info.state_transition_count,
        "execution_duration": timedelta_of(info, "execution_duration"),
        "raw_info": info,
    }
