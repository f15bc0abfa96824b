"""What the default converter writes, byte for byte, against what the official Python SDK writes."""

from __future__ import annotations

import collections
import enum
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pydantic
import pytest
from typing_extensions import deprecated

from invincible._native import Payload
from invincible.converter import AdvancedJSONEncoder, ConversionError, DefaultPayloadConverter, PayloadConverter

converter = PayloadConverter.default


@dataclass
class Inner:
    x: int
    y: str = "é"


@dataclass
class Outer:
    b: int
    a: Any
    k: dict[str, Any] = field(default_factory=dict)
    h: int = field(init=False, default=3, repr=False)


@dataclass
class Slotted:
    __slots__ = ("_p", "z")
    z: int
    _p: int


class Color(enum.IntEnum):
    RED = 1


class Size(str, enum.Enum):
    SMALL = "small"


class Bits(enum.IntFlag):
    A = 1
    B = 2


class Pair(NamedTuple):
    b: int
    a: str


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(serialize_by_alias=True)

    number: int = pydantic.Field(alias="theNumber")
    when: datetime = datetime(2020, 1, 2)
    more: list[Inner] = []


class ModelWithMethod(Model):
    def dict(self, **options: Any) -> dict[str, Any]:
        return {"own": self.number}


class ModelOfVersion1:
    def dict(self) -> dict[str, int]:
        return {"v1": 1}


class Iterated:
    def __iter__(self) -> Iterator[int]:
        return iter([1, 2])


class Integer(int): ...


class Text(str): ...


class Raw(bytes): ...


PLAIN = "json/plain"
# Values and what temporalio 1.35 makes of them.
GOLDEN: list[tuple[Any, str, bytes]] = [
    (None, "binary/null", b""),
    (b"ab\xff", "binary/plain", b"ab\xff"),
    (Raw(b"q"), "binary/plain", b"q"),
    (True, PLAIN, b"true"),
    (1, PLAIN, b"1"),
    (10**40, PLAIN, b"1" + b"0" * 40),
    (1.5, PLAIN, b"1.5"),
    (1.0, PLAIN, b"1.0"),
    (1e16, PLAIN, b"1e+16"),
    (-0.0, PLAIN, b"-0.0"),
    (float("nan"), PLAIN, b"NaN"),
    (float("inf"), PLAIN, b"Infinity"),
    ("", PLAIN, b'""'),
    ('hé\u2028\U0001f600\x00"\\/<>', PLAIN, b'"h\\u00e9\\u2028\\ud83d\\ude00\\u0000\\"\\\\/<>"'),
    ("\ud800", PLAIN, b'"\\ud800"'),
    (bytearray(b"x"), PLAIN, b"[120]"),
    (memoryview(b"x"), PLAIN, b"[120]"),
    ([1, "a", None, [2]], PLAIN, b'[1,"a",null,[2]]'),
    ((1, 2), PLAIN, b"[1,2]"),
    ({3}, PLAIN, b"[3]"),
    (frozenset([3]), PLAIN, b"[3]"),
    (collections.deque([1]), PLAIN, b"[1]"),
    (range(3), PLAIN, b"[0,1,2]"),
    (map(str, [1]), PLAIN, b'["1"]'),
    ({"a": 1}.items(), PLAIN, b'[["a",1]]'),
    ([b"ab"], PLAIN, b"[[97,98]]"),
    (Iterated(), PLAIN, b"[1,2]"),
    ({"b": 1, "a": 2}, PLAIN, b'{"a":2,"b":1}'),
    ({10: 1, 9: 2}, PLAIN, b'{"9":2,"10":1}'),
    ({}, PLAIN, b"{}"),
    ({Size.SMALL: 1}, PLAIN, b'{"small":1}'),
    ({Color.RED: 1}, PLAIN, b'{"1":1}'),
    (collections.OrderedDict(z=1, a=2), PLAIN, b'{"a":2,"z":1}'),
    (Outer(1, Inner(2)), PLAIN, b'{"a":{"x":2,"y":"\\u00e9"},"b":1,"h":3,"k":{}}'),
    (Outer(1, [Inner(2)], {"q": (1,)}), PLAIN, b'{"a":[{"x":2,"y":"\\u00e9"}],"b":1,"h":3,"k":{"q":[1]}}'),
    (Outer(1, b"x"), PLAIN, b'{"a":[120],"b":1,"h":3,"k":{}}'),
    (Outer(1, {1}), PLAIN, b'{"a":[1],"b":1,"h":3,"k":{}}'),
    (Outer(Color.RED, Size.SMALL), PLAIN, b'{"a":"small","b":1,"h":3,"k":{}}'),
    (Slotted(1, 2), PLAIN, b'{"_p":2,"z":1}'),
    (Pair(1, "x"), PLAIN, b'[1,"x"]'),
    (Color.RED, PLAIN, b"1"),
    (Size.SMALL, PLAIN, b'"small"'),
    (Bits.A | Bits.B, PLAIN, b"3"),
    (Integer(4), PLAIN, b"4"),
    (Text("st"), PLAIN, b'"st"'),
    (UUID(int=5), PLAIN, b'"00000000-0000-0000-0000-000000000005"'),
    (datetime(2020, 1, 2, 3, 4, 5, 6), PLAIN, b'"2020-01-02T03:04:05.000006"'),
    (datetime(2020, 1, 2, tzinfo=timezone(timedelta(hours=2))), PLAIN, b'"2020-01-02T00:00:00+02:00"'),
    (ModelOfVersion1(), PLAIN, b'{"v1":1}'),
    ([ModelOfVersion1()], PLAIN, b'[{"v1":1}]'),
    (Model(theNumber=1), PLAIN, b'{"more":[],"number":1,"when":"2020-01-02T00:00:00"}'),
    (
        [Model(theNumber=1, more=[Inner(1, "a")])],
        PLAIN,
        b"""[{"more":[{"x":1,"y":"a"}],"number":1,"when":"2020-01-02T00:00:00"}]""",
    ),
    (ModelWithMethod(theNumber=1), PLAIN, b'{"own":1}'),
]


