"""No thread of Core's ever waits for Python while it holds what Python waits for."""

from __future__ import annotations

import asyncio
import itertools
import logging
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from invincible.worker import (
    CustomSlotSupplier,
    FixedSizeSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
    Worker,
    WorkerTuner,
)

RUNS = 20
THREADS = 20
LIMIT = 60.0
MINUTE = timedelta(minutes=1)


class Counted(CustomSlotSupplier):
    """So many slots; what it is told keeps Python busy for a moment."""

    def __init__(self, slots: int) -> None:
        self._lock = threading.Lock()
        self._free = slots
        self.released = 0

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        while (permit := self.try_reserve_slot(ctx)) is None:  # noqa: ASYNC110  # threads take slots too
            await asyncio.sleep(0.001)
        return permit

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        with self._lock:
            if self._free == 0:
                return None
            self._free -= 1
        return SlotPermit()

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        spin(0.0005)

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        spin(0.0005)
        with self._lock:
            self._free += 1
            self.released += 1


def spin(seconds: float) -> None:
    """Keeps the interpreter busy."""
    end = time.monotonic() + seconds
    for number in itertools.count():
        if number % 1000 == 0 and time.monotonic() > end:
            return


@activity.defn(start_to_close_timeout=MINUTE, heartbeat_timeout=timedelta(seconds=20))
def beat(step: int) -> int:
    for number in range(50):
        activity.heartbeat(step, number)
        activity.logger.info("beat")
    spin(0.02)
    return step


@activity.defn(start_to_close_timeout=MINUTE)
async def think(step: int) -> int:
    activity.heartbeat(step)
    spin(0.005)
    await asyncio.sleep(0)
    return step


@workflow.defn
async def all_at_once() -> int:
    done: list[int] = await asyncio.gather(
        *(beat.execute(step) for step in range(3)),
        *(think.execute(step) for step in range(3)),
        *(think.execute_local(step) for step in range(3)),
    )
    return sum(done)


@pytest.fixture
def long_turns() -> Iterator[None]:
    """Threads keep the GIL for long."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.02)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("long_turns")
async def test_slots_heartbeats_and_logs_of_a_busy_interpreter_end_in_time(address: str, task_queue: str) -> None:
    core_log = logging.getLogger("tests.faults.core")
    core_log.propagate = False
    records = itertools.count()
    core_log.addFilter(lambda record: next(records) < 0)
    runtime = Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                TelemetryFilter(core_level="TRACE", other_level="INFO"), forwarding=LogForwardingConfig(core_log)
            )
        )
    )
    core_log.setLevel(1)
    client = await Client.connect(address, runtime=runtime)
    suppliers = Counted(10), Counted(THREADS), Counted(10)
    with ThreadPoolExecutor(THREADS) as executor:
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[all_at_once],
            activities=[beat, think],
            activity_executor=executor,
            tuner=WorkerTuner.create_composite(
                workflow_supplier=suppliers[0],
                activity_supplier=suppliers[1],
                local_activity_supplier=suppliers[2],
                nexus_supplier=FixedSizeSlotSupplier(1),
            ),
            health_address="127.0.0.1:0",
        )

        async def run_all() -> list[int]:
            async with worker:
                starts = (
                    client.execute_workflow(all_at_once, id=f"{task_queue}-{number}", task_queue=task_queue)
                    for number in range(RUNS)
                )
                return list(await asyncio.gather(*starts))

        assert await asyncio.wait_for(run_all(), LIMIT) == [9] * RUNS
    assert min(supplier.released for supplier in suppliers) >= RUNS
    assert next(records) > RUNS
