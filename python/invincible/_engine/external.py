"""Signals and cancellation requests to other workflows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic, TypeVar, overload

from invincible import _native
from invincible._native import Failure, Payload
from invincible.converter import SerializationContext
from invincible.types import MethodSyncOrAsyncNoParam, MethodSyncOrAsyncSingleParam, ParamType

from .contexts import workflow_context
from .groups import EventGroup, markers
from .loop import set_unless_done
from .operations import Pending
from .options import given_groups
from .reference import NOT_GIVEN, signal_reference

if TYPE_CHECKING:
    from .run import WorkflowRun

S = TypeVar("S")


@dataclass(frozen=True)
class SignalTarget:
    """Who gets a signal: a child, or any workflow by its id; in the namespace of the run if none is named."""

    child_workflow_id: str | None = None
    workflow_id: str = ""
    run_id: str = ""
    namespace: str = ""


class ExternalWorkflowHandle(Generic[S]):
    """Another workflow, which may run anywhere. Made by ``workflow.get_external_workflow_handle``."""

    def __init__(self, run: WorkflowRun, workflow_id: str, run_id: str | None) -> None:
        """Creates the handle; nothing is checked."""
        self._run = run
        self._id = workflow_id
        self._run_id = run_id

    @property
    def id(self) -> str:
        """Id of the workflow."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """Run that the handle is about; the current one if ``None``."""
        return self._run_id

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[S, None], *, event_groups: Sequence[EventGroup] | None = None
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[S, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[S, ...], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    async def signal(
        self,
        signal: Any,
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Send the workflow a signal, and wait until it has arrived.

        Args:
            signal: A method decorated with ``workflow.signal``, or the signal's name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            event_groups: Groups that the signal's event belongs to.

        Raises:
            ApplicationError: there is no such workflow, or it has ended.
            TypeError: ``signal`` is no signal, or the arguments do not fit it.
        """
        reference = signal_reference(signal)
        target = SignalTarget(workflow_id=self._id, run_id=self._run_id or "")
        await self._run.external.signal(target, reference.name, reference.bind(arg, args), given_groups(event_groups))

    async def cancel(self, *, reason: str = "", event_groups: Sequence[EventGroup] | None = None) -> None:
        """Ask for the cancellation of the workflow, and wait until the request has arrived.

        Args:
            reason: Why, for its history.
            event_groups: Groups that the request's event belongs to.

        Raises:
            ApplicationError: there is no such workflow, or it has ended.
        """
        await self._run.external.cancel(self._id, self._run_id or "", reason, given_groups(event_groups))


@dataclass(frozen=True)
class _Sent:
    """Something that the server is to confirm."""

    done: asyncio.Future[None]
    what: str
    context: SerializationContext | None


class External:
    """What a run has sent to other workflows, and is not answered yet."""

    def __init__(self, run: WorkflowRun) -> None:
        self.run = run
        self.signals: Pending[_Sent] = Pending("signal to another workflow")
        self.cancellations: Pending[_Sent] = Pending("cancellation request to another workflow")

    def resolve_signal(self, job: _native.ResolveSignalExternalWorkflow) -> None:
        self._resolve(self.signals.take(job.seq), job.failure)

    def resolve_cancel(self, job: _native.ResolveRequestCancelExternalWorkflow) -> None:
        self._resolve(self.cancellations.take(job.seq), job.failure)

    def _resolve(self, sent: _Sent, failure: Failure | None) -> None:
        if failure is None:
            set_unless_done(sent.done)
        elif not sent.done.done():
            sent.done.set_exception(self.run.exception_from(failure, sent.context))

    async def signal(
        self,
        target: SignalTarget,
        signal: str,
        arguments: Sequence[Any],
        groups: Sequence[EventGroup],
        *,
        headers: Mapping[str, Payload] | None = None,
    ) -> None:
        """Send a signal and wait until the server has delivered it; to cancel the wait is to withdraw the signal."""
        run = self.run
        run.require_writable("signalling another workflow")
        context = workflow_context(run, target.child_workflow_id or target.workflow_id)
        payloads = run.encode(arguments, "signal", signal, context)
        seq = self.signals.next_seq()
        run.emit(
            _native.SignalExternalWorkflowExecution(
                seq=seq,
                signal_name=signal,
                arguments=payloads,
                headers=headers,
                namespace=target.namespace or run.worker.namespace,
                workflow_id=target.workflow_id,
                run_id=target.run_id,
                child_workflow_id=target.child_workflow_id,
                event_groups=markers(groups),
            )
        )
        done: asyncio.Future[None] = run.loop.create_future()
        self.signals[seq] = _Sent(done, f"signal {signal!r}", context)
        while True:
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                # Core takes the withdrawal of a signal that has arrived, not that of one that has failed.
                if done.done() and done.exception() is not None:
                    raise
                if not self._has_failed(seq):
                    run.emit(_native.CancelSignalWorkflow(seq=seq))

    def _has_failed(self, seq: int) -> bool:
        """Whether this very activation tells that a signal has failed: code that messages wake is told later."""
        activation = self.run.activation
        return activation is not None and any(
            type(job) is _native.ResolveSignalExternalWorkflow and job.seq == seq and job.failure is not None
            for job in activation.jobs
        )

    async def cancel(self, workflow_id: str, run_id: str, reason: str, groups: Sequence[EventGroup]) -> None:
        """Ask for the cancellation of a workflow and wait until the server has delivered the request."""
        run = self.run
        run.require_writable("cancelling another workflow")
        seq = self.cancellations.next_seq()
        run.emit(
            _native.RequestCancelExternalWorkflowExecution(
                seq=seq,
                namespace=run.worker.namespace,
                workflow_id=workflow_id,
                run_id=run_id,
                reason=reason,
                event_groups=markers(groups),
            )
        )
        done: asyncio.Future[None] = run.loop.create_future()
        self.cancellations[seq] = _Sent(done, "a cancellation request", workflow_context(run, workflow_id))
        await done
