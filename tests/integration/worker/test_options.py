"""What options of a worker do, as the server and its histories show it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation

from invincible import activity, workflow
from invincible.api.enums.v1 import EventType
from invincible.api.worker.v1 import WorkerHeartbeat
from invincible.api.workflowservice.v1 import ListWorkersRequest
from invincible.client import BuildIdOpAddNewDefault, Client
from invincible.plugin import SimplePlugin
from invincible.runtime import Runtime, TelemetryConfig
from invincible.testing._server import ServerProcess
from invincible.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    PatchActivationInput,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    Worker,
    WorkerTuner,
    WorkflowRunner,
)
from tests.support.conditions import eventually
from tests.support.history import fetch_events, of_type

MINUTE = timedelta(minutes=1)


@activity.defn
async def quick() -> None: ...


@workflow.defn
class Fan:
    @workflow.run
    async def run(self, count: int) -> str:
        starts = [workflow.execute_activity(quick, start_to_close_timeout=MINUTE) for _ in range(count)]
        await asyncio.gather(*starts)
        return workflow.info().get_current_build_id()


@service_handler
class EchoHandler:
    @sync_operation
    async def echo(self, ctx: StartOperationContext, value: str) -> str:
        return value


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))


async def assert_reported(
    address: str,
    runtime: Runtime,
    task_queue: str,
    what: Callable[[WorkerHeartbeat], object],
    expected: object,
    *,
    of_client: Sequence[SimplePlugin] = (),
    **options: Any,
) -> None:
    """Wait until a worker with these options tells the server what is expected of it."""
    client = await Client.connect(address, runtime=runtime, plugins=of_client)
    async with Worker(client, task_queue=task_queue, workflows=[Fan], activities=[quick], **options):

        async def as_expected() -> bool:
            workers = await client.workflow_service.list_workers(ListWorkersRequest(namespace="default"))
            reports = [each.worker_heartbeat for each in workers.workers_info]
            assert [what(each) for each in reports if each.task_queue == task_queue] == [expected]
            return True

        await eventually(as_expected, what="the worker has reported this")


def polls(worker: WorkerHeartbeat) -> tuple[tuple[int, bool], ...]:
    """How many polls for new runs, for cached ones and for activities there are, and whether their number scales."""
    kinds = worker.workflow_poller_info, worker.workflow_sticky_poller_info, worker.activity_poller_info
    return tuple((kind.current_pollers, kind.is_autoscaling) for kind in kinds)


async def test_polls_are_five_of_each_kind_by_default(address: str, runtime: Runtime, task_queue: str) -> None:
    # One of five looks for new runs.
    await assert_reported(address, runtime, task_queue, polls, ((1, False), (4, False), (5, False)))


@pytest.mark.parametrize(
    "options",
    [
        {"max_concurrent_workflow_task_polls": 4, "max_concurrent_activity_task_polls": 2},
        {
            "workflow_task_poller_behavior": PollerBehaviorSimpleMaximum(4),
            "activity_task_poller_behavior": PollerBehaviorSimpleMaximum(2),
        },
    ],
    ids=["number", "behavior"],
)
async def test_the_number_of_polls(address: str, runtime: Runtime, task_queue: str, options: dict[str, Any]) -> None:
    expected = ((2, False), (2, False), (2, False))
    await assert_reported(address, runtime, task_queue, polls, expected, nonsticky_to_sticky_poll_ratio=0.5, **options)


def nexus_polls(worker: WorkerHeartbeat) -> tuple[int, bool]:
    return worker.nexus_poller_info.current_pollers, worker.nexus_poller_info.is_autoscaling


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (5, False)),
        ({"nexus_task_poller_behavior": PollerBehaviorSimpleMaximum(3)}, (3, False)),
        ({"nexus_task_poller_behavior": PollerBehaviorAutoscaling(minimum=2, maximum=9, initial=4)}, (4, True)),
    ],
    ids=["default", "number", "scaling"],
)
async def test_the_number_of_polls_for_nexus_tasks(
    address: str, runtime: Runtime, task_queue: str, options: dict[str, Any], expected: tuple[int, bool]
) -> None:
    await assert_reported(
        address, runtime, task_queue, nexus_polls, expected, nexus_service_handlers=[EchoHandler()], **options
    )


async def test_polls_that_scale_begin_with_their_initial_number(
    address: str, runtime: Runtime, task_queue: str
) -> None:
    behavior = PollerBehaviorAutoscaling(minimum=2, maximum=9, initial=3)
    await assert_reported(
        address,
        runtime,
        task_queue,
        lambda worker: polls(worker)[2],
        (3, True),
        activity_task_poller_behavior=behavior,
    )
    await assert_reported(
        address,
        runtime,
        f"{task_queue}-workflows",
        lambda worker: [scales for _, scales in polls(worker)],
        [True, True, False],
        workflow_task_poller_behavior=behavior,
    )


class Custom(CustomSlotSupplier):
    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        return SlotPermit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None: ...

    def release_slot(self, ctx: SlotReleaseContext) -> None: ...


def suppliers(worker: WorkerHeartbeat) -> tuple[str, ...]:
    return (
        worker.workflow_task_slots_info.slot_supplier_kind,
        worker.activity_task_slots_info.slot_supplier_kind,
        worker.local_activity_slots_info.slot_supplier_kind,
    )


async def test_the_suppliers_of_a_tuner(address: str, runtime: Runtime, task_queue: str) -> None:
    tuner = WorkerTuner.create_composite(
        workflow_supplier=FixedSizeSlotSupplier(6),
        activity_supplier=Custom(),
        local_activity_supplier=ResourceBasedSlotSupplier(
            ResourceBasedSlotConfig(), ResourceBasedTunerConfig(target_memory_usage=0.9, target_cpu_usage=0.9)
        ),
        nexus_supplier=FixedSizeSlotSupplier(1),
    )
    expected = ("Fixed", "Custom", "ResourceBased")
    await assert_reported(address, runtime, task_queue, suppliers, expected, tuner=tuner)


def slots(worker: WorkerHeartbeat) -> tuple[int, ...]:
    return (
        worker.workflow_task_slots_info.current_available_slots,
        worker.activity_task_slots_info.current_available_slots,
        worker.local_activity_slots_info.current_available_slots,
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (100, 100, 100)),
        (
            {
                "max_concurrent_workflow_tasks": 11,
                "max_concurrent_activities": 12,
                "max_concurrent_local_activities": 13,
            },
            (11, 12, 13),
        ),
        (
            {"tuner": WorkerTuner.create_fixed(workflow_slots=11, activity_slots=12, local_activity_slots=13)},
            (11, 12, 13),
        ),
    ],
    ids=["default", "numbers", "tuner"],
)
async def test_numbers_of_slots(
    address: str, runtime: Runtime, task_queue: str, options: dict[str, Any], expected: tuple[int, ...]
) -> None:
    await assert_reported(address, runtime, task_queue, slots, expected, **options)


async def test_plugins_identity_and_build_id_are_told_the_server(
    address: str, runtime: Runtime, task_queue: str
) -> None:
    def told(worker: WorkerHeartbeat) -> object:
        names = {plugin.name for plugin in worker.plugins}
        return names, worker.worker_identity, worker.deployment_version.build_id

    await assert_reported(
        address,
        runtime,
        task_queue,
        told,
        ({"of the client", "of the worker"}, "the identity", "the build"),
        of_client=[SimplePlugin("of the client")],
        plugins=[SimplePluginOfWorker("of the worker")],
        identity="the identity",
        build_id="the build",
    )


class SimplePluginOfWorker(SimplePlugin):
    """Of another type, so that there is no warning of two."""


async def test_the_identity_and_the_build_id_are_in_the_history(client: Client, task_queue: str) -> None:
    async with Worker(
        client, task_queue=task_queue, workflows=[Fan], activities=[quick], identity="me", build_id="build 7"
    ):
        assert await client.execute_workflow(Fan.run, 1, id=task_queue, task_queue=task_queue) == "build 7"
    events = await fetch_events(client, task_queue)
    for event in of_type(events, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED):
        assert event.workflow_task_started_event_attributes.identity == "me"
    for event in of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED):
        assert event.activity_task_started_event_attributes.identity == "me"


async def test_build_ids_alone_route_runs_on_servers_that_know_them(task_queue: str) -> None:
    settings = [f"--dynamic-config-value=frontend.workerVersioning{each}APIs=true" for each in ("Data", "Workflow")]
    server = ServerProcess(["--port", "0", "--headless", *settings])
    try:
        first, second = [await Client.connect(server.ready.grpc) for _ in range(2)]
        await first.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewDefault("1.0"))
        versioned: dict[str, Any] = {"task_queue": task_queue, "workflows": [Fan], "use_worker_versioning": True}
        async with Worker(first, build_id="1.0", **versioned):
            assert await first.execute_workflow(Fan.run, 0, id="old", task_queue=task_queue) == "1.0"
            await first.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewDefault("2.0"))
            handle = await first.start_workflow(Fan.run, 0, id="new", task_queue=task_queue)
            async with Worker(second, build_id="2.0", **versioned):
                assert await handle.result() == "2.0"
    finally:
        server.stop()


@pytest.mark.parametrize("option", ["max_activities_per_second", "max_task_queue_activities_per_second"])
async def test_rates_of_activities(client: Client, task_queue: str, option: str) -> None:
    rate: dict[str, Any] = {option: 4.0}
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Fan],
        activities=[quick],
        disable_eager_activity_execution=True,
        **rate,
    ):
        began = time.monotonic()
        await client.execute_workflow(Fan.run, 12, id=task_queue, task_queue=task_queue)
        # The server, and Core, may let a burst of a second's worth pass.
        assert time.monotonic() - began > 1.0


async def test_a_worker_without_remote_activities_leaves_them_to_others(client: Client, task_queue: str) -> None:
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Fan],
        activities=[quick],
        no_remote_activities=True,
        identity="workflows",
    ):
        handle = await client.start_workflow(Fan.run, 1, id=task_queue, task_queue=task_queue)

        async def scheduled() -> bool:
            events = await fetch_events(client, task_queue)
            return bool(of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED))

        await eventually(scheduled, what="the activity is scheduled")
        async with Worker(client, task_queue=task_queue, activities=[quick], identity="activities"):
            await handle.result()
    (started,) = of_type(await fetch_events(client, task_queue), EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)
    assert started.activity_task_started_event_attributes.identity == "activities"


@workflow.defn(sandboxed=False)
class Unsandboxed:
    @workflow.run
    async def run(self) -> bool:
        return workflow.unsafe.in_sandbox()


@pytest.mark.parametrize(
    ("options", "guarded"), [({}, False), ({"unsandboxed_workflow_runner": WorkflowRunner()}, True)]
)
async def test_the_runner_of_unsandboxed_workflows(
    client: Client, task_queue: str, options: dict[str, Any], guarded: bool
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Unsandboxed], **options):
        assert await client.execute_workflow(Unsandboxed.run, id=task_queue, task_queue=task_queue) is guarded


@workflow.defn
class Patched:
    """Meets patches before and after a task, which a replay goes through again."""

    def __init__(self) -> None:
        self.go_on = False

    @workflow.run
    async def run(self, deprecate: bool) -> list[bool]:
        if deprecate:
            workflow.deprecate_patch("first")
        taken = [workflow.patched("first"), workflow.patched("first")]
        await workflow.sleep(0.01)
        taken += [workflow.patched("first"), workflow.patched("second")]
        workflow.deprecate_patch("first")
        await workflow.sleep(0.01)
        return [*taken, workflow.patched("first")]


@pytest.mark.parametrize("cached", [100, 0])
@pytest.mark.parametrize(
    ("active", "taken", "markers"),
    [
        ({"first", "second"}, [True, True, True, True, True], 2),
        ({"second"}, [False, False, False, True, False], 1),
        (set[str](), [False] * 5, 0),
    ],
    ids=["both", "second", "none"],
)
async def test_new_runs_take_the_patches_that_are_active(
    client: Client, task_queue: str, cached: int, active: set[str], taken: list[bool], markers: int
) -> None:
    asked: list[PatchActivationInput] = []

    def is_active(input: PatchActivationInput) -> bool:
        # It is no workflow code, so it may look at the world.
        assert time.time() > 0
        asked.append(input)
        return input.patch_id in active

    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Patched],
        max_cached_workflows=cached,
        patch_activation_callback=is_active,
    ):
        assert await client.execute_workflow(Patched.run, False, id=task_queue, task_queue=task_queue) == taken
    events = await fetch_events(client, task_queue)
    assert len(of_type(events, EventType.EVENT_TYPE_MARKER_RECORDED)) == markers
    # Once each, when a run has not yet got there. What was declined is asked again by nobody.
    assert [input.patch_id for input in asked] == ["first", "second"]
    assert {input.workflow_info.workflow_id for input in asked} == {task_queue}


async def test_deprecated_patches_are_not_asked_about(client: Client, task_queue: str) -> None:
    asked: list[str] = []

    def is_active(input: PatchActivationInput) -> bool:
        asked.append(input.patch_id)
        return False

    async with Worker(client, task_queue=task_queue, workflows=[Patched], patch_activation_callback=is_active):
        taken = await client.execute_workflow(Patched.run, True, id=task_queue, task_queue=task_queue)
    assert taken == [True, True, True, False, True]
    assert asked == ["second"]


async def test_an_answer_about_a_patch_that_is_none_fails_the_task(client: Client, task_queue: str) -> None:
    answers: list[Any] = ["yes", True]

    def is_active(input: PatchActivationInput) -> bool:
        return answers.pop(0) if len(answers) > 1 else True

    client._raise_task_failures = False
    async with Worker(client, task_queue=task_queue, workflows=[Patched], patch_activation_callback=is_active):
        await client.execute_workflow(Patched.run, False, id=task_queue, task_queue=task_queue)
    (failed,) = of_type(await fetch_events(client, task_queue), EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED)
    says = "patch_activation_callback must return True or False, got str for 'first'"
    assert failed.workflow_task_failed_event_attributes.failure.message == says


async def test_options_of_temporalio_without_meaning_here_are_accepted(client: Client, task_queue: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        async with Worker(
            client,
            task_queue=task_queue,
            workflows=[Unsandboxed],
            workflow_task_executor=executor,
            disable_safe_workflow_eviction=True,
        ):
            await client.execute_workflow(Unsandboxed.run, id=task_queue, task_queue=task_queue)
