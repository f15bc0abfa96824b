"""Options of a connection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


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
        """Refuses what is not the PEM data it should be: a file name, a key as a certificate, an encrypted key."""
        for name, kind in (
            ("server_root_ca_cert", "CERTIFICATE"),
            ("client_cert", "CERTIFICATE"),
            ("client_private_key", "PRIVATE KEY"),
        ):
            value = getattr(self, name)
            if value is None:
                continue
            if not isinstance(value, bytes):
                raise TypeError(f"{name} must be the PEM data as bytes, got {type(value).__name__}")
            if f"{kind}-----".encode() not in value:
                raise ValueError(
                    f"{name} holds no PEM data of a {kind.lower()}: it must have a line -----BEGIN ...-----"
                )
            if b"ENCRYPTED" in value:
                raise ValueError(f"{name} is encrypted: decrypt it, with `openssl pkey` say")


def _not_negative(config: RetryConfig | KeepAliveConfig | PayloadLimitsConfig) -> None:
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

    def __post_init__(self) -> None:
        """Refuses URLs, and with them credentials where they would be shown."""
        host = self.target_host
        if "@" in host:
            raise ValueError("the proxy's target_host must not hold credentials: give them as basic_auth")
        if "://" in host or (not host.startswith("unix:/") and not host.rpartition(":")[2].isdecimal()):
            raise ValueError(f"the proxy's target_host must be host:port or unix:/path, got {host!r}")


@dataclass(frozen=True)
class DnsLoadBalancingConfig:
    """Spreading of calls over all addresses that the target's name stands for.

    Args:
        resolution_interval_millis: Time between look-ups of the name, 1000 or more.
    """

    resolution_interval_millis: int = 30000

    default: ClassVar[DnsLoadBalancingConfig]

    def __post_init__(self) -> None:
        """Refuses what would look the name up all the time."""
        if self.resolution_interval_millis < 1000:
            raise ValueError(f"resolution_interval_millis must be 1000 or more, got {self.resolution_interval_millis}")


DnsLoadBalancingConfig.default = DnsLoadBalancingConfig()


class GrpcCompression:
    """Compression of messages: :attr:`NONE` or :attr:`GZIP`."""

    NONE: ClassVar[GrpcCompression]
    """As they are."""
    GZIP: ClassVar[GrpcCompression]
    """By gzip, in both directions, where messages leave the machine: those to ``localhost`` and loopback addresses go
    as they are, unless there is a proxy."""

    def __repr__(self) -> str:
        """The name of the attribute."""
        return f"GrpcCompression.{'GZIP' if self is GrpcCompression.GZIP else 'NONE'}"


GrpcCompression.NONE = GrpcCompression()
GrpcCompression.GZIP = GrpcCompression()


@dataclass(frozen=True)
class PayloadLimitsConfig:
    """Sizes in bytes above which a log line warns. What is larger is sent all the same; 0 turns a warning off.

    Args:
        payloads_warn_size: Size of what a call carries as one: the arguments of a workflow, a result, a failure.
        memo_warn_size: Size of a memo.
    """

    payloads_warn_size: int = 512 * 1024
    memo_warn_size: int = 2 * 1024

    default: ClassVar[PayloadLimitsConfig]

    def __post_init__(self) -> None:
        """Refuses negative numbers."""
        _not_negative(self)


PayloadLimitsConfig.default = PayloadLimitsConfig()
