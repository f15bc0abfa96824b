"""Classes that are sent as another type, made with the converter module of either SDK."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass
class Sent:
    amount: str
    currency: str


def money_of(converter: ModuleType) -> type[Any]:
    """A class that is sent as `Sent`, and refuses negative amounts."""

    class MoneyConverter(converter.TransferTypeConverter):  # type: ignore[name-defined, misc]
        transfer_type = Sent

        def to_transfer_type(self, value: Money) -> Sent:
            return Sent(str(value.amount), value.currency)

        def from_transfer_type(self, value: Sent, type_hint: type[Money]) -> Money:
            if value.amount.startswith("-"):
                raise converter.create_payload_validation_error({"amount": value.amount})
            return type_hint(int(value.amount), value.currency)

    @converter.transfer_type_convertible(MoneyConverter)
    class Money:
        def __init__(self, amount: int, currency: str) -> None:
            self.amount = amount
            self.currency = currency

    return Money
