"""Runs in the peer's environment: answers, one after the other, what temporalio makes of values and payloads.

Requests and answers are pickles, each after its length in four bytes.
"""

from __future__ import annotations

import importlib
import os
import pickle
import struct
import sys
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

from tests.parity import failures, transfer

converter = importlib.import_module("temporalio.converter")
common = importlib.import_module("temporalio.common")
exceptions = importlib.import_module("temporalio.exceptions")
api = importlib.import_module("temporalio.api.common.v1")
Failure = importlib.import_module("temporalio.api.failure.v1").Failure
pydantic_converter = importlib.import_module("temporalio.contrib.pydantic").pydantic_data_converter

PAYLOADS = {"default": converter.PayloadConverter.default, "pydantic": pydantic_converter.payload_converter}
FAILURES = {
    "default": converter.DefaultFailureConverter(),
    "encoded": converter.DefaultFailureConverterWithEncodedAttributes(),
}


def decode(which: str, hint: Any, payload: bytes) -> Any:
    return PAYLOADS[which].from_payload(api.Payload.FromString(payload), hint)


def decode_to_text(payload: bytes) -> str:
    return str(decode("default", None, payload))


def encode(which: str, value: Any) -> tuple[dict[str, bytes], bytes]:
    payload = PAYLOADS[which].to_payload(value)
    return dict(payload.metadata), payload.data


Money = transfer.money_of(converter)


def encode_money(amount: int, currency: str) -> tuple[dict[str, bytes], bytes]:
    return encode("default", Money(amount, currency))


def decode_money(payload: bytes) -> tuple[int, str]:
    money = decode("default", Money, payload)
    return money.amount, money.currency


def validation_failure(details: Any) -> bytes:
    failure = Failure()
    error = converter.create_payload_validation_error(details)
    FAILURES["default"].to_failure(error, PAYLOADS["default"], failure)
    return bytes(failure.SerializeToString())


def to_failure(which: str, recipe: failures.Recipe) -> bytes:
    failure = Failure()
    FAILURES[which].to_failure(failures.make(exceptions, recipe), PAYLOADS["default"], failure)
    return bytes(failure.SerializeToString())


def from_failure(which: str, failure: bytes) -> failures.Recipe:
    exception = FAILURES[which].from_failure(Failure.FromString(failure), PAYLOADS["default"])
    return failures.described(exceptions, exception)


def failure_again(which: str, failure: bytes) -> bytes:
    exception = FAILURES[which].from_failure(Failure.FromString(failure), PAYLOADS["default"])
    again = Failure()
    FAILURES[which].to_failure(exception, PAYLOADS["default"], again)
    return bytes(again.SerializeToString())


def encode_search_attributes(pairs: list[tuple[str, str, Any]] | dict[str, list[Any]]) -> bytes:
    attributes: Any = pairs
    if isinstance(pairs, list):
        attributes = common.TypedSearchAttributes(
            [
                common.SearchAttributePair(getattr(common.SearchAttributeKey, f"for_{kind}")(name), value)
                for name, kind, value in pairs
            ]
        )
    message = api.SearchAttributes()
    converter.encode_search_attributes(attributes, message)
    return bytes(message.SerializeToString(deterministic=True))


def decode_search_attributes(message: bytes) -> dict[str, list[Any]]:
    decoded: dict[str, list[Any]] = converter.decode_search_attributes(api.SearchAttributes.FromString(message))
    return decoded


def decode_typed_search_attributes(message: bytes) -> list[tuple[str, str, Any]]:
    decoded = converter.decode_typed_search_attributes(api.SearchAttributes.FromString(message))
    return [(pair.key.name, pair.key.indexed_value_type.name.lower(), pair.value) for pair in decoded]


REQUESTS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        decode,
        decode_money,
        decode_to_text,
        encode,
        encode_money,
        to_failure,
        from_failure,
        failure_again,
        encode_search_attributes,
        decode_search_attributes,
        decode_typed_search_attributes,
        validation_failure,
    )
}


def answer(request: bytes) -> bytes:
    try:
        name, arguments = pickle.loads(request)
        return pickle.dumps((True, REQUESTS[name](*arguments)))
    except Exception as error:
        return pickle.dumps((False, f"{type(error).__name__}: {error}"))


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while head := requests.read(4):
        reply = answer(requests.read(struct.unpack(">I", head)[0]))
        answers.write(struct.pack(">I", len(reply)) + reply)
        answers.flush()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with os.fdopen(os.dup(1), "wb") as answers:
        # What converters print must not get between the answers.
        os.dup2(2, 1)
        serve(sys.stdin.buffer, answers)
