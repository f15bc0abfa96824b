"""One workflow run: applies activations to workflow code and collects the commands it issues."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn

from invincible import _native
from invincible._native import Activation, CanceledFailureInfo, Failure, InitializeWorkflow, Payload
from invincible.common import MetricMeter, RawValue, VersioningBehavior
from invincible.converter import (
    ConversionError,
    FailureConverter,
    PayloadConverter,
    SerializationContext,
    WorkflowSerializationContext,
)
from invincible.converter._context import in_context
from invincible.converter._errors import encoding_error
from invincible.exceptions import FailureError, is_cancelled_exception

from .activities import Activities
from .attributes import Attributes
from .children import Children
from .conditions import Conditions
from .continuing import continue_as_new_command
from .definition import WorkflowDefinition
from .errors import ContinueAsNewError, EvictedError, ReadOnlyContextError
from .explain import CommandLog
from .external import External
from .groups import EventGroup, markers
from .loop import EVICTED, TimerHandle, WorkflowLoop, set_unless_done
from .messages import Messages
from .nexus import NexusOperations
from .operations import Outcomes, Pending
from .parts import made_when_used
from .randomness import Randomness
from .reference import Reference
from .tracebacks import without_engine


@dataclass(frozen=True)
class WorkerContext:
    """What all runs of one worker share.

    Args:
        show_values: Whether errors may quote values; not if a codec hides them.
        contextual: Whether a converter or codec wants to know what values belong to.
        guarded: Whether the determinism guard watches workflow code.
        unsandboxed_guarded: The same for workflows that are defined as unsandboxed.
        activates_patch: Whether the current run is to take a patch, by id, that it meets for the first time.
        activity_complaint: What is wrong with scheduling an activity, by type and task queue, ``None`` for a local one;
            in tests only.
    """

    namespace: str
    task_queue: str
    payload_converter: PayloadConverter
    failure_converter: FailureConverter
    show_values: bool = True
    contextual: bool = False
    failure_exception_types: Sequence[type[BaseException]] = ()
    guarded: bool = True
    unsandboxed_guarded: bool = False
    metric_meter: MetricMeter = MetricMeter.noop
    extern_functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    activates_patch: Callable[[str], bool] | None = None
    activity_complaint: Callable[[str, str | None], str | None] | None = None


class WorkflowRun:
    """The state of one run between activations; it lives in the worker's cache.

    There are many, and most just wait: what a run has not changed is in the class, and parts are made when used.
    """

    instance: Any = None
    context: SerializationContext | None = None

    # The state of the current task.
    activation: Activation | None = None
    timestamp_ns = 0
    start_timestamp_ns = 0
    is_replaying = False
    # While code runs that must not change the run: a query, a validator.
    read_only = False
    cancellation_reason: str | None = None
    evicted: bool = False
    ended = False
    current_details = ""
    # What `workflow.info()` has made, until it changes.
    info: Any = None
    # What becomes of the commands of this activation when all of its jobs are known, if something is to.
    settle: Callable[[list[Any]], list[Any]] | None = None
    # Where calls of its code pass interceptors, if it has some.
    outbound: Any = None

    _timer_summary: str | None = None
    _prepared = False
    _arguments: Sequence[Any] = ()
    _main: asyncio.Task[None] | None = None
    _task_failure: BaseException | None = None
    # What a dynamic workflow has decided in place of its definition.
    _configured_failure_types: Sequence[type[BaseException]] | None = None

    def __init__(
        self, definition: WorkflowDefinition, worker: WorkerContext, run_id: str, init: InitializeWorkflow
    ) -> None:
        self.definition = definition
        self.worker = worker
        self.run_id = run_id
        self.init = init
        self.loop: WorkflowLoop = WorkflowLoop(self)  # type: ignore[abstract]  # what is missing refuses at run time
        self.versioning_behavior = definition.versioning_behavior
        self.guarded = worker.guarded if definition.sandboxed else worker.unsandboxed_guarded
        self.payload_converter = worker.payload_converter
        self.failure_converter = worker.failure_converter
        if worker.contextual:
            self.context = WorkflowSerializationContext(worker.namespace, init.workflow_id)
            self.payload_converter = in_context(self.payload_converter, self.context)
            self.failure_converter = in_context(self.failure_converter, self.context)
        self.log = CommandLog()
        self.conditions = Conditions()
        self._context = contextvars.Context()
        self._commands: list[Any] = []

    @made_when_used
    def activities(self) -> Activities:
        return Activities(self)

    @made_when_used
    def randomness(self) -> Randomness:
        return Randomness(self.init.randomness_seed)

    @made_when_used
    def _timers(self) -> Pending[TimerHandle]:
        return Pending("timer")

    @made_when_used
    def _notified_patches(self) -> set[str]:
        return set()

    @made_when_used
    def _patches(self) -> dict[str, bool]:
        return {}

    @made_when_used
    def messages(self) -> Messages:
        return Messages(self)

    @made_when_used
    def outcomes(self) -> Outcomes:
        return Outcomes(self.loop)

    @made_when_used
    def children(self) -> Children:
        return Children(self)

    @made_when_used
    def external(self) -> External:
        return External(self)

    @made_when_used
    def nexus(self) -> NexusOperations:
        return NexusOperations(self)

    @made_when_used
    def attributes(self) -> Attributes:
        return Attributes(self)

    # Activations

    def activate(self, activation: Activation) -> list[Any]:
        """Apply the jobs, run the code that they wake until all of it waits again, and return its commands in order.

        Raises:
            Exception: what workflow code raised that does not fail the workflow; the workflow task fails with it.
        """
        # A context of its own: what code outside of tasks sets in context variables must not reach another run.
        return self._context.run(self._activate, activation)

    def _activate(self, activation: Activation) -> list[Any]:
        had_ended = self.ended
        self.activation = activation
        self.timestamp_ns = activation.timestamp_ns
        self.is_replaying = activation.is_replaying
        self.log.begin(activation.history_length, activation.is_replaying)
        self.loop.enter()
        try:
            for stage, jobs in _stages(activation.jobs) if self._prepared or self._prepare() else ():
                for job in jobs:
                    _APPLY[type(job)](self, job)
                self._run_until_blocked(check_conditions=stage in (_MESSAGES, _RESOLUTIONS))
            if self.ended and not had_ended and not self.is_replaying and "messages" in self.__dict__:
                self.messages.warn_of_unfinished()
        finally:
            self.loop.leave()
        commands, self._commands = self._commands, []
        if self.settle is not None:
            commands, self.settle = self.settle(commands), None
        if had_ended:
            # Core takes nothing after the end of a run, but code that it left behind may still be woken.
            return [command for command in commands if type(command) is _native.QueryResult]
        return commands

    def evict(self) -> None:
        """Forget the run: its unfinished code is closed, and may issue nothing more."""
        self.evicted = True
        self.loop.enter()
        try:
            self.loop.close_tasks()
        finally:
            self.loop.leave()
        # The parts of a run hold the run: without this, it would wait for the garbage collector.
        for part in _PARTS:
            vars(self).pop(part, None)
        self.loop.run = EVICTED

    def _prepare(self) -> bool:
        """Decode the arguments and make the instance, before any handler can need it; whether the run goes on."""
        self._prepared = True
        self.start_timestamp_ns = self.timestamp_ns
        try:
            self._instantiate()
        except Exception as error:
            if not self.is_failure_exception(error):
                raise
            self._end(_native.FailWorkflowExecution(failure=self.failure_from(error)))
        return not self.ended

    def _instantiate(self) -> None:
        definition = self.definition
        if definition.name is None:
            self._arguments = [[RawValue(payload) for payload in self.init.arguments]]
        else:
            self._arguments = definition.signature.decode(
                self.init.arguments, self.payload_converter, show_values=self.worker.show_values
            )
        if definition.workflow_class is not None:
            if definition.init_takes_arguments:
                self.instance = definition.signature.call(definition.workflow_class, self._arguments)
            else:
                self.instance = definition.workflow_class()
        if definition.dynamic_config is not None:
            config = definition.dynamic_config(self.instance)
            self._configured_failure_types = config.failure_exception_types
            if config.versioning_behavior is not VersioningBehavior.UNSPECIFIED:
                self.versioning_behavior = config.versioning_behavior

    def _run_until_blocked(self, *, check_conditions: bool) -> None:
        while self.loop.run_ready():
            if self._task_failure is not None:
                raise self._task_failure
            if check_conditions and self.conditions:
                self.conditions.check()

    # Jobs

    def _initialize(self, job: InitializeWorkflow) -> None:
        self._main = self.start_task(self._run_main())

    def _fire_timer(self, job: _native.FireTimer) -> None:
        handle = self._timers.take_unless_discarded(job.seq)
        if handle is not None:
            self.loop.make_ready(handle)

    def _cancel_workflow(self, job: _native.CancelWorkflow) -> None:
        self.cancellation_reason = job.reason
        # One turn later, so that a run which is cancelled in its first task starts before it is cancelled.
        if self._main is not None:
            self.loop.call_soon(self._main.cancel)

    def _notify_has_patch(self, job: _native.NotifyHasPatch) -> None:
        self._notified_patches.add(job.patch_id)

    # The end of a run

    async def _run_main(self) -> None:
        result = await self._main_call()
        payload = self.encode_result(result, "workflow", self.init.workflow_type)
        self._end(_native.CompleteWorkflowExecution(result=payload))

    def _main_call(self) -> Awaitable[Any]:
        return self.call_run(self.definition.run, self._take_arguments())

    def _take_arguments(self) -> Sequence[Any]:
        """The arguments of the run method, which may let go of them."""
        arguments, self._arguments = self._arguments, ()
        return arguments

    def call_run(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Awaitable[Any]:
        """The call of the run method, or of the function that is the workflow."""
        definition = self.definition
        if definition.workflow_class is not None:
            function = partial(function, self.instance)
        if definition.name is None:
            called: Awaitable[Any] = function(*arguments)
        else:
            called = definition.signature.call(function, arguments)
        return called

    def start_task(self, coroutine: Any) -> asyncio.Task[None]:
        """Run the workflow's own function or a handler: what it raises ends the run or fails the task."""
        return self.loop.create_task(self._top_level(coroutine))

    async def _top_level(self, coroutine: Any) -> None:
        try:
            await coroutine
        except ContinueAsNewError as error:
            self._end(error._command)
        except BaseException as error:
            if self.evicted:
                raise
            if self.cancellation_reason is not None and is_cancelled_exception(error):
                self._end(_native.CancelWorkflowExecution())
            elif isinstance(error, asyncio.CancelledError):
                # Nobody has asked the run to cancel: one of its tasks was, and it let that end the run.
                self._end(_native.FailWorkflowExecution(failure=Failure(str(error), info=CanceledFailureInfo())))
            elif self.is_failure_exception(error):
                self._end(_native.FailWorkflowExecution(failure=self.failure_from(error)))
            else:
                self.fail_task(error)

    def fail_task(self, error: BaseException) -> None:
        """Fail the workflow task: the server will try it again."""
        if self._task_failure is None:
            self._task_failure = error

    def _end(self, command: Any) -> None:
        if not self.ended:
            self.ended = True
            self.emit(command)

    def is_failure_exception(self, error: BaseException) -> bool:
        """Whether the exception fails the workflow; any other fails the workflow task, which is tried again."""
        own = self._configured_failure_types
        if own is None:
            own = self.definition.failure_exception_types
        types = (FailureError, asyncio.TimeoutError, *own, *self.worker.failure_exception_types)
        return isinstance(error, types)

    # What the parts of the engine share

    def emit(self, command: Any) -> None:
        """Issue a command."""
        self.log.add(command)
        self._commands.append(command)

    @property
    def is_replaying_history_events(self) -> bool:
        """Whether the code only gets back to where it was, or is closed; queries and validators are new calls."""
        return self.evicted or (self.is_replaying and not self.read_only)

    def require_writable(self, what: str) -> None:
        """Refuse an operation that would change the run from a query, or after the run was evicted."""
        if self.read_only:
            raise ReadOnlyContextError(f"{what} is not possible in a query or validator: it would change the workflow")
        if self.evicted:
            raise EvictedError

    # Timers

    def start_timer(self, handle: TimerHandle, delay: float, summary: str | None) -> None:
        self.require_writable("starting a timer")
        handle.seq = seq = self._timers.next_seq()
        self._timers[seq] = handle
        summary, self._timer_summary = summary or self._timer_summary, None
        groups = markers(())
        if summary or groups:
            command = _native.StartTimer(seq=seq, duration=delay, summary=self.text(summary), event_groups=groups)
        else:
            command = _native.StartTimer(seq=seq, duration=delay)
        self.emit(command)

    def cancel_timer(self, handle: TimerHandle) -> None:
        if self._timers.discard(handle.seq) and not self.evicted:
            self.emit(_native.CancelTimer(seq=handle.seq))

    async def sleep(self, delay: float, summary: str | None) -> None:
        future = self.loop.create_future()
        handle = self.loop.start_timer(delay, summary, set_unless_done, future)
        try:
            await future
        finally:
            handle.cancel()

    async def wait_condition(
        self, predicate: Callable[[], object], timeout: float | None, timeout_summary: str | None
    ) -> None:
        self.require_writable("waiting for a condition")
        future = self.conditions.add(predicate, self.loop)
        if timeout is None:
            await future
        else:
            self._timer_summary = timeout_summary if timeout > 0 else None
            await asyncio.wait_for(future, timeout)

    # The next run

    def continue_as_new(self, reference: Reference | None, arguments: Sequence[Any], **options: Any) -> NoReturn:
        """End the run, to be continued as the workflow of the reference, or of its own type; see
        ``continue_as_new_command`` for the options."""
        workflow = reference.name if reference is not None else None
        raise ContinueAsNewError(continue_as_new_command(self, workflow, arguments, **options))

    # Patches

    def patched(self, patch_id: str, *, deprecated: bool, groups: Sequence[EventGroup]) -> bool:
        """Whether the run takes the patched path; remembered, and recorded in history when it does."""
        self.require_writable("using a patch")
        taken = self._patches.get(patch_id)
        # Not after the run has taken the other path: a replay would find the marker, and take this one.
        recorded = deprecated and taken is None
        if taken is None:
            taken = patch_id in self._notified_patches or (
                not self.is_replaying and self._activates(patch_id, deprecated)
            )
            self._patches[patch_id] = taken
        if taken or recorded:
            marker = _native.SetPatchMarker(patch_id=patch_id, deprecated=deprecated, event_groups=markers(groups))
            self.emit(marker)
        return taken

    def _activates(self, patch_id: str, deprecated: bool) -> bool:
        ask = self.worker.activates_patch
        return deprecated or ask is None or ask(patch_id)

    # Conversion

    def converter(self, context: SerializationContext | None) -> PayloadConverter:
        """The payload converter of a context; the workflow's own if there is none."""
        return self.payload_converter if context is None else in_context(self.worker.payload_converter, context)

    def exception_from(self, failure: Failure, context: SerializationContext | None = None) -> BaseException:
        if context is None:
            return self.failure_converter.from_native(failure, self.payload_converter)
        return in_context(self.worker.failure_converter, context).from_native(failure, self.converter(context))

    def failure_from(self, error: BaseException) -> Failure:
        return self.failure_converter.to_native(without_engine(error), self.payload_converter)

    def text(self, text: str | None, context: SerializationContext | None = None) -> Payload | None:
        """A summary or details for the Web UI."""
        return self.converter(context).to_payload(text) if text else None

    def encode(
        self, arguments: Sequence[Any], what: str, name: str, context: SerializationContext | None = None
    ) -> list[Payload]:
        """The arguments of a call; errors name what is called."""
        try:
            converter = self.payload_converter if context is None else self.converter(context)
            return converter.to_payloads(arguments)
        except Exception as error:
            self._refuse(f"the arguments of {what} {name!r}", error)

    def encode_result(self, result: Any, what: str, name: str) -> Payload:
        """What the workflow, an update or a query returned; errors name it."""
        try:
            return self.payload_converter.to_payload(result)
        except Exception as error:
            self._refuse(f"the result of {what} {name!r}", error)

    def encode_memo(self, memo: Mapping[str, Any], context: SerializationContext | None = None) -> dict[str, Payload]:
        """Memo values by key; errors name the key."""
        payloads = {}
        for key, value in memo.items():
            try:
                payloads[key] = self.converter(context).to_payload(value)
            except Exception as error:
                self._refuse(f"memo {key!r}", error)
        return payloads

    def _refuse(self, what: str, error: Exception) -> NoReturn:
        """Raise what a payload converter has raised, with the name of the value."""
        if self.is_failure_exception(error) and not isinstance(error, ConversionError):
            raise error
        show_values = self.worker.show_values
        raise encoding_error(what, error, show_values=show_values) from (error if show_values else None)


