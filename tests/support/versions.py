"""A worker deployment of a test: workers of its versions, and what the server makes of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from invincible import workflow
from invincible.client import Client, WorkerDeploymentHandle, WorkerDeploymentVersionStatus, WorkflowHandle
from invincible.common import VersioningBehavior, WorkerDeploymentVersion
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Worker, WorkerDeploymentConfig

from .conditions import eventually

SERVER_OPTIONS = [
    option
    for setting in (
        'matching.PollerHistoryTTL="1s"',
        'matching.wv.VersionDrainageStatusVisibilityGracePeriod="1s"',
        'matching.wv.VersionDrainageStatusRefreshInterval="1s"',
    )
    for option in ("--dynamic-config-value", setting)
]
"""Options of a server that forgets workers and drains versions within seconds."""


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
async def probe() -> str:
    """Tells which version new runs go to."""
    return workflow.info().get_current_build_id()


class Deployment:
    """A worker deployment with a task queue of its own.

    Attributes:
        name: Its name.
        handle: The client's handle of it.
    """

    def __init__(self, client: Client, task_queue: str) -> None:
        self.name = f"shop-{uuid.uuid4().hex[:8]}"
        self.handle: WorkerDeploymentHandle = client.get_worker_deployment_handle(self.name)
        self._client = client
        self._task_queue = task_queue
        self._number = 0

    def version(self, build_id: str) -> WorkerDeploymentVersion:
        """A version of this deployment."""
        return WorkerDeploymentVersion(self.name, build_id)

    def config(self, build_id: str, default: VersioningBehavior = VersioningBehavior.UNSPECIFIED) -> Any:
        """What makes a worker one of this deployment."""
        return WorkerDeploymentConfig(self.version(build_id), True, default)

    @asynccontextmanager
    async def worker(
        self,
        build_id: str,
        workflows: Sequence[Any] = (),
        *,
        current: bool = False,
        default: VersioningBehavior = VersioningBehavior.UNSPECIFIED,
        **options: Any,
    ) -> AsyncIterator[Worker]:
        """Run a worker of a version. The block starts when the server knows the version; with ``current``, when new
        runs go to it.
        """
        options = {"task_queue": self._task_queue, **options}
        config = self.config(build_id, default)
        async with Worker(self._client, workflows=[*workflows, probe], deployment_config=config, **options) as worker:
            await known(self.handle, build_id, task_queue=options["task_queue"])
            if current:
                await self.promote(build_id)
            yield worker

    async def promote(self, build_id: str) -> None:
        """Make a version the current one; it takes the server a moment until new runs go there."""
        await self.handle.set_current_version(build_id)
        await self.new_runs_go_to(build_id)

    async def new_runs_go_to(self, build_id: str) -> None:
        async def do() -> bool:
            return bool(await self.execute(probe) == build_id)

        await eventually(do, what=f"new runs go to version {build_id}")

    async def has_status(self, build_id: str, status: WorkerDeploymentVersionStatus) -> None:
        async def has() -> bool:
            return (await self.handle.describe_version(build_id)).status is status

        await eventually(has, what=f"version {build_id} is {status.name}")

    async def start(self, workflow: Any, *args: Any, **options: Any) -> WorkflowHandle[Any, Any]:
        """Start a workflow under an id of its own, if no other is given."""
        self._number += 1
        options = {"id": f"{self._task_queue}-{self._number}", "task_queue": self._task_queue, **options}
        handle: WorkflowHandle[Any, Any] = await self._client.start_workflow(workflow, args=args, **options)
        return handle

    async def execute(self, workflow: Any, *args: Any, **options: Any) -> Any:
        """Start a workflow and wait for its result."""
        return await (await self.start(workflow, *args, **options)).result()


async def known(handle: WorkerDeploymentHandle, build_id: str, *, task_queue: str) -> None:
    """Wait until the server has seen a worker of a version."""

    async def is_known() -> bool:
        try:
            described = await handle.describe_version(build_id)
            listed = {each.version.build_id for each in (await handle.describe()).versions}
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return build_id in listed and task_queue in {each.name for each in described.task_queues}

    await eventually(is_known, what=f"the server knows version {build_id}")


async def build_ids(handle: WorkflowHandle[Any, Any]) -> list[str]:
    """The versions that a run's workflow tasks were completed by, one after the other, as its history has them."""
    completed = [
        event.workflow_task_completed_event_attributes.deployment_version.build_id
        for event in (await handle.fetch_history()).events
        if event.HasField("workflow_task_completed_event_attributes")
    ]
    return [each for number, each in enumerate(completed) if number == 0 or completed[number - 1] != each]
