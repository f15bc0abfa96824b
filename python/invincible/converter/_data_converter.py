"""Data converters: payload converter, codec and failure converter as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from typing_extensions import ParamSpec, Self

from invincible._native import Failure

from ._codec import decoded, encoded
from ._context import ActivitySerializationContext, WorkflowSerializationContext, in_context, wants_context
from ._encodings import DefaultPayloadConverter
from ._errors import ConversionError
from ._failure import DefaultFailureConverter, FailureConverter
from ._failure_payloads import with_payloads
from ._payload_converter import PayloadConverter, with_transfer_types
from ._payloads import as_payload

if TYPE_CHECKING:
    from invincible._native import Payload
    from invincible.api.common.v1 import Payloads
    from invincible.api.failure.v1 import Failure as FailureMessage

    from ._codec import PayloadCodec
    from ._context import SerializationContext
    from ._storage import ExternalStorage, StorageTarget

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class DataConverter:
    """How values become payloads on the wire, and exceptions failures.

    Args:
        payload_converter_class: Makes payloads of values. Called once; it runs in workflows.
        payload_codec: Encodes payloads, to encrypt them say. Errors do not quote values when there is one.
        failure_converter_class: Makes failures of exceptions. Called once; it runs in workflows.
        external_storage: Stores large payloads, as the codec encoded them, outside of Temporal.

    Attributes:
        payload_converter: What ``payload_converter_class`` made; if that is no composite, in a wrapper that adds
            :func:`transfer types <transfer_type_convertible>`.
        failure_converter: What ``failure_converter_class`` made.
    """

    payload_converter_class: type[PayloadConverter] = DefaultPayloadConverter
    payload_codec: PayloadCodec | None = None
    failure_converter_class: type[FailureConverter] = DefaultFailureConverter
    payload_converter: PayloadConverter = field(init=False)
    failure_converter: FailureConverter = field(init=False)
    external_storage: ExternalStorage | None = None

    _storage_target: ClassVar[StorageTarget | None] = None

    default: ClassVar[DataConverter]
    """The converter without a codec that every Temporal SDK understands."""

    def __post_init__(self) -> None:
        """Makes the converters."""
        object.__setattr__(self, "payload_converter", with_transfer_types(self.payload_converter_class()))
        object.__setattr__(self, "failure_converter", self.failure_converter_class())

    def with_context(self, context: SerializationContext) -> Self:
        """The converter for values of a context: this one, unless a part of it wants to know of contexts.

        Args:
            context: What the values belong to.
        """
        if not self._contextual:
            return self
        parts = ("payload_converter", "payload_codec", "failure_converter")
        told = {name: in_context(getattr(self, name), context) for name in parts}
        if self.external_storage is not None:
            told["_storage_target"] = _target_of(context)
        return self._with(**told)

    @cached_property
    def _contextual(self) -> bool:
        """Whether a part wants to know what values belong to, so that contexts are worth making."""
        parts = (self.payload_converter, self.payload_codec, self.failure_converter)
        return self.external_storage is not None or any(map(wants_context, parts))

    def _with_storage_target(self, target: StorageTarget | None) -> Self:
        """The converter that tells storage drivers more of what payloads belong to than its context does."""
        return self if self.external_storage is None else self._with(_storage_target=target)

    def _with(self, **attributes: Any) -> Self:
        # Not dataclasses.replace, which would make the converters anew.
        result = object.__new__(type(self))
        result.__dict__.update(vars(self), **attributes)
        return result

    @property
    def _transforms(self) -> bool:
        """Whether payloads on the wire are others than the payload converter's: nothing need be awaited if not."""
        return self.payload_codec is not None or self.external_storage is not None

    async def _to_wire(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads of the payload converter as they are sent: encoded, then stored if they are large.

        Args:
            payloads: What belongs together, the arguments of a call say.
        """
        from ._storage_transfer import stored

        result = list(payloads)
        if self.payload_codec is not None:
            result = await encoded(self.payload_codec, result)
        if self.external_storage is not None:
            result = await stored(self.external_storage, result, self._storage_target)
        return result

    async def _from_wire(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Payloads as they were received as the payload converter takes them: retrieved, then decoded.

        Args:
            payloads: What belongs together.
        """
        from ._storage_transfer import retrieved

        result = await retrieved(self.external_storage, payloads)
        return result if self.payload_codec is None else await decoded(self.payload_codec, result)

    async def _failure_to_wire(self, failure: Failure) -> Failure:
        """:meth:`_to_wire` of every payload of a failure and its causes."""
        from ._storage_transfer import stored

        if self.payload_codec is not None:
            failure = await self.payload_codec.encode_failure(failure)
        if self.external_storage is not None:
            storage, target = self.external_storage, self._storage_target
            failure = await with_payloads(failure, lambda payloads: stored(storage, payloads, target))
        return failure

    async def _failure_from_wire(self, failure: Failure) -> Failure:
        """:meth:`_from_wire` of every payload of a failure and its causes."""
        from ._storage_transfer import retrieved

        if not self._transforms:
            return failure
        failure = await with_payloads(failure, lambda payloads: retrieved(self.external_storage, payloads))
        return failure if self.payload_codec is None else await self.payload_codec.decode_failure(failure)

    def _hiding_values(self, convert: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What ``convert`` returns. What a codec hides on the wire does not show in its error either."""
        try:
            return convert(*args, **kwargs)
        except ConversionError as error:
            if self.payload_codec is None:
                raise
            hidden = error.without_value()
        # Not in the handler, so that the error that shows the value is not its context.
        raise hidden

    async def encode(self, values: Sequence[Any]) -> list[Payload]:
        """Converts values to payloads, encodes them and stores those that are large.

        Raises:
            ConversionError: A value cannot be converted.
        """
        payloads = self._hiding_values(self.payload_converter.to_payloads, values)
        return await self._to_wire(payloads) if self._transforms else payloads

    async def decode(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Retrieves payloads that were stored, decodes them and converts them to values.

        Args:
            payloads: The payloads.
            type_hints: Types wanted, by position. Payloads beyond the last hint are decoded without one.

        Raises:
            ConversionError: A payload cannot be converted.
        """
        if self._transforms:
            payloads = await self._from_wire([as_payload(payload) for payload in payloads])
        return self._hiding_values(self.payload_converter.from_payloads, payloads, type_hints)

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
        if self._transforms:
            result = await self._failure_to_wire(result)
        if failure is not None:
            from ._messages import fill

            fill(failure, result)
        return result

    async def decode_failure(self, failure: Failure | FailureMessage) -> BaseException:
        """Decodes a failure and converts it to an exception."""
        if not isinstance(failure, Failure):
            from ._messages import as_failure

            failure = as_failure(failure)
        failure = await self._failure_from_wire(failure)
        return self.failure_converter.from_native(failure, self.payload_converter)


def _target_of(context: SerializationContext) -> StorageTarget | None:
    """What storage drivers are told of a context: an activity's values are stored for the workflow that has them."""
    from ._storage import StorageDriverActivityInfo, StorageDriverWorkflowInfo

    if isinstance(context, WorkflowSerializationContext):
        return StorageDriverWorkflowInfo(namespace=context.namespace, id=context.workflow_id)
    if isinstance(context, ActivitySerializationContext):
        if context.workflow_id is not None:
            return StorageDriverWorkflowInfo(
                namespace=context.namespace, id=context.workflow_id, type=context.workflow_type
            )
        return StorageDriverActivityInfo(
            namespace=context.namespace, id=context.activity_id, type=context.activity_type
        )
    return None


DataConverter.default = DataConverter()
PayloadConverter.default = DataConverter.default.payload_converter
FailureConverter.default = DataConverter.default.failure_converter


def default() -> DataConverter:
    """The default data converter."""
    return DataConverter.default
