from __future__ import annotations

from datetime import timedelta
from typing import Any

from invincible.api.common.v1 import WorkflowExecution
from invincible.api.workflowservice.v1 import (
    ResetWorkflowExecutionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from invincible.common import (
    RetryPolicy,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from invincible.worker import WorkerDeploymentConfig

from ..workflows.common import MINUTE
from ..workflows.definitions import (
    KEYWORD,
    NUMBER,
    Attributes,
    BeforePatch,
    Chance,
    Continued,
    Grouped,
    Informed,
    Initialised,
    Patched,
    PatchGoing,
    PatchRace,
    PatchThere,
    Pinned,
    Repeated,
    Upgraded,
)
from .stage import Stage, client, ended, happened, scenario, started, until


@scenario
async def initialised(stage: Stage) -> None:
    handle = await stage.start(Initialised.run, "name", start_signal="early")
    await stage.finish(handle)


@scenario
async def dynamic(stage: Stage) -> None:
    await stage.finish(await stage.start("Whatever"))


@scenario
async def dynamic_versioned(stage: Stage) -> None:
    async with stage.worker(**deployed(stage, "one")):
        await make_current(stage, "one")
        handle = await stage.start("Whatever", 1, "two")
        await ended(handle)
    await stage.save(handle)


@scenario
async def informed(stage: Stage) -> None:
    handle = await stage.start(
        Informed.run,
        execution_timeout=10 * MINUTE,
        run_timeout=9 * MINUTE,
        task_timeout=timedelta(seconds=8),
        retry_policy=RetryPolicy(maximum_attempts=3),
        memo={"of": "start", "number": 2},
        search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "started")]),
        static_summary="a summary",
        static_details="details",
    )
    await stage.finish(handle)


@scenario
async def attributes(stage: Stage) -> None:
    handle = await stage.start(
        Attributes.run,
        memo={"of": "start"},
        search_attributes=TypedSearchAttributes([SearchAttributePair(NUMBER, 0)]),
    )
    await stage.finish(handle)


@scenario
async def chance(stage: Stage) -> None:
    """The run, and another made of it by a reset, which has another seed from there."""
    handle = await stage.start(Chance.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await stage.finish(handle)
    events = (await handle.fetch_history()).events
    completed = [e.event_id for e in events if e.HasField("workflow_task_completed_event_attributes")]
    last_but_four = completed[-5]  # Before the values that are asked for after the activity.
    reset = await stage.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=stage.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.result_run_id or ""),
            reason="recorded",
            workflow_task_finish_event_id=last_but_four,
            request_id="reset",
        )
    )
    again = stage.client.get_workflow_handle(handle.id, run_id=reset.run_id)
    async with stage.worker():
        await ended(again)
    await stage.save(again, "-reset")


@scenario
async def continued(stage: Stage) -> None:
    first = await stage.start(
        Continued.run,
        0,
        memo={"of": "start"},
        search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "started")]),
        retry_policy=RetryPolicy(maximum_attempts=2),
    )
    async with stage.worker():
        runs = [first_run(stage, first)]
        while len(runs) < 4:
            runs.append(await next_run(stage, runs[-1]))
        await happened(runs[-1], TIMER_STARTED=1)
        await runs[-1].signal("go_on")
        runs.append(await next_run(stage, runs[-1]))
        await ended(runs[-1])
    for number, run in enumerate(runs):
        await stage.save(run, f"-{number}")


def first_run(stage: Stage, handle: Any) -> Any:
    """The first run alone, where the handle of a start is about the newest one."""
    return stage.client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)


async def next_run(stage: Stage, handle: Any) -> Any:
    """The run that follows one which ends."""
    await ended(handle)
    last = (await handle.fetch_history()).events[-1]
    for name in ("continued_as_new", "completed", "failed"):
        attributes = getattr(last, f"workflow_execution_{name}_event_attributes")
        if attributes.new_execution_run_id:
            return stage.client.get_workflow_handle(handle.id, run_id=attributes.new_execution_run_id)
    raise AssertionError(f"no run follows {last}")


