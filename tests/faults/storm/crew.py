"""The worker programs: has them run, tells them to end, and looks at what they leave behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import uuid
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from tests.faults.storm.program import GRACE, KILL_AFTER
from tests.faults.storm.trouble import VARIABLE
from tests.support.conditions import eventually
from tests.support.processes import Program, worker_processes

KINDS = ("errands", "processes")
# Seconds beyond the grace, on a machine that does much else: a server that is gone is asked for a sign of life first.
BOUND = 15.0
_MARK = "STORM_PROGRAM"
_HANG = 120.0


class Crew:
    """The programs that run at a time, and what was wrong with those that did.

    Args:
        address: Where they connect to.
        queue: Task queue of the first; that of the other is made of it.
        switches: The file of the switches.
        logs: Folder for what they print.

    Attributes:
        problems: What was wrong.
        exits: How many programs have ended, by exit code.
        slowest: Seconds that the slowest one took.
    """

    def __init__(self, address: str, queue: str, switches: Path, logs: Path) -> None:
        self._address = address
        self._queues = {"errands": queue, "processes": processes_queue(queue)}
        self._switches = switches
        self._logs = logs
        self._stack = AsyncExitStack()
        self._programs: dict[str, Program] = {}
        self._mark = ""
        self._shifts = 0
        self._descriptors = 0
        self.problems: list[str] = []
        self.exits: dict[int, int] = {}
        self.slowest = 0.0

    async def start(self) -> None:
        """Start the programs, and return when they poll."""
        self._shifts += 1
        self._mark = uuid.uuid4().hex
        env = {VARIABLE: str(self._switches), _MARK: self._mark}
        for kind in KINDS:
            command = [sys.executable, "-m", "tests.faults.storm.program", self._address, self._queues[kind], kind]
            self._programs[kind] = await self._stack.enter_async_context(Program(*command, env=env))
        await asyncio.gather(*(each.line("is running", timeout=_HANG) for each in self._programs.values()))
        self._descriptors = _descriptors(self._programs["errands"].pid)

    def worker_processes(self) -> list[int]:
        """The worker processes of the first program."""
        return worker_processes(self._programs["errands"].pid)

    async def end(self, *, may_be_killed: bool, processes_lost: bool) -> float:
        """Tell the programs to end by SIGTERM, and judge how they do it.

        Args:
            may_be_killed: Whether an activity ignores its end, so that processes of the worker have to be killed.
            processes_lost: Whether somebody may kill processes meanwhile.

        Returns:
            Seconds that the slowest took.
        """
        limits = {"errands": GRACE + BOUND + (KILL_AFTER if may_be_killed else 0.0), "processes": GRACE + BOUND}
        for kind, program in self._programs.items():
            try:
                program.send(signal.SIGTERM)
            except ProcessLookupError:
                self.problems.append(f"{kind} had ended by itself: {program.output[-2000:]}")
        seconds = await asyncio.gather(*(self._ended(kind) for kind in KINDS))
        for (kind, program), took in zip(self._programs.items(), seconds, strict=True):
            code = await program.exit_code()
            self.exits[code] = self.exits.get(code, 0) + 1
            killed, crashed = "and is killed" in program.output, "may not have outlived" in program.output
            if killed and not (may_be_killed and kind == "errands"):
                self.problems.append(f"{self._name(kind)}: a process had to be killed")
            if crashed and not (processes_lost and kind == "errands"):
                self.problems.append(f"{self._name(kind)}: a process crashed at the end")
            if code != int(killed or crashed):
                self.problems.append(f"{self._name(kind)}: exit code {code}")
            if took > limits[kind]:
                self.problems.append(f"{self._name(kind)}: took {took:.1f} s to end, more than {limits[kind]:g}")
            path = self._logs / f"{self._name(kind)}.log"
            path.write_text(program.output, encoding="utf-8")
        await self._nothing_left()
        await self._stack.aclose()
        self.slowest = max(self.slowest, *seconds)
        return max(seconds)

    async def stop(self) -> None:
        """End what still runs."""
        await self._stack.aclose()

    def check_descriptors(self) -> None:
        """See whether the first program, whose processes were killed and started again, has kept what was theirs."""
        now = _descriptors(self._programs["errands"].pid)
        if now > self._descriptors + 2:
            self.problems.append(f"{self._name('errands')}: {now} descriptors, {self._descriptors} at first")

    def _name(self, kind: str) -> str:
        return f"{kind}-{self._shifts}"

    async def _ended(self, kind: str) -> float:
        began = time.monotonic()
        program = self._programs[kind]
        try:
            await program.exit_code(timeout=_HANG)
        except AssertionError:
            self.problems.append(f"{self._name(kind)}: hangs")
            await program.kill()
        return time.monotonic() - began

    async def _nothing_left(self) -> None:
        async def gone() -> bool:
            return not self._left()

        try:
            await eventually(gone, what="all processes are gone", timeout=3)
        except AssertionError:
            for pid in self._left():
                self.problems.append(f"left behind: {_read(pid, 'cmdline').decode()!r}")
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _left(self) -> list[int]:
        mark = f"{_MARK}={self._mark}".encode()
        pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal())
        return [pid for pid in pids if mark in _read(pid, "environ")]


def processes_queue(queue: str) -> str:
    """The task queue of the program whose activities run in processes."""
    return f"{queue}-processes"


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it has ended
        return b""


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
