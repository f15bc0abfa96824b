"""The embedded server as a child process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_ENVIRONMENT_VARIABLE = "INVINCIBLE_SERVER"
_STOP_TIMEOUT = 10.0
_LOG_LINES = 50


class ServerStartError(RuntimeError):
    """The embedded server could not be found, or did not start. The message has its own words."""


def server_binary(path: str | os.PathLike[str] | None = None) -> Path:
    """The server program: ``path``, or what ``INVINCIBLE_SERVER`` names, or that of the package ``invincible-server``.

    Raises:
        ServerStartError: there is none; the message says how to get it.
        TypeError: ``path`` is none.
    """
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"the path of a server program must be a str or a path, got {type(path).__name__}")
    named = path or os.environ.get(_ENVIRONMENT_VARIABLE)
    if named:
        binary = Path(named)
        source = "the path given" if path else _ENVIRONMENT_VARIABLE
        if not binary.is_file():
            raise ServerStartError(f"{source} names {binary} as the server, and there is no such file")
        if not os.access(binary, os.X_OK):
            raise ServerStartError(f"{source} names {binary} as the server, and it is not executable")
        return binary
    try:
        from invincible_server import binary_path
    except ImportError:
        raise ServerStartError(
            "the embedded server is not installed: pip install invincible-server, "
            f"or name a server program in {_ENVIRONMENT_VARIABLE}"
        ) from None
    try:
        return Path(binary_path())
    except FileNotFoundError as error:
        raise ServerStartError(str(error)) from None


@dataclass(frozen=True)
class Ready:
    """Where a server serves; addresses are host:port, URLs begin with http."""

    grpc: str
    http: str
    ui: str | None
    metrics: str | None
    namespaces: Sequence[str]


class ServerProcess:
    """A running server. It ends with this process, however this process ends.

    Args:
        options: Flags of the server program, without the path.
        binary: The program; see ``server_binary``.
        timeout: Seconds it may take to start.
        on_log: Called with each line that the server logs, on a thread; by default it goes to standard error.

    Raises:
        ServerStartError: it does not start.
    """

    def __init__(
        self,
        options: Sequence[str] = (),
        *,
        binary: str | os.PathLike[str] | None = None,
        timeout: float = 60.0,
        on_log: Callable[[str], object] | None = None,
    ) -> None:
        self._program = server_binary(binary)
        self._process = _launch([str(self._program), *options, "--parent-pid", str(os.getpid())])
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._on_log = on_log if on_log is not None else _to_standard_error
        self._ready_line: str | None = None
        self._announced = threading.Event()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._output_reader = threading.Thread(target=self._read_output, args=(self._process.stdout,), daemon=True)
        self._log_reader = threading.Thread(target=self._read_log, args=(self._process.stderr,), daemon=True)
        self._output_reader.start()
        self._log_reader.start()
        try:
            self.ready = self._wait_until_ready(timeout)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def log(self) -> str:
        """The last lines that the server has logged."""
        return "\n".join(self._log)

    def stop(self) -> None:
        """Stop the server and wait for its end. A second time does nothing."""
        if self._process.poll() is None:
            self._signal(kill=False)
            try:
                self._process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._signal(kill=True)
        self._process.wait()
        # A program that runs the server may end before it, and leave it with the pipes.
        readers = self._output_reader, self._log_reader
        for reader in readers:
            reader.join(_STOP_TIMEOUT)
        if any(reader.is_alive() for reader in readers):
            self._signal(kill=True)
            for reader in readers:
                reader.join(_STOP_TIMEOUT)

    def _signal(self, *, kill: bool) -> None:
        """Tells the program, and what it runs, to end."""
        if sys.platform == "win32":
            self._process.kill()
            return
        with suppress(ProcessLookupError, PermissionError):  # of what has ended, as some systems say
            os.killpg(self._process.pid, signal.SIGKILL if kill else signal.SIGTERM)

    def _wait_until_ready(self, timeout: float) -> Ready:
        if not self._announced.wait(timeout):
            raise ServerStartError(
                f"the server was not ready within {timeout:g} s; it logged:\n{self.log or 'nothing'}"
            )
        if self._ready_line is None:
            status = self._process.wait()
            self._log_reader.join()
            raise ServerStartError(f"the server did not start (exit status {status}): {self.log or 'it said nothing'}")
        try:
            said: dict[str, Any] = json.loads(self._ready_line)
            return Ready(**{name: said[name] for name in Ready.__dataclass_fields__})
        except (ValueError, KeyError):
            raise ServerStartError(
                f"{self._program} is no server of this package: it said {self._ready_line!r}"
            ) from None

    def _read_output(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                if self._ready_line is None:
                    self._ready_line = line
                    self._announced.set()
        self._announced.set()

    def _read_log(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._log.append(line.rstrip())
                # Whatever becomes of the line, the server must not wait for a reader.
                with suppress(Exception):
                    self._on_log(line.rstrip())


def _to_standard_error(line: str) -> None:
    # Looked up each time: programs replace it, and test runners capture what is written to the one of the moment.
    sys.stderr.write(f"{line}\n")


def _launch(command: Sequence[str]) -> subprocess.Popen[str]:
    # A Ctrl-C in the terminal is for the program that runs the server, which may need the server to end well.
    windows_flags: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=os.name == "posix",
            creationflags=windows_flags,
        )
    except OSError as error:
        raise ServerStartError(f"cannot run the server {command[0]}: {error.strerror or error}") from error
