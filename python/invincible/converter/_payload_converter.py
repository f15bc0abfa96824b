"""Payload converters: what they are, and how several make one."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

from invincible._native import Payload
from invincible.common import RawValue

from ._context import SerializationContext, WithSerializationContext, in_context
from ._errors import ConversionError
from ._payloads import as_payload
from ._transfer_types import sent_as, to_transfer_type

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payloads


_BUILTINS: tuple[type, ...] = (type(None), bool, int, float, str, bytes, list, tuple, dict)
_MOST_TYPES = 1024


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
            raise ConversionError(f"{name_of(self)} made {len(payloads)} payloads of one value")
        return payloads[0]

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Turns one payload into one value.

        Raises:
            ConversionError: It cannot be converted.
        """
        values = self.from_payloads([payload], None if type_hint is None else [type_hint])
        if len(values) != 1:
            raise ConversionError(f"{name_of(self)} made {len(values)} values of one payload")
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


class CompositePayloadConverter(PayloadConverter, WithSerializationContext):
    """Asks one converter after the other; the first that takes a value converts it.

    Payloads go to the converter of their encoding. :class:`~invincible.common.RawValue` passes through. Converters that
    are :class:`~invincible.converter.WithSerializationContext` are told what the values belong to.

    Args:
        converters: The converters, in order.
    """

    converters: Mapping[bytes, EncodingPayloadConverter]
    """The converters by encoding, in order."""

    _wants_context = True
    _index: _Index | None = None

    def __init__(self, *converters: EncodingPayloadConverter) -> None:
        """Creates the converter."""
        self.converters = {converter.encoding.encode(): converter for converter in converters}
        # Contexts are set often and mostly nobody wants to know.
        self._wants_context = any(isinstance(converter, WithSerializationContext) for converter in converters)

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

    def with_context(self, context: SerializationContext) -> Self:
        """The converter for values of a context: this one, unless one of its converters wants to know of contexts.

        Args:
            context: What the values belong to.
        """
        converters = self.get_converters_with_context(context)
        if converters is None:
            return self
        # Not made anew: converters of users may have parameters.
        result = copy.copy(self)
        result.converters = {converter.encoding.encode(): converter for converter in converters}
        return result

    def get_converters_with_context(self, context: SerializationContext) -> list[EncodingPayloadConverter] | None:
        """The converters for values of a context, ``None`` if they are those it has.

        Args:
            context: What the values belong to.
        """
        if not self._wants_context:
            return None
        told = [in_context(converter, context) for converter in self.converters.values()]
        return told if any(new is not old for new, old in zip(told, self.converters.values(), strict=True)) else None

    def _context_parts(self) -> Iterable[object] | None:
        own = CompositePayloadConverter
        passes_on = type(self).with_context is own.with_context
        passes_on &= type(self).get_converters_with_context is own.get_converters_with_context
        return self.converters.values() if passes_on else None

    def __getstate__(self) -> dict[str, Any]:
        """Pickles without what was found out about types."""
        return {name: value for name, value in vars(self).items() if name != "_index"}

    def _indexed(self) -> _Index:
        index = self._index
        if index is None or index.converters is not self.converters:
            self._index = index = _Index(self.converters)
        return index

    def _to_payload(self, value: Any) -> Payload:
        index = self._indexed()
        taker = index.by_builtin.get(type(value))
        if taker is None:
            if isinstance(value, RawValue):
                return as_payload(value.payload)
            value = to_transfer_type(value)
            taker = index.taker(type(value))
        payload = None if taker is None else taker.to_payload(value)
        if payload is not None:
            return as_payload(payload)
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
        converter = self._indexed().by_encoding.get(encoding)
        if converter is None:
            known = ", ".join(key.decode() for key in self.converters)
            if encoding is None:
                raise ConversionError(f"the payload's metadata names no encoding; there are converters for {known}")
            raise ConversionError(
                f"no payload converter for encoding {encoding!r}; there are converters for {known}. An encrypted or "
                f"compressed payload needs the payload_codec it was written with"
            )
        if hint is None:
            return converter.from_payload(payload)
        hint, finish = sent_as(hint)
        value = converter.from_payload(payload, hint)
        return value if finish is None else finish(value)


class _Index:
    """Which of a composite's converters takes what, as far as that is said by types and encodings alone."""

    def __init__(self, converters: Mapping[bytes, EncodingPayloadConverter]) -> None:
        self.converters = converters
        self.by_encoding: dict[str | None, EncodingPayloadConverter] = {
            encoding.decode(): converter for encoding, converter in converters.items()
        }
        self._by_type: dict[type, EncodingPayloadConverter | None] = {}
        # Never sent as another type.
        self.by_builtin = {kind: taker for kind in _BUILTINS if (taker := self.taker(kind)) is not None}

    def taker(self, kind: type) -> EncodingPayloadConverter | None:
        """The converter that takes all instances of a type; ``None`` if all must be asked, about every one."""
        try:
            return self._by_type[kind]
        except KeyError:
            if len(self._by_type) >= _MOST_TYPES:
                self._by_type.clear()
            self._by_type[kind] = taker = self._find(kind)
            return taker

    def _find(self, kind: type) -> EncodingPayloadConverter | None:
        for converter in self.converters.values():
            takes = _takes(converter, kind)
            if takes is None:
                return None
            if takes:
                return converter
        return None


def _takes(converter: EncodingPayloadConverter, kind: type) -> bool | None:
    """What a converter of ours says of a type; ``None`` for those of users, who may look at each value."""
    for owner in type(converter).__mro__:
        if "to_payload" in vars(owner):
            takes: Callable[[Any, type], bool] | None = vars(owner).get("_takes")
            return None if takes is None else takes(converter, kind)
    return None


def with_transfer_types(converter: PayloadConverter) -> PayloadConverter:
    """A converter that knows transfer types: the one given, or a wrapper of one that is entirely the user's."""
    return converter if isinstance(converter, CompositePayloadConverter) else _TransferTypes(converter)


def name_of(converter: PayloadConverter) -> str:
    """The name of the converter's class for errors."""
    return type(converter._converter if isinstance(converter, _TransferTypes) else converter).__name__


class _TransferTypes(PayloadConverter, WithSerializationContext):
    def __init__(self, converter: PayloadConverter) -> None:
        self._converter = converter

    def with_context(self, context: SerializationContext) -> Self:
        converter = in_context(self._converter, context)
        return self if converter is self._converter else type(self)(converter)

    def _context_parts(self) -> Iterable[object]:
        return (self._converter,)

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        return self._converter.to_payloads([to_transfer_type(value) for value in values])

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        if type_hints is None:
            return self._converter.from_payloads(payloads)
        sent = [sent_as(hint) for hint in type_hints]
        values = self._converter.from_payloads(payloads, [hint for hint, _ in sent])
        makers = [*(make for _, make in sent), *[None] * (len(values) - len(sent))]
        return [value if make is None else make(value) for value, make in zip(values, makers, strict=False)]
