"""Workers for tests: made of what they run, on a task queue that belongs to the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from copy import copy
from types import TracebackType
from typing import Any

from typing_extensions import Unpack

from invincible._engine.reference import workflow_definition
from invincible.activity._definition import ActivityDefinition
from invincible.client import Client
from invincible.worker import Worker

from ._worker_options import WorkerOptions

__all__ = ["EnvironmentWorker", "WorkerFactory"]


class WorkerFactory:
    """Makes workers of a test. The pytest fixture ``worker`` is one.

    Args:
        client: The client of the workers.
        task_queue: Their task queue.
        options: More arguments of ``Worker``, for all of them.

    Attributes:
        client: The client.
        task_queue: The task queue, for those who start workflows.

    Example:
        async def test_greeting(client: Client, worker: WorkerFactory) -> None:
            async with worker(Greeting, greet):
                greeting = await client.execute_workflow(
                    Greeting.run, "Ada", id="greeting", task_queue=worker.task_queue
                )
            assert greeting == "Hello, Ada"
    """

    def __init__(self, client: Client, task_queue: str, options: WorkerOptions | None = None) -> None:
        """Makes no worker yet."""
        self.client = client
        self.task_queue = task_queue
        self._options: WorkerOptions = {} if options is None else options
        self._made: list[EnvironmentWorker] = []

    def __call__(
        self, *definitions: Any, always_replay: bool | None = None, **options: Unpack[WorkerOptions]
    ) -> EnvironmentWorker:
        """A worker, which runs for the time of a ``with`` or ``async with`` block.

        Args:
            definitions: Workflows and activities, in any order. ``workflows=`` and ``activities=`` take them, too.
            always_replay: Whether to replay each workflow from its start for every task, so that code that does not
                replay fails at once; as the client's environment has it by default.
            options: More arguments of ``Worker``.

        Raises:
            TypeError: A definition is neither a workflow nor an activity.
            ValueError: There is nothing to run, two definitions are of one name, or an option is out of its range.
        """
        given: dict[str, Any] = {"client": self.client, "task_queue": self.task_queue, **self._options, **options}
        workflows, activities = _sorted(definitions)
        given["workflows"] = [*workflows, *given.get("workflows", ())]
        given["activities"] = [*activities, *given.get("activities", ())]
        if always_replay is not None:
            client = given["client"] = copy(given["client"])
            client._always_replay = always_replay
        worker = EnvironmentWorker(**given)
        self._made.append(worker)
        return worker

    def notes(self) -> list[str]:
        """What is wrong with the workers, in words."""
        unused = [worker for worker in self._made if not worker._started]
        running = [worker for worker in self._made if worker.is_running]
        notes = []
        if unused:
            notes.append("a worker was made and never run: write `async with worker(...):` around what it is for")
        if running:
            notes.append("a worker still ran: write `async with worker(...):`, which ends it")
        return notes

    def end(self) -> None:
        """Ends those that still run in a thread. Those of an event loop end with it."""
        for worker in self._made:
            worker._end_thread()


class EnvironmentWorker(Worker):
    """A worker that tests without an event loop can have as well: ``with`` runs it in a thread, beside the test."""

    def __init__(self, client: Client, **options: Any) -> None:
        """Takes what :class:`Worker` takes."""
        super().__init__(client, **options)
        self._thread: _WorkerThread | None = None

    def __enter__(self) -> EnvironmentWorker:
        """Runs the worker in a thread, and waits until it polls."""
        self._thread = _WorkerThread(self)
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Shuts the worker down, and waits for its end."""
        self._end_thread()

    def _end_thread(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.end()


class _WorkerThread:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._begun = threading.Event()
        self._error: BaseException | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name="invincible-test-worker", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._begun.wait()
        if self._error is not None:
            self.end()

    def end(self) -> None:
        self._stop()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # raised where the worker is used
            self._error = error
        finally:
            self._begun.set()

    async def _serve(self) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        self._stop = lambda: _tell(loop, stop)
        await self._worker._run_until(stop, on_polls=self._begun.set)


def _tell(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(stop.set)


def _sorted(definitions: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    workflows, activities = [], []
    for each in definitions:
        if ActivityDefinition.of(each) is not None:
            activities.append(each)
        elif _is_workflow(each):
            workflows.append(each)
        else:
            name = getattr(each, "__qualname__", repr(each))
            raise TypeError(
                f"{name} is neither a workflow nor an activity: decorate it with @workflow.defn or @activity.defn; "
                "handlers of Nexus services go to nexus_service_handlers="
            )
    return workflows, activities


def _is_workflow(value: Any) -> bool:
    try:
        workflow_definition(value)
    except TypeError:
        return False
    return True
