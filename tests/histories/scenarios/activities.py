from __future__ import annotations

from invincible.exceptions import ApplicationError
from invincible.workflow import ActivityCancellationType

from ..workflows import activities
from .stage import Stage, happened, scenario, started


@scenario
async def activity_options(stage: Stage) -> None:
    await stage.finish(await stage.start(activities.ActivityOptions.run))


@scenario
async def activity_failures(stage: Stage) -> None:
    await stage.finish(await stage.start(activities.ActivityFailures.run))


@scenario
async def activity_cancellations(stage: Stage) -> None:
    handle = await stage.start(activities.ActivityCancellations.run)
    async with stage.worker():
        await started(handle, "try", "wait", "wait-and-fail", "wait-and-end", "abandon", "another")
    await stage.complete(handle, "another")
    await happened(handle, TIMER_FIRED=1)
    await handle.signal("cancel")
    async with stage.worker():
        await happened(handle, ACTIVITY_TASK_CANCEL_REQUESTED=4, ACTIVITY_TASK_COMPLETED=6)
    await stage.activity(handle, "wait").report_cancellation()
    await stage.activity(handle, "wait-and-fail").fail(ApplicationError("no", type="Sorry", non_retryable=True))
    await stage.complete(handle, "wait-and-end")
    await stage.finish(handle)


@scenario
async def activities_cancelled_at_once(stage: Stage) -> None:
    await stage.finish(await stage.start(activities.ActivitiesCancelledAtOnce.run))


@scenario
async def activity_cancelled_as_it_ends(stage: Stage) -> None:
    handle = await stage.start(activities.ActivityCancelledAsItEnds.run)
    ids = [f"{way}-{kind.name}" for kind in ActivityCancellationType for way in ("handle", "task")]
    async with stage.worker():
        await started(handle, *ids)
    await stage.complete(handle, *ids)
    await handle.signal("cancel")
    await stage.finish(handle)


@scenario
async def activity_cancellation_delivered(stage: Stage) -> None:
    await stage.finish(await stage.start(activities.ActivityCancellationDelivered.run))


@scenario
async def activities_ended_from_outside(stage: Stage) -> None:
    handle = await stage.start(activities.ActivitiesEndedFromOutside.run)
    async with stage.worker():
        await started(handle, "completed", "failed", "failed-for-good", "completed-too")
    await stage.complete(handle, "completed-too")
    await stage.activity(handle, "failed").fail(ApplicationError("no"))
    await stage.activity(handle, "failed-for-good").fail(ApplicationError("no", type="Sorry", non_retryable=True))
    await stage.complete(handle, "completed")
    await stage.finish(handle)


@scenario
async def many_activities(stage: Stage) -> None:
    handle = await stage.start(activities.ManyActivities.run)
    async with stage.worker():
        await started(handle, *(f"first-{n}" for n in range(5)))
    await stage.complete(handle, "first-3", "first-0", "first-4")
    async with stage.worker():
        await started(handle, "first-1", "first-2", "second-0", "second-3", "second-4")
    await stage.complete(handle, "second-4", "first-1", "second-0", "first-2", "second-3")
    async with stage.worker():
        await started(handle, "second-1", "second-2")
    await stage.complete(handle, "second-2", "second-1")
    await stage.finish(handle)
