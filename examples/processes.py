"""The programs of a demo as child processes."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

# Seconds that a program may take to be ready.
START_TIMEOUT = 60.0


class ProgramEndedError(Exception):
    """A program ended that should not have, or never got ready."""


@dataclass
class Program:
    """A running program.

    Attributes:
        name: What it is called in messages.
        pid: Its process id.
        ready_line: The line that said it was ready.
        ended: Ends with the exit code when the program does.
    """

    name: str
    pid: int
    ready_line: str
    ended: asyncio.Task[int]


@asynccontextmanager
async def running(
    name: str, *command: str, ready: str, env: Mapping[str, str], echo: Callable[[str, str], None]
) -> AsyncIterator[Program]:
    """Run a program for the time of the `async with` block, which starts when the program is ready.

    At its end the program is asked to stop (SIGTERM); it is killed if it has not stopped after 15 seconds.

    Args:
        name: What to call it in messages.
        command: The program and its arguments.
        ready: A regular expression for the line it prints when it is ready.
        env: Environment variables on top of this process's own.
        echo: Called with the name and each other line that the program prints.

    Raises:
        ProgramEndedError: It ended before it was ready, or was not ready in time.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C is for the demo, which stops its programs in order
    )
    ready_line = asyncio.get_running_loop().create_future()

    async def read() -> int:
        assert process.stdout is not None
        async for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip()
            if not ready_line.done() and re.search(ready, line):
                ready_line.set_result(line)
            else:
                echo(name, line)
        return await process.wait()

    ended = asyncio.create_task(read())
    try:
        await asyncio.wait([ready_line, ended], timeout=START_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if not ready_line.done() and not ended.done():
            raise ProgramEndedError(f"the {name} was not ready within {START_TIMEOUT:.0f} s")
        if not ready_line.done():
            raise ProgramEndedError(f"the {name} ended with exit code {ended.result()} before it was ready")
        yield Program(name, process.pid, ready_line.result(), ended)
    finally:
        try:
            if process.returncode is None:
                process.terminate()
                await asyncio.wait([ended], timeout=15)
        finally:
            if process.returncode is None:
                process.kill()
            await ended
