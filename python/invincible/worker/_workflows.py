"""The workflow side of a worker: one thread that takes activations from Core and runs them through the engine."""

from __future__ import annotations

import math
import threading
import warnings
from asyncio import _set_running_loop
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from invincible import _native
from invincible._engine.contexts import operation_of
from invincible._engine.definition import WorkflowDefinition
from invincible._engine.errors import NondeterminismError, TaskAbandonedError
from invincible._engine.explain import CommandLog
from invincible._engine.reference import workflow_definition
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible._engine.tracebacks import without_engine
from invincible._lazy import load
from invincible._native import (
    Activation,
    Failure,
    InitializeWorkflow,
    OversizedPayloads,
    QueryWorkflow,
    RemoveFromCache,
)
from invincible.client._task_failures import task_failures
from invincible.converter import Signature
from invincible.exceptions import ApplicationError

from ._failures import failure_of, logger, text_of
from ._oversized import oversized_command
from ._task_failures import TaskFailureLog
from ._watchdog import OverrunError, Watch, WorkflowInterrupt, deadlock_error, tick_for, watchdog

if TYPE_CHECKING:
    from invincible.workflow._interception.interceptors import WorkflowInboundInterceptor

# Reasons for which Core drops a run (`EvictionReason`): the code does not fit the history, or the state machines met an
# event that they cannot.
_NONDETERMINISM, _FATAL = 3, 8

# What Core says of a run when the server has not taken the commands of its task.
_NOT_REPORTED = "Error reporting WFT to server"

# A run, and what it is activated with; with nothing when it is closed.
_Armed = tuple[WorkflowRun, "Activation | None"]

Definitions = Mapping["str | None", WorkflowDefinition]


def workflow_definitions(workflows: Iterable[Any]) -> Definitions:
    """The definitions of workflow classes and functions, by name; the dynamic one is under ``None``.

    Raises:
        TypeError: one of them is no workflow.
        ValueError: two of them have the same name.
    """
    definitions: dict[str | None, WorkflowDefinition] = {}
    for each in workflows:
        definition = workflow_definition(each)
        other = definitions.get(definition.name)
        if other is not None:
            what = "dynamic" if definition.name is None else f"named {definition.name!r}"
            raise ValueError(
                f"two workflows are {what}: {_location(other)} and {_location(definition)}; "
                "give one of them another name: @workflow.defn(name=...)"
            )
        if definition.name is not None:
            definition.signature  # noqa: B018  # annotations that cannot be resolved are an error now, not in a task
        definitions[definition.name] = definition
    return definitions


def _location(definition: WorkflowDefinition) -> str:
    target = definition.workflow_class or definition.run
    return f"{target.__module__}.{target.__qualname__}"


def includes_nondeterminism(types: Iterable[type[BaseException]]) -> bool:
    """Whether a workflow that these exceptions fail is failed by Core when its history does not fit its code."""
    return any(issubclass(NondeterminismError, each) for each in types)


def types_failed_by_nondeterminism(definitions: Definitions) -> set[str]:
    """Workflow types that ask for it themselves."""
    return {
        name
        for name, definition in definitions.items()
        if name is not None and includes_nondeterminism(definition.failure_exception_types)
    }


_USED_BY_WORKFLOWS = ("invincible.workflow", "invincible.activity", "invincible.common")


