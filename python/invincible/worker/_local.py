"""A worker in this process: its threads and polls, from the first task to the last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from invincible import _loop, _native
from invincible._engine.run import WorkerContext
from invincible.client import Client
from invincible.common import HeaderCodecBehavior
from invincible.converter import Signature

from ._activities import ActivityRunner
from ._activity_codec import ActivityCodec
from ._activity_types import activity_types, complaint, queue_of
from ._codec_calls import CodecCalls
from ._failures import logger
from ._lost_server import polls_end
from ._parts import WorkerParts
from ._threads import ActivityThreads
from ._transit import WorkflowTransit
from ._waiting import uninterrupted
from ._workflows import WorkflowThread

if TYPE_CHECKING:
    from ._activity_interception import ActivityInterception
    from ._health import WorkerWatch
    from ._nexus import NexusRunner
    from ._slots import SlotKeepers

# Seconds that a worker has to end after the server has refused a poll: Core may wait for the other ones for ever.
_END_OF_REFUSED = 10.0


class LocalWorker:
    """Runs the tasks of a worker in this process.

    Args:
        parts: What it is made of.

    Attributes:
        activities: Runs its activities, once it polls.
        watch: Watches over it while it runs, if anything is to be watched.
        reports_health: Whether to know of its health though there is no address to tell it at.
    """

    def __init__(self, parts: WorkerParts) -> None:
        self._parts = parts
        self._native: _native.Worker | None = None
        self._keepers: SlotKeepers | None = None
        self._nexus: NexusRunner | None = None
        self._transit: WorkflowTransit | None = None
        self._codec_calls = CodecCalls()
        self._error: RuntimeError | None = None
        self.activities: ActivityRunner | None = None
        self.watch: WorkerWatch | None = None
        self.reports_health = False

    @property
    def has_run(self) -> bool:
        """Whether it has started."""
        return self._native is not None

    def use(self, client: Client) -> None:
        """Poll, and report what is under way, through another client from now on."""
        self._parts.client = client
        if self._native is not None:
            self._native.replace_client(client.service_client._native)
        if self.activities is not None:
            self.activities.use(client)
        if self._nexus is not None:
            self._nexus.use(client)

    def health_report(self) -> str | None:
        """The health of the running worker as JSON, for ``put_report`` of the endpoint of another process."""
        return self.watch.report() if self.watch is not None else None

    async def run(self, stop: asyncio.Event, polling: asyncio.Event) -> None:
        """Run until it is told to stop, and what is under way then has ended.

        Args:
            stop: Says when to end; set if the worker cannot go on.
            polling: Set once it polls.

        Raises:
            RuntimeError: The namespace does not exist, or the worker cannot run its tasks any more.
            RPCError: The server refuses to give tasks.
        """
        parts, tuner = self._parts, self._parts.config["tuner"]
        if tuner is not None:
            from ._slots import SlotKeepers

            self._keepers = SlotKeepers(tuner, parts.client.identity, parts.native)
        self._stop = stop
        self._native = native = _native.Worker(
            parts.client.service_client._native,
            parts.native,
            self._keepers.native if self._keepers is not None else None,
            watch_slots=self.reports_health or parts.config["health_address"] is not None,
        )
        polls: asyncio.Future[None] | None = None
        queue = queue_of(parts.client, parts.config["task_queue"])
        try:
            try:
                self.watch = self._watch_over(native)
                await _loop.run(native.validate())
            except BaseException:
                await uninterrupted(_end_unpolled(native))
                raise
            if parts.native.activities:
                activity_types.add(queue, parts.activities)
            polls = self._start(native)
            polling.set()
            stopped = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait((polls, stopped), return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopped.cancel()
                stop.set()
                await uninterrupted(self._drain(native, polls))
            if not polls.cancelled():
                await polls
            if self._error is not None:
                raise self._error
        finally:
            activity_types.remove(queue, parts.activities)
            await uninterrupted(_finalized(native, polls))
            if self._keepers is not None:
                await uninterrupted(self._keepers.end())
            if self.watch is not None:
                watch, self.watch = self.watch, None
                await uninterrupted(watch.end())

    def _watch_over(self, native: _native.Worker) -> WorkerWatch | None:
        parts, config = self._parts, self._parts.config
        address, limits = config["health_address"], (parts.loop_lag_warning, parts.stall_timeout)
        if address is None and not self.reports_health and limits == (None, None):
            return None
        from ._health import HealthThresholds, WorkerWatch

        return WorkerWatch(
            native,
            parts.client.service_client._runtime,
            identity=config["identity"] or parts.client.identity,
            task_queue=config["task_queue"],
            health_address=address,
            thresholds=config["health_thresholds"] or HealthThresholds(),
            loop_lag_warning=parts.loop_lag_warning,
            stall_timeout=parts.stall_timeout,
        )

    def _start(self, native: _native.Worker) -> asyncio.Future[None]:
        """Start the threads, and the polls; the future ends with the last poll."""
        parts, client = self._parts, self._parts.client
        loop = asyncio.get_running_loop()
        meter = client.service_client._runtime.metric_meter
        self.activities = activities = self._activity_runner(native)
        workflows = self._workflow_thread(native)
        if client.data_converter._transforms:
            self._transit = WorkflowTransit(
                native,
                workflows,
                client.data_converter,
                self._codec_calls,
                namespace=client.namespace,
                contextual=client.data_converter._contextual,
                storage_concurrency=parts.storage_concurrency,
            )
        if parts.services is not None:
            from ._nexus import NexusRunner

            self._nexus = NexusRunner(
                native,
                parts.services,
                client=client,
                data_converter=client.data_converter,
                task_queue=parts.config["task_queue"],
                metric_meter=meter,
                calls=self._codec_calls,
                worker_shutdown=activities.worker_shutdown,
            )
        on_threads = activities.thread_activities
        on_loop = None
        if None in on_threads:
            on_loop = {name for name in parts.activities if name is not None and name not in on_threads}
        polls = _loop.run(
            native.poll(
                _loop.queue(),
                activities.on_task,
                thread_activities={name for name in on_threads if name is not None},
                loop_activities=on_loop,
                on_transit=self._transit.take if self._transit is not None else None,
                transit_headers=client._config["header_codec_behavior"] is not HeaderCodecBehavior.NO_CODEC,
                on_nexus_task=self._nexus.on_task if self._nexus is not None else None,
            )
        )
        self._workflows_ended = loop.create_future()
        workflows.start(
            on_end=lambda: loop.call_soon_threadsafe(self._workflows_ended.set_result, None),
            on_error=lambda error: loop.call_soon_threadsafe(self._give_up, error),
        )
        if on_threads:
            ActivityThreads(native, activities.run_on_this_thread, parts.activities_at_once).start()
        if self.watch is not None:
            self.watch.running(activities, meter)
        return polls

    def _activity_runner(self, native: _native.Worker) -> ActivityRunner:
        parts, client = self._parts, self._parts.client
        return ActivityRunner(
            native,
            parts.activities,
            namespace=client.namespace,
            task_queue=parts.config["task_queue"],
            data_converter=client.data_converter,
            contextual=client.data_converter._contextual,
            codec=self._activity_codec(native) if client.data_converter._transforms else None,
            metric_meter=client.service_client._runtime.metric_meter,
            executor=parts.config["activity_executor"],
            shared_state_manager=parts.config["shared_state_manager"],
            client=client,
            on_broken=self._on_broken_executor(),
            interception=self._activity_interception(),
        )

    def _activity_codec(self, native: _native.Worker) -> ActivityCodec:
        behavior = self._parts.client._config["header_codec_behavior"]
        interception = self._parts.interception
        # Nobody else sees them.
        read = interception is not None and bool(interception.activities)
        decoded = read and behavior is HeaderCodecBehavior.CODEC
        return ActivityCodec(native, self._codec_calls, asyncio.get_running_loop(), headers=decoded)

    def _activity_interception(self) -> ActivityInterception | None:
        interception = self._parts.interception
        if interception is None or not interception.activities:
            return None
        from ._activity_interception import ActivityInterception

        executor = self._parts.config["activity_executor"]
        return ActivityInterception(interception.activities, asyncio.get_running_loop(), executor)

    def _workflow_thread(self, native: _native.Worker) -> WorkflowThread:
        parts, client = self._parts, self._parts.client
        converter, interception = client.data_converter, parts.interception
        context = WorkerContext(
            namespace=client.namespace,
            task_queue=parts.config["task_queue"],
            payload_converter=converter.payload_converter,
            failure_converter=converter.failure_converter,
            show_values=converter.payload_codec is None,
            contextual=converter._contextual,
            failure_exception_types=tuple(parts.config["workflow_failure_exception_types"]),
            guarded=parts.guarded,
            unsandboxed_guarded=parts.config["unsandboxed_workflow_runner"]._guarded,
            activates_patch=self._activates_patch(),
            metric_meter=client.service_client._runtime.metric_meter,
            extern_functions=interception.extern_functions if interception is not None else {},
            activity_complaint=self._activity_complaint if client._raise_task_failures else None,
        )
        return WorkflowThread(
            native,
            parts.definitions,
            context,
            deadlock_timeout=parts.deadlock_timeout,
            keep_failures=client._raise_task_failures,
            versioned=parts.native.deployment_name is not None and parts.native.use_worker_versioning,
            signature=self._signature,
            interceptors=interception.workflows if interception is not None else (),
        )

    def _activity_complaint(self, activity_type: str, task_queue: str | None) -> str | None:
        if task_queue is None:
            return complaint(activity_type, None, self._parts.activities)
        known = activity_types.of(queue_of(self._parts.client, task_queue))
        # Workers that are not known to this process may run it.
        return complaint(activity_type, task_queue, known) if known else None

    def _activates_patch(self) -> Callable[[str], bool] | None:
        callback = self._parts.config["patch_activation_callback"]
        if callback is None:
            return None
        from ._patches import activates_patch

        return activates_patch(callback)

    def _signature(self, what: str) -> Signature | None:
        """The signature of something that errors name in this way, if it is registered here."""
        activities, workflows = self._parts.activities, self._parts.definitions
        signatures = {
            **{f"activity {name!r}": each.definition.signature for name, each in activities.items() if name},
            **{f"child workflow {name!r}": each.signature for name, each in workflows.items() if name},
        }
        return signatures.get(what)

    def _on_broken_executor(self) -> Callable[[BaseException], None]:
        """What a thread calls that finds that ``activity_executor`` cannot go on."""
        loop = asyncio.get_running_loop()

        def on_broken(cause: BaseException) -> None:
            error = RuntimeError(f"activity_executor cannot run activities any more: {cause}")
            error.__cause__ = cause
            loop.call_soon_threadsafe(self._give_up, error)

        return on_broken

    def _give_up(self, error: RuntimeError) -> None:
        self._error = error
        if self.watch is not None:
            self.watch.failed(error)
        self._stop.set()

    async def _drain(self, native: _native.Worker, polls: asyncio.Future[None]) -> None:
        activities = self.activities
        assert activities is not None
        if self.watch is not None:
            self.watch.draining(polls)
        activities.worker_shutdown.set()
        native.initiate_shutdown()
        if self._keepers is not None:
            self._keepers.drain()
        self._codec_calls.end()
        ended = await polls_end(
            polls,
            self._parts.client,
            instance_key=native.instance_key,
            task_queue=self._parts.config["task_queue"],
            is_idle=lambda: not activities._running,
        )
        if not ended:
            # That its polls and threads are given up is enough: nothing else holds the worker.
            polls.cancel()
            native.finalize_shutdown()
        await self._workflows_ended
        if self._transit is not None:
            await self._transit.end()
        await activities.end()


async def _finalized(native: _native.Worker, polls: asyncio.Future[None] | None) -> None:
    finalized = _loop.run(native.finalize_shutdown())
    refused = polls is not None and polls.done() and not polls.cancelled() and polls.exception() is not None
    await asyncio.wait((finalized,), timeout=_END_OF_REFUSED if refused else None)
    if not finalized.done():
        logger.warning("the server has refused polls of the worker, which ends without waiting for the others")
        finalized.cancel()
        return
    finalized.result()


async def _end_unpolled(native: _native.Worker) -> None:
    """Core ends only after its polls have, also if there never were some."""
    native.initiate_shutdown()

    def nothing(task: object) -> None: ...

    await _loop.run(native.poll(_loop.queue(), nothing, thread_activities=set(), on_nexus_task=nothing))
