"""Failure converters: exceptions as failures on the wire, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from invincible._native import Failure

from ._failure_infos import exception_of, info_of
from ._payload_converter import PayloadConverter

if TYPE_CHECKING:
    from invincible.api.failure.v1 import Failure as FailureMessage

_ENCODED_MESSAGE = "Encoded failure"

# Attribute of an exception that comes from another process: its stack there, as text.
FOREIGN_STACK = "_invincible_foreign_stack"


def sendable(text: object) -> str:
    """Text that a message can carry: surrogates, which names of files may have, are written as escapes."""
    return str(text).encode(errors="backslashreplace").decode()


class FailureConverter(ABC):
    """Turns exceptions into failures and back. Runs in workflows: it must be deterministic and do no I/O."""

    default: ClassVar[FailureConverter]
    """The converter of the default data converter."""

    @abstractmethod
    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
    ) -> None:
        """Fills in a failure.

        Args:
            exception: The exception to convert.
            payload_converter: Converts the details.
            failure: An empty protobuf message.
        """

    @abstractmethod
    def from_failure(self, failure: FailureMessage, payload_converter: PayloadConverter) -> BaseException:
        """Makes an exception. It must not raise one.

        Args:
            failure: The failure as a protobuf message.
            payload_converter: Converts the details.
        """

    def to_native(self, exception: BaseException, payload_converter: PayloadConverter) -> Failure:
        """Makes a failure of an exception, with :meth:`to_failure`."""
        from ._messages import FailureMessage, as_failure

        message = FailureMessage()
        self.to_failure(exception, payload_converter, message)
        return as_failure(message)

    def from_native(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """Makes an exception of a failure, with :meth:`from_failure`."""
        from ._messages import failure_message

        return self.from_failure(failure_message(failure), payload_converter)


class DefaultFailureConverter(FailureConverter):
    """The failure converter that every Temporal SDK understands.

    Exceptions of :mod:`invincible.exceptions` have their own kind of failure; all others become application errors
    whose type is the name of the class. ``__cause__`` becomes the cause. An exception that was made from a failure
    becomes that failure again.

    Args:
        encode_common_attributes: Whether messages and stack traces go into a payload, so that a codec covers them.
    """

    def __init__(self, *, encode_common_attributes: bool = False) -> None:
        """Creates the converter."""
        self._encode_common_attributes = encode_common_attributes

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
    ) -> None:
        """Fills in a failure."""
        from ._messages import fill

        fill(failure, self._failure_of(exception, payload_converter))

    def from_failure(self, failure: FailureMessage, payload_converter: PayloadConverter) -> BaseException:
        """Makes an exception. Details that cannot be decoded stay :class:`~invincible.common.RawValue`."""
        from ._messages import as_failure

        return self._exception_of(as_failure(failure), payload_converter)

    def to_native(self, exception: BaseException, payload_converter: PayloadConverter) -> Failure:
        """Makes a failure of an exception."""
        # A subclass that fills in messages must see every exception.
        if type(self).to_failure is not DefaultFailureConverter.to_failure:
            return super().to_native(exception, payload_converter)
        return self._failure_of(exception, payload_converter)

    def from_native(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """Makes an exception of a failure."""
        if type(self).from_failure is not DefaultFailureConverter.from_failure:
            return super().from_native(failure, payload_converter)
        return self._exception_of(failure, payload_converter)

    def _failure_of(self, exception: BaseException, payload_converter: PayloadConverter) -> Failure:
        received: Failure | None = getattr(exception, "failure", None)
        if isinstance(received, Failure):
            return _hidden_again(received)
        message, info = info_of(exception, payload_converter)
        stack_trace = _stack_trace(exception)
        attributes = None
        if self._encode_common_attributes:
            attributes = payload_converter.to_payload({"message": message, "stack_trace": stack_trace})
            message, stack_trace = _ENCODED_MESSAGE, ""
        cause = _cause(exception)
        return Failure(
            sendable(message),
            stack_trace=sendable(stack_trace),
            encoded_attributes=attributes,
            cause=None if cause is None else self.to_native(cause, payload_converter),
            info=info,
        )

    def _exception_of(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        failure = _revealed(failure, payload_converter)
        exception = exception_of(failure, payload_converter)
        if failure.cause is not None:
            exception.__cause__ = self.from_native(failure.cause, payload_converter)
        return exception


class DefaultFailureConverterWithEncodedAttributes(DefaultFailureConverter):
    """The default failure converter with ``encode_common_attributes`` set."""

    def __init__(self) -> None:
        """Creates the converter."""
        super().__init__(encode_common_attributes=True)


def _cause(exception: BaseException) -> BaseException | None:
    """The cause, unless it leads back to the exception itself."""
    seen: set[int] = set()
    cause = exception.__cause__
    while cause is not None and id(cause) not in seen:
        if cause is exception:
            return None
        seen.add(id(cause))
        cause = cause.__cause__
    return exception.__cause__


def _stack_trace(exception: BaseException) -> str:
    foreign: str | None = getattr(exception, FOREIGN_STACK, None)
    if foreign is not None:
        return foreign
    if exception.__traceback__ is None:
        return ""
    from traceback import format_tb

    return "\n".join(format_tb(exception.__traceback__))


def _revealed(failure: Failure, payload_converter: PayloadConverter) -> Failure:
    """The failure with the message and stack trace of its encoded attributes, if they can be read."""
    if failure.encoded_attributes is None:
        return failure
    try:
        attributes: Any = payload_converter.from_payload(failure.encoded_attributes)
    except Exception:
        # Written with a codec that is not configured here. The failure itself must still arrive.
        return failure
    if not isinstance(attributes, dict):
        return failure
    message, stack_trace = attributes.get("message"), attributes.get("stack_trace")
    return _with_attributes(
        failure,
        message if isinstance(message, str) else failure.message,
        stack_trace if isinstance(stack_trace, str) else failure.stack_trace,
    )


def _hidden_again(failure: Failure) -> Failure:
    """The failure as it was received: what was encoded must not leave in the open."""
    return failure if failure.encoded_attributes is None else _with_attributes(failure, _ENCODED_MESSAGE, "")


def _with_attributes(failure: Failure, message: str, stack_trace: str) -> Failure:
    return Failure(
        message,
        source=failure.source,
        stack_trace=stack_trace,
        encoded_attributes=failure.encoded_attributes,
        cause=failure.cause,
        info=failure.info,
    )
