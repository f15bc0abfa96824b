"""Handles of standalone Nexus operations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, cast

from invincible.types import ReturnType

from .._checks import identifier, optional_text

if TYPE_CHECKING:
    from .._client import Client
    from .description import NexusOperationExecutionDescription


class NexusOperationHandle(Generic[ReturnType]):
    """A standalone Nexus operation. Made by :class:`NexusClient` and :meth:`Client.get_nexus_operation_handle`.

    All its calls raise :class:`~invincible.service.RPCError` if the service refuses them; with the status
    ``NOT_FOUND`` if there is no such operation.

    Args:
        client: Makes the calls.
        operation_id: Id of the operation.
        run_id: Its run; the latest if ``None``.
        result_type: Type of the result; that of the payload if ``None``.
        endpoint: The endpoint it is called through, if known.
        service: Name of the service, if known.
        operation: Name of the operation in the service, if known.
    """

    def __init__(
        self,
        client: Client,
        operation_id: str,
        *,
        run_id: str | None = None,
        result_type: type | None = None,
        endpoint: str = "",
        service: str = "",
        operation: str = "",
    ) -> None:
        """Creates the handle; the server is not asked."""
        self._client = client
        self._operation_id = identifier("operation_id", operation_id)
        self._run_id = optional_text("run_id", run_id)
        self._result_type = result_type
        self._endpoint = endpoint
        self._service = service
        self._operation = operation

    def __repr__(self) -> str:
        """Which operation it is."""
        run = f" run_id={self._run_id!r}" if self._run_id else ""
        return f"<NexusOperationHandle operation_id={self._operation_id!r}{run}>"

    @property
    def operation_id(self) -> str:
        """Id of the operation."""
        return self._operation_id

    @property
    def run_id(self) -> str | None:
        """Its run; ``None`` for the latest."""
        return self._run_id

    @property
    def endpoint(self) -> str:
        """The endpoint it is called through; empty if not known."""
        return self._endpoint

    @property
    def service(self) -> str:
        """Name of the service; empty if not known."""
        return self._service

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ReturnType:
        """Waits for the operation to end, however long it takes.

        A server that goes away meanwhile is waited for, for about a minute.

        Args:
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call, of which there may be many.

        Returns:
            The result.

        Raises:
            NexusOperationFailureError: The operation did not complete; ``cause`` tells why.
            ArgumentError: The result does not fit its type.
        """
        from .inputs import GetNexusOperationResultInput

        result = await self._client._calls.get_nexus_operation_result(
            GetNexusOperationResultInput(
                operation_id=self._operation_id,
                run_id=self._run_id,
                endpoint=self._endpoint,
                service=self._service,
                operation=self._operation,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                result_type=self._result_type,
            )
        )
        return cast(ReturnType, result)

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> NexusOperationExecutionDescription:
        """Asks the server about the operation.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import DescribeNexusOperationInput

        return await self._client._calls.describe_nexus_operation(
            DescribeNexusOperationInput(self._operation_id, self._run_id, rpc_metadata, rpc_timeout)
        )

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the handler to cancel the operation, which may take its time or refuse.

        Args:
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import CancelNexusOperationInput

        await self._client._calls.cancel_nexus_operation(
            CancelNexusOperationInput(
                self._operation_id, self._run_id, optional_text("reason", reason), rpc_metadata, rpc_timeout
            )
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the operation. The handler is not told.

        Args:
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import TerminateNexusOperationInput

        await self._client._calls.terminate_nexus_operation(
            TerminateNexusOperationInput(
                self._operation_id, self._run_id, optional_text("reason", reason), rpc_metadata, rpc_timeout
            )
        )
