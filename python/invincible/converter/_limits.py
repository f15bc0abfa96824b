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


@dataclass(frozen=True)
class SentPayloads:
    """The payloads that one call sends.

    Args:
        target: What they are for, ``workflow 'ship' with id 'order-1'`` say.
        values: What messages name by the keys, arguments mostly.
        memo: A memo, by key.
    """

    target: str
    values: Mapping[str, Payload]
    memo: Mapping[str, Payload]

    def together(self, other: SentPayloads) -> SentPayloads:
        """This and what else goes in the same call."""
        others = {f"{name} of {other.target}": payload for name, payload in other.values.items()}
        return SentPayloads(self.target, {**self.values, **others}, {**self.memo, **other.memo})

    @property
    def values_size(self) -> int:
        """Size of all values in bytes."""
        return sum(map(_size, self.values.values()))

    @property
    def memo_size(self) -> int:
        """Size of the whole memo in bytes."""
        return sum(map(_size, self.memo.values()))

    def largest(self) -> str:
        """The largest parts, ``argument report has 2,200,036 bytes`` say; empty if there are none."""
        names = {**self.values, **{f"memo {key!r}": payload for key, payload in self.memo.items()}}
        sizes = sorted(((name, _size(payload)) for name, payload in names.items()), key=lambda each: -each[1])
        shown = [f"{name} has {size:,} bytes" for name, size in sizes[:_SHOWN]]
        if len(sizes) > _SHOWN:
            shown.append(f"{len(sizes) - _SHOWN} more have {sum(size for _, size in sizes[_SHOWN:]):,} bytes")
        return ", ".join(shown)


def _size(payload: Payload) -> int:
    return len(payload.SerializeToString())
