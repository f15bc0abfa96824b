"""What type checkers make of client calls. Nothing here is run; the checkers of `make lint` read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import workflow
from invincible.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from invincible.common import WorkflowIDConflictPolicy


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

    @workflow.update
    def remove(self, item: str) -> int:
        return 1

    @workflow.update(name="check-out")
    async def check_out(self) -> Receipt:
        return Receipt(1)

    @workflow.update
    async def replace(self, old: str, new: str) -> bool:
        return True

    @remove.validator
    def _check_remove(self, item: str) -> None: ...


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
    await handle.signal(Clock.run)  # type: ignore[arg-type]


async def updates(client: Client) -> None:
    handle = client.get_workflow_handle_for(Purchase.run, "1")
    assert_type(await handle.execute_update(Purchase.remove, "a"), int)
    assert_type(await handle.execute_update(Purchase.check_out, id="1", rpc_timeout=timedelta(1)), Receipt)
    assert_type(await handle.execute_update(Purchase.replace, args=["a", "b"]), bool)
    assert_type(await handle.execute_update("remove", "a"), Any)
    assert_type(await handle.execute_update("remove", "a", result_type=int), int)
    accepted = WorkflowUpdateStage.ACCEPTED
    update = await handle.start_update(Purchase.remove, "a", wait_for_stage=accepted)
    assert_type(update, WorkflowUpdateHandle[int])
    assert_type(await update.result(), int)
    check_out = await handle.start_update(Purchase.check_out, wait_for_stage=accepted)
    assert_type(check_out, WorkflowUpdateHandle[Receipt])
    replace = await handle.start_update(Purchase.replace, args=["a", "b"], wait_for_stage=accepted)
    assert_type(replace, WorkflowUpdateHandle[bool])
    assert_type(await handle.start_update("remove", "a", wait_for_stage=accepted), WorkflowUpdateHandle[Any])
    assert_type(handle.get_update_handle_for(Purchase.check_out, "1"), WorkflowUpdateHandle[Receipt])
    assert_type(handle.get_update_handle("1"), WorkflowUpdateHandle[Any])

    await handle.execute_update(Purchase.remove, 1)  # type: ignore[misc]
    await handle.execute_update(Purchase.remove)  # type: ignore[arg-type]
    await handle.start_update(Purchase.check_out)  # type: ignore[call-overload]
    await handle.execute_update(Clock.run)  # type: ignore[arg-type]


async def updates_with_start(client: Client) -> None:
    use_existing = WorkflowIDConflictPolicy.USE_EXISTING
    start = WithStartWorkflowOperation(
        Purchase.run, Order("1"), id="1", task_queue="q", id_conflict_policy=use_existing
    )
    assert_type(start, WithStartWorkflowOperation[Purchase, Receipt])
    assert_type(await start.workflow_handle(), WorkflowHandle[Purchase, Receipt])
    greeting = WithStartWorkflowOperation(greet, "Ada", id="1", task_queue="q", id_conflict_policy=use_existing)
    assert_type(await greeting.workflow_handle(), WorkflowHandle[Any, str])
    waiting = WithStartWorkflowOperation(wait, id="1", task_queue="q", id_conflict_policy=use_existing)
    assert_type(await waiting.workflow_handle(), WorkflowHandle[Any, None])
    adding = WithStartWorkflowOperation(add, args=[1, 2], id="1", task_queue="q", id_conflict_policy=use_existing)
    assert_type((await adding.workflow_handle()).result_run_id, str | None)
    by_name = WithStartWorkflowOperation(
        "Purchase", Order("1"), id="1", task_queue="q", id_conflict_policy=use_existing, result_type=Receipt
    )
    assert_type(await by_name.workflow_handle(), WorkflowHandle[Any, Receipt])
    total = await client.execute_update_with_start_workflow(Purchase.remove, "a", start_workflow_operation=start)
    assert_type(total, int)
    receipt = await client.execute_update_with_start_workflow(Purchase.check_out, start_workflow_operation=start)
    assert_type(receipt, Receipt)
    replaced = await client.start_update_with_start_workflow(
        Purchase.replace,
        args=["a", "b"],
        start_workflow_operation=start,
        wait_for_stage=WorkflowUpdateStage.COMPLETED,
    )
    assert_type(replaced, WorkflowUpdateHandle[bool])
    unknown = await client.execute_update_with_start_workflow("remove", "a", start_workflow_operation=by_name)
    assert_type(unknown, Any)

    clock = WithStartWorkflowOperation(Clock.run, id="1", task_queue="q", id_conflict_policy=use_existing)
    await client.execute_update_with_start_workflow(Purchase.remove, "a", start_workflow_operation=clock)  # type: ignore[misc]
    WithStartWorkflowOperation(Purchase.run, Order("1"), id="1", task_queue="q")  # type: ignore[call-overload]
