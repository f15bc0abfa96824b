"""Payload converters: what they are, and how several make one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from invincible._native import Payload
from invincible.common import RawValue

from ._errors import ConversionError
from ._payloads import as_payload

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payloads


class PayloadConverter(ABC):
    """Turns Python values into payloads and back. Runs in workflows: it must be deterministic and do no I/O."""

    default: ClassVar[PayloadConverter]
    """The converter of the default data converter."""

    @abstractmethod
    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Turns values into payloads.

        Returns:
            The payloads; there may be fewer than values.

        Raises:
            ConversionError: A value cannot be converted.
        """

    @abstractmethod
    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Turns payloads into values.

        Args:
            payloads: The payloads.
            type_hints: Types wanted, by position. Payloads beyond the last hint are decoded without one.

        Raises:
            ConversionError: A payload cannot be converted.
        """

    def to_payloads_wrapper(self, values: Sequence[Any]) -> Payloads:
        """:meth:`to_payloads` as a protobuf message."""
        from ._messages import payloads_message

        return payloads_message(self.to_payloads(values))

    def from_payloads_wrapper(self, payloads: Payloads | None) -> list[Any]:
        """:meth:`from_payloads` of a protobuf message; no message is no values."""
        return self.from_payloads([as_payload(payload) for payload in payloads.payloads]) if payloads else []

    def to_payload(self, value: Any) -> Payload:
        """Turns one value into one payload.

        Raises:
            ConversionError: It cannot be converted.
        """
        payloads = self.to_payloads([value])
        if len(payloads) != 1:
            raise ConversionError(f"{type(self).__name__} made {len(payloads)} payloads of one value")
        return payloads[0]

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Turns one payload into one value.

        Raises:
            ConversionError: It cannot be converted.
        """
        values = self.from_payloads([payload], None if type_hint is None else [type_hint])
        if len(values) != 1:
            raise ConversionError(f"{type(self).__name__} made {len(values)} values of one payload")
        return values[0]


class EncodingPayloadConverter(ABC):
    """Turns some Python values into payloads of one encoding, and those payloads back."""

    @property
    @abstractmethod
    def encoding(self) -> str:
        """The encoding in the metadata of its payloads, ``json/plain`` say."""

    @abstractmethod
    def to_payload(self, value: Any) -> Payload | None:
        """Turns a value into a payload, or returns ``None`` for a value that is not its own."""

    @abstractmethod
    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Turns a payload of its encoding into a value.

        Args:
            payload: The payload.
            type_hint: The type wanted, if known.

        Raises:
            ConversionError: It cannot be converted.
        """


class CompositePayloadConverter(PayloadConverter):
    """Asks one converter after the other; the first that takes a value converts it.

    Payloads go to the converter of their encoding. :class:`~invincible.common.RawValue` passes through.

    Args:
        converters: The converters, in order.
    """

    converters: Mapping[bytes, EncodingPayloadConverter]
    """The converters by encoding, in order."""

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        """Creates the converter."""
        self.converters = {converter.encoding.encode(): converter for converter in converters}

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        """Turns each value into one payload.

        Raises:
            ConversionError: No converter takes a value, or the one that does cannot convert it.
        """
        payloads: list[Payload] = []
        try:
            for value in values:
                payloads.append(self._to_payload(value))
        except ConversionError as error:
            error.index = len(payloads)
            raise
        return payloads

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Turns each payload into one value.

        Raises:
            ConversionError: There is no converter for an encoding, or it cannot convert a payload.
        """
        hints: Sequence[type] = type_hints or ()
        values: list[Any] = []
        try:
            for index, payload in enumerate(payloads):
                values.append(self._from_payload(payload, hints[index] if index < len(hints) else None))
        except ConversionError as error:
            error.index = len(values)
            raise
        return values

    def _to_payload(self, value: Any) -> Payload:
        if isinstance(value, RawValue):
            return as_payload(value.payload)
        for converter in self.converters.values():
            payload = converter.to_payload(value)
            if payload is not None:
                return as_payload(payload)
        raise ConversionError(f"no payload converter takes a value of type {type(value).__name__}")

    def _from_payload(self, payload: Payload, hint: Any) -> Any:
        payload = as_payload(payload)
        if hint is RawValue:
            return RawValue(payload)
        encoding = payload.encoding
        converter = None if encoding is None else self.converters.get(encoding.encode())
        if converter is None:
            known = ", ".join(key.decode() for key in self.converters)
            if encoding is None:
                raise ConversionError(f"the payload's metadata names no encoding; there are converters for {known}")
            raise ConversionError(
                f"no payload converter for encoding {encoding!r}; there are converters for {known}. An encrypted or "
                f"compressed payload needs the payload_codec it was written with"
            )
        return converter.from_payload(payload, hint)
