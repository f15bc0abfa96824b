"""The connection under a client: its options, its errors, and raw calls of the Temporal service.

Programs use :class:`invincible.client.Client`; what is here is for its options, and for RPCs it has no method for:

    from invincible.api.workflowservice.v1 import GetClusterInfoRequest

    info = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from invincible.api._services.cloud import CloudService
    from invincible.api._services.health import HealthService
    from invincible.api._services.operator import OperatorService
    from invincible.api._services.test import TestService
    from invincible.api._services.workflow import WorkflowService

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

_SERVICES = {
    "CloudService": "cloud",
    "HealthService": "health",
    "OperatorService": "operator",
    "TestService": "test",
    "WorkflowService": "workflow",
}


def __getattr__(name: str) -> Any:
    # Their messages load protobuf, which programs without raw calls do without.
    if name not in _SERVICES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"invincible.api._services.{_SERVICES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_SERVICES})
