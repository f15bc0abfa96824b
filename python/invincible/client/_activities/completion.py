"""Handles of activities that are completed from outside of their worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import Self

from invincible._engine.reference import NOT_GIVEN
from invincible.converter import WithSerializationContext

if TYPE_CHECKING:
    from invincible.converter import DataConverter, SerializationContext

    from .._client import Client
    from .completion_inputs import AsyncActivityIDReference


class AsyncActivityHandle(WithSerializationContext):
    """An activity that is completed from outside of its worker. Made by :meth:`Client.get_async_activity_handle`.

    The activity has told its worker so by :func:`invincible.activity.raise_complete_async`. What these calls are about
    is its current attempt. All of them raise :class:`~invincible.service.RPCError` with the status ``NOT_FOUND`` if
    there is no such activity, or it has ended, or with a task token, its attempt has.

    Args:
        client: Makes the calls.
        id_or_token: Ids of the activity, or the task token of an attempt.
        data_converter_override: Converts the values, instead of the client's converter.
    """

    def __init__(
        self,
        client: Client,
        id_or_token: AsyncActivityIDReference | bytes,
        data_converter_override: DataConverter | None = None,
    ) -> None:
        """Creates the handle; the server is not asked.

        Raises:
            TypeError: ``id_or_token`` is neither ids nor a token.
        """
        from .completion_inputs import AsyncActivityIDReference

        if not isinstance(id_or_token, (AsyncActivityIDReference, bytes)):
            raise TypeError(
                f"id_or_token must be an AsyncActivityIDReference or bytes, got {type(id_or_token).__name__}"
            )
        self._client = client
        self._id_or_token = id_or_token
        self._data_converter_override = data_converter_override

    def __repr__(self) -> str:
        """Which activity it is. Who has a task token may complete the activity, so that it is not shown."""
        target = self._id_or_token
        return f"<AsyncActivityHandle {'task token' if isinstance(target, bytes) else target}>"

    async def heartbeat(
        self,
        *details: Any,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Tells the server that work goes on, and keeps ``details`` for the next attempt.

        Args:
            details: What the next attempt should know.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            AsyncActivityCancelledError: The activity is to stop: it was cancelled, paused or reset, see ``details`` of
                the error. The heartbeat has been recorded.
        """
        from .completion_inputs import HeartbeatAsyncActivityInput

        await self._client._calls.heartbeat_async_activity(
            HeartbeatAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def complete(
        self,
        result: Any | None = NOT_GIVEN,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Completes the activity.

        Args:
            result: Its result; without one, no payload is sent.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .completion_inputs import CompleteAsyncActivityInput

        await self._client._calls.complete_async_activity(
            CompleteAsyncActivityInput(
                id_or_token=self._id_or_token,
                result=result,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def fail(
        self,
        error: Exception,
        *,
        last_heartbeat_details: Sequence[Any] = (),
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Fails the attempt. It is repeated as the retry policy says.

        Args:
            error: Why.
            last_heartbeat_details: What the next attempt should know, instead of the last heartbeat's details.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            TypeError: ``error`` is no exception.
        """
        from .completion_inputs import FailAsyncActivityInput

        if not isinstance(error, BaseException):
            raise TypeError(f"error must be an exception, got {type(error).__name__}")
        await self._client._calls.fail_async_activity(
            FailAsyncActivityInput(
                id_or_token=self._id_or_token,
                error=error,
                last_heartbeat_details=last_heartbeat_details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    async def report_cancellation(
        self,
        *details: Any,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity as cancelled, after :meth:`heartbeat` has said that it is to be.

        Args:
            details: What to tell of it.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            RPCError: With the status ``INVALID_ARGUMENT`` if nobody has cancelled the activity.
        """
        from .completion_inputs import ReportCancellationAsyncActivityInput

        await self._client._calls.report_cancellation_async_activity(
            ReportCancellationAsyncActivityInput(
                id_or_token=self._id_or_token,
                details=details,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                data_converter_override=self._data_converter_override,
            )
        )

    def with_context(self, context: SerializationContext) -> Self:
        """The handle whose values are converted as those of this context.

        The server does not tell whose values they are, so that converters and codecs which want to know are told here.

        Args:
            context: An :class:`~invincible.converter.ActivitySerializationContext`, mostly.
        """
        converter = (self._data_converter_override or self._client.data_converter).with_context(context)
        return type(self)(self._client, self._id_or_token, converter)
