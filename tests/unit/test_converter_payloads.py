"""Converters and codecs of users, raw values, protobuf messages, and the data converter around them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.common.v1 import Payloads, WorkflowExecution
from invincible.common import RawValue
from invincible.converter import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    BinaryProtoPayloadConverter,
    CompositePayloadConverter,
    ConversionError,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    JSONProtoPayloadConverter,
    JSONTypeConverter,
    PayloadCodec,
    PayloadConverter,
    default,
)

converter = PayloadConverter.default


@dataclass
class Secret:
    number: int


class AddressConverter(EncodingPayloadConverter):
    """As users write them: payloads are protobuf messages or native, whatever they have at hand."""

    def __init__(self, payload_type: Any) -> None:
        self.payload_type = payload_type

    @property
    def encoding(self) -> str:
        return "test/address"

    def to_payload(self, value: Any) -> Any:
        if not isinstance(value, IPv4Address):
            return None
        return self.payload_type(metadata={"encoding": b"test/address", "version": b"4"}, data=value.packed)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        assert payload.metadata["version"] == b"4"
        return IPv4Address(payload.data)


class TestComposite:
    @pytest.mark.parametrize("payload_type", [Payload, PayloadMessage])
    def test_converters_of_users(self, payload_type: Any) -> None:
        composite = CompositePayloadConverter(
            AddressConverter(payload_type), *DefaultPayloadConverter.default_encoding_payload_converters
        )
        values = [IPv4Address("10.0.0.1"), 1]
        payloads = composite.to_payloads(values)
        assert [type(payload) for payload in payloads] == [Payload, Payload]
        assert [payload.encoding for payload in payloads] == ["test/address", "json/plain"]
        assert composite.from_payloads(payloads) == values
        messages: list[Any] = [PayloadMessage.FromString(payload.SerializeToString()) for payload in payloads]
        assert composite.from_payloads(messages) == values

    def test_no_converter_takes_the_value(self) -> None:
        composite = CompositePayloadConverter(BinaryNullPayloadConverter())
        with pytest.raises(ConversionError, match="no payload converter takes a value of type int"):
            composite.to_payload(1)

    def test_what_is_no_payload(self) -> None:
        class Wrong(BinaryPlainPayloadConverter):
            def to_payload(self, value: Any) -> Any:
                return value

        with pytest.raises(ConversionError, match=r"expected a Payload \(an object with metadata and data\), got str"):
            CompositePayloadConverter(Wrong()).to_payload("x")

    def test_hints_by_position(self) -> None:
        payloads = converter.to_payloads([1, {"number": 2}, "a"])
        assert converter.from_payloads(payloads, [float, Secret]) == [1.0, Secret(2), "a"]
        assert converter.from_payloads(payloads[:1], [float, Secret]) == [1.0]

    def test_message_wrappers(self) -> None:
        wrapper = converter.to_payloads_wrapper([1, None])
        assert isinstance(wrapper, Payloads)
        assert [payload.metadata["encoding"] for payload in wrapper.payloads] == [b"json/plain", b"binary/null"]
        assert converter.from_payloads_wrapper(wrapper) == [1, None]
        assert converter.from_payloads_wrapper(None) == []

    def test_single_values_need_single_payloads(self) -> None:
        class Packing(DefaultPayloadConverter):
            def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
                return super().to_payloads([list(values)]) * len(values) * 2

            def from_payloads(self, payloads: Sequence[Payload], type_hints: Any = None) -> list[Any]:
                return []

        with pytest.raises(ConversionError, match="Packing made 2 payloads of one value"):
            Packing().to_payload(1)
        with pytest.raises(ConversionError, match="Packing made 0 values of one payload"):
            Packing().from_payload(Payload({}))


class TestRawValue:
    payload = Payload({"encoding": b"test/unknown"}, b"\xff")

    def test_passes_through(self) -> None:
        assert converter.to_payloads([RawValue(self.payload)]) == [self.payload]
        assert converter.from_payloads([self.payload], [RawValue]) == [RawValue(self.payload)]

    def test_message(self) -> None:
        message: Any = PayloadMessage(metadata={"encoding": b"test/unknown"}, data=b"\xff")
        assert converter.to_payload(RawValue(message)) == self.payload


class TestJSON:
    def test_encoding_and_coders_of_users(self) -> None:
        class Encoder(json.JSONEncoder):
            def default(self, o: Any) -> Any:
                return str(o) if isinstance(o, IPv4Address) else super().default(o)

        class Decoder(json.JSONDecoder):
            def decode(self, s: str, _w: Any = None) -> Any:
                return ["decoded", super().decode(s)]

        own = JSONPlainPayloadConverter(encoder=Encoder, decoder=Decoder, encoding="json/own")
        payload = own.to_payload({"b": IPv4Address("10.0.0.1"), "a": (1,)})
        assert payload == Payload({"encoding": b"json/own"}, b'{"a":[1],"b":"10.0.0.1"}')
        assert own.encoding == "json/own"
        assert own.from_payload(Payload({}, b"1")) == ["decoded", 1]
        assert own.from_payload(Payload({}, b"1"), tuple[str, float]) == ("decoded", 1.0)
        with pytest.raises(TypeError, match="Object of type Secret is not JSON serializable"):
            own.to_payload(Secret(1))

    def test_pythons_own_encoder(self) -> None:
        plain = JSONPlainPayloadConverter(encoder=None)
        assert plain.to_payload({"b": 1, "a": 2}) == Payload({"encoding": b"json/plain"}, b'{"a":2,"b":1}')
        with pytest.raises(TypeError, match="Object of type Secret is not JSON serializable"):
            plain.to_payload(Secret(1))

    def test_type_converters(self) -> None:
        class Addresses(JSONTypeConverter):
            def to_typed_value(self, hint: Any, value: Any) -> Any:
                return IPv4Address(value) if hint is IPv4Address else JSONTypeConverter.Unhandled

        own = JSONPlainPayloadConverter(custom_type_converters=[Addresses()])
        payload = Payload({}, b'["10.0.0.1"]')
        assert own.from_payload(payload, list[IPv4Address]) == [IPv4Address("10.0.0.1")]
        with pytest.raises(ConversionError, match=r"^\[0\]: values cannot be decoded into IPv4Address"):
            JSONPlainPayloadConverter().from_payload(payload, list[IPv4Address])


EXECUTION = WorkflowExecution(workflow_id="é", run_id="r")
NAME = b"temporal.api.common.v1.WorkflowExecution"


class TestProtobuf:
    def test_written_as_by_the_official_sdk(self) -> None:
        metadata = {"encoding": b"json/protobuf", "messageType": NAME}
        data = b'{"runId":"r","workflowId":"\\u00e9"}'
        assert converter.to_payload(EXECUTION) == Payload(metadata, data)
        timestamp = converter.to_payload(Timestamp(seconds=1))
        assert timestamp.metadata["messageType"] == b"google.protobuf.Timestamp"
        assert timestamp.data == b'"1970-01-01T00:00:01Z"'
        struct = Struct()
        struct.update({"b": 1, "a": [True, None]})
        assert converter.to_payload(struct).data == b'{"a":[true,null],"b":1.0}'
        binary = BinaryProtoPayloadConverter().to_payload(EXECUTION)
        metadata = {"encoding": b"binary/protobuf", "messageType": NAME}
        assert binary == Payload(metadata, b"\n\x02\xc3\xa9\x12\x01r")

    @pytest.mark.parametrize("own", [JSONProtoPayloadConverter(), BinaryProtoPayloadConverter()])
    @pytest.mark.parametrize("hint", [None, WorkflowExecution, int, Timestamp])
    def test_round_trip(self, own: EncodingPayloadConverter, hint: type | None) -> None:
        payload = own.to_payload(EXECUTION)
        assert payload is not None
        assert own.to_payload(Secret(1)) is None
        assert converter.from_payload(payload, hint) == EXECUTION

    def test_messages_of_others(self) -> None:
        message = converter.from_payload(converter.to_payload(Timestamp(seconds=1)))
        assert type(message) is Timestamp

    def test_the_hint_stands_in_for_a_missing_type(self) -> None:
        payload = Payload({"encoding": b"json/protobuf"}, b'{"runId":"r"}')
        assert converter.from_payload(payload, WorkflowExecution) == WorkflowExecution(run_id="r")
        with pytest.raises(ConversionError, match="no messageType in the payload's metadata"):
            converter.from_payload(payload)

    def test_unknown_fields(self) -> None:
        payload = Payload({"encoding": b"json/protobuf", "messageType": NAME}, b'{"runId":"r","more":1}')
        with pytest.raises(ConversionError, match=r"WorkflowExecution refused the value with ParseError"):
            converter.from_payload(payload)
        lenient = JSONProtoPayloadConverter(ignore_unknown_fields=True)
        assert lenient.from_payload(payload) == WorkflowExecution(run_id="r")

    @pytest.mark.parametrize(
        ("encoding", "name", "data", "problem"),
        [
            (b"json/protobuf", b"a.b.C", b"{}", "the protobuf message type 'a.b.C' is not known here: import"),
            (b"binary/protobuf", b"temporal.api.common.v1.Gone", b"", "'temporal.api.common.v1.Gone' is not known"),
            (b"binary/protobuf", b"temporal.api.gone.v1.Gone", b"", "'temporal.api.gone.v1.Gone' is not known"),
            (b"json/protobuf", NAME, b"{", "WorkflowExecution refused the value with ParseError"),
            (b"json/protobuf", NAME, b"\xff", "WorkflowExecution refused the value with"),
            (b"binary/protobuf", NAME, b"\xff", "WorkflowExecution refused the value with DecodeError"),
        ],
    )
    def test_refused(self, encoding: bytes, name: bytes, data: bytes, problem: str) -> None:
        with pytest.raises(ConversionError, match=problem):
            converter.from_payload(Payload({"encoding": encoding, "messageType": name}, data))


class Reversing(PayloadCodec):
    """Wraps each payload whole and turns its bytes around."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({"encoding": b"test/reversed"}, payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


