"""What the page takes for granted."""

from __future__ import annotations

from dataclasses import dataclass

from invincible import workflow


@dataclass
class Cart:
    id: int


@workflow.defn
class Order:
    @workflow.run
    async def run(self, cart: Cart) -> str:
        return f"receipt {cart.id}"

    @workflow.signal
    def approve(self) -> None: ...


order = Cart(17)
