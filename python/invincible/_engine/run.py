"""One workflow run: applies activations to workflow code and collects the commands it issues."""

from __future__ import annotations

import asyncio
import random
from asyncio import _set_running_loop
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from invincible import _native
from invincible._native import Activation, Failure, InitializeWorkflow, Payload
from invincible.common import RawValue
from invincible.converter import FailureConverter, PayloadConverter
from invincible.converter._signature import decode_result
from invincible.exceptions import FailureError, is_cancelled_exception

from .definition import QueryDefinition, SignalDefinition, WorkflowDefinition
from .errors import EvictedError, NondeterminismError, ReadOnlyContextError
from .handles import ActivityHandle
from .loop import TimerHandle, WorkflowLoop, set_unless_done
from .options import ActivityOptions

# The server counts timers in milliseconds; a shorter one would be no timer at all.
_SHORTEST_TIMER = 0.001


@dataclass(frozen=True)
class WorkerContext:
    """What all runs of one worker share."""

    namespace: str
    task_queue: str
    payload_converter: PayloadConverter
    failure_converter: FailureConverter
    failure_exception_types: Sequence[type[BaseException]] = ()


class WorkflowRun:
    """The state of one run between activations; it lives in the worker's cache."""

    def __init__(
        self, definition: WorkflowDefinition, worker: WorkerContext, run_id: str, init: InitializeWorkflow
    ) -> None:
        self.definition = definition
        self.worker = worker
        self.run_id = run_id
        self.init = init
        self.loop: WorkflowLoop = WorkflowLoop(self)  # type: ignore[abstract]  # what is missing refuses at run time
        self.instance: Any = None
        self.info: Any = None

        self.timestamp_ns = 0
        self.start_timestamp_ns = 0
        self.is_replaying = False
        self.history_length = 0
        self.history_size = 0
        self.continue_as_new_suggested = False
        self.cancel_requested = False
        self.read_only = False
        self.evicted = False
        self.ended = False

        self._prepared = False
        self._arguments: list[Any] = []
        self._main: asyncio.Task[None] | None = None
        self._task_failure: BaseException | None = None
        self._commands: list[Any] = []
        self._random: random.Random | None = None
        self._random_seed = init.randomness_seed
        self._timer_seq = 0
        self._timer_summary: str | None = None
        self._timers: dict[int, TimerHandle] = {}
        self._activity_seq = 0
        self._activities: dict[int, ActivityHandle[Any]] = {}
        self._conditions: list[tuple[Callable[[], object], asyncio.Future[None]]] = []
        self._notified_patches: set[str] = set()
        self._patches: dict[str, bool] = {}

    # Activations

    def activate(self, activation: Activation) -> list[Any]:
        """Apply the jobs, run the code that they wake until all of it waits again, and return its commands in order.

        Raises:
            Exception: what workflow code raised that does not fail the workflow; the workflow task fails with it.
        """
        self.timestamp_ns = activation.timestamp_ns
        self.is_replaying = activation.is_replaying
        self.history_length = activation.history_length
        self.history_size = activation.history_size_bytes
        self.continue_as_new_suggested = activation.continue_as_new_suggested
        _set_running_loop(self.loop)
        try:
            if not self._prepared:
                self._prepare()
            for stage, jobs in _stages(activation.jobs):
                for job in jobs:
                    _APPLY[type(job)](self, job)
                self._run_until_blocked(check_conditions=stage in (_MESSAGES, _RESOLUTIONS))
        finally:
            _set_running_loop(None)
        commands, self._commands = self._commands, []
        return commands

    def evict(self) -> None:
        """Forget the run: its unfinished code is closed, and may issue nothing more."""
        self.evicted = True
        _set_running_loop(self.loop)
        try:
            self.loop.close_tasks()
        finally:
            _set_running_loop(None)

    def _prepare(self) -> None:
        """Decode the arguments and make the instance, before any handler can need it."""
        self._prepared = True
        self.start_timestamp_ns = self.timestamp_ns
        definition = self.definition
        if definition.name is None:
            self._arguments = [[RawValue(payload) for payload in self.init.arguments]]
        else:
            self._arguments = definition.signature.decode(self.init.arguments, self.worker.payload_converter)
        if definition.workflow_class is not None:
            if definition.init_takes_arguments:
                self.instance = definition.signature.call(definition.workflow_class, self._arguments)
            else:
                self.instance = definition.workflow_class()

    def _run_until_blocked(self, *, check_conditions: bool) -> None:
        while self.loop.run_ready():
            if self._task_failure is not None:
                raise self._task_failure
            if check_conditions and self._conditions:
                self._check_conditions()

    def _check_conditions(self) -> None:
        waiting = []
        for condition in self._conditions:
            predicate, future = condition
            if future.done():
                continue
            try:
                holds = predicate()
            except Exception as error:  # raised where the condition is awaited
                future.set_exception(error)
                continue
            if holds:
                future.set_result(None)
            else:
                waiting.append(condition)
        self._conditions[:] = waiting

    # Jobs

    def _initialize(self, job: InitializeWorkflow) -> None:
        self._main = self.loop.create_task(self._top_level(self._run_main()))

    def _fire_timer(self, job: _native.FireTimer) -> None:
        handle = self._timers.pop(job.seq, None)
        if handle is None:
            raise NondeterminismError(f"timer {job.seq} fired, but the workflow code has started no such timer")
        self.loop.make_ready(handle)

    def _resolve_activity(self, job: _native.ResolveActivity) -> None:
        handle = self._activities.pop(job.seq, None)
        if handle is None:
            raise NondeterminismError(f"activity {job.seq} ended, but the workflow code has scheduled no such activity")
        handle.resolve(job)

    def _cancel_workflow(self, job: _native.CancelWorkflow) -> None:
        self.cancel_requested = True
        # One turn later, so that a run which is cancelled in its first task starts before it is cancelled.
        if self._main is not None:
            self.loop.call_soon(self._main.cancel)

    def _update_random_seed(self, job: _native.UpdateRandomSeed) -> None:
        self._random_seed = job.randomness_seed
        if self._random is not None:
            self._random.seed(job.randomness_seed)

    def _signal(self, job: _native.SignalWorkflow) -> None:
        handler = self.definition.signals.get(job.signal_name) or self.definition.signals.get(None)
        if handler is None:
            return
        call = self._handler_call(handler, job.signal_name, job.input)
        self.loop.create_task(self._top_level(_awaited(call)))

    def _query(self, job: _native.QueryWorkflow) -> None:
        self.read_only = True
        try:
            result = self.worker.payload_converter.to_payload(self._answer(job))
            answer = _native.QueryResult(query_id=job.query_id, result=result)
        except Exception as error:  # the caller of the query gets it
            answer = _native.QueryResult(query_id=job.query_id, failure=self.failure_from(error))
        finally:
            self.read_only = False
        self._commands.append(answer)

    def _answer(self, job: _native.QueryWorkflow) -> Any:
        queries = self.definition.queries
        handler = queries.get(job.query_type) or queries.get(None)
        if handler is None:
            known = ", ".join(sorted(name for name in queries if name is not None)) or "none"
            raise RuntimeError(
                f"workflow {self.init.workflow_type!r} has no query {job.query_type!r}; its queries are: {known}"
            )
        return self._handler_call(handler, job.query_type, job.arguments)()

    def _handler_call(
        self, handler: SignalDefinition | QueryDefinition, name: str, payloads: Sequence[Payload]
    ) -> Callable[[], Any]:
        """The call of a handler with the arguments that came for it; a dynamic one gets them undecoded."""
        function = partial(handler.function, self.instance)
        if handler.name is None:
            return partial(function, name, [RawValue(payload) for payload in payloads])
        arguments = handler.signature.decode(payloads, self.worker.payload_converter)
        return partial(handler.signature.call, function, arguments)

    def _notify_has_patch(self, job: _native.NotifyHasPatch) -> None:
        self._notified_patches.add(job.patch_id)

    def _unsupported(self, job: _native.UnsupportedJob) -> None:
        raise NotImplementedError(f"the run needs {job.name}, which this version of invincible does not handle")

    # The end of a run

    async def _run_main(self) -> None:
        run = self.definition.run
        if self.definition.workflow_class is not None:
            run = partial(run, self.instance)
        if self.definition.name is None:
            result = await run(*self._arguments)
        else:
            result = await self.definition.signature.call(run, self._arguments)
        try:
            payload = self.worker.payload_converter.to_payload(result)
        except Exception as error:
            raise TypeError(f"the result of workflow {self.init.workflow_type!r} cannot be encoded: {error}") from error
        self._end(_native.CompleteWorkflowExecution(result=payload))

    async def _top_level(self, coroutine: Any) -> None:
        """Run the workflow's own function or a handler, and turn what it raises into the end of the run or the task."""
        try:
            await coroutine
        except (Exception, asyncio.CancelledError) as error:
            if self.cancel_requested and is_cancelled_exception(error):
                self._end(_native.CancelWorkflowExecution())
            elif self.is_failure_exception(error):
                self._end(_native.FailWorkflowExecution(failure=self.failure_from(error)))
            else:
                self._task_failure = error

    def _end(self, command: Any) -> None:
        if not self.ended:
            self.ended = True
            self._commands.append(command)

    def is_failure_exception(self, error: BaseException) -> bool:
        """Whether the exception fails the workflow; any other fails the workflow task, which is tried again."""
        return isinstance(
            error,
            (
                FailureError,
                asyncio.TimeoutError,
                *self.definition.failure_exception_types,
                *self.worker.failure_exception_types,
            ),
        )

    # Operations that workflow code asks for

    def require_writable(self, what: str) -> None:
        """Refuse an operation that would change the run from a query, or after the run was evicted."""
        if self.read_only:
            raise ReadOnlyContextError(f"{what} is not possible in a query or validator: it would change the workflow")
        if self.evicted:
            raise EvictedError

    def start_timer(self, handle: TimerHandle, delay: float, summary: str | None) -> None:
        self.require_writable("starting a timer")
        self._timer_seq = handle.seq = seq = self._timer_seq + 1
        self._timers[seq] = handle
        summary, self._timer_summary = summary or self._timer_summary, None
        self._commands.append(
            _native.StartTimer(
                seq=seq,
                duration=max(delay, _SHORTEST_TIMER),
                summary=self._summary(summary) if summary else None,
            )
        )

    def cancel_timer(self, handle: TimerHandle) -> None:
        if self._timers.pop(handle.seq, None) is not None and not self.evicted:
            self._commands.append(_native.CancelTimer(seq=handle.seq))

    def schedule_activity(
        self,
        activity_type: str,
        arguments: Sequence[Any],
        options: ActivityOptions,
        result_type: Any,
    ) -> ActivityHandle[Any]:
        """Schedule an activity; the handle resolves with its result."""
        self.require_writable("scheduling an activity")
        options.check(activity_type)
        converter = self.worker.payload_converter
        try:
            payloads = converter.to_payloads(arguments)
        except Exception as error:
            raise TypeError(f"the arguments of activity {activity_type!r} cannot be encoded: {error}") from error
        self._activity_seq = seq = self._activity_seq + 1
        summary = options.summary
        command = _native.ScheduleActivity(
            seq=seq,
            activity_id=options.activity_id or str(seq),
            activity_type=activity_type,
            task_queue=options.task_queue or self.worker.task_queue,
            arguments=payloads,
            schedule_to_close_timeout=options.schedule_to_close_timeout,
            schedule_to_start_timeout=options.schedule_to_start_timeout,
            start_to_close_timeout=options.start_to_close_timeout,
            heartbeat_timeout=options.heartbeat_timeout,
            retry_policy=options.retry_policy,
            cancellation_type=options.cancellation_type,
            summary=self._summary(summary) if summary else None,
            priority=options.priority,
        )

        def decode(payload: Payload | None) -> Any:
            return decode_result(payload, result_type, converter, f"activity {activity_type!r}")

        handle: ActivityHandle[Any] = ActivityHandle(self, seq, decode)
        self._activities[seq] = handle
        self._commands.append(command)
        return handle

    def request_cancel_activity(self, seq: int) -> None:
        if seq in self._activities and not self.evicted:
            self._commands.append(_native.RequestCancelActivity(seq=seq))

    async def wait_condition(
        self, predicate: Callable[[], object], timeout: float | None, timeout_summary: str | None
    ) -> None:
        self.require_writable("waiting for a condition")
        future = self.loop.create_future()
        self._conditions.append((predicate, future))
        if timeout is None:
            await future
        else:
            self._timer_summary = timeout_summary
            await asyncio.wait_for(future, timeout)

    async def sleep(self, delay: float, summary: str | None) -> None:
        future = self.loop.create_future()
        handle = self.loop.start_timer(delay, summary, set_unless_done, future)
        try:
            await future
        finally:
            handle.cancel()

    def patched(self, patch_id: str, *, deprecated: bool) -> bool:
        """Whether the run takes the patched path; remembered, and recorded in history when it does."""
        self.require_writable("using a patch")
        taken = self._patches.get(patch_id)
        if taken is None:
            taken = not self.is_replaying or patch_id in self._notified_patches
            self._patches[patch_id] = taken
        if taken or deprecated:
            self._commands.append(_native.SetPatchMarker(patch_id=patch_id, deprecated=deprecated))
        return taken

    @property
    def random(self) -> random.Random:
        """Random numbers that are the same on every replay."""
        if self._random is None:
            self._random = random.Random(self._random_seed)
        return self._random

    # Conversion

    def exception_from(self, failure: Failure) -> BaseException:
        return self.worker.failure_converter.from_native(failure, self.worker.payload_converter)

    def failure_from(self, error: BaseException) -> Failure:
        return self.worker.failure_converter.to_native(error, self.worker.payload_converter)

    def _summary(self, text: str) -> Payload:
        return self.worker.payload_converter.to_payload(text)