_PARTS = ("activities", "children", "external", "inbound", "messages", "nexus", "outbound")


# Jobs are applied in stages, each run until all code waits: histories depend on it.
_PATCHES, _MESSAGES, _RESOLUTIONS, _QUERIES = range(4)

_STAGE: Mapping[type, int] = {
    _native.NotifyHasPatch: _PATCHES,
    _native.SignalWorkflow: _MESSAGES,
    _native.DoUpdate: _MESSAGES,
    _native.QueryWorkflow: _QUERIES,
}

_APPLY: Mapping[type, Callable[[WorkflowRun, Any], object]] = {
    _native.InitializeWorkflow: WorkflowRun._initialize,
    _native.NotifyHasPatch: WorkflowRun._notify_has_patch,
    _native.UpdateRandomSeed: lambda run, job: run.randomness.reseed(job.randomness_seed),
    _native.SignalWorkflow: lambda run, job: run.messages.signal(job),
    _native.DoUpdate: lambda run, job: run.messages.update(job),
    _native.CancelWorkflow: WorkflowRun._cancel_workflow,
    _native.FireTimer: WorkflowRun._fire_timer,
    _native.ResolveActivity: lambda run, job: run.activities.resolve(job),
    _native.ResolveChildWorkflowExecutionStart: lambda run, job: run.children.resolve_start(job),
    _native.ResolveChildWorkflowExecution: lambda run, job: run.children.resolve(job),
    _native.ResolveSignalExternalWorkflow: lambda run, job: run.external.resolve_signal(job),
    _native.ResolveRequestCancelExternalWorkflow: lambda run, job: run.external.resolve_cancel(job),
    _native.ResolveNexusOperationStart: lambda run, job: run.nexus.resolve_start(job),
    _native.ResolveNexusOperation: lambda run, job: run.nexus.resolve(job),
    _native.QueryWorkflow: lambda run, job: run.messages.query(job),
}


def _stages(jobs: list[Any]) -> list[tuple[int, list[Any]]]:
    if len(jobs) == 1:
        return [(_STAGE.get(type(jobs[0]), _RESOLUTIONS), jobs)]
    stages: list[list[Any]] = [[], [], [], []]
    for job in jobs:
        stages[_STAGE.get(type(job), _RESOLUTIONS)].append(job)
    return [(stage, jobs) for stage, jobs in enumerate(stages) if jobs]
