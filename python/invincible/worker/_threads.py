"""The threads of a worker that run ``def`` activities: as many as are needed, never more than there are slots."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from invincible import _native
from invincible._native import ActivityStart

from ._failures import log, logger


class ActivityThreads:
    """Threads that wait for activities in the bridge and run them one by one.

    One thread always waits: the one that takes a task starts another first, if nobody else waits and the maximum
    allows. Idle workers therefore have one thread, busy ones as many as activities at a time.

    Args:
        native: The worker that the activities come from.
        run: Runs one activity on the calling thread, and reports whatever becomes of it.
        maximum: How many threads there may be: the number of slots of activities and local activities.
    """

    def __init__(self, native: _native.Worker, run: Callable[[ActivityStart], None], maximum: int) -> None:
        self._native = native
        self._run = run
        self._maximum = maximum
        self._lock = threading.Lock()
        self._threads = 0
        self._waiting = 0

    def start(self) -> None:
        """Start the first thread."""
        with self._lock:
            self._add()

    def _add(self) -> None:
        name = f"invincible-activity-{self._threads + 1}"
        try:
            # A daemon, so that an interpreter whose worker was never shut down can exit.
            threading.Thread(target=self._work, name=name, daemon=True).start()
        except RuntimeError:
            if self._threads == 0:
                raise
            logger.warning("no thread can be added for activities; they have %d", self._threads, exc_info=True)
        else:
            self._threads += 1
            self._waiting += 1

    def _work(self) -> None:
        while (task := self._native.next_activity()) is not None:
            with self._lock:
                self._waiting -= 1
                if self._waiting == 0 and self._threads < self._maximum:
                    self._add()
            try:
                self._run(task)
            except BaseException as error:  # the other activities are to be run on
                what = "activity %s (id %s) could not be reported"
                log(logging.ERROR, what, task.activity_type, task.activity_id, error=error)
            finally:
                with self._lock:
                    self._waiting += 1
