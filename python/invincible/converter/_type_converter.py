"""User code that makes values of types the JSON converter does not know."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NewType

JSONTypeConverterUnhandled = NewType("JSONTypeConverterUnhandled", object)
"""Type of :attr:`JSONTypeConverter.Unhandled`."""


class JSONTypeConverter(ABC):
    """Makes values of a type hint from what JSON gives. Given to ``JSONPlainPayloadConverter``.

    Example::

        class IPv4AddressConverter(JSONTypeConverter):
            def to_typed_value(self, hint, value):
                return IPv4Address(value) if hint is IPv4Address else JSONTypeConverter.Unhandled
    """

    Unhandled: ClassVar[JSONTypeConverterUnhandled] = JSONTypeConverterUnhandled(object())
    """What ``to_typed_value`` returns for a hint that is not its own."""

    @abstractmethod
    def to_typed_value(self, hint: type, value: Any) -> Any | JSONTypeConverterUnhandled | None:
        """Makes a value of the hinted type.

        Args:
            hint: The type hint, of the whole value or of a part of it.
            value: What JSON gives for it.

        Returns:
            The value, or ``Unhandled``.
        """
