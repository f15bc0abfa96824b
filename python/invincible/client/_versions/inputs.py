"""Inputs of interceptors for the calls about versions of workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from .build_ids import BuildIdOp, TaskReachabilityType


@dataclass
class UpdateWorkerBuildIdCompatibilityInput:
    """Arguments of :meth:`OutboundInterceptor.update_worker_build_id_compatibility`."""

    task_queue: str
    operation: BuildIdOp
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class GetWorkerBuildIdCompatibilityInput:
    """Arguments of :meth:`OutboundInterceptor.get_worker_build_id_compatibility`."""

    task_queue: str
    max_sets: int | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class GetWorkerTaskReachabilityInput:
    """Arguments of :meth:`OutboundInterceptor.get_worker_task_reachability`."""

    build_ids: Sequence[str]
    task_queues: Sequence[str]
    reachability: TaskReachabilityType | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class ListWorkerDeploymentsInput:
    """Arguments of :meth:`OutboundInterceptor.list_worker_deployments`."""

    limit: int | None
    page_size: int
    next_page_token: bytes | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class DescribeWorkerDeploymentInput:
    """Arguments of :meth:`OutboundInterceptor.describe_worker_deployment`."""

    name: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class SetWorkerDeploymentCurrentVersionInput:
    """Arguments of :meth:`OutboundInterceptor.set_worker_deployment_current_version`."""

    name: str
    build_id: str | None
    conflict_token: bytes | None
    ignore_missing_task_queues: bool
    allow_no_pollers: bool
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class SetWorkerDeploymentRampingVersionInput:
    """Arguments of :meth:`OutboundInterceptor.set_worker_deployment_ramping_version`."""

    name: str
    build_id: str | None
    percentage: float
    conflict_token: bytes | None
    ignore_missing_task_queues: bool
    allow_no_pollers: bool
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class DescribeWorkerDeploymentVersionInput:
    """Arguments of :meth:`OutboundInterceptor.describe_worker_deployment_version`."""

    name: str
    build_id: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class UpdateWorkerDeploymentVersionMetadataInput:
    """Arguments of :meth:`OutboundInterceptor.update_worker_deployment_version_metadata`."""

    name: str
    build_id: str
    upsert: Mapping[str, Any]
    remove: Sequence[str]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class DeleteWorkerDeploymentVersionInput:
    """Arguments of :meth:`OutboundInterceptor.delete_worker_deployment_version`."""

    name: str
    build_id: str
    skip_drainage: bool
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


@dataclass
class DeleteWorkerDeploymentInput:
    """Arguments of :meth:`OutboundInterceptor.delete_worker_deployment`."""

    name: str
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