class Broken(PayloadCodec):
    def __init__(self, result: list[Payload]) -> None:
        self.result = result

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return self.result

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return self.result


class TestDataConverter:
    def test_defaults(self) -> None:
        assert default() is DataConverter.default
        assert PayloadConverter.default is default().payload_converter
        assert type(default().payload_converter) is DefaultPayloadConverter
        assert default().payload_codec is None

    async def test_without_a_codec(self) -> None:
        payloads = await default().encode([1, Secret(2)])
        assert [payload.data for payload in payloads] == [b"1", b'{"number":2}']
        assert await default().decode(payloads, [float, Secret]) == [1.0, Secret(2)]

    async def test_with_a_codec(self) -> None:
        own = DataConverter(payload_codec=Reversing())
        payloads = await own.encode([1, Secret(2)])
        assert [payload.encoding for payload in payloads] == ["test/reversed"] * 2
        assert await own.decode(payloads, [float, Secret]) == [1.0, Secret(2)]

    async def test_no_values_are_no_payloads(self) -> None:
        own = DataConverter(payload_codec=Broken([]))
        assert await own.encode([]) == []
        assert await own.decode([]) == []

    async def test_codec_that_returns_another_number_of_payloads(self) -> None:
        with pytest.raises(ConversionError, match=r"Broken\.encode returned 0 payloads for 1"):
            await DataConverter(payload_codec=Broken([])).encode([1])
        with pytest.raises(ConversionError, match=r"Broken\.encode returned 2 payloads for 1"):
            await DataConverter(payload_codec=Broken([Payload({}), Payload({})])).encode([1])

    async def test_messages(self) -> None:
        own = DataConverter(payload_codec=Reversing())
        wrapper = await own.encode_wrapper([1])
        assert isinstance(wrapper, Payloads)
        assert wrapper.payloads[0].metadata["encoding"] == b"test/reversed"
        assert await own.decode_wrapper(wrapper, [float]) == [1.0]
        assert await own.decode_wrapper(None) == []

    async def test_codec_on_messages_in_place(self) -> None:
        wrapper = converter.to_payloads_wrapper([1])
        before = wrapper.SerializeToString()
        await Reversing().encode_wrapper(wrapper)
        assert wrapper.payloads[0].metadata["encoding"] == b"test/reversed"
        await Reversing().decode_wrapper(wrapper)
        assert wrapper.SerializeToString() == before

    async def test_errors_behind_a_codec_show_no_values(self) -> None:
        own = DataConverter(payload_codec=Reversing())
        payloads = await own.encode([{"number": "4711"}])
        with pytest.raises(ConversionError) as raised:
            await own.decode(payloads, [Secret])
        assert str(raised.value) == ".number: expected int, got str"
        assert raised.value.__cause__ is None
        payloads = await own.encode([{"4711": "x"}])
        with pytest.raises(ConversionError) as raised:
            await own.decode(payloads, [dict[str, int]])
        assert str(raised.value) == "[...]: expected int, got str"
        with pytest.raises(ConversionError) as raised:
            await own.encode([{"4711": object()}])
        assert str(raised.value).startswith("[...]: a value of type object cannot")

    def test_made_of_classes(self) -> None:
        class Own(DefaultPayloadConverter):
            pass

        own = DataConverter(payload_converter_class=Own)
        assert type(own.payload_converter) is Own


