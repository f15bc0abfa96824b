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
from invincible._engine.run import WorkerContext
from invincible.client import WorkflowHistory
from invincible.common import HeaderCodecBehavior
from invincible.converter import DataConverter
from invincible.runtime import Runtime

from ._codec_calls import CodecCalls
from ._defaults import DEADLOCK_TIMEOUT
from ._replays import Replays, WorkflowReplayResult
from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from ._transit import WorkflowTransit
from ._watchdog import deadlock_timeout_seconds
from ._workflows import (
    WorkflowThread,
    includes_nondeterminism,
    types_failed_by_nondeterminism,
    workflow_definitions,
)

if TYPE_CHECKING:
    from ._interception import Interception
    from ._interceptor import Interceptor
    from ._plugin import Plugin

# Payloads of one workflow task that are retrieved at a time.
_STORAGE_CONCURRENCY = 3


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
        """Replay histories. Several are under way at a time, and read ahead: at most eight.

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
        """Replay histories: a context manager that gives an iterator of results, in the order of the histories.

        They are read when the first result is asked for, at most eight ahead of the results that were taken.
        """
        plugins = self._initial_config["plugins"]
        if not plugins:
            return self._replay(self, histories)
        from ._plugin import replay_through

        return replay_through(plugins, self._replay)(self, histories)

    @asynccontextmanager
    async def _replay(
        self, replayer: Replayer, histories: AsyncIterator[WorkflowHistory]
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        context = self._context
        failing = includes_nondeterminism(context.failure_exception_types)
        failing_types = types_failed_by_nondeterminism(self._definitions)
        config = _native.WorkerConfig(
            namespace=context.namespace,
            task_queue=context.task_queue,
            build_id=self._config["build_id"] or "replay",
            activities=False,
            local_activities=False,
            identity=self._config["identity"] or "replayer",
            # One for tasks of any worker and one for those of this one, which there are none of.
            workflow_task_pollers=2,
            nondeterminism_fails_workflow=failing,
            nondeterminism_fails_workflow_types=failing_types,
        )
        native, feeder = _native.replay_worker((self._config["runtime"] or Runtime.default())._native, config)
        # Core cannot fail a workflow at the end of a page.
        replays = Replays(feeder, paged=not (failing or failing_types))
        thread = WorkflowThread(
            native,
            self._definitions,
            context,
            deadlock_timeout=self._deadlock_timeout,
            interceptors=self._interception.workflows if self._interception is not None else (),
            on_failure=replays.on_failure,
            on_eviction=replays.on_eviction,
        )
        transit = None
        if self._data_converter._transforms:
            transit = WorkflowTransit(
                native,
                thread,
                self._data_converter,
                CodecCalls(),
                namespace=context.namespace,
                contextual=context.contextual,
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
        thread.start(on_end=replays.on_end, on_error=replays.on_error)
        try:
            yield replays.results(histories)
        finally:
            await replays.stop_reading()
            feeder.close()
            native.initiate_shutdown()
            await asyncio.wait((polls, replays.ended))
            if transit is not None:
                await transit.end()
            await _loop.run(native.finalize_shutdown())


async def _each(histories: Iterable[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history
