"""The time of a test environment: whether it is skipped, and how it passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

from invincible.client import Client, ScheduleHandle, WorkflowHandle
from invincible.exceptions import TimeoutType

from ._activity_timeouts import time_out_activity
from ._clocks import Clocks
from ._time_skipper import clock_of, fast_forward, step

if TYPE_CHECKING:
    from invincible.api.common.v1 import TimeSkippingInfo

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True


class EnvironmentTime:
    """The part of ``WorkflowEnvironment`` that is about time."""

    _client: Client
    _clocks: Clocks | None

    @property
    def supports_time_skipping(self) -> bool:
        """Whether workflows of this environment skip time."""
        return self._clocks is not None

    @property
    def supports_time_skipping_v1(self) -> bool:
        """Whether they do so while somebody waits for their results, as :meth:`start_time_skipping` has it."""
        return self._clocks is not None and self._clocks.held

    @property
    def supports_time_skipping_v2(self) -> bool:
        """Whether they do so from their start on, as :meth:`start_time_skipping_v2` has it."""
        return self._clocks is not None and not self._clocks.held

    async def sleep(self, duration: timedelta | float) -> None:
        """Let time pass for all workflows that clients of this environment have started, and that are open.

        Where time is skipped it is their clocks that move, all by as much; otherwise this is ``asyncio.sleep``. Returns
        when they have moved; calls side by side are made one after the other. A clock stands while an activity of its
        workflow is running. A workflow that waits for a child workflow stays behind if the child has not ended by then.

        Args:
            duration: How long, in seconds if a number.

        Raises:
            TypeError: ``duration`` is no duration.
            ValueError: It is negative.
            WorkflowTaskFailedError: A workflow has a bug.
        """
        passing = step(duration)
        if self._clocks is None:
            await asyncio.sleep(passing.total_seconds())
        elif passing:
            await self._clocks.advance(self._client, passing)

    async def get_current_time(self, handle: WorkflowHandle[Any, Any] | ScheduleHandle | None = None) -> datetime:
        """The time of a workflow, in UTC.

        Args:
            handle: The workflow, or a schedule. If ``None``, the time is that of the environment: of the workflow whose
                clock is furthest ahead, at least as late as all that :meth:`sleep` has let pass; and real time where no
                time is skipped.

        Raises:
            RPCError: There is no such workflow.
        """
        if handle is not None and self._clocks is not None:
            return (await clock_of(handle).read()).time
        return datetime.now(timezone.utc) if self._clocks is None else await self._clocks.now(self._client)

    async def fast_forward(
        self, handle: WorkflowHandle[Any, Any] | ScheduleHandle, duration: timedelta | float | None = None, /
    ) -> bool:
        """Move the clock of one workflow, and wait until it has moved. After that it stands.

        The clock stands while an activity, a child workflow or a Nexus operation of the workflow is running. Child
        workflows that begin meanwhile run to their end.

        Args:
            handle: The workflow; or a schedule, whose actions are taken as its clock passes their times.
            duration: How far, in seconds if a number; to the workflow's end if ``None``.

        Returns:
            Whether the clock has moved that far; the workflow has ended before otherwise.

        Raises:
            RPCError: There is no such workflow, or it has ended already.
            RuntimeError: This environment skips no time, or somebody else has set the clock meanwhile.
            TypeError: ``duration`` is no duration.
            ValueError: It is no step forward.
            WorkflowTaskFailedError: The workflow has a bug.
        """
        return await fast_forward(self._skipping("fast_forward"), handle, duration)

    async def get_time_skipping_info(
        self, handle: WorkflowHandle[Any, Any] | ScheduleHandle
    ) -> TimeSkippingInfo | None:
        """What the server tells of the clock of a workflow, ``None`` if it never skips.

        Args:
            handle: The workflow, or a schedule.

        Raises:
            RPCError: There is no such workflow.
            RuntimeError: This environment skips no time.
        """
        self._skipping("get_time_skipping_info")
        return (await clock_of(handle).read()).info

    async def time_out_activity(
        self,
        handle: WorkflowHandle[Any, Any],
        activity: str | Callable[..., Any],
        timeout_type: TimeoutType = TimeoutType.START_TO_CLOSE,
    ) -> None:
        """Have the server time out an activity now, as if it had hung for as long as it may.

        Waits for the activity to be running first. Clocks stand while an activity is running, and this does not move
        them. If the activity is tried again, that attempt has all its time.

        Args:
            handle: The workflow.
            activity: The activity, its name or its id.
            timeout_type: The timeout that is exceeded.

        Raises:
            RPCError: There is no such workflow, or it has ended.
            RuntimeError: It has no such activity that is running.
            TypeError: An argument is of a wrong type.
        """
        await time_out_activity(handle, activity, timeout_type)

    def auto_time_skipping_disabled(self) -> AbstractContextManager[None]:
        """While this is open, those who begin to wait for results wait in real time.

        For environments of :meth:`start_time_skipping`; without an effect where no time is skipped.

        Raises:
            RuntimeError: Workflows of this environment skip time from their start on.
        """
        if self.supports_time_skipping_v2:
            raise RuntimeError(
                "auto_time_skipping_disabled() is for environments of start_time_skipping(): workflows of this one "
                "skip time whether somebody waits or not. Start them in a block of with_time_skipping_disabled()"
            )
        return nullcontext() if self._clocks is None else self._clocks.no_release()

    def with_time_skipping_disabled(self) -> AbstractContextManager[None]:
        """While this is open, workflows are started that never skip time. Without an effect where none do."""
        return nullcontext() if self._clocks is None else self._clocks.real_time()

    def _skipping(self, method: Literal["fast_forward", "get_time_skipping_info"]) -> Clocks:
        if self._clocks is None:
            raise RuntimeError(
                f"{method} needs an environment that skips time: start_time_skipping() or start_time_skipping_v2() "
                "make one, from_client(client, time_skipping=True) makes one of a server that runs already"
            )
        return self._clocks
