"""Tuners: how many tasks are under way at a time, as numbers, resources or the user's own code say."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.api.enums.v1 import EventType
from invincible.client import Client
from invincible.worker import (
    ActivitySlotInfo,
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    LocalActivitySlotInfo,
    ResourceBasedSlotConfig,
    ResourceBasedSlotSupplier,
    ResourceBasedTunerConfig,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    Worker,
    WorkerTuner,
    WorkflowSlotInfo,
    _slots,
)
from tests.support.conditions import eventually
from tests.support.history import fetch_events, of_type

MINUTE = timedelta(minutes=1)


class AtOnce:
    """Counts what is under way at the same time, on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._now -= 1


at_once = AtOnce()


@pytest.fixture(autouse=True)
def nothing_under_way() -> None:
    global at_once
    at_once = AtOnce()


@activity.defn
def hog(number: int) -> int:
    """Keeps the GIL busy, and heartbeats as often as it can."""
    with at_once:
        end = time.monotonic() + 0.03
        while time.monotonic() < end:
            activity.heartbeat(number)
        return number


@activity.defn
async def echo(number: int) -> int:
    with at_once:
        activity.heartbeat(number)
        await asyncio.sleep(0.005)
        return number


@workflow.defn
class FanOut:
    @workflow.run
    async def run(self, name: str, count: int, local: bool) -> int:
        if local:
            calls = [
                workflow.execute_local_activity(name, each, result_type=int, start_to_close_timeout=MINUTE)
                for each in range(count)
            ]
        else:
            calls = [
                workflow.execute_activity(
                    name, each, result_type=int, start_to_close_timeout=MINUTE, heartbeat_timeout=MINUTE
                )
                for each in range(count)
            ]
        return sum(await asyncio.gather(*calls))


@workflow.defn
async def nothing() -> None: ...


class Recording(CustomSlotSupplier):
    """Gives out a number of slots, and notes what it is asked and told."""

    def __init__(self, slots: int = 100, *, eager: int = 0) -> None:
        self._free = asyncio.Semaphore(slots)
        self.eager = eager
        self.reserved: list[SlotReserveContext] = []
        self.tried: list[SlotReserveContext] = []
        self.used: list[SlotMarkUsedContext] = []
        self.released: list[SlotReleaseContext] = []
        self.permits: list[SlotPermit] = []
        self.cancelled = 0
        self.threads: set[int] = set()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.threads.add(threading.get_ident())
        self.reserved.append(ctx)
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._permit()

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        self.tried.append(ctx)
        if self.eager == 0:
            return None
        self.eager -= 1
        return self._permit()

    def _permit(self) -> SlotPermit:
        permit = SlotPermit()
        self.permits.append(permit)
        return permit

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        self.threads.add(threading.get_ident())
        self.used.append(ctx)

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        self.threads.add(threading.get_ident())
        self.released.append(ctx)
        self._free.release()

    def check_all_released(self) -> None:
        released = [ctx.permit for ctx in self.released]
        assert len(released) == len(self.permits)
        assert {*map(id, released)} == {*map(id, self.permits)}


def composite(workflow: Any = None, activity: Any = None, local_activity: Any = None, nexus: Any = None) -> WorkerTuner:
    fixed = FixedSizeSlotSupplier(20)
    return WorkerTuner.create_composite(
        workflow_supplier=workflow or fixed,
        activity_supplier=activity or fixed,
        local_activity_supplier=local_activity or fixed,
        nexus_supplier=nexus or fixed,
    )


async def run(client: Client, task_queue: str, tuner: WorkerTuner, *arguments: Any, **options: Any) -> None:
    async with Worker(
        client, task_queue=task_queue, workflows=[FanOut], activities=[hog, echo], tuner=tuner, **options
    ):
        count = arguments[1]
        result = await client.execute_workflow(
            FanOut.run, args=arguments, id=f"fan-out-{task_queue}", task_queue=task_queue
        )
        assert result == sum(range(count))


RESOURCES = ResourceBasedTunerConfig(target_memory_usage=1.0, target_cpu_usage=1.0)
NO_THROTTLE = timedelta()


@pytest.mark.parametrize(
    ("slots", "local", "most"),
    [
        (lambda: WorkerTuner.create_fixed(activity_slots=3), False, 3),
        (lambda: WorkerTuner.create_fixed(local_activity_slots=2), True, 2),
        (
            lambda: WorkerTuner.create_resource_based(
                target_memory_usage=1.0,
                target_cpu_usage=1.0,
                activity_config=ResourceBasedSlotConfig(3, 3, NO_THROTTLE),
            ),
            False,
            3,
        ),
        (
            lambda: composite(activity=ResourceBasedSlotSupplier(ResourceBasedSlotConfig(4, 4), RESOURCES)),
            False,
            4,
        ),
        (lambda: composite(activity=Recording(3)), False, 3),
        (lambda: composite(local_activity=Recording(2)), True, 2),
    ],
    ids=["fixed", "fixed-local", "resources", "composite-resources", "custom", "custom-local"],
)
@pytest.mark.parametrize("name", ["hog", "echo"])
async def test_no_more_is_under_way_than_there_are_slots(
    client: Client, task_queue: str, slots: Callable[[], WorkerTuner], local: bool, most: int, name: str
) -> None:
    await run(client, task_queue, slots(), name, 12, local)
    # Resource-based suppliers need not give all that they may.
    assert 1 < at_once.most <= most


