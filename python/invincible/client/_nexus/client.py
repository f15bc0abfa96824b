"""The part of clients that is about standalone Nexus operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from typing_extensions import Unpack

from invincible.common import NexusOperationIDConflictPolicy, NexusOperationIDReusePolicy
from invincible.types import NexusServiceType

from .._checks import identifier, optional_text

if TYPE_CHECKING:
    from invincible._engine.nexus_reference import NexusOperation
    from invincible.common import TypedSearchAttributes

    from .._client import Client
    from .._interceptor import OutboundInterceptor
    from .description import NexusOperationExecutionAsyncIterator, NexusOperationExecutionCount
    from .handle import NexusOperationHandle
    from .options import NexusOperationOptions

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


class NexusClient(Generic[NexusServiceType]):
    """Calls the operations of one Nexus service at one endpoint. Made by :meth:`Client.create_nexus_client`.

    Args:
        client: Makes the calls.
        service: A class decorated by ``nexusrpc.service``, or the service's name.
        endpoint: Name of the endpoint that the service is reached by.

    Raises:
        TypeError: ``service`` is neither, or ``endpoint`` no ``str``.
        ValueError: ``service`` or ``endpoint`` is empty.
    """

    def __init__(self, client: Client, service: type[NexusServiceType] | str, endpoint: str) -> None:
        """Creates the client; the server is not asked."""
        from invincible._engine.nexus_reference import service_name

        self._client = client
        self._service = identifier("service", service_name(service))
        self._endpoint = identifier("endpoint", endpoint)

    def __repr__(self) -> str:
        """Which service it is for, at which endpoint."""
        return f"<NexusClient service={self._service!r} endpoint={self._endpoint!r}>"

    @overload
    async def start_operation(
        self,
        operation: NexusOperation[I, O],
        arg: I,
        *,
        result_type: type[O] | None = ...,
        **options: Unpack[NexusOperationOptions],
    ) -> NexusOperationHandle[O]: ...
    @overload
    async def start_operation(
        self,
        operation: str | Callable[..., Any],
        arg: Any,
        *,
        result_type: type[O],
        **options: Unpack[NexusOperationOptions],
    ) -> NexusOperationHandle[O]: ...
    @overload
    async def start_operation(
        self, operation: str | Callable[..., Any], arg: Any, **options: Unpack[NexusOperationOptions]
    ) -> NexusOperationHandle[Any]: ...
    async def start_operation(
        self,
        operation: Any,
        arg: Any,
        *,
        id: str,
        id_reuse_policy: NexusOperationIDReusePolicy = NexusOperationIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: NexusOperationIDConflictPolicy = NexusOperationIDConflictPolicy.FAIL,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        headers: Mapping[str, str] | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationHandle[Any]:
        """Starts an operation, and returns when the server has it.

        Args:
            operation: An operation of a ``nexusrpc`` service, or the operation's name.
            arg: What the operation is given.
            id: Id of the operation; only one of an id runs at a time.
            id_reuse_policy: Whether the id of a closed operation may be used again.
            id_conflict_policy: What to do if one of this id is running.
            result_type: Type of the result; that of the operation by default.
            schedule_to_close_timeout: Bound for the whole operation.
            schedule_to_start_timeout: Bound for the wait until it has started.
            start_to_close_timeout: Bound for the time from its start to its end.
            search_attributes: Values that it can be found by.
            summary: One line for the Web UI.
            headers: Headers for the handler.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            A handle of the operation.

        Raises:
            NexusOperationAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused the call.
            TypeError: ``operation`` is no operation, an option is of a wrong type, or the input cannot be converted.
            ValueError: ``id`` is empty.
        """
        from invincible._engine.nexus_reference import operation_reference
        from invincible.service import seconds

        from .inputs import StartNexusOperationInput

        name, declared = operation_reference(operation)
        identifier("id", id)
        for option, value in {
            "schedule_to_close_timeout": schedule_to_close_timeout,
            "schedule_to_start_timeout": schedule_to_start_timeout,
            "start_to_close_timeout": start_to_close_timeout,
        }.items():
            seconds(option, value)
        return await self._client._calls.start_nexus_operation(
            StartNexusOperationInput(
                operation=name,
                arg=arg,
                id=id,
                endpoint=self._endpoint,
                service=self._service,
                result_type=result_type or declared,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                id_reuse_policy=id_reuse_policy,
                id_conflict_policy=id_conflict_policy,
                search_attributes=search_attributes,
                summary=summary,
                headers=headers,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def execute_operation(
        self,
        operation: NexusOperation[I, O],
        arg: I,
        *,
        result_type: type[O] | None = ...,
        **options: Unpack[NexusOperationOptions],
    ) -> O: ...
    @overload
    async def execute_operation(
        self,
        operation: str | Callable[..., Any],
        arg: Any,
        *,
        result_type: type[O],
        **options: Unpack[NexusOperationOptions],
    ) -> O: ...
    @overload
    async def execute_operation(
        self, operation: str | Callable[..., Any], arg: Any, **options: Unpack[NexusOperationOptions]
    ) -> Any: ...
    async def execute_operation(
        self,
        operation: Any,
        arg: Any,
        *,
        id: str,
        id_reuse_policy: NexusOperationIDReusePolicy = NexusOperationIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy: NexusOperationIDConflictPolicy = NexusOperationIDConflictPolicy.FAIL,
        result_type: type | None = None,
        schedule_to_close_timeout: timedelta | None = None,
        schedule_to_start_timeout: timedelta | None = None,
        start_to_close_timeout: timedelta | None = None,
        search_attributes: TypedSearchAttributes | None = None,
        summary: str | None = None,
        headers: Mapping[str, str] | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Starts an operation and waits for its result; the parameters are those of :meth:`start_operation`.

        Returns:
            The result of the operation.

        Raises:
            NexusOperationFailureError: The operation did not complete; ``cause`` tells why.
            NexusOperationAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused a call.
            TypeError: ``operation`` is no operation, an option is of a wrong type, or the input cannot be converted.
            ValueError: ``id`` is empty.
        """
        start: Any = self.start_operation  # no overload fits what is passed on
        handle: NexusOperationHandle[Any] = await start(
            operation,
            arg,
            id=id,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            result_type=result_type,
            schedule_to_close_timeout=schedule_to_close_timeout,
            schedule_to_start_timeout=schedule_to_start_timeout,
            start_to_close_timeout=start_to_close_timeout,
            search_attributes=search_attributes,
            summary=summary,
            headers=headers,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return await handle.result(rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)


class ClientNexus:
    """Standalone Nexus operations of a namespace."""

    _calls: OutboundInterceptor

    @overload
    def create_nexus_client(self, service: type[NexusServiceType], endpoint: str) -> NexusClient[NexusServiceType]: ...
    @overload
    def create_nexus_client(self, service: str, endpoint: str) -> NexusClient[Any]: ...
    def create_nexus_client(self, service: type | str, endpoint: str) -> NexusClient[Any]:
        """A client for the operations of a Nexus service, which run without a workflow that called them.

        Args:
            service: A class decorated by ``nexusrpc.service``, or the service's name.
            endpoint: Name of the endpoint that the service is reached by.

        Raises:
            TypeError: ``service`` is neither, or ``endpoint`` no ``str``.
            ValueError: ``service`` or ``endpoint`` is empty.

        Example:
            payments = client.create_nexus_client(PaymentService, "payments")
            receipt = await payments.execute_operation(PaymentService.charge, order, id=f"charge-{order.id}")
        """
        return NexusClient(cast("Client", self), service, endpoint)

    @overload
    def get_nexus_operation_handle(
        self, operation_id: str, *, operation: NexusOperation[Any, O], run_id: str | None = None
    ) -> NexusOperationHandle[O]: ...
    @overload
    def get_nexus_operation_handle(
        self, operation_id: str, *, run_id: str | None = None, result_type: type[O]
    ) -> NexusOperationHandle[O]: ...
    @overload
    def get_nexus_operation_handle(
        self, operation_id: str, *, run_id: str | None = None
    ) -> NexusOperationHandle[Any]: ...
    def get_nexus_operation_handle(
        self,
        operation_id: str,
        *,
        operation: NexusOperation[Any, Any] | None = None,
        run_id: str | None = None,
        result_type: type | None = None,
    ) -> NexusOperationHandle[Any]:
        """A handle of a standalone Nexus operation that is there already. The server is not asked.

        Args:
            operation_id: Id of the operation.
            operation: The operation of a ``nexusrpc`` service, for the type of the result.
            run_id: Its run; the latest if ``None``.
            result_type: Type of the result; that of ``operation`` by default.

        Raises:
            TypeError: ``operation`` is no operation, or an id no ``str``.
            ValueError: ``operation_id`` is empty.
        """
        from invincible._engine.nexus_reference import operation_reference

        from .handle import NexusOperationHandle

        name, declared = ("", None) if operation is None else operation_reference(operation)
        return NexusOperationHandle(
            cast("Client", self), operation_id, run_id=run_id, result_type=result_type or declared, operation=name
        )

    def list_nexus_operations(
        self,
        query: str,
        *,
        limit: int | None = None,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationExecutionAsyncIterator:
        """Lists standalone Nexus operations. The server learns of new ones with a small delay.

        Args:
            query: A list filter; empty for all.
            limit: Most operations in all.
            page_size: Most operations to fetch at once.
            next_page_token: Where to begin, as another iterator had it.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Returns:
            An iterator, for ``async for``. Errors of the service show when it is used.
        """
        from .inputs import ListNexusOperationsInput

        return self._calls.list_nexus_operations(
            ListNexusOperationsInput(
                optional_text("query", query), page_size, next_page_token, rpc_metadata, rpc_timeout, limit
            )
        )

    async def count_nexus_operations(
        self,
        query: str | None = None,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> NexusOperationExecutionCount:
        """Counts standalone Nexus operations.

        Args:
            query: A list filter, which may end in ``GROUP BY ExecutionStatus``; all if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: The service refused the call, for its query say.
        """
        from .inputs import CountNexusOperationsInput

        return await self._calls.count_nexus_operations(
            CountNexusOperationsInput(optional_text("query", query), rpc_metadata, rpc_timeout)
        )
