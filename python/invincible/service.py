"""The connection under a client: its options, its errors, and raw calls of the Temporal service.

Programs use :class:`invincible.client.Client`; what is here is for its options, and for RPCs it has no method for.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, TypeVar

from . import _loop
from ._native import Client as NativeClient
from .exceptions import TemporalError
from .runtime import Runtime

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from ._native import Operation
    from .api.common.v1 import GrpcStatus

    ServiceResponse = TypeVar("ServiceResponse", bound=Message)

__all__ = [
    "ConnectConfig",
    "DnsLoadBalancingConfig",
    "GrpcCompression",
    "HttpConnectProxyConfig",
    "KeepAliveConfig",
    "RPCError",
    "RPCStatusCode",
    "RetryConfig",
    "ServiceClient",
    "TLSConfig",
]


class RPCStatusCode(IntEnum):
    """Status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(TemporalError):
    """The service, or the way to it, refused a call.

    Args:
        message: What the service said, or what stopped the call.
        status: The gRPC status code.
        raw_grpc_status: The status with its details as a serialized message; empty if there are none.
    """

    def __init__(self, message: str, status: RPCStatusCode, raw_grpc_status: bytes) -> None:
        """Creates the error."""
        super().__init__(message)
        self._message = message
        self._status = status
        self._raw_grpc_status = raw_grpc_status

    @property
    def message(self) -> str:
        """What the service said, or what stopped the call."""
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        """The gRPC status code."""
        return self._status

    @property
    def raw_grpc_status(self) -> bytes:
        """The status with its details as a serialized message; empty if there are none."""
        return self._raw_grpc_status

    @property
    def grpc_status(self) -> GrpcStatus:
        """The status with its details."""
        from .api.common.v1 import GrpcStatus

        return GrpcStatus.FromString(self._raw_grpc_status)

    def __reduce__(self) -> tuple[type[RPCError], tuple[str, RPCStatusCode, bytes]]:
        """Pickles with all arguments, of which ``args`` shows the message only."""
        return type(self), (self._message, self._status, self._raw_grpc_status)


@dataclass
class TLSConfig:
    """TLS of a connection. Certificates and key are PEM, as bytes.

    Args:
        server_root_ca_cert: Root certificate that the server's must lead to; those of the system by default.
        domain: Name to call the server by, and to expect in its certificate, instead of the target host's.
        client_cert: Certificate of this client, for mutual TLS; with ``client_private_key``.
        client_private_key: Its key.
        verification_server_name: Name to expect in the certificate, where it is another one still.
    """

    server_root_ca_cert: bytes | None = field(default=None, repr=False)
    domain: str | None = None
    client_cert: bytes | None = field(default=None, repr=False)
    client_private_key: bytes | None = field(default=None, repr=False)
    verification_server_name: str | None = None

    def __post_init__(self) -> None:
        """Refuses what is not PEM, a file name say."""
        for name in ("server_root_ca_cert", "client_cert", "client_private_key"):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, bytes):
                raise TypeError(f"{name} must be the PEM data as bytes, got {type(value).__name__}")
            if b"-----BEGIN " not in value:
                raise ValueError(f"{name} holds no PEM data: it must have a line -----BEGIN ...-----")


def _not_negative(config: RetryConfig | KeepAliveConfig) -> None:
    for name, value in vars(config).items():
        if value is not None and value < 0:
            raise ValueError(f"{name} must not be negative, got {value}")


@dataclass
class RetryConfig:
    """How failed calls are repeated.

    Args:
        initial_interval_millis: Wait before the first retry.
        randomization_factor: Part of each wait that is random, up or down.
        multiplier: Factor from one wait to the next.
        max_interval_millis: Longest wait.
        max_elapsed_time_millis: Time in all after which there are no more retries; ``None`` for no limit.
        max_retries: Most attempts; 0 for no limit.
    """

    initial_interval_millis: int = 100
    randomization_factor: float = 0.2
    multiplier: float = 1.5
    max_interval_millis: int = 5000
    max_elapsed_time_millis: int | None = 10000
    max_retries: int = 10

    def __post_init__(self) -> None:
        """Refuses negative numbers."""
        _not_negative(self)


@dataclass(frozen=True)
class KeepAliveConfig:
    """HTTP/2 pings, by which a dead connection is noticed.

    Args:
        interval_millis: Time between pings.
        timeout_millis: Time in which a ping must be answered.
    """

    interval_millis: int = 30000
    timeout_millis: int = 15000

    default: ClassVar[KeepAliveConfig]

    def __post_init__(self) -> None:
        """Refuses negative numbers."""
        _not_negative(self)


KeepAliveConfig.default = KeepAliveConfig()


@dataclass(frozen=True)
class HttpConnectProxyConfig:
    """An HTTP proxy to connect through, with the method CONNECT.

    Args:
        target_host: The proxy as ``host:port``, or ``unix:/path`` for a socket.
        basic_auth: User and password. Never shown.
    """

    target_host: str
    basic_auth: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DnsLoadBalancingConfig:
    """Spreading of calls over all addresses that the target's name stands for.

    Args:
        resolution_interval_millis: Time between look-ups of the name.
    """

    resolution_interval_millis: int = 30000

    default: ClassVar[DnsLoadBalancingConfig]


