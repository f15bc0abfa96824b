"""What each run did the first time, entry by entry; whatever runs its code again must do the same.

Entries are the commands that the engine issues and the notes that programs take. A run's code is first executed task
by task; each time it is executed again, from the start, its entries are compared with those in the ledger. Only the
last of the tasks may turn out otherwise: when its worker has ended before the server knew of it, it is done anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from invincible._engine.run import WorkflowRun
from invincible._native import Failure, Payload

_CONTEXT = 8

# Answers of queries and of validators are not recorded in histories.
_UNRECORDED = ("QueryResult", "UpdateRejected")

_ENDS = (
    "CancelWorkflowExecution",
    "CompleteWorkflowExecution",
    "ContinueAsNewWorkflowExecution",
    "FailWorkflowExecution",
)


class DivergenceError(AssertionError):
    """A run did something else when its code was executed again."""


@dataclass(frozen=True)
class Entry:
    """Something that a run did.

    Args:
        text: What.
        task: The length of the history at the workflow task in which it did.
    """

    text: str
    task: int

    def __str__(self) -> str:
        return f"{self.text} (task {self.task})"


@dataclass
class Record:
    """What the ledger has on one run.

    Args:
        workflow_id: Its workflow.
        run_id: The run.
        entries: What it did.
        executions: How often its code has begun.
        replayed: How many of the entries the last execution has met again.
    """

    workflow_id: str
    run_id: str
    entries: list[Entry] = field(default_factory=list)
    executions: int = 0
    replayed: int = 0

    def last(self, position: int | None = None) -> str:
        """The last entries, or those before a position, for people to read."""
        end = len(self.entries) if position is None else position
        shown = self.entries[max(0, end - _CONTEXT) : end]
        return "\n".join(["  before that:", *(f"    {entry}" for entry in shown)]) if shown else "  (its first entry)"


class _Execution:
    """One execution of a run's code, how far it is in the record, and whether the run has ended."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.position = 0
        self.ended = False
        record.executions += 1
        record.replayed = 0


class Ledger:
    """All runs of a test.

    Args:
        on_entry: Called with the run's record when a run does something new, on the thread of that run.
        on_divergence: Called with a record and an explanation, on the thread of that run.
    """

    def __init__(self, on_entry: Callable[[Record], object], on_divergence: Callable[[Record, str], object]) -> None:
        self.records: dict[str, Record] = {}
        self._on_entry = on_entry
        self._on_divergence = on_divergence
        self._closed = False
        self._cut_short: frozenset[str] = frozenset()
        self._executions: WeakKeyDictionary[WorkflowRun, _Execution] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def close(self, cut_short: Collection[str]) -> None:
        """From here on everything is a replay.

        Args:
            cut_short: Runs that others have ended. Their last task may never have been completed, or not even begun.
        """
        self._closed = True
        self._cut_short = frozenset(cut_short)

    def command(self, run: WorkflowRun, command: Any) -> None:
        """The engine has issued a command."""
        name = type(command).__name__
        if name not in _UNRECORDED:
            self.enter(run, f"command {_described(command).replace(repr(run.worker.task_queue), 'the task queue')}")
        if name in _ENDS:
            self._executions[run].ended = True

    def enter(self, run: WorkflowRun, text: str) -> None:
        """A run does something.

        Raises:
            DivergenceError: the first time it did something else.
        """
        if run.evicted or run.read_only:
            return
        assert run.activation is not None
        entry = Entry(text, run.activation.history_length)
        with self._lock:
            execution = self._execution(run)
            if execution.ended:
                # Code that still runs has no say any more.
                return
            record = execution.record
            problem = (
                self._replay(execution, entry) if run.is_replaying or self._closed else self._add(execution, entry)
            )
        if problem is not None:
            self._on_divergence(record, problem)
            raise DivergenceError(problem)
        if not run.is_replaying:
            self._on_entry(record)

    def _execution(self, run: WorkflowRun) -> _Execution:
        execution = self._executions.get(run)
        if execution is None:
            record = self.records.setdefault(run.run_id, Record(run.init.workflow_id, run.run_id))
            execution = self._executions[run] = _Execution(record)
        return execution

    def _replay(self, execution: _Execution, entry: Entry) -> str | None:
        entries, position = execution.record.entries, execution.position
        known = entries[position] if position < len(entries) else None
        if known is None or known.text != entry.text:
            if execution.record.run_id in self._cut_short and (known is None or known.task == entries[-1].task):
                execution.ended = True
                return None
            if known is None:
                return f"when replayed it did more than before: {entry}\n{execution.record.last(position)}"
            return f"it did\n    {known}\n  and when replayed\n    {entry}\n{execution.record.last(position)}"
        execution.position = execution.record.replayed = position + 1
        return None

    def _add(self, execution: _Execution, entry: Entry) -> str | None:
        entries, position = execution.record.entries, execution.position
        skipped = entries[position:]
        if skipped and skipped[0].task != skipped[-1].task:
            return (
                f"when replayed it left out {skipped[0]}, and went on with {entry}\n{execution.record.last(position)}"
            )
        entries[position:] = [entry]
        execution.position += 1
        return None


def _described(value: Any) -> str:
    """A record of the bridge with all that it says, except where failures were raised."""
    if isinstance(value, Payload):
        return value.data.decode(errors="replace")
    if isinstance(value, Failure):
        return f"{value.message!r}, {_described(value.info)}, cause: {_described(value.cause)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_described, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_described(each)}' for key, each in sorted(value.items()))}}}"
    if isinstance(value, float):
        return f"{value:.4f}"
    if not type(value).__module__.startswith("invincible"):
        return repr(value)
    said = ((name, getattr(value, name)) for name in dir(type(value)) if not name.startswith("_"))
    words = (f"{name}={_described(each)}" for name, each in said if each not in (None, "", 0) and not callable(each))
    return f"{type(value).__name__}({', '.join(words)})"