class WorkflowThread:
    """Runs the activations of one native worker, on a thread of its own, until no more come.

    Args:
        native: The worker that activations come from and completions go to.
        definitions: What it can run.
        context: What all runs share.
        deadlock_timeout: Seconds that workflow code may take without yielding, where its definition does not say,
            infinite for as long as it likes; ``None`` for no watchdog at all, whatever definitions say.
        keep_failures: Whether to keep what fails workflow tasks for those who wait for results in this process.
        versioned: Whether the worker takes part in worker versioning; without it, the server refuses tasks that say how
            their run is versioned.
        signature: Gives the signature of what a run has asked for, by the name of it in errors, where it is known.
        interceptors: Classes that each run has an object of, for its calls to pass; the outermost first.
        on_failure: Called with run id and exception when a workflow task fails; logs by default.
        on_eviction: Called with the run id and the reason when a run leaves the cache.
    """

    def __init__(
        self,
        native: _native.Worker,
        definitions: Definitions,
        context: WorkerContext,
        *,
        deadlock_timeout: float | None = None,
        keep_failures: bool = False,
        versioned: bool = False,
        signature: Callable[[str], Signature | None] = lambda what: None,
        interceptors: Sequence[type[WorkflowInboundInterceptor]] = (),
        on_failure: Callable[[str, BaseException], None] | None = None,
        on_eviction: Callable[[str, RemoveFromCache], None] | None = None,
    ) -> None:
        self._native = native
        self._definitions = definitions
        self._context = context
        self._deadlock_timeout = deadlock_timeout
        self._keep_failures = keep_failures
        self._failures = TaskFailureLog(keep=keep_failures)
        self._keeping = task_failures.kept() if keep_failures else nullcontext()
        self._on_failure = on_failure
        self._on_eviction = on_eviction
        # Workflow code is to import nothing by using a name: it would take its time, at another place in each process.
        load(_USED_BY_WORKFLOWS)
        self._guard: AbstractContextManager[object] = nullcontext()
        if context.guarded or context.unsandboxed_guarded:
            from invincible._engine.guard import install

            self._guard = install(definitions.values(), interceptors)
        self._versioned = versioned
        self._signature = signature
        self._make_run: Callable[[WorkflowDefinition, WorkerContext, str, InitializeWorkflow], WorkflowRun]
        self._make_run = WorkflowRun
        if interceptors:
            from invincible.workflow._interception.run import InterceptedRun

            self._make_run = partial(InterceptedRun, interceptors)
        self._runs: dict[str, WorkflowRun] = {}
        self._waiting: deque[Activation] = deque()

    def start(self, on_end: Callable[[], object], on_error: Callable[[RuntimeError], object]) -> None:
        """Start the thread.

        Args:
            on_end: Called on it when it ends.
            on_error: Called on it when it can run no workflows any more: the worker is to be shut down. Until that has
                happened, the thread fails the tasks that come.
        """
        self._on_end = on_end
        self._on_error = on_error
        self._keeping.__enter__()
        self._start_thread()

    def _start_thread(self) -> None:
        # A daemon, so that an interpreter whose worker was never shut down can exit.
        threading.Thread(target=self._run, name="invincible-workflows", daemon=True).start()

    def _run(self) -> None:
        shortest = self._shortest_budget()
        watch = Watch(tick_for(shortest), self._budget, self._overrun, self._give_up)
        watch.begin()
        if shortest < math.inf:
            watchdog.add(watch)
        try:
            while True:
                try:
                    self._work(watch)
                    break
                except WorkflowInterrupt:
                    watch.leave()
        except BaseException as error:  # whatever it is, nobody else ends the worker
            if watch.superseded:
                logger.exception("a thread of workflow code that was given up has failed")
            else:
                self._end_with(error)
        finally:
            watchdog.remove(watch)
            if not watch.superseded:
                self._keeping.__exit__(None, None, None)
                self._on_end()

    def _end_with(self, cause: BaseException) -> None:
        """Have the worker shut down, and answer Core for as long as it takes: it waits for every answer."""
        error = RuntimeError(f"the worker cannot run workflows any more: {type(cause).__name__}: {text_of(cause)}")
        error.__cause__ = cause
        self._on_error(error)
        failure = Failure("the worker cannot run workflows any more, and shuts down")
        activations: Iterable[Activation] | None = tuple(self._waiting)
        while activations is not None:
            for each in activations:
                if type(each.jobs[-1]) is RemoveFromCache:
                    self._native.complete_workflow_task(each.run_id, ())
                else:
                    self._native.fail_workflow_task(each.run_id, failure, abandoned=True)
            activations = self._native.next_activations()

    def _work(self, watch: Watch) -> None:
        waiting = self._waiting
        while not watch.superseded:
            if not waiting:
                activations = self._native.next_activations()
                if activations is None:
                    break
                waiting.extend(activations)
            with self._guard:
                while waiting and not watch.superseded:
                    activation = waiting.popleft()
                    try:
                        self._process(activation, watch)
                    except WorkflowInterrupt:
                        raise
                    except BaseException:  # it may be without an answer
                        waiting.appendleft(activation)
                        raise
        with self._guard:
            while self._runs and not watch.superseded:
                self._close(self._runs.popitem()[1], watch)

    def _process(self, activation: Activation, watch: Watch) -> None:
        run_id = activation.run_id
        last = activation.jobs[-1]
        if type(last) is RemoveFromCache:
            self._evict(run_id, last, watch)
            return
        run = None
        try:
            run = self._runs.get(run_id)
            if run is None:
                run = self._runs[run_id] = self._new_run(activation)
            watch.armed.append((run, activation))
            try:
                commands = run.activate(activation)
            finally:
                watch.disarm()
            versioning_behavior = int(run.versioning_behavior) if self._versioned else 0
            # A replayed task is not answered to the server, but queries are.
            replayed = activation.is_replaying and type(last) is not QueryWorkflow
            oversized = self._native.complete_workflow_task(run_id, commands, versioning_behavior, replayed)
            if oversized is not None:
                self.refuse(run_id, oversized)
        except OverrunError:
            _abandon(run)
        except WorkflowInterrupt:
            watch.leave()
            _abandon(run)
        except BaseException as error:  # whatever it is, Core must have an answer
            self._fail(run_id, run, activation, error)

    def _new_run(self, activation: Activation) -> WorkflowRun:
        init = _initialization(activation)
        if init is None:
            raise RuntimeError(f"run {activation.run_id} is not in the cache, and its history does not start here")
        definition = self._definitions.get(init.workflow_type) or self._definitions.get(None)
        if definition is None:
            known = ", ".join(sorted(name for name in self._definitions if name is not None)) or "none"
            raise ApplicationError(
                f"workflow type {init.workflow_type!r} is not registered on the worker of task queue "
                f"{self._context.task_queue!r}; its workflows are: {known}",
                type="NotFoundError",
            )
        return self._make_run(definition, self._context, activation.run_id, init)

    def _evict(self, run_id: str, reason: RemoveFromCache, watch: Watch) -> None:
        run = self._runs.pop(run_id, None)
        # First of all, since the code of the run may have something to say to its end.
        self._native.complete_workflow_task(run_id, (), replayed=True)
        try:
            self._say_why(run_id, run, reason)
        except Exception:
            logger.exception("why run %s left the cache cannot be told", run_id)
        if run is not None:
            self._close(run, watch)

    def _say_why(self, run_id: str, run: WorkflowRun | None, reason: RemoveFromCache) -> None:
        error = eviction_error(run, reason)
        if run is not None and error is not None:
            self._report(run_id, _names(run.init), error)
        elif run is not None and self._keep_failures and run.log.is_replaying:
            # With no room in its cache, Core drops the run for that, and says to the server only what did not fit.
            task_failures.keep_explanation(run.init.workflow_id, run_id, partial(_explained, run.log))
        if self._on_eviction is not None:
            self._on_eviction(run_id, reason)

    def _close(self, run: WorkflowRun, watch: Watch) -> None:
        watch.armed.append((run, None))
        try:
            try:
                run.evict()
            finally:
                watch.disarm()
        except OverrunError:
            _abandon(run)
        except WorkflowInterrupt:
            watch.leave()
            _abandon(run)
        except BaseException:  # the other runs are to go on
            logger.exception("the code of run %s cannot be closed", run.run_id)

    # Failures

    def _fail(self, run_id: str, run: WorkflowRun | None, activation: Activation, error: BaseException) -> None:
        # Its subclasses, which the guard raises, say themselves what is wrong.
        if run is not None and type(error) is NondeterminismError:
            error = _explained(run.log, text_of(error)).with_traceback(error.__traceback__)
        error = without_engine(error)
        self._report(run_id, _names(run.init if run is not None else _initialization(activation)), error)
        self._answer(run_id, error)

    def run(self, run_id: str) -> WorkflowRun | None:
        """A run in the cache. What other threads see of it is whole while no activation of it is in work here."""
        return self._runs.get(run_id)

    def fail_task(self, run_id: str, error: BaseException, names: tuple[str, str] | None = None) -> None:
        """Fail the current task of a run for something that has happened outside of this thread, on any thread.

        Args:
            run_id: The run.
            error: Why.
            names: Type and id of its workflow, if it may not be in the cache yet.
        """
        run = self._runs.get(run_id)
        self._report(run_id, _names(run.init) if run is not None else names, error)
        self._answer(run_id, error)

    def refuse(self, run_id: str, found: OversizedPayloads) -> None:
        """Fail the current task of a run because of payloads that the server would not take, on any thread."""
        run = self._runs.get(run_id)
        operation = operation_of(run, found.message, found.seq) if run is not None else None
        error = oversized_command(found, operation.what if operation is not None else None, self._signature)
        self._report(run_id, _names(run.init) if run is not None else None, error)
        self._answer(run_id, error, too_large=True)

    def _report(self, run_id: str, names: tuple[str, str] | None, error: BaseException) -> None:
        """Tell of the failure here; that must not keep Core from its answer."""
        try:
            self._tell(run_id, names, error)
        except Exception:
            logger.exception("why a task of run %s failed cannot be told", run_id)

    def _tell(self, run_id: str, names: tuple[str, str] | None, error: BaseException) -> None:
        if self._on_failure is not None:
            self._on_failure(run_id, error)
        elif isinstance(error, TaskAbandonedError):
            logger.info("workflow task of run %s will be tried again: %s", run_id, text_of(error))
        else:
            workflow_type, workflow_id = names or ("of unknown type", "")
            self._failures.add(workflow_type, workflow_id, run_id, error)

    def _answer(self, run_id: str, error: BaseException, *, too_large: bool = False) -> None:
        converters = self._runs.get(run_id) or self._context
        failure = failure_of(error, converters.failure_converter, converters.payload_converter)
        self._native.fail_workflow_task(
            run_id,
            failure,
            nondeterminism=isinstance(error, NondeterminismError),
            abandoned=isinstance(error, TaskAbandonedError),
            too_large=too_large,
        )

    # What the watchdog calls, on its thread

    def _shortest_budget(self) -> float:
        if self._deadlock_timeout is None:
            return math.inf
        own = (each.deadlock_timeout for each in self._definitions.values())
        return min((self._deadlock_timeout, *(each for each in own if each)))

    def _budget(self, armed: _Armed) -> float:
        return armed[0].definition.deadlock_timeout or self._deadlock_timeout or math.inf

    def _overrun(self, armed: _Armed, frame: FrameType | None) -> None:
        run, activation = armed
        error = deadlock_error(f"{run.init.workflow_type} {run.init.workflow_id!r}", self._budget(armed), frame)
        self._report(run.run_id, _names(run.init), error)
        if activation is not None:
            self._answer(run.run_id, error)

    def _give_up(self, armed: _Armed) -> None:
        run = armed[0]
        logger.error(
            "workflow code blocks its thread and cannot be interrupted; the other runs go on in a new thread: %s %r, "
            "run %s",
            run.init.workflow_type,
            run.init.workflow_id,
            run.run_id,
        )
        self._runs.pop(run.run_id, None)
        self._start_thread()


