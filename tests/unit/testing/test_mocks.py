"""Mocks of activities without a worker: what they do, what they record, and what they refuse."""

from __future__ import annotations

import asyncio
import pickle
from dataclasses import dataclass
from typing import Annotated, Any, Optional

import pytest

from invincible import activity
from invincible.exceptions import ApplicationError
from invincible.testing import ActivityEnvironment, mock_activity
from invincible.worker._activity_registry import registered_activities


@dataclass
class Receipt:
    id: str


@activity.defn
async def charge(order_id: str, amount: int = 1, *, currency: str = "EUR") -> Receipt:
    return Receipt(f"{order_id} {amount} {currency}")


@activity.defn(name="count-words")
def count(words: str) -> int:
    return len(words.split())


class Shop:
    @activity.defn
    def ship(self, order_id: str) -> None: ...


@activity.defn
class Greet:
    async def __call__(self, name: str) -> str:
        return name


@activity.defn(dynamic=True)
async def anything(args: list[Any]) -> None: ...


async def test_results() -> None:
    charges = mock_activity(charge, returns=Receipt("r-1"))
    assert await charges("o-1", 5) == Receipt("r-1")
    await mock_activity(Shop.ship)("o-1")
    assert await mock_activity("foreign", returns=[1])(1, 2, 3) == [1]
    assert await mock_activity(Greet, returns="hello")("Ada") == "hello"


async def test_exceptions() -> None:
    for raises in (OSError("down"), OSError):
        with pytest.raises(OSError):  # noqa: PT011
            await mock_activity(charge, raises=raises)("o-1")


async def test_a_function_is_called_instead_and_may_be_the_activity_itself() -> None:
    assert await mock_activity(charge, side_effect=charge)("o-1", currency="CHF") == Receipt("o-1 1 CHF")
    assert await mock_activity(count, side_effect=count)("a b c") == 3
    with pytest.raises(OSError, match="down"):
        await mock_activity(count, side_effect=[OSError("down"), 2])("a")


async def test_calls_and_assertions() -> None:
    charges = mock_activity(charge, returns=Receipt("r-1"))
    assert not charges.called
    charges.assert_not_called()
    with pytest.raises(AssertionError, match="'charge'"):
        charges.assert_called()
    await charges("o-1", currency="CHF")
    charges.assert_called_once_with(order_id="o-1", currency="CHF")
    with pytest.raises(AssertionError, match=r"Expected: charge\('o-2'\)\n *Actual: charge\('o-1', currency='CHF'\)"):
        charges.assert_called_with("o-2")
    await charges("o-2")
    charges.assert_called_with("o-2")
    charges.assert_any_call("o-1", currency="CHF")
    with pytest.raises(AssertionError, match="Called 2 times"):
        charges.assert_called_once()
    assert [(call.args, call.kwargs, call.info, call.attempt) for call in charges.calls] == [
        (("o-1",), {"currency": "CHF"}, None, 1),
        (("o-2",), {}, None, 1),
    ]
    assert repr(charges) == "<mock of activity 'charge', called 2 times>"
    charges.reset_mock()
    charges.assert_not_called()
    assert charges.calls == []
    assert await charges("o-3") == Receipt("r-1")


async def test_the_self_of_methods_is_no_argument() -> None:
    shipped = mock_activity(Shop.ship)
    await shipped("o-1")
    shipped.assert_called_once_with(order_id="o-1")
    bound = mock_activity(Shop().ship)
    await bound("o-1")
    bound.assert_called_once_with(order_id="o-1")


async def test_what_calls_do_can_be_changed() -> None:
    charges = mock_activity(charge, returns=Receipt("r-1"))
    charges.mock.side_effect = [OSError("down")]
    with pytest.raises(OSError, match="down"):
        await charges("o-1")
    charges.mock.side_effect = None
    assert await charges("o-1") == Receipt("r-1")


async def test_the_info_of_the_attempt_is_recorded() -> None:
    counts = mock_activity(count, returns=1)
    env = ActivityEnvironment()
    assert await env.run(counts, "word") == 1
    assert counts.calls[0].info is env.info


@pytest.mark.parametrize(
    ("result", "message"),
    [({"id": 5}, "returns what the activity does not"), ("r-1", "returns what"), (None, "has no result.* Receipt")],
)
async def test_a_result_that_is_not_the_activity_s_is_refused_for_good(result: Any, message: str) -> None:
    with pytest.raises(ApplicationError, match=f"the mock of activity 'charge' {message}") as raised:
        await mock_activity(charge, returns=result)("o-1")
    assert raised.value.non_retryable


@pytest.mark.parametrize("hint", [None, Any, object, Optional[Receipt], Receipt | None, Annotated[None, "nothing"]])  # noqa: UP045
async def test_a_result_may_be_missing_where_the_activity_may_return_none(hint: Any) -> None:
    async def may_return_none() -> Any: ...

    may_return_none.__annotations__["return"] = hint
    assert await mock_activity(activity.defn(may_return_none))() is None


async def test_a_call_too_many_is_refused_for_good() -> None:
    counts = mock_activity(count, side_effect=[1])
    assert await counts("word") == 1
    with pytest.raises(ApplicationError, match="'count-words' has no outcome for call 2: side_effect has 1") as raised:
        await counts("word")
    assert raised.value.non_retryable


async def test_a_mock_is_registered_under_the_name_of_the_activity() -> None:
    charges, counts, foreign = mock_activity(charge), mock_activity(count, returns=1), mock_activity("foreign")
    registered = registered_activities([charges, counts, foreign, mock_activity(Shop.ship), mock_activity(Greet)])
    assert [*registered] == ["charge", "count-words", "foreign", "ship", "Greet"]
    assert all(each.is_async for each in registered.values())
    with pytest.raises(ValueError, match="two activities are named 'count-words'"):
        registered_activities([counts, count])
    await asyncio.gather(counts("a"), counts("b"))
    assert counts.call_count == 2


def test_mistakes() -> None:
    def plain() -> None: ...

    mock: Any = mock_activity
    for arguments, message in (
        ({"activity": plain}, "plain is not an activity: decorate it"),
        ({"activity": anything}, "dynamic activity is called by name"),
        ({"activity": charge, "returns": 1, "raises": OSError}, "one kind of outcome, got returns and raises"),
        ({"activity": charge, "raises": "down"}, "raises must be an exception or a class of them, got 'down'"),
        ({"activity": charge, "raises": int}, "raises must be an exception"),
        ({"activity": charge, "side_effect": 5}, "side_effect must be a function or outcomes, got 5"),
    ):
        with pytest.raises(TypeError, match=message):
            mock(**arguments)
    with pytest.raises(
        TypeError, match="<mock of activity 'charge', called 0 times> records its calls in the process of the test"
    ):
        pickle.dumps(mock_activity(charge))
