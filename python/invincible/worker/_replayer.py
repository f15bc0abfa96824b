"""The replayer: runs workflow code against recorded histories, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from invincible import _loop, _native
from invincible._engine.mismatch import core_words
from invincible._engine.run import WorkerContext
from invincible._native import RemoveFromCache
from invincible.client import WorkflowHistory
from invincible.common import HeaderCodecBehavior
from invincible.converter import DataConverter
from invincible.runtime import Runtime

from ._codec_calls import CodecCalls
from ._defaults import DEADLOCK_TIMEOUT
from ._failures import text_of
from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from ._transit import WorkflowTransit
from ._watchdog import deadlock_timeout_seconds
from ._workflows import (
    WorkflowThread,
    eviction_error,
    includes_nondeterminism,
    types_failed_by_nondeterminism,
    workflow_definitions,
)

if TYPE_CHECKING:
    from invincible.api.history.v1 import HistoryEvent

    from ._interception import Interception
    from ._interceptor import Interceptor
    from ._plugin import Plugin

# Payloads of one workflow task that are retrieved at a time.
_STORAGE_CONCURRENCY = 3

# Reason for which Core drops a run (`EvictionReason`) when it is replayed.
_LANG_REQUESTED = 5


@dataclass(frozen=True)
class WorkflowReplayResult:
    """What came of replaying one history; ``replay_failure`` is ``None`` if it fits the code."""

    history: WorkflowHistory
    replay_failure: Exception | None


@dataclass(frozen=True)
class WorkflowReplayResults:
    """What came of replaying histories; failures are by run id."""

    replay_failures: dict[str, Exception]


class ReplayerConfig(TypedDict):
    """What a :class:`Replayer` is made of: its constructor's arguments."""

    workflows: Sequence[Any]
    workflow_task_executor: ThreadPoolExecutor | None
    workflow_runner: WorkflowRunner
    unsandboxed_workflow_runner: WorkflowRunner
    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    plugins: Sequence[Plugin]
    build_id: str | None
    identity: str | None
    workflow_failure_exception_types: Sequence[type[BaseException]]
    debug_mode: bool
    deadlock_timeout: timedelta | None
    runtime: Runtime | None
    disable_safe_workflow_eviction: bool
    header_codec_behavior: HeaderCodecBehavior


