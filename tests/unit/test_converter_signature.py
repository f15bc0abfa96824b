"""Arguments between calls, positions on the wire, and functions."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from invincible._native import Payload
from invincible.converter import (
    ArgumentError,
    DefaultPayloadConverter,
    PayloadConverter,
    Signature,
    decode_result,
)

converter = PayloadConverter.default


@dataclass
class Item:
    sku: str
    quantity: int = 1


@dataclass
class Order:
    items: list[Item]


def ship(order: Order, express: bool = False, *, lang: str = "en", copies: int = 1) -> str:
    return f"{order.items[0].sku} {express} {lang} {copies}"


def plain(a: int, b: str = "default", c: Any = 3) -> None: ...


def collect(first: int, *rest: Item, **ignored: Any) -> list[Item]:
    return list(rest)


def untyped(a, b=1):  # type: ignore[no-untyped-def]
    return a, b


def unresolvable(a: Missing) -> None: ...  # type: ignore[name-defined]  # noqa: F821


class Callable:
    def __call__(self, item: Item) -> int:
        return item.quantity

    def method(self, item: Item) -> int:
        return item.quantity


SHIP = Signature.of(ship, "activity 'ship'")
PLAIN = Signature.of(plain, "activity 'plain'")
COLLECT = Signature.of(collect, "workflow 'Collect'")
JSON_ORDER = {"items": [{"sku": "a"}]}


def payloads(*values: Any) -> list[Payload]:
    return converter.to_payloads(values)


class TestOf:
    def test_shown_as_defined(self) -> None:
        assert str(SHIP) == "(order: Order, express: bool = False, *, lang: str = 'en', copies: int = 1)"
        assert str(COLLECT) == "(first: int, *rest: Item)"
        assert str(Signature.of(untyped, "x")) == "(a, b = 1)"

    def test_long_defaults_are_not_shown(self) -> None:
        def long(a: str = "x" * 100) -> None: ...

        assert str(Signature.of(long, "x")) == "(a: str = ...)"

    def test_return_hint(self) -> None:
        assert SHIP.return_hint is str
        assert PLAIN.return_hint is type(None)
        assert Signature.of(untyped, "x").return_hint is None

    @pytest.mark.parametrize(
        ("function", "skip_first"),
        [
            (Callable(), False),
            (Callable().method, False),
            (Callable.method, True),
            (functools.partial(Callable.method, Callable()), False),
        ],
    )
    def test_kinds_of_functions(self, function: Any, skip_first: bool) -> None:
        signature = Signature.of(function, "x", skip_first=skip_first)
        assert str(signature) == "(item: Item)"
        assert signature.decode(payloads({"sku": "a"}), converter) == [Item("a")]

    def test_class(self) -> None:
        class Workflow:
            def __init__(self, item: Item) -> None: ...

        assert str(Signature.of(Workflow, "x")) == "(item: Item)"

    def test_decorated_function(self) -> None:
        @functools.wraps(ship)
        def decorated(*args: Any, **kwargs: Any) -> Any: ...

        assert str(Signature.of(decorated, "x")) == str(SHIP)

    def test_keywords_after_variadic_arguments_have_no_position(self) -> None:
        def wrong(*rest: int, flag: bool = False) -> None: ...

        with pytest.raises(TypeError, match=r"^activity 'wrong' cannot have keyword-only parameters after \*rest"):
            Signature.of(wrong, "activity 'wrong'")

    def test_annotation_that_cannot_be_resolved(self) -> None:
        with pytest.raises(NameError, match=r"the annotations of activity 'x' use 'Missing', which cannot be found"):
            Signature.of(unresolvable, "activity 'x'")


class TestDecode:
    def test_into_the_annotated_types(self) -> None:
        assert SHIP.decode(payloads(JSON_ORDER, True, "de"), converter) == [Order([Item("a")]), True, "de"]

    def test_omitted_arguments_keep_their_defaults_and_the_others_their_types(self) -> None:
        values = SHIP.decode(payloads(JSON_ORDER), converter)
        assert values == [Order([Item("a")])]
        assert SHIP.call(ship, values) == "a False en 1"

    def test_variadic_arguments(self) -> None:
        values = COLLECT.decode(payloads(1, {"sku": "a"}, {"sku": "b"}), converter)
        assert values == [1, Item("a"), Item("b")]
        assert COLLECT.call(collect, values) == [Item("a"), Item("b")]
        assert COLLECT.decode(payloads(1), converter) == [1]

    def test_without_annotations(self) -> None:
        assert Signature.of(untyped, "x").decode(payloads({"a": 1}), converter) == [{"a": 1}]

    @pytest.mark.parametrize(
        ("signature", "values", "message"),
        [
            (
                SHIP,
                [],
                "activity 'ship' takes (order: Order, express: bool = False, *, lang: str = 'en', copies: int = 1), "
                "but 0 arguments arrived, 'order' is missing",
            ),
            (
                PLAIN,
                [1, "b", 3, 4],
                "activity 'plain' takes (a: int, b: str = 'default', c: Any = 3), but 4 arguments arrived",
            ),
            (
                COLLECT,
                [],
                "workflow 'Collect' takes (first: int, *rest: Item), but 0 arguments arrived, 'first' is missing",
            ),
            (PLAIN, ["x"], "activity 'plain', argument a: expected int, got str 'x'"),
            (
                SHIP,
                [{"items": [{"sku": "a"}, {"sku": "b", "quantity": "three"}]}],
                "activity 'ship', argument order.items[1].quantity: expected int, got str 'three'",
            ),
            (SHIP, [JSON_ORDER, True, 5], "activity 'ship', argument lang: expected str, got int 5"),
            (
                COLLECT,
                [1, {"sku": "a"}, {"sku": 2}],
                "workflow 'Collect', argument rest[1].sku: expected str, got int 2",
            ),
        ],
    )
    def test_refused(self, signature: Signature, values: list[Any], message: str) -> None:
        with pytest.raises(ArgumentError) as raised:
            signature.decode(payloads(*values), converter)
        assert str(raised.value) == message

    def test_two_arguments_are_missing(self) -> None:
        def two(a: int, b: int) -> None: ...

        with pytest.raises(ArgumentError, match=r"but 0 arguments arrived, 'a', 'b' are missing$"):
            Signature.of(two, "x").decode([], converter)

    def test_undecodable_payload(self) -> None:
        payload = Payload({"encoding": b"binary/encrypted"}, b"secret")
        with pytest.raises(ArgumentError) as raised:
            PLAIN.decode([payload], converter)
        assert str(raised.value).startswith("activity 'plain', argument a: no payload converter for encoding ")
        assert "secret" not in str(raised.value)

    def test_values_can_be_left_out_of_errors(self) -> None:
        with pytest.raises(ArgumentError) as raised:
            PLAIN.decode(payloads("4711"), converter, show_values=False)
        assert str(raised.value) == "activity 'plain', argument a: expected int, got str"
        assert raised.value.__context__ is None


class Failing(DefaultPayloadConverter):
    """A converter with errors of its own."""

    def from_payloads(self, payloads: Sequence[Payload], type_hints: Any = None) -> list[Any]:
        if any(payload.data == b"2" for payload in payloads):
            raise KeyError("4711")
        return super().from_payloads(payloads, type_hints)

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return self.from_payloads([payload], [type_hint])[0]


class TestConvertersOfUsers:
    def test_the_argument_is_found(self) -> None:
        with pytest.raises(ArgumentError) as raised:
            PLAIN.decode(payloads(1, 2), Failing())
        assert str(raised.value) == "activity 'plain', argument b: Failing refused the value with KeyError: '4711'"
        assert isinstance(raised.value.__cause__, KeyError)

    def test_values_can_be_left_out_of_errors(self) -> None:
        with pytest.raises(ArgumentError) as raised:
            PLAIN.decode(payloads(1, 2), Failing(), show_values=False)
        assert str(raised.value) == "activity 'plain', argument b: Failing refused the value with KeyError"
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None

    def test_converter_that_refuses_the_arguments_together(self) -> None:
        class Together(DefaultPayloadConverter):
            def from_payloads(self, payloads: Sequence[Payload], type_hints: Any = None) -> list[Any]:
                if len(payloads) > 1:
                    raise KeyError("x")
                return super().from_payloads(payloads, type_hints)

        with pytest.raises(ArgumentError, match=r"^activity 'plain', arguments: Together refused the value with"):
            PLAIN.decode(payloads(1, "b"), Together())


class TestEncode:
    def test_round_trip(self) -> None:
        values = [Order([Item("a")]), True, "de"]
        assert SHIP.decode(SHIP.encode(values, converter), converter) == values

    def test_refused(self) -> None:
        with pytest.raises(ArgumentError) as raised:
            SHIP.encode([Order([Item("a"), object()])], converter)  # type: ignore[list-item]
        assert str(raised.value).startswith("activity 'ship', argument order.items[1]: a value of type object cannot")


class TestBind:
    order = Order([Item("a")])

    @pytest.mark.parametrize(
        ("args", "kwargs", "bound"),
        [
            ([1], {}, [1]),
            ([1, True], {}, [1, True]),
            ([], {"order": 1}, [1]),
            ([1], {"lang": "de"}, [1, False, "de"]),
            ([1], {"copies": 2}, [1, False, "en", 2]),
            ([1, True], {"lang": "de"}, [1, True, "de"]),
            ([1], {"express": True}, [1, True]),
        ],
    )
    def test_keywords_have_positions(self, args: list[Any], kwargs: dict[str, Any], bound: list[Any]) -> None:
        assert SHIP.bind(args, kwargs) == bound

    def test_what_is_bound_arrives(self) -> None:
        values = SHIP.bind([self.order], {"lang": "de"})
        arrived = SHIP.decode(SHIP.encode(values, converter), converter)
        assert SHIP.call(ship, arrived) == ship(self.order, lang="de")

    def test_variadic_arguments(self) -> None:
        assert COLLECT.bind([1, 2, 3], {}) == [1, 2, 3]
        assert COLLECT.bind([], {"first": 1}) == [1]

    @pytest.mark.parametrize(
        ("args", "kwargs", "problem"),
        [
            ([], {}, "'order' is missing"),
            ([], {"lang": "de"}, "'order' is missing"),
            ([1, True, "de"], {}, "3 positional arguments were given"),
            ([1], {"language": "de"}, "there is no parameter 'language'"),
            ([1], {"order": 2}, "'order' was given twice"),
        ],
    )
    def test_refused_as_in_a_call(self, args: list[Any], kwargs: dict[str, Any], problem: str) -> None:
        with pytest.raises(TypeError):
            ship(*args, **kwargs)
        with pytest.raises(ArgumentError) as raised:
            SHIP.bind(args, kwargs)
        assert str(raised.value) == f"activity 'ship' takes {SHIP}, but {problem}"

    def test_several_are_missing(self) -> None:
        def two(a: int, *, b: int) -> None: ...

        with pytest.raises(ArgumentError, match="'a', 'b' are missing"):
            Signature.of(two, "x").bind([], {})


class TestResult:
    def test_decoded_into_the_hint(self) -> None:
        assert decode_result(payloads({"sku": "a"})[0], Item, converter, "activity 'x'") == Item("a")
        assert decode_result(payloads({"sku": "a"})[0], None, converter, "activity 'x'") == {"sku": "a"}
        assert decode_result(None, Item, converter, "activity 'x'") is None

    def test_refused(self) -> None:
        payload = payloads({"sku": 1})[0]
        with pytest.raises(ArgumentError, match=r"^activity 'x', result\.sku: expected str, got int 1$"):
            decode_result(payload, Item, converter, "activity 'x'")
        with pytest.raises(ArgumentError, match=r"^activity 'x', result\.sku: expected str, got int$"):
            decode_result(payload, Item, converter, "activity 'x'", show_values=False)

    def test_converters_of_users(self) -> None:
        payload = payloads(2)[0]
        with pytest.raises(ArgumentError, match=r"^activity 'x', result: Failing refused the value with KeyError: "):
            decode_result(payload, int, Failing(), "activity 'x'")
        with pytest.raises(ArgumentError, match=r"^activity 'x', result: Failing refused the value with KeyError$"):
            decode_result(payload, int, Failing(), "activity 'x'", show_values=False)
