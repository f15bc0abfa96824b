"""The drills of the counter example: a counter that forgets, and one that does not, killed while they count."""

import sys

from invincible.api.enums.v1 import EventType
from invincible.client import Client
from tests.support.history import fetch_events, of_type, wait_for_event
from tests.support.processes import Program
from tests.support.server import server_process


def program(name: str, address: str = "", interval: str = "") -> Program:
    arguments = ("--interval", interval) if interval else ()
    return Program(sys.executable, "-m", f"examples.counter.{name}", *arguments, env={"TEMPORAL_ADDRESS": address})


def numbers(output: str) -> list[int]:
    return [int(line) for line in output.splitlines() if line.isdecimal()]


async def test_the_normal_counter_starts_again_at_1() -> None:
    async with program("normal", interval="0.3") as first:
        await first.line("^4$")
        await first.kill()
    assert numbers(first.output) == [1, 2, 3, 4]

    async with program("normal", interval="0") as second:
        assert await second.exit_code() == 0
    assert numbers(second.output) == list(range(1, 11))


async def test_the_durable_counter_goes_on_with_the_next_number() -> None:
    async with server_process() as server:
        await count_through_the_death_of_a_worker(server.address)


async def count_through_the_death_of_a_worker(address: str) -> None:
    client = await Client.connect(address)
    async with program("starter", address, interval="0.5") as starter:
        workflow_id = (await starter.line("^Started counting-")).removeprefix("Started ")
        assert await starter.exit_code() == 0

    async with program("worker", address) as first:
        await wait_for_event(client, workflow_id, EventType.EVENT_TYPE_TIMER_STARTED, count=4)
        await first.line("^4$")
        await first.kill()
    assert numbers(first.output) == [1, 2, 3, 4]
    assert "*** Counting to 10" in first.output

    async with program("worker", address) as second:
        await second.line(r"^\*\*\* Counted to 10$")
        assert await client.get_workflow_handle(workflow_id).result() == "Counted to 10"
    assert numbers(second.output) == [5, 6, 7, 8, 9, 10]
    assert "*** Counting to 10" not in second.output

    events = await fetch_events(client, workflow_id)
    assert events[0].workflow_execution_started_event_attributes.workflow_type.name == "CountingWorkflow"
    added = of_type(events, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
    inputs = [event.activity_task_scheduled_event_attributes.input.payloads[0].data for event in added]
    assert inputs == [str(number).encode() for number in range(10)]
    assert {event.activity_task_scheduled_event_attributes.activity_type.name for event in added} == {"AddOne"}
