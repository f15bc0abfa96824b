"""The pages about options of workers and about plugins, followed."""

from __future__ import annotations

import pytest

from tests.support.guides import follow


async def test_workers(address: str, task_queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    ids = {f'"{name}"': f'"{task_queue}-{name}"' for name in ("order-1", "order-2")}
    names = await follow("workers.md", address, {**ids, '"orders"': f'"{task_queue}"'})
    assert names["receipt"] == "coffee is reserved"
    assert capsys.readouterr().out == "a slot is for ActivitySlotInfo(activity_type='reserve')\n"
    assert names["worker"].config()["task_queue"] == task_queue
    await names["renew"](names["careful"])


async def test_plugins(address: str, task_queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = await follow("plugins.md", address, {'"sale-1"': f'"{task_queue}"', '"sales"': f'"{task_queue}"'})
    assert names["receipt"] == "charged 12"
    assert names["identity"] == f"announced {task_queue}"
    ledger = ["the ledger is open", "the ledger is closed"]
    announced = [f"{task_queue} begins", f"{task_queue} ends"]
    # The plugin of the client surrounds that of the worker.
    assert capsys.readouterr().out.splitlines() == [*ledger, ledger[0], *announced, ledger[1]]
    assert names["without_charge"]([names["charge"], print]) == [print]
