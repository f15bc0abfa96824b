"""What the page takes for granted."""

from __future__ import annotations

from invincible import workflow


@workflow.defn
class Order:
    @workflow.run
    async def run(self, number: int) -> int:
        return number
