"""What each run did the first time, entry by entry; whatever runs its code again must do the same.

Entries are the commands that the engine issues and the notes that programs take. A run's code is first executed task
by task; each time it is executed again, from the start, its entries are compared with those in the ledger. Only the
last of the tasks may turn out otherwise: when its worker has ended before the server knew of it, it is done anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from invincible._engine.run import WorkflowRun
from invincible._native import Failure, Payload

_CONTEXT = 8

# Answers of queries and of validators are not recorded in histories.
_UNRECORDED = ("QueryResult", "UpdateRejected")


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


class _Execution:
    """One execution of a run's code, and how far it is in the record."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.position = 0
        record.executions += 1


class Ledger:
    """All runs of a test.

    Args:
        on_entry: Called with the run's record when a run does something new, on the thread of that run.
        on_divergence: Called with a record and an explanation, on the thread of that run.
    """

    def __init__(
        self, on_entry: Callable[[Record], object], on_divergence: Callable[[Record, str], object]
    ) -> None:
        self.records: dict[str, Record] = {}
        self._on_entry = on_entry
        self._on_divergence = on_divergence
        self._closed = False
        self._executions: WeakKeyDictionary[WorkflowRun, _Execution] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def close(self) -> None:
        """From here on everything is a replay."""
        self._closed = True

    def command(self, run: WorkflowRun, command: Any) -> None:
        """The engine has issued a command."""
        if type(command).__name__ not in _UNRECORDED:
            self.enter(run, f"command {_described(command).replace(repr(run.worker.task_queue), 'the task queue')}")

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
            record = execution.record
            problem = self._replay(execution, entry) if run.is_replaying or self._closed else self._add(execution, entry)
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
        if position >= len(entries):
            return f"when replayed it did more than before: {entry}\n{_before(entries, position)}"
        if entries[position].text != entry.text:
            return f"it did\n    {entries[position]}\n  and when replayed\n    {entry}\n{_before(entries, position)}"
        execution.position = execution.record.replayed = position + 1
        return None

    def _add(self, execution: _Execution, entry: Entry) -> str | None:
        entries, position = execution.record.entries, execution.position
        skipped = entries[position:]
        if skipped and skipped[0].task != skipped[-1].task:
            return f"when replayed it left out {skipped[0]}, and went on with {entry}\n{_before(entries, position)}"
        entries[position:] = [entry]
        execution.position += 1
        return None


def _before(entries: list[Entry], position: int) -> str:
    shown = entries[max(0, position - _CONTEXT) : position]
    return "\n".join(["  before that:", *(f"    {entry}" for entry in shown)]) if shown else "  (its first entry)"


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
