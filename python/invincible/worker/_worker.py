"""The worker: polls one task queue and runs its workflows and activities."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._defaults import DEADLOCK_TIMEOUT, DEFAULT_POLLERS
from ._failures import logger
from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from ._waiting import uninterrupted

if TYPE_CHECKING:
    from invincible.client import Client

    from ._config import WorkerConfig
    from ._deployment import WorkerDeploymentConfig
    from ._health import HealthThresholds
    from ._interceptor import Interceptor
    from ._patches import PatchActivationInput
    from ._plugin import Plugin
    from ._pollers import PollerBehavior
    from ._processes._options import WorkerProcesses
    from ._processes._supervisor import Supervisor
    from ._shared_state import SharedStateManager
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
        TypeError: something given as a workflow or an activity is not one, or cannot be had by worker processes.
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
        from ._config import WorkerConfig, check_client
        from ._local import LocalWorker
        from ._parts import WorkerParts

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
        self._config = config
        self._parts = WorkerParts(config)
        self._started = False
        self._polling = asyncio.Event()
        self._shutdown_requested = asyncio.Event()
        self._ended = asyncio.Event()
        self._run_task: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None
        # Whether the worker's end has ended the block.
        self._gave_up = False
        self._local = LocalWorker(self._parts)
        self._supervisor: Supervisor | None = None
        if config["processes"] is not None:
            from ._processes._supervisor import supervisor_of

            self._supervisor = supervisor_of(self, config["processes"])

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
        return self._parts.client

    @client.setter
    def client(self, client: Client) -> None:
        from ._config import check_client

        check_client(client)
        if client.namespace != self.client.namespace:
            raise ValueError(
                f"a worker stays in its namespace, which is {self.client.namespace!r}: "
                f"its new client is for {client.namespace!r}"
            )
        if client.service_client._runtime is not self.client.service_client._runtime:
            raise ValueError("the new client of a worker must have the same runtime as the one before")
        if self._supervisor is not None:
            raise RuntimeError("a worker with processes has a client in each of them: its client cannot be replaced")
        self._local.use(client)
        self._config["client"] = client

    @property
    def task_queue(self) -> str:
        """The task queue that the worker polls."""
        return self._config["task_queue"]

    @property
    def health_address(self) -> str | None:
        """Where ``/healthz`` and ``/readyz`` are answered, as "host:port", while the worker runs and has an address."""
        if self._supervisor is not None:
            return self._supervisor.health_address
        return self._local.watch.address if self._local.watch is not None else None

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

    async def _run_until(
        self, stop: asyncio.Event, *, on_polls: Callable[[], object], on_end: Callable[[], object] = lambda: None
    ) -> None:
        """Run, and shut down when the event is set.

        Args:
            stop: The event.
            on_polls: Called once it polls.
            on_end: Called when it begins to shut down, or has ended by itself.
        """
        running = asyncio.ensure_future(self.run())
        polling = asyncio.ensure_future(self._polling.wait())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait((running, polling, stopped), return_when=asyncio.FIRST_COMPLETED)
        if polling.done():
            on_polls()
            await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        polling.cancel()
        stopped.cancel()
        on_end()
        self._shutdown_requested.set()
        await running

    async def _run_once(self, worker: Worker) -> None:
        if self._local.has_run or self._ended.is_set():
            raise RuntimeError("a plugin may run a worker only once")
        try:
            await (self._supervisor or self._local).run(self._shutdown_requested, self._polling)
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
            await uninterrupted(asyncio.gather(self._run_task, return_exceptions=True))
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
        # Taking the callback back would be too late where it is about to be called.
        body, self._body = self._body, None
        if body is not None and self._gave_up and sys.version_info >= (3, 11):
            # The worker's own error takes the place of the cancellation.
            body.uncancel()
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
            await uninterrupted(asyncio.gather(run, return_exceptions=True))
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
            self._gave_up = self._body.cancel()
