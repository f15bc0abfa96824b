"""Nexus operations, as their caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar, overload

from typing_extensions import TypedDict, Unpack

from invincible._engine.context import current_run
from invincible._engine.groups import EventGroup
from invincible._engine.nexus import NexusOperationHandle
from invincible._engine.nexus_reference import NexusOperation, service_name
from invincible._engine.options import NexusOperationCancellationType

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741
S = TypeVar("S")


class NexusOperationConfig(TypedDict, total=False):
    """The options of a call of a Nexus operation. Timeouts are timedeltas."""

    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    cancellation_type: NexusOperationCancellationType
    headers: Mapping[str, str] | None
    summary: str | None
    event_groups: Sequence[EventGroup] | None


class NexusClient(Generic[S]):
    """Calls the operations of one Nexus service at one endpoint. Made by ``create_nexus_client``."""

    def __init__(self, service: str, endpoint: str) -> None:
        """Names service and endpoint; nothing is checked."""
        self._service = service
        self._endpoint = endpoint

    @overload
    async def start_operation(
        self,
        operation: NexusOperation[I, O],
        input: I,
        *,
        output_type: type[O] | None = ...,
        **options: Unpack[NexusOperationConfig],
    ) -> NexusOperationHandle[O]: ...
    @overload
    async def start_operation(
        self,
        operation: str | Callable[..., Any],
        input: Any,
        *,
        output_type: type[O],
        **options: Unpack[NexusOperationConfig],
    ) -> NexusOperationHandle[O]: ...
    @overload
    async def start_operation(
        self, operation: str | Callable[..., Any], input: Any, **options: Unpack[NexusOperationConfig]
    ) -> NexusOperationHandle[Any]: ...
    async def start_operation(
        self,
        operation: Any,
        input: Any,
        *,
        output_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        cancellation_type: NexusOperationCancellationType = NexusOperationCancellationType.WAIT_COMPLETED,
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> NexusOperationHandle[Any]:
        """Start an operation, and return its handle once it has started.

        Args:
            operation: An operation of a ``nexusrpc`` service, or the operation's name.
            input: What the operation is given.
            output_type: The type of the result where ``operation`` is a name.
            schedule_to_close_timeout: Bound for the whole operation.
            schedule_to_start_timeout: Bound for the wait until it has started.
            start_to_close_timeout: Bound for the time from its start to its end.
            cancellation_type: What cancelling waits for.
            headers: Headers for the handler.
            summary: One line for the Web UI.
            event_groups: Groups that the event belongs to.

        Raises:
            NexusOperationError: the operation could not be started; the reason is its ``cause``.
            TypeError: ``operation`` is no operation, or the input cannot be encoded.
        """
        return await current_run().nexus.call(
            self._endpoint,
            self._service,
            operation,
            input,
            output_type=output_type,
            schedule_to_close_timeout=schedule_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            start_to_close_timeout=start_to_close_timeout,
            cancellation_type=cancellation_type,
            headers=headers,
            summary=summary,
            event_groups=event_groups,
        )

    @overload
    async def execute_operation(
        self,
        operation: NexusOperation[I, O],
        input: I,
        *,
        output_type: type[O] | None = ...,
        **options: Unpack[NexusOperationConfig],
    ) -> O: ...
    @overload
    async def execute_operation(
        self,
        operation: str | Callable[..., Any],
        input: Any,
        *,
        output_type: type[O],
        **options: Unpack[NexusOperationConfig],
    ) -> O: ...
    @overload
    async def execute_operation(
        self, operation: str | Callable[..., Any], input: Any, **options: Unpack[NexusOperationConfig]
    ) -> Any: ...
    async def execute_operation(
        self,
        operation: Any,
        input: Any,
        *,
        output_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        cancellation_type: NexusOperationCancellationType = NexusOperationCancellationType.WAIT_COMPLETED,
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> Any:
        """Start an operation and wait for its result; the parameters are those of ``start_operation``.

        Raises:
            NexusOperationError: the operation failed; the reason is its ``cause``.
            TypeError: ``operation`` is no operation, or the input cannot be encoded.
        """
        start: Any = self.start_operation  # no overload fits what is passed on
        handle = await start(
            operation,
            input,
            output_type=output_type,
            schedule_to_close_timeout=schedule_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            start_to_close_timeout=start_to_close_timeout,
            cancellation_type=cancellation_type,
            headers=headers,
            summary=summary,
            event_groups=event_groups,
        )
        return await handle


@overload
def create_nexus_client(*, service: type[S], endpoint: str) -> NexusClient[S]: ...
@overload
def create_nexus_client(*, service: str, endpoint: str) -> NexusClient[Any]: ...
def create_nexus_client(*, service: type | str, endpoint: str) -> NexusClient[Any]:
    """A client for the operations of a Nexus service.

    Args:
        service: A class decorated by ``nexusrpc.service``, or the service's name.
        endpoint: Name of the endpoint that the service is reached by.

    Raises:
        TypeError: ``service`` is neither.
    """
    return NexusClient(service_name(service), endpoint)
