"""Plays a workflow feature four ways: with its run in the cache, never in it, put out of it in the middle, and with
a payload codec.

Workflows call ``rested()`` at the point that they have to survive. It returns at once where runs stay in the cache, and
otherwise when the run has left it: what follows happens after a replay. When the worker ends, each run that the test
has started, and those which these have led to, is replayed once more from the history on the server.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from invincible import activity, workflow
from invincible.api.history.v1 import HistoryEvent
from invincible.client import Client, WorkflowHandle
from invincible.worker import Replayer, Worker

from .codecs import SEALED, opened, sealing, with_config
from .conditions import eventually
from .interceptors import PassOn

SOON = timedelta(milliseconds=10)
TEN_SECONDS = timedelta(seconds=10)
MINUTE = timedelta(minutes=1)

SEARCH_ATTRIBUTES = {
    "FeatureBool": "Bool",
    "FeatureDatetime": "Datetime",
    "FeatureFloat": "Double",
    "FeatureInt": "Int",
    "FeatureKeyword": "Keyword",
    "FeatureText": "Text",
    "FeatureWords": "KeywordList",
}


class Cache(Enum):
    """What becomes of the run between its tasks."""

    ROOMY = "roomy"
    """It stays in memory."""
    NONE = "none"
    """The worker keeps no runs: each task replays the history. All calls pass interceptors, which change nothing."""
    CROWDED = "crowded"
    """The worker has room for one run, and another has tasks all the time."""
    CODEC = "codec"
    """It stays in memory, and a codec seals each payload and refuses those that are not sealed."""


# The runs whose code has been closed while it rested; filled by that code itself.
_left_cache: set[str | None] = set()

# The run that takes the place in the cache, by task queue.
_crowds: dict[str, WorkflowHandle[Any, Any]] = {}


@activity.defn(start_to_close_timeout=MINUTE)
async def rest(until_evicted: bool) -> None:
    run_id = activity.info().workflow_run_id

    crowd = _crowds.get(activity.info().task_queue)

    async def evicted() -> bool:
        if not until_evicted or run_id in _left_cache:
            return True
        if crowd is not None:
            await crowd.signal(Crowd.push)
        return False

    await eventually(evicted, what="the run leaves the cache")


async def rested() -> None:
    """Wait, in workflow code, until the run has left the cache, if it is to; see the module."""
    info = workflow.info()
    until_evicted = workflow.memo_value("cache", "", type_hint=str) in (Cache.NONE.value, Cache.CROWDED.value)
    _left_cache.discard(info.run_id)
    try:
        await rest.execute(until_evicted)
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException:  # The worker ends the code of a run that leaves the cache.
        _left_cache.add(info.run_id)
        raise


@activity.defn(start_to_close_timeout=MINUTE)
async def echo(value: Any) -> Any:
    return value


async def recorded(value: Any) -> Any:
    """The value, which JSON must have a form for; workflow code that comes to another one in a replay fails."""
    first = await echo.execute(value)
    assert first == value, f"this was {first!r}, and is {value!r} in the replay"
    return value


@workflow.defn
class Crowd:
    """Has tasks all the time or, if it is calm, when it is pushed; each takes the place in the cache."""

    @workflow.signal
    def push(self) -> None: ...

    @workflow.run
    async def run(self, calm: bool) -> None:
        while not calm:
            await workflow.sleep(SOON)
        await workflow.wait_condition(lambda: False)


@dataclass(frozen=True)
class Feature:
    """One test's part of the server, and how its worker caches runs."""

    client: Client
    task_queue: str
    cache: Cache
    _started: list[WorkflowHandle[Any, Any]]

    @staticmethod
    def of(client: Client, task_queue: str, cache: Cache) -> Feature:
        if cache is Cache.CODEC:
            client = with_config(client, data_converter=sealing())
        return Feature(client, task_queue, cache, [])

    @asynccontextmanager
    async def worker(
        self, workflows: Sequence[Any], activities: Sequence[Any] = (), *, calm: bool = False, **options: Any
    ) -> AsyncIterator[Worker]:
        """Run a worker for the block; at its end, replay all runs that were started in it.

        Args:
            workflows: What it runs.
            activities: What it runs beside those of this module.
            calm: Put runs out of the cache only where they rest. One that leaves while a local activity runs loses its
                workflow task, and the server waits for that until it times out.
            options: Others of the worker.
        """
        failure_types = options.get("workflow_failure_exception_types", ())
        async with self.unverified_worker(workflows, activities, calm=calm, **options) as worker:
            yield worker
        replayer = Replayer(
            workflows=[*workflows, Crowd],
            data_converter=self.client.data_converter,
            workflow_failure_exception_types=failure_types,
        )
        histories = [history for handle in self._started async for history in _histories(self.client, handle)]
        self._started.clear()
        await replayer.replay_workflows(_each(histories))

    @asynccontextmanager
    async def unverified_worker(
        self, workflows: Sequence[Any], activities: Sequence[Any] = (), *, calm: bool = False, **options: Any
    ) -> AsyncIterator[Worker]:
        """Run a worker for the block, for runs that cannot be replayed by its workflows alone."""
        crowd = None
        if self.cache is Cache.NONE:
            options = {"max_cached_workflows": 0, "interceptors": [PassOn()], **options}
        elif self.cache is Cache.CROWDED:
            options = {
                "max_cached_workflows": 1,
                "max_concurrent_workflow_tasks": 2,
                "max_concurrent_workflow_task_polls": 2,
                **options,
            }
            id = f"{self.task_queue}-crowd-{uuid.uuid4()}"
            crowd = await self.client.start_workflow(Crowd.run, calm, id=id, task_queue=self.task_queue)
            _crowds[self.task_queue] = crowd
        try:
            async with Worker(
                self.client,
                task_queue=self.task_queue,
                workflows=[*workflows, Crowd],
                activities=[*activities, rest, echo],
                **options,
            ) as worker:
                yield worker
        finally:
            if crowd is not None:
                await crowd.terminate()

    @asynccontextmanager
    async def activity_worker(self, activities: Sequence[Any], task_queue: str, **options: Any) -> AsyncIterator[None]:
        """Run a worker of another task queue, for activities alone."""
        async with Worker(self.client, task_queue=task_queue, activities=activities, **options):
            yield

    async def start(self, workflow: Any, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start a workflow, with the task queue as its id if no other is given."""
        memo = {"cache": self.cache.value, **options.pop("memo", {})}
        options = {"id": self.task_queue, "task_queue": self.task_queue, **options}
        handle: WorkflowHandle[Any, Any] = await self.client.start_workflow(workflow, args=args, memo=memo, **options)
        self._started.append(handle)
        return handle

    def to_replay(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Have a run that was started in another way replayed with the others."""
        self._started.append(self.client.get_workflow_handle(handle.id, run_id=handle.run_id))

    async def execute(self, workflow: Any, *args: Any, **options: Any) -> Any:
        """Start a workflow and wait for its result."""
        return await (await self.start(workflow, *args, **options)).result()

    async def resting(self, handle: WorkflowHandle[Any, Any], *, times: int = 1) -> None:
        """Wait until the workflow rests, for the first or a later time."""
        await self.scheduled(handle, "rest", times=times)

    async def scheduled(self, handle: WorkflowHandle[Any, Any], activity_type: str, *, times: int = 1) -> None:
        """Wait until the workflow has scheduled activities of a type."""

        async def has() -> bool:
            scheduled = attributes(await self.events(handle), "activity_task_scheduled")
            return [each.activity_type.name for each in scheduled].count(activity_type) >= times

        await eventually(has, what=f"the workflow schedules activity {activity_type!r}")

    async def happened(self, handle: WorkflowHandle[Any, Any], kind: str, *, times: int = 1) -> None:
        """Wait until the history has events of a kind."""

        async def has() -> bool:
            return len(of_kind(await self.events(handle), kind)) >= times

        await eventually(has, what=f"{kind} has happened")

    async def closed(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Wait until the run is closed, whatever its end."""

        async def is_closed() -> bool:
            return (await handle.describe()).close_time is not None

        await eventually(is_closed, what="the run is closed")

    async def events(self, handle: WorkflowHandle[Any, Any], run_id: str | None = None) -> list[HistoryEvent]:
        """The history of the handle's own run, or of another run of the workflow."""
        run = self.client.get_workflow_handle(handle.id, run_id=run_id or handle.result_run_id)
        return list((await run.fetch_history()).events)


def attributes(events: Sequence[HistoryEvent], kind: str) -> list[Any]:
    """What the events of one kind say: ``attributes(events, "timer_started")``."""
    return [getattr(event, event.WhichOneof("attributes") or "") for event in of_kind(events, kind)]


def of_kind(events: Sequence[HistoryEvent], kind: str) -> list[HistoryEvent]:
    """The events of one kind: ``of_kind(events, "timer_started")``."""
    return [event for event in events if event.WhichOneof("attributes") == f"{kind}_event_attributes"]


def summary(event: HistoryEvent) -> str | None:
    """The summary that the Web UI shows with the event."""
    return _text(event.user_metadata.summary) if event.user_metadata.HasField("summary") else None


def details(event: HistoryEvent) -> str | None:
    """The details that the Web UI shows with the event."""
    return _text(event.user_metadata.details) if event.user_metadata.HasField("details") else None


def data(payload: Any) -> bytes:
    """What is in a payload of a history, sealed or not."""
    sealed = payload.metadata.get("encoding") == SEALED
    return opened(payload.data).data if sealed else bytes(payload.data)


def _text(payload: Any) -> str:
    return str(json.loads(data(payload)))


async def _histories(client: Client, handle: WorkflowHandle[Any, Any]) -> AsyncIterator[Any]:
    """The histories of a run, of its children and of the runs that follow it, as far as code has run for them."""
    waiting = [(handle.id, handle.result_run_id or handle.run_id)]
    while waiting:
        workflow_id, run_id = waiting.pop()
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        for child in attributes(history.events, "child_workflow_execution_started"):
            waiting.append((child.workflow_execution.workflow_id, child.workflow_execution.run_id))
        next_run_id = _next_run(history.events[-1])
        if next_run_id:
            waiting.append((workflow_id, next_run_id))
        if of_kind(history.events, "workflow_task_completed"):
            yield history


def _next_run(last: HistoryEvent) -> str:
    attributes = getattr(last, last.WhichOneof("attributes") or "")
    return getattr(attributes, "new_execution_run_id", "")


async def _each(histories: Sequence[Any]) -> AsyncIterator[Any]:
    for history in histories:
        yield history
