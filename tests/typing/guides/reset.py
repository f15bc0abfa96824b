"""What the page takes for granted."""

from __future__ import annotations

from datetime import timedelta

from invincible import activity, workflow


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def charge(amount: int) -> str:
    return f"charged {amount}"


@workflow.defn
class Order:
    @workflow.run
    async def run(self, amount: int) -> str:
        return await charge.execute(amount)