def warn_of_nondeterminism(definitions: Definitions) -> None:
    """Warn of what the source of the workflows shows, and running them might not."""
    from invincible._engine.guard import DeterminismWarning, check_definition

    for definition in definitions.values():
        if definition.sandboxed:
            for finding in check_definition(definition):
                warnings.warn(str(finding), DeterminismWarning, stacklevel=3)


def eviction_error(run: WorkflowRun | None, reason: RemoveFromCache) -> Exception | None:
    """The error behind a run's leaving the cache, explained; ``None`` if its code and history have no part in it."""
    if reason.message == _NOT_REPORTED:
        # For another reason than this, the task was too late, or something has happened meanwhile: it comes again.
        if reason.reason != _FATAL:
            return None
        return RuntimeError(
            "the server has not taken the outcome of this task: it could not be reached, or refused what the workflow "
            "code asked for. Which it was is in the log of Core; a refusal is in the history too, with the failure of "
            "the task"
        )
    if reason.reason not in (_NONDETERMINISM, _FATAL) and "[TMPRL1100]" not in reason.message:
        return None
    return _explained(CommandLog() if run is None else run.log, reason.message)


def _explained(log: CommandLog, message: str) -> NondeterminismError:
    return NondeterminismError(log.explain(message))


def _abandon(run: WorkflowRun | None) -> None:
    """Leave a run as an interrupt has left it."""
    _set_running_loop(None)
    if run is not None:
        # Its tasks ended anyhow; why has been told.
        run.loop.set_exception_handler(lambda loop, context: None)


def _names(init: InitializeWorkflow | None) -> tuple[str, str] | None:
    """Type and id of a workflow."""
    return (init.workflow_type, init.workflow_id) if init is not None else None


def _initialization(activation: Activation) -> InitializeWorkflow | None:
    return next((job for job in activation.jobs if type(job) is InitializeWorkflow), None)
