"""``TimeSkipper``: clocks of workflows that skip time, for clients of any server that can."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from invincible import _native
from invincible.client import Client, ScheduleHandle, WorkflowHandle
from invincible.client._call import native_call
from invincible.client._outcome import failure_of
from invincible.client._watch import unless_child_fails
from invincible.service import RPCError, RPCStatusCode

from ._clock import Clock, let_tree_run
from ._clocks import Clocks
from ._time_skipping import UNLIMITED, TimeSkippingConfig

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True

# The server counts durations in nanoseconds, in 64 bits.
_LONGEST = timedelta(microseconds=(2**63 - 1) // 1000)
# The server's name for the workflow of a schedule.
_SCHEDULE = "temporal-sys-scheduler:"

if TYPE_CHECKING:
    from invincible.api.common.v1 import TimeSkippingInfo


class TimeSkipper:
    """Lets workflows skip time: each has a clock of its own, which jumps to where its next wait ends.

    ``WorkflowEnvironment.start_time_skipping`` and ``start_time_skipping_v2`` are this with a server of their own. The
    server of ``client`` must allow it: the embedded one does, a cluster needs the dynamic configuration
    ``frontend.WorkflowTimeSkippingEnabled``.

    Args:
        client: A client, which stays as it is.
        config: How workflows skip time that are started through :attr:`client`.

    Example:
        skipper = TimeSkipper(client)
        handle = await skipper.client.start_workflow(Subscription.run, id="ada", task_queue="billing")
        await skipper.fast_forward(handle, timedelta(days=30))
    """

    def __init__(self, client: Client, *, config: TimeSkippingConfig = UNLIMITED) -> None:
        """Makes the client; the server is not asked.

        Raises:
            TypeError: An argument is of a wrong type.
        """
        if not isinstance(client, Client):
            raise TypeError(f"client must be a Client, got {type(client).__name__}")
        if not isinstance(config, TimeSkippingConfig):
            raise TypeError(f"config must be a TimeSkippingConfig, got {type(config).__name__}")
        self._config = config
        self._clocks = Clocks(config, held=False)
        self._client = type(client)(**client.config())
        self._client._raise_task_failures = client._raise_task_failures
        self._client._always_replay = client._always_replay
        self._client._time_skipping = self._clocks

    @property
    def client(self) -> Client:
        """A client whose workflows skip time."""
        return self._client

    @property
    def config(self) -> TimeSkippingConfig:
        """How workflows skip time that are started through :attr:`client`."""
        return self._config

    async def fast_forward(
        self, handle: WorkflowHandle[Any, Any] | ScheduleHandle, duration: timedelta | float | None = None, /
    ) -> bool:
        """Move the clock of a workflow, and wait until it has moved. After that it skips no more.

        Time passes for a workflow only while it waits for nothing but time: not while an activity, a child workflow or
        a Nexus operation of its is running.

        Args:
            handle: The workflow; or a schedule, whose actions are taken as its clock passes their times.
            duration: How far, in seconds if a number; to the workflow's end if ``None``.

        Returns:
            Whether the clock has moved that far; the workflow has ended before otherwise.

        Raises:
            RPCError: There is no such workflow, or it has ended already.
            RuntimeError: Somebody else has set the clock meanwhile.
            TypeError: ``duration`` is no duration.
            ValueError: It is no step forward.
            WorkflowTaskFailedError: The workflow has a bug; raised by clients of a test environment only.
        """
        return await fast_forward(self._clocks, handle, duration)

    async def get_current_time(self, handle: WorkflowHandle[Any, Any] | ScheduleHandle) -> datetime:
        """The time that the clock of a workflow shows, in UTC; real time if it never skips.

        Args:
            handle: The workflow, or a schedule.

        Raises:
            RPCError: There is no such workflow.
        """
        return (await clock_of(handle).read()).time

    async def get_time_skipping_info(
        self, handle: WorkflowHandle[Any, Any] | ScheduleHandle
    ) -> TimeSkippingInfo | None:
        """What the server tells of the clock of a workflow, ``None`` if it never skips.

        Args:
            handle: The workflow, or a schedule.

        Raises:
            RPCError: There is no such workflow.
        """
        return (await clock_of(handle).read()).info

    def with_time_skipping_disabled(self) -> AbstractContextManager[None]:
        """While this is open, workflows started through :attr:`client` do not skip time."""
        return self._clocks.real_time()


def clock_of(handle: WorkflowHandle[Any, Any] | ScheduleHandle) -> Clock:
    """The clock of a workflow, or of a schedule: the server runs each as a workflow of its own.

    Raises:
        TypeError: ``handle`` is none.
    """
    if isinstance(handle, ScheduleHandle):
        return Clock(handle._client, _SCHEDULE + handle.id, name=f"schedule {handle.id!r}")
    if not isinstance(handle, WorkflowHandle):
        raise TypeError(f"handle must be a WorkflowHandle or ScheduleHandle, got {type(handle).__name__}")
    return Clock(handle._client, handle.id, handle.run_id or "")


def step(duration: timedelta | float) -> timedelta:
    """A duration, which a number gives in seconds.

    Raises:
        TypeError: It is none.
        ValueError: It is negative, or no finite number.
    """
    if isinstance(duration, bool) or not isinstance(duration, (timedelta, int, float)):
        raise TypeError(f"duration must be a timedelta or a number of seconds, got {type(duration).__name__}")
    try:
        given = duration if isinstance(duration, timedelta) else timedelta(seconds=duration)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"duration is no time that could pass: {duration} seconds") from error
    if given < timedelta():
        raise ValueError(f"duration must not be negative, got {given}: time does not run backwards")
    if given > _LONGEST:
        raise ValueError(f"duration is no time that could pass: {given}")
    return given


async def fast_forward(
    clocks: Clocks, handle: WorkflowHandle[Any, Any] | ScheduleHandle, duration: timedelta | float | None
) -> bool:
    """:meth:`TimeSkipper.fast_forward`."""
    clock = clock_of(handle)
    if duration is not None:
        moved = await clock.fast_forward(clocks.config, step(duration))
        if moved:
            await clocks.settle(handle._client, handle.id)
        return moved
    if isinstance(handle, ScheduleHandle):
        raise TypeError("a schedule has no end to fast-forward to: give a duration")
    await _run_to_the_end(clocks, clock, handle)
    return False


async def _run_to_the_end(clocks: Clocks, clock: Clock, handle: WorkflowHandle[Any, Any]) -> None:
    client, run_id = handle._client, handle.run_id or ""
    if not (await clock.read()).running:
        raise RPCError(f"{clock.name} has ended already", RPCStatusCode.NOT_FOUND, b"")
    await let_tree_run(client, clock, clocks.config)
    request = _native.WorkflowResultRequest(
        namespace=client.namespace,
        workflow_id=handle.id,
        run_id=run_id,
        follow_runs=True,
        task_failures=client._raise_task_failures,
    )
    wait = partial(native_call, client, _native.Client.workflow_result, request, {})
    if client._raise_task_failures:
        wait = partial(unless_child_fails, client, handle.id, run_id, wait)
    outcome = await wait()
    if outcome.kind == "task_failed":
        raise await failure_of(outcome, handle.id, client._workflow_converter(handle.id))
