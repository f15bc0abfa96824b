"""Why workflow tasks failed, by workers of this process: for those who wait for the results of these workflows.

What reaches them through the server is text. The worker has the exception itself, with its traceback, and knows what
the workflow code did where it does not fit the history.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

_CAPACITY = 256


class TaskFailures:
    """The latest failures, by run.

    Attributes:
        forward: In a worker process, sends them to the one where the results are waited for.
    """

    def __init__(self) -> None:
        self.forward: Callable[[str, str, BaseException], None] | None = None
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], BaseException] = OrderedDict()
        self._explanations: OrderedDict[tuple[str, str], Callable[[str], BaseException]] = OrderedDict()
        self._keepers = 0
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """While this is open, a worker of this process keeps its failures."""
        with self._lock:
            self._keepers += 1
        try:
            yield
        finally:
            with self._lock:
                self._keepers -= 1

    def keep(self, workflow_id: str, run_id: str, error: BaseException) -> None:
        """Keep the first failure of a run."""
        if self.forward is not None:
            self.forward(workflow_id, run_id, error)
            return
        with self._lock:
            _keep(self._failures, (workflow_id, run_id), error)
        self._notify()

    def keep_explanation(self, workflow_id: str, run_id: str, explain: Callable[[str], BaseException]) -> None:
        """Keep how to explain Core's message about a run whose code does not fit its history, should there be one."""
        with self._lock:
            _keep(self._explanations, (workflow_id, run_id), explain)
        self._notify()

    def find(self, workflow_id: str, run_id: str) -> BaseException | None:
        """The failure of a run, or of the latest run if there is no ``run_id``."""
        with self._lock:
            return _find(self._failures, workflow_id, run_id)

    async def find_nondeterminism(
        self, workflow_id: str, run_id: str, message: str, timeout: float
    ) -> BaseException | None:
        """The explanation of Core's message, which a worker may be about to give; ``timeout`` is in seconds."""
        arrived = asyncio.Event()
        waiting = asyncio.get_running_loop(), arrived
        with self._lock:
            self._waiting.append(waiting)
            timeout = timeout if self._keepers else 0.0
        try:
            return await asyncio.wait_for(self._explained(workflow_id, run_id, message, arrived), timeout)
        except asyncio.TimeoutError:
            return None
        finally:
            with self._lock:
                self._waiting.remove(waiting)

    async def _explained(self, workflow_id: str, run_id: str, message: str, arrived: asyncio.Event) -> BaseException:
        while True:
            with self._lock:
                failure = _find(self._failures, workflow_id, run_id)
                explain = _find(self._explanations, workflow_id, run_id)
            if failure is not None:
                return failure
            if explain is not None:
                return explain(message)
            await arrived.wait()
            arrived.clear()

    def _notify(self) -> None:
        with self._lock:
            waiting = tuple(self._waiting)
        for loop, arrived in waiting:
            with suppress(RuntimeError):  # a loop that has been closed
                loop.call_soon_threadsafe(arrived.set)


def _keep(kept: OrderedDict[tuple[str, str], T], key: tuple[str, str], value: T) -> None:
    if key not in kept:
        kept[key] = value
        if len(kept) > _CAPACITY:
            kept.popitem(last=False)


def _find(kept: OrderedDict[tuple[str, str], T], workflow_id: str, run_id: str) -> T | None:
    if run_id:
        return kept.get((workflow_id, run_id))
    return next((kept[key] for key in reversed(kept) if key[0] == workflow_id), None)


task_failures = TaskFailures()
