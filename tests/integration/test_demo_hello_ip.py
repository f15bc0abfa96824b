"""The drills of the hello_ip example: real worker and starter programs, killed and restarted, on a real server."""

import re
import signal
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, timezone

import pytest
import pytest_asyncio

from examples.standin import Mode, Standin
from invincible.api.enums.v1 import EventType
from invincible.api.history.v1 import HistoryEvent
from invincible.client import Client
from tests.support.hello_ip import HelloIP, greeted, ready, started
from tests.support.history import fetch_events, of_type, wait_for_event
from tests.support.server import server_process

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[str]:
    async with server_process() as server:
        yield server.address


@pytest_asyncio.fixture(loop_scope="module")
async def demo(address: str) -> AsyncIterator[HelloIP]:
    async with Standin() as standin:
        yield HelloIP(address, await Client.connect(address), standin)


def time_of(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(timezone.utc)


async def test_drill_1_the_greeting_arrives(demo: HelloIP) -> None:
    async with demo.worker() as worker, demo.starter() as starter:
        await ready(worker)
        workflow_id = await started(starter)
        url = await starter.line("^http")
        await greeted(starter)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0

    assert re.fullmatch(rf"http://ui\.test/namespaces/default/workflows/{workflow_id}/[0-9a-f-]{{36}}/history", url)
    assert demo.requests == (1, 1)
    events = await fetch_events(demo.client, workflow_id)
    assert events[0].workflow_execution_started_event_attributes.workflow_type.name == "GetAddressFromIP"
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    ]
    completed = of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    assert [each.activity_type.name for each in scheduled] == ["get_ip", "get_location_info"]
    assert scheduled[1].input == completed[0].activity_task_completed_event_attributes.result
    assert not of_type(events, EventType.EVENT_TYPE_TIMER_STARTED)


async def test_drill_2_the_timer_is_between_the_calls(demo: HelloIP) -> None:
    async with demo.worker() as worker, demo.starter(seconds=3) as starter:
        await ready(worker)
        workflow_id = await started(starter)
        await greeted(starter)

    events = await fetch_events(demo.client, workflow_id)
    (timer,) = of_type(events, EventType.EVENT_TYPE_TIMER_STARTED)
    (fired,) = of_type(events, EventType.EVENT_TYPE_TIMER_FIRED)
    first, second = of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    assert first.event_id < timer.event_id < fired.event_id < second.event_id
    assert timer.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta() == timedelta(seconds=3)
    assert time_of(fired) - time_of(timer) >= timedelta(seconds=3)


async def test_drill_3_a_killed_worker_is_replaced(demo: HelloIP) -> None:
    async with demo.starter(seconds=3) as starter:
        workflow_id = await started(starter)
        async with demo.worker() as first:
            await wait_for_event(demo.client, workflow_id, EventType.EVENT_TYPE_TIMER_STARTED)
            await first.kill()
        fired = await wait_for_event(demo.client, workflow_id, EventType.EVENT_TYPE_TIMER_FIRED)
        assert demo.standin.ip_api.requests == 0

        async with demo.worker():
            await greeted(starter)

    assert demo.requests == (1, 1)
    (_, second) = of_type(await fetch_events(demo.client, workflow_id), EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    assert second.event_id > fired.event_id


async def test_drill_5_a_bug_is_fixed_under_a_running_workflow(demo: HelloIP) -> None:
    async with demo.starter() as starter:
        workflow_id = await started(starter)
        async with demo.worker(IP_API_URL=f"{demo.standin.url}/misspelt"):
            activity = await demo.wait_for_attempt(workflow_id, 2)
            assert activity.activity_type.name == "get_location_info"
            assert "404" in activity.last_failure.message

        async with demo.worker():
            await greeted(starter)

    assert demo.requests == (1, 1)


@pytest.mark.parametrize(("mode", "failure"), [(Mode.ERROR_500, "500"), (Mode.BAD_JSON, "Unterminated string")])
async def test_drill_6_a_broken_service_is_asked_until_it_works(demo: HelloIP, mode: Mode, failure: str) -> None:
    demo.standin.ip_api.set(mode)
    async with demo.worker(), demo.starter() as starter:
        workflow_id = await started(starter)
        activity = await demo.wait_for_attempt(workflow_id, 2)
        assert activity.activity_type.name == "get_location_info"
        assert failure in activity.last_failure.message

        demo.standin.ip_api.set(Mode.OK)
        await greeted(starter)

    assert demo.standin.icanhazip.requests == 1
    assert demo.standin.ip_api.requests >= 2


async def test_drill_6_the_network_is_cut_and_comes_back(demo: HelloIP) -> None:
    async with demo.worker(), demo.starter(seconds=1) as starter:
        workflow_id = await started(starter)
        await wait_for_event(demo.client, workflow_id, EventType.EVENT_TYPE_TIMER_STARTED)
        await demo.standin.stop()
        activity = await demo.wait_for_attempt(workflow_id, 2)
        assert "Cannot connect" in activity.last_failure.message

        await demo.standin.start()
        await greeted(starter)

    assert demo.standin.icanhazip.requests == 1


async def test_a_rate_limited_service_is_left_alone_for_as_long_as_it_asks(demo: HelloIP) -> None:
    demo.standin.ip_api.set(Mode.RATE_LIMIT_429, fail_first=1, rate_limit_ttl=3)
    async with demo.worker(), demo.starter() as starter:
        workflow_id = await started(starter)
        await greeted(starter)

    events = await fetch_events(demo.client, workflow_id)
    scheduled = of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)[1]
    last_attempt = of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED)[1]
    assert last_attempt.activity_task_started_event_attributes.attempt == 2
    assert time_of(last_attempt) - time_of(scheduled) >= timedelta(seconds=3)  # the retry policy alone waits for 1


async def test_an_address_without_a_location_ends_the_workflow(demo: HelloIP) -> None:
    demo.standin.icanhazip.ip = "192.168.1.100"
    async with demo.worker(), demo.starter() as starter:
        await started(starter)
        assert "192.168.1.100 has no location: private range" in await starter.line("^No greeting: ")
        assert await starter.exit_code() == 1
    assert demo.standin.ip_api.requests == 1


async def test_two_workers_share_a_task_queue(demo: HelloIP) -> None:
    async with demo.worker() as first, demo.worker() as second, demo.starter(seconds=1) as starter:
        await ready(first)
        await ready(second)
        workflow_id = await started(starter)
        await wait_for_event(demo.client, workflow_id, EventType.EVENT_TYPE_TIMER_STARTED)
        await first.kill()
        await greeted(starter)
    assert demo.standin.icanhazip.requests == 1
