"""Sizes of payloads, by the names of what they carry: for messages about those that are too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invincible._native import Payload

from ._signature import Signature

_SHOWN = 3


def named_arguments(payloads: Sequence[Payload], signature: Signature | None = None) -> dict[str, Payload]:
    """Arguments by name, ``argument report`` say, or by position where no signature tells their names."""
    parameters = () if signature is None else signature.parameters
    return {
        f"argument {parameters[index].name if index < len(parameters) else index}": payload
        for index, payload in enumerate(payloads)
    }


def named_memo(payloads: Mapping[str, Payload]) -> dict[str, Payload]:
    """The parts of a memo by name, ``memo 'notes'`` say."""
    return {f"memo {key!r}": payload for key, payload in payloads.items()}


@dataclass(frozen=True)
class SentPayloads:
    """The payloads that one call sends, by the names that messages give them.

    Args:
        target: What they are for, ``workflow 'ship' with id 'order-1'`` say.
        values: Arguments mostly.
        memo: The memo.
    """

    target: str
    values: Mapping[str, Payload]
    memo: Mapping[str, Payload]

    def together(self, other: SentPayloads) -> SentPayloads:
        """This and what else goes in the same call."""
        others = {f"{name} of {other.target}": payload for name, payload in other.values.items()}
        return SentPayloads(self.target, {**self.values, **others}, {**self.memo, **other.memo})


def total_size(payloads: Mapping[str, Payload]) -> int:
    """Size of all of them in bytes."""
    return sum(map(_size, payloads.values()))


def largest(payloads: Mapping[str, Payload]) -> str:
    """The largest of them, ``argument report has 2,200,036 bytes`` say; empty if there are none."""
    sizes = sorted(((name, _size(payload)) for name, payload in payloads.items()), key=lambda each: -each[1])
    shown = [f"{name} has {size:,} bytes" for name, size in sizes[:_SHOWN]]
    if len(sizes) > _SHOWN:
        shown.append(f"{len(sizes) - _SHOWN} more have {sum(size for _, size in sizes[_SHOWN:]):,} bytes")
    return ", ".join(shown)


def _size(payload: Payload) -> int:
    return len(payload.SerializeToString())