class TestErrors:
    def test_excerpts_are_short(self) -> None:
        with pytest.raises(ConversionError) as raised:
            converter.from_payload(converter.to_payload({"a": ["x" * 10_000] * 100}), list[Secret])
        assert len(str(raised.value)) < 200
        with pytest.raises(ConversionError) as raised:
            converter.from_payload(converter.to_payload({"k" * 10_000: 1}), dict[str, str])
        assert len(str(raised.value)) < 200

    def test_words_of_others_are_short(self) -> None:
        class Model:
            @classmethod
            def model_validate(cls, value: Any) -> Any:
                raise ValueError("x" * 10_000)

        with pytest.raises(ConversionError, match="Model refused the value with ValueError: xxx") as raised:
            converter.from_payload(converter.to_payload(1), Model)
        assert len(str(raised.value)) < 400
        assert str(raised.value.without_value()) == "Model refused the value with ValueError"

    def test_shown_and_pickled(self) -> None:
        with pytest.raises(ConversionError) as raised:
            converter.from_payloads(converter.to_payloads([1, {"number": "x"}]), [int, Secret])
        error = raised.value
        assert (error.path, error.index, error.is_mismatch) == (".number", 1, True)
        assert repr(error) == "ConversionError(\".number: expected int, got str 'x'\")"
        same = pickle.loads(pickle.dumps(error))
        assert (str(same), same.index) == (str(error), 1)


@dataclass
class Numbered:
    number: int


class Loud(str):
    __slots__ = ()


class Shouting(JSONTypeConverter):
    def to_typed_value(self, hint: type, value: Any) -> Any:
        return f"{value}!".upper() if hint is Loud else JSONTypeConverter.Unhandled


@pytest.mark.parametrize(
    ("used", "value", "hint", "decoded"),
    [
        (DataConverter.default.payload_converter, {"number": 1}, Numbered, Numbered(1)),
        (JSONPlainPayloadConverter(custom_type_converters=[Shouting()]), "x", Loud, "X!"),
    ],
)
def test_a_converter_can_be_sent_to_another_process_after_it_was_used(
    used: PayloadConverter | JSONPlainPayloadConverter, value: Any, hint: type, decoded: Any
) -> None:
    payload = used.to_payload(value)
    assert payload is not None
    assert used.from_payload(payload, hint) == decoded
    sent = pickle.loads(pickle.dumps(used))
    assert sent.from_payload(payload, hint) == decoded
    assert sent.to_payload(value) == payload
