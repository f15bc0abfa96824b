from __future__ import annotations

from datetime import timedelta

from ..workflows import local_activities
from .stage import Stage, happened, scenario


@scenario
async def local_options(stage: Stage) -> None:
    await stage.finish(await stage.start(local_activities.LocalOptions.run))


@scenario
async def local_failures(stage: Stage) -> None:
    await stage.finish(await stage.start(local_activities.LocalFailures.run))


@scenario
async def local_backoff(stage: Stage) -> None:
    await stage.finish(await stage.start(local_activities.LocalBackoff.run))


@scenario
async def local_backoff_cancelled(stage: Stage) -> None:
    await stage.finish(await stage.start(local_activities.LocalBackoffCancelled.run))


@scenario
async def local_cancellations(stage: Stage) -> None:
    """The activities hold their workflow task for so long that another one brings the timer that cancels them."""
    await stage.finish(await stage.start(local_activities.LocalCancellations.run, task_timeout=timedelta(seconds=1)))


@scenario
async def local_race(stage: Stage) -> None:
    handle = await stage.start(local_activities.LocalRace.run)
    async with stage.worker():
        await happened(handle, TIMER_STARTED=2)
    await happened(handle, TIMER_FIRED=2)
    await handle.signal("nudge", "one")
    await handle.signal("nudge", "two")
    await stage.finish(handle)
