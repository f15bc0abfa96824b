"""Drill 4 of the hello_ip example: the Temporal server is killed and started again on the same database."""

import signal
from pathlib import Path

from examples.standin import Standin
from invincible.api.enums.v1 import EventType
from invincible.client import Client
from tests.support.hello_ip import HelloIP, greeted, started
from tests.support.history import wait_for_event
from tests.support.server import server_process


async def test_drill_4_a_killed_server_goes_on_from_its_database(tmp_path: Path) -> None:
    database = tmp_path / "temporal.db"
    async with Standin() as standin, server_process(database=database) as first:
        demo = HelloIP(first.address, await Client.connect(first.address), standin)
        async with demo.worker() as worker, demo.starter(seconds=3) as starter:
            workflow_id = await started(starter)
            await wait_for_event(demo.client, workflow_id, EventType.EVENT_TYPE_TIMER_STARTED)
            await first.program.kill()
            assert demo.requests == (1, 0)

            async with server_process(address=first.address, database=database):
                await greeted(starter)
                assert demo.requests == (1, 1)
                worker.send(signal.SIGTERM)
                assert await worker.exit_code() == 0
