"""What type checkers make of client calls. Nothing here is run; the checkers of `make lint` read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import workflow
from invincible.client import Client, WorkflowHandle


@dataclass
class Order:
    id: str


@dataclass
class Receipt:
    total: int


@workflow.defn
class Purchase:
    @workflow.run
    async def run(self, order: Order) -> Receipt:
        return Receipt(1)

    @workflow.signal
    def approve(self) -> None: ...

    @workflow.signal
    async def add(self, item: str) -> None: ...

    @workflow.query
    def total(self) -> int:
        return 1

    @workflow.query
    def price(self, item: str) -> float:
        return 1.0


@workflow.defn
class Clock:
    @workflow.run
    async def run(self) -> str:
        return ""


@workflow.defn
async def greet(name: str) -> str:
    return name


@workflow.defn
async def add(a: int, b: int) -> int:
    return a + b


@workflow.defn
async def wait() -> None: ...


async def starts(client: Client) -> None:
    purchase = await client.start_workflow(Purchase.run, Order("1"), id="1", task_queue="q")
    assert_type(purchase, WorkflowHandle[Purchase, Receipt])
    assert_type(await purchase.result(), Receipt)
    clock = await client.start_workflow(Clock.run, id="1", task_queue="q", start_delay=timedelta(1))
    assert_type(await clock.result(), str)
    assert_type(await client.execute_workflow(Clock.run, id="1", task_queue="q"), str)
    assert_type(await client.execute_workflow(greet, "Ada", id="1", task_queue="q"), str)
    assert_type(await client.execute_workflow(add, args=[1, 2], id="1", task_queue="q"), int)
    assert_type(await client.execute_workflow(wait, id="1", task_queue="q"), None)
    assert_type(await client.execute_workflow("greet", "Ada", id="1", task_queue="q"), Any)
    assert_type(await client.execute_workflow("greet", "Ada", id="1", task_queue="q", result_type=str), str)
    assert_type(
        await client.start_workflow(Purchase, Order("1"), id="1", task_queue="q"), WorkflowHandle[Purchase, Any]
    )

    await client.start_workflow(Purchase.run, "1", id="1", task_queue="q")  # type: ignore[misc]
    await client.start_workflow(greet, 1, id="1", task_queue="q")  # type: ignore[arg-type]
    await client.start_workflow(Clock.run, task_queue="q")  # type: ignore[call-overload]
    await client.start_workflow(Clock.run, id="1", task_queue="q", run_timeout=5)  # type: ignore[call-overload]
    await client.start_workflow(Clock.run, id="1", task_queue="q", runtime=5)  # type: ignore[call-overload]


async def handles(client: Client) -> None:
    handle = client.get_workflow_handle_for(Purchase.run, "1")
    assert_type(handle, WorkflowHandle[Purchase, Receipt])
    assert_type(client.get_workflow_handle_for(wait, "1"), WorkflowHandle[Any, None])
    assert_type(client.get_workflow_handle("1"), WorkflowHandle[Any, Any])
    assert_type(await handle.query(Purchase.total), int)
    assert_type(await handle.query(Purchase.price, "a"), float)
    assert_type(await handle.query(Purchase.price, args=["a"]), float)
    assert_type(await handle.query("price", "a"), Any)
    assert_type(await handle.query("price", "a", result_type=float), float)
    await handle.signal(Purchase.approve)
    await handle.signal(Purchase.add, "a", rpc_timeout=timedelta(1))
    await handle.signal("add", "a")

    await handle.query(Purchase.price, 1)  # type: ignore[call-overload]
    await handle.signal(Purchase.add, 1)  # type: ignore[call-overload]
    await handle.signal(Clock.run)  # type: ignore[call-overload]
