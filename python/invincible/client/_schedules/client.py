"""The part of clients that deals with schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from .._checks import optional_text

if TYPE_CHECKING:
    from invincible.common import SearchAttributes, TypedSearchAttributes

    from .._client import Client
    from .._interceptor import OutboundInterceptor
    from .apply import AppliedSchedule
    from .handle import ScheduleHandle
    from .listing import ScheduleAsyncIterator
    from .schedule import Schedule, ScheduleBackfill


class ClientSchedules:
    """Schedules: workflows that the server starts by the calendar."""

    _calls: OutboundInterceptor

    async def create_schedule(
        self,
        id: str,
        schedule: Schedule,
        *,
        trigger_immediately: bool = False,
        backfill: Sequence[ScheduleBackfill] = (),
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleHandle:
        """Creates a schedule.

        Args:
            id: Its id.
            schedule: What to do, and when.
            trigger_immediately: Whether to act at once, too.
            backfill: Times for which to act now as if they were passing.
            memo: Values to keep with it that cannot be searched for, and not be changed. Its workflows have those of
                the action.
            search_attributes: Values that it can be found by. Its workflows have those of the action.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            A handle of it.

        Raises:
            ScheduleAlreadyRunningError: There is a schedule of this id.
            ValueError: The schedule makes no sense; the message names the field.
            ConversionError: A value cannot be converted.
            RPCError: The service refused the call; with ``INVALID_ARGUMENT`` and a message that tells for cron
                expressions, time zones and search attributes that it does not understand.

        Example:
            action = ScheduleActionStartWorkflow(report, "Berlin", id="report", task_queue="reports")
            every_morning = ScheduleSpec(cron_expressions=["0 7 * * MON-FRI"], time_zone_name="Europe/Berlin")
            await client.create_schedule("reports", Schedule(action=action, spec=every_morning))
        """
        from .inputs import CreateScheduleInput

        return await self._calls.create_schedule(
            CreateScheduleInput(
                id=id,
                schedule=schedule,
                trigger_immediately=trigger_immediately,
                backfill=backfill,
                memo=memo,
                search_attributes=search_attributes,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def apply_schedule(
        self,
        id: str,
        schedule: Schedule,
        *,
        search_attributes: TypedSearchAttributes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> AppliedSchedule:
        """Creates a schedule, or brings the one of this id up to date: for schedules that are kept in code.

        To be called whenever the code is deployed, as often as one likes. The state of a schedule that is there stays
        as it is: one that was paused stays paused.

        Args:
            id: Its id.
            schedule: What to do, and when. Its ``state`` is that of a new schedule only.
            search_attributes: Values that it can be found by; ``None`` for none, or those that it has.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Returns:
            What has changed.

        Raises:
            ValueError: The schedule makes no sense; the message names the field.
            ConversionError: A value cannot be converted.
            RPCError: The service refused a call.

        Example:
            applied = await client.apply_schedule("reports", Schedule(action=action, spec=every_morning))
            logger.info("schedule: %s", "created" if applied.created else applied.changes or "unchanged")
        """
        from .apply import AppliedSchedule, changes_by_update
        from .errors import ScheduleAlreadyRunningError

        try:
            await self.create_schedule(
                id, schedule, search_attributes=search_attributes, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout
            )
        except ScheduleAlreadyRunningError:
            handle = self.get_schedule_handle(id)
            changes = await changes_by_update(handle, schedule, search_attributes, rpc_metadata, rpc_timeout)
            return AppliedSchedule(created=False, changes=changes)
        return AppliedSchedule(created=True, changes=())

    def get_schedule_handle(self, id: str) -> ScheduleHandle:
        """A handle of a schedule that is there already. The server is not asked.

        Args:
            id: Id of the schedule.

        Raises:
            TypeError: ``id`` is no ``str``.
            ValueError: ``id`` is empty.
        """
        from .handle import ScheduleHandle

        return ScheduleHandle(cast("Client", self), id)

    async def list_schedules(
        self,
        query: str | None = None,
        *,
        page_size: int = 1000,
        next_page_token: bytes | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ScheduleAsyncIterator:
        """The schedules that a query finds.

        Nothing is fetched before the iterator is used, so that is where a wrong query shows. The server's index
        follows the schedules within a second or so.

        Args:
            query: The query, ``TemporalSchedulePaused = true`` or one by search attributes of schedules; all
                schedules if ``None``.
            page_size: Most schedules to fetch at once.
            next_page_token: Where to begin, as another iterator had it.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Example:
            async for schedule in await client.list_schedules():
                print(schedule.id, schedule.info and schedule.info.next_action_times)
        """
        from .inputs import ListSchedulesInput

        return self._calls.list_schedules(
            ListSchedulesInput(
                page_size=page_size,
                next_page_token=next_page_token,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                query=optional_text("query", query),
            )
        )
