"""Payloads written and read by pydantic. What temporalio makes of the same values is in tests/parity."""

from __future__ import annotations

import enum
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pydantic
import pytest

from invincible._native import Payload
from invincible.contrib.pydantic import (
    PydanticJSONPlainPayloadConverter,
    PydanticPayloadConverter,
    ToJsonOptions,
    pydantic_data_converter,
)
from invincible.converter import ArgumentError, ConversionError, DataConverter, DefaultPayloadConverter, Signature
from invincible.exceptions import ApplicationError

converter = pydantic_data_converter.payload_converter


class Item(pydantic.BaseModel):
    sku: str = pydantic.Field(alias="theSku")
    quantity: Annotated[int, pydantic.Field(gt=0)] = 1


class Order(pydantic.BaseModel):
    items: list[Item] = []
    amount: Decimal = Decimal("1.10")
    wait: timedelta = timedelta(seconds=90)
    data: bytes = b"ab"
    share: float = 0.5


@dataclass
class Box:
    order: Order
    day: date


ORDER = Order(items=[Item(theSku="a")])
PLAIN = b'{"items":[{"theSku":"a","quantity":1}],"amount":"1.10","wait":"PT1M30S","data":"ab","share":0.5}'


def payload_of(data: bytes) -> Payload:
    return Payload({"encoding": b"json/plain"}, data)


@pytest.mark.parametrize(
    ("value", "hint", "data"),
    [
        (ORDER, Order, PLAIN),
        ([ORDER], list[Order], b"[" + PLAIN + b"]"),
        (Box(ORDER, date(2020, 1, 2)), Box, b'{"order":' + PLAIN + b',"day":"2020-01-02"}'),
        ({"b": 1, "a": 2}, dict[str, int], b'{"b":1,"a":2}'),
        ({1, 2}, set[int], b"[1,2]"),
        ("é", str, '"é"'.encode()),
    ],
)
def test_round_trip(value: Any, hint: Any, data: bytes) -> None:
    payload = converter.to_payload(value)
    assert payload == payload_of(data)
    assert converter.from_payload(payload, hint) == value


def test_other_encodings_are_the_default_ones() -> None:
    own, default = PydanticPayloadConverter(), DefaultPayloadConverter()
    assert list(own.converters) == list(default.converters)
    assert own.to_payloads([None, b"x"]) == default.to_payloads([None, b"x"])


def test_without_a_type() -> None:
    assert converter.from_payload(payload_of(b'{"a":[1,null]}')) == {"a": [1, None]}


@pytest.mark.parametrize(
    ("options", "data"),
    [
        (None, b'{"theSku":"a","quantity":1}'),
        (ToJsonOptions(), b'{"sku":"a","quantity":1}'),
        (ToJsonOptions(exclude_unset=True), b'{"sku":"a"}'),
    ],
)
def test_options(options: ToJsonOptions | None, data: bytes) -> None:
    assert PydanticPayloadConverter(options).to_payload(Item(theSku="a")).data == data


class Refusing(pydantic.BaseModel):
    number: int

    @pydantic.model_validator(mode="after")
    def check(self) -> Refusing:
        raise ApplicationError("no such number", non_retryable=True)


class Unknown: ...


