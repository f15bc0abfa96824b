"""Classes that go over the wire as another type, which a converter of their own makes of them and back."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from invincible.exceptions import ApplicationError

from ._hints import is_union

ValueT = TypeVar("ValueT")
TransferTypeT = TypeVar("TransferTypeT")

_ATTRIBUTE = "_invincible_transfer_type_converter"

_SentAs = tuple[Any, Callable[[Any], Any] | None]

# By identity, as hints need not hash; what is kept with it keeps it alive.
_known_hints: dict[int, tuple[Any, _SentAs]] = {}
_MOST_HINTS = 4096


class TransferTypeConverter(ABC, Generic[ValueT, TransferTypeT]):
    """Makes the value that is sent in place of a user's value, and the user's value of it.

    Given to :func:`transfer_type_convertible`, which makes one per class. It runs in workflows: it must be
    deterministic and do no I/O.
    """

    transfer_type: ClassVar[Any] = None
    """Type hint to decode payloads with; ``None`` for what the payload gives."""

    @abstractmethod
    def to_transfer_type(self, value: ValueT) -> TransferTypeT:
        """Makes the value to send, of a type that the payload converter takes."""

    @abstractmethod
    def from_transfer_type(self, value: TransferTypeT, type_hint: type[ValueT]) -> ValueT:
        """Makes the user's value.

        Args:
            value: What arrived, decoded as ``transfer_type``.
            type_hint: The type wanted, type arguments included: the decorated class or one derived from it.

        Raises:
            ApplicationError: The value is not valid; :func:`create_payload_validation_error` makes it.
        """


def transfer_type_convertible(
    converter_type: type[TransferTypeConverter[ValueT, TransferTypeT]],
) -> Callable[[type[ValueT]], type[ValueT]]:
    """Decorates a class whose instances are sent as another type, with every payload converter.

    That is for arguments, results and the like, not for values inside of others. Derived classes are sent the same way.

    Args:
        converter_type: Class of the converter.

    Raises:
        TypeError: It is no class of converters, or what is decorated is no class.

    Example::

        class MoneyConverter(TransferTypeConverter[Money, str]):
            transfer_type = str

            def to_transfer_type(self, value):
                return f"{value.amount} {value.currency}"

            def from_transfer_type(self, value, type_hint):
                amount, currency = value.split()
                return Money(Decimal(amount), currency)

        @transfer_type_convertible(MoneyConverter)
        class Money: ...
    """
    if not _is_subclass(converter_type, TransferTypeConverter):
        raise TypeError(f"transfer_type_convertible takes a subclass of TransferTypeConverter, got {converter_type!r}")
    converter = converter_type()

    def decorate(decorated: type[ValueT]) -> type[ValueT]:
        if not _is_subclass(decorated, object):
            raise TypeError(
                f"transfer_type_convertible({converter_type.__name__}) decorates classes, not {decorated!r}"
            )
        setattr(decorated, _ATTRIBUTE, converter)
        _known_hints.clear()
        return decorated

    return decorate


def _is_subclass(value: object, kind: type) -> bool:
    return inspect.isclass(value) and issubclass(value, kind)


def create_payload_validation_error(details: Any) -> ApplicationError:
    """The error of a payload that was read but holds what is not valid: whoever sent it need not try again.

    Args:
        details: What is wrong, to be sent along; ``None`` for nothing.
    """
    return ApplicationError(
        "Payload validation failed",
        *(() if details is None else (details,)),
        type="PayloadValidationError",
        non_retryable=True,
    )


def to_transfer_type(value: Any) -> Any:
    """The value to send for a value, which is the value itself for most."""
    converter = getattr(type(value), _ATTRIBUTE, None)
    return value if converter is None else converter.to_transfer_type(value)


def sent_as(hint: Any) -> _SentAs:
    """The hint to decode a payload with, and what makes the value of the hinted type of it, if it needs making."""
    known = _known_hints.get(id(hint))
    if known is None:
        if len(_known_hints) >= _MOST_HINTS:
            _known_hints.clear()
        _known_hints[id(hint)] = known = hint, _sent_as(hint)
    return known[1]


def _sent_as(hint: Any) -> _SentAs:
    converter = getattr(hint, _ATTRIBUTE, None)
    if converter is not None:
        return converter.transfer_type, lambda value: converter.from_transfer_type(value, hint)
    if not is_union(get_origin(hint)):
        return hint, None
    members = [each for each in get_args(hint) if each is not type(None)]
    converter = getattr(members[0], _ATTRIBUTE, None) if len(members) == 1 else None
    if converter is None:
        return hint, None
    sent = None if converter.transfer_type is None else Union[converter.transfer_type, None]  # noqa: UP007 - may be no class
    return sent, lambda value: None if value is None else converter.from_transfer_type(value, members[0])
