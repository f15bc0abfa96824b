"""Where and how to connect."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from invincible._native import Client as NativeClient
from invincible.runtime import Runtime

from ._options import (
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    TLSConfig,
)

if TYPE_CHECKING:
    from invincible._native import Operation


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
        dns_load_balancing_config: Load balancing; ``None`` for none. A proxy is used without.
        grpc_compression: Compression of messages. A server that cannot is talked to without, and one on this machine.
        payload_limits: Sizes above which a log line warns.
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
    payload_limits: PayloadLimitsConfig = PayloadLimitsConfig.default
    connect_timeout: timedelta | None = None

    def __post_init__(self) -> None:
        """Fills in the identity, and refuses what is of a wrong type and a key that cannot be sent.

        Raises:
            TypeError: An option is of a wrong type; the message names it and does not show its value.
            ValueError: The key cannot be sent.
        """
        for name, expected in _TYPES.items():
            if not isinstance(value := getattr(self, name), expected):
                names = " or ".join(each.__name__ for each in expected if each is not type(None))
                raise TypeError(f"{name} must be a {names}, got {type(value).__name__}")
        headers(self.rpc_metadata)
        check_api_key(self.api_key)
        if not self.identity:
            self.identity = default_identity()

    def _tls(self) -> TLSConfig | None:
        if isinstance(self.tls, TLSConfig):
            return self.tls
        enabled = self.api_key is not None if self.tls is None else self.tls
        return TLSConfig() if enabled else None

    def _connect(self, runtime: Runtime) -> Operation[NativeClient]:
        proxy = self.http_connect_proxy_config
        balancing = self.dns_load_balancing_config if proxy is None else None
        return NativeClient.connect(
            runtime._native,
            self.target_host,
            identity=self.identity,
            tls=self._tls(),
            api_key=self.api_key,
            metadata=headers(self.rpc_metadata),
            retry=self.retry_config,
            keep_alive=self.keep_alive_config,
            connect_timeout=seconds("connect_timeout", self.connect_timeout),
            http_connect_proxy=proxy,
            dns_resolution_interval=None if balancing is None else balancing.resolution_interval_millis / 1000,
            gzip=self.grpc_compression is GrpcCompression.GZIP,
            payload_limits=self.payload_limits,
        )


_TYPES: dict[str, tuple[type, ...]] = {
    "target_host": (str,),
    "api_key": (str, type(None)),
    "tls": (bool, TLSConfig, type(None)),
    "retry_config": (RetryConfig, type(None)),
    "keep_alive_config": (KeepAliveConfig, type(None)),
    "identity": (str,),
    "lazy": (bool,),
    "runtime": (Runtime, type(None)),
    "http_connect_proxy_config": (HttpConnectProxyConfig, type(None)),
    "dns_load_balancing_config": (DnsLoadBalancingConfig, type(None)),
    "grpc_compression": (GrpcCompression,),
    "payload_limits": (PayloadLimitsConfig,),
    "connect_timeout": (timedelta, type(None)),
}


def default_identity() -> str:
    """How the server names the clients of this process that have no name of their own."""
    return f"{os.getpid()}@{socket.gethostname()}"


def seconds(name: str, duration: timedelta | None) -> float | None:
    """A duration in seconds, as native calls take it.

    Raises:
        TypeError: It is none. The message names it.
    """
    if duration is None:
        return None
    if not isinstance(duration, timedelta):
        raise TypeError(f"{name} must be a timedelta, got {type(duration).__name__}")
    return duration.total_seconds()


def headers(metadata: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
    """Headers of calls, as native calls take them.

    Raises:
        TypeError: They are none. The message names the wrong one, and does not show its value.
    """
    if not isinstance(metadata, Mapping):
        raise TypeError(f"rpc_metadata must be a mapping of names to str or bytes, got {type(metadata).__name__}")
    for name, value in metadata.items():
        if not isinstance(name, str):
            raise TypeError(f"names of rpc_metadata must be str, got {type(name).__name__}")
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"rpc_metadata {name!r} must be a str or bytes, got {type(value).__name__}")
    return dict(metadata)


def check_api_key(api_key: str | None) -> None:
    """Refuses what the server would never get: Core leaves such a key out, and the server says that there is none.

    Raises:
        ValueError: The key is no header value. The message does not show it.
    """
    if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
        raise ValueError(
            "api_key holds a character that a header cannot carry; if it was read from a file, strip its line break"
        )
