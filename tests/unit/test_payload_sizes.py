"""How messages name payloads that are too large."""

from __future__ import annotations

from invincible._native import Payload
from invincible.converter import Signature
from invincible.converter._limits import SentPayloads, largest, named_arguments, named_memo, total_size


def payload(size: int) -> Payload:
    """A payload whose message has this size, metadata included."""
    data = bytes(size - len(Payload({"encoding": b"x"}, b"").SerializeToString()) - 2)
    return Payload({"encoding": b"x"}, data)


def takes(first: int, *rest: int) -> None: ...


def test_arguments_are_named_by_their_parameters() -> None:
    payloads = [payload(30), payload(40), payload(50)]
    signature = Signature.of(takes, "workflow 'w'")
    assert list(named_arguments(payloads, signature)) == ["argument first", "argument 1", "argument 2"]
    assert list(named_arguments(payloads)) == ["argument 0", "argument 1", "argument 2"]


def test_the_largest_come_first_and_the_rest_is_summed_up() -> None:
    payloads = {name: payload(size) for name, size in (("a", 50), ("b", 100), ("c", 30), ("d", 70), ("e", 40))}
    assert largest(payloads) == "b has 100 bytes, d has 70 bytes, a has 50 bytes, 2 more have 70 bytes"
    assert total_size(payloads) == 290
    assert largest({}) == ""


def test_two_in_one_call() -> None:
    start = SentPayloads("workflow 'w'", named_arguments([payload(30)]), named_memo({"m": payload(31)}))
    both = start.together(SentPayloads("update 'u'", named_arguments([payload(32)]), {}))
    assert list(both.values) == ["argument 0", "argument 0 of update 'u'"]
    assert list(both.memo) == ["memo 'm'"]
