"""Signals, updates and queries: their handlers, and those that run."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from invincible import _native
from invincible._native import Payload
from invincible.common import RawValue
from invincible.converter._errors import ArgumentError

from . import groups
from .definition import (
    HandlerDefinition,
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
)
from .errors import ContinueAsNewError, UnfinishedSignalHandlersWarning, UnfinishedUpdateHandlersWarning
from .introspection import BUILT_IN_QUERIES
from .log import logger

if TYPE_CHECKING:
    from .run import WorkflowRun

D = TypeVar("D", bound=HandlerDefinition)


@dataclass(frozen=True)
class UpdateInfo:
    """The update that a handler or validator works on.

    Args:
        id: Id of the update, unique in its run.
        name: Name of the update.
    """

    id: str
    name: str


current_update: ContextVar[UpdateInfo | None] = ContextVar("current update", default=None)


class Handlers(Generic[D]):
    """Handlers of one kind by name: those of the definition, with those set at run time before them."""

    def __init__(self, defined: Mapping[str | None, D]) -> None:
        self._defined = defined
        self._changed: dict[str | None, D | None] = {}

    def find(self, name: str) -> D | None:
        """The handler of a name, or else the dynamic one."""
        return self.get(name) or self.get(None)

    def get(self, name: str | None) -> D | None:
        """The handler of a name; of the dynamic one if ``None``."""
        return self._changed[name] if name in self._changed else self._defined.get(name)

    def set(self, name: str | None, handler: D | None) -> None:
        self._changed[name] = handler

    def __iter__(self) -> Iterator[D]:
        handlers = {**self._defined, **self._changed}
        return iter([handler for handler in handlers.values() if handler is not None])

    def names(self) -> str:
        """The names, for errors."""
        return ", ".join(sorted(each.name for each in self if each.name is not None)) or "none"


class Messages:
    """The messages of one run."""

    def __init__(self, run: WorkflowRun) -> None:
        self._run = run
        definition = run.definition
        self.signals: Handlers[SignalDefinition] = Handlers(definition.signals)
        self.queries: Handlers[QueryDefinition] = Handlers(definition.queries)
        self.updates: Handlers[UpdateDefinition] = Handlers(definition.updates)
        self._buffered_signals: list[_native.SignalWorkflow] = []
        # Handlers that run, by the order of their start, and with what their warning names them by.
        self._running_signals: dict[object, tuple[SignalDefinition, str]] = {}
        self._running_updates: dict[object, tuple[UpdateDefinition, str]] = {}

    # Signals

    def signal(self, job: _native.SignalWorkflow) -> None:
        handler = self.signals.find(job.signal_name)
        if handler is None:
            self._buffered_signals.append(job)
        else:
            self._start_signal(handler, job)

    def set_signal_handler(self, name: str | None, handler: SignalDefinition | None) -> None:
        """Replace a handler, ``None`` for the dynamic one; signals that have waited for it are handled now."""
        self.signals.set(name, handler)
        if handler is None or not self._buffered_signals:
            return
        waiting, self._buffered_signals = self._buffered_signals, []
        for job in waiting:
            self.signal(job)

    def _start_signal(self, handler: SignalDefinition, job: _native.SignalWorkflow) -> None:
        try:
            arguments = self._arguments(handler, job.signal_name, job.input)
        except ArgumentError as error:
            if error.index is None:  # too few or too many: a matter of the handler rather than of a value
                raise
            # Anybody can send a signal: one that nobody can read must not block the run.
            run = self._run
            if not run.is_replaying:
                logger.exception(
                    "signal %r of workflow %s %r is dropped, because its arguments do not fit the handler",
                    job.signal_name,
                    run.init.workflow_type,
                    run.init.workflow_id,
                )
            return
        execution = object()
        self._running_signals[execution] = (handler, job.signal_name)
        task = self._run.start_task(_signalled(job, self._signal_call(job, handler, arguments)))
        task.add_done_callback(lambda task: self._running_signals.pop(execution, None))

    # Updates

    def update(self, job: _native.DoUpdate) -> None:
        self._run.loop.create_task(self._run_update(job))

    async def _run_update(self, job: _native.DoUpdate) -> None:
        run = self._run
        execution = object()
        accepted = False
        current_update.set(UpdateInfo(job.id, job.name))
        groups.enter_update_handler(job.id)
        try:
            handler = self.updates.find(job.name)
            if handler is None:
                raise LookupError(
                    f"workflow {run.init.workflow_type!r} has no update {job.name!r}; "
                    f"its updates are: {self.updates.names()}"
                )
            call = self._update_call(job, handler, self._arguments(handler, job.name, job.input))
            if job.run_validator and handler.validator is not None:
                # Arguments of its own: what it changes in them must not reach the handler.
                arguments = self._arguments(handler, job.name, job.input)
                run.read_only = True
                try:
                    self._validate(job, handler, arguments)
                finally:
                    run.read_only = False
            run.emit(_native.UpdateAccepted(protocol_instance_id=job.protocol_instance_id))
            accepted = True
            self._running_updates[execution] = (handler, job.id)
            result = await awaited(call)
            payload = run.encode_result(result, "update", job.name)
            run.emit(_native.UpdateCompleted(protocol_instance_id=job.protocol_instance_id, result=payload))
        except ContinueAsNewError:
            run.fail_task(
                RuntimeError(
                    f"update {job.name!r} cannot continue the workflow as new, because its caller waits for a result: "
                    "set a flag, and call continue_as_new where the workflow waits for it"
                )
            )
        except BaseException as error:
            if run.evicted:
                raise
            # What goes wrong before an update is accepted is its caller's affair alone, and not in history.
            refused = not accepted and job.run_validator and isinstance(error, Exception)
            if refused or run.is_failure_exception(error) or isinstance(error, asyncio.CancelledError):
                run.emit(
                    _native.UpdateRejected(
                        protocol_instance_id=job.protocol_instance_id, failure=run.failure_from(error)
                    )
                )
            else:
                run.fail_task(error)
        finally:
            self._running_updates.pop(execution, None)

    # Queries

    def query(self, job: _native.QueryWorkflow) -> None:
        run = self._run
        run.read_only = True
        try:
            payload = run.encode_result(self._answer(job), "query", job.query_type)
            answer = _native.QueryResult(query_id=job.query_id, result=payload)
        except Exception as error:  # the caller of the query gets it
            answer = _native.QueryResult(query_id=job.query_id, failure=run.failure_from(error))
        finally:
            run.read_only = False
        run.emit(answer)

    def _answer(self, job: _native.QueryWorkflow) -> Any:
        built_in = BUILT_IN_QUERIES.get(job.query_type)
        if built_in is not None:
            return built_in(self._run)
        handler = self.find_query(job.query_type)
        return self.call(handler, self._arguments(handler, job.query_type, job.arguments))()

    def find_query(self, name: str) -> QueryDefinition:
        """The handler of a query.

        Raises:
            RuntimeError: there is none.
        """
        handler = self.queries.find(name)
        if handler is None:
            raise RuntimeError(
                f"workflow {self._run.init.workflow_type!r} has no query {name!r}; "
                f"its queries are: {self.queries.names()}"
            )
        return handler

    # Handlers

    def _arguments(self, handler: HandlerDefinition, name: str, payloads: Sequence[Payload]) -> list[Any]:
        """What a handler is called with; a dynamic one gets the name and what came for it, undecoded."""
        if handler.name is None:
            return [name, [RawValue(payload) for payload in payloads]]
        run = self._run
        return handler.signature.decode(payloads, run.payload_converter, show_values=run.worker.show_values)

    def call(
        self, handler: HandlerDefinition, arguments: Sequence[Any], *, function: Callable[..., Any] | None = None
    ) -> Callable[[], Any]:
        """The call of a handler, or of its validator as the function."""
        function = function or handler.function
        if not handler.bound:
            function = partial(function, self._run.instance)
        if handler.name is None:
            return partial(function, *arguments)
        return partial(handler.signature.call, function, arguments)

    # What interception replaces

    def _signal_call(
        self, job: _native.SignalWorkflow, handler: SignalDefinition, arguments: list[Any]
    ) -> Callable[[], Any]:
        return self.call(handler, arguments)

    def _update_call(self, job: _native.DoUpdate, handler: UpdateDefinition, arguments: list[Any]) -> Callable[[], Any]:
        return self.call(handler, arguments)

    def _validate(self, job: _native.DoUpdate, handler: UpdateDefinition, arguments: list[Any]) -> None:
        self.call(handler, arguments, function=handler.validator)()

    def all_finished(self) -> bool:
        """Whether no handler of a signal or an update runs."""
        return not self._running_signals and not self._running_updates

    def warn_of_unfinished(self) -> None:
        """Warn of handlers that the end of the run cuts off."""
        self._warn(self._running_updates, "update", "its caller gets an error", UnfinishedUpdateHandlersWarning)
        self._warn(self._running_signals, "signal", "its work is lost", UnfinishedSignalHandlersWarning)

    def _warn(
        self,
        running: Mapping[object, tuple[SignalDefinition | UpdateDefinition, str]],
        kind: str,
        consequence: str,
        category: type[Warning],
    ) -> None:
        policy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
        names = [
            f"{handler.name or 'dynamic'} ({name})"
            for handler, name in running.values()
            if handler.unfinished_policy is policy
        ]
        if names:
            run = self._run
            warnings.warn(
                f"[TMPRL1102] workflow {run.init.workflow_type} {run.init.workflow_id!r} ended while {kind} handlers "
                f"still ran: {', '.join(names)}; for each, {consequence}. Wait for them at the end of the workflow: "
                "await workflow.wait_condition(workflow.all_handlers_finished). Where it does not matter, decorate the "
                f"handler with @workflow.{kind}(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON).",
                category,
                stacklevel=2,
            )


async def _signalled(job: _native.SignalWorkflow, call: Callable[[], Any]) -> None:
    groups.enter_signal_handler(job.originating_event_id)
    await awaited(call)


async def awaited(call: Callable[[], Any]) -> Any:
    """The result of a handler, which may be async or not."""
    result = call()
    if type(result) is CoroutineType or asyncio.iscoroutine(result):
        return await result
    return result
