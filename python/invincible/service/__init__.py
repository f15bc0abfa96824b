"""The connection under a client: its options, its errors, and raw calls of the Temporal service.

Programs use :class:`invincible.client.Client`; what is here is for its options, and for RPCs it has no method for:

    from invincible.api.workflowservice.v1 import GetClusterInfoRequest

    info = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
"""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from invincible.api._services.cloud import CloudService
    from invincible.api._services.health import HealthService
    from invincible.api._services.operator import OperatorService
    from invincible.api._services.test import TestService
    from invincible.api._services.workflow import WorkflowService

    from ._client import ServiceClient, ServiceRequest, ServiceResponse
    from ._config import ConnectConfig
    from ._config import headers as headers
    from ._config import seconds as seconds
    from ._errors import RPCError, RPCStatusCode
    from ._options import (
        DnsLoadBalancingConfig,
        GrpcCompression,
        HttpConnectProxyConfig,
        KeepAliveConfig,
        PayloadLimitsConfig,
        RetryConfig,
        TLSConfig,
    )
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            # Their messages load protobuf, which programs without raw calls do without.
            "invincible.api._services.cloud": "CloudService",
            "invincible.api._services.health": "HealthService",
            "invincible.api._services.operator": "OperatorService",
            "invincible.api._services.test": "TestService",
            "invincible.api._services.workflow": "WorkflowService",
            "._client": "ServiceClient ServiceRequest ServiceResponse",
            "._config": "ConnectConfig headers seconds",
            "._errors": "RPCError RPCStatusCode",
            "._options": (
                "DnsLoadBalancingConfig GrpcCompression HttpConnectProxyConfig KeepAliveConfig PayloadLimitsConfig "
                "RetryConfig TLSConfig"
            ),
        },
    )

__all__ = [
    "LOG_PROTOS",
    "CloudService",
    "ConnectConfig",
    "DnsLoadBalancingConfig",
    "GrpcCompression",
    "HealthService",
    "HttpConnectProxyConfig",
    "KeepAliveConfig",
    "OperatorService",
    "PayloadLimitsConfig",
    "RPCError",
    "RPCStatusCode",
    "RetryConfig",
    "ServiceClient",
    "ServiceRequest",
    "ServiceResponse",
    "TLSConfig",
    "TestService",
    "WorkflowService",
]

LOG_PROTOS = False
"""Whether messages of raw calls are logged, as ``invincible.service`` at DEBUG. They show payloads: for debugging."""
