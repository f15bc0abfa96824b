"""The load: errands all the time, and special workflows when a fault asks for them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from invincible.client import (
    Client,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from invincible.common import WorkflowIDReusePolicy
from invincible.exceptions import ActivityError, ApplicationError, WorkflowAlreadyStartedError
from invincible.service import RPCError
from tests.faults.storm.crew import processes_queue
from tests.faults.storm.errands import FAILURES, RESULTS, SIGNALS, TASK_TIMEOUT, Errand, Special, errand_result

T = TypeVar("T")

# Seconds after which a workflow is late: a timeout or two, with a fault in each attempt.
LATE = 60.0
_CALL = timedelta(seconds=10)


@dataclass
class Record:
    """A workflow.

    Attributes:
        id: Its id.
        kind: ``errand``, or the special one's name.
        began: When, on the monotonic clock.
        ended: When its result came.
        resent: Signals that were sent once more, as the server's answer was lost: these may be there twice.
        problem: What is wrong with it.
        waited: Where its history stood still for longest.
        doubled: Whether something is there more often than it should be.
    """

    id: str
    kind: str
    began: float
    ended: float | None = None
    resent: int = 0
    problem: str = ""
    waited: str = ""
    doubled: bool = False

    @property
    def lost(self) -> bool:
        """Whether it has not ended as it should."""
        return self.ended is None or bool(self.problem)

    @property
    def late(self) -> bool:
        """Whether it took long."""
        return self.ended is not None and self.ended - self.began > LATE


class Load:
    """Errands in each of many lanes, one after the other, until it is stopped.

    Args:
        client: A connection that does not go through the relay.
        queue: The workers' task queue.
        lanes: How many errands at a time.

    Attributes:
        records: All workflows that were started.
    """

    def __init__(self, client: Client, queue: str, lanes: int) -> None:
        self.records: list[Record] = []
        self._client = client
        self._queue = queue
        self._numbers = itertools.count()
        self._stopped = False
        self._tasks = [asyncio.create_task(self._lane()) for _ in range(lanes)]

    @property
    def open(self) -> list[Record]:
        """Those that have not ended."""
        return [each for each in self.records if each.ended is None]

    def add(self, kind: str, number: int = 1) -> None:
        """Start special workflows."""
        self._tasks += (asyncio.create_task(self._one(kind)) for _ in range(number))

    async def stop(self, timeout: float) -> None:
        """Start no more errands, and wait for what is open, but not longer than this."""
        self._stopped = True
        done, waiting = await asyncio.wait(self._tasks, timeout=timeout)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()

    async def _lane(self) -> None:
        while not self._stopped:
            await self._one("errand")

    async def _one(self, kind: str) -> None:
        number = next(self._numbers)
        record = Record(f"{self._queue}-{number}-{kind}", kind, time.monotonic())
        self.records.append(record)
        try:
            if kind == "errand":
                await self._errand(record, number)
            else:
                await self._special(record)
        except Exception as error:  # to be counted; others may do better
            record.problem = f"{type(error).__name__}: {error}"
            if (cause := error.__cause__) is not None:
                record.problem += f" ({type(cause).__name__}: {cause})"
        record.ended = time.monotonic()

    async def _errand(self, record: Record, number: int) -> None:
        handle: Any = await self._started(record, Errand.run, [number, processes_queue(self._queue)])
        for _ in range(SIGNALS):
            await self._signalled(record, handle)
        change = f"change {number}"
        update = {"id": f"{record.id}-change", "rpc_timeout": _CALL}
        changed = await _patiently(lambda: handle.execute_update(Errand.change, change, **update))
        result = await _patiently(handle.result)
        if result != errand_result(number, change) or changed != result[-1]:
            record.problem = f"result {result!r}, changed {changed!r}"

    async def _special(self, record: Record) -> None:
        handle = await self._started(record, Special.run, [record.kind])
        try:
            result = await _patiently(handle.result)
        except WorkflowFailureError as error:
            cause = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
            if not isinstance(cause, ApplicationError) or cause.type != FAILURES.get(record.kind):
                raise
        else:
            if result != RESULTS.get(record.kind):
                record.problem = f"result {result!r}"

    async def _started(self, record: Record, run: Any, arguments: list[Any]) -> Any:
        async def start() -> Any:
            try:
                return await self._client.start_workflow(
                    run,
                    args=arguments,
                    id=record.id,
                    task_queue=self._queue,
                    task_timeout=TASK_TIMEOUT,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=_CALL,
                )
            except WorkflowAlreadyStartedError:  # by a call whose answer was lost
                return self._client.get_workflow_handle_for(run, record.id)

        return await _patiently(start)

    async def _signalled(self, record: Record, handle: Any) -> None:
        attempts = itertools.count()

        async def signal() -> None:
            if next(attempts):
                record.resent += 1
            await handle.signal(Errand.tell, rpc_timeout=_CALL)

        await _patiently(signal)


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call, again and again while the server is gone or the update was refused by what raises now and then."""
    while True:
        try:
            return await call()
        except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError):
            pass
        except WorkflowUpdateFailedError as error:
            if "StormError" not in str(error.cause):
                raise
        await asyncio.sleep(0.2)
