"""The clocks of all workflows that the clients of an environment start."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from invincible.client import Client
from invincible.service import RPCError, RPCStatusCode

from ._clock import Clock, Reading, let_tree_run
from ._time_skipping import TimeSkippingConfig

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True

logger = logging.getLogger("invincible.testing")

# Seconds for a fast-forward to be over before what is in its way is looked for.
_PATIENCE = 0.1
# Seconds after which the log tells why a clock does not move.
_LONG = 5.0
# Seconds between looks whether another step is over.
_PAUSE = 0.01
# Seconds for the server to end a wait after its time has come.
_WAIT_ENDS = 0.1


class Clocks:
    """Sets the clocks of workflows as they are started, awaited, and as time passes for all of them.

    Args:
        config: How they skip.
        held: Whether they stand until somebody waits for the workflow's result, or makes time pass.
    """

    def __init__(self, config: TimeSkippingConfig, *, held: bool) -> None:
        """Knows of no workflows yet."""
        self.config = config
        self.held = held
        # Clients of several event loops may share this.
        self._lock = threading.Lock()
        self._moving = threading.Lock()
        self._open: dict[str, None] = {}
        # Those that somebody has had the end of; they are read once more, for the time.
        self._ended: dict[str, None] = {}
        self._real: set[str] = set()
        # Those that have run from their start on.
        self._runs: set[str] = set()
        self._awaited: Counter[str] = Counter()
        self._real_time = 0
        self._no_release = 0
        # How far the furthest clock is ahead of real time.
        self._ahead = timedelta()

    @contextmanager
    def real_time(self) -> Iterator[None]:
        """While this is open, workflows are started without a clock of their own."""
        self._real_time += 1
        try:
            yield
        finally:
            self._real_time -= 1

    @contextmanager
    def no_release(self) -> Iterator[None]:
        """While this is open, clocks that stand are not let run for those who wait for results."""
        self._no_release += 1
        try:
            yield
        finally:
            self._no_release -= 1

    def start_config(self, *, awaited: bool) -> bytes | None:
        """What a start carries."""
        if self._real_time:
            return None
        held = self.held and (self._no_release or not awaited)
        config = replace(self.config, enabled=False, fast_forward_config=None) if held else self.config
        return config._to_message().SerializeToString()

    def started(self, workflow_id: str, *, awaited: bool) -> None:
        """Keeps the workflow's id."""
        with self._lock:
            self._ended.pop(workflow_id, None)
            if self._real_time:
                self._real.add(workflow_id)
                self._open.pop(workflow_id, None)
            else:
                self._real.discard(workflow_id)
                self._open[workflow_id] = None
            if awaited and not self._real_time and not self._no_release:
                self._runs.add(workflow_id)
            else:
                self._runs.discard(workflow_id)

    def awaited(self, client: Client, workflow_id: str) -> AbstractAsyncContextManager[None]:
        """Lets the clock run meanwhile, if it stands."""
        if workflow_id in self._real:
            return nullcontext()
        return self._waiting(client, workflow_id, runs=self.held and not self._no_release)

    @asynccontextmanager
    async def _waiting(self, client: Client, workflow_id: str, *, runs: bool) -> AsyncIterator[None]:
        clock = Clock(client, workflow_id)
        with self._lock:
            self._awaited[workflow_id] += runs
            stands = self._awaited[workflow_id] == 1 and workflow_id not in self._runs
        given_up = False
        try:
            if runs and stands:
                await let_tree_run(client, clock, self.config)
            yield
        except asyncio.CancelledError:
            given_up = True
            if runs and self._awaited[workflow_id] == 1:
                self._runs.discard(workflow_id)
                with suppress(RPCError):
                    await clock.set(replace(self.config, enabled=False, fast_forward_config=None))
            raise
        finally:
            with self._lock:
                self._awaited[workflow_id] -= runs
                if not self._awaited[workflow_id]:
                    del self._awaited[workflow_id]
                # It has ended, or has been told to have a bug.
                if not given_up and workflow_id in self._open:
                    self._ended[workflow_id] = self._open.pop(workflow_id)

    async def settle(self, client: Client, workflow_id: str) -> None:
        """After a step forward: lets the clock run on if somebody waits for the workflow."""
        if self._awaited[workflow_id]:
            await let_tree_run(client, Clock(client, workflow_id), self.config)

    async def now(self, client: Client) -> datetime:
        """The time of the clock that is furthest ahead, of all workflows there were; in UTC."""
        await self._read_all(client)
        return datetime.now(timezone.utc) + self._ahead

    async def advance(self, client: Client, duration: timedelta) -> None:
        """Moves the clocks of all workflows that are open by a duration.

        Raises:
            WorkflowTaskFailedError: One of them has a bug.
        """
        # A step that begins would end one that is under way. No lock of asyncio is for several event loops.
        while True:
            if self._moving.acquire(blocking=False):
                break
            await asyncio.sleep(_PAUSE)
        try:
            await self._advance_all(client, duration)
        finally:
            self._moving.release()

    async def _advance_all(self, client: Client, duration: timedelta) -> None:
        readings = await self._read_all(client)
        self._ahead += duration
        moving = [
            asyncio.ensure_future(self._advance(client, workflow_id, duration))
            for workflow_id, reading in readings.items()
            if reading.running
        ]
        try:
            await asyncio.gather(*moving)
        finally:
            for each in moving:
                each.cancel()
            await asyncio.gather(*moving, return_exceptions=True)

    async def _read_all(self, client: Client) -> dict[str, Reading]:
        """What all clocks show of workflows that nobody has had the end of."""
        with self._lock:
            ended, self._ended = self._ended, {}
            workflow_ids = [*ended, *self._open]
        readings = {}
        for workflow_id in workflow_ids:
            try:
                reading = await Clock(client, workflow_id).read()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                reading = None  # deleted
            if reading is not None:
                if workflow_id not in ended:
                    readings[workflow_id] = reading
                self._ahead = max(self._ahead, reading.time - datetime.now(timezone.utc))
            if reading is None or not reading.running:
                with self._lock:
                    self._open.pop(workflow_id, None)
        return readings

    async def _advance(self, client: Client, workflow_id: str, duration: timedelta) -> None:
        """Moves the clock of a workflow by a duration."""
        clock = Clock(client, workflow_id)
        if self._awaited[workflow_id] or not self.held:
            # A clock that runs may just have jumped to where a wait ends that has not ended yet. The server would jump
            # over it if it were set now.
            await clock.set(replace(self.config, enabled=False, fast_forward_config=None))
            await asyncio.sleep(_WAIT_ENDS)
        await clock.is_quiet()
        await self._advance_to(client, clock, (await clock.read()).time + duration)
        if self._awaited[workflow_id] or not self.held:
            await let_tree_run(client, clock, self.config)

    async def _advance_to(self, client: Client, clock: Clock, target: datetime) -> None:
        """Moves a clock to a time, and those of the child workflows that are in its way.

        A workflow that waits for a child cannot skip. When the child's clock shows the time, too, and the child is
        open still, the parent stays behind.
        """
        duration = target - (await clock.read()).time
        if duration <= timedelta():
            return
        # Children would run to their end: a step is not handed down, only that time is skipped at all.
        config = replace(self.config, disable_propagation=True)
        step = asyncio.ensure_future(clock.fast_forward(config, duration))
        moved: set[str] = set()
        arrived = told = False
        begin = time.monotonic()
        try:
            while not (await asyncio.wait([step], timeout=_PATIENCE))[0]:
                reading = await clock.read()
                if reading.activities and not told and time.monotonic() - begin > _LONG:
                    told = True
                    logger.warning(
                        "the clock of %s stands while it waits for activities: %s. time_out_activity() times out those "
                        "that hang",
                        clock.name,
                        ", ".join(reading.activities),
                    )
                children = [child for child in reading.children if child.run_id]
                if children and moved.issuperset(child.run_id for child in children):
                    break
                for child in children:
                    if child.run_id not in moved:
                        moved.add(child.run_id)
                        of_child = Clock(client, child.workflow_id)
                        await of_child.is_quiet()
                        await self._advance_to(client, of_child, target)
            else:
                arrived = await step
        except RPCError as error:
            # It has ended meanwhile.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        finally:
            step.cancel()
            await asyncio.gather(step, return_exceptions=True)
        if not arrived:
            await clock.set(replace(self.config, enabled=False, fast_forward_config=None))
