"""The `invincible` command on a pseudo terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

from tests.support.conditions import eventually


class Terminal:
    """A command that runs on a pseudo terminal of 80 columns.

    Args:
        address: Where the server is.
        arguments: Of the command.
        variables: Further variables of its environment.
    """

    def __init__(self, address: str, *arguments: str, **variables: str) -> None:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self._master = master
        self.screen = ""
        environment = {**os.environ, "TEMPORAL_ADDRESS": address, "TERM": "xterm", **variables}
        command = [sys.executable, "-m", "invincible.cli", *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        os.set_blocking(master, False)

    async def shows(self, text: str) -> bool:
        """Whether it has shown a text."""
        self._read()
        return text in self.screen

    async def ended(self) -> int:
        """Its exit code, once it has ended."""

        async def code() -> tuple[int] | None:
            self._read()
            found = self.process.poll()
            return None if found is None else (found,)

        (exit_code,) = await eventually(code, what=f"the command ends; it shows {self.screen!r}")
        self._read()
        return exit_code

    def close(self) -> None:
        """Ends it, if it has not ended."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self) -> None:
        try:
            while part := os.read(self._master, 65536):
                self.screen += part.decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # nothing more now, or at all
            pass
