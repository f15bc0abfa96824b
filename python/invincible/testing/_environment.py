"""``WorkflowEnvironment``: a server and a client for it, for the time of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any

from invincible.client import Client, Interceptor
from invincible.common import QueryRejectCondition, SearchAttributeIndexedValueType, SearchAttributeKey
from invincible.converter import DataConverter
from invincible.runtime import Runtime
from invincible.service import RetryConfig

from ._server import ServerProcess

_TYPES = {
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
    SearchAttributeIndexedValueType.TEXT: "Text",
}


class WorkflowEnvironment:
    """A client, and the server behind it if the environment has started one.

    Those who wait for a workflow's result through this client are told when a task of it failed for a bug in workflow
    code: ``WorkflowTaskFailedError``, with the traceback. Elsewhere the server tries such a task again and again, and a
    test would wait for ever.

    Example:
        async with await WorkflowEnvironment.start_local() as env:
            async with Worker(env.client, task_queue="test", workflows=[Greeting]):
                await env.client.execute_workflow(Greeting.run, "Ada", id="greeting", task_queue="test")
    """

    def __init__(self, client: Client, server: ServerProcess | None = None) -> None:
        self._client = client
        self._server = server

    @staticmethod
    def from_client(client: Client) -> WorkflowEnvironment:
        """An environment over a server that runs already; ``shutdown`` leaves it alone."""
        client._raise_task_failures = True
        return WorkflowEnvironment(client)

    @staticmethod
    async def start_local(
        *,
        namespace: str = "default",
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        retry_config: RetryConfig | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        ip: str = "127.0.0.1",
        port: int | None = None,
        ui: bool = False,
        ui_port: int | None = None,
        runtime: Runtime | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        dev_server_existing_path: str | None = None,
        dev_server_database_filename: str | None = None,
        dev_server_log_format: str = "pretty",
        dev_server_log_level: str | None = "warn",
        dev_server_extra_args: Sequence[str] = (),
        dev_server_startup_timeout: timedelta | None = None,
    ) -> WorkflowEnvironment:
        """Start the embedded server, which nothing is downloaded for, and connect a client to it.

        Args:
            namespace: The client's namespace, created if it is not "default".
            data_converter: As for ``Client.connect``, like the next options.
            interceptors: Code around the client's calls.
            default_workflow_query_reject_condition: States in which queries are rejected.
            retry_config: How failed calls are repeated.
            rpc_metadata: Headers of every call.
            identity: How the server names the client.
            ip: Address to listen on.
            port: Port for clients and workers; a free one by default.
            ui: Whether to serve the Web UI.
            ui_port: Port of the Web UI; a free one by default.
            runtime: Core's threads; the default runtime if not given.
            search_attributes: Search attributes to register.
            dev_server_existing_path: The server program; by default that of the package ``invincible-server``.
            dev_server_database_filename: SQLite file to keep everything in; in memory by default.
            dev_server_log_format: "pretty" or "json". What the server logs is written to standard error.
            dev_server_log_level: "debug", "info", "warn", "error" or "never".
            dev_server_extra_args: More flags of the server; ``invincible server --help`` has them.
            dev_server_startup_timeout: How long the start may take; a minute by default.

        Raises:
            ServerStartError: the server is not installed or does not start; the message has the reason.
        """
        options = ["--ip", ip, "--port", str(port or 0)]
        options += ["--ui-port", str(ui_port or 0)] if ui or ui_port is not None else ["--headless"]
        options += ["--log-format", "text" if dev_server_log_format == "pretty" else dev_server_log_format]
        if dev_server_log_level is not None:
            options += ["--log-level", dev_server_log_level]
        if dev_server_database_filename is not None:
            options += ["--db", dev_server_database_filename]
        if namespace != "default":
            options += ["--namespace", namespace]
        for key in search_attributes:
            options += ["--search-attribute", f"{key.name}={_TYPES[key.indexed_value_type]}"]
        options += dev_server_extra_args
        timeout = 60.0 if dev_server_startup_timeout is None else dev_server_startup_timeout.total_seconds()
        server = await _start(options, dev_server_existing_path, timeout)
        try:
            client = await Client.connect(
                server.ready.grpc,
                namespace=namespace,
                data_converter=data_converter,
                interceptors=interceptors,
                default_workflow_query_reject_condition=default_workflow_query_reject_condition,
                retry_config=retry_config,
                rpc_metadata=rpc_metadata,
                identity=identity,
                runtime=runtime,
            )
        except BaseException:
            await asyncio.to_thread(server.stop)
            raise
        client._raise_task_failures = True
        return WorkflowEnvironment(client, server)

    @property
    def client(self) -> Client:
        """The client."""
        return self._client

    @property
    def ui_url(self) -> str | None:
        """Address of the Web UI, ``None`` without one."""
        return self._server.ready.ui if self._server is not None else None

    async def shutdown(self) -> None:
        """Stop the server that the environment has started. A second time does nothing."""
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)

    async def __aenter__(self) -> WorkflowEnvironment:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.shutdown()


async def _start(options: Sequence[str], binary: str | None, timeout: float) -> ServerProcess:
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
