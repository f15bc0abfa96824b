"""The arguments of `Client.connect` as a dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from typing_extensions import TypedDict

from invincible.common import HeaderCodecBehavior, QueryRejectCondition
from invincible.converter import DataConverter
from invincible.runtime import Runtime
from invincible.service import (
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    TLSConfig,
)

from ._interceptor import Interceptor
from ._plugin import Plugin


class ClientConnectConfig(TypedDict, total=False):
    """Arguments of :meth:`Client.connect`, all optional, to be passed on as ``**config``."""

    target_host: str
    namespace: str
    api_key: str | None
    data_converter: DataConverter
    plugins: Sequence[Plugin]
    interceptors: Sequence[Interceptor]
    default_workflow_query_reject_condition: QueryRejectCondition | None
    tls: bool | TLSConfig | None
    retry_config: RetryConfig | None
    keep_alive_config: KeepAliveConfig | None
    connect_timeout: timedelta | None
    rpc_metadata: Mapping[str, str | bytes]
    identity: str | None
    lazy: bool
    runtime: Runtime | None
    http_connect_proxy_config: HttpConnectProxyConfig | None
    dns_load_balancing_config: DnsLoadBalancingConfig | None
    grpc_compression: GrpcCompression
    payload_limits: PayloadLimitsConfig
    header_codec_behavior: HeaderCodecBehavior
