"""``WorkflowEnvironment``: a server and a client for it, for the time of a test."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

from invincible.client import Client, Interceptor, Plugin, SyncClient
from invincible.common import QueryRejectCondition, SearchAttributeKey
from invincible.converter import DataConverter
from invincible.runtime import Runtime
from invincible.service import RetryConfig, TLSConfig

from ._clocks import Clocks
from ._environment_time import EnvironmentTime
from ._server import ServerProcess
from ._server_options import refuse_download, server_options, start_timeout
from ._time_skipping import UNLIMITED, TimeSkippingConfig

if TYPE_CHECKING:
    from invincible.api.nexus.v1 import Endpoint

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True


class WorkflowEnvironment(EnvironmentTime):
    """A client, and the server behind it if the environment has started one.

    Those who wait for a workflow's result through this client are told when a task of it failed for a bug in workflow
    code: ``WorkflowTaskFailedError``, with the traceback. Elsewhere the server tries such a task again and again, and a
    test would wait for ever.

    Time is real in environments of :meth:`start_local` and :meth:`from_client`, and skipped in those of
    :meth:`start_time_skipping` and :meth:`start_time_skipping_v2`, where each workflow has a clock of its own. Child
    workflows, retries, cron and continuing as new go on with that clock.

    Args:
        client: The client.

    Example:
        async with await WorkflowEnvironment.start_time_skipping() as env:
            async with Worker(env.client, task_queue="test", workflows=[Subscription]):
                await env.client.execute_workflow(Subscription.run, "Ada", id="subscription", task_queue="test")
    """

    def __init__(self, client: Client) -> None:
        """An environment over a server that runs already, as :meth:`from_client` makes it."""
        if not isinstance(client, Client):
            raise TypeError(f"client must be a Client, got {type(client).__name__}")
        self._client = client
        self._server: ServerProcess | None = None
        clocks = client._time_skipping
        self._clocks = clocks if isinstance(clocks, Clocks) else None
        self._adopt(client)

    def __repr__(self) -> str:
        """Where it is, and whose time it is."""
        time = "real time"
        if self._clocks is not None:
            time = "time stands until somebody waits" if self._clocks.held else "time is skipped from the start"
        return f"<WorkflowEnvironment of {self._client!r}, {time}>"

    @staticmethod
    def from_client(client: Client, *, time_skipping: bool = False) -> WorkflowEnvironment:
        """An environment over a server that runs already; :meth:`shutdown` leaves it alone.

        Args:
            client: The client. It is changed: it tells of bugs in workflow code, and skips time if asked for.
            time_skipping: Whether its workflows skip time, as :meth:`start_time_skipping` has it. The server must allow
                it: the embedded one does, a cluster needs the dynamic configuration
                ``frontend.WorkflowTimeSkippingEnabled``. That of a client of a ``TimeSkipper`` does in any case.
        """
        environment = WorkflowEnvironment(client)
        if time_skipping:
            environment._skip_time(UNLIMITED, held=True)
        return environment

    @staticmethod
    async def start_local(
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        tls: bool | TLSConfig = False,
        ip: str = "127.0.0.1",
        port: int | None = None,
        download_dest_dir: str | None = None,
        ui: bool = False,
        runtime: Runtime | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dev_server_existing_path: str | os.PathLike[str] | None = None,
        dev_server_database_filename: str | os.PathLike[str] | None = None,
        dev_server_log_format: str = "pretty",
        dev_server_log_level: str | None = "warn",
        dev_server_download_version: str = "default",
        dev_server_extra_args: Sequence[str] = (),
        dev_server_download_ttl: timedelta | None = None,
        dev_server_startup_timeout: timedelta | None = None,
        ui_port: int | None = None,
    ) -> WorkflowEnvironment:
        """Start the embedded server, which nothing is downloaded for, and connect a client to it.

        Args:
            namespace: The client's namespace, created if it is not "default".
            data_converter: As for ``Client.connect``, like the next options.
            interceptors: Code around the client's calls.
            plugins: What changes the client's configuration and connection.
            default_workflow_query_reject_condition: States in which queries are rejected.
            retry_config: How failed calls are repeated.
            rpc_metadata: Headers of every call.
            identity: How the server names the client.
            tls: Must be false: the server has no TLS.
            ip: Address to listen on.
            port: Port for clients and workers; a free one by default.
            download_dest_dir: Has no effect, as nothing is downloaded; a warning says so.
            ui: Whether to serve the Web UI.
            runtime: Core's threads; the default runtime if not given.
            search_attributes: Search attributes to register.
            dev_server_existing_path: The server program; by default that of the package ``invincible-server``.
            dev_server_database_filename: SQLite file to keep everything in; in memory by default.
            dev_server_log_format: "pretty" or "json". What the server logs is written to standard error.
            dev_server_log_level: "debug", "info", "warn", "error" or "never"; the level of the logger ``invincible`` if
                ``None``.
            dev_server_download_version: Must be "default": the version is that of the installed package.
            dev_server_extra_args: More flags of the server; ``invincible server --help`` has them.
            dev_server_download_ttl: Has no effect, as nothing is downloaded; a warning says so.
            dev_server_startup_timeout: How long the start may take; a minute by default.
            ui_port: Port of the Web UI; a free one by default. The Web UI is served if this is given.

        Raises:
            ServerStartError: The server is not installed or does not start; the message has the reason.
            TypeError: An option is of a wrong type; the message names it.
            ValueError: An option makes no sense; the message names it.
        """
        refuse_download(
            "dev_server_download_version",
            dev_server_download_version,
            {"download_dest_dir": download_dest_dir, "dev_server_download_ttl": dev_server_download_ttl},
        )
        if tls:
            raise ValueError("tls must be false: the embedded server has no TLS, and listens on this machine only")
        options = server_options(
            namespace=namespace,
            ip=ip,
            port=port,
            ui=ui,
            ui_port=ui_port,
            search_attributes=search_attributes,
            database=dev_server_database_filename,
            log_format=dev_server_log_format,
            log_level=dev_server_log_level,
            extra_args=dev_server_extra_args,
        )
        timeout = start_timeout("dev_server_startup_timeout", dev_server_startup_timeout)
        server = await _start(options, dev_server_existing_path, timeout)
        try:
            client = await Client.connect(
                server.ready.grpc,
                namespace=namespace,
                data_converter=data_converter,
                interceptors=interceptors,
                plugins=plugins,
                default_workflow_query_reject_condition=default_workflow_query_reject_condition,
                retry_config=retry_config,
                rpc_metadata=rpc_metadata,
                identity=identity,
                runtime=runtime,
            )
            environment = WorkflowEnvironment(client)
        except BaseException:
            await asyncio.to_thread(server.stop)
            raise
        environment._server = server
        return environment

    @staticmethod
    async def start_time_skipping(
        *,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        port: int | None = None,
        download_dest_dir: str | None = None,
        runtime: Runtime | None = None,
        test_server_existing_path: str | os.PathLike[str] | None = None,
        test_server_download_version: str = "default",
        test_server_extra_args: Sequence[str] = (),
        test_server_download_ttl: timedelta | None = None,
        test_server_startup_timeout: timedelta | None = None,
        namespace: str = "default",
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        ui: bool = False,
    ) -> WorkflowEnvironment:
        """:meth:`start_local`, with workflows whose time is skipped while somebody waits for their results.

        Until then their time stands, but for what :meth:`sleep` and :meth:`fast_forward` let pass: a test can send
        signals and ask queries on the day it likes.

        Args:
            data_converter: As for ``Client.connect``, like the next options.
            interceptors: Code around the client's calls.
            plugins: What changes the client's configuration and connection.
            default_workflow_query_reject_condition: States in which queries are rejected.
            retry_config: How failed calls are repeated.
            rpc_metadata: Headers of every call.
            identity: How the server names the client.
            port: Port for clients and workers; a free one by default.
            download_dest_dir: Has no effect, as nothing is downloaded; a warning says so.
            runtime: Core's threads; the default runtime if not given.
            test_server_existing_path: The server program; by default that of the package ``invincible-server``.
            test_server_download_version: Must be "default": the version is that of the installed package.
            test_server_extra_args: More flags of the server; ``invincible server --help`` has them.
            test_server_download_ttl: Has no effect, as nothing is downloaded; a warning says so.
            test_server_startup_timeout: How long the start may take; a minute by default.
            namespace: The client's namespace, created if it is not "default".
            search_attributes: Search attributes to register.
            ui: Whether to serve the Web UI.

        Raises:
            ServerStartError: The server is not installed or does not start; the message has the reason.
            TypeError: An option is of a wrong type; the message names it.
            ValueError: An option makes no sense; the message names it.
        """
        refuse_download(
            "test_server_download_version",
            test_server_download_version,
            {"download_dest_dir": download_dest_dir, "test_server_download_ttl": test_server_download_ttl},
        )
        start_timeout("test_server_startup_timeout", test_server_startup_timeout)
        environment = await WorkflowEnvironment.start_local(
            namespace=namespace,
            data_converter=data_converter,
            interceptors=interceptors,
            plugins=plugins,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            retry_config=retry_config,
            rpc_metadata=rpc_metadata,
            identity=identity,
            port=port,
            ui=ui,
            runtime=runtime,
            search_attributes=search_attributes,
            dev_server_existing_path=test_server_existing_path,
            dev_server_extra_args=test_server_extra_args,
            dev_server_startup_timeout=test_server_startup_timeout,
        )
        return environment._skip_time(UNLIMITED, held=True)

    @staticmethod
    async def start_time_skipping_v2(
        *, ts_config: TimeSkippingConfig = UNLIMITED, **kwargs: Any
    ) -> WorkflowEnvironment:
        """:meth:`start_local`, with workflows that skip time from their start, whether somebody waits for them or not.

        Args:
            ts_config: How they do.
            kwargs: Options of :meth:`start_local`.

        Raises:
            ServerStartError: The server is not installed or does not start; the message has the reason.
            TypeError: An option is of a wrong type; the message names it.
            ValueError: An option makes no sense; the message names it.
        """
        if not isinstance(ts_config, TimeSkippingConfig):
            raise TypeError(f"ts_config must be a TimeSkippingConfig, got {type(ts_config).__name__}")
        return (await WorkflowEnvironment.start_local(**kwargs))._skip_time(ts_config, held=False)

    @property
    def client(self) -> Client:
        """The client."""
        return self._client

    @property
    def ui_url(self) -> str | None:
        """Address of the Web UI, ``None`` without one."""
        return self._server.ready.ui if self._server is not None else None

    @property
    def always_replay(self) -> bool:
        """Whether workers of the environment replay each workflow from its start for every task.

        Code that does not replay, which production would show days later, then fails at once. Set it before workers are
        made; it holds for :attr:`client` and for clients that are connected afterwards.
        """
        return self._client._always_replay

    @always_replay.setter
    def always_replay(self, value: bool) -> None:
        self._client._always_replay = value

    async def connect_client(self, **kwargs: Any) -> Client:
        """Connect another client to the server of this environment.

        Its workflows skip time as those of :attr:`client` do.

        Args:
            kwargs: Options of ``Client.connect``. Server, namespace, credentials and runtime are by default those of
                :attr:`client`.
        """
        client = await Client.connect(**{**self._connection(), **kwargs})
        self._adopt(client)
        return client

    async def connect_sync_client(self, **kwargs: Any) -> SyncClient:
        """:meth:`connect_client` for a blocking client, to be used in other threads than the one of the event loop.

        Args:
            kwargs: Options of ``SyncClient.connect``.
        """
        client = await asyncio.to_thread(SyncClient.connect, **{**self._connection(), **kwargs})
        self._adopt(client._async)
        return client

    async def create_nexus_endpoint(self, endpoint_name: str, task_queue: str) -> Endpoint:
        """Create a Nexus endpoint whose operations workers of this environment's namespace handle.

        Args:
            endpoint_name: Its name.
            task_queue: The task queue of these workers.

        Raises:
            RPCError: The service refused the call.
        """
        from invincible.api.nexus.v1 import EndpointSpec, EndpointTarget
        from invincible.api.operatorservice.v1 import CreateNexusEndpointRequest

        worker = EndpointTarget.Worker(namespace=self._client.namespace, task_queue=task_queue)
        response = await self._client.operator_service.create_nexus_endpoint(
            CreateNexusEndpointRequest(spec=EndpointSpec(name=endpoint_name, target=EndpointTarget(worker=worker)))
        )
        return response.endpoint

    async def delete_nexus_endpoint(self, endpoint: Endpoint) -> None:
        """Delete a Nexus endpoint.

        Args:
            endpoint: The endpoint, as :meth:`create_nexus_endpoint` returned it.

        Raises:
            RPCError: The service refused the call.
        """
        from invincible.api.operatorservice.v1 import DeleteNexusEndpointRequest

        await self._client.operator_service.delete_nexus_endpoint(
            DeleteNexusEndpointRequest(id=endpoint.id, version=endpoint.version)
        )

    async def shutdown(self) -> None:
        """Stop the server that the environment has started. A second time does nothing."""
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)

    async def __aenter__(self) -> WorkflowEnvironment:
        """Itself."""
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Shuts it down."""
        await self.shutdown()

    def _connection(self) -> dict[str, Any]:
        config = self._client.service_client.config
        return {
            "target_host": config.target_host,
            "namespace": self._client.namespace,
            "api_key": config.api_key,
            "tls": config.tls,
            "rpc_metadata": config.rpc_metadata,
            "runtime": config.runtime,
        }

    def _skip_time(self, config: TimeSkippingConfig, *, held: bool) -> WorkflowEnvironment:
        self._clocks = Clocks(config, held=held)
        self._adopt(self._client)
        return self

    def _adopt(self, client: Client) -> None:
        client._raise_task_failures = True
        client._always_replay = self._client._always_replay
        client._time_skipping = self._clocks


async def _start(options: Sequence[str], binary: str | os.PathLike[str] | None, timeout: float) -> ServerProcess:
    starting = asyncio.ensure_future(asyncio.to_thread(ServerProcess, options, binary=binary, timeout=timeout))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The thread goes on; what it starts is nobody's.
        starting.add_done_callback(_stop_started)
        raise


def _stop_started(starting: asyncio.Future[ServerProcess]) -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.get_loop().run_in_executor(None, starting.result().stop)
