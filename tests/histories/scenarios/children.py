from __future__ import annotations

from ..workflows.children import (
    Child,
    ChildCancellations,
    ChildRace,
    ChildrenCancelledEarly,
    ExternalRace,
    ParentClosing,
    Stubborn,
)
from ..workflows.children import Children as EachChild
from ..workflows.children import External as EachExternal
from .stage import Stage, ended, happened, scenario, started


@scenario
async def children(stage: Stage) -> None:
    handle = await stage.start(EachChild.run)
    await stage.finish(handle)
    await stage.save(stage.client.get_workflow_handle(f"{handle.id}-own"), "-child")


@scenario
async def parent_closing(stage: Stage) -> None:
    await stage.finish(await stage.start(ParentClosing.run))


@scenario
async def child_cancellations(stage: Stage) -> None:
    handle = await stage.start(ChildCancellations.run)
    async with stage.worker():
        await happened(handle, CHILD_WORKFLOW_EXECUTION_STARTED=8, TIMER_STARTED=1)
    await happened(handle, TIMER_FIRED=1)
    await handle.signal("cancel")
    await stage.finish(handle)


@scenario
async def children_cancelled_early(stage: Stage) -> None:
    await stage.finish(await stage.start(ChildrenCancelledEarly.run))


@scenario
async def child_race(stage: Stage) -> None:
    handle = await stage.start(ChildRace.run)
    others = [stage.client.get_workflow_handle(f"{handle.id}-{n}") for n in range(4)]
    async with stage.worker():
        await started(handle, "a")
    await happened(handle, CHILD_WORKFLOW_EXECUTION_STARTED=4)
    await handle.signal("nudge")
    await others[2].signal("end", "early")
    async with stage.worker(task_queue=f"{stage.task_queue}-children"):
        await ended(others[2])
    for number, how in ((3, "three"), (1, "fail"), (0, "zero")):
        await others[number].signal("end", how)
    async with stage.worker(task_queue=f"{stage.task_queue}-children"):
        for other in others:
            await ended(other)
    await stage.complete(handle, "a")
    await happened(handle, TIMER_FIRED=1, CHILD_WORKFLOW_EXECUTION_COMPLETED=3, CHILD_WORKFLOW_EXECUTION_FAILED=1)
    await handle.signal("nudge")
    await stage.finish(handle)


@scenario
async def external(stage: Stage) -> None:
    handle = await stage.start(EachExternal.run)
    await stage.start(Child.run, id=f"{handle.id}-signalled")
    await stage.start(Stubborn.run, id=f"{handle.id}-cancelled")
    await stage.finish(handle)


@scenario
async def external_race(stage: Stage) -> None:
    handle = await stage.start(ExternalRace.run)
    await stage.start(Child.run, id=f"{handle.id}-other")
    async with stage.worker():
        await started(handle, "a")
    await handle.signal("nudge")
    await stage.complete(handle, "a")
    await happened(handle, TIMER_FIRED=1)
    await handle.signal("nudge")
    await stage.finish(handle)
