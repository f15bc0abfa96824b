"""The embedded server of ``invincible dev``: where it listens, and what becomes of its log."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from invincible.testing._server import ServerProcess

PORT = 7233
_UI_OFFSET = 1000
_HOST = "127.0.0.1"

logger = logging.getLogger("invincible.server")
_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}
# Fields of its log lines that are not worth a line of a terminal.
_LEFT_OUT = frozenset({"level", "time", "message", "logging-call-at", "stacktrace", "errorVerbose"})


@dataclass(frozen=True)
class ServerOptions:
    """How the server is run.

    Args:
        port: Where it listens; ``None`` for the usual port, or a free one if that is taken.
        ui: Whether there is a Web UI.
        ui_port: Where; ``None`` as for ``port``.
        database: The file to keep everything in; in memory if ``None``.
        namespace: The namespace to have.
        log_level: From which level on to log; failures of tasks, which workers tell better, are warnings.
    """

    port: int | None = None
    ui: bool = True
    ui_port: int | None = None
    database: Path | None = None
    namespace: str = "default"
    log_level: str = "error"

    def flags(self, port: int, ui_port: int) -> list[str]:
        """Flags of the server program."""
        flags = ["--ip", _HOST, "--port", str(port), "--log-format", "json", "--log-level", self.log_level]
        flags += ["--ui-port", str(ui_port)] if self.ui else ["--headless"]
        if self.database is not None:
            flags += ["--db", str(self.database)]
        if self.namespace != "default":
            flags += ["--namespace", self.namespace]
        return flags

    def ports(self) -> tuple[int, int, list[int]]:
        """Port, port of the Web UI, and those of the usual ones that are taken."""
        taken = []
        port = self.port
        if port is None:
            port = PORT if is_free(PORT) else 0
            taken += [] if port else [PORT]
        ui_port = self.ui_port
        if ui_port is None:
            usual = PORT + _UI_OFFSET if self.port is None else port + _UI_OFFSET
            wanted = self.ui and self.port != 0
            ui_port = usual if wanted and usual < 2**16 and is_free(usual) else 0
            taken += [usual] if wanted and not ui_port and usual < 2**16 else []
        return port, ui_port, taken


class DevServer(ServerProcess):
    """A server whose log goes to ``logging``.

    Args:
        flags: Flags of the server program.
        on_end: Called, from a thread, when it has ended.
    """

    def __init__(self, flags: Sequence[str], on_end: Callable[[], object]) -> None:
        super().__init__(flags, on_log=_log)
        self._ending = threading.Thread(target=self._wait, args=(on_end,), daemon=True)
        self._ending.start()

    def _wait(self, on_end: Callable[[], object]) -> None:
        self._process.wait()
        on_end()


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    try:
        socket.create_server((_HOST, port)).close()
    except OSError:
        return False
    return True


def _log(line: str) -> None:
    try:
        said = json.loads(line)
        level, text = _LEVELS.get(said["level"], logging.WARNING), str(said["message"])
    except (ValueError, KeyError, TypeError):
        logger.warning("%s", line)
        return
    fields = ", ".join(f"{name} {value}" for name, value in said.items() if name not in _LEFT_OUT)
    logger.log(level, "%s%s", text, f" ({fields})" if fields else "")
