"""Activities are functions: a test calls them, or has them run in an ActivityEnvironment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invincible.testing import ActivityEnvironment
from shop.activities import charge, pack, price


async def test_price() -> None:
    assert await price(["book", "pen"]) == 2000


async def test_charge() -> None:
    assert await ActivityEnvironment().run(charge, "Ada", 2000) == "receipt-Ada-2000"


def test_pack_tells_how_far_it_is() -> None:
    env = ActivityEnvironment()
    assert env.run(pack, ["book", "pen"]) == 2
    assert env.heartbeats == [(1,), (2,)]


def test_pack_goes_on_where_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    env = ActivityEnvironment()
    env.info = replace(env.info, attempt=2, heartbeat_details=[1])
    assert env.run(pack, ["book", "pen"]) == 2
    assert capsys.readouterr().out == "packing pen\n"
