"""One state of the project's code, and the processes that run it."""

from __future__ import annotations

import asyncio
import pickle
import time
from datetime import timedelta

from invincible.worker import WorkerProcesses
from invincible.worker._processes._supervisor import Supervisor
from invincible.worker._under_way import UnderWay

from ._maker import DevMaker

# After the grace of its activities; code that runs away is nothing to wait for.
_KILL_AFTER = timedelta(seconds=1.5)
# A process that waits at a breakpoint takes what is typed for the next one.
_KILL_AFTER_IN_DEBUGGER = timedelta(seconds=0.2)

# Seconds in which processes that can do anything say that they have heard.
_TOLD_WITHIN = 1.0


class Generation:
    """Runs the code as it is when this is made. For a running event loop.

    Args:
        maker: Makes the worker.
        processes: In how many processes.
        grace: Seconds that activities have when it ends.

    Attributes:
        number: Its number, from 1.
        ready: Set once it polls.
        ended: Done once nothing of it runs any more; has the error that it ended with.
    """

    def __init__(self, maker: DevMaker, *, processes: int, grace: float) -> None:
        self.number = maker.generation
        self.ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._began = time.monotonic()
        pickled = pickle.dumps(maker)
        kill_after = _KILL_AFTER_IN_DEBUGGER if maker.debugger else _KILL_AFTER
        settings = WorkerProcesses(processes, kill_after=kill_after)
        self._supervisor = Supervisor(settings, lambda: pickled, grace=lambda: grace)
        self.ended = asyncio.ensure_future(self._supervisor.run(self._stop, self.ready))

    @property
    def settled(self) -> bool:
        """Whether it is known if the code can be run."""
        return self.ready.is_set() or self.ended.done()

    @property
    def error(self) -> BaseException | None:
        """What it ended with."""
        return self.ended.exception() if self.ended.done() and not self.ended.cancelled() else None

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    @property
    def activities(self) -> list[UnderWay]:
        """What it was running when it last said so."""
        return self._supervisor.activities

    @property
    def killed(self) -> int:
        """How many of its processes did not end by themselves when they were told to."""
        return self._supervisor.killed

    @property
    def waits_for(self) -> str:
        """What keeps it from polling, as far as it has said so."""
        states = (state for state in self._supervisor.states() if state.get("state") in (None, "starting"))
        return next((state["waits_for"] for state in states if "waits_for" in state), "the start of its process")

    def drain(self) -> None:
        """Have it take no new tasks, and end."""
        self._stop.set()

    async def drained(self) -> list[UnderWay]:
        """Have it take no new tasks; the activities that it has then."""
        self.drain()
        deadline = time.monotonic() + _TOLD_WITHIN
        while not self.ended.done() and time.monotonic() < deadline:
            if all(state.get("state") == "draining" for state in self._supervisor.states()):
                break
            await asyncio.wait([self.ended], timeout=0.02)
        return self.activities

    def kill(self) -> None:
        """End it at once; from any thread."""
        self._supervisor.kill()
