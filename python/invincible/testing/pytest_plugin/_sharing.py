"""One server for all processes of pytest-xdist: the process that controls them starts it when one of them asks."""

from __future__ import annotations

import secrets
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from ._options import Options
from ._servers import Log, OwnServers, SessionServer, SessionServers, session_servers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_INPUT = "invincible"


class Sharing:
    """Answers the processes that ask for servers.

    Args:
        servers: The servers.
    """

    def __init__(self, servers: OwnServers) -> None:
        """Listens, for those of this machine who have the key."""
        from multiprocessing.connection import Listener

        self._servers = servers
        self._key = secrets.token_bytes(32)
        self._listener = Listener(authkey=self._key)
        self._closed = False
        threading.Thread(target=self._serve, name="invincible-servers", daemon=True).start()

    def start(self, *options: str) -> SessionServer:
        """See :class:`SessionServers`."""
        return self._servers.start(*options)

    def close(self) -> None:
        """See :class:`SessionServers`."""
        self._closed = True
        self._listener.close()
        self._servers.close()

    @property
    def input(self) -> list[str]:
        """What a process needs in order to ask."""
        return [str(self._listener.address), self._key.hex()]

    def _serve(self) -> None:
        from multiprocessing import AuthenticationError

        while not self._closed:
            # Whoever has no key, or is gone before it is answered, is no reason to leave the others without a server.
            with suppress(OSError, EOFError, AuthenticationError):
                connection = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        from invincible.testing._server import ServerStartError

        with connection, suppress(OSError, EOFError):
            options, position = connection.recv()
            try:
                if position is None:
                    server = self._servers.start(*options)
                    connection.send((server.address, server.http_url, server.ui_url))
                else:
                    connection.send(tuple(self._servers.log(options, position)))
            except ServerStartError as error:
                connection.send(str(error))


class AskedServers:
    """The servers of the process that controls this one.

    Args:
        address: Where that process listens.
        key: Its key.
    """

    def __init__(self, address: str, key: bytes) -> None:
        """Asks for nothing yet."""
        self._address = address
        self._key = key

    def start(self, *options: str) -> SessionServer:
        """See :class:`SessionServers`."""
        from functools import partial

        from invincible.testing._server import ServerStartError

        answer = self._ask(options, None)
        if isinstance(answer, str):
            raise ServerStartError(answer)
        address, http_url, ui_url = answer
        return SessionServer(address, http_url, ui_url, partial(self._log, options))

    def close(self) -> None:
        """Leaves them to the process that has started them."""

    def _log(self, options: tuple[str, ...], position: int) -> Log:
        return Log(*self._ask(options, position))

    def _ask(self, options: tuple[str, ...], position: int | None) -> Any:
        from multiprocessing.connection import Client

        with Client(self._address, authkey=self._key) as connection:
            connection.send((options, position))
            return connection.recv()


def share_with(node: Any) -> None:
    """Lets a process of pytest-xdist ask for servers, if it is on this machine."""
    config: pytest.Config = node.config
    if Options.of(config).address is not None or not node.gateway.spec.popen:
        return
    sharing = config.stash.get(_SHARING, None)
    if sharing is None:
        from ._servers import SERVERS

        servers = session_servers(config)
        assert isinstance(servers, OwnServers)
        sharing = config.stash[_SHARING] = config.stash[SERVERS] = Sharing(servers)
    node.workerinput[_INPUT] = sharing.input


def shared_servers(config: pytest.Config) -> SessionServers | None:
    """The servers to ask for in a process of pytest-xdist; ``None`` elsewhere, and on other machines."""
    given: list[str] | None = getattr(config, "workerinput", {}).get(_INPUT)
    return None if given is None else AskedServers(given[0], bytes.fromhex(given[1]))


_SHARING = pytest.StashKey[Sharing]()
