"""The workflow, with the real activities and with mocks in place of them.

Each test has a namespace of its own, so all of them may call their workflow "order-1", also when they run side by side.
"""

from __future__ import annotations

import pytest

from invincible.client import Client, SyncClient, WorkflowFailureError
from invincible.exceptions import ApplicationError
from invincible.testing import WorkerFactory, mock_activity
from shop.activities import Order, charge, pack, price, remind
from shop.workflows import OrderWorkflow

ORDER = Order("order-1", "Ada", ["book", "pen"])


async def test_a_confirmed_order_is_packed(client: Client, worker: WorkerFactory) -> None:
    async with worker(OrderWorkflow, price, charge, remind, pack):
        order = await client.start_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue=worker.task_queue)
        await order.signal(OrderWorkflow.confirm)
        assert await order.result() == "packed: 2 items, receipt-Ada-2000"
        assert await order.query(OrderWorkflow.state) == "packed: 2 items, receipt-Ada-2000"


async def test_the_price_is_charged(client: Client, worker: WorkerFactory) -> None:
    pay = mock_activity(charge, returns="receipt-1")
    async with worker(OrderWorkflow, mock_activity(price, returns=4200), pay, mock_activity(pack, returns=2)):
        order = await client.start_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue=worker.task_queue)
        await order.signal(OrderWorkflow.confirm)
        assert await order.result() == "packed: 2 items, receipt-1"
    pay.assert_called_once_with("Ada", 4200)


async def test_a_card_that_is_refused_fails_the_order(client: Client, worker: WorkerFactory) -> None:
    refused = mock_activity(charge, raises=ApplicationError("no funds", non_retryable=True))
    parcel = mock_activity(pack)
    async with worker(OrderWorkflow, price, refused, parcel):
        order = await client.start_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue=worker.task_queue)
        await order.signal(OrderWorkflow.confirm)
        with pytest.raises(WorkflowFailureError) as failed:
            await order.result()
    assert "no funds" in str(failed.value.cause.__cause__)
    parcel.assert_not_called()


@pytest.mark.time_skipping
async def test_an_unconfirmed_order_expires(client: Client, worker: WorkerFactory) -> None:
    """Thirty days, in a second."""
    reminder = mock_activity(remind)
    async with worker(OrderWorkflow, price, reminder):
        state = await client.execute_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue=worker.task_queue)
    assert state == "expired"
    assert reminder.call_count == 2
    reminder.assert_called_with("Ada", "order-1")


async def test_each_task_replays(client: Client, worker: WorkerFactory) -> None:
    """What would not replay fails here; ``pytest --invincible-always-replay`` has all tests do this."""
    async with worker(OrderWorkflow, price, charge, pack, always_replay=True):
        order = await client.start_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue=worker.task_queue)
        await order.signal(OrderWorkflow.confirm)
        assert await order.result() == "packed: 2 items, receipt-Ada-2000"


def test_without_an_event_loop(sync_client: SyncClient, worker: WorkerFactory) -> None:
    with worker(OrderWorkflow, price, charge, pack):
        order = sync_client.start_workflow(OrderWorkflow.run, ORDER, id=ORDER.id, task_queue=worker.task_queue)
        order.signal(OrderWorkflow.confirm)
        assert order.result() == "packed: 2 items, receipt-Ada-2000"
