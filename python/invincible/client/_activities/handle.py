"""Handles of standalone activities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, cast

from invincible._engine.options import seconds
from invincible.converter import ActivitySerializationContext
from invincible.converter._payloads import as_payload
from invincible.service import seconds as given_seconds
from invincible.types import ReturnType

from .._checks import identifier, optional_text
from .._long_poll import poll_until
from .._values import decode_first

if TYPE_CHECKING:
    from invincible.api.activity.v1 import ActivityExecutionOutcome

    from .._client import Client
    from .description import ActivityExecutionDescription
    from .updates import ActivityExecutionOptions, ActivityOptionsUpdate


class ActivityHandle(Generic[ReturnType]):
    """A standalone activity. Made by :meth:`Client.start_activity` and :meth:`Client.get_activity_handle`.

    All its calls raise :class:`~invincible.service.RPCError` if the service refuses them; with the status
    ``NOT_FOUND`` if there is no such activity, and ``FAILED_PRECONDITION`` if it has ended and the call is for running
    ones.

    Args:
        client: Makes the calls.
        id: Id of the activity.
        run_id: Its run; the latest if ``None``.
        result_type: Type of the result; that of the payload if ``None``.
    """

    def __init__(self, client: Client, id: str, *, run_id: str | None = None, result_type: type | None = None) -> None:
        """Creates the handle; the server is not asked."""
        self._client = client
        self._id = identifier("activity_id", id)
        self._run_id = optional_text("run_id", run_id)
        self._result_type = result_type
        self._outcome: ActivityExecutionOutcome | None = None

    def __repr__(self) -> str:
        """Which activity it is."""
        return f"<ActivityHandle id={self._id!r}{f' run_id={self._run_id!r}' if self._run_id else ''}>"

    @property
    def id(self) -> str:
        """Id of the activity."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """Its run; ``None`` for the latest."""
        return self._run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ReturnType:
        """Waits for the activity to end, however long it takes.

        A server that goes away meanwhile is waited for, for about a minute. To wait no longer than some time, put
        ``asyncio.timeout`` or ``asyncio.wait_for`` around it.

        Args:
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call, of which there may be many; at least two seconds.

        Returns:
            The result.

        Raises:
            ActivityFailureError: The activity did not complete; ``cause`` tells why.
            ArgumentError: The result does not fit its type.
        """
        from .errors import ActivityFailureError

        if self._outcome is None:
            self._outcome = await self._poll(rpc_metadata, rpc_timeout)
        outcome, client = self._outcome, self._client
        converter = client.data_converter.with_context(
            ActivitySerializationContext(
                namespace=client.namespace,
                activity_id=self._id,
                activity_type=None,
                activity_task_queue=None,
                workflow_id=None,
                workflow_type=None,
                is_local=False,
            )
        )
        if outcome.HasField("failure"):
            raise ActivityFailureError(cause=await converter.decode_failure(outcome.failure))
        payloads = [as_payload(payload) for payload in outcome.result.payloads]
        return cast(ReturnType, await decode_first(converter, payloads, self._result_type, f"activity {self._id!r}"))

    async def _poll(
        self, rpc_metadata: Mapping[str, str | bytes], rpc_timeout: timedelta | None
    ) -> ActivityExecutionOutcome:
        from invincible.api.workflowservice.v1 import PollActivityExecutionRequest, PollActivityExecutionResponse

        service = self._client.service_client
        request = PollActivityExecutionRequest(
            namespace=self._client.namespace, activity_id=self._id, run_id=self._run_id or ""
        )

        async def poll(timeout: timedelta | None) -> ActivityExecutionOutcome | None:
            response = await service._rpc_call(
                "poll_activity_execution",
                request,
                PollActivityExecutionResponse,
                retry=True,
                metadata=rpc_metadata,
                timeout=timeout,
            )
            return response.outcome if response.HasField("outcome") else None

        return await poll_until(poll, rpc_timeout)

    async def cancel(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the activity to stop. It learns of it at its next heartbeat, and may take its time or refuse.

        Args:
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import CancelActivityInput

        await self._client._calls.cancel_activity(
            CancelActivityInput(self._id, self._run_id, optional_text("reason", reason), rpc_metadata, rpc_timeout)
        )

    async def terminate(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the activity at once. A worker that runs it learns at its next heartbeat that it is gone.

        Args:
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import TerminateActivityInput

        await self._client._calls.terminate_activity(
            TerminateActivityInput(self._id, self._run_id, optional_text("reason", reason), rpc_metadata, rpc_timeout)
        )

    async def pause(
        self,
        *,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Begins no attempt until :meth:`unpause`. A worker that runs one learns of it at its next heartbeat.

        Args:
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import PauseActivityInput

        await self._client._calls.pause_activity(
            PauseActivityInput(self._id, self._run_id, optional_text("reason", reason), rpc_metadata, rpc_timeout)
        )

    async def unpause(
        self,
        *,
        reason: str | None = None,
        jitter: timedelta | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Lets a paused activity go on.

        Args:
            reason: Why.
            jitter: The next attempt begins at a random time within this one.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            TypeError: ``jitter`` is no ``timedelta``.
            ValueError: ``jitter`` is negative.
        """
        from .inputs import UnpauseActivityInput

        given_seconds("jitter", jitter)
        seconds("jitter", jitter)
        await self._client._calls.unpause_activity(
            UnpauseActivityInput(
                self._id, self._run_id, optional_text("reason", reason), jitter, rpc_metadata, rpc_timeout
            )
        )

    async def update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionOptions:
        """Changes options of the activity while it runs. What an attempt began with stays with that attempt.

        Args:
            updates: The changes, one at most for each option.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            All its options, as they are now.

        Raises:
            TypeError: The value of an option is not of its type.
            ValueError: There are no changes, or two of one option.

        Example:
            await handle.update_options(
                [
                    ActivityOptionsKeys.start_to_close_timeout.value_set(timedelta(minutes=10)),
                    ActivityOptionsKeys.heartbeat_timeout.value_unset(),
                ]
            )
        """
        return await self._update_options(updates, False, rpc_metadata, rpc_timeout)

    async def restore_original_options(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ActivityExecutionOptions:
        """Gives the activity the options back that it was started with.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            All its options, as they are now.
        """
        return await self._update_options((), True, rpc_metadata, rpc_timeout)

    async def _update_options(
        self,
        updates: Sequence[ActivityOptionsUpdate[Any]],
        restore_original: bool,
        rpc_metadata: Mapping[str, str | bytes],
        rpc_timeout: timedelta | None,
    ) -> ActivityExecutionOptions:
        from .inputs import UpdateActivityOptionsInput

        return await self._client._calls.update_activity_options(
            UpdateActivityOptionsInput(self._id, self._run_id, updates, restore_original, rpc_metadata, rpc_timeout)
        )

    async def describe(
        self,
        *,
        include_input: bool = False,
        include_outcome: bool = False,
        include_heartbeat_details: bool = False,
        include_last_failure: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ActivityExecutionDescription:
        """What the server tells about the activity.

        Args:
            include_input: Whether to fetch its arguments.
            include_outcome: Whether to fetch its result or failure.
            include_heartbeat_details: Whether to fetch the details of the last heartbeat.
            include_last_failure: Whether to fetch why its last failed attempt failed.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import DescribeActivityInput

        return await self._client._calls.describe_activity(
            DescribeActivityInput(
                activity_id=self._id,
                activity_run_id=self._run_id,
                include_input=include_input,
                include_outcome=include_outcome,
                include_heartbeat_details=include_heartbeat_details,
                include_last_failure=include_last_failure,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )
