"""The worker: polls one task queue and runs its workflows and activities."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from datetime import timedelta
from types import CodeType, TracebackType
from typing import Any

from invincible import _loop, _native
from invincible._engine.options import seconds
from invincible._engine.run import WorkerContext
from invincible.client import Client
from invincible.common import HeaderCodecBehavior
from invincible.converter import Signature

from ._activities import Activities, ActivityRunner, registered_activities
from ._activity_codec import ActivityCodec
from ._codec_calls import CodecCalls
from ._deployment import WorkerDeploymentConfig
from ._failures import logger
from ._runners import WorkflowRunner
from ._threads import ActivityThreads
from ._transit import WorkflowTransit
from ._watchdog import DEADLOCK_TIMEOUT, deadlock_timeout_seconds
from ._workflows import (
    Definitions,
    WorkflowThread,
    includes_nondeterminism,
    types_failed_by_nondeterminism,
    warn_of_nondeterminism,
    workflow_definitions,
)


class Worker:
    """Runs workflows and activities of one task queue, from ``run()`` until ``shutdown()``.

    Args:
        client: Connection to the server; its data converter and identity are the worker's.
        task_queue: The task queue to poll.
        activities: Functions decorated by ``activity.defn``, or bound methods.
        workflows: Classes and functions decorated by ``workflow.defn``.
        activity_executor: Runs ``def`` activities; by default the worker has threads of its own, up to one per slot.
        workflow_runner: Whether to guard workflow code against calls that would not replay: the default does,
            ``UnsandboxedWorkflowRunner()`` does not.
        build_id: Identifies the code of this worker in histories; a hash of its workflows and activities by default.
        identity: Identifies the worker; the client's identity by default.
        max_cached_workflows: Runs kept in memory between their tasks; 0 replays each run's history for every task.
        max_concurrent_workflow_tasks: Workflow tasks under way at a time; 100 by default.
        max_concurrent_activities: Activities under way at a time; 100 by default.
        max_concurrent_local_activities: Local activities under way at a time; 100 by default.
        max_concurrent_workflow_task_polls: Polls for workflow tasks under way at a time; 5 by default.
        nonsticky_to_sticky_poll_ratio: Share of these polls that look for new runs.
        max_concurrent_activity_task_polls: Polls for activities under way at a time; 5 by default.
        no_remote_activities: Do not poll for activities, for workers that run only local ones.
        sticky_queue_schedule_to_start_timeout: How long the server keeps a task for this worker before others get it.
        max_heartbeat_throttle_interval: Longest interval between heartbeats that are really sent.
        default_heartbeat_throttle_interval: That interval for activities without a heartbeat timeout.
        max_activities_per_second: Bound of this worker.
        max_task_queue_activities_per_second: Bound of the whole task queue, kept by the server.
        max_eager_activity_reservations_per_workflow_task: Activities started together with the task that schedules
            them.
        graceful_shutdown_timeout: How long running activities may go on after ``shutdown()`` before they are cancelled.
        workflow_failure_exception_types: Exceptions that fail workflows rather than their task; see ``workflow.defn``.
        debug_mode: Let workflow code stop at breakpoints: no deadlock is detected. Also set by ``TEMPORAL_DEBUG=1``.
        deadlock_timeout: How long workflow code may run without waiting for anything, where its definition does not
            say; ``None`` for ever. What definitions say holds all the same.
        disable_eager_activity_execution: Start no activity together with the task that schedules it.
        on_fatal_error: Called with the error when the worker must give up, and awaited if it is an ``async def``;
            ``run()`` raises the error after it.
        deployment_config: The worker deployment, and the version of it, that this worker is.
        disable_payload_error_limit: Whether to send payloads that are too large for the server, which refuses them.
            By default the workflow task or activity fails before, with an error that names what is too large.
        max_workflow_task_external_storage_concurrency: How many payloads of one workflow task are stored or retrieved
            at a time, with external storage.

    Raises:
        TypeError: a workflow or activity is none.
        ValueError: nothing to run, two of one name, or an option out of its range.

    Example:
        async with Worker(client, task_queue="greetings", workflows=[Greeting], activities=[greet]):
            print(await client.execute_workflow(Greeting.run, "Temporal", id="greeting", task_queue="greetings"))
    """

    def __init__(
        self,
        client: Client,
        *,
        task_queue: str,
        activities: Sequence[Callable[..., Any]] = (),
        workflows: Sequence[Any] = (),
        activity_executor: Executor | None = None,
        workflow_runner: WorkflowRunner = WorkflowRunner(),  # noqa: B008  # it has no state
        build_id: str | None = None,
        identity: str | None = None,
        max_cached_workflows: int = 1000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_concurrent_workflow_task_polls: int | None = None,
        nonsticky_to_sticky_poll_ratio: float = 0.2,
        max_concurrent_activity_task_polls: int | None = None,
        no_remote_activities: bool = False,
        sticky_queue_schedule_to_start_timeout: timedelta = timedelta(seconds=10),
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
        max_activities_per_second: float | None = None,
        max_task_queue_activities_per_second: float | None = None,
        max_eager_activity_reservations_per_workflow_task: int = 3,
        graceful_shutdown_timeout: timedelta = timedelta(),
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        debug_mode: bool = False,
        deadlock_timeout: timedelta | None = DEADLOCK_TIMEOUT,
        disable_eager_activity_execution: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None] | None] | None = None,
        deployment_config: WorkerDeploymentConfig | None = None,
        disable_payload_error_limit: bool = False,
        max_workflow_task_external_storage_concurrency: int = 3,
    ) -> None:
        if not activities and not workflows:
            raise ValueError("a worker needs workflows or activities to run: give at least one")
        if not isinstance(client, Client):
            raise TypeError(f"a worker needs a connected invincible.client.Client, got {type(client).__name__}")
        self._client = client
        self._task_queue = task_queue
        self._definitions = workflow_definitions(workflows)
        self._activities = registered_activities(activities)
        self._executor = activity_executor
        self._failure_exception_types = tuple(workflow_failure_exception_types)
        self._max_concurrent_activities = _limit("max_concurrent_activities", max_concurrent_activities, 100)
        self._on_fatal_error = on_fatal_error
        self._deadlock_timeout = deadlock_timeout_seconds(deadlock_timeout, debug_mode=debug_mode)
        self._guarded = workflow_runner._guarded
        if self._guarded:
            warn_of_nondeterminism(self._definitions)
        if deployment_config is not None and build_id is not None:
            raise ValueError("give either build_id or deployment_config, not both: the config's version has a build id")
        version = deployment_config.version if deployment_config is not None else None
        self._config = _native.WorkerConfig(
            namespace=client.namespace,
            task_queue=task_queue,
            build_id=(
                version.build_id
                if version is not None
                else build_id or _default_build_id(self._definitions, self._activities)
            ),
            deployment_name=version.deployment_name if version is not None else None,
            use_worker_versioning=deployment_config is not None and deployment_config.use_worker_versioning,
            default_versioning_behavior=(
                int(deployment_config.default_versioning_behavior) if deployment_config is not None else 0
            ),
            workflows=bool(workflows),
            activities=bool(activities) and not no_remote_activities,
            local_activities=bool(activities),
            identity=identity,
            max_cached_workflows=max_cached_workflows,
            max_concurrent_workflow_tasks=_limit("max_concurrent_workflow_tasks", max_concurrent_workflow_tasks, 100),
            max_concurrent_activities=self._max_concurrent_activities,
            max_concurrent_local_activities=_limit(
                "max_concurrent_local_activities", max_concurrent_local_activities, 100
            ),
            workflow_task_pollers=_limit("max_concurrent_workflow_task_polls", max_concurrent_workflow_task_polls, 5),
            activity_task_pollers=_limit("max_concurrent_activity_task_polls", max_concurrent_activity_task_polls, 5),
            nonsticky_to_sticky_poll_ratio=nonsticky_to_sticky_poll_ratio,
            sticky_queue_schedule_to_start_timeout=sticky_queue_schedule_to_start_timeout.total_seconds(),
            max_heartbeat_throttle_interval=max_heartbeat_throttle_interval.total_seconds(),
            default_heartbeat_throttle_interval=default_heartbeat_throttle_interval.total_seconds(),
            max_activities_per_second=max_activities_per_second,
            max_task_queue_activities_per_second=max_task_queue_activities_per_second,
            max_eager_activity_reservations_per_workflow_task=(
                0 if disable_eager_activity_execution else max_eager_activity_reservations_per_workflow_task
            ),
            graceful_shutdown_period=seconds("graceful_shutdown_timeout", graceful_shutdown_timeout) or 0.0,
            nondeterminism_fails_workflow=includes_nondeterminism(self._failure_exception_types),
            nondeterminism_fails_workflow_types=types_failed_by_nondeterminism(self._definitions),
            disable_payload_error_limit=disable_payload_error_limit,
        )
        self._storage_concurrency = _limit(
            "max_workflow_task_external_storage_concurrency", max_workflow_task_external_storage_concurrency, 3
        )
        self._runner: ActivityRunner | None = None
        self._transit: WorkflowTransit | None = None
        self._started = False
        self._polling = asyncio.Event()
        self._shutdown_requested = asyncio.Event()
        self._ended = asyncio.Event()
        self._workflows_error: RuntimeError | None = None
        self._run_task: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None

    @property
    def client(self) -> Client:
        """The client given to the worker."""
        return self._client

    @property
    def task_queue(self) -> str:
        """The task queue that the worker polls."""
        return self._task_queue

    @property
    def is_running(self) -> bool:
        """Whether the worker has started, has not been asked to stop, and has not given up."""
        return self._started and not self._shutdown_requested.is_set() and not self._ended.is_set()

    @property
    def is_shutdown(self) -> bool:
        """Whether the worker has stopped, with all its tasks completed."""
        return self._ended.is_set()

    async def run(self) -> None:
        """Run until ``shutdown()`` is called, this call is cancelled, or an error makes going on impossible.

        Cancelling is a shutdown too: running activities get their grace.

        Raises:
            RuntimeError: the worker has been run before, the namespace does not exist, or the worker cannot run
                workflows any more, because of the error's cause.
            RPCError: the server refuses to give tasks.
        """
        if self._started:
            raise RuntimeError("this worker has been run before: make a new one")
        self._started = True
        try:
            await self._run()
        except Exception as error:
            await self._tell_of(error)
            raise
        finally:
            self._ended.set()

    async def _tell_of(self, error: Exception) -> None:
        if self._on_fatal_error is None:
            return
        try:
            told = self._on_fatal_error(error)
            if inspect.isawaitable(told):
                await told
        except Exception:  # the worker's own error is the one to raise
            logger.exception("on_fatal_error failed")

    async def shutdown(self) -> None:
        """Take no new tasks, and wait until those under way are completed."""
        if not self._started:
            raise RuntimeError("this worker has not been started")
        self._shutdown_requested.set()
        await self._ended.wait()

    async def __aenter__(self) -> Worker:
        self._run_task = asyncio.create_task(self.run())
        polling = asyncio.create_task(self._polling.wait())
        try:
            await asyncio.wait((self._run_task, polling), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # Nobody else has the worker to end it, as the block never begins.
            self._run_task.cancel()
            await _uninterrupted(asyncio.gather(self._run_task, return_exceptions=True))
            raise
        finally:
            polling.cancel()
        if self._run_task.done():
            await self._run_task
        self._body = asyncio.current_task()
        self._run_task.add_done_callback(self._end_body)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._run_task is not None
        self._run_task.remove_done_callback(self._end_body)
        self._shutdown_requested.set()
        await self._run_task

    def _end_body(self, run: asyncio.Task[None]) -> None:
        """A worker that gives up ends the block that it runs for, which would otherwise wait for ever."""
        if self._body is not None and not run.cancelled() and run.exception() is not None:
            self._body.cancel()

    async def _run(self) -> None:
        native = _native.Worker(self._client.service_client._native, self._config)
        try:
            await _loop.run(native.validate())
            polls = self._start(native)
            self._polling.set()
            stop = asyncio.create_task(self._shutdown_requested.wait())
            try:
                await asyncio.wait((polls, stop), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.cancel()
                self._shutdown_requested.set()
                await _uninterrupted(self._drain(native, polls))
            await polls
            if self._workflows_error is not None:
                raise self._workflows_error
        finally:
            await _uninterrupted(_loop.run(native.finalize_shutdown()))

    def _start(self, native: _native.Worker) -> asyncio.Future[None]:
        """Start the threads, and the polls; the future ends with the last poll."""
        loop = asyncio.get_running_loop()
        converter = self._client.data_converter
        contextual = converter._contextual
        self._codec_calls = calls = CodecCalls()
        meter = self._client.service_client._runtime.metric_meter
        context = WorkerContext(
            namespace=self._client.namespace,
            task_queue=self._task_queue,
            payload_converter=converter.payload_converter,
            failure_converter=converter.failure_converter,
            show_values=converter.payload_codec is None,
            contextual=contextual,
            failure_exception_types=self._failure_exception_types,
            guarded=self._guarded,
            metric_meter=meter,
        )
        self._runner = runner = ActivityRunner(
            native,
            self._activities,
            namespace=self._client.namespace,
            task_queue=self._task_queue,
            data_converter=converter,
            contextual=contextual,
            codec=ActivityCodec(native, calls, loop) if converter._transforms else None,
            metric_meter=meter,
            executor=self._executor,
            client=self._client,
        )
        on_threads = {name for name, each in self._activities.items() if not each.is_async and self._executor is None}
        on_loop = None
        if None in on_threads:
            on_loop = {name for name in self._activities if name is not None and name not in on_threads}
        workflows = WorkflowThread(
            native,
            self._definitions,
            context,
            deadlock_timeout=self._deadlock_timeout,
            keep_failures=self._client._raise_task_failures,
            signature=self._signature,
        )
        if converter._transforms:
            self._transit = WorkflowTransit(
                native,
                workflows,
                converter,
                calls,
                namespace=self._client.namespace,
                contextual=contextual,
                storage_concurrency=self._storage_concurrency,
            )
        polls = _loop.run(
            native.poll(
                _loop.queue(),
                runner.on_task,
                thread_activities={name for name in on_threads if name is not None},
                loop_activities=on_loop,
                on_transit=self._transit.take if self._transit is not None else None,
                transit_headers=self._client._config["header_codec_behavior"] is not HeaderCodecBehavior.NO_CODEC,
            )
        )
        self._workflows_ended = loop.create_future()
        workflows.start(
            on_end=lambda: loop.call_soon_threadsafe(self._workflows_ended.set_result, None),
            on_error=lambda error: loop.call_soon_threadsafe(self._give_up, error),
        )
        if on_threads:
            ActivityThreads(native, runner.run_on_this_thread, self._max_concurrent_activities).start()
        return polls

    def _signature(self, what: str) -> Signature | None:
        """The signature of something that errors name in this way, if it is registered here."""
        signatures = {
            **{f"activity {name!r}": each.definition.signature for name, each in self._activities.items() if name},
            **{f"child workflow {name!r}": each.signature for name, each in self._definitions.items() if name},
        }
        return signatures.get(what)

    def _give_up(self, error: RuntimeError) -> None:
        self._workflows_error = error
        self._shutdown_requested.set()

    async def _drain(self, native: _native.Worker, polls: asyncio.Future[None]) -> None:
        assert self._runner is not None
        self._runner.worker_shutdown.set()
        native.initiate_shutdown()
        self._codec_calls.end()
        await asyncio.wait((polls,))
        await self._workflows_ended
        if self._transit is not None:
            await self._transit.end()
        await self._runner.end()


async def _uninterrupted(work: Any) -> None:
    """Wait for the work even if the waiting task is cancelled; the cancellation comes after it."""
    work = asyncio.ensure_future(work)
    cancelled = None
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError as error:
            if work.cancelled():
                raise
            cancelled = error
    work.result()
    if cancelled is not None:
        raise cancelled


def _limit(name: str, value: int | None, default: int) -> int:
    if value is None:
        return default
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}; None is for {default}")
    return value


def _default_build_id(definitions: Definitions, activities: Activities) -> str:
    """A hash of the code of everything registered: the same code has the same build id on every machine."""
    functions = [function for definition in definitions.values() for function in definition.functions]
    functions += [each.definition.function for each in activities.values()]
    texts = (
        f"{function.__module__}.{function.__qualname__} {_canonical(getattr(function, '__code__', None))}\n"
        for function in functions
    )
    return hashlib.sha256("".join(sorted(texts)).encode()).hexdigest()[:32]


def _canonical(constant: object) -> str:
    """A text of a constant of code, or of code, that is the same in all processes, and another for other code."""
    if isinstance(constant, CodeType):
        names = constant.co_names, constant.co_varnames, constant.co_freevars, constant.co_cellvars
        return f"code({constant.co_code!r}, {names}, {_canonical(constant.co_consts)})"
    if isinstance(constant, tuple):
        return f"({', '.join(map(_canonical, constant))})"
    if isinstance(constant, frozenset):
        # In which order it gives its elements is up to the hash seed of the process.
        return f"{{{', '.join(sorted(map(_canonical, constant)))}}}"
    return repr(constant)
