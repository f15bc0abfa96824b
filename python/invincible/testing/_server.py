"""The embedded server as a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_ENVIRONMENT_VARIABLE = "INVINCIBLE_SERVER"
_STOP_TIMEOUT = 10.0
_LOG_LINES = 50


class ServerError(RuntimeError):
    """The server could not be found, did not start, or ended."""


def server_binary(path: str | os.PathLike[str] | None = None) -> Path:
    """The program of the embedded server: `path`, or what `INVINCIBLE_SERVER` names, or that of `invincible-server`.

    Raises:
        ServerError: there is none; the message says how to get it.
    """
    named = path or os.environ.get(_ENVIRONMENT_VARIABLE)
    if named:
        binary = Path(named)
        if not binary.is_file():
            source = "the path given" if path else _ENVIRONMENT_VARIABLE
            raise ServerError(f"{source} names {binary} as the server, and there is no such file")
        return binary
    try:
        from invincible_server import binary_path
    except ImportError:
        raise ServerError(
            "the embedded server is not installed: pip install invincible-server, "
            f"or name a server program in {_ENVIRONMENT_VARIABLE}"
        ) from None
    return Path(binary_path())


@dataclass(frozen=True)
class Ready:
    """What the server says of itself once it serves; addresses are host:port, URLs begin with http."""

    grpc: str
    ui: str | None
    metrics: str | None
    namespaces: Sequence[str]
    server_version: str


class ServerProcess:
    """A running server.

    Args:
        options: Flags of the server program, without the path.
        binary: The program; see `server_binary`.
        timeout: Seconds it may take to start.

    Raises:
        ServerError: it does not start; the message has its own words.
    """

    def __init__(
        self, options: Sequence[str] = (), *, binary: str | os.PathLike[str] | None = None, timeout: float = 60.0
    ) -> None:
        program = server_binary(binary)
        self._process = subprocess.Popen(
            # The server ends with its parent, even one that is killed.
            [program, *options, "--parent-pid", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._ready_line: str | None = None
        self._announced = threading.Event()
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._read_output, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._read_log, args=(self._process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
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
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join()

    def _wait_until_ready(self, timeout: float) -> Ready:
        if not self._announced.wait(timeout):
            raise ServerError(f"the server was not ready within {timeout:g} s; it logged:\n{self.log}")
        if self._ready_line is None:
            status = self._process.wait()
            self._readers[1].join()
            raise ServerError(f"the server did not start (exit status {status}): {self.log or 'it said nothing'}")
        said: dict[str, Any] = json.loads(self._ready_line)
        return Ready(
            grpc=said["grpc"],
            ui=said["ui"],
            metrics=said["metrics"],
            namespaces=said["namespaces"],
            server_version=said["server_version"],
        )

    def _read_output(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                if self._ready_line is None and '"ready"' in line:
                    self._ready_line = line
                    self._announced.set()
        self._announced.set()

    def _read_log(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self._log.append(line.rstrip())
                # In a test run this is captured and shown with the test that fails.
                sys.stderr.write(line)