async def test_resource_based_slots_stay_at_their_minimum_while_usage_is_above_the_target(
    client: Client, task_queue: str
) -> None:
    tuner = WorkerTuner.create_resource_based(
        target_memory_usage=0.001,
        target_cpu_usage=0.001,
        activity_config=ResourceBasedSlotConfig(minimum_slots=2, maximum_slots=50, ramp_throttle=NO_THROTTLE),
    )
    await run(client, task_queue, tuner, "hog", 10, False, disable_eager_activity_execution=True)
    assert at_once.most == 2


async def test_one_tuner_serves_several_workers(client: Client, task_queue: str) -> None:
    supplier = Recording(3)
    tuner = composite(activity=supplier)
    async with AsyncExitStack() as stack:
        queues = [f"{task_queue}-{each}" for each in range(2)]
        for queue in queues:
            await stack.enter_async_context(
                Worker(client, task_queue=queue, workflows=[FanOut], activities=[echo], tuner=tuner)
            )
        await asyncio.gather(
            *(
                client.execute_workflow(FanOut.run, args=["echo", 6, False], id=queue, task_queue=queue)
                for queue in queues
            )
        )
    assert at_once.most <= 3
    assert {ctx.task_queue for ctx in supplier.reserved} == {*queues}
    supplier.check_all_released()


async def test_custom_suppliers_are_told_what_slots_are_for(client: Client, task_queue: str) -> None:
    workflows, activities, locals_ = suppliers = Recording(), Recording(), Recording()
    tuner = composite(*suppliers)
    await run(client, task_queue, tuner, "hog", 1, False, build_id="build-1", identity="tuned")
    await run(client, f"{task_queue}-local", tuner, "echo", 1, True)

    for supplier, kind in zip(suppliers, ("workflow", "activity", "local-activity"), strict=True):
        context = supplier.reserved[0]
        assert context == SlotReserveContext(
            slot_type=kind,  # type: ignore[arg-type]
            task_queue=task_queue,
            worker_identity="tuned",
            worker_build_id="build-1",
            worker_deployment_version=None,
            is_sticky=context.is_sticky,
        )
        supplier.check_all_released()
        # Slots of polls that brought nothing are released, too.
        assert {ctx.slot_info for ctx in supplier.released} == {ctx.slot_info for ctx in supplier.used} | {None}
        assert supplier.threads == {threading.get_ident()}
    assert {ctx.is_sticky for ctx in workflows.reserved} == {True, False}
    assert {ctx.slot_info for ctx in workflows.used} == {
        WorkflowSlotInfo("FanOut", False),
        WorkflowSlotInfo("FanOut", True),
    }
    assert [ctx.slot_info for ctx in activities.used] == [ActivitySlotInfo("hog")]
    assert [ctx.slot_info for ctx in locals_.used] == [LocalActivitySlotInfo("echo")]


async def test_waits_for_slots_are_cancelled_when_the_worker_ends(client: Client, task_queue: str) -> None:
    supplier = Recording(1)
    async with Worker(client, task_queue=task_queue, activities=[echo], tuner=composite(activity=supplier)):

        async def waits() -> bool:
            return len(supplier.reserved) > len(supplier.permits) == 1

        await eventually(waits, what="a poll waits for a slot")
    assert supplier.cancelled == 1
    supplier.check_all_released()


@pytest.mark.parametrize(("options", "tries"), [({}, 3), ({"max_eager_activity_reservations_per_workflow_task": 1}, 1)])
async def test_activities_start_eagerly_with_permits_that_are_there_at_once(
    client: Client, task_queue: str, options: dict[str, Any], tries: int
) -> None:
    supplier = Recording(eager=2)
    await run(client, task_queue, composite(activity=supplier), "echo", 5, False, **options)
    # Three are asked for by default, at most; the server need not start them all.
    assert [ctx.slot_type for ctx in supplier.tried] == ["activity"] * tries
    supplier.check_all_released()
    scheduled = of_type(
        await fetch_events(client, f"fan-out-{task_queue}"), EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    )
    assert len(scheduled) == 5


