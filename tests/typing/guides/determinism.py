"""What the page takes for granted."""

from __future__ import annotations

from invincible import workflow
from invincible.client import Client

client: Client
started = 0.0


@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> None: ...
