"""Runs programs: many side by side, on workers that end again and again, with messages and evictions at any time."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native
from invincible._engine.errors import TaskAbandonedError
from invincible._engine.run import WorkflowRun
from invincible.api.enums.v1 import EventType
from invincible.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateFailedError,
)
from invincible.service import RPCError
from invincible.worker import Replayer, Worker

from . import interpreter
from .interpreter import TASK_TIMEOUT, Interpreter, act
from .ledger import Ledger, Record
from .programs import Program, Stimulus

# A worker ends when the runs of its task queue have made so many entries; the next worker goes on.
_WORKER_LIFE = (400, 1600)
_SIDE_BY_SIDE = 24

_SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
_COMPLETED = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
)
_OWN_ENDS = (
    *_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
)
_ENDS = (*_OWN_ENDS, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED)


@dataclass(frozen=True)
class Finding:
    """Something wrong, and the program that shows it."""

    program: Program | None
    workflow_id: str
    explanation: str

    def __str__(self) -> str:
        return f"{self.workflow_id}: {self.explanation}\n{self.program or ''}"


@dataclass(eq=False)
class _Group:
    """A task queue, and its workers, one after the other.

    Args:
        task_queue: Its name.
        cache: How many runs the workers keep.
        left: How many entries the current worker has still to live for.
        life: Set when they have been made.
        restarts: How many workers have ended so.
        native: The current worker's native part.
    """

    task_queue: str
    cache: int
    left: int = 0
    life: asyncio.Event = field(default_factory=asyncio.Event)
    restarts: int = 0
    native: _native.Worker | None = None


_current_group: ContextVar[_Group] = ContextVar("current group")


class Stage:
    """Plays programs live, and then replays the histories of all runs that they led to.

    Args:
        client: Connection to the server.
        name: Begins the names of task queues and workflows.
        programs: The programs.
        seed: For what has no seed of its own: how long workers live.
    """

    def __init__(self, client: Client, name: str, programs: Sequence[Program], seed: int) -> None:
        self._client = client
        self._random = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._groups: dict[int, _Group] = {}
        self._group_of: dict[str, _Group] = {}
        self._program_of: dict[str, Program] = {}
        for number, program in enumerate(programs):
            group = self._groups.setdefault(program.cache, _Group(f"{name}-cache-{program.cache}", program.cache))
            workflow_id = f"{name}-{number}"
            self._program_of[workflow_id] = program
            self._group_of[workflow_id] = group
        self._ledger = Ledger(self._on_entry, self._on_divergence)
        self._progress: Counter[str] = Counter()
        self._current_run: dict[str, str] = {}
        self._changed: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        # Workflows that have not ended.
        self._playing: set[str] = set()
        self._limit = asyncio.Semaphore(_SIDE_BY_SIDE * len(self._groups))
        self._wrong = asyncio.Event()
        self.findings: list[Finding] = []

    async def play(self, *, timeout: float) -> None:
        """Run all programs to their ends, and replay them; what goes wrong is added to the findings."""
        with self._watching():
            playing = asyncio.ensure_future(self._play_live())
            wrong = asyncio.ensure_future(self._wrong.wait())
            await asyncio.wait((playing, wrong), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            wrong.cancel()
            if not playing.done():
                if not self.findings:
                    self._find_unfinished(timeout)
                playing.cancel()
                await asyncio.wait((playing,))
            else:
                await playing
            if not self.findings:
                await self._replay(playing.result())

    def summary(self) -> str:
        """What has been done, in numbers."""
        records = self._ledger.records.values()
        return (
            f"{len(self._program_of)} programs, {len(records)} runs, "
            f"{sum(len(each.entries) for each in records)} entries; "
            f"code was executed {sum(each.executions for each in records)} times, "
            f"workers were restarted {sum(group.restarts for group in self._groups.values())} times"
        )

    # What happens, told by threads of workers

    def _on_entry(self, record: Record) -> None:
        self._loop.call_soon_threadsafe(self._count, record.workflow_id, record.run_id)

    def _on_divergence(self, record: Record, explanation: str) -> None:
        self._loop.call_soon_threadsafe(self._find, record.workflow_id, explanation)

    def _count(self, workflow_id: str, run_id: str) -> None:
        self._progress[workflow_id] += 1
        self._current_run[workflow_id] = run_id
        if workflow_id in self._changed:
            self._changed[workflow_id].set()
        group = self._group_of[_family(workflow_id)]
        group.left -= 1
        if group.left <= 0:
            group.life.set()

    def _find(self, workflow_id: str, explanation: str) -> None:
        self.findings.append(Finding(self._program_of.get(_family(workflow_id)), workflow_id, explanation))
        self._wrong.set()

    def _find_failed_task(self, text: str) -> None:
        record = next((each for each in self._ledger.records.values() if each.run_id in text), None)
        if record is None:
            self._find("", text)
        else:
            self._find(record.workflow_id, f"{text}\n{record.last()}")

    def _find_unfinished(self, timeout: float) -> None:
        for workflow_id in self._playing:
            records = [each for each in self._ledger.records.values() if each.workflow_id.startswith(workflow_id)]
            ends = [f"    {each.workflow_id}: {each.entries[-1] if each.entries else '-'}" for each in records]
            self._find(workflow_id, "\n".join((f"had not ended after {timeout:g} s; the last of its runs:", *ends)))

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Have everything that runs do told to the ledger, and have the native workers at hand."""
        ledger = self._ledger
        emit, native_worker = WorkflowRun.emit, _native.Worker
        stage = self

        def recorded_emit(run: WorkflowRun, command: Any) -> None:
            ledger.command(run, command)
            emit(run, command)

        def kept_worker(*args: Any, **options: Any) -> _native.Worker:
            group = _current_group.get()
            group.native = native_worker(*args, **options)
            return group.native

        class FailedTasks(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                error = record.exc_info[1] if record.exc_info else None
                # Core 0.10 puts the marker of a local activity that ends with its run behind the end of the run, which
                # the server refuses; the task is done again, and a run that stays stuck is found by the deadline.
                harmless = isinstance(error, TaskAbandonedError) or str(error).startswith("the server has not taken")
                if record.getMessage().startswith("workflow task") and not harmless:
                    stage._loop.call_soon_threadsafe(stage._find_failed_task, self.format(record))

        handler = FailedTasks(logging.WARNING)
        logger = logging.getLogger("invincible")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(WorkflowRun, "emit", recorded_emit)
            patch.setattr(_native, "Worker", kept_worker)
            patch.setattr(interpreter, "ledger", ledger)
            # Activities fail all the time, as they should; what is told of that would bury what is not.
            patch.setattr(logger, "propagate", False)
            logger.addHandler(handler)
            try:
                yield
            finally:
                logger.removeHandler(handler)

    # Live

    async def _play_live(self) -> list[WorkflowHistory]:
        workers = [asyncio.ensure_future(self._serve(group)) for group in self._groups.values()]
        try:
            programs = asyncio.ensure_future(
                _all(self._program(workflow_id, program) for workflow_id, program in self._program_of.items())
            )
            try:
                await asyncio.wait((programs, *workers), return_when=asyncio.FIRST_COMPLETED)
            finally:
                programs.cancel()
            await programs
            # Abandoned children may still run.
            return await self._histories()
        finally:
            for each in workers:
                each.cancel()
            await asyncio.wait(workers)

    async def _serve(self, group: _Group) -> None:
        """Run one worker after the other."""
        _current_group.set(group)
        # Core wants a place in the cache for each poll but one.
        few = 2 if group.cache == 1 else None
        while True:
            group.left = self._random.randint(*_WORKER_LIFE)
            group.life.clear()
            async with Worker(
                self._client,
                task_queue=group.task_queue,
                workflows=[Interpreter],
                activities=[act],
                max_cached_workflows=group.cache,
                graceful_shutdown_timeout=timedelta(seconds=10),
                sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
                max_concurrent_workflow_tasks=few,
                max_concurrent_workflow_task_polls=few,
            ):
                await group.life.wait()
                group.native = None
            group.restarts += 1

    async def _program(self, workflow_id: str, program: Program) -> None:
        async with self._limit:
            self._playing.add(workflow_id)
            ids = list(self._program_of)
            sibling = ids[(ids.index(workflow_id) + 1) % len(ids)]
            handle: WorkflowHandle[Any, Any] = await self._client.start_workflow(
                Interpreter.run,
                args=[program.steps, sibling, 0],
                id=workflow_id,
                task_queue=self._group_of[workflow_id].task_queue,
                task_timeout=TASK_TIMEOUT,
            )
            stimuli = asyncio.ensure_future(self._stimulate(handle, program.stimuli))
            try:
                with suppress(WorkflowFailureError):
                    await handle.result()
            finally:
                stimuli.cancel()
                await asyncio.wait((stimuli,))
            if not stimuli.cancelled():
                await stimuli
            self._playing.discard(workflow_id)

    async def _stimulate(self, handle: WorkflowHandle[Any, Any], stimuli: Sequence[Stimulus]) -> None:
        sent: list[asyncio.Future[None]] = []
        try:
            for stimulus in stimuli:
                changed = self._changed[handle.id]
                while self._progress[handle.id] < stimulus.after:
                    changed.clear()
                    await changed.wait()
                sent.append(asyncio.ensure_future(self._send(handle, stimulus)))
            await _all(sent)
        finally:
            for each in sent:
                each.cancel()
            if sent:
                await asyncio.wait(sent)

    async def _send(self, handle: WorkflowHandle[Any, Any], stimulus: Stimulus) -> None:
        """Do what a stimulus says; the workflow may refuse it, or have ended."""
        value = stimulus.value
        try:
            if stimulus.kind == "cancel":
                await handle.cancel()
            elif stimulus.kind == "evict":
                native, run_id = self._group_of[handle.id].native, self._current_run.get(handle.id)
                if native is not None and run_id is not None:
                    native.request_workflow_eviction(run_id)
            elif stimulus.kind in ("bump", "refused"):
                await handle.execute_update(Interpreter.bump, value if stimulus.kind == "bump" else -value)
            else:
                await handle.signal(stimulus.kind, value)
        except (RPCError, RPCTimeoutOrCancelledError, WorkflowUpdateFailedError):
            pass

    async def _histories(self) -> list[WorkflowHistory]:
        """The histories of all runs, each with its end."""
        histories: dict[str, WorkflowHistory] = {}
        while missing := [each for each in self._ledger.records.values() if each.run_id not in histories]:
            for record in missing:
                handle = self._client.get_workflow_handle(record.workflow_id, run_id=record.run_id)
                history = await handle.fetch_history()
                if history.events[-1].event_type not in _ENDS:
                    self._playing.add(record.workflow_id)
                    with suppress(WorkflowFailureError):
                        await handle.result(follow_runs=False)
                    self._playing.discard(record.workflow_id)
                    history = await handle.fetch_history()
                histories[record.run_id] = history
        return list(histories.values())

    # Replays

    async def _replay(self, histories: Sequence[WorkflowHistory]) -> None:
        self._ledger.close({each.run_id for each in histories if each.events[-1].event_type not in _OWN_ENDS})
        replayer = Replayer(workflows=[Interpreter], namespace=self._client.namespace)
        async with replayer.workflow_replay_iterator(_each(histories)) as results:
            async for result in results:
                problem = result.replay_failure
                if problem is not None:
                    self._find(result.history.workflow_id, f"when replayed: {type(problem).__name__}: {problem}")
                else:
                    self._check(result.history)

    def _check(self, history: WorkflowHistory) -> None:
        record = self._ledger.records[history.run_id]
        end = history.events[-1].event_type
        if end in _OWN_ENDS and record.replayed != len(record.entries):
            self._find(record.workflow_id, f"when replayed it stopped short of {record.entries[record.replayed]}")
        if end in _COMPLETED:
            sent = sum(event.event_type == _SIGNALED for event in history.events)
            handled = sum(entry.text.startswith("signal ") for entry in record.entries)
            if sent != handled:
                self._find(record.workflow_id, f"got {sent} signals, and handled {handled}")


def _family(workflow_id: str) -> str:
    """The workflow that a child, or a child of a child, comes from."""
    return workflow_id.partition(".")[0]


async def _all(work: Any) -> None:
    """Wait for all of it; the first that fails ends the wait, and the others."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _each(histories: Sequence[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history
