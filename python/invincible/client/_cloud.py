"""A client of the API by which Temporal Cloud is managed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invincible.runtime import Runtime
from invincible.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    RetryConfig,
    ServiceClient,
    TLSConfig,
)

if TYPE_CHECKING:
    from invincible.service import CloudService

_VERSION_HEADER = "temporal-cloud-api-version"


class CloudOperationsClient:
    """Manages an account of Temporal Cloud: namespaces, users, API keys, regions.

    Workflows are not started here: a :class:`Client` connects to a namespace.

    Args:
        service_client: The connection. :meth:`connect` makes both.

    Example:
        from invincible.api.cloud.cloudservice.v1 import GetNamespacesRequest

        client = await CloudOperationsClient.connect(api_key=key, version="v0.4.0")
        namespaces = await client.cloud_service.get_namespaces(GetNamespacesRequest())
    """

    def __init__(self, service_client: ServiceClient) -> None:
        """Creates the client over a connection."""
        self._service_client = service_client

    @staticmethod
    async def connect(
        *,
        api_key: str | None = None,
        version: str | None = None,
        target_host: str = "saas-api.tmprl.cloud:443",
        tls: bool | TLSConfig = True,
        retry_config: RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        rpc_metadata: Mapping[str, str | bytes] = {},
        identity: str | None = None,
        lazy: bool = False,
        runtime: Runtime | None = None,
        http_connect_proxy_config: HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
    ) -> CloudOperationsClient:
        """Connects to the API of Temporal Cloud.

        Args:
            api_key: Key of a user or a service account. The API needs one.
            version: Version of the API, as its header ``temporal-cloud-api-version``. Without one, the newest answers.
            target_host: The API as ``host:port``.
            tls: Whether to use TLS, or how.
            retry_config: How failed calls are repeated, those with ``retry=True``.
            keep_alive_config: Pings, by which a dead connection is noticed; ``None`` for none.
            rpc_metadata: Headers of every call; names of those with ``bytes`` end in ``-bin``.
            identity: How this client names itself; ``pid@host`` by default.
            lazy: Whether to connect only when the first call is made.
            runtime: The runtime; the default one if ``None``.
            http_connect_proxy_config: A proxy.
            dns_load_balancing_config: Load balancing over all addresses of the name; ``None`` for none. A proxy is used
                without.
            grpc_compression: Compression of messages. A server that cannot is talked to without.

        Raises:
            RuntimeError: There is no connection; the message names the address and the reason.
            ValueError: An option makes no sense; the message names it.
        """
        versioned = {} if version is None else {_VERSION_HEADER: version}
        service_client = await ServiceClient.connect(
            ConnectConfig(
                target_host=target_host,
                api_key=api_key,
                tls=tls,
                retry_config=retry_config,
                keep_alive_config=keep_alive_config,
                rpc_metadata={**rpc_metadata, **versioned},
                identity=identity or "",
                lazy=lazy,
                runtime=runtime,
                http_connect_proxy_config=http_connect_proxy_config,
                dns_load_balancing_config=dns_load_balancing_config,
                grpc_compression=grpc_compression,
            )
        )
        return CloudOperationsClient(service_client)

    @property
    def service_client(self) -> ServiceClient:
        """The connection."""
        return self._service_client

    @property
    def cloud_service(self) -> CloudService:
        """Every call of the API."""
        return self._service_client.cloud_service

    @property
    def identity(self) -> str:
        """How this client names itself."""
        return self._service_client.config.identity

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of every call, that of the version included. To change them, set a new mapping."""
        return self._service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self._service_client.update_rpc_metadata(value)

    @property
    def api_key(self) -> str | None:
        """Key sent with every call."""
        return self._service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self._service_client.update_api_key(value)
