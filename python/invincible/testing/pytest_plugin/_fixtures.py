"""The fixtures. They are synchronous, so that tests of all kinds can have them: with and without an event loop,
whatever runs it, and for however long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from ._precedence import TAKEN
from ._record import OWN_NAMESPACE, RECORD, Record
from ._servers import SessionServer, SessionServers, session_servers

if TYPE_CHECKING:
    from invincible.client import Client, SyncClient
    from invincible.common import SearchAttributeKey
    from invincible.testing import WorkerFactory, WorkflowEnvironment
    from invincible.testing._worker_options import WorkerOptions

# Seconds that calls of a server on this machine may take, as slow as that may be.
_TIMEOUT = 60.0
_CLEANUP = 10.0


@pytest.fixture(scope="session")
def invincible_server_options() -> Sequence[str]:
    """Flags of the session's server, `["--dynamic-config-value", "limit.blobSize.error=1048576"]` say."""
    return ()


@pytest.fixture(scope="session")
def invincible_search_attributes() -> Sequence[SearchAttributeKey[Any]]:
    """Search attributes that the namespaces of tests have."""
    return ()


@pytest.fixture
def invincible_client_options() -> dict[str, Any]:
    """Arguments of `Client.connect` for the client of a test: `data_converter`, `interceptors`, `plugins`."""
    return {}


@pytest.fixture
def invincible_worker_options() -> WorkerOptions:
    """Arguments of `Worker` for all workers of a test."""
    return {}


@pytest.fixture(scope="session")
def invincible_servers(pytestconfig: pytest.Config) -> SessionServers:
    """Starts servers with options of their own: `invincible_servers.start("--search-attribute", "Area=Keyword")`."""
    return session_servers(pytestconfig)


@pytest.fixture(scope="session")
def invincible_server(invincible_servers: SessionServers, invincible_server_options: Sequence[str]) -> SessionServer:
    """The server of the session, started when the first test needs it; its `address` is host:port."""
    return invincible_servers.start(*invincible_server_options)


@pytest.fixture
def invincible_namespace(
    request: pytest.FixtureRequest,
    invincible_server: SessionServer,
    invincible_search_attributes: Sequence[SearchAttributeKey[Any]],
) -> str:
    """The name of a new namespace, which belongs to the test alone."""
    from invincible.client import Client

    from ._blocking import wait_for
    from ._namespaces import register, unique_name

    async def make() -> None:
        client = await Client.connect(invincible_server.address)
        await register(client, name, invincible_search_attributes)

    name = unique_name(request.node.name)
    wait_for(make(), _TIMEOUT)
    request.node.stash[OWN_NAMESPACE] = name
    return name


@pytest.fixture
def task_queue(request: pytest.FixtureRequest) -> str:
    """The name of a task queue, which belongs to the test alone."""
    from ._namespaces import unique_name

    return unique_name(request.node.name)


@pytest.fixture
def env(
    request: pytest.FixtureRequest,
    invincible_server: SessionServer,
    invincible_namespace: str,
    invincible_client_options: dict[str, Any],
) -> Iterator[WorkflowEnvironment]:
    """A `WorkflowEnvironment` in a namespace of its own, on the session's server.

    What the test leaves open in that namespace is ended after it.
    """
    from invincible.client import Client

    from ._blocking import wait_for
    from ._environments import environment_for

    position = invincible_server._log(0).position
    options = {"namespace": invincible_namespace, **invincible_client_options}
    connected = wait_for(Client.connect(invincible_server.address, **options), _TIMEOUT)
    made = environment_for(request, connected)
    own = request.node.stash.get(OWN_NAMESPACE, None) == connected.namespace
    record = request.node.stash[RECORD] = Record(connected, invincible_server, position, own)
    yield made
    if record.own_namespace:
        from ._cleanup import end_all

        try:
            record.left += wait_for(end_all(connected), _CLEANUP)
        except Exception as error:  # the test is over; what it has said about the code stands
            record.left.append(f"its namespace could not be cleaned up: {type(error).__name__}: {error}")


@pytest.fixture
def client(env: WorkflowEnvironment) -> Client:
    """The client of the test's environment."""
    return env.client


@pytest.fixture
def sync_client(env: WorkflowEnvironment) -> SyncClient:
    """The same client for tests without an event loop."""
    from invincible.client import SyncClient

    from ._blocking import CallsOutsideLoops

    return SyncClient._of(env.client, CallsOutsideLoops())


@pytest.fixture
def worker(
    request: pytest.FixtureRequest,
    env: WorkflowEnvironment,
    task_queue: str,
    invincible_worker_options: WorkerOptions,
) -> Iterator[WorkerFactory]:
    """Makes workers: `async with worker(Greeting, greet):`, or `with` in a test without an event loop.

    `worker.task_queue` is what workflows are to be started on.
    """
    from invincible.client import Client
    from invincible.testing import WorkerFactory

    # A client of the user's own, with a data converter say, is the workers' client as well.
    found = None if "client" in request.config.stash[TAKEN] else request.getfixturevalue("client")
    client = found if isinstance(found, Client) else env.client
    env._adopt(client)
    factory = WorkerFactory(client, task_queue, invincible_worker_options)
    record = request.node.stash.get(RECORD, None)
    if record is not None:
        record.workers = factory
    yield factory
    notes = factory.notes()
    factory.end()
    if record is not None:
        record.left += notes