class Replayer:
    """Replays histories of workflows, to show that changed code still fits runs that are under way.

    Args:
        workflows: Classes and functions decorated by ``workflow.defn``.
        workflow_task_executor: Accepted from programs written for ``temporalio``; without effect, see ``Worker``.
        workflow_runner: Whether to guard workflow code against calls that would not replay; see ``Worker``.
        unsandboxed_workflow_runner: The same for workflows that are defined with ``sandboxed=False``; see ``Worker``.
        namespace: What ``workflow.info().namespace`` says.
        data_converter: Converts the payloads in the histories, with its codec and external storage if it has some.
        interceptors: Code around the workflows, as for the worker.
        plugins: What changes this configuration, in order, and what surrounds a replay, the first outermost.
        build_id: What ``workflow.info().get_current_build_id()`` says in tasks that the history does not tell it for.
        identity: How log records of Core name the replayer.
        workflow_failure_exception_types: As for the worker.
        debug_mode: Whether workflow code may take as long as it likes, as it does in a debugger. The environment
            variable ``TEMPORAL_DEBUG`` has the same effect.
        deadlock_timeout: How long workflow code may take without yielding, where its definition does not say;
            ``None`` for as long as it likes.
        runtime: Core's threads; the default runtime if not given.
        disable_safe_workflow_eviction: Accepted from programs written for ``temporalio``; without effect.
        header_codec_behavior: Which headers the payload codec decodes, as for the client.

    Raises:
        TypeError: something in ``workflows`` is no workflow.
        ValueError: no workflows, or two of one name.

    Example:
        history = WorkflowHistory.from_json("order-42", Path("order-42.json").read_text())
        await Replayer(workflows=[Order]).replay_workflow(history)
    """

    def __init__(
        self,
        *,
        workflows: Sequence[Any],
        workflow_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = WorkflowRunner(),  # noqa: B008  # it has no state
        unsandboxed_workflow_runner: WorkflowRunner = UnsandboxedWorkflowRunner(),  # noqa: B008
        namespace: str = "ReplayNamespace",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        build_id: str | None = None,
        identity: str | None = None,
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        debug_mode: bool = False,
        deadlock_timeout: timedelta | None = DEADLOCK_TIMEOUT,
        runtime: Runtime | None = None,
        disable_safe_workflow_eviction: bool = False,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        config = ReplayerConfig(
            workflows=workflows,
            workflow_task_executor=workflow_task_executor,
            workflow_runner=workflow_runner,
            unsandboxed_workflow_runner=unsandboxed_workflow_runner,
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=plugins,
            build_id=build_id,
            identity=identity,
            workflow_failure_exception_types=workflow_failure_exception_types,
            debug_mode=debug_mode,
            deadlock_timeout=deadlock_timeout,
            runtime=runtime,
            disable_safe_workflow_eviction=disable_safe_workflow_eviction,
            header_codec_behavior=header_codec_behavior,
        )
        self._initial_config = config.copy()
        if plugins:
            from ._plugin import checked

            for plugin in checked(plugins):
                config = plugin.configure_replayer(config)
        if not config["workflows"]:
            raise ValueError("a replayer needs workflows: give at least one")
        self._config = config
        self._definitions = workflow_definitions(config["workflows"])
        self._deadlock_timeout = deadlock_timeout_seconds(config["deadlock_timeout"], debug_mode=config["debug_mode"])
        self._data_converter = data_converter = config["data_converter"]
        self._interception: Interception | None = None
        if config["interceptors"]:
            from ._interception import interception_of

            self._interception = interception_of((), config["interceptors"])
        self._context = WorkerContext(
            namespace=config["namespace"],
            task_queue="replay",
            payload_converter=data_converter.payload_converter,
            failure_converter=data_converter.failure_converter,
            show_values=data_converter.payload_codec is None,
            contextual=data_converter._contextual,
            failure_exception_types=tuple(config["workflow_failure_exception_types"]),
            guarded=config["workflow_runner"]._guarded,
            unsandboxed_guarded=config["unsandboxed_workflow_runner"]._guarded,
            extern_functions=self._interception.extern_functions if self._interception is not None else {},
        )

    def config(self, *, active_config: bool = False) -> ReplayerConfig:
        """What this replayer is made of. Changed a little, it makes another one: ``Replayer(**config)``.

        Args:
            active_config: Whether to tell what the plugins have made of it. They would do so again for another
                replayer.
        """
        return (self._config if active_config else self._initial_config).copy()

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

    def workflow_replay_iterator(
        self, histories: AsyncIterator[WorkflowHistory]
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Replay histories as they are asked for: a context manager that gives an iterator of results."""
        plugins = self._initial_config["plugins"]
        if not plugins:
            return self._replay(self, histories)
        from ._plugin import replay_through

        return replay_through(plugins, self._replay)(self, histories)

    @asynccontextmanager
    async def _replay(
        self, replayer: Replayer, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        loop = asyncio.get_running_loop()
        config = _native.WorkerConfig(
            namespace=self._context.namespace,
            task_queue=self._context.task_queue,
            build_id=self._config["build_id"] or "replay",
            activities=False,
            local_activities=False,
            identity=self._config["identity"] or "replayer",
            nondeterminism_fails_workflow=includes_nondeterminism(self._context.failure_exception_types),
            nondeterminism_fails_workflow_types=types_failed_by_nondeterminism(self._definitions),
        )
        native, feeder = _native.replay_worker((self._config["runtime"] or Runtime.default())._native, config)
        errors: dict[str, BaseException] = {}
        evictions: asyncio.Queue[RemoveFromCache | RuntimeError] = asyncio.Queue()
        ended = loop.create_future()

        def on_failure(run_id: str, error: BaseException) -> None:
            errors.setdefault(run_id, error)

        def on_eviction(run_id: str, reason: RemoveFromCache) -> None:
            loop.call_soon_threadsafe(evictions.put_nowait, reason)

        thread = WorkflowThread(
            native,
            self._definitions,
            self._context,
            deadlock_timeout=self._deadlock_timeout,
            interceptors=self._interception.workflows if self._interception is not None else (),
            on_failure=on_failure,
            on_eviction=on_eviction,
        )
        transit = None
        if self._data_converter._transforms:
            transit = WorkflowTransit(
                native,
                thread,
                self._data_converter,
                CodecCalls(),
                namespace=self._context.namespace,
                contextual=self._context.contextual,
                storage_concurrency=_STORAGE_CONCURRENCY,
            )
        polls = _loop.run(
            native.poll(
                _loop.queue(),
                lambda task: None,
                thread_activities=set(),
                on_transit=transit.take if transit is not None else None,
                transit_headers=self._config["header_codec_behavior"] is not HeaderCodecBehavior.NO_CODEC,
            )
        )
        thread.start(
            on_end=lambda: loop.call_soon_threadsafe(ended.set_result, None),
            on_error=lambda error: loop.call_soon_threadsafe(evictions.put_nowait, error),
        )

        async def results() -> AsyncIterator[WorkflowReplayResult]:
            async for history in histories:
                errors.clear()
                await _loop.run(feeder.feed(history.workflow_id, _serialized(history)))
                eviction = await evictions.get()
                if isinstance(eviction, RuntimeError):
                    raise eviction
                yield WorkflowReplayResult(history, _replay_failure(errors.get(history.run_id), eviction))

        try:
            yield results()
        finally:
            # The worker shuts down after the last history, and not before it is done with that one.
            feeder.close()
            await asyncio.wait((polls, ended))
            if transit is not None:
                await transit.end()
            await _loop.run(native.finalize_shutdown())


def _serialized(history: WorkflowHistory) -> bytes:
    """The history as Core takes it.

    Raises:
        ValueError: it is none of a workflow, or not whole.
    """
    from invincible.api.history.v1 import History

    problem = _problem(history.events)
    if problem is not None:
        raise ValueError(f"the history of workflow {history.workflow_id!r} cannot be replayed: {problem}")
    return History(events=history.events).SerializeToString()


def _problem(events: Sequence[HistoryEvent]) -> str | None:
    """What Core would not survive in a history."""
    from invincible.api.enums.v1 import EventType

    kinds = [event.event_type for event in events]
    if not kinds or not events[0].HasField("workflow_execution_started_event_attributes"):
        return "it does not begin with the start of a workflow"
    started = events[0].workflow_execution_started_event_attributes
    if not started.workflow_type.name or not started.HasField("task_queue"):
        return "its first event names no workflow type or no task queue"
    if EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED not in kinds:
        return "no workflow task of it has started yet"
    ends = (
        EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    )
    for event, following in zip(events, kinds[1:], strict=False):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED and following not in ends:
            return f"after event {event.event_id}, where a workflow task starts, the end of that task is missing"
    return None


def _replay_failure(error: BaseException | None, eviction: RemoveFromCache) -> Exception | None:
    if error is None:
        if eviction.reason == _LANG_REQUESTED:
            return None
        return eviction_error(None, eviction) or RuntimeError(
            f"the history cannot be replayed: {core_words(eviction.message)}"
        )
    if isinstance(error, Exception):
        return error
    failure = RuntimeError(f"the workflow code raised {type(error).__name__}: {text_of(error)}")
    failure.__cause__ = error
    return failure


async def _each(histories: Iterable[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history