@pytest.mark.parametrize(
    "options", [{"disable_eager_activity_execution": True}, {"max_task_queue_activities_per_second": 1000.0}]
)
async def test_suppliers_are_not_asked_for_eager_activities_that_cannot_be(
    client: Client, task_queue: str, options: dict[str, Any]
) -> None:
    supplier = Recording(eager=2)
    await run(client, task_queue, composite(activity=supplier), "echo", 5, False, **options)
    assert supplier.tried == []


class Failing(Recording):
    """Every method fails the first time, in the way given."""

    def __init__(self, failure: Callable[[], object]) -> None:
        super().__init__(eager=100)
        self._failure = failure
        self._failed: set[str] = set()

    def _fail(self, method: str) -> object:
        if method in self._failed:
            return None
        self._failed.add(method)
        return self._failure()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        return self._fail("reserve") or await super().reserve_slot(ctx)  # type: ignore[return-value]

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return self._fail("try") or super().try_reserve_slot(ctx)  # type: ignore[return-value]

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        super().mark_slot_used(ctx)
        self._fail("mark")

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        super().release_slot(ctx)
        self._fail("release")


def _raise(error: BaseException) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


@pytest.mark.parametrize(
    ("failure", "says"),
    [
        (_raise(ValueError("no")), "ValueError: no"),
        (_raise(asyncio.CancelledError()), "CancelledError"),
        (lambda: "a permit", "a slot supplier must give SlotPermit objects out, got str"),
    ],
    ids=["raises", "raises-cancelled", "gives-nonsense"],
)
async def test_a_supplier_that_fails_is_logged_and_asked_again(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture, failure: Callable[[], object], says: str
) -> None:
    if "Cancelled" in says:
        # In methods that are not awaited, it would be none of this supplier's waits that ends.
        supplier: Recording = _FailsAwaiting(failure)
    else:
        supplier = Failing(failure)
    await run(client, task_queue, composite(activity=supplier), "hog", 5, False)
    supplier.check_all_released()
    assert "reserve_slot (asked again in 0.1 s) of" in caplog.text
    assert says in caplog.text
    assert {record.name for record in caplog.records if record.levelno >= logging.ERROR} == {"invincible.worker"}


class _FailsAwaiting(Recording):
    def __init__(self, failure: Callable[[], object]) -> None:
        super().__init__()
        self._fails = [failure]

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        if self._fails:
            self._fails.pop()()
        return await super().reserve_slot(ctx)


class Never(Recording):
    """Gives nothing out, and does not care that it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.end = asyncio.Event()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.reserved.append(ctx)
        while not self.end.is_set():
            try:
                await self.end.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
        return SlotPermit()


async def test_a_worker_ends_whatever_its_suppliers_do(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    suppliers = Never(), Never(), Never()
    worker = Worker(client, task_queue=task_queue, workflows=[FanOut], activities=[echo], tuner=composite(*suppliers))
    async with worker:

        async def asked() -> bool:
            return all(supplier.reserved for supplier in suppliers)

        await eventually(asked, what="all suppliers are asked")
    assert worker.is_shutdown
    assert "reserve_slot of Never ignores that it is cancelled" in caplog.text
    for supplier in suppliers:
        supplier.end.set()


async def test_local_activities_run_without_slots_when_a_worker_that_ends_gets_none_for_them(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_slots, "_PATIENCE", 0.2)
    supplier = Never()
    worker = Worker(
        client, task_queue=task_queue, workflows=[FanOut], activities=[echo], tuner=composite(local_activity=supplier)
    )
    async with worker:
        handle = await client.start_workflow(FanOut.run, args=["echo", 1, True], id=task_queue, task_queue=task_queue)

        async def under_way() -> bool:
            events = await fetch_events(client, task_queue)
            return bool(of_type(events, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED))

        await eventually(under_way, what="the workflow task has begun")
    supplier.end.set()
    assert "Never gives no slot to local activities of a worker that shuts down: they run without" in caplog.text
    assert supplier.used == []
    assert supplier.released == []
    assert handle is not None


async def test_no_lock_of_core_waits_for_python(client: Client, task_queue: str) -> None:
    """Suppliers in Python for everything, and twenty threads that fight for the GIL and heartbeat all the time."""

    class Busy(Recording):
        def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
            super().mark_slot_used(ctx)
            sum(range(20_000))

        def release_slot(self, ctx: SlotReleaseContext) -> None:
            sum(range(20_000))
            super().release_slot(ctx)

    suppliers = Busy(10), Busy(20, eager=1000), Busy(5)
    async with Worker(
        client, task_queue=task_queue, workflows=[FanOut], activities=[hog, echo], tuner=composite(*suppliers)
    ):
        runs = (
            client.execute_workflow(
                FanOut.run,
                args=["hog" if each % 2 else "echo", 20, each % 2 == 0],
                id=f"{task_queue}-{each}",
                task_queue=task_queue,
            )
            for each in range(6)
        )
        await asyncio.wait_for(asyncio.gather(*runs), 30)
    for supplier in suppliers:
        supplier.check_all_released()
