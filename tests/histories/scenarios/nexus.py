from __future__ import annotations

from invincible.api.nexus.v1 import EndpointSpec, EndpointTarget
from invincible.api.operatorservice.v1 import CreateNexusEndpointRequest

from ..workflows.nexus import Nexus as EachEnd
from ..workflows.nexus import NexusCancellations, NexusRace, SignalWithStart
from .nexus_service import service
from .stage import Stage, ended, happened, scenario, started


async def endpoint(stage: Stage) -> str:
    """Make an endpoint of the scenario's own, for the handlers on its queue for operations."""
    target = EndpointTarget.Worker(namespace=stage.client.namespace, task_queue=f"{stage.task_queue}-operations")
    spec = EndpointSpec(name=f"recorded-{stage.name}", target=EndpointTarget(worker=target))
    await stage.client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec))
    return spec.name


@scenario
async def nexus(stage: Stage) -> None:
    handle = await stage.start(EachEnd.run, await endpoint(stage))
    async with stage.worker(task_queue=f"{stage.task_queue}-operations", nexus_service_handlers=[service()]):
        await stage.finish(handle)


@scenario
async def nexus_cancellations(stage: Stage) -> None:
    handle = await stage.start(NexusCancellations.run, await endpoint(stage))
    async with stage.worker(task_queue=f"{stage.task_queue}-operations", nexus_service_handlers=[service()]):
        async with stage.worker():
            await happened(handle, NEXUS_OPERATION_STARTED=8, TIMER_STARTED=1)
        await happened(handle, TIMER_FIRED=1)
        await handle.signal("cancel")
        await stage.finish(handle)


@scenario
async def nexus_race(stage: Stage) -> None:
    handle = await stage.start(NexusRace.run, await endpoint(stage))
    async with stage.worker():
        await started(handle, "a")
    await handle.signal("nudge")
    async with stage.worker(task_queue=f"{stage.task_queue}-operations", nexus_service_handlers=[service()]):
        await happened(handle, NEXUS_OPERATION_COMPLETED=3, NEXUS_OPERATION_FAILED=1)
    await stage.complete(handle, "a")
    await happened(handle, TIMER_FIRED=1)
    await stage.finish(handle)


@scenario
async def signal_with_start(stage: Stage) -> None:
    handle = await stage.start(SignalWithStart.run)
    await stage.finish(handle)
    await ended(stage.client.get_workflow_handle(f"{handle.id}-target"))
