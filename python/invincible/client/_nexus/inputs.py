"""What interceptors of calls about standalone Nexus operations are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from invincible.common import NexusOperationIDConflictPolicy, NexusOperationIDReusePolicy, TypedSearchAttributes


@dataclass
class StartNexusOperationInput:
    """Arguments of :meth:`OutboundInterceptor.start_nexus_operation`."""

    operation: str
    arg: Any
    id: str
    endpoint: str
    service: str
    result_type: type | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    id_reuse_policy: NexusOperationIDReusePolicy
    id_conflict_policy: NexusOperationIDConflictPolicy
    search_attributes: TypedSearchAttributes | None
    summary: str | None
    headers: Mapping[str, str] | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class GetNexusOperationResultInput:
    """Arguments of :meth:`OutboundInterceptor.get_nexus_operation_result`."""

    operation_id: str
    run_id: str | None
    endpoint: str
    service: str
    operation: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    result_type: type | None


@dataclass
class DescribeNexusOperationInput:
    """Arguments of :meth:`OutboundInterceptor.describe_nexus_operation`."""

    operation_id: str
    run_id: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class CancelNexusOperationInput:
    """Arguments of :meth:`OutboundInterceptor.cancel_nexus_operation`."""

    operation_id: str
    run_id: str | None
    reason: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class TerminateNexusOperationInput:
    """Arguments of :meth:`OutboundInterceptor.terminate_nexus_operation`."""

    operation_id: str
    run_id: str | None
    reason: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class ListNexusOperationsInput:
    """Arguments of :meth:`OutboundInterceptor.list_nexus_operations`."""

    query: str | None
    page_size: int
    next_page_token: bytes | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    limit: int | None


@dataclass
class CountNexusOperationsInput:
    """Arguments of :meth:`OutboundInterceptor.count_nexus_operations`."""

    query: str | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
