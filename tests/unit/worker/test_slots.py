"""What a worker asks of a custom slot supplier, without Core."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from invincible.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)
from invincible.worker._slots import SlotKeeper


class Never(CustomSlotSupplier):
    """Has no slots."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:
        self.asked.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:
        return None

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None: ...

    def release_slot(self, ctx: SlotReleaseContext) -> None: ...


class Request:
    """A wait of Core's that it has not withdrawn."""

    id = 1
    is_sticky = False

    def grant(self, permit: int) -> bool:
        return False


async def test_a_wait_that_ends_with_the_worker_is_no_failure_of_the_supplier(caplog: pytest.LogCaptureFixture) -> None:
    supplier = Never()
    context = SlotReserveContext(
        slot_type="activity",
        task_queue="queue",
        worker_identity="worker",
        worker_build_id="1",
        worker_deployment_version=None,
        is_sticky=False,
    )
    keeper = SlotKeeper(supplier, context)
    request: Any = Request()
    keeper._requests[request.id] = request
    wait = keeper._task(keeper._reserve(request))
    await asyncio.wait_for(supplier.asked.wait(), 10)
    await keeper.end()
    assert wait.cancelled()
    assert caplog.records == []
