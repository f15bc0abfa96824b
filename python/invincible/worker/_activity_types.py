"""Which activities the workers of this process run, so that a test is told of one that none of them does.

Elsewhere than in tests nobody asks: a worker that can run it may come at any time.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from invincible.client import Client

Queue = tuple[str, str, str]


class ActivityTypes:
    """The activity types of workers that poll, by server, namespace and task queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: dict[Queue, list[Collection[str | None]]] = {}

    def add(self, queue: Queue, types: Collection[str | None]) -> None:
        """A worker begins to poll for activities.

        Args:
            queue: What it polls.
            types: What it runs, ``None`` among them for a dynamic activity.
        """
        with self._lock:
            self._workers.setdefault(queue, []).append(types)

    def remove(self, queue: Queue, types: Collection[str | None]) -> None:
        """It has ended; with the very objects that it was added with."""
        with self._lock:
            left = [each for each in self._workers.pop(queue, ()) if each is not types]
            if left:
                self._workers[queue] = left

    def of(self, queue: Queue) -> Collection[str | None]:
        """All that is run on a task queue; nothing if no worker of this process polls it, whoever else does."""
        with self._lock:
            return {name for types in self._workers.get(queue, ()) for name in types}


activity_types = ActivityTypes()


def queue_of(client: Client, task_queue: str) -> Queue:
    """The task queue, told apart from those of the same name elsewhere."""
    return client.service_client.config.target_host, client.namespace, task_queue


def complaint(activity_type: str, task_queue: str | None, known: Collection[str | None]) -> str | None:
    """What is wrong with running an activity where these are known.

    Args:
        activity_type: The activity.
        task_queue: Where it is to run; ``None`` for a local activity.
        known: The activities there.
    """
    if activity_type in known or None in known:
        return None
    import difflib

    names = sorted(name for name in known if name is not None)
    where = "the workflow's worker" if task_queue is None else f"a worker of task queue {task_queue!r}"
    near = difflib.get_close_matches(activity_type, names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return (
        f"activity {activity_type!r} is not registered on {where}; its activities are: "
        f"{', '.join(names) or 'none'}{meant} Register it, or a mock in its place: "
        f"invincible.testing.mock_activity({activity_type!r}, returns=...)"
    )