DnsLoadBalancingConfig.default = DnsLoadBalancingConfig()


class GrpcCompression:
    """Compression of messages: :attr:`NONE` or :attr:`GZIP`."""

    NONE: ClassVar[GrpcCompression]
    GZIP: ClassVar[GrpcCompression]

    def __repr__(self) -> str:
        """The name of the attribute."""
        return f"GrpcCompression.{'GZIP' if self is GrpcCompression.GZIP else 'NONE'}"


GrpcCompression.NONE = GrpcCompression()
GrpcCompression.GZIP = GrpcCompression()


@dataclass
class ConnectConfig:
    """Where and how to connect.

    Args:
        target_host: The service as ``host:port``.
        api_key: Key sent with every call. Turns TLS on unless ``tls`` is ``False``. Never shown.
        tls: Whether to use TLS, or how.
        retry_config: How failed calls are repeated.
        keep_alive_config: Pings; ``None`` for none.
        rpc_metadata: Headers of every call; names of those with ``bytes`` end in ``-bin``. Never shown.
        identity: How the server names this client; ``pid@host`` by default.
        lazy: Whether to connect only when the first call is made. Workers cannot use such a client.
        runtime: The runtime; the default one if ``None``.
        http_connect_proxy_config: A proxy.
        dns_load_balancing_config: Load balancing; ``None`` for none. Not with a proxy.
        grpc_compression: Compression of messages. A server that cannot is talked to without.
        connect_timeout: Longest time for a connection to come about; that of the system if ``None``.
    """

    target_host: str
    api_key: str | None = field(default=None, repr=False)
    tls: bool | TLSConfig | None = None
    retry_config: RetryConfig | None = None
    keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default
    rpc_metadata: Mapping[str, str | bytes] = field(default_factory=dict, repr=False)
    identity: str = ""
    lazy: bool = False
    runtime: Runtime | None = None
    http_connect_proxy_config: HttpConnectProxyConfig | None = None
    dns_load_balancing_config: DnsLoadBalancingConfig | None = None
    grpc_compression: GrpcCompression = GrpcCompression.GZIP
    connect_timeout: timedelta | None = None

    def __post_init__(self) -> None:
        """Fills in the identity."""
        if not self.identity:
            self.identity = f"{os.getpid()}@{socket.gethostname()}"

    def _tls(self) -> TLSConfig | None:
        if isinstance(self.tls, TLSConfig):
            return self.tls
        enabled = self.api_key is not None if self.tls is None else self.tls
        return TLSConfig() if enabled else None

    def _connect(self, runtime: Runtime) -> Operation[NativeClient]:
        balancing = self.dns_load_balancing_config
        return NativeClient.connect(
            runtime._native,
            self.target_host,
            identity=self.identity,
            tls=self._tls(),
            api_key=self.api_key,
            metadata=dict(self.rpc_metadata),
            retry=self.retry_config,
            keep_alive=self.keep_alive_config,
            connect_timeout=seconds(self.connect_timeout),
            http_connect_proxy=self.http_connect_proxy_config,
            dns_resolution_interval=None if balancing is None else balancing.resolution_interval_millis / 1000,
            gzip=self.grpc_compression is GrpcCompression.GZIP,
        )


class ServiceClient:
    """A connection to a Temporal service, and raw calls over it.

    Not usable in a process forked from the one that connected.

    Args:
        config: Where and how to connect. Use :meth:`connect` to have it done.
    """

    def __init__(self, config: ConnectConfig) -> None:
        """Creates the client, not connected."""
        self.config = config
        self._connected: NativeClient | None = None
        self._connected_on: Runtime | None = None

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
        from .api.grpc.health.v1 import HealthCheckRequest, HealthCheckResponse

        response = await self._rpc_call(
            "check",
            HealthCheckRequest(service=service),
            HealthCheckResponse,
            service="health",
            retry=retry,
            metadata=metadata,
            timeout=timeout,
        )
        return response.status == HealthCheckResponse.ServingStatus.SERVING

    def update_rpc_metadata(self, metadata: Mapping[str, str | bytes]) -> None:
        """Replaces the headers of every call.

        Raises:
            ValueError: A name or value is no valid header.
        """
        if self._connected is not None:
            self._connected.update_metadata(metadata)
        self.config.rpc_metadata = metadata

    def update_api_key(self, api_key: str | None) -> None:
        """Replaces the key sent with every call."""
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
            ValueError: There is no such RPC.
        """
        client = self._connected or await self._connect()
        call = client.call(
            service, rpc, req.SerializeToString(), retry=retry, metadata=metadata or None, timeout=seconds(timeout)
        )
        return resp_type.FromString(await _loop.run(call))


def seconds(duration: timedelta | None) -> float | None:
    """The duration in seconds, as native calls take it."""
    return None if duration is None else duration.total_seconds()
