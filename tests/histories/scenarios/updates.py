from __future__ import annotations

import asyncio
import contextlib

from invincible.client import (
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateStage,
)
from invincible.common import WorkflowIDConflictPolicy

from ..workflows.updates import (
    UpdateCancelled,
    UpdateEndsRun,
    UpdateFailsTask,
    UpdateRaises,
    UpdatesAtRunTime,
    UpdateSlips,
    UpdatesTogether,
)
from ..workflows.updates import Updates as EachUpdate
from .stage import Stage, ended, happened, scenario, started

REFUSED = contextlib.suppress(WorkflowUpdateFailedError)


@scenario
async def updates(stage: Stage) -> None:
    handle = await stage.start(EachUpdate.run)
    early = await stage.update(handle, "plain", "early", id="early")
    async with stage.worker():
        await early
        await handle.execute_update("plain", "one", id="one")
        with REFUSED:
            await handle.execute_update("renamed", args=["no", -1], id="refused")
        await handle.execute_update("renamed", "two", id="two")
        with REFUSED:
            await handle.execute_update("fails", False, id="fails")
        with REFUSED:
            await handle.execute_update("fails", True, id="fails-late")
        await handle.execute_update("unheard-of", args=[1, "two"], id="dynamic")
        await handle.execute_update("finish", id="finish")
        await handle.result()
    await stage.save(handle)


@scenario
async def update_with_start(stage: Stage) -> None:
    operation = WithStartWorkflowOperation(
        EachUpdate.run,
        id=stage.name,
        task_queue=stage.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    async with stage.worker():
        update = await stage.client.start_update_with_start_workflow(
            "renamed",
            "start",
            start_workflow_operation=operation,
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            id="with-start",
        )
        handle = await operation.workflow_handle()
        await handle.execute_update("finish", id="finish")
        await update.result()
        await handle.result()
    await stage.save(handle)


@scenario
async def updates_together(stage: Stage) -> None:
    handle = await stage.start(UpdatesTogether.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await happened(handle, TIMER_FIRED=1)
    await handle.signal("nudge")
    sent = [
        await stage.update(handle, "add", 1, id="add-1"),
        await stage.update(handle, "locked", 1, id="locked-1"),
        await stage.update(handle, "at_once", 1, id="at-once"),
        await stage.update(handle, "at_once", 0, id="refused"),
        await stage.update(handle, "add", 2, id="add-2"),
        await stage.update(handle, "locked", 2, id="locked-2"),
    ]
    await handle.signal("nudge")
    async with stage.worker():
        await asyncio.gather(*sent, return_exceptions=True)
        await handle.result()
    await stage.save(handle)


@scenario
async def updates_at_run_time(stage: Stage) -> None:
    handle = await stage.start(UpdatesAtRunTime.run)
    async with stage.worker():
        await started(handle, "a")
        with REFUSED:
            await handle.execute_update("first", "bad", id="refused")
        await handle.execute_update("first", "one", id="one")
        await handle.execute_update("second", args=[1, 2], id="two")
    update = await stage.update(handle, "first", "in-between", id="in-between")
    await stage.complete(handle, "a")
    async with stage.worker():
        await update
        await started(handle, "b")
        await handle.execute_update("first", "three", id="three")
        with REFUSED:
            await handle.execute_update("second", id="four")
    await stage.complete(handle, "b")
    await stage.finish(handle)


@scenario
async def update_ends_run(stage: Stage) -> None:
    handle = await stage.start(UpdateEndsRun.run)
    async with stage.worker():
        await handle.start_update("never", id="never", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await handle.execute_update("end", id="end")
        await handle.result()
    await stage.save(handle)


@scenario
async def update_cancelled(stage: Stage) -> None:
    handle = await stage.start(UpdateCancelled.run)
    async with stage.worker():
        await handle.start_update("work", id="work", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await started(handle, "u")
    await handle.cancel()
    async with stage.worker():
        await happened(handle, ACTIVITY_TASK_COMPLETED=1)
        await stage.complete(handle, "u")
    await stage.finish(handle)


@scenario
async def update_raises(stage: Stage) -> None:
    handle = await stage.start(UpdateRaises.run)
    async with stage.worker():
        for name in ("refuse", "time_out", "fail_in_activity"):
            with contextlib.suppress(WorkflowUpdateFailedError):
                await handle.execute_update(name, id=name)
        await handle.result()
    await stage.save(handle)


@scenario
async def update_fails_task(stage: Stage) -> None:
    handle = await stage.start(UpdateFailsTask.run)
    async with stage.worker(workflows=[UpdateSlips]):
        update = await handle.start_update("finish", id="finish", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await happened(handle, WORKFLOW_TASK_FAILED=1)
    async with stage.worker():
        await update.result()
        await ended(handle)
    await stage.save(handle)
