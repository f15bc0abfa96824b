"""The connection, and raw calls over it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import invincible.service
from invincible import _loop
from invincible._native import Client as NativeClient
from invincible.runtime import Runtime

from ._config import ConnectConfig, check_api_key, default_identity, headers, seconds

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from invincible.api._services.cloud import CloudService
    from invincible.api._services.health import HealthService
    from invincible.api._services.operator import OperatorService
    from invincible.api._services.test import TestService
    from invincible.api._services.workflow import WorkflowService

ServiceRequest = TypeVar("ServiceRequest", bound="Message")
ServiceResponse = TypeVar("ServiceResponse", bound="Message")

_logger = logging.getLogger("invincible.service")


class ServiceClient:
    """A connection to a Temporal service, and raw calls over it.

    Not usable in a process forked from the one that connected.

    Args:
        config: Where and how to connect. Use :meth:`connect` to have it done.
    """

    def __init__(self, config: ConnectConfig) -> None:
        """Creates the client, not connected."""
        self.config = config
        self._default_identity = default_identity()
        self._connected: NativeClient | None = None
        self._connected_on: Runtime | None = None

    def __repr__(self) -> str:
        """Where it is connected to."""
        return f"<ServiceClient {self.config.target_host}>"

    @staticmethod
    async def connect(config: ConnectConfig) -> ServiceClient:
        """Connects, unless the configuration is lazy.

        Raises:
            RuntimeError: There is no connection; the message names the address and the reason.
            ValueError: The configuration makes no sense.
        """
        client = ServiceClient(config)
        if not config.lazy:
            await client._connect()
        return client

    @property
    def worker_service_client(self) -> ServiceClient:
        """The connection that workers of this client poll with: this one."""
        return self

    @cached_property
    def workflow_service(self) -> WorkflowService:
        """The RPCs about workflows, activities, task queues, namespaces, schedules."""
        from invincible.api._services.workflow import WorkflowService

        return WorkflowService(self)

    @cached_property
    def operator_service(self) -> OperatorService:
        """The RPCs for those who run the service: search attributes, clusters, Nexus endpoints."""
        from invincible.api._services.operator import OperatorService

        return OperatorService(self)

    @cached_property
    def cloud_service(self) -> CloudService:
        """The RPCs of Temporal Cloud; see :class:`invincible.client.CloudOperationsClient`."""
        from invincible.api._services.cloud import CloudService

        return CloudService(self)

    @cached_property
    def test_service(self) -> TestService:
        """The RPCs of test servers with a clock of their own."""
        from invincible.api._services.test import TestService

        return TestService(self)

    @cached_property
    def health_service(self) -> HealthService:
        """The RPC about the service's health."""
        from invincible.api._services.health import HealthService

        return HealthService(self)

    @property
    def _native(self) -> NativeClient:
        """The connection, for workers.

        Raises:
            RuntimeError: The client is lazy and has made no call yet.
        """
        if self._connected is None:
            raise RuntimeError(
                f"the client is not connected to {self.config.target_host} yet: connect without lazy, or make a call"
            )
        return self._connected

    @property
    def _runtime(self) -> Runtime:
        """What the client runs on: while it is not connected, what it would run on now."""
        return self._connected_on or self.config.runtime or Runtime.default()

    async def _connect(self) -> NativeClient:
        # Calls that come first together may connect more than once. One connection stays.
        runtime = self._runtime
        connected = await _loop.run(self.config._connect(runtime))
        if self._connected is None:
            self._connected, self._connected_on = connected, runtime
        return self._connected

    def _start_over(self) -> None:
        """In a forked child: the connection is the parent's. The next call makes another, on the default runtime."""
        self._connected = self._connected_on = None
        identity = default_identity() if self.config.identity == self._default_identity else self.config.identity
        self.config = replace(self.config, runtime=None, identity=identity)
        self._default_identity = default_identity()

    async def check_health(
        self,
        *,
        service: str = "temporal.api.workflowservice.v1.WorkflowService",
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> bool:
        """Whether a service says that it serves.

        Raises:
            RPCError: It could not be asked.
        """
        from invincible.api.grpc.health.v1 import HealthCheckRequest, HealthCheckResponse

        request = HealthCheckRequest(service=service)
        response = await self.health_service.check(request, retry=retry, metadata=metadata, timeout=timeout)
        return response.status == HealthCheckResponse.ServingStatus.SERVING

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Replaces the headers of every call.

        Raises:
            TypeError: A name is no ``str``, or a value neither ``str`` nor ``bytes``.
            ValueError: A name or value is no valid header.
        """
        checked = headers(metadata)
        if self._connected is not None:
            self._connected.update_metadata(checked)
        self.config.rpc_metadata = metadata

    def update_api_key(self, api_key: str | None) -> None:
        """Replaces the key sent with every call.

        Raises:
            ValueError: The key cannot be sent. The message does not show it.
        """
        check_api_key(api_key)
        if self._connected is not None:
            self._connected.update_api_key(api_key)
        self.config.api_key = api_key

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[ServiceResponse],
        *,
        service: str = "workflow",
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = {},
        timeout: timedelta | None = None,
    ) -> ServiceResponse:
        """Calls any RPC.

        Args:
            rpc: Name of the method, ``describe_namespace`` say.
            req: Its request message.
            resp_type: Type of its response.
            service: ``workflow``, ``operator``, ``cloud``, ``test`` or ``health``.
            retry: Whether the call is repeated as the connection's retry configuration says.
            metadata: Headers of this call.
            timeout: Deadline of each attempt.

        Raises:
            RPCError: The call failed.
            TypeError: ``timeout`` is no ``timedelta``, or ``metadata`` no headers.
            ValueError: There is no such RPC.
        """
        sent, limit = headers(metadata) if metadata else None, seconds("the timeout of a call", timeout)
        client = self._connected or await self._connect()
        log_protos = invincible.service.LOG_PROTOS
        if log_protos:
            _logger.debug("Request of %s service's %s: %s", service, rpc, req)
        call = client.call(service, rpc, req.SerializeToString(), retry=retry, metadata=sent, timeout=limit)
        response = resp_type.FromString(await _loop.run(call))
        if log_protos:
            _logger.debug("Response of %s service's %s: %s", service, rpc, response)
        return response
