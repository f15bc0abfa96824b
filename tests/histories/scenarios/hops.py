from __future__ import annotations

import asyncio
from typing import Any

from invincible.exceptions import ApplicationError

from ..workflows.children import Child
from ..workflows.hops import Blocker, Hops, LocalHops, TimedHops
from .nexus import endpoint
from .nexus_service import service
from .stage import Stage, depends_on_wait_for, ended, happened, has_ended, scenario


async def everything_in_one_task(stage: Stage, run: Any, *activity_ids: str) -> None:
    """The worker has one place, which another run takes while all that this one waits for becomes ready."""
    name = await endpoint(stage)
    for suffix in ("other", "exists"):
        await stage.start(Child.run, id=f"{stage.name}-{suffix}", task_queue=f"{stage.task_queue}-nobody")
    handle = await stage.start(run, name)
    blocker = await stage.start(Blocker.run, id=f"{stage.name}-blocker")
    async with (
        stage.worker(task_queue=f"{stage.task_queue}-children"),
        stage.worker(task_queue=f"{stage.task_queue}-operations", nexus_service_handlers=[service()]),
    ):
        async with stage.worker(max_concurrent_workflow_tasks=1):
            await happened(handle, WORKFLOW_TASK_COMPLETED=1)
            assert not await has_ended(blocker), "the runs began in the wrong order: record again"
            await happened(handle, TIMER_FIRED=1)
        await handle.signal("measure")
        await handle.signal("plain")
        await handle.signal("waits")
        updates = [await stage.update(handle, each, id=each) for each in ("renew", "plain_update")]
        await stage.complete(handle, *activity_ids)
        await stage.activity(handle, "failed").fail(ApplicationError("no", type="Sorry", non_retryable=True))
        await happened(handle, CHILD_WORKFLOW_EXECUTION_COMPLETED=2, NEXUS_OPERATION_COMPLETED=3)
    async with stage.worker():
        await asyncio.gather(*updates)
        await ended(handle)
    await stage.save(handle)


@scenario
async def hops(stage: Stage) -> None:
    await everything_in_one_task(stage, Hops.run, "first", "second", "third", "shared")


@scenario
@depends_on_wait_for
async def timed_hops(stage: Stage) -> None:
    await everything_in_one_task(stage, TimedHops.run, "first", "second", "third", "shared", "fourth")


@scenario
async def local_hops(stage: Stage) -> None:
    await stage.finish(await stage.start(LocalHops.run))