class TestRefused:
    @pytest.mark.parametrize(
        ("data", "hint", "message"),
        [
            (
                b'{"items":[{}]}',
                Order,
                "^Order refused the value with ValidationError: items.0.theSku: Field required$",
            ),
            (b'{"items":3}', Order, "items: Input should be a valid array, got int 3$"),
            (
                b'{"share":"x","data":1}',
                Order,
                "data: Input should be a valid bytes, got int 1; share: .* got str 'x'$",
            ),
            (
                b'"x"',
                int,
                "^int refused the value .*: Input should be a valid integer, unable to parse .*, got str 'x'$",
            ),
            (b"{", Order, "Invalid JSON"),
            (b"1", Unknown, "^Unknown refused the value with PydanticSchemaGenerationError"),
        ],
    )
    def test_reading(self, data: bytes, hint: Any, message: str) -> None:
        with pytest.raises(ConversionError, match=message) as raised:
            converter.from_payload(payload_of(data), hint)
        assert "http" not in str(raised.value)

    @pytest.mark.parametrize("value", [object(), [b"\xff"], {"a": Unknown()}])
    def test_writing(self, value: Any) -> None:
        with pytest.raises(ConversionError, match=r"^pydantic refused the value with PydanticSerializationError: "):
            converter.to_payload(value)

    def test_arguments_are_named_and_values_hidden_where_they_must_be(self) -> None:
        def ship(order: Order) -> None: ...

        signature = Signature.of(ship, "activity 'ship'")
        with pytest.raises(ArgumentError, match=r"^activity 'ship', argument order: .* got str 'secret'$"):
            signature.decode([payload_of(b'{"share":"secret"}')], converter)
        with pytest.raises(ArgumentError) as raised:
            signature.decode([payload_of(b'{"share":"secret"}')], converter, show_values=False)
        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None

    def test_application_errors_pass(self) -> None:
        with pytest.raises(ApplicationError, match="no such number"):
            converter.from_payload(payload_of(b'{"number":1}'), Refusing)


class TestAdapters:
    """Validators are kept by type."""

    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        made: list[Any] = []

        def adapter(hint: Any) -> pydantic.TypeAdapter[Any]:
            made.append(hint)
            return pydantic.TypeAdapter(hint)

        monkeypatch.setattr("invincible.contrib.pydantic.TypeAdapter", adapter)
        return made

    @pytest.mark.parametrize(("limit", "count"), [(1024, 2), (None, 2), (1, 3), (0, 4)])
    def test_limit(self, made: list[Any], limit: int | None, count: int) -> None:
        json = PydanticJSONPlainPayloadConverter(max_cached_type_adapters=limit)
        for hint in (int, int, float, int):
            assert json.from_payload(payload_of(b"1"), hint) == 1
        assert len(made) == count

    def test_hints_that_cannot_be_hashed(self, made: list[Any]) -> None:
        json = PydanticJSONPlainPayloadConverter()
        hint: Any = Annotated[int, ["unhashable"]]
        assert [json.from_payload(payload_of(b"1"), hint) for _ in range(2)] == [1, 1]
        assert len(made) == 2

    def test_negative_limit(self) -> None:
        with pytest.raises(ValueError, match="max_cached_type_adapters cannot be negative, it is -1"):
            PydanticPayloadConverter(max_cached_type_adapters=-1)

    @pytest.mark.parametrize("make", [PydanticJSONPlainPayloadConverter, PydanticPayloadConverter])
    def test_pickled(self, make: Callable[..., Any]) -> None:
        before = make(ToJsonOptions(exclude_unset=True), max_cached_type_adapters=1)
        before.from_payload(payload_of(b"1"), int)
        after = pickle.loads(pickle.dumps(before))
        assert after.to_payload(Item(theSku="a")).data == b'{"sku":"a"}'
        assert after.from_payload(payload_of(b"1"), int) == 1


def test_data_converters_with_options() -> None:
    class Compact(PydanticPayloadConverter):
        def __init__(self) -> None:
            super().__init__(ToJsonOptions(exclude_unset=True))

    own = DataConverter(payload_converter_class=Compact).payload_converter
    assert own.to_payload(Item(theSku="a")).data == b'{"sku":"a"}'


class Level(enum.IntEnum):
    LOW = 1


def test_enums() -> None:
    assert converter.from_payload(converter.to_payload(Level.LOW), Level) is Level.LOW


def test_what_to_install_if_pydantic_is_not_there() -> None:
    code = "import sys; sys.modules['pydantic'] = None; import invincible.contrib.pydantic"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (
        "ImportError: invincible.contrib.pydantic needs pydantic 2: pip install 'invincible[pydantic]'" in done.stderr
    )


def test_the_default_converter_does_not_import_it() -> None:
    code = (
        "import sys; from invincible.converter import PayloadConverter as P; "
        "P.default.from_payload(P.default.to_payload({'a': 1}), dict[str, int]); "
        "print([name for name in sys.modules if name.startswith('pydantic')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
