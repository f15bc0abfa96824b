"""What blocking clients have beyond the async ones: an end, and a new beginning after a fork."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any
from weakref import WeakSet

from typing_extensions import Self

from invincible.service import ServiceClient

from .blocking import Blocking
from .calls import Calls

# Connections to make anew in a forked child.
_connections: WeakSet[ServiceClient] = WeakSet()


class ConnectionLifetime(Blocking):
    """A connection to a Temporal service, and raw calls over it; each call blocks its thread.

    Threads and forked processes may use it as they may a :class:`SyncClient`.

    Args:
        config: Where and how to connect. Use :meth:`connect` to have it done.
    """

    def _adopt(self, value: ServiceClient, calls: Calls) -> None:
        super()._adopt(value, calls)
        _connections.add(value)


class Closeable(Blocking):
    """A client that can be closed."""

    def close(self) -> None:
        """Ends the use of the client, and of all handles and iterators it led to: further calls are errors.

        Calls that other threads wait for end with an error. The connection goes when nothing else uses it. Closing
        again does nothing.
        """
        self._calls.close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def _adopt(self, value: Any, calls: Calls) -> None:
        super()._adopt(value, calls)
        _connections.add(value.service_client)


class ClientLifetime(Closeable):
    """Starts workflows in one namespace of a Temporal service, and talks to them; each call blocks its thread.

    It takes what :class:`Client` takes, has what that has, and leads to blocking handles, iterators and descriptions.
    There need be no event loop, and may be one: interceptors and codecs run on one in the background, which all
    blocking clients of the process share.

    Any number of threads may share a client. It also works in processes forked from the one that connected it: the
    first call there makes a connection of its own, on that process's default runtime. Ctrl-C, or any other exception
    that interrupts the waiting thread, aborts the call; :func:`sync_timeout` bounds its time.

    Used as a context manager, the client is closed in the end.

    Example:
        with SyncClient.connect("localhost:7233") as client:
            greeting = client.execute_workflow(Greet.run, "Ada", id="greet-ada", task_queue="greetings")
    """


class CloudClientLifetime(Closeable):
    """Manages an account of Temporal Cloud: namespaces, users, API keys, regions; each call blocks its thread.

    Threads and forked processes may use it as they may a :class:`SyncClient`.

    Example:
        from invincible.api.cloud.cloudservice.v1 import GetNamespacesRequest

        client = SyncCloudOperationsClient.connect(api_key=key, version="v0.4.0")
        namespaces = client.cloud_service.get_namespaces(GetNamespacesRequest())
    """


def _start_over() -> None:
    for connection in list(_connections):
        connection._start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_over)
