"""Programs under test as real processes: what they print, how they end, how they are killed."""

import asyncio
import os
import re
import signal
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

REPOSITORY = Path(__file__).resolve().parents[2]


def is_gone(pid: int) -> bool:
    """Whether there is no such process, or only what is left until somebody asks how it ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # A process whose parent is dead may stay as a zombie where nobody reaps orphans.
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


class Program:
    """A process that runs for the time of the `async with` block, in the repository's root folder.

    ```python
    async with Program(sys.executable, "-m", "examples.counter.worker") as worker:
        await worker.line("ready")
        await worker.kill()
    ```

    At the end of the block a process that still runs is asked to stop (SIGTERM), and has 10 seconds for it.

    Args:
        command: The program and its arguments.
        env: Environment variables on top of this process's own.
    """

    def __init__(self, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        self._command = [str(part) for part in command]
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self._lines: list[str] = []
        self._unseen: deque[str] = deque()
        self._ended = False
        self._changed = asyncio.Condition()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything printed so far, standard output and standard error in order of arrival."""
        return "\n".join(self._lines)

    async def line(self, pattern: str, *, timeout: float = 30) -> str:
        """The next line in which `pattern` is found; lines up to it are not looked at again.

        Raises:
            AssertionError: The process ended, or `timeout` seconds passed, without such a line.
        """
        try:
            line = await asyncio.wait_for(self._next_match(pattern), timeout)
        except asyncio.TimeoutError:
            raise AssertionError(self._report(f"printed no line with {pattern!r} in {timeout} s")) from None
        if line is None:
            raise AssertionError(self._report(f"ended without a line with {pattern!r}"))
        return line

    async def exit_code(self, *, timeout: float = 30) -> int:
        """Wait for the end of the process and of its output; negative when a signal ended it.

        Raises:
            AssertionError: It still runs after `timeout` seconds.
        """
        done, _ = await asyncio.wait([self._reader], timeout=timeout)
        if not done:
            raise AssertionError(self._report(f"had not ended after {timeout} s"))
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; the process decides what it does about it.

        Raises:
            ProcessLookupError: It has ended.
        """
        if self._process.returncode is not None:
            raise ProcessLookupError
        # Not by the process object, which may take the exit code away from the event loop.
        os.kill(self._process.pid, number)

    async def kill(self) -> None:
        """SIGKILL, and wait until the process is gone. It gets no chance to say goodbye to anyone."""
        self._process.kill()
        await self._process.wait()

    async def __aenter__(self) -> "Program":
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=REPOSITORY,
            env=self._env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._process.returncode is None:
                self._process.terminate()
                await self.exit_code(timeout=10)
        finally:
            if self._process.returncode is None:
                await self.kill()
            self._reader.cancel()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip("\r\n")
            async with self._changed:
                self._lines.append(line)
                self._unseen.append(line)
                self._changed.notify_all()
        await self._process.wait()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def _next_match(self, pattern: str) -> str | None:
        async with self._changed:
            while True:
                while self._unseen:
                    line = self._unseen.popleft()
                    if re.search(pattern, line):
                        return line
                if self._ended:
                    return None
                await self._changed.wait()

    def _report(self, what: str) -> str:
        return f"{' '.join(self._command)} (pid {self.pid}) {what}; its output:\n{self.output or '(nothing)'}"


def worker_processes(pid: int) -> list[int]:
    """The processes of a worker, by the process id of its program; only on Linux."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                # The name of the program, in parentheses, may have blanks.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            if parent == pid and b"spawn_main" in command:
                found.append(int(entry.name))
    return found
