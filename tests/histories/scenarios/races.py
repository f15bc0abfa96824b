from __future__ import annotations

from ..workflows.races import Cancelled, Race, TaskFailed, TaskFails
from .stage import Stage, happened, scenario, started


@scenario
async def race(stage: Stage) -> None:
    handle = await stage.start(Race.run)
    async with stage.worker():
        await started(handle, "x", "y", "g", "s", "q", "lock-1")
    await stage.complete(handle, "lock-1", "q", "s", "g", "y", "x")
    await happened(handle, TIMER_FIRED=4)
    await handle.signal("bump", 1)
    push = await stage.update(handle, "push", 1, id="push")
    async with stage.worker():
        await push
        await started(handle, "lock-2")
    await stage.complete(handle, "lock-2")
    await stage.finish(handle)


@scenario
async def cancellation(stage: Stage) -> None:
    handle = await stage.start(Cancelled.run)
    async with stage.worker():
        await started(handle, "c1", "c3", "c4")
    await handle.cancel()
    async with stage.worker():
        await happened(handle, ACTIVITY_TASK_CANCEL_REQUESTED=3)
        await stage.activity(handle, "c1").report_cancellation()
    await stage.finish(handle)


@scenario
async def task_failed(stage: Stage) -> None:
    handle = await stage.start(TaskFailed.run)
    async with stage.worker(workflows=[TaskFails]):
        await happened(handle, WORKFLOW_TASK_FAILED=1)
    await stage.finish(handle)
