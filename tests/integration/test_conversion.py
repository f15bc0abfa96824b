"""Values through client, workflow and activity on the real server: their types, defaults, converters and errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest

from invincible import activity, workflow
from invincible.client import Client, WorkflowFailureError
from invincible.common import RetryPolicy
from invincible.contrib.pydantic import pydantic_data_converter
from invincible.converter import (
    ArgumentError,
    ConversionError,
    TransferTypeConverter,
    create_payload_validation_error,
    transfer_type_convertible,
)
from invincible.exceptions import ActivityError, ApplicationError
from invincible.worker import Worker

SECONDS = timedelta(seconds=10)


class Line(pydantic.BaseModel):
    sku: str = pydantic.Field(alias="theSku")
    quantity: Annotated[int, pydantic.Field(gt=0)] = 1


class Order(pydantic.BaseModel):
    lines: list[Line]
    amount: Decimal
    day: date
    data: bytes = b""


@activity.defn(start_to_close_timeout=SECONDS)
async def priced(order: Order, *, factor: Decimal = Decimal(2)) -> Order:
    return order.model_copy(update={"amount": order.amount * factor})


@workflow.defn
class Shop:
    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}

    @workflow.run
    async def run(self, order: Order, note: str | None = None, others: list[Order] | None = None) -> list[Order]:
        await workflow.wait_condition(lambda: len(self.orders) > 1)
        return [await priced.execute(each) for each in [order, *(others or []), *self.orders.values()]]

    @workflow.signal
    def add(self, name: str, order: Order) -> None:
        assert isinstance(order, Order)
        self.orders[name] = order

    @workflow.query
    def first(self, name: str, default: Order | None = None) -> Order | None:
        return self.orders.get(name, default)

    @workflow.update
    async def replace(self, name: str, order: Order) -> Order | None:
        old, self.orders[name] = self.orders.get(name), order
        return old


def order_of(amount: int) -> Order:
    return Order(lines=[Line(theSku="a")], amount=Decimal(amount), day=date(2026, 1, 2))


async def test_models_everywhere(address: str, task_queue: str) -> None:
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    client._raise_task_failures = True
    async with Worker(client, task_queue=task_queue, workflows=[Shop], activities=[priced]):
        handle = await client.start_workflow(
            Shop.run, order_of(1), id=task_queue, task_queue=task_queue, memo={"order": order_of(5)}
        )
        assert await handle.query(Shop.first, args=["x", order_of(3)]) == order_of(3)
        assert await handle.execute_update(Shop.replace, args=["x", order_of(2)]) is None
        await handle.signal(Shop.add, args=["y", order_of(3)])
        result = await handle.result()
        assert await (await handle.describe()).memo_value("order", type_hint=Order) == order_of(5)
    assert result == [order_of(2), order_of(4), order_of(6)]


class MoneyConverter(TransferTypeConverter["Money", str]):
    transfer_type = str

    def to_transfer_type(self, value: Money) -> str:
        return f"{value.amount} {value.currency}"

    def from_transfer_type(self, value: str, type_hint: type[Money]) -> Money:
        amount, _, currency = value.partition(" ")
        if not currency:
            raise create_payload_validation_error({"money": value})
        return type_hint(int(amount), currency)


@transfer_type_convertible(MoneyConverter)
class Money:
    def __init__(self, amount: int, currency: str) -> None:
        self.amount, self.currency = amount, currency


@activity.defn(start_to_close_timeout=SECONDS)
async def doubled(money: Money) -> Money:
    return Money(money.amount * 2, money.currency)


@workflow.defn
async def pay(money: Money, tip: Money | None = None) -> Money:
    result = await doubled.execute(money)
    return Money(result.amount + (tip.amount if tip else 0), result.currency)


async def test_transfer_types(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[pay], activities=[doubled]):
        result = await client.execute_workflow(
            pay, args=[Money(2, "EUR"), Money(1, "EUR")], id=task_queue, task_queue=task_queue
        )
        assert (result.amount, result.currency) == (5, "EUR")
        with raises_failure() as failure:
            await client.execute_workflow("pay", "nothing", id=f"{task_queue}-2", task_queue=task_queue)
    assert isinstance(failure[0], ApplicationError)
    assert (failure[0].type, failure[0].details) == ("PayloadValidationError", ({"money": "nothing"},))


@dataclass
class Address:
    street: str
    floor: int = 0


@dataclass
class Person:
    name: str
    addresses: list[Address] = field(default_factory=list)


@activity.defn(start_to_close_timeout=SECONDS)
async def lengths(person: Person, extra: Address | None = None, *more: Address) -> list[int]:
    return [len(each.street) for each in [*person.addresses, *([extra] if extra else []), *more]]


@workflow.defn(failure_exception_types=[ConversionError])
class Known:
    @workflow.run
    async def run(self, person: Person, address: Address | None = None, times: int = 1) -> list[int]:
        assert isinstance(person, Person)
        return await lengths.execute(person, address) * times


@workflow.defn
async def calls_by_name(value: Any) -> Any:
    return await workflow.execute_activity(
        "lengths", args=value, start_to_close_timeout=SECONDS, retry_policy=RetryPolicy(maximum_attempts=1)
    )


ADA = Person("Ada", [Address("Main")])


async def test_omitted_arguments_keep_the_types_of_the_others(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Known], activities=[lengths]):
        calls: list[list[Any]] = [[ADA], [ADA, Address("Second")], [ADA, None, 2]]
        for count, arguments in enumerate(calls):
            result = await client.execute_workflow(
                Known.run, args=arguments, id=f"{task_queue}-{count}", task_queue=task_queue
            )
            assert result == [[4], [4, 6], [4, 4]][count]


@contextmanager
def raises_failure() -> Iterator[list[BaseException]]:
    """Collects the cause of the failure of the run that the block waits for."""
    causes: list[BaseException] = []
    with pytest.raises(WorkflowFailureError) as raised:
        yield causes
    assert raised.value.cause is not None
    causes.append(raised.value.cause)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [{"name": "Ada", "addresses": [{"street": 3}]}],
            "argument person.addresses[0].street: expected str, got int 3",
        ),
        ([{"nam": "Ada"}], "argument person: Person needs the field 'name'"),
        ([ADA, None, "twice"], "argument times: expected int, got str 'twice'"),
        ([], "takes (person: Person, address: Address | None = None, times: int = 1), but 0 arguments arrived"),
    ],
)
async def test_arguments_that_do_not_fit_fail_the_run_where_declared(
    client: Client, task_queue: str, arguments: list[Any], message: str
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Known], activities=[lengths]):
        with raises_failure() as failure:
            await client.execute_workflow("Known", args=arguments, id=task_queue, task_queue=task_queue)
    assert isinstance(failure[0], ApplicationError)
    assert failure[0].type == ArgumentError.__name__
    assert failure[0].message.startswith("workflow 'Known'")
    assert message in failure[0].message


async def test_arguments_of_activities_name_the_activity(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[calls_by_name], activities=[lengths]):
        with raises_failure() as failure:
            arguments = [ADA, None, {"street": "Third"}, {"street": None}]
            await client.execute_workflow(calls_by_name, arguments, id=task_queue, task_queue=task_queue)
    assert isinstance(failure[0], ActivityError)
    cause = failure[0].__cause__
    assert isinstance(cause, ApplicationError)
    assert cause.message == "activity 'lengths', argument more[1].street: expected str, got None"


async def test_results_name_what_was_called(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[calls_by_name], activities=[lengths]):
        handle = await client.start_workflow(
            "calls_by_name", [ADA], id=task_queue, task_queue=task_queue, result_type=Person
        )
        with pytest.raises(ArgumentError, match=rf"^workflow '{task_queue}', result: expected Person, got list \[4\]$"):
            await handle.result()
