"""The load: so many workflows at a time, each told, asked and changed while it runs."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

from benchmarks.soak.program import TASK_QUEUE, Everything
from invincible.client import Client

# For one workflow: a load must not wait for ever for what got lost.
PATIENCE = 240.0


class Load:
    """Starts workflows, one after the other in each of many lanes, until it is stopped.

    Attributes:
        completed: How many workflows have completed as they should.
        failures: How many have not, by what became of them.
    """

    def __init__(self, client: Client, lanes: int) -> None:
        self.completed = 0
        self.failures: Counter[str] = Counter()
        self._client = client
        self._numbers = itertools.count()
        self._stopped = False
        self._lanes = [asyncio.create_task(self._lane()) for _ in range(lanes)]

    async def stop(self) -> None:
        """Waits for the workflows that are under way; no other is started."""
        self._stopped = True
        await asyncio.gather(*self._lanes)

    async def _lane(self) -> None:
        while not self._stopped:
            number = next(self._numbers)
            try:
                await asyncio.wait_for(self._one(number), PATIENCE)
                self.completed += 1
            except Exception as error:  # to be counted; the next one may do better
                self.failures[f"{type(error).__name__}: {error}"[:200]] += 1
                await asyncio.sleep(0.1)

    async def _one(self, number: int) -> None:
        id = f"soak-{number}"
        handle = await self._client.start_workflow(Everything.run, number, id=id, task_queue=TASK_QUEUE)
        await handle.signal(Everything.tell, "one")
        changes = await handle.execute_update(Everything.change, "text")
        told = await handle.query(Everything.told)
        await handle.signal(Everything.tell, "two")
        result = await handle.result()
        if (result, changes) != (id, 1) or told < 1:
            raise AssertionError(f"result {result!r}, {changes} changes, told {told} times")
