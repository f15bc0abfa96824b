"""What the server tells about worker deployments and their versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from invincible.common import WorkerDeploymentVersion
from invincible.converter import DataConverter

from .._values import decode_first

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

    from invincible.api.common.v1 import Payload as PayloadMessage
    from invincible.api.deployment.v1 import RoutingConfig, WorkerDeploymentInfo, WorkerDeploymentVersionInfo
    from invincible.api.deployment.v1 import WorkerDeploymentVersion as VersionMessage
    from invincible.api.workflowservice.v1 import (
        DescribeWorkerDeploymentResponse,
        DescribeWorkerDeploymentVersionResponse,
        ListWorkerDeploymentsResponse,
    )


class WorkerDeploymentVersionStatus(IntEnum):
    """How a version of a deployment is used."""

    INACTIVE = 1
    """By no workflow that was not pinned to it by hand."""
    CURRENT = 2
    """By new workflows, and by those that upgrade."""
    RAMPING = 3
    """By a share of them."""
    DRAINING = 4
    """By pinned workflows that are still running."""
    DRAINED = 5
    """By closed workflows only, for queries."""
    CREATED = 6
    """Not yet: no worker of it has been seen."""


class TaskQueueType(IntEnum):
    """Kind of the tasks in a task queue."""

    WORKFLOW = 1
    ACTIVITY = 2
    NEXUS = 3


@dataclass(frozen=True)
class WorkerDeploymentRouting:
    """Which versions of a deployment new work goes to.

    Attributes:
        current_version: That of most work; ``None`` for workers without versions.
        ramping_version: That of the share that is ramping; ``None`` if none is, or if it goes to workers without
            versions.
        ramping_percentage: That share, 0 to 100.
        current_version_changed_time: When ``current_version`` was last set.
        ramping_version_changed_time: When ``ramping_version`` was last set.
        ramping_percentage_changed_time: When ``ramping_percentage`` was last set.
    """

    current_version: WorkerDeploymentVersion | None
    ramping_version: WorkerDeploymentVersion | None
    ramping_percentage: float
    current_version_changed_time: datetime | None
    ramping_version_changed_time: datetime | None
    ramping_percentage_changed_time: datetime | None

    @staticmethod
    def _from_config(config: RoutingConfig) -> WorkerDeploymentRouting:
        return WorkerDeploymentRouting(
            current_version=_version(config.current_deployment_version),
            ramping_version=_version(config.ramping_deployment_version),
            ramping_percentage=config.ramping_version_percentage,
            current_version_changed_time=_time(config, "current_version_changed_time"),
            ramping_version_changed_time=_time(config, "ramping_version_changed_time"),
            ramping_percentage_changed_time=_time(config, "ramping_version_percentage_changed_time"),
        )


@dataclass(frozen=True)
class WorkerDeploymentListDescription:
    """A worker deployment, as :meth:`Client.list_worker_deployments` finds it.

    Attributes:
        name: Its name.
        create_time: When the first worker of it was seen.
        routing: Which versions new work goes to.
        raw_summary: All of it, as a protobuf message.
    """

    name: str
    create_time: datetime | None
    routing: WorkerDeploymentRouting
    raw_summary: ListWorkerDeploymentsResponse.WorkerDeploymentSummary = field(repr=False)

    @staticmethod
    def _from_summary(
        summary: ListWorkerDeploymentsResponse.WorkerDeploymentSummary,
    ) -> WorkerDeploymentListDescription:
        return WorkerDeploymentListDescription(
            name=summary.name,
            create_time=_time(summary, "create_time"),
            routing=WorkerDeploymentRouting._from_config(summary.routing_config),
            raw_summary=summary,
        )


@dataclass(frozen=True)
class WorkerDeploymentVersionSummary:
    """A version of a worker deployment, in short.

    Attributes:
        version: The version.
        status: How it is used.
        create_time: When the first worker of it was seen.
        current_since_time: Since when it has been the current version, if it is.
        ramping_since_time: Since when it has been ramping, if it is.
        drainage_changed_time: When it began to drain, or was drained, if it has.
    """

    version: WorkerDeploymentVersion
    status: WorkerDeploymentVersionStatus | None
    create_time: datetime | None
    current_since_time: datetime | None
    ramping_since_time: datetime | None
    drainage_changed_time: datetime | None

    @staticmethod
    def _fields(
        info: WorkerDeploymentInfo.WorkerDeploymentVersionSummary | WorkerDeploymentVersionInfo,
    ) -> dict[str, Any]:
        version = info.deployment_version
        return {
            "version": WorkerDeploymentVersion(version.deployment_name, version.build_id),
            "status": WorkerDeploymentVersionStatus(info.status) if info.status else None,
            "create_time": _time(info, "create_time"),
            "current_since_time": _time(info, "current_since_time"),
            "ramping_since_time": _time(info, "ramping_since_time"),
            "drainage_changed_time": _time(info.drainage_info, "last_changed_time"),
        }


@dataclass(frozen=True)
class WorkerDeploymentDescription:
    """A worker deployment in detail.

    Attributes:
        name: Its name.
        create_time: When the first worker of it was seen.
        routing: Which versions new work goes to.
        versions: All its versions, the newest first.
        last_modifier_identity: The client that changed it last.
        manager_identity: The only client that may change it, if not every client may.
        conflict_token: Stands for this state. Given to a call that changes the deployment, the call is refused if the
            deployment is in another state by then.
        raw_description: All of it, as a protobuf message.
    """

    name: str
    create_time: datetime | None
    routing: WorkerDeploymentRouting
    versions: Sequence[WorkerDeploymentVersionSummary]
    last_modifier_identity: str
    manager_identity: str | None
    conflict_token: bytes = field(repr=False)
    raw_description: DescribeWorkerDeploymentResponse = field(repr=False)

    @staticmethod
    def _from_response(response: DescribeWorkerDeploymentResponse) -> WorkerDeploymentDescription:
        info = response.worker_deployment_info
        return WorkerDeploymentDescription(
            name=info.name,
            create_time=_time(info, "create_time"),
            routing=WorkerDeploymentRouting._from_config(info.routing_config),
            versions=[
                WorkerDeploymentVersionSummary(**WorkerDeploymentVersionSummary._fields(each))
                for each in info.version_summaries
            ],
            last_modifier_identity=info.last_modifier_identity,
            manager_identity=info.manager_identity or None,
            conflict_token=response.conflict_token,
            raw_description=response,
        )


@dataclass(frozen=True)
class WorkerDeploymentTaskQueue:
    """A task queue that workers of a version have polled.

    Attributes:
        name: Its name.
        type: Kind of the tasks.
    """

    name: str
    type: TaskQueueType


@dataclass(frozen=True)
class WorkerDeploymentVersionDescription(WorkerDeploymentVersionSummary):
    """A version of a worker deployment in detail.

    Attributes:
        ramp_percentage: Its share of new work while it is ramping, 0 to 100.
        task_queues: The task queues that its workers have polled.
        data_converter: Converts its metadata.
        raw_description: All of it, as a protobuf message.
    """

    ramp_percentage: float
    task_queues: Sequence[WorkerDeploymentTaskQueue]
    data_converter: DataConverter = field(repr=False)
    raw_description: DescribeWorkerDeploymentVersionResponse = field(repr=False)

    @staticmethod
    def _from_response(
        response: DescribeWorkerDeploymentVersionResponse, converter: DataConverter
    ) -> WorkerDeploymentVersionDescription:
        info = response.worker_deployment_version_info
        return WorkerDeploymentVersionDescription(
            **WorkerDeploymentVersionSummary._fields(info),
            ramp_percentage=info.ramp_percentage,
            task_queues=[
                WorkerDeploymentTaskQueue(queue.name, TaskQueueType(queue.type))
                for queue in response.version_task_queues
            ],
            data_converter=converter,
            raw_description=response,
        )

    async def metadata(self) -> Mapping[str, Any]:
        """What :meth:`WorkerDeploymentHandle.update_version_metadata` has kept with it.

        Raises:
            ConversionError: A value cannot be decoded.
        """
        return await decode_metadata(
            self.data_converter, self.raw_description.worker_deployment_version_info.metadata.entries
        )


async def decode_metadata(converter: DataConverter, entries: Mapping[str, PayloadMessage]) -> dict[str, Any]:
    """The metadata of a version."""
    from invincible.converter._payloads import as_payload

    return {
        key: await decode_first(converter, [as_payload(payload)], None, f"metadata {key!r}")
        for key, payload in entries.items()
    }


def _version(message: VersionMessage) -> WorkerDeploymentVersion | None:
    return WorkerDeploymentVersion(message.deployment_name, message.build_id) if message.build_id else None


def _time(message: Message, name: str) -> datetime | None:
    timestamp: Timestamp = getattr(message, name)
    return timestamp.ToDatetime(timezone.utc) if message.HasField(name) and timestamp.seconds > 0 else None
