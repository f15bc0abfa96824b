"""Mocks of activities on a real server, and what a test is told of activities that nobody runs."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import ActivityFailureError, Client, WorkflowFailureError, WorkflowTaskFailedError
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError
from invincible.testing import mock_activity
from invincible.worker import Worker
from tests.support.conditions import eventually

SOON = timedelta(seconds=20)
QUICKLY = RetryPolicy(initial_interval=timedelta(milliseconds=1))
LIMIT = 60.0


@dataclass
class Receipt:
    id: str
    amount: int


@activity.defn(start_to_close_timeout=SOON, retry_policy=QUICKLY)
def charge(order_id: str, amount: int, *, currency: str = "EUR") -> Receipt:
    raise AssertionError("the real activity must not run in these tests")


class Mail:
    @activity.defn(name="send-mail", start_to_close_timeout=SOON)
    async def send(self, receipt: Receipt) -> None:
        raise AssertionError("the real activity must not run in these tests")


@workflow.defn
async def order(order_id: str) -> str:
    receipt = await charge.execute(order_id, 12, currency="CHF")
    await Mail.send.execute(receipt)
    return receipt.id


@workflow.defn
async def foreign() -> str:
    answer = await workflow.execute_activity("in-go", args=[{"a": 1}, 2], start_to_close_timeout=SOON)
    return f"{answer}"


@workflow.defn
async def local() -> int:
    return (await charge.execute_local("o-1", 1)).amount


async def run(client: Client, fn: object, task_queue: str, *args: object) -> object:
    id = f"mocks-{uuid.uuid4()}"
    return await asyncio.wait_for(client.execute_workflow(fn, args=args, id=id, task_queue=task_queue), LIMIT)  # type: ignore[call-overload]


async def test_a_mock_answers_and_records_its_calls(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, returns=Receipt("r-1", 12))
    mails = mock_activity(Mail.send)
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges, mails]):
        assert await run(client, order, task_queue, "o-1") == "r-1"
    charges.assert_called_once_with("o-1", 12, currency="CHF")
    mails.assert_called_once_with(Receipt("r-1", 12))
    (call,) = charges.calls
    assert (call.args, call.kwargs, call.attempt) == (("o-1", 12), {"currency": "CHF"}, 1)
    assert call.info is not None
    assert call.info.activity_type == "charge"
    assert mails.calls[0].args[0] == Receipt("r-1", 12), "as its type, not as a dict"


async def test_outcomes_come_one_after_the_other(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, side_effect=[ConnectionError("down"), OSError, Receipt("r-3", 12)])
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges, mock_activity(Mail.send)]):
        assert await run(client, order, task_queue, "o-1") == "r-3"
    assert [call.attempt for call in charges.calls] == [1, 2, 3]


async def test_a_final_failure(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, raises=ApplicationError("no money", type="Declined", non_retryable=True))
    mails = mock_activity(Mail.send)
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges, mails]):
        with pytest.raises(WorkflowFailureError) as raised:
            await run(client, order, task_queue, "o-1")
    failed = raised.value.cause
    assert isinstance(failed, ActivityError)
    assert isinstance(failed.cause, ApplicationError)
    assert (failed.cause.message, failed.cause.type) == ("no money", "Declined")
    mails.assert_not_called()


async def test_a_function_instead(client: Client, task_queue: str) -> None:
    async def fake(order_id: str, amount: int, *, currency: str = "EUR") -> Receipt:
        await asyncio.sleep(0)
        activity.heartbeat(order_id)
        return Receipt(f"{activity.info().activity_type} {order_id} {currency}", amount)

    charges = mock_activity(charge, side_effect=fake)
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges, mock_activity(Mail.send)]):
        assert await run(client, order, task_queue, "o-1") == "charge o-1 CHF"


async def test_an_activity_without_a_function_is_mocked_by_its_name(client: Client, task_queue: str) -> None:
    foreigner = mock_activity("in-go", returns="from Go")
    async with Worker(client, task_queue=task_queue, workflows=[foreign], activities=[foreigner]):
        assert await run(client, foreign, task_queue) == "from Go"
    foreigner.assert_called_once_with({"a": 1}, 2)


async def test_local_activities(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, returns=Receipt("r-1", 7))
    async with Worker(client, task_queue=task_queue, workflows=[local], activities=[charges]):
        assert await run(client, local, task_queue) == 7
    assert charges.calls[0].info is not None
    assert charges.calls[0].info.is_local


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([{"id": "r-1"}], "the mock of activity 'charge' returns what the activity does not: .*amount"),
        ([], "the mock of activity 'charge' has no outcome for call 1: side_effect has 0"),
    ],
)
async def test_mistakes_of_the_test_are_told(
    client: Client, task_queue: str, outcomes: list[Receipt], message: str
) -> None:
    charges = mock_activity(charge, side_effect=outcomes)
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges]):
        with pytest.raises(WorkflowFailureError) as raised:
            await run(client, order, task_queue, "o-1")
    assert isinstance(raised.value.cause, ActivityError)
    with pytest.raises(ApplicationError, match=message):
        raise raised.value.cause.cause or raised.value
    assert charges.call_count == 1


# Activities that nobody runs


async def test_an_activity_that_nobody_runs_is_told_where_it_is_called(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, returns=Receipt("r-1", 12))
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges]):
        with pytest.raises(WorkflowTaskFailedError) as raised:
            await run(client, order, task_queue, "o-1")
    for told in ("activity 'send-mail' is not registered", task_queue, "are: charge", "mock_activity('send-mail'"):
        assert told in str(raised.value)
    assert "await Mail.send.execute(receipt)" in raised.value.stack_trace


async def test_code_that_catches_everything_does_not_hide_it(client: Client, task_queue: str) -> None:
    @workflow.defn
    async def careless() -> str:
        try:
            await charge.execute("o-1", 1)
        except Exception:
            return "compensated"
        return "charged"

    worker = Worker(client, task_queue=task_queue, workflows=[careless], activities=[mock_activity("charges")])
    async with worker:
        with pytest.raises(WorkflowTaskFailedError, match="did you mean 'charges'"):
            await run(client, careless, task_queue)


async def test_a_local_activity_that_is_not_there(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[local]):
        with pytest.raises(WorkflowTaskFailedError, match=r"not registered on the workflow's worker.* are: none"):
            await run(client, local, task_queue)


async def test_other_workers_of_the_task_queue_count(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, returns=Receipt("r-1", 12))
    async with (
        Worker(client, task_queue=task_queue, workflows=[order]),
        Worker(client, task_queue=task_queue, activities=[charges, mock_activity(Mail.send)]),
    ):
        assert await run(client, order, task_queue, "o-1") == "r-1"


async def test_a_dynamic_activity_runs_everything(client: Client, task_queue: str) -> None:
    @activity.defn(dynamic=True)
    async def anything(args: list[object]) -> str:
        return activity.info().activity_type

    async with Worker(client, task_queue=task_queue, workflows=[foreign], activities=[anything]):
        assert await run(client, foreign, task_queue) == "in-go"


@workflow.defn
class ChargedEarlier:
    def __init__(self) -> None:
        self.shipped = False

    @workflow.run
    async def run(self) -> str:
        receipt = await charge.execute("o-1", 1)
        await workflow.wait_condition(lambda: self.shipped)
        return receipt.id

    @workflow.signal
    async def ship(self) -> None:
        self.shipped = True


async def test_activities_of_the_past_are_not_missed(client: Client, task_queue: str) -> None:
    charges = mock_activity(charge, returns=Receipt("r-1", 1))
    async with Worker(client, task_queue=task_queue, workflows=[ChargedEarlier], activities=[charges]):
        handle = await client.start_workflow(ChargedEarlier.run, id=f"past-{uuid.uuid4()}", task_queue=task_queue)

        async def charged() -> bool:
            history = await handle.fetch_history()
            return any(event.HasField("activity_task_completed_event_attributes") for event in history.events)

        await eventually(charged, what="the activity is done")
    others = [mock_activity("other")]
    async with Worker(client, task_queue=task_queue, workflows=[ChargedEarlier], activities=others):
        await handle.signal(ChargedEarlier.ship)
        assert await asyncio.wait_for(handle.result(), LIMIT) == "r-1"


async def test_a_call_from_elsewhere_is_not_tried_for_ever(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, activities=[mock_activity("known")]):
        handle = await client.start_activity(
            "unknown", id=f"unknown-{uuid.uuid4()}", task_queue=task_queue, start_to_close_timeout=SOON
        )
        with pytest.raises(ActivityFailureError) as raised:
            await asyncio.wait_for(handle.result(), LIMIT)
    assert "'unknown' is not registered" in str(raised.value.__cause__)


async def test_elsewhere_than_in_tests_an_activity_may_be_registered_later(client: Client, task_queue: str) -> None:
    client._raise_task_failures = False
    mails = mock_activity(Mail.send)
    charges = mock_activity(charge, returns=Receipt("r-1", 12))
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges]):
        handle = await client.start_workflow(order, "o-1", id=f"later-{uuid.uuid4()}", task_queue=task_queue)

        async def charged() -> bool:
            return charges.called

        await eventually(charged, what="the first activity has run")
    async with Worker(client, task_queue=task_queue, workflows=[order], activities=[charges, mails]):
        assert await asyncio.wait_for(handle.result(), LIMIT) == "r-1"
    mails.assert_called()
