"""An order, from the click to the parcel."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from invincible import workflow
from shop.activities import Order, charge, pack, price, remind

REMINDERS = 3
PATIENCE = timedelta(days=10)


@workflow.defn
class OrderWorkflow:
    """Waits up to 30 days for the customer's go, with a reminder every 10 days; then takes the money and packs."""

    def __init__(self) -> None:
        self._confirmed = False
        self._state = "new"

    @workflow.run
    async def run(self, order: Order) -> str:
        cents = await price.execute(order.items)
        self._state = f"waits for a confirmation of {cents / 100:.2f}"
        if not await self._is_confirmed(order):
            self._state = "expired"
            return self._state
        receipt = await charge.execute(order.customer, cents)
        self._state = f"paid: {receipt}"
        packed = await pack.execute(order.items)
        self._state = f"packed: {packed} items, {receipt}"
        return self._state

    @workflow.signal
    def confirm(self) -> None:
        self._confirmed = True

    @workflow.query
    def state(self) -> str:
        return self._state

    async def _is_confirmed(self, order: Order) -> bool:
        for number in range(REMINDERS):
            try:
                await workflow.wait_condition(lambda: self._confirmed, timeout=PATIENCE)
            except asyncio.TimeoutError:
                if number < REMINDERS - 1:
                    await remind.execute(order.customer, order.id)
            else:
                return True
        return False
