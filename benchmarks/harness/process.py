"""Child processes that answer in lines of JSON. Each has a deadline: a benchmark fails, it does not hang."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

# For the slowest single measurement on a loaded machine.
DEADLINE_SECONDS = 300.0


class ProcessError(Exception):
    """A child process failed or did not answer in time; the message has its command line and its error output."""


def environment(libraries: Path | None = None) -> dict[str, str]:
    """The parent's environment, with the libraries of a scenario importable and nothing else that steers Python."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return inherited | ({"PYTHONPATH": str(libraries)} if libraries else {})


def run(command: Sequence[str], env: dict[str, str]) -> dict[str, Any]:
    """Run a program to its end and return the JSON object that it prints."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ProcessError(f"`{' '.join(command)}` did not end within {DEADLINE_SECONDS:.0f} s") from error
    if done.returncode and not done.stdout:
        raise ProcessError(f"`{' '.join(command)}` ended with status {done.returncode}:\n{done.stderr}")
    _warn_of_status(done.returncode, command)
    answers = [line for line in done.stdout.splitlines() if _is_answer(line)]
    if len(answers) != 1:
        raise ProcessError(f"`{' '.join(command)}` printed {len(answers)} answers, not one:\n{done.stdout}")
    return _decode(answers[0])


class Talker:
    """A program that serves until its input is closed and answers each line with a JSON object.

    ```python
    with Talker(command, env) as worker:
        ready = worker.answer()
        sample = worker.ask()
    ```
    """

    def __init__(self, command: Sequence[str], env: dict[str, str]) -> None:
        self._command = command
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def returncode(self) -> int | None:
        """None while the program runs."""
        return self._process.returncode

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=DEADLINE_SECONDS)
        except queue.Empty:
            raise ProcessError(f"`{' '.join(self._command)}` did not answer within {DEADLINE_SECONDS:.0f} s") from None
        if line is None:
            raise ProcessError(f"`{' '.join(self._command)}` ended without an answer; see its error output above")
        return _decode(line)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if _is_answer(line):
                self._answers.put(line)
        self._answers.put(None)

    def __enter__(self) -> Talker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if error is None:
                self._process.stdin.close()
                self._process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            raise ProcessError(f"`{' '.join(self._command)}` did not stop within {DEADLINE_SECONDS:.0f} s") from None
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdin.close()
            self._reader.join()
            self._process.stdout.close()
        if error is None:
            _warn_of_status(self._process.returncode, self._command)


def _warn_of_status(status: int, command: Sequence[str]) -> None:
    """The answer is what counts: native threads that outlive the interpreter may still break the exit of a program."""
    if status:
        print(f"\nwarning: `{' '.join(command)}` gave its answer and ended with status {status}", file=sys.stderr)


def _is_answer(line: str) -> bool:
    """Core writes its log to standard output, too."""
    return line.startswith("{")


def _decode(line: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(line)
    return answer
