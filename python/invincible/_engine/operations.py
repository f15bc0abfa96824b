"""What Core carries out for a run: operations by sequence number, and the futures that workflow code awaits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from invincible._native import Failure, Payload
from invincible.converter import SerializationContext
from invincible.converter._signature import decode_result

from .errors import NondeterminismError
from .groups import markers
from .loop import WorkflowFuture, WorkflowLoop
from .options import ActivityOptions, LocalActivityOptions

if TYPE_CHECKING:
    from .run import WorkflowRun

T = TypeVar("T")


class Pending(dict[int, T]):
    """Operations under way, by their numbers, which count from 1: histories depend on it.

    Looking up a number that is not there raises ``NondeterminismError``: the workflow code has started no such thing.

    Args:
        kind: What they are, ``activity`` say, as errors name it.
    """

    __slots__ = ("_kind", "_seq")

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._seq = 0

    def next_seq(self) -> int:
        """The number of the next operation."""
        self._seq = seq = self._seq + 1
        return seq

    def __missing__(self, seq: int) -> NoReturn:
        raise NondeterminismError(
            f"history has an event for {self._kind} {seq}, but the workflow code has started no such {self._kind}"
        )

    def take(self, seq: int) -> T:
        """The operation that a job ends."""
        operation = self.pop(seq, None)
        return self[seq] if operation is None else operation

    def take_unless_discarded(self, seq: int) -> T | None:
        """The operation that a job ends, ``None`` if the code discarded it earlier in the same task."""
        operation = self.pop(seq, None)
        return self[seq] if operation is None and seq > self._seq else operation

    def discard(self, seq: int) -> bool:
        """Forget an operation; whether it was still there."""
        return self.pop(seq, None) is not None


def option_fields(
    run: WorkflowRun, options: ActivityOptions | LocalActivityOptions, context: SerializationContext | None
) -> dict[str, Any]:
    """The fields of a command that options make; none for options that are not given, since each field takes time."""
    fields = vars(options).copy()
    if "summary" in fields:
        fields["summary"] = run.text(options.summary, context)
    groups = markers(options.event_groups)
    if groups:
        fields["event_groups"] = groups
    return fields


class OperationHandle(WorkflowFuture[T]):
    """The result of an operation.

    Args:
        run: The run that asked for it.
        seq: Its number.
        what: How errors name it, ``activity 'ship'`` say.
        result_type: The type of its result, ``None`` for what the payload gives.
        context: What its values belong to; ``None`` for the workflow, or if nobody wants to know.
    """

    __slots__ = (
        "_overtaken",
        "_resolved",
        "_result_type",
        "_run",
        "_seq",
        "cancel_requested",
        "context",
        "what",
    )

    def __init__(
        self, run: WorkflowRun, seq: int, what: str, result_type: Any, context: SerializationContext | None = None
    ) -> None:
        super().__init__(loop=run.loop)
        self._run = run
        self._seq = seq
        self.what = what
        self._result_type = result_type
        self.context = context
        self.cancel_requested = False
        self._resolved = False
        self._overtaken = False

    def cancel(self, msg: Any = None) -> bool:
        """Ask for the cancellation; whether there was still something to cancel."""
        if self.done():
            return False
        if not self._run.evicted:  # the end of an evicted run cancels too, and that is no news
            self._run.require_writable(f"cancelling {self.what}")
        self.cancel_requested = True
        # An end that is on the way to the waiter is overtaken by the cancellation.
        self._overtaken = self._resolved
        return True

    def resolve(self, result: Payload | None, failure: Failure | None) -> None:
        self._resolved = True
        self._run.outcomes.add(self, result, failure)

    def finish(self, result: Payload | None, failure: Failure | None) -> None:
        """Give the outcome to those who wait."""
        if self.done():
            return
        if self._overtaken:
            asyncio.Future.cancel(self)
            return
        if failure is not None:
            self._fail(failure)
            return
        run = self._run
        try:
            value = decode_result(
                result,
                self._result_type,
                run.payload_converter if self.context is None else run.converter(self.context),
                self.what,
                show_values=run.worker.show_values,
            )
        except Exception as error:  # raised where the result is awaited
            self.set_exception(error)
        else:
            self.set_result(value)

    def _fail(self, failure: Failure) -> None:
        run = self._run
        try:
            error = run.exception_from(failure, self.context)
        except Exception as conversion:
            run.fail_task(conversion)
            return
        self.set_exception(error)
        if self.cancel_requested:
            # Who cancels an operation need not look at what comes of it: asyncio would log that nobody did.
            self.exception()


_Outcome = tuple[OperationHandle[Any], "Payload | None", "Failure | None"]


class Outcomes:
    """What operations have come to, on the way to those who wait.

    Histories depend on the order in which waiting code continues: an outcome arrives two turns of the loop after a
    callback that became ready at the same time. Outcomes with nothing in between share these turns.
    """

    __slots__ = ("_latest", "_loop", "_next_turn")

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop
        self._latest: list[_Outcome] = []
        # The turn after the first one of the latest, for as long as nothing else has become ready.
        self._next_turn = -1

    def add(self, operation: OperationHandle[Any], result: Payload | None, failure: Failure | None) -> None:
        """Have an operation finish in two turns."""
        loop = self._loop
        if loop.next_turn() == self._next_turn:
            self._latest.append((operation, result, failure))
        else:
            self._latest = [(operation, result, failure)]
            loop.call_soon(self._pass_on, self._latest)
            self._next_turn = loop.next_turn()

    def _pass_on(self, outcomes: list[_Outcome]) -> None:
        self._next_turn = -1
        loop = self._loop
        if loop.next_turn() == loop.turn + 1:  # nothing else is ready: the next turn is theirs as well
            self._finish(outcomes)
        else:
            loop.call_soon(self._finish, outcomes)

    def _finish(self, outcomes: list[_Outcome]) -> None:
        for operation, result, failure in outcomes:
            try:
                operation.finish(result, failure)
            except Exception as error:  # as if it had the turn for itself
                self._loop.call_exception_handler({"message": f"{operation.what} cannot end", "exception": error})
        outcomes.clear()


class StartedOperationHandle(OperationHandle[T]):
    """An operation whose start is confirmed before its result comes."""

    __slots__ = ("_started",)

    def __init__(
        self, run: WorkflowRun, seq: int, what: str, result_type: Any, context: SerializationContext | None = None
    ) -> None:
        super().__init__(run, seq, what, result_type, context)
        self._started: asyncio.Future[None] = run.loop.create_future()

    def cancel(self, msg: Any = None) -> bool:
        if not super().cancel(msg):
            return False
        self._run.loop.call_soon(self._request_cancel)
        return True

    def _request_cancel(self) -> None:
        # Even if it has ended meanwhile, as long as its waiter does not know: histories depend on it.
        if not self.done() and not self._run.evicted:
            self._run.emit(self._cancel_command())

    def _cancel_command(self) -> Any:
        """The command that asks for the cancellation."""
        raise NotImplementedError

    async def wait_started(self) -> None:
        """Wait until it has started; to cancel the wait is to cancel the operation."""
        while True:
            try:
                return await asyncio.shield(self._started)
            except asyncio.CancelledError:
                self._request_cancel()
                if self._started.done():
                    raise

    def resolve_start(self, error: BaseException | None) -> None:
        if self._started.done():
            return
        if error is None:
            self._started.set_result(None)
        else:
            self._started.set_exception(error)
