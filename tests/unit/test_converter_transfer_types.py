"""Classes that are sent as another type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Optional, TypeVar, Union

import pytest

from invincible._native import Payload
from invincible.common import RawValue
from invincible.converter import (
    ArgumentError,
    ConversionError,
    DataConverter,
    PayloadConverter,
    Signature,
    TransferTypeConverter,
    create_payload_validation_error,
    decode_result,
    transfer_type_convertible,
)
from invincible.exceptions import ApplicationError

T = TypeVar("T")
converter = PayloadConverter.default


class PointConverter(TransferTypeConverter["Point", list[int]]):
    transfer_type = list[int]

    def to_transfer_type(self, value: Point) -> list[int]:
        return [value.x, value.y]

    def from_transfer_type(self, value: list[int], type_hint: type[Point]) -> Point:
        if len(value) != 2:
            raise create_payload_validation_error({"coordinates": len(value)})
        return type_hint(*value)


@transfer_type_convertible(PointConverter)
class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]


class Corner(Point): ...


class BoxConverter(TransferTypeConverter["Box[Any]", Any]):
    def to_transfer_type(self, value: Box[Any]) -> Any:
        return value.content

    def from_transfer_type(self, value: Any, type_hint: type[Box[Any]]) -> Box[Any]:
        return Box(value, type_hint)


@transfer_type_convertible(BoxConverter)
class Box(Generic[T]):
    def __init__(self, content: T, hint: Any = None) -> None:
        self.content = content
        self.hint = hint


def payload_of(data: bytes) -> Payload:
    return Payload({"encoding": b"json/plain"}, data)


@pytest.mark.parametrize("hint", [Point, Optional[Point], Union[None, Point], Point | None])  # noqa: UP007, UP045
def test_round_trip(hint: Any) -> None:
    payload = converter.to_payload(Point(1, 2))
    assert payload == payload_of(b"[1,2]")
    assert converter.from_payload(payload, hint) == Point(1, 2)


def test_derived_classes() -> None:
    assert converter.to_payload(Corner(1, 2)) == payload_of(b"[1,2]")
    assert converter.from_payload(payload_of(b"[1,2]"), Corner) == Corner(1, 2)


def test_nothing_in_place_of_a_value() -> None:
    nothing = converter.to_payload(None)
    assert converter.from_payload(nothing, Point | None) is None  # type: ignore[arg-type]
    assert converter.from_payload(payload_of(b"null"), Point | None) is None  # type: ignore[arg-type]
    assert converter.from_payload(nothing, Box[int] | None) is None  # type: ignore[arg-type]
    # Without Optional it is up to the class.
    assert converter.from_payload(nothing, Box).content is None


def test_generic_classes_see_their_arguments() -> None:
    payload = converter.to_payload(Box({"a": 1}))
    assert payload == payload_of(b'{"a":1}')
    assert converter.from_payload(payload, Box[int]).hint == Box[int]
    assert converter.from_payload(payload, Box).hint is Box


def test_what_was_sent_is_decoded_as_declared() -> None:
    with pytest.raises(ConversionError, match=r"^\[1\]: expected int, got str 'x'$"):
        converter.from_payload(payload_of(b'[1,"x"]'), Point)


def test_raw_values_and_other_hints_pass() -> None:
    payload = converter.to_payload(Point(1, 2))
    assert converter.from_payload(payload, RawValue) == RawValue(payload)
    assert converter.from_payload(payload, list[int]) == [1, 2]
    assert converter.from_payload(payload) == [1, 2]
    assert converter.from_payload(payload, list[int] | str) == [1, 2]  # type: ignore[arg-type]


def test_inside_of_other_values_it_is_like_any_class() -> None:
    with pytest.raises(ConversionError, match="a value of type Point cannot be written as JSON"):
        converter.to_payload([Point(1, 2)])
    with pytest.raises(ConversionError, match="values cannot be decoded into Point"):
        converter.from_payload(payload_of(b"[[1,2]]"), list[Point])


class Own(PayloadConverter):
    """A converter that is no composite."""

    def __init__(self) -> None:
        self.hints: Any = ()

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return converter.to_payloads(values)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        return converter.from_payloads(payloads, type_hints)


def test_every_payload_converter_has_them() -> None:
    own = DataConverter(payload_converter_class=Own).payload_converter
    payloads = own.to_payloads([1, Point(1, 2), "x"])
    assert [payload.data for payload in payloads] == [b"1", b"[1,2]", b'"x"']
    assert own.from_payloads(payloads, [int, Point, str]) == [1, Point(1, 2), "x"]
    assert own.from_payloads(payloads, [float, Point]) == [1.0, Point(1, 2), "x"]
    assert own.from_payloads(payloads) == [1, [1, 2], "x"]


def test_errors_name_the_converter_of_the_user() -> None:
    class Packing(Own):
        def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
            return []

        def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
            raise KeyError("x")

    own = DataConverter(payload_converter_class=Packing).payload_converter
    with pytest.raises(ConversionError, match=r"^Packing made 0 payloads of one value$"):
        own.to_payload(1)
    with pytest.raises(ArgumentError, match=r"^activity 'x', result: Packing refused the value with KeyError: 'x'$"):
        decode_result(payload_of(b"1"), int, own, "activity 'x'")


class TestErrors:
    def test_validation_errors_are_not_hidden_by_the_argument(self) -> None:
        def move(to: Point) -> None: ...

        signature = Signature.of(move, "activity 'move'")
        with pytest.raises(ApplicationError, match="Payload validation failed") as raised:
            signature.decode([payload_of(b"[1]")], converter)
        assert (raised.value.type, raised.value.non_retryable) == ("PayloadValidationError", True)
        assert raised.value.details == ({"coordinates": 1},)
        with pytest.raises(ApplicationError, match="Payload validation failed"):
            decode_result(payload_of(b"[1]"), Point, converter, "activity 'move'")

    def test_errors_of_the_converter_name_the_argument(self) -> None:
        class Failing(PointConverter):
            def from_transfer_type(self, value: Any, type_hint: Any) -> Any:
                raise ValueError("never")

        @transfer_type_convertible(Failing)
        class Place(Point): ...

        def move(by: int, to: Place) -> None: ...

        move.__annotations__["to"] = Place
        signature = Signature.of(move, "activity 'move'")
        with pytest.raises(ArgumentError, match=r"^activity 'move', argument to: .* refused the value with ValueError"):
            signature.decode([payload_of(b"1"), payload_of(b"[1,2]")], converter)

    def test_what_is_no_converter_or_no_class(self) -> None:
        with pytest.raises(TypeError, match="takes a subclass of TransferTypeConverter, got <class 'int'>"):
            transfer_type_convertible(int)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"transfer_type_convertible\(PointConverter\) decorates classes, not 3"):
            transfer_type_convertible(PointConverter)(3)  # type: ignore[arg-type]

    def test_without_details(self) -> None:
        assert create_payload_validation_error(None).details == ()