@pytest.mark.parametrize(("value", "encoding", "data"), GOLDEN)
def test_written_as_by_the_official_sdk(value: Any, encoding: str, data: bytes) -> None:
    assert converter.to_payloads([value]) == [Payload({"encoding": encoding.encode()}, data)]


class Plain(enum.Enum):
    A = "a"
    B = 2


class ModelOfVersion2:
    def model_dump(self) -> dict[str, Any]:
        return {"v2": date(2020, 1, 2)}

    @deprecated("use model_dump")
    def dict(self) -> dict[str, Any]:
        raise AssertionError("a method that warns must not be used")


# Values that the official SDK refuses or, mappings, writes without their values.
BEYOND: list[tuple[Any, bytes]] = [
    (Plain.A, b'"a"'),
    ([Plain.B], b"[2]"),
    (date(2020, 1, 2), b'"2020-01-02"'),
    (time(1, 2, 3), b'"01:02:03"'),
    (timedelta(days=1, hours=2, seconds=3.5), b'"P1DT2H3.5S"'),
    (timedelta(seconds=-90), b'"-PT1M30S"'),
    (timedelta(0), b'"PT0S"'),
    (Decimal("1.10"), b'"1.10"'),
    (ModelOfVersion2(), b'{"v2":"2020-01-02"}'),
    (collections.UserDict(a=1), b'{"a":1}'),
    (types.MappingProxyType({"a": 1}), b'{"a":1}'),
    ({None: 1, True: 2, 2.5: 3}, b'{"2.5":3,"null":1,"true":2}'),
    ({Plain.A: 1}, b'{"a":1}'),
    ({UUID(int=1): 1}, b'{"00000000-0000-0000-0000-000000000001":1}'),
    ([{date(2020, 1, 2): Inner(1, "z")}], b'[{"2020-01-02":{"x":1,"y":"z"}}]'),
]


@pytest.mark.parametrize(("value", "data"), BEYOND)
def test_written_beyond_the_official_sdk(value: Any, data: bytes) -> None:
    assert converter.to_payload(value).data == data


def test_each_value_has_its_payload() -> None:
    assert [payload.encoding for payload in converter.to_payloads([1, None, b"x"])] == [
        "json/plain",
        "binary/null",
        "binary/plain",
    ]


def test_encoder_works_as_any_json_encoder() -> None:
    class Encoder(AdvancedJSONEncoder):
        def default(self, o: Any) -> Any:
            return [o.real, o.imag] if isinstance(o, complex) else super().default(o)

    assert json.dumps([1j, Inner(1, "a")], cls=Encoder) == '[[0.0, 1.0], {"x": 1, "y": "a"}]'
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        json.dumps(object(), cls=Encoder)


class TestRefused:
    class Unknown:
        pass

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (Unknown(), "a value of type Unknown cannot be written as JSON: use a dataclass, or a payload converter"),
            (Outer(1, [Inner(1), Unknown()]), r"^\.a\[1\]: a value of type Unknown cannot"),
            ({"orders": {"first": (1, Unknown)}}, r"^\['orders'\]\['first'\]\[1\]: a value of type type cannot"),
            ({(1, 2): 3}, "a key of type tuple cannot be written as JSON: use str"),
        ],
    )
    def test_the_error_names_the_place_and_the_type(self, value: Any, message: str) -> None:
        with pytest.raises(ConversionError, match=message):
            converter.to_payload(value)

    def test_index_of_the_value(self) -> None:
        with pytest.raises(ConversionError) as raised:
            converter.to_payloads([1, "a", object()])
        assert raised.value.index == 2

    def test_value_that_holds_itself(self) -> None:
        value: list[Any] = [1]
        value.append({"again": value})
        with pytest.raises(
            ConversionError, match=r"^\[1\]\['again'\]: cannot be written as JSON: the list holds itself"
        ):
            converter.to_payload(value)

    def test_too_deep(self) -> None:
        value: list[Any] = []
        for _ in range(100_000):
            value = [value]
        with pytest.raises(ConversionError, match="nested too deeply"):
            converter.to_payload(value)
        # Freed step by step: the garbage collector would recurse as well.
        while value:
            value = value.pop()

    def test_iterators_are_read_once(self) -> None:
        assert converter.to_payload({"a": iter([1, 2]), "b": map(str, [3])}).data == b'{"a":[1,2],"b":["3"]}'
        with pytest.raises(ConversionError, match="an iterator cannot be written beside keys that are not text"):
            converter.to_payload([iter([1, 2]), {UUID(int=1): 1}])
        with pytest.raises(ConversionError, match=r"^\[1\]: a value of type object cannot be written as JSON"):
            converter.to_payload([iter([1, 2]), object()])

    def test_errors_of_a_models_own_code_are_its_own(self) -> None:
        class Broken:
            def dict(self) -> dict[str, Any]:
                raise ZeroDivisionError("broken")

        with pytest.raises(ZeroDivisionError, match="broken"):
            converter.to_payload(Broken())


