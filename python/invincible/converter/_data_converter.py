"""Data converters: payload converter, codec and failure converter as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import Self

from invincible._native import Failure, Payload

from ._codec import PayloadCodec, decoded, encoded
from ._context import SerializationContext, in_context
from ._encodings import DefaultPayloadConverter
from ._errors import ConversionError
from ._failure import DefaultFailureConverter, FailureConverter
from ._payload_converter import PayloadConverter
from ._payloads import as_payload

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payloads
    from invincible.api.failure.v1 import Failure as FailureMessage


@dataclass(frozen=True)
class DataConverter:
    """How values become payloads on the wire, and exceptions failures.

    Args:
        payload_converter_class: Makes payloads of values. Called once; it runs in workflows.
        payload_codec: Encodes payloads, to encrypt them say. Errors do not quote values when there is one.
        failure_converter_class: Makes failures of exceptions. Called once; it runs in workflows.

    Attributes:
        payload_converter: What ``payload_converter_class`` made.
        failure_converter: What ``failure_converter_class`` made.
    """

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    payload_codec: PayloadCodec | None = None
    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    payload_converter: PayloadConverter = field(init=False)
    failure_converter: FailureConverter = field(init=False)

    default: ClassVar[DataConverter]
    """The converter without a codec that every Temporal SDK understands."""

    def __post_init__(self) -> None:
        """Makes the converters."""
        object.__setattr__(self, "payload_converter", self.payload_converter_class())
        object.__setattr__(self, "failure_converter", self.failure_converter_class())

    def with_context(self, context: SerializationContext) -> Self:
        """The converter for values of a context: this one, unless a part of it wants to know of contexts.

        Args:
            context: What the values belong to.
        """
        parts = {name: getattr(self, name) for name in ("payload_converter", "payload_codec", "failure_converter")}
        told = {name: in_context(part, context) for name, part in parts.items()}
        if all(told[name] is part for name, part in parts.items()):
            return self
        result = object.__new__(type(self))
        result.__dict__.update(vars(self), **told)
        return result

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Converts values to payloads and encodes them.

        Raises:
            ConversionError: A value cannot be converted.
        """
        if self.payload_codec is None:
            return self.payload_converter.to_payloads(values)
        try:
            payloads = self.payload_converter.to_payloads(values)
        except ConversionError as error:
            raise error.without_value() from None
        return await encoded(self.payload_codec, payloads)

    async def decode(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Decodes payloads and converts them to values.

        Args:
            payloads: The payloads.
            type_hints: Types wanted, by position. Payloads beyond the last hint are decoded without one.

        Raises:
            ConversionError: A payload cannot be converted.
        """
        if self.payload_codec is None:
            return self.payload_converter.from_payloads(payloads, type_hints)
        plain = await decoded(self.payload_codec, [as_payload(payload) for payload in payloads])
        try:
            return self.payload_converter.from_payloads(plain, type_hints)
        except ConversionError as error:
            raise error.without_value() from None

    async def encode_wrapper(self, values: Sequence[Any]) -> Payloads:
        """:meth:`encode` into a protobuf message."""
        from ._messages import payloads_message

        return payloads_message(await self.encode(values))

    async def decode_wrapper(self, payloads: Payloads | None, type_hints: list[type] | None = None) -> list[Any]:
        """:meth:`decode` of a protobuf message; no message is no values."""
        return (
            [] if payloads is None else await self.decode([as_payload(each) for each in payloads.payloads], type_hints)
        )

    async def encode_failure(self, exception: BaseException, failure: FailureMessage | None = None) -> Failure:
        """Converts an exception to a failure and encodes it.

        Args:
            exception: The exception.
            failure: A protobuf message to be filled in too.

        Returns:
            The failure.
        """
        result = self.failure_converter.to_native(exception, self.payload_converter)
        if self.payload_codec is not None:
            result = await self.payload_codec.encode_failure(result)
        if failure is not None:
            from ._messages import fill

            fill(failure, result)
        return result

    async def decode_failure(self, failure: Failure | FailureMessage) -> BaseException:
        """Decodes a failure and converts it to an exception."""
        if not isinstance(failure, Failure):
            from ._messages import as_failure

            failure = as_failure(failure)
        if self.payload_codec is not None:
            failure = await self.payload_codec.decode_failure(failure)
        return self.failure_converter.from_native(failure, self.payload_converter)


DataConverter.default = DataConverter()
PayloadConverter.default = DataConverter.default.payload_converter
FailureConverter.default = DataConverter.default.failure_converter


def default() -> DataConverter:
    """The default data converter."""
    return DataConverter.default
