from __future__ import annotations

from ..workflows.timers import ConditionMetAsItTimesOut, Conditions, TimersTogether
from ..workflows.timers import Timers as EachTimer
from .stage import Stage, depends_on_wait_for, happened, scenario, started


@scenario
async def timers(stage: Stage) -> None:
    await stage.finish(await stage.start(EachTimer.run))


@scenario
@depends_on_wait_for
async def timers_together(stage: Stage) -> None:
    handle = await stage.start(TimersTogether.run)
    async with stage.worker():
        await happened(handle, TIMER_STARTED=7)
    await happened(handle, TIMER_FIRED=5)
    await handle.signal("cancel")
    await stage.finish(handle)


@scenario
async def conditions(stage: Stage) -> None:
    handle = await stage.start(Conditions.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await handle.signal("raise_level")
    await happened(handle, TIMER_FIRED=2)
    await handle.signal("raise_level")
    await stage.finish(handle)


@scenario
@depends_on_wait_for
async def condition_met_as_it_times_out(stage: Stage) -> None:
    handle = await stage.start(ConditionMetAsItTimesOut.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await happened(handle, TIMER_FIRED=4)
    await handle.signal("meet")
    await stage.finish(handle)
