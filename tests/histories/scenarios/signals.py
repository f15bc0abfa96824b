from __future__ import annotations

from ..workflows.signals import SignalAsItEnds, SignalOrder, SignalsBuffered
from ..workflows.signals import Signals as EachSignal
from .stage import Stage, happened, scenario, started


@scenario
async def signals(stage: Stage) -> None:
    handle = await stage.start(EachSignal.run, start_signal="plain", start_signal_args=["start"])
    await handle.signal("renamed", "one")
    await handle.signal("unheard-of", args=[1, "two"])
    await handle.signal("plain", "two")
    await handle.signal("renamed", args=["two", 8])
    async with stage.worker():
        await happened(handle, ACTIVITY_TASK_COMPLETED=6)
        await handle.signal("finish")
        await handle.result()
    await stage.save(handle)


@scenario
async def signals_buffered(stage: Stage) -> None:
    handle = await stage.start(SignalsBuffered.run)
    await handle.signal("first", 1)
    await handle.signal("second", args=[1, 2])
    async with stage.worker():
        await started(handle, "a")
    await handle.signal("first", 2)
    await handle.signal("third")
    await stage.complete(handle, "a")
    await handle.signal("first", 3)
    async with stage.worker():
        await started(handle, "b")
    await handle.signal("second")
    await stage.complete(handle, "b")
    async with stage.worker():
        await started(handle, "c")
    await handle.signal("first", 4)
    await stage.complete(handle, "c")
    async with stage.worker():
        await started(handle, "d")
    await handle.signal("third", 5)
    await stage.complete(handle, "d")
    await handle.signal("first", 6)
    await stage.finish(handle)


@scenario
async def signal_order(stage: Stage) -> None:
    handle = await stage.start(SignalOrder.run)
    async with stage.worker():
        await started(handle, "a")
    await handle.signal("locked", 1)
    await stage.complete(handle, "a")
    await handle.signal("free", 1)
    await handle.signal("locked", 2)
    await happened(handle, TIMER_FIRED=1)
    await handle.signal("locked", 3)
    await handle.signal("free", 2)
    async with stage.worker():
        await happened(handle, TIMER_FIRED=2)
        await handle.signal("free", 3)
        await handle.result()
    await stage.save(handle)


@scenario
async def signal_as_it_ends(stage: Stage) -> None:
    handle = await stage.start(SignalAsItEnds.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await handle.signal("late")
    await stage.finish(handle)
