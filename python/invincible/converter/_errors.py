"""The error of every conversion that fails: what was expected, where in the value, and a short excerpt of it."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, cast

_EXCERPT_LENGTH = 60
_DETAIL_LENGTH = 300

_excerpts = Repr()
_excerpts.maxlevel = 2
_excerpts.maxdict = _excerpts.maxlist = _excerpts.maxtuple = 3
_excerpts.maxstring = _excerpts.maxother = _EXCERPT_LENGTH


class ConversionError(TypeError):
    """A value could not be turned into a payload, or a payload into a value.

    Attributes:
        index: Which of several payloads or values, from 0; ``None`` for a single one.
    """

    index: int | None = None

    def __init__(self, reason: str) -> None:
        """Creates the error."""
        super().__init__(reason)
        self._reason = reason
        self._detail = ""
        self._expected: str | None = None
        self._value: Any = None
        self._steps: list[str] = []

    @classmethod
    def mismatch(cls, expected: str, value: Any) -> ConversionError:
        """A value that is not of the expected type. The excerpt is made when the message is read."""
        error = cls(f"expected {expected}, got {'None' if value is None else type(value).__name__}")
        error._expected = expected
        error._value = value
        return error

    @classmethod
    def refused(cls, expected: str, by: Exception) -> ConversionError:
        """A value that the expected type's own code refused."""
        error = cls(f"{expected} refused the value with {type(by).__name__}")
        detail = _problems(by) or str(by)
        if len(detail) > _DETAIL_LENGTH:
            detail = detail[: _DETAIL_LENGTH - 3] + "..."
        error._detail = f": {detail}" if detail else ""
        return error

    @property
    def path(self) -> str:
        """Where in the value, ``.items[3].quantity`` say; empty for the value itself."""
        return "".join(reversed(self._steps))

    @property
    def is_mismatch(self) -> bool:
        """Whether a type was expected that the value is not of."""
        return self._expected is not None

    def within(self, step: str) -> None:
        """Notes the step that leads from the value that holds this one, ``.quantity`` say."""
        self._steps.append(step)

    def within_key(self, key: Any) -> None:
        """Notes the key that leads from the mapping that holds this value."""
        self._steps.append(_KeyStep(f"[{_excerpts.repr(key)}]"))

    def without_value(self) -> ConversionError:
        """The same error with nothing left of the value: what a codec hides must not show in errors."""
        error = type(self)(self._reason)
        error.index = self.index
        error._steps = ["[...]" if isinstance(step, _KeyStep) else step for step in self._steps]
        return error

    def describe(self, root: str = "") -> str:
        """The message, with ``root`` as the name of the whole value."""
        where = f"{root}{self.path}"
        reason = self._reason + self._detail
        if self._expected is not None:
            reason = f"expected {self._expected}, got {excerpt(self._value)}"
        return f"{where}: {reason}" if where else reason

    def __str__(self) -> str:
        """The message."""
        return self.describe()

    def __repr__(self) -> str:
        """The class and the message."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the message: the value may not pickle, or be too large."""
        return type(self), (self.describe(),), {"index": self.index}


def encoding_error(what: str, error: Exception, *, show_values: bool = True) -> TypeError:
    """The error for a value that a payload converter has refused.

    Args:
        what: How to name the value, ``the result of activity 'ship'`` say.
        error: What the converter raised.
        show_values: Whether it may quote values.
    """
    if not show_values:
        if not isinstance(error, ConversionError):
            error = ConversionError.refused("the payload converter", error)
        error = error.without_value()
    return TypeError(f"{what} cannot be encoded: {error}")


def _problems(error: Exception) -> str | None:
    """Pydantic's findings in one line, ``items.0.sku: Field required`` say, if it is an error of pydantic's."""
    if type(error).__module__ != "pydantic_core._pydantic_core" or type(error).__name__ != "ValidationError":
        return None
    found: list[dict[str, Any]] = cast("Any", error).errors(include_url=False, include_context=False)
    return "; ".join(map(_problem, found))


def _problem(found: dict[str, Any]) -> str:
    place = ".".join(map(str, found["loc"]))
    got = "" if found["type"] == "missing" else f", got {excerpt(found['input'])}"
    return f"{place}: {found['msg']}{got}" if place else f"{found['msg']}{got}"


class _KeyStep(str):
    """A step that shows part of the value."""

    __slots__ = ()


def excerpt(value: Any) -> str:
    """Type and start of a value, one short line."""
    if value is None:
        return "None"
    text = _excerpts.repr(value)
    if len(text) > _EXCERPT_LENGTH:
        text = text[: _EXCERPT_LENGTH - 3] + "..."
    return f"{type(value).__name__} {text}"


class ArgumentError(ConversionError):
    """Arguments or results that do not fit the signature of a workflow, activity or handler."""

    @classmethod
    def of(cls, target: str, root: str, error: ConversionError) -> ArgumentError:
        """The conversion error of an argument, named ``root``, of ``target``."""
        result = cls(f"{target}, {error.describe(root)}")
        result.index = error.index
        return result
