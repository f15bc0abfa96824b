"""The servers of a test session."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import pytest

_LOG_LINES = 2000


class Log(NamedTuple):
    """What a server has logged after a position.

    Attributes:
        position: Where the next lines will be.
        lines: The lines; the oldest are forgotten at some time.
    """

    position: int
    lines: Sequence[str]


class SessionServer:
    """A server that tests of the session share.

    Attributes:
        address: Where it serves, as host:port.
        http_url: Address of its HTTP API, ``None`` if it is not known.
        ui_url: Address of its Web UI, ``None`` if it has none.
    """

    def __init__(
        self,
        address: str,
        http_url: str | None = None,
        ui_url: str | None = None,
        log: Callable[[int], Log] = lambda position: Log(0, ()),
    ) -> None:
        """Describes a server that runs.

        Args:
            address: Where it serves, as host:port.
            http_url: Address of its HTTP API.
            ui_url: Address of its Web UI.
            log: Returns what it has logged after a position; nothing is known of the log by default.
        """
        self.address = address
        self.http_url = http_url
        self.ui_url = ui_url
        self._log = log

    def __repr__(self) -> str:
        """Where it serves."""
        return f"<SessionServer {self.address}>"


class SessionServers(Protocol):
    """Starts servers, one for each set of options."""

    def start(self, *options: str) -> SessionServer:
        """A server with these options: the one that runs with them, or a new one.

        Args:
            options: Flags of the server; ``invincible server --help`` has them.

        Raises:
            ServerStartError: It does not start; the message has the reason.
        """
        ...

    def close(self) -> None:
        """Stops the servers that this has started."""


SERVERS = pytest.StashKey[SessionServers]()


class OwnServers:
    """Servers that this process starts, and that end with it.

    Args:
        binary: The server program, if it is not the installed one.
    """

    def __init__(self, binary: str | None = None) -> None:
        """Starts nothing yet."""
        self._binary = binary
        self._lock = threading.Lock()
        self._started: dict[tuple[str, ...], _Started] = {}

    def start(self, *options: str) -> SessionServer:
        """See :class:`SessionServers`."""
        started = self._get(options)
        ready = started.process.ready
        return SessionServer(ready.grpc, ready.http, ready.ui, started.after)

    def log(self, options: tuple[str, ...], position: int) -> Log:
        """What the server with these options has logged."""
        return self._get(options).after(position)

    def close(self) -> None:
        """See :class:`SessionServers`."""
        with self._lock:
            for started in self._started.values():
                started.process.stop()
            self._started.clear()

    def _get(self, options: tuple[str, ...]) -> _Started:
        with self._lock:
            if options not in self._started:
                self._started[options] = _Started(options, self._binary)
            return self._started[options]


class OtherServer:
    """A server that somebody else runs.

    Args:
        address: Where it serves, as host:port.
    """

    def __init__(self, address: str) -> None:
        """Connects to nothing yet."""
        self._server = SessionServer(address)

    def start(self, *options: str) -> SessionServer:
        """The server, which has the options that it was started with."""
        return self._server

    def close(self) -> None:
        """Leaves it alone."""


class _Started:
    def __init__(self, options: tuple[str, ...], binary: str | None) -> None:
        from invincible.testing._server import ServerProcess

        self._lines: deque[str] = deque(maxlen=_LOG_LINES)
        self._position = 0
        self._lock = threading.Lock()
        ui = () if "--ui-port" in options else ("--headless",)
        self.process = ServerProcess(["--port", "0", *ui, *options], binary=binary, on_log=self._add)

    def after(self, position: int) -> Log:
        with self._lock:
            new = min(self._position - position, len(self._lines))
            return Log(self._position, list(self._lines)[len(self._lines) - new :])

    def _add(self, line: str) -> None:
        with self._lock:
            self._lines.append(line)
            self._position += 1


def session_servers(config: pytest.Config) -> SessionServers:
    """The servers of the session that this process belongs to."""
    if SERVERS not in config.stash:
        config.stash[SERVERS] = _made(config)
    return config.stash[SERVERS]


def _made(config: pytest.Config) -> SessionServers:
    from ._options import Options
    from ._sharing import shared_servers

    options = Options.of(config)
    if options.address is not None:
        return OtherServer(options.address)
    return shared_servers(config) or OwnServers(options.server)