async def _awaited(call: Callable[[], Any]) -> None:
    result = call()
    if asyncio.iscoroutine(result):
        await result


# Jobs are applied in stages, each run until all code waits: histories depend on it.
_PATCHES, _MESSAGES, _RESOLUTIONS, _QUERIES = range(4)

_STAGE: Mapping[type, int] = {
    _native.NotifyHasPatch: _PATCHES,
    _native.SignalWorkflow: _MESSAGES,
    _native.QueryWorkflow: _QUERIES,
}

_APPLY: Mapping[type, Callable[[WorkflowRun, Any], None]] = {
    _native.InitializeWorkflow: WorkflowRun._initialize,
    _native.FireTimer: WorkflowRun._fire_timer,
    _native.ResolveActivity: WorkflowRun._resolve_activity,
    _native.CancelWorkflow: WorkflowRun._cancel_workflow,
    _native.UpdateRandomSeed: WorkflowRun._update_random_seed,
    _native.SignalWorkflow: WorkflowRun._signal,
    _native.QueryWorkflow: WorkflowRun._query,
    _native.NotifyHasPatch: WorkflowRun._notify_has_patch,
    _native.UnsupportedJob: WorkflowRun._unsupported,
}


def _stages(jobs: list[Any]) -> list[tuple[int, list[Any]]]:
    if len(jobs) == 1:
        return [(_STAGE.get(type(jobs[0]), _RESOLUTIONS), jobs)]
    stages: list[list[Any]] = [[], [], [], []]
    for job in jobs:
        stages[_STAGE.get(type(job), _RESOLUTIONS)].append(job)
    return [(stage, jobs) for stage, jobs in enumerate(stages) if jobs]
