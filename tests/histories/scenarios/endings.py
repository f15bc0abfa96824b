from __future__ import annotations

from datetime import timedelta

from invincible.client import WorkflowUpdateStage

from ..workflows.endings import (
    AllPending,
    CancelledAndDone,
    CancelledLocally,
    CancelledPlainly,
    Failures,
    HandlerFailsRun,
    Unfinished,
)
from .nexus import endpoint
from .nexus_service import service
from .stage import Stage, depends_on_wait_for, ended, happened, scenario, started

KINDS = ("TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON")


@scenario
@depends_on_wait_for
async def all_pending(stage: Stage) -> None:
    handle = await stage.start(AllPending.run, await endpoint(stage))
    async with stage.worker(task_queue=f"{stage.task_queue}-operations", nexus_service_handlers=[service()]):
        async with stage.worker():
            await started(handle, *KINDS, "handle", "gathered")
            await happened(handle, CHILD_WORKFLOW_EXECUTION_STARTED=4, NEXUS_OPERATION_STARTED=4)
        await handle.signal("wait")
        await handle.cancel(reason="enough")
        async with stage.worker():
            await happened(handle, ACTIVITY_TASK_CANCEL_REQUESTED=3)
            await stage.activity(handle, "WAIT_CANCELLATION_COMPLETED").report_cancellation()
            await ended(handle)
    await stage.save(handle)


@scenario
async def cancelled_plainly(stage: Stage) -> None:
    handle = await stage.start(CancelledPlainly.run)
    async with stage.worker():
        await started(handle, "a")
        await handle.cancel()
        await happened(handle, ACTIVITY_TASK_CANCEL_REQUESTED=1)
        await stage.activity(handle, "a").report_cancellation()
        await ended(handle)
    await stage.save(handle)


@scenario
async def cancelled_at_once(stage: Stage) -> None:
    handle = await stage.start(CancelledPlainly.run)
    await handle.cancel()
    async with stage.worker():
        await ended(handle)
    await stage.save(handle)


@scenario
async def cancelled_locally(stage: Stage) -> None:
    """The activities hold the workflow task for so long that another one brings the cancellation."""
    handle = await stage.start(CancelledLocally.run, task_timeout=timedelta(seconds=1))
    async with stage.worker():
        await happened(handle, WORKFLOW_TASK_STARTED=1)
        await handle.cancel()
        await ended(handle)
    await stage.save(handle)


@scenario
async def cancelled_and_done(stage: Stage) -> None:
    handle = await stage.start(CancelledAndDone.run)
    await handle.cancel()
    await stage.finish(handle)


@scenario
async def failures(stage: Stage) -> None:
    hows = ("application", "activity", "timeout", "defined", "worker", "child", "cancelled", "asyncio cancelled")
    async with stage.worker(workflow_failure_exception_types=[IndexError]):
        for how in hows:
            name = how.replace(" ", "-")
            handle = await stage.start(Failures.run, how, id=f"{stage.name}-{name}")
            await ended(handle)
            await stage.save(handle, f"-{name}")


@scenario
async def unfinished(stage: Stage) -> None:
    handle = await stage.start(Unfinished.run)
    async with stage.worker():
        await handle.signal("signal")
        await handle.start_update("update", id="update", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await handle.start_update("abandoned", id="abandoned", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await started(handle, "a", "left")
    await stage.complete(handle, "a")
    await stage.finish(handle)


@scenario
async def handler_fails_run(stage: Stage) -> None:
    handle = await stage.start(HandlerFailsRun.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await handle.signal("fail")
    await stage.finish(handle)
