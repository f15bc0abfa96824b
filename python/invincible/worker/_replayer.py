"""The replayer: runs workflow code against recorded histories, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from invincible import _loop, _native
from invincible._engine.errors import NondeterminismError
from invincible._engine.run import WorkerContext
from invincible._native import RemoveFromCache
from invincible.client import WorkflowHistory
from invincible.converter import DataConverter
from invincible.runtime import Runtime

from ._workflows import (
    WorkflowThread,
    includes_nondeterminism,
    types_failed_by_nondeterminism,
    workflow_definitions,
)

# Reasons for which Core drops a run (`EvictionReason`): it is replayed, the code does not fit the history, the state
# machines met an event that they cannot. Without a server, the last two have the same cause.
_LANG_REQUESTED, _NONDETERMINISM, _FATAL = 5, 3, 8


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What came of replaying one history; ``replay_failure`` is ``None`` if it fits the code."""

    history: WorkflowHistory
    replay_failure: Exception | None


@dataclass(frozen=True)
class WorkflowReplayResults:
    """What came of replaying histories; failures are by run id."""

    replay_failures: dict[str, Exception]


class Replayer:
    """Replays histories of workflows, to show that changed code still fits runs that are under way.

    Args:
        workflows: Classes and functions decorated by ``workflow.defn``.
        namespace: What ``workflow.info().namespace`` says.
        data_converter: Converts the payloads in the histories.
        workflow_failure_exception_types: As for the worker.
        runtime: Core's threads; the default runtime if not given.

    Raises:
        ValueError: no workflows, or two of one name.

    Example:
        history = WorkflowHistory.from_json("order-42", Path("order-42.json").read_text())
        await Replayer(workflows=[Order]).replay_workflow(history)
    """

    def __init__(
        self,
        *,
        workflows: Sequence[Any],
        namespace: str = "ReplayNamespace",
        data_converter: DataConverter = DataConverter.default,
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        runtime: Runtime | None = None,
    ) -> None:
        if not workflows:
            raise ValueError("a replayer needs workflows: give at least one")
        self._definitions = workflow_definitions(workflows)
        self._runtime = runtime
        self._context = WorkerContext(
            namespace=namespace,
            task_queue="replay",
            payload_converter=data_converter.payload_converter,
            failure_converter=data_converter.failure_converter,
            failure_exception_types=tuple(workflow_failure_exception_types),
        )

    async def replay_workflow(
        self, history: WorkflowHistory, *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResult:
        """Replay one history.

        Raises:
            NondeterminismError: the code does not do what the history says, if ``raise_on_replay_failure``.
            Exception: what the workflow code raised that fails its task, if ``raise_on_replay_failure``.
        """
        async with self.workflow_replay_iterator(_each((history,))) as results:
            async for result in results:
                if raise_on_replay_failure and result.replay_failure is not None:
                    raise result.replay_failure
                return result
        raise AssertionError("a replay gives one result for each history")

    async def replay_workflows(
        self, histories: AsyncIterator[WorkflowHistory], *, raise_on_replay_failure: bool = True
    ) -> WorkflowReplayResults:
        """Replay histories, one after the other.

        Raises:
            NondeterminismError: the first history that does not fit, if ``raise_on_replay_failure``.
            Exception: what workflow code raised first that fails its task, if ``raise_on_replay_failure``.
        """
        failures: dict[str, Exception] = {}
        async with self.workflow_replay_iterator(histories) as results:
            async for result in results:
                if result.replay_failure is None:
                    continue
                if raise_on_replay_failure:
                    raise result.replay_failure
                failures[result.history.run_id] = result.replay_failure
        return WorkflowReplayResults(failures)

    @asynccontextmanager
    async def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """Replay histories as they are asked for: a context manager that gives an iterator of results."""
        loop = asyncio.get_running_loop()
        config = _native.WorkerConfig(
            namespace=self._context.namespace,
            task_queue=self._context.task_queue,
            build_id="replay",
            activities=False,
            local_activities=False,
            identity="replayer",
            nondeterminism_fails_workflow=includes_nondeterminism(self._context.failure_exception_types),
            nondeterminism_fails_workflow_types=types_failed_by_nondeterminism(self._definitions),
        )
        native, feeder = _native.replay_worker((self._runtime or Runtime.default())._native, config)
        errors: dict[str, Exception] = {}
        evictions: asyncio.Queue[RemoveFromCache] = asyncio.Queue()
        ended = loop.create_future()

        def on_failure(run_id: str, error: Exception) -> None:
            errors.setdefault(run_id, error)

        def on_eviction(run_id: str, reason: RemoveFromCache) -> None:
            loop.call_soon_threadsafe(evictions.put_nowait, reason)

        thread = WorkflowThread(
            native, self._definitions, self._context, on_failure=on_failure, on_eviction=on_eviction
        )
        polls = _loop.run(native.poll(_loop.queue(), lambda task: None, thread_activities=set()))
        thread.start(on_end=lambda: loop.call_soon_threadsafe(ended.set_result, None))

        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for history in histories:
                await _loop.run(feeder.feed(history.workflow_id, _serialized(history)))
                eviction = await evictions.get()
                yield WorkflowReplayResult(history, errors.pop(history.run_id, None) or _replay_error(eviction))

        try:
            yield results()
        finally:
            feeder.close()
            native.initiate_shutdown()
            await asyncio.wait((polls, ended))
            await _loop.run(native.finalize_shutdown())


def _serialized(history: WorkflowHistory) -> bytes:
    from invincible.api.history.v1 import History

    return History(events=history.events).SerializeToString()


def _replay_error(eviction: RemoveFromCache) -> Exception | None:
    if eviction.reason == _LANG_REQUESTED:
        return None
    if eviction.reason in (_NONDETERMINISM, _FATAL):
        return NondeterminismError(eviction.message)
    return RuntimeError(f"the history could not be replayed: {eviction.message}")


async def _each(histories: Iterable[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history
