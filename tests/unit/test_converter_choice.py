"""Which converter of a composite takes a value is found once per type, where the type alone decides."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import Any

import pytest

from invincible.converter import (
    BinaryPlainPayloadConverter,
    CompositePayloadConverter,
    ConversionError,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    Payload,
    PayloadConverter,
    TransferTypeConverter,
    transfer_type_convertible,
)


class Evens(EncodingPayloadConverter):
    """Looks at the value, not only at its type."""

    @property
    def encoding(self) -> str:
        return "test/even"

    def to_payload(self, value: Any) -> Payload | None:
        return Payload({"encoding": b"test/even"}) if isinstance(value, int) and value % 2 == 0 else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        raise NotImplementedError


class ShortBytes(BinaryPlainPayloadConverter):
    """Takes fewer values than the converter it is derived from."""

    def to_payload(self, value: Any) -> Payload | None:
        return super().to_payload(value) if len(value) < 3 else None


class Named(str):
    __slots__ = ()


def test_a_converter_that_looks_at_values_sees_each() -> None:
    converter = CompositePayloadConverter(Evens(), JSONPlainPayloadConverter())
    encodings = [converter.to_payload(value).encoding for value in (1, 2, 3, 4, "text")]
    assert encodings == ["json/plain", "test/even", "json/plain", "test/even", "json/plain"]


def test_a_derived_converter_is_asked_itself() -> None:
    converter = CompositePayloadConverter(ShortBytes(), JSONPlainPayloadConverter())
    assert [converter.to_payload(data).encoding for data in (b"12", b"123", b"1")] == [
        "binary/plain",
        "json/plain",
        "binary/plain",
    ]


def test_instances_of_derived_types_go_where_their_base_goes() -> None:
    class Data(bytes):
        pass

    converter = PayloadConverter.default
    for _ in range(2):
        assert converter.to_payload(Data(b"x")).encoding == "binary/plain"
        assert converter.to_payload(Named("x")).data == b'"x"'


def test_other_converters_may_be_set() -> None:
    converter = DefaultPayloadConverter()
    payload = converter.to_payload("a")
    converter.converters = {key: each for key, each in converter.converters.items() if key != b"json/plain"}
    with pytest.raises(ConversionError, match="no payload converter takes a value of type str"):
        converter.to_payload("a")
    with pytest.raises(ConversionError, match="no payload converter for encoding 'json/plain'"):
        converter.from_payload(payload)


def test_more_types_than_are_remembered() -> None:
    converter = DefaultPayloadConverter()
    kinds: list[Any] = [dataclass(type(f"Kind{index}", (), {"__annotations__": {"at": int}})) for index in range(1100)]
    for _ in range(2):
        for index, kind in enumerate(kinds):
            assert converter.to_payload(kind(index)).data == b'{"at":%d}' % index


def test_a_class_may_become_convertible_after_it_was_used() -> None:
    class Money:
        def __init__(self, amount: int) -> None:
            self.amount = amount

        def __iter__(self) -> Any:
            return iter([self.amount])

    class MoneyConverter(TransferTypeConverter[Money, int]):
        transfer_type = int

        def to_transfer_type(self, value: Money) -> int:
            return value.amount

        def from_transfer_type(self, value: int, type_hint: type[Money]) -> Money:
            return type_hint(value)

    converter = DefaultPayloadConverter()
    assert converter.to_payload(Money(5)).data == b"[5]"
    with pytest.raises(ConversionError):
        converter.from_payload(converter.to_payload(5), Money)
    transfer_type_convertible(MoneyConverter)(Money)
    payload = converter.to_payload(Money(5))
    assert payload.data == b"5"
    assert converter.from_payload(payload, Money).amount == 5


def test_a_composite_pickles_after_use() -> None:
    converter = DefaultPayloadConverter()
    converter.to_payload(Named("x"))
    copied = pickle.loads(pickle.dumps(converter))
    assert copied.to_payload([1]).data == b"[1]"
    assert "_index" not in converter.__getstate__()


@pytest.mark.parametrize("value", [0, -1, 2**63, 2**200, True, False, None, -(2**64)])
def test_scalars_are_written_as_the_json_module_does(value: Any) -> None:
    assert JSONPlainPayloadConverter().to_payload(value).data == json.dumps(value).encode()  # type: ignore[union-attr]