class TestRead:
    """Payloads without a type hint."""

    @pytest.mark.parametrize(
        ("value", "encoding", "data"), [row for row in GOLDEN if row[0] is None or row[1] != PLAIN]
    )
    def test_values_that_are_not_json(self, value: Any, encoding: str, data: bytes) -> None:
        assert converter.from_payload(Payload({"encoding": encoding.encode()}, data)) == value

    @pytest.mark.parametrize(
        ("data", "value"),
        [
            (b"1", 1),
            (b"  [1.5, true, null] \n", [1.5, True, None]),
            (b'{"a":1,"a":2}', {"a": 2}),
            (b"\xef\xbb\xbf1", 1),
            ('"é"'.encode("utf-16"), "é"),
            ('"é"'.encode(), "é"),
        ],
    )
    def test_json(self, data: bytes, value: Any) -> None:
        assert converter.from_payload(Payload({"encoding": b"json/plain"}, data)) == value

    @pytest.mark.parametrize(
        ("encoding", "data", "message"),
        [
            (b"json/plain", b'{"secret"', "not valid JSON: Expecting ':' delimiter at byte 9 of 9"),
            (b"json/plain", b'"\xffsecret"', "not valid JSON: invalid start byte at byte 1 of 9"),
            (b"json/plain", b"", "not valid JSON: Expecting value at byte 0 of 0"),
            (b"json/plain", b"[" * 100_000, "nested too deeply"),
            (b"json/plain", b"1" * 10_000, "Exceeds the limit"),
            (b"binary/null", b"secret", "'binary/null' must have no data"),
            (b"binary/encrypted", b"secret", "no payload converter for encoding 'binary/encrypted'.*payload_codec"),
        ],
    )
    def test_refused(self, encoding: bytes, data: bytes, message: str) -> None:
        with pytest.raises(ConversionError, match=message) as raised:
            converter.from_payloads([Payload({"encoding": b"json/plain"}, b"1"), Payload({"encoding": encoding}, data)])
        assert raised.value.index == 1
        assert "secret" not in str(raised.value)

    @pytest.mark.parametrize("metadata", [{}, {"encoding": b"\xff"}])
    def test_no_encoding(self, metadata: dict[str, bytes]) -> None:
        with pytest.raises(ConversionError, match="names no encoding; there are converters for binary/null, "):
            converter.from_payload(Payload(metadata, b"1"))

    def test_bytes_ignore_the_hint(self) -> None:
        payload = converter.to_payload(b"x")
        assert converter.from_payload(payload, int) == b"x"
        assert converter.from_payload(payload, bytearray) == bytearray(b"x")

    def test_null_ignores_the_hint(self) -> None:
        assert converter.from_payload(converter.to_payload(None), int) is None


def test_encodings_in_order() -> None:
    assert list(DefaultPayloadConverter().converters) == [
        b"binary/null",
        b"binary/plain",
        b"json/protobuf",
        b"binary/protobuf",
        b"json/plain",
    ]


def test_protobuf_is_not_imported_before_a_message_is_met() -> None:
    code = (
        "import asyncio, sys\n"
        "from invincible.converter import DataConverter, FailureConverter, PayloadCodec, PayloadConverter\n"
        "class Codec(PayloadCodec):\n"
        "    async def encode(self, payloads): return list(payloads)\n"
        "    decode = encode\n"
        "converter = PayloadConverter.default\n"
        "for value in (None, b'x', 1, {'a': [1.5]}):\n"
        "    assert converter.from_payload(converter.to_payload(value)) == value\n"
        "failure = FailureConverter.default.to_native(ValueError('x'), converter)\n"
        "FailureConverter.default.from_native(failure, converter)\n"
        "asyncio.run(DataConverter(payload_codec=Codec()).encode_failure(ValueError('x')))\n"
        "asyncio.run(DataConverter(payload_codec=Codec()).decode_failure(failure))\n"
        "print([name for name in sys.modules if name.startswith(('google', 'invincible.api'))])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