@scenario
async def repeated(stage: Stage) -> None:
    """By cron: the first succeeds, the second fails, the third sees both."""
    handle = await stage.start(Repeated.run, cron_schedule="@every 1s")
    async with stage.worker():
        runs = [first_run(stage, handle)]
        while len(runs) < 3:
            runs.append(await next_run(stage, runs[-1]))
        await ended(runs[-1])
    await stage.client.get_workflow_handle(handle.id).terminate()
    for number, run in enumerate(runs):
        await stage.save(run, f"-cron-{number}")


@scenario
async def retried(stage: Stage) -> None:
    handle = await stage.start(
        Repeated.run, retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=5)
    )
    async with stage.worker():
        runs = [first_run(stage, handle)]
        while len(runs) < 3:
            runs.append(await next_run(stage, runs[-1]))
        await ended(runs[-1])
    for number, run in enumerate(runs):
        await stage.save(run, f"-{number}")


@scenario
async def patched(stage: Stage) -> None:
    handle = await stage.start(Patched.run)
    async with stage.worker():
        await started(handle, "a")
    await stage.complete(handle, "a")
    await stage.finish(handle)


@scenario
async def patched_before(stage: Stage) -> None:
    """Begun by the old code, and taken over by the new one in the middle."""
    handle = await stage.start(BeforePatch.run)
    async with stage.worker(workflows=[BeforePatch]):
        await started(handle, "a")
    await stage.complete(handle, "a")
    await stage.finish(handle)


@scenario
async def patch_race(stage: Stage) -> None:
    handle = await stage.start(PatchRace.run)
    await handle.signal("ask", "early")
    async with stage.worker():
        await started(handle, "a")
    await handle.signal("ask", "late")
    await stage.complete(handle, "a")
    await stage.finish(handle)


async def taken_over(stage: Stage, before: Any) -> None:
    """All of the run is made by the old code, and the new one replays it."""
    handle = await stage.start(before.run)
    async with stage.worker(workflows=[before]):
        await started(handle, "a")
        await stage.complete(handle, "a")
        await ended(handle)
    await stage.save(handle)


@scenario
async def patch_deprecated(stage: Stage) -> None:
    await taken_over(stage, PatchThere)


@scenario
async def patch_gone(stage: Stage) -> None:
    await taken_over(stage, PatchGoing)


def deployed(stage: Stage, build_id: str) -> dict[str, Any]:
    """Options of a worker that is one version of the scenario's deployment."""
    version = WorkerDeploymentVersion(deployment_name=stage.name, build_id=build_id)
    config = WorkerDeploymentConfig(
        version=version, use_worker_versioning=True, default_versioning_behavior=VersioningBehavior.PINNED
    )
    return {"deployment_config": config}


async def make_current(stage: Stage, build_id: str) -> None:
    async def done() -> bool:
        try:
            await stage.client.workflow_service.set_worker_deployment_current_version(
                SetWorkerDeploymentCurrentVersionRequest(
                    namespace=stage.client.namespace, deployment_name=stage.name, build_id=build_id
                )
            )
        except client.RPCError:
            return False  # No worker of this version has polled yet.
        return True

    await until(done)


async def versioned(stage: Stage, run: Any) -> None:
    """The first half on version 1, the second where the behaviour lets it run once version 2 is current."""
    async with stage.worker(**deployed(stage, "one")), stage.worker(**deployed(stage, "two")):
        await make_current(stage, "one")
        handle = await stage.start(run)
        await started(handle, "pause-0")
        await make_current(stage, "two")
        await stage.complete(handle, "pause-0")
        await started(handle, "pause-1")
        await stage.complete(handle, "pause-1")
        await ended(handle)
    await stage.save(handle)


@scenario
async def pinned(stage: Stage) -> None:
    await versioned(stage, Pinned.run)


@scenario
async def upgraded(stage: Stage) -> None:
    await versioned(stage, Upgraded.run)


@scenario
async def grouped(stage: Stage) -> None:
    await stage.finish(await stage.start(Grouped.run))
