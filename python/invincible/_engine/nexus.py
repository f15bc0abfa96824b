"""Nexus operations that a run has asked for."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from invincible import _native
from invincible._native import CanceledFailureInfo, Failure, NexusOperationFailureInfo, Payload
from invincible.converter import SerializationContext

from .contexts import SYSTEM_ENDPOINT, nexus_context
from .groups import EventGroup, markers
from .nexus_reference import operation_reference
from .operations import Pending, StartedOperationHandle
from .options import NexusOperationCancellationType, given_groups, seconds

if TYPE_CHECKING:
    from .run import WorkflowRun

T = TypeVar("T")

# Numbers of stand-ins for operations that are left to themselves: past those of operations.
_STAND_INS = 1 << 31


class NexusOperationHandle(Generic[T]):
    """A Nexus operation that has started: await it for the result, ``cancel()`` it to ask for its cancellation.

    Cancelling is a request: the handle ends when the operation has, as its cancellation type says, and then raises
    ``NexusOperationError`` with a ``CancelledError`` as cause, or returns the result if it completed all the same.
    """

    # Awaitable, and no future as the other handles are: `gather` and `shield` wrap it in a task of their own, and
    # histories depend on the turn that this takes.

    def __init__(self, operation: NexusOperation[T]) -> None:
        """Wraps the operation."""
        self._operation = operation

    @property
    def operation_token(self) -> str | None:
        """Names the operation to its handler; ``None`` for one that was done at once."""
        return self._operation.token

    def cancel(self) -> bool:
        """Ask for the cancellation; whether there was still something to cancel."""
        return self._operation.cancel()

    def __await__(self) -> Generator[Any, Any, T]:
        """Wait for the result."""
        return self._operation.__await__()


class NexusOperation(StartedOperationHandle[T]):
    """The future behind a handle."""

    __slots__ = ("is_system", "stand_in", "token")

    def __init__(
        self, run: WorkflowRun, seq: int, operation: str, result_type: Any, context: SerializationContext | None
    ) -> None:
        super().__init__(run, seq, f"Nexus operation {operation!r}", result_type, context)
        self.token: str | None = None
        # What Core is told of in place of its cancellation, if that leaves it to itself.
        self.stand_in: _native.ScheduleNexusOperation | None = None
        # One of the server itself, which has no codec.
        self.is_system = False

    def _cancel_command(self) -> Any:
        if self.stand_in is not None:
            self._run.settle = self._run.nexus.settle
        return _native.RequestCancelNexusOperation(seq=self._seq)

    @property
    def is_started(self) -> bool:
        """Whether its start, or that it did not start, has been told."""
        return self._started.done()

    def on_start(self, token: str | None, failure: Failure | None) -> None:
        self.token = token
        self.resolve_start(self._run.exception_from(failure, self.context) if failure is not None else None)

    def on_abandoned(self, stand_in: _native.ScheduleNexusOperation) -> None:
        """It is cancelled for its waiter: with the failure that Core would make."""
        info = NexusOperationFailureInfo(
            endpoint=stand_in.endpoint,
            service=stand_in.service,
            operation=stand_in.operation,
            operation_token=self.token or "",
        )
        cause = Failure("", info=CanceledFailureInfo())
        self.resolve(None, Failure("Nexus operation cancelled after starting", info=info, cause=cause))


class NexusOperations:
    """The Nexus operations of one run."""

    def __init__(self, run: WorkflowRun) -> None:
        self.run = run
        self.pending: Pending[NexusOperation[Any]] = Pending("Nexus operation")
        # Those that nobody waits for any more; Core tells of their start and end all the same.
        self._left: set[int] = set()

    def resolve_start(self, job: _native.ResolveNexusOperationStart) -> None:
        if job.seq in self._left:
            return
        # One that did not start gives no second job.
        operation = self.pending[job.seq] if job.failure is None else self.pending.take(job.seq)
        if operation.stand_in is not None and job.seq == operation.stand_in.seq:
            operation.on_abandoned(operation.stand_in)
        else:
            operation.on_start(job.operation_token, job.failure)

    def resolve(self, job: _native.ResolveNexusOperation) -> None:
        if job.seq in self._left:
            return
        operation = self.pending.take(job.seq)
        if operation.is_started:
            operation.resolve(job.result, job.failure)
        else:  # cancelled before its start, for which its cancellation type does not wait
            self._left.add(job.seq)
            operation.on_start(None, job.failure)

    def settle(self, commands: list[Any]) -> list[Any]:
        """Have Core not told of the cancellation of operations that have started and are left to themselves.

        Core would have their waiters told that they are cancelled, but takes the end of the operations for a mismatch
        then. So it is told of others, cancelled as soon as they are scheduled: the server hears of neither, and the
        answers come when, and in the order in which, those for the operations themselves would.
        """
        settled: list[Any] = []
        for command in commands:
            if type(command) is not _native.RequestCancelNexusOperation:
                settled.append(command)
                continue
            operation = self.pending.get(command.seq)
            if operation is None or operation.stand_in is None or not operation.is_started:
                if command.seq not in self._left:
                    settled.append(command)
                continue
            self.pending.discard(command.seq)
            self._left.add(command.seq)
            stand_in = operation.stand_in
            self.pending[stand_in.seq] = operation
            settled += (stand_in, _native.RequestCancelNexusOperation(seq=stand_in.seq))
        return settled

    async def call(
        self,
        endpoint: str,
        service: str,
        operation: Any,
        input: Any,
        *,
        output_type: type | None,
        schedule_to_close_timeout: timedelta | None,
        schedule_to_start_timeout: timedelta | None,
        start_to_close_timeout: timedelta | None,
        cancellation_type: NexusOperationCancellationType,
        headers: Mapping[str, str] | None,
        summary: str | None,
        event_groups: Sequence[EventGroup] | None,
    ) -> NexusOperationHandle[Any]:
        """Start an operation as workflow code asks for it; see ``start``."""
        run = self.run
        name, declared = operation_reference(operation)
        context = nexus_context(run, endpoint, service, name)
        return await self.start(
            endpoint,
            service,
            name,
            run.encode([input], "Nexus operation", name, context)[0],
            output_type or declared,
            context,
            schedule_to_close_timeout=seconds("schedule_to_close_timeout", schedule_to_close_timeout),
            schedule_to_start_timeout=seconds("schedule_to_start_timeout", schedule_to_start_timeout),
            start_to_close_timeout=seconds("start_to_close_timeout", start_to_close_timeout),
            cancellation_type=int(NexusOperationCancellationType(cancellation_type)),
            headers=headers,
            summary=summary,
            groups=given_groups(event_groups),
        )

    async def start(
        self,
        endpoint: str,
        service: str,
        operation: str,
        input: Payload,
        result_type: Any,
        context: SerializationContext | None,
        *,
        schedule_to_close_timeout: float | None = None,
        schedule_to_start_timeout: float | None = None,
        start_to_close_timeout: float | None = None,
        cancellation_type: int = 0,
        headers: Mapping[str, str] | None = None,
        summary: str | None = None,
        groups: Sequence[EventGroup] = (),
    ) -> NexusOperationHandle[Any]:
        """Start an operation; the handle, which resolves with its result, is there once it has started."""
        run = self.run
        run.require_writable("starting a Nexus operation")
        seq = self.pending.next_seq()
        run.emit(
            _native.ScheduleNexusOperation(
                seq=seq,
                endpoint=endpoint,
                service=service,
                operation=operation,
                input=input,
                schedule_to_close_timeout=schedule_to_close_timeout,
                schedule_to_start_timeout=schedule_to_start_timeout,
                start_to_close_timeout=start_to_close_timeout,
                nexus_header=dict(headers or {}),
                cancellation_type=cancellation_type,
                summary=run.text(summary, context),
                event_groups=markers(groups),
            )
        )
        started: NexusOperation[Any] = NexusOperation(run, seq, operation, result_type, context)
        started.is_system = endpoint == SYSTEM_ENDPOINT
        if cancellation_type == NexusOperationCancellationType.ABANDON:
            started.stand_in = _native.ScheduleNexusOperation(
                seq=_STAND_INS + seq, endpoint=endpoint, service=service, operation=operation
            )
        self.pending[seq] = started
        await started.wait_started()
        return NexusOperationHandle(started)
