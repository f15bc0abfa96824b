from __future__ import annotations

from ..workflows.asyncio_tools import Contexts, Groups, InTime, Scopes, Synchronised, Together, Waiting
from .stage import Stage, depends_on_wait_for, happened, needs_3_11, scenario, started


@scenario
async def waiting(stage: Stage) -> None:
    handle = await stage.start(Waiting.run)
    ids = [f"{kind}{n}" for kind in "fac" for n in range(3)]
    async with stage.worker():
        await started(handle, *ids, "l0", "w0")
    await stage.complete(handle, "a1", "f2", "w0", "c2", "c0", "f0", "a2", "a0")
    await handle.signal("nudge")
    await stage.complete(handle, "l0")
    await happened(handle, TIMER_FIRED=1)
    async with stage.worker():
        await started(handle, "c1", "f1")
    await stage.complete(handle, "c1", "f1")
    await stage.finish(handle)


@scenario
async def together(stage: Stage) -> None:
    handle = await stage.start(Together.run)
    ids = [f"g{n}" for n in range(9)]
    async with stage.worker():
        await started(handle, *ids)
    await stage.complete(handle, "g5", "g3", "g2", "g1", "g0")
    await happened(handle, TIMER_FIRED=2)
    await stage.complete(handle, "g8")
    async with stage.worker():
        await happened(handle, ACTIVITY_TASK_CANCEL_REQUESTED=1)
        await started(handle, "g4")
    await stage.complete(handle, "g4")
    await stage.finish(handle)


@scenario
async def synchronised(stage: Stage) -> None:
    handle = await stage.start(Synchronised.run)
    async with stage.worker():
        await started(handle, "lock-0", "semaphore-0", "semaphore-1", "bounded-0")
    await stage.complete(handle, "semaphore-1", "lock-0", "bounded-0", "semaphore-0")
    await happened(handle, TIMER_FIRED=2)
    await handle.signal("nudge", 1)
    await handle.signal("nudge", 2)
    async with stage.worker():
        await started(handle, "lock-1", "semaphore-2", "semaphore-3", "bounded-1")
    await stage.complete(handle, "bounded-1", "semaphore-2", "lock-1", "semaphore-3")
    async with stage.worker():
        await started(handle, "lock-2")
    await stage.complete(handle, "lock-2")
    await stage.finish(handle)


@scenario
async def contexts(stage: Stage) -> None:
    handle = await stage.start(Contexts.run)
    async with stage.worker():
        await started(handle, "t0", "t1")
    await happened(handle, TIMER_FIRED=1)
    await stage.complete(handle, "t1", "t0")
    await stage.finish(handle)


@scenario
@depends_on_wait_for
async def in_time(stage: Stage) -> None:
    handle = await stage.start(InTime.run)
    async with stage.worker():
        await started(handle, "w0", "w1", "w2", "w3", "w5", "w6", "plain")
    await stage.complete(handle, "w6", "plain", "w1", "w0", "w5")
    await happened(handle, TIMER_FIRED=3)
    await handle.signal("nudge")
    await stage.finish(handle)


@scenario
@needs_3_11
async def scopes(stage: Stage) -> None:
    handle = await stage.start(Scopes.run)
    async with stage.worker():
        await started(handle, "s0", "s1", "s2", "s3", "s4", "plain")
    await stage.complete(handle, "s4", "plain", "s0")
    await happened(handle, TIMER_FIRED=4)
    await handle.signal("nudge")
    await stage.finish(handle)


@scenario
@needs_3_11
async def groups(stage: Stage) -> None:
    handle = await stage.start(Groups.run)
    async with stage.worker():
        await started(handle, "k0", "k1", "k2", "k3", "plain")
    await stage.complete(handle, "k3", "plain", "k2", "k0", "k1")
    await happened(handle, TIMER_FIRED=2)
    await handle.signal("nudge")
    await stage.finish(handle)
