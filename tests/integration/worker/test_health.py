"""The health endpoint of a worker."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from datetime import timedelta
from typing import Any

import pytest

from invincible import _loop, _native, activity, workflow
from invincible.client import Client
from invincible.worker import HealthThresholds, Worker
from tests.support.conditions import eventually
from tests.support.guides import follow
from tests.support.health import answered, ask
from tests.support.relay import relay
from tests.support.server import server_process

ADDRESS = "127.0.0.1:0"
LIMIT = 20.0


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def wait_for_gate() -> str:
    await gate.wait()
    return "through"


@workflow.defn
async def pass_gate() -> str:
    return await wait_for_gate.execute()


gate: asyncio.Event


@pytest.fixture(autouse=True)
async def _gate() -> None:
    global gate
    gate = asyncio.Event()


@pytest.fixture
def free_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return address


async def test_a_worker_that_polls_is_healthy_and_ready(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[pass_gate], health_address=ADDRESS) as worker:
        ready = await ask(worker.health_address, "/readyz")
        assert (ready.status, ready.body["status"], ready.reasons) == (200, "ok", [])
        assert (await ask(worker.health_address, "/healthz")).status == 200
        said = ready.worker
        assert (said["task_queue"], said["namespace"], said["state"]) == (task_queue, "default", "running")
        assert said["identity"] == client.identity
        assert said["server_answered_seconds_ago"] < LIMIT
        assert said["last_error"] is None
        assert set(said["slots"]) == set(said["polls"]) == {"workflow"}


async def test_figures_follow_the_work(client: Client, task_queue: str) -> None:
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[pass_gate],
        activities=[wait_for_gate],
        max_concurrent_activities=7,
        health_address=ADDRESS,
    )
    async with worker:
        handle = await client.start_workflow(pass_gate, id=task_queue, task_queue=task_queue)

        async def under_way() -> bool:
            said = (await ask(worker.health_address, "/healthz")).worker
            assert said["slots"]["activity"] == {"used": 1, "available": 6}
            assert said["slots"]["local_activity"] == {"used": 0, "available": 100}
            assert said["polls"]["activity"]["task_seconds_ago"] < LIMIT
            assert said["polls"]["workflow"]["slots_held"] > 0
            assert said["cached_workflows"] == 1
            return True

        await eventually(under_way, what="the activity is seen")
        gate.set()
        await handle.result()

        async def over() -> bool:
            said = (await ask(worker.health_address, "/healthz")).worker
            return bool(said["slots"]["activity"] == {"used": 0, "available": 7} and said["cached_workflows"] == 0)

        await eventually(over, what="the slots are free again")


async def test_a_worker_that_drains_is_healthy_but_not_ready(client: Client, task_queue: str) -> None:
    worker = Worker(
        client,
        task_queue=task_queue,
        workflows=[pass_gate],
        activities=[wait_for_gate],
        graceful_shutdown_timeout=timedelta(seconds=LIMIT),
        health_address=ADDRESS,
    )
    run = asyncio.ensure_future(worker.run())
    await client.start_workflow(pass_gate, id=task_queue, task_queue=task_queue)

    async def begun() -> bool:
        return bool((await ask(worker.health_address, "/healthz")).worker["slots"]["activity"]["used"] == 1)

    await eventually(begun, what="the activity runs")
    shutdown = asyncio.ensure_future(worker.shutdown())
    await answered(worker.health_address, "/readyz", 503, "the worker shuts down")
    healthy = await ask(worker.health_address, "/healthz")
    assert (healthy.status, healthy.worker["state"]) == (200, "draining")
    gate.set()
    await asyncio.wait_for(asyncio.gather(run, shutdown), LIMIT)
    assert worker.health_address is None


async def test_a_worker_that_waits_for_its_server_is_not_ready(task_queue: str, free_address: str) -> None:
    async with server_process() as server, relay(server.address) as way:
        client = await Client.connect(way.address)
        worker = Worker(client, task_queue=task_queue, workflows=[pass_gate], health_address=free_address)
        way.pause()
        run = asyncio.ensure_future(worker.run())

        async def listens() -> bool:
            return worker.health_address is not None

        await eventually(listens, what="the endpoint is there")
        await answered(free_address, "/readyz", 503, "polls have not begun")
        starting = await ask(free_address, "/healthz")
        assert (starting.status, starting.worker["state"]) == (200, "starting")
        way.resume()
        await answered(free_address, "/readyz", 200)
        await worker.shutdown()
        await run


async def test_a_lost_server_is_told_of_until_it_answers_again(task_queue: str, free_address: str) -> None:
    thresholds = HealthThresholds(server_timeout=timedelta(seconds=1))
    async with server_process() as server, relay(server.address) as way:
        client = await Client.connect(way.address)
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[pass_gate],
            health_address=free_address,
            health_thresholds=thresholds,
        )
        async with worker:
            await answered(free_address, "/readyz", 200)
            way.pause()
            await answered(free_address, "/readyz", 503, "the server has not answered for")

            async def told() -> bool:
                error = (await ask(free_address, "/readyz")).worker["last_error"]
                return error is not None and error["message"] == "the server does not answer"

            await eventually(told, what="the error is told")
            assert (await ask(free_address, "/healthz")).status == 200
            way.resume()
            await answered(free_address, "/readyz", 200)


async def test_polls_that_do_not_return_are_not_healthy(client: Client, task_queue: str) -> None:
    """An idle server holds polls back for a minute, which is too long for this threshold."""
    thresholds = HealthThresholds(poll_timeout=timedelta(seconds=1))
    worker = Worker(
        client, task_queue=task_queue, workflows=[pass_gate], health_address=ADDRESS, health_thresholds=thresholds
    )
    async with worker:
        failing = await answered(worker.health_address, "/healthz", 503, "no workflow poll has returned for")
        assert failing.body["status"] == "failing"


async def test_workers_may_share_an_address(client: Client, task_queue: str, free_address: str) -> None:
    def worker(suffix: str) -> Worker:
        return Worker(client, task_queue=task_queue + suffix, workflows=[pass_gate], health_address=free_address)

    async with worker("-1") as first:
        async with worker("-2") as second:
            assert first.health_address == second.health_address == free_address
            both = await ask(free_address, "/readyz")
            assert {each["task_queue"] for each in both.body["workers"]} == {f"{task_queue}-1", f"{task_queue}-2"}
        assert (await ask(free_address, "/readyz")).worker["task_queue"] == f"{task_queue}-1"
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(free_address, "/readyz")


async def test_an_address_in_use_is_an_error(client: Client, task_queue: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        worker = Worker(
            client, task_queue=task_queue, workflows=[pass_gate], activities=[wait_for_gate], health_address=address
        )
        with pytest.raises(RuntimeError, match=f"could not serve health at {address}: Address already in use"):
            await asyncio.wait_for(worker.run(), LIMIT)


@pytest.mark.parametrize("nowhere", ["127.0.0.1:70000", "nowhere.invalid:0"])
async def test_an_address_that_there_is_not_is_an_error(client: Client, task_queue: str, nowhere: str) -> None:
    worker = Worker(client, task_queue=task_queue, workflows=[pass_gate], health_address=nowhere)
    with pytest.raises(ValueError, match=f'health_address "{nowhere}" cannot be used: ') as raised:
        await asyncio.wait_for(worker.run(), LIMIT)
    assert not str(raised.value).endswith(": ")


async def test_other_paths_and_methods_are_refused(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[pass_gate], health_address=ADDRESS) as worker:
        assert (await ask(worker.health_address, "/metrics")).status == 404
        assert (await ask(worker.health_address, "/readyz", method="POST")).status == 405
        head = await ask(worker.health_address, "/readyz", method="HEAD")
        assert (head.status, head.body) == (200, {})


async def test_reports_of_other_processes_count(client: Client, task_queue: str) -> None:
    runtime = client.service_client._runtime._native
    server = _native.HealthServer(runtime, ADDRESS)
    worker = Worker(client, task_queue=task_queue, workflows=[pass_gate])
    worker._local.reports_health = True
    assert worker._local.health_report() is None
    async with worker:
        server.put_report("worker 0", worker._local.health_report())
        ready = await ask(server.address, "/readyz")
        assert (ready.status, ready.worker["process"], ready.worker["task_queue"]) == (200, "worker 0", task_queue)
        server.put_report("worker 1")
        await answered(server.address, "/readyz", 503, "worker 1: polls have not begun")
        stalled = {"healthy": False, "ready": False, "reasons": ["stuck"]}
        server.put_report("worker 1", json.dumps(stalled))
        await answered(server.address, "/healthz", 503, "worker 1: stuck")
        server.remove_report("worker 1")
        assert (await ask(server.address, "/healthz")).status == 200
        with pytest.raises(ValueError, match="the health report of worker 1 is no JSON object"):
            server.put_report("worker 1", "[")
    await _loop.run(server.close())
    with pytest.raises(OSError, match="Connect call failed"):
        await ask(server.address, "/readyz")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"health_address": "8080"}, "health_address must be host:port, as in 127.0.0.1:8080, got '8080'"),
        ({"health_address": 8080}, "health_address must be host:port"),
        ({"stall_timeout": timedelta()}, "stall_timeout must be positive"),
        ({"loop_lag_warning": timedelta(seconds=-1)}, "loop_lag_warning must not be negative"),
    ],
)
def test_options_that_make_no_sense_are_refused(client: Client, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Worker(client, task_queue="any", workflows=[pass_gate], **options)


async def test_the_page_about_health(address: str, task_queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = await follow("health.md", address, {'"orders"': repr(task_queue)}, only=[0, 1])
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/readyz\n", capsys.readouterr().out)
    assert names["worker"].task_queue == task_queue
