"""Values that are sent as another type, here and in the peer."""

from __future__ import annotations

import pytest

from invincible import converter, exceptions
from invincible._native import Failure, Payload
from tests.parity import transfer
from tests.parity.failures import described
from tests.parity.peer import Peer, Refused

Money = transfer.money_of(converter)
payloads = converter.PayloadConverter.default


def test_there_and_back(peer: Peer) -> None:
    payload = payloads.to_payload(Money(5, "EUR"))
    assert payload == Payload(*peer.ask("encode_money", 5, "EUR"))
    assert peer.ask("decode_money", payload.SerializeToString()) == (5, "EUR")
    money = payloads.from_payload(payload, Money)
    assert (type(money), money.amount, money.currency) == (Money, 5, "EUR")


def test_invalid(peer: Peer) -> None:
    payload = payloads.to_payload(Money(-5, "EUR"))
    with pytest.raises(Refused) as refused:
        peer.ask("decode_money", payload.SerializeToString())
    with pytest.raises(exceptions.ApplicationError) as raised:
        payloads.from_payload(payload, Money)
    assert str(refused.value) == f"ApplicationError: {raised.value}"


@pytest.mark.parametrize("details", [None, {"field": "amount"}, []])
def test_validation_errors(peer: Peer, details: object) -> None:
    theirs = Failure.FromString(peer.ask("validation_failure", details))
    error = converter.create_payload_validation_error(details)
    assert converter.FailureConverter.default.to_native(error, payloads) == theirs
    assert described(exceptions, error).options["non_retryable"] is True
