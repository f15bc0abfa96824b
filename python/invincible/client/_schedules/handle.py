"""Handles: one schedule, and what can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, overload

from .._checks import identifier, optional_text
from .inputs import Updater  # the blocking class is made from what this stands for

if TYPE_CHECKING:
    from .._client import Client
    from .description import ScheduleDescription
    from .schedule import ScheduleBackfill, ScheduleOverlapPolicy, ScheduleUpdate, ScheduleUpdateInput


class ScheduleHandle:
    """A schedule. Made by :meth:`Client.create_schedule` and :meth:`Client.get_schedule_handle`.

    All its calls raise :class:`~invincible.service.RPCError` if the service refuses them; with the status
    ``NOT_FOUND`` if there is no such schedule.

    Args:
        client: Makes the calls.
        id: Id of the schedule.
    """

    def __init__(self, client: Client, id: str) -> None:
        """Creates the handle; the server is not asked."""
        self._client = client
        self._id = identifier("id of the schedule", id)

    def __repr__(self) -> str:
        """Which schedule it is."""
        return f"<ScheduleHandle id={self._id!r}>"

    @property
    def id(self) -> str:
        """Id of the schedule."""
        return self._id

    async def backfill(
        self,
        *backfill: ScheduleBackfill,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Does now what would have been due at other times. Does so although it is paused.

        Args:
            backfill: These times, at least one.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            ValueError: No backfill is given, or one ends before it begins or has times without a time zone.
        """
        from .inputs import BackfillScheduleInput

        await self._client._calls.backfill_schedule(
            BackfillScheduleInput(id=self._id, backfills=backfill, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def delete(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> None:
        """Deletes the schedule. Workflows that it started go on.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import DeleteScheduleInput

        await self._client._calls.delete_schedule(
            DeleteScheduleInput(id=self._id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> ScheduleDescription:
        """Asks how the schedule is.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import DescribeScheduleInput

        return await self._client._calls.describe_schedule(
            DescribeScheduleInput(id=self._id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def pause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Pauses the schedule: nothing happens until it is unpaused, unless it is triggered or backfilled.

        Args:
            note: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import PauseScheduleInput

        await self._client._calls.pause_schedule(
            PauseScheduleInput(
                id=self._id, note=optional_text("note", note), rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    async def trigger(
        self,
        *,
        overlap: ScheduleOverlapPolicy | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Makes the schedule act now. It does so although it is paused.

        Args:
            overlap: What to do if the last workflow still runs; as the schedule's policy says if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import TriggerScheduleInput

        await self._client._calls.trigger_schedule(
            TriggerScheduleInput(id=self._id, overlap=overlap, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def unpause(
        self,
        *,
        note: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Has the schedule act again. What was due while it was paused is not made up for.

        Args:
            note: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from .inputs import UnpauseScheduleInput

        await self._client._calls.unpause_schedule(
            UnpauseScheduleInput(
                id=self._id, note=optional_text("note", note), rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        )

    @overload
    async def update(
        self,
        updater: Callable[[ScheduleUpdateInput], ScheduleUpdate | None],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    @overload
    async def update(
        self,
        updater: Callable[[ScheduleUpdateInput], Awaitable[ScheduleUpdate | None]],
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None: ...
    async def update(
        self,
        updater: Updater,
        *,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Changes the schedule: asks how it is, has it changed by a function, and sends the result.

        A change by somebody else in between is lost.

        Args:
            updater: Makes the update, of the description it is given or anew; ``None`` leaves the schedule as it is.
                May be async.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Raises:
            TypeError: The updater returns something else.
            ValueError: The schedule makes no sense; the message names the field.
            ConversionError: A value cannot be converted.

        Example:
            def daily(input: ScheduleUpdateInput) -> ScheduleUpdate:
                schedule = input.description.schedule
                schedule.spec = ScheduleSpec(cron_expressions=["@daily"])
                return ScheduleUpdate(schedule)

            await handle.update(daily)
        """
        from .inputs import UpdateScheduleInput

        await self._client._calls.update_schedule(
            UpdateScheduleInput(id=self._id, updater=updater, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )
