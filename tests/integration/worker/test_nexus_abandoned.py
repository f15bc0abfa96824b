"""Nexus operations that their callers cancel and do not wait for: they go on, and so do their callers."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import nexusrpc
import pytest
from nexusrpc.handler import service_handler

from invincible import nexus, workflow
from invincible.api.enums.v1 import EventType
from invincible.client import Client
from invincible.exceptions import ApplicationError, NexusOperationError
from invincible.worker import Replayer, Worker
from invincible.workflow import NexusOperationCancellationType
from tests.support.conditions import eventually
from tests.support.go_worker import nexus_endpoint
from tests.support.history import fetch_events, of_type, wait_for_event

LIMIT = 20.0
ABANDON, TRY_CANCEL = NexusOperationCancellationType.ABANDON, NexusOperationCancellationType.TRY_CANCEL


@workflow.defn
class Dish:
    """Cooks on when it is cancelled."""

    def __init__(self) -> None:
        self.outcome = ""

    @workflow.run
    async def run(self, name: str) -> str:
        while not self.outcome:
            try:
                await workflow.wait_condition(lambda: bool(self.outcome))
            except asyncio.CancelledError:
                continue
        if self.outcome == "burnt":
            raise ApplicationError(f"{name} is burnt")
        return f"{name} is {self.outcome}"

    @workflow.signal
    def end(self, outcome: str) -> None:
        self.outcome = outcome


@nexusrpc.service(name="kitchen")
class Kitchen:
    cook: nexusrpc.Operation[str, str]


@service_handler(service=Kitchen)
class KitchenHandler:
    def __init__(self) -> None:
        self.may_start = asyncio.Event()

    @nexus.workflow_run_operation
    async def cook(self, ctx: nexus.WorkflowRunOperationContext, input: str) -> nexus.WorkflowHandle[str]:
        await self.may_start.wait()
        return await ctx.start_workflow(Dish.run, input, id=input)


@workflow.defn
class Guest:
    """Orders a dish, leaves it when told to, and stays until told to go."""

    def __init__(self) -> None:
        self.leaves = self.goes = False
        self.story: list[str] = []

    @workflow.run
    async def run(self, endpoint: str, dish: str, kind: NexusOperationCancellationType) -> list[str]:
        kitchen = workflow.create_nexus_client(service=Kitchen, endpoint=endpoint)
        order = asyncio.ensure_future(self.order(kitchen, dish, kind))
        await workflow.wait_condition(lambda: self.leaves)
        order.cancel()
        await order
        await workflow.wait_condition(lambda: self.goes)
        return self.story

    async def order(
        self, kitchen: workflow.NexusClient[Kitchen], dish: str, kind: NexusOperationCancellationType
    ) -> None:
        try:
            operation = await kitchen.start_operation(Kitchen.cook, dish, cancellation_type=kind)
            self.story.append("started")
            await operation
        except NexusOperationError as error:
            self.story.append(f"{error.message}: {type(error.cause).__name__}")

    @workflow.signal
    def leave(self) -> None:
        self.leaves = True

    @workflow.signal
    def go(self) -> None:
        self.goes = True

    @workflow.query
    def told(self) -> list[str]:
        return self.story


@pytest.mark.parametrize("outcome", ["tasty", "burnt"])
@pytest.mark.parametrize(
    ("kind", "left"),
    [
        pytest.param(ABANDON, "before the start", id="abandon-before"),
        pytest.param(ABANDON, "with the start", id="abandon-with"),
        pytest.param(ABANDON, "after the start", id="abandon-after"),
        pytest.param(TRY_CANCEL, "before the start", id="try-cancel-before"),
    ],
)
async def test_the_end_of_an_operation_that_was_left_is_no_news(
    client: Client, task_queue: str, kind: NexusOperationCancellationType, left: str, outcome: str
) -> None:
    handler = KitchenHandler()
    dish = f"{task_queue}-dish"
    guests = f"{task_queue}-guests"
    async with (
        nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint,
        Worker(client, task_queue=task_queue, workflows=[Dish], nexus_service_handlers=[handler]),
        AsyncExitStack() as serving,
    ):

        async def serve_guests() -> None:
            await serving.enter_async_context(Worker(client, task_queue=guests, workflows=[Guest]))

        await serve_guests()
        guest = await client.start_workflow(Guest.run, args=(endpoint, dish, kind), id=guests, task_queue=guests)
        await wait_for_event(client, guests, EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED)
        if left == "before the start":
            await guest.signal(Guest.leave)
        elif left == "with the start":
            # A worker that comes later learns of both at once, of the signal first.
            await serving.aclose()
            handler.may_start.set()
            await wait_for_event(client, guests, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
            await guest.signal(Guest.leave)
            await serve_guests()
        else:
            handler.may_start.set()

            async def started() -> bool:
                return await guest.query(Guest.told) == ["started"]

            await eventually(started, what="the guest knows that the operation has started")
            await guest.signal(Guest.leave)

        story = ["Nexus operation cancelled after starting: CancelledError"]
        if left != "before the start":
            story.insert(0, "started")

        async def has_left() -> bool:
            return await guest.query(Guest.told) == story

        await eventually(has_left, what="the guest has left")
        handler.may_start.set()
        await wait_for_event(client, guests, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
        await client.get_workflow_handle_for(Dish.run, dish).signal(Dish.end, outcome)
        ended = {
            "tasty": EventType.EVENT_TYPE_NEXUS_OPERATION_COMPLETED,
            "burnt": EventType.EVENT_TYPE_NEXUS_OPERATION_FAILED,
        }
        await wait_for_event(client, guests, ended[outcome])
        await guest.signal(Guest.go)
        assert await asyncio.wait_for(guest.result(), LIMIT) == story
        events = await fetch_events(client, guests)
        assert of_type(events, EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED) == []
        requests = of_type(events, EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED)
        assert len(requests) == (0 if kind is ABANDON else 1)
    replayed = await Replayer(workflows=[Guest]).replay_workflow(await guest.fetch_history())
    assert replayed.replay_failure is None
