"""The worker: polls one task queue and runs its workflows and activities."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from invincible import _loop, _native
from invincible._engine.run import WorkerContext
from invincible.client import Client
from invincible.common import HeaderCodecBehavior
from invincible.converter import Signature

from ._activities import ActivityRunner, registered_activities
from ._activity_codec import ActivityCodec
from ._activity_places import check_executor
from ._codec_calls import CodecCalls
from ._config import (
    DEFAULT_POLLERS,
    WorkerConfig,
    activities_at_once,
    check,
    check_client,
    grace,
    limit,
    native_config,
    watch_limits,
)
from ._deployment import WorkerDeploymentConfig
from ._failures import logger
from ._lost_server import polls_end
from ._pollers import PollerBehavior
from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from ._threads import ActivityThreads
from ._transit import WorkflowTransit
from ._watchdog import DEADLOCK_TIMEOUT, deadlock_timeout_seconds
from ._workflows import WorkflowThread, warn_of_nondeterminism, workflow_definitions

if TYPE_CHECKING:
    from nexusrpc.handler import Handler

    from ._activity_interception import ActivityInterception
    from ._health import HealthThresholds, WorkerWatch
    from ._interception import Interception
    from ._interceptor import Interceptor
    from ._nexus import NexusRunner
    from ._patches import PatchActivationInput
    from ._plugin import Plugin
    from ._processes._options import WorkerProcesses
    from ._processes._supervisor import Supervisor
    from ._shared_state import SharedStateManager
    from ._slots import SlotKeepers
    from ._tuner import WorkerTuner


class Worker:
    """Runs workflows and activities of one task queue, from ``run()`` until ``shutdown()``.

    Args:
        client: Connection to the server; its data converter and identity are the worker's.
        task_queue: The task queue to poll.
        activities: Functions decorated by ``activity.defn``, or bound methods.
        nexus_service_handlers: Objects of classes decorated by ``nexusrpc.handler.service_handler``.
        workflows: Classes and functions decorated by ``workflow.defn``.
        activity_executor: Runs ``def`` activities; by default the worker has threads of its own, up to one per slot.
        workflow_task_executor: Accepted from programs written for ``temporalio``; without effect, as one thread runs
            the workflows of a worker.
        nexus_task_executor: Runs ``def`` Nexus handlers; by default each call has a thread of its own.
        workflow_runner: Whether to guard workflow code against calls that would not replay: the default does,
            ``UnsandboxedWorkflowRunner()`` does not.
        unsandboxed_workflow_runner: The same for workflows that are defined with ``sandboxed=False``.
        plugins: What changes these options, in order, and surrounds the run, the first outermost. Those of the client
            that are for workers too come before them.
        interceptors: Code around what the worker runs; the first is outermost. Those of the client that are for workers
            too come before them.
        build_id: Identifies the code of this worker in histories; a hash of its workflows and activities by default.
        identity: Identifies the worker; the client's identity by default.
        max_cached_workflows: Runs kept in memory between their tasks; 0 replays each run's history for every task.
        max_concurrent_workflow_tasks: Workflow tasks under way at a time; 100 by default.
        max_concurrent_activities: Activities under way at a time; 100 by default.
        max_concurrent_local_activities: Local activities under way at a time; 100 by default.
        max_concurrent_nexus_tasks: Nexus tasks under way at a time; 100 by default.
        tuner: Says how many tasks are under way at a time, in place of these four.
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
        graceful_shutdown_timeout: How long running activities may go on after ``shutdown()`` before they are cancelled;
            ``None`` for not at all, and for 30 seconds under ``run_worker``.
        plugin_shutdown_timeout: How long the end of an ``async with`` block waits for what plugins do after the worker
            has ended, before that is cancelled; ``None`` for as long as it takes.
        workflow_failure_exception_types: Exceptions that fail workflows rather than their task; see ``workflow.defn``.
        shared_state_manager: Connects a ``ProcessPoolExecutor`` with the worker; the worker makes one if none is given.
        debug_mode: Let workflow code stop at breakpoints: no deadlock is detected. Also set by ``TEMPORAL_DEBUG=1``.
        deadlock_timeout: How long workflow code may run without waiting for anything, where its definition does not
            say; ``None`` for ever. What definitions say holds all the same.
        disable_eager_activity_execution: Start no activity together with the task that schedules it.
        on_fatal_error: Called with the error when the worker must give up, and awaited if it is an ``async def``;
            ``run()`` raises the error after it.
        use_worker_versioning: Have the server route runs by ``build_id`` alone, as servers without worker deployments
            do. Use ``deployment_config`` otherwise.
        disable_safe_workflow_eviction: Accepted from programs written for ``temporalio``; without effect, as runs
            always leave the cache safely.
        deployment_config: The worker deployment, and the version of it, that this worker is.
        patch_activation_callback: Says whether a run that meets a patch for the first time is to take it; they do by
            default.
        workflow_task_poller_behavior: How many polls for workflow tasks are under way at a time.
        activity_task_poller_behavior: How many polls for activities are under way at a time.
        nexus_task_poller_behavior: How many polls for Nexus tasks are under way at a time.
        disable_payload_error_limit: Whether to send payloads that are too large for the server, which refuses them.
            By default the workflow task or activity fails before, with an error that names what is too large.
        max_workflow_task_external_storage_concurrency: How many payloads of one workflow task are stored or retrieved
            at a time, with external storage.
        health_address: Where to answer ``/healthz`` and ``/readyz`` over HTTP while the worker runs, as "host:port";
            port 0 takes a free one. Workers of one process may have the same address. Not at all by default.
        health_thresholds: When these say no.
        loop_lag_warning: How long something may block the event loop before a warning names it; ``None`` for ever.
        stall_timeout: How long work may wait without any of it moving before the stacks of all threads are logged;
            ``None`` for ever. Like ``loop_lag_warning``, it is not looked at in debug mode.
        processes: Run the worker in so many processes, each with these options, which are started again if they end;
            ``None`` for this process. What the worker is made of must be there in other processes too: functions and
            classes at the top level of a module, and everything else must be what ``pickle`` takes.

    Raises:
        TypeError: a workflow or activity is none, or cannot be had by worker processes.
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
        nexus_service_handlers: Sequence[Any] = (),
        workflows: Sequence[Any] = (),
        activity_executor: Executor | None = None,
        workflow_task_executor: ThreadPoolExecutor | None = None,
        nexus_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = WorkflowRunner(),  # noqa: B008  # it has no state
        unsandboxed_workflow_runner: WorkflowRunner = UnsandboxedWorkflowRunner(),  # noqa: B008
        plugins: Sequence[Plugin] = (),
        interceptors: Sequence[Interceptor] = (),
        build_id: str | None = None,
        identity: str | None = None,
        max_cached_workflows: int = 1000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_concurrent_nexus_tasks: int | None = None,
        tuner: WorkerTuner | None = None,
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
        graceful_shutdown_timeout: timedelta | None = None,
        plugin_shutdown_timeout: timedelta | None = timedelta(seconds=60),
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        shared_state_manager: SharedStateManager | None = None,
        debug_mode: bool = False,
        deadlock_timeout: timedelta | None = DEADLOCK_TIMEOUT,
        disable_eager_activity_execution: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None] | None] | None = None,
        use_worker_versioning: bool = False,
        disable_safe_workflow_eviction: bool = False,
        deployment_config: WorkerDeploymentConfig | None = None,
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None = None,
        workflow_task_poller_behavior: PollerBehavior = DEFAULT_POLLERS,
        activity_task_poller_behavior: PollerBehavior = DEFAULT_POLLERS,
        nexus_task_poller_behavior: PollerBehavior = DEFAULT_POLLERS,
        disable_payload_error_limit: bool = False,
        max_workflow_task_external_storage_concurrency: int = 3,
        health_address: str | None = None,
        health_thresholds: HealthThresholds | None = None,
        loop_lag_warning: timedelta | None = timedelta(seconds=1),
        stall_timeout: timedelta | None = timedelta(seconds=30),
        processes: int | WorkerProcesses | None = None,
    ) -> None:
        config = WorkerConfig(
            client=client,
            task_queue=task_queue,
            activities=activities,
            nexus_service_handlers=nexus_service_handlers,
            workflows=workflows,
            activity_executor=activity_executor,
            workflow_task_executor=workflow_task_executor,
            nexus_task_executor=nexus_task_executor,
            workflow_runner=workflow_runner,
            unsandboxed_workflow_runner=unsandboxed_workflow_runner,
            plugins=plugins,
            interceptors=interceptors,
            build_id=build_id,
            identity=identity,
            max_cached_workflows=max_cached_workflows,
            max_concurrent_workflow_tasks=max_concurrent_workflow_tasks,
            max_concurrent_activities=max_concurrent_activities,
            max_concurrent_local_activities=max_concurrent_local_activities,
            max_concurrent_nexus_tasks=max_concurrent_nexus_tasks,
            tuner=tuner,
            max_concurrent_workflow_task_polls=max_concurrent_workflow_task_polls,
            nonsticky_to_sticky_poll_ratio=nonsticky_to_sticky_poll_ratio,
            max_concurrent_activity_task_polls=max_concurrent_activity_task_polls,
            no_remote_activities=no_remote_activities,
            sticky_queue_schedule_to_start_timeout=sticky_queue_schedule_to_start_timeout,
            max_heartbeat_throttle_interval=max_heartbeat_throttle_interval,
            default_heartbeat_throttle_interval=default_heartbeat_throttle_interval,
            max_activities_per_second=max_activities_per_second,
            max_task_queue_activities_per_second=max_task_queue_activities_per_second,
            max_eager_activity_reservations_per_workflow_task=max_eager_activity_reservations_per_workflow_task,
            graceful_shutdown_timeout=graceful_shutdown_timeout,
            plugin_shutdown_timeout=plugin_shutdown_timeout,
            workflow_failure_exception_types=workflow_failure_exception_types,
            shared_state_manager=shared_state_manager,
            debug_mode=debug_mode,
            deadlock_timeout=deadlock_timeout,
            disable_eager_activity_execution=disable_eager_activity_execution,
            on_fatal_error=on_fatal_error,
            use_worker_versioning=use_worker_versioning,
            disable_safe_workflow_eviction=disable_safe_workflow_eviction,
            deployment_config=deployment_config,
            patch_activation_callback=patch_activation_callback,
            workflow_task_poller_behavior=workflow_task_poller_behavior,
            activity_task_poller_behavior=activity_task_poller_behavior,
            nexus_task_poller_behavior=nexus_task_poller_behavior,
            disable_payload_error_limit=disable_payload_error_limit,
            max_workflow_task_external_storage_concurrency=max_workflow_task_external_storage_concurrency,
            health_address=health_address,
            health_thresholds=health_thresholds,
            loop_lag_warning=loop_lag_warning,
            stall_timeout=stall_timeout,
            processes=processes,
        )
        self._initial_config = config.copy()
        check_client(client)
        self._plugins: Sequence[Plugin] = ()
        if plugins or client._config["plugins"]:
            from ._plugin import plugins_of

            self._plugins = plugins_of(client, plugins)
        for plugin in self._plugins:
            config = plugin.configure_worker(config)
        check(config)
        self._config = config
        self._client = config["client"]
        self._definitions = workflow_definitions(config["workflows"])
        self._activities = registered_activities(config["activities"])
        if config["activity_executor"] is not None:
            check_executor(
                config["activity_executor"],
                config["shared_state_manager"],
                activities=self._activities,
                data_converter=self._client.data_converter,
                max_concurrent_activities=config["max_concurrent_activities"],
            )
        self._max_concurrent_activities = activities_at_once(config)
        self._deadlock_timeout = deadlock_timeout_seconds(config["deadlock_timeout"], debug_mode=config["debug_mode"])
        self._guarded = config["workflow_runner"]._guarded
        if self._guarded:
            warn_of_nondeterminism(self._definitions)
        self._services: Handler | None = None
        self._interception: Interception | None = None
        of_client = self._client._config["interceptors"]
        if config["interceptors"] or of_client:
            from ._interception import interception_of

            self._interception = interception_of(of_client, config["interceptors"])
        if config["nexus_service_handlers"]:
            from ._nexus_services import registered_services

            self._services = registered_services(
                config["nexus_service_handlers"],
                config["nexus_task_executor"],
                self._interception.nexus if self._interception is not None else (),
            )
        self._loop_lag_warning, self._stall_timeout = watch_limits(config, debug_mode=self._deadlock_timeout is None)
        self._watch: WorkerWatch | None = None
        # Whether to know of its health though there is no address to tell it at.
        self._reports_health = False
        self._grace = grace(config)
        self._native_config = native_config(
            config, self._definitions, self._activities, graceful_shutdown_period=self._grace or 0.0
        )
        self._storage_concurrency = limit(
            "max_workflow_task_external_storage_concurrency",
            config["max_workflow_task_external_storage_concurrency"],
            3,
        )
        self._native: _native.Worker | None = None
        self._keepers: SlotKeepers | None = None
        self._runner: ActivityRunner | None = None
        self._nexus: NexusRunner | None = None
        self._transit: WorkflowTransit | None = None
        self._started = False
        self._polling = asyncio.Event()
        self._shutdown_requested = asyncio.Event()
        self._ended = asyncio.Event()
        self._workflows_error: RuntimeError | None = None
        self._run_task: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None
        self._supervisor: Supervisor | None = None
        if config["processes"] is not None:
            from ._processes._supervisor import supervisor_of

            self._supervisor = supervisor_of(self, config["processes"])

    def _default_grace(self, grace: timedelta) -> None:
        """For a worker that is to run: the grace of activities, if its options say none."""
        if self._grace is None:
            self._set_grace(grace)

    def _set_grace(self, grace: timedelta) -> None:
        """For a worker that is to run: the grace of activities, whatever its options say."""
        self._grace = grace.total_seconds()
        self._native_config = native_config(
            self._config, self._definitions, self._activities, graceful_shutdown_period=self._grace
        )

    def config(self, *, active_config: bool = False) -> WorkerConfig:
        """What this worker is made of. Changed a little, it makes another one: ``Worker(**config)``.

        Args:
            active_config: Whether to tell what the plugins have made of it. They would do so again for another worker.
        """
        return (self._config if active_config else self._initial_config).copy()

    @property
    def client(self) -> Client:
        """The client that the worker polls through.

        Another client of the same runtime and namespace may be set while the worker runs: it polls, and reports what is
        under way, through that one from then on. The data converter stays that of the first.

        Raises:
            TypeError: what is set is no connected client.
            ValueError: the other client has another runtime or namespace.
            RuntimeError: the worker runs in several processes, whose clients are their own.
        """
        return self._client

    @client.setter
    def client(self, client: Client) -> None:
        check_client(client)
        if client.namespace != self._client.namespace:
            raise ValueError(
                f"a worker stays in its namespace, which is {self._client.namespace!r}: "
                f"its new client is for {client.namespace!r}"
            )
        if client.service_client._runtime is not self._client.service_client._runtime:
            raise ValueError("the new client of a worker must have the same runtime as the one before")
        if self._supervisor is not None:
            raise RuntimeError("a worker with processes has a client in each of them: its client cannot be replaced")
        if self._native is not None:
            self._native.replace_client(client.service_client._native)
        if self._runner is not None:
            self._runner.use(client)
        if self._nexus is not None:
            self._nexus.use(client)
        self._client = self._config["client"] = client

    @property
    def task_queue(self) -> str:
        """The task queue that the worker polls."""
        return self._config["task_queue"]

    @property
    def health_address(self) -> str | None:
        """Where ``/healthz`` and ``/readyz`` are answered, as "host:port", while the worker runs and has an address."""
        if self._supervisor is not None:
            return self._supervisor.health_address
        return self._watch.address if self._watch is not None else None

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
            RuntimeError: the worker has been run before, the namespace does not exist, the worker cannot run
                workflows any more, because of the error's cause, or a plugin has not run it.
            RPCError: the server refuses to give tasks.
        """
        if self._started:
            raise RuntimeError("this worker has been run before: make a new one")
        self._started = True
        # With processes, the plugins run the workers in these.
        if not self._plugins or self._supervisor is not None:
            await self._run_once(self)
            return
        from ._plugin import run_through

        try:
            await run_through(self._plugins, self._run_once)(self)
            if not self._ended.is_set():
                names = ", ".join(plugin.name() for plugin in self._plugins)
                raise RuntimeError(f"the worker has not been run: one of its plugins did not call next ({names})")
        finally:
            self._ended.set()

    async def _run_once(self, worker: Worker) -> None:
        if self._native is not None or self._ended.is_set():
            raise RuntimeError("a plugin may run a worker only once")
        try:
            await self._run()
        except Exception as error:
            await self._tell_of(error)
            raise
        finally:
            self._ended.set()

    async def _tell_of(self, error: Exception) -> None:
        on_fatal_error = self._config["on_fatal_error"]
        if on_fatal_error is None:
            return
        try:
            told = on_fatal_error(error)
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
        if self._plugins:
            await self._end_plugins(self._run_task)
        else:
            await self._run_task

    async def _end_plugins(self, run: asyncio.Task[None]) -> None:
        """Once the worker has ended, wait for what its plugins do after it, for as long as they may."""
        timeout = self._config["plugin_shutdown_timeout"]
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((run, ended), return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait((run,), timeout=None if timeout is None else timeout.total_seconds())
        except asyncio.CancelledError:
            run.cancel()
            await _uninterrupted(asyncio.gather(run, return_exceptions=True))
            raise
        finally:
            ended.cancel()
        if not run.done():
            logger.warning("plugins of the worker were not done %s after its end, and are cancelled", timeout)
            run.cancel()
            await asyncio.wait((run,))
            if run.cancelled():
                return
        run.result()

    def _end_body(self, run: asyncio.Task[None]) -> None:
        """A worker that gives up ends the block that it runs for, which would otherwise wait for ever."""
        if self._body is not None and not run.cancelled() and run.exception() is not None:
            self._body.cancel()

    async def _run(self) -> None:
        if self._supervisor is not None:
            await self._supervisor.run(self._shutdown_requested, self._polling)
            return
        tuner = self._config["tuner"]
        if tuner is not None:
            from ._slots import SlotKeepers

            self._keepers = SlotKeepers(tuner, self._client.identity, self._native_config)
        native = _native.Worker(
            self._client.service_client._native,
            self._native_config,
            self._keepers.native if self._keepers is not None else None,
            watch_slots=self._reports_health or self._config["health_address"] is not None,
        )
        self._native = native
        try:
            self._watch = self._watch_over(native)
            await self._validate(native)
            polls = self._start(native)
            self._polling.set()
            stop = asyncio.create_task(self._shutdown_requested.wait())
            try:
                await asyncio.wait((polls, stop), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stop.cancel()
                self._shutdown_requested.set()
                await _uninterrupted(self._drain(native, polls))
            if not polls.cancelled():
                await polls
            if self._workflows_error is not None:
                raise self._workflows_error
        finally:
            await _uninterrupted(_loop.run(native.finalize_shutdown()))
            if self._keepers is not None:
                await _uninterrupted(self._keepers.end())
            if self._watch is not None:
                watch, self._watch = self._watch, None
                await _uninterrupted(watch.end())

    async def _validate(self, native: _native.Worker) -> None:
        try:
            await _loop.run(native.validate())
        except BaseException:
            # Core ends only after its polls have, also if there never were some.
            native.initiate_shutdown()

            def nothing(task: object) -> None: ...

            polls = native.poll(_loop.queue(), nothing, thread_activities=set(), on_nexus_task=nothing)
            await _uninterrupted(_loop.run(polls))
            raise

    def _watch_over(self, native: _native.Worker) -> WorkerWatch | None:
        address, limits = self._config["health_address"], (self._loop_lag_warning, self._stall_timeout)
        if address is None and not self._reports_health and limits == (None, None):
            return None
        from ._health import HealthThresholds, WorkerWatch

        return WorkerWatch(
            native,
            self._client.service_client._runtime,
            identity=self._config["identity"] or self._client.identity,
            task_queue=self.task_queue,
            health_address=address,
            thresholds=self._config["health_thresholds"] or HealthThresholds(),
            loop_lag_warning=self._loop_lag_warning,
            stall_timeout=self._stall_timeout,
        )

    def _health_report(self) -> str | None:
        """The health of the running worker as JSON, for ``put_report`` of the endpoint of another process."""
        return self._watch.report() if self._watch is not None else None

    def _start(self, native: _native.Worker) -> asyncio.Future[None]:
        """Start the threads, and the polls; the future ends with the last poll."""
        loop = asyncio.get_running_loop()
        converter = self._client.data_converter
        contextual = converter._contextual
        self._codec_calls = calls = CodecCalls()
        meter = self._client.service_client._runtime.metric_meter
        context = WorkerContext(
            namespace=self._client.namespace,
            task_queue=self.task_queue,
            payload_converter=converter.payload_converter,
            failure_converter=converter.failure_converter,
            show_values=converter.payload_codec is None,
            contextual=contextual,
            failure_exception_types=tuple(self._config["workflow_failure_exception_types"]),
            guarded=self._guarded,
            unsandboxed_guarded=self._config["unsandboxed_workflow_runner"]._guarded,
            activates_patch=self._activates_patch(),
            metric_meter=meter,
            extern_functions=self._interception.extern_functions if self._interception is not None else {},
        )
        self._runner = runner = ActivityRunner(
            native,
            self._activities,
            namespace=self._client.namespace,
            task_queue=self.task_queue,
            data_converter=converter,
            contextual=contextual,
            codec=self._activity_codec(native, calls) if converter._transforms else None,
            metric_meter=meter,
            executor=self._config["activity_executor"],
            shared_state_manager=self._config["shared_state_manager"],
            client=self._client,
            on_broken=lambda error: loop.call_soon_threadsafe(self._executor_broken, error),
            interception=self._activity_interception(loop),
        )
        on_threads = runner.thread_activities
        on_loop = None
        if None in on_threads:
            on_loop = {name for name in self._activities if name is not None and name not in on_threads}
        workflows = WorkflowThread(
            native,
            self._definitions,
            context,
            deadlock_timeout=self._deadlock_timeout,
            keep_failures=self._client._raise_task_failures,
            versioned=self._native_config.deployment_name is not None and self._native_config.use_worker_versioning,
            signature=self._signature,
            interceptors=self._interception.workflows if self._interception is not None else (),
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
        if self._services is not None:
            from ._nexus import NexusRunner

            self._nexus = NexusRunner(
                native,
                self._services,
                client=self._client,
                data_converter=converter,
                task_queue=self.task_queue,
                metric_meter=meter,
                calls=calls,
                worker_shutdown=runner.worker_shutdown,
            )
        polls = _loop.run(
            native.poll(
                _loop.queue(),
                runner.on_task,
                thread_activities={name for name in on_threads if name is not None},
                loop_activities=on_loop,
                on_transit=self._transit.take if self._transit is not None else None,
                transit_headers=self._client._config["header_codec_behavior"] is not HeaderCodecBehavior.NO_CODEC,
                on_nexus_task=self._nexus.on_task if self._nexus is not None else None,
            )
        )
        self._workflows_ended = loop.create_future()
        workflows.start(
            on_end=lambda: loop.call_soon_threadsafe(self._workflows_ended.set_result, None),
            on_error=lambda error: loop.call_soon_threadsafe(self._give_up, error),
        )
        if on_threads:
            ActivityThreads(native, runner.run_on_this_thread, self._max_concurrent_activities).start()
        if self._watch is not None:
            self._watch.running(runner, meter)
        return polls

    def _activates_patch(self) -> Callable[[str], bool] | None:
        callback = self._config["patch_activation_callback"]
        if callback is None:
            return None
        from ._patches import activates_patch

        return activates_patch(callback)

    def _activity_codec(self, native: _native.Worker, calls: CodecCalls) -> ActivityCodec:
        behavior = self._client._config["header_codec_behavior"]
        # Nobody else sees them.
        read = self._interception is not None and bool(self._interception.activities)
        decoded = read and behavior is HeaderCodecBehavior.CODEC
        return ActivityCodec(native, calls, asyncio.get_running_loop(), headers=decoded)

    def _activity_interception(self, loop: asyncio.AbstractEventLoop) -> ActivityInterception | None:
        if self._interception is None or not self._interception.activities:
            return None
        from ._activity_interception import ActivityInterception

        return ActivityInterception(self._interception.activities, loop, self._config["activity_executor"])

    def _signature(self, what: str) -> Signature | None:
        """The signature of something that errors name in this way, if it is registered here."""
        signatures = {
            **{f"activity {name!r}": each.definition.signature for name, each in self._activities.items() if name},
            **{f"child workflow {name!r}": each.signature for name, each in self._definitions.items() if name},
        }
        return signatures.get(what)

    def _executor_broken(self, cause: BaseException) -> None:
        error = RuntimeError(f"activity_executor cannot run activities any more: {cause}")
        error.__cause__ = cause
        self._give_up(error)

    def _give_up(self, error: RuntimeError) -> None:
        self._workflows_error = error
        if self._watch is not None:
            self._watch.failed(error)
        self._shutdown_requested.set()

    async def _drain(self, native: _native.Worker, polls: asyncio.Future[None]) -> None:
        runner = self._runner
        assert runner is not None
        if self._watch is not None:
            self._watch.draining(polls)
        runner.worker_shutdown.set()
        native.initiate_shutdown()
        if self._keepers is not None:
            self._keepers.drain()
        self._codec_calls.end()
        if not await polls_end(polls, self._client, lambda: not runner._running):
            # That its polls and threads are given up is enough: nothing else holds the worker.
            polls.cancel()
            native.finalize_shutdown()
        await self._workflows_ended
        if self._transit is not None:
            await self._transit.end()
        await runner.end()


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
