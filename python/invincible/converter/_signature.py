"""Signatures on the wire: payloads to the arguments of a function, and the arguments of a call to positions.

On the wire arguments have positions only. Keyword-only parameters have theirs too: after the others, in the order in
which they are declared.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_type_hints

from invincible._native import Payload
from invincible.exceptions import FailureError

from ._errors import ArgumentError, ConversionError
from ._hints import type_name, unresolved
from ._payload_converter import PayloadConverter, name_of

_T = TypeVar("_T")

_REQUIRED = inspect.Parameter.empty
_ABSENT: Any = object()
_DEFAULT_LENGTH = 40


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function.

    Args:
        name: Its name.
        hint: Its annotation, ``None`` if it has none.
        default: Its default, ``inspect.Parameter.empty`` if it has none.
    """

    name: str
    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is _REQUIRED

    def __str__(self) -> str:
        """The parameter as in a function's definition."""
        annotated = self.name if self.hint is None else f"{self.name}: {type_name(self.hint)}"
        if self.required:
            return annotated
        default = repr(self.default)
        if len(default) > _DEFAULT_LENGTH:
            default = "..."
        return f"{annotated} = {default}"


class Signature:
    """What a workflow, activity or handler takes and returns. Made once per definition.

    Args:
        target: How errors name it, ``activity 'ship'`` say.
        parameters: Its parameters, by position on the wire.
        keyword_only: How many of them, counted from the last, must be given by name.
        variadic: The parameter that takes all further arguments, ``*args``.
        return_hint: Annotation of the result, ``None`` if there is none.
    """

    def __init__(
        self,
        target: str,
        parameters: Sequence[Parameter],
        *,
        keyword_only: int = 0,
        variadic: Parameter | None = None,
        return_hint: Any = None,
    ) -> None:
        """Creates the signature."""
        self.target = target
        self.parameters = tuple(parameters)
        self.variadic = variadic
        self.return_hint = return_hint
        self._positional = len(self.parameters) - keyword_only
        self._hints = [parameter.hint for parameter in self.parameters]
        # Wire positions up to the last parameter without a default must be filled.
        self._least = max((index + 1 for index, each in enumerate(self.parameters) if each.required), default=0)
        self._positions = {parameter.name: index for index, parameter in enumerate(self.parameters)}

    @classmethod
    def of(cls, function: Callable[..., Any], target: str, *, skip_first: bool = False) -> Signature:
        """The signature of a function, method or callable object.

        Args:
            function: The function. Parameters that collect keywords, ``**options``, are no part of the signature.
            target: How errors name it.
            skip_first: Whether the first parameter is ``self`` and still unbound.

        Raises:
            TypeError: It has keyword-only parameters after ``*args``, which have no position.
            NameError: An annotation cannot be resolved.
        """
        hints = _hints_of(function, target)
        declared = list(inspect.signature(function).parameters.values())
        parameters: list[Parameter] = []
        keyword_only = 0
        variadic = None
        for each in declared[1:] if skip_first else declared:
            parameter = Parameter(each.name, hints.get(each.name), each.default)
            if each.kind is each.VAR_POSITIONAL:
                variadic = parameter
            elif each.kind is not each.VAR_KEYWORD:
                parameters.append(parameter)
                keyword_only += each.kind is each.KEYWORD_ONLY
        if variadic is not None and keyword_only:
            raise TypeError(
                f"{target} cannot have keyword-only parameters after *{variadic.name}: arguments are sent by position"
            )
        return cls(target, parameters, keyword_only=keyword_only, variadic=variadic, return_hint=hints.get("return"))

    def __str__(self) -> str:
        """The signature as in a function's definition."""
        parameters = [str(parameter) for parameter in self.parameters]
        if self._positional < len(parameters):
            parameters.insert(self._positional, "*")
        if self.variadic is not None:
            parameters.append(f"*{self.variadic}")
        return f"({', '.join(parameters)})"

    def decode(
        self, payloads: Sequence[Payload], converter: PayloadConverter, *, show_values: bool = True
    ) -> list[Any]:
        """Converts payloads to arguments, by position on the wire. Missing ones keep the function's defaults.

        Args:
            payloads: The payloads, decoded by the codec if there is one.
            converter: Converts them.
            show_values: Whether errors may quote values; not if there is a codec that hides them.

        Raises:
            ArgumentError: Too few or too many, or one that does not fit its annotation.
            FailureError: As it was raised by the converter, or by the code of a type.
        """
        count = len(payloads)
        if count < self._least or (count > len(self._hints) and self.variadic is None):
            raise self._wrong_count(count)
        hints = self._hints[:count]
        if self.variadic is not None:
            hints += [self.variadic.hint] * (count - len(hints))
        try:
            return converter.from_payloads(payloads, hints)
        except FailureError:
            raise
        except Exception as error:
            problem = error
        # Not in the handler: an error that shows values is no context for one that must not.
        refusal, cause = _refusal(problem, converter)
        if refusal is not problem:
            refusal.index = _first_refused(payloads, hints, converter)
        raise self._argument_error(refusal, show_values) from (cause if show_values else None)

    def encode(self, values: Sequence[Any], converter: PayloadConverter, *, show_values: bool = True) -> list[Payload]:
        """Converts arguments, by position on the wire, to payloads.

        Args:
            values: The arguments, as :meth:`bind` returns them.
            converter: Converts them.
            show_values: Whether errors may quote values.

        Raises:
            ArgumentError: One cannot be converted.
        """
        try:
            return converter.to_payloads(values)
        except ConversionError as error:
            problem = error
        raise self._argument_error(problem, show_values) from (problem.__cause__ if show_values else None)

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
        """Puts the arguments of a call in their positions on the wire.

        Trailing parameters that the call leaves out are left out, so that the defaults of the side that runs the
        function decide. A parameter left out before one that is given gets the default of this side.

        Raises:
            ArgumentError: The arguments do not fit, as in a call of the function itself.
        """
        if not kwargs and self._least <= len(args) <= self._positional:
            return list(args)
        if len(args) > self._positional and self.variadic is None:
            raise self._unfit(f"{len(args)} positional arguments were given")
        values = [*args, *[_ABSENT] * (len(self.parameters) - len(args))]
        for name, value in kwargs.items():
            position = self._positions.get(name)
            if position is None:
                raise self._unfit(f"there is no parameter {name!r}")
            if values[position] is not _ABSENT:
                raise self._unfit(f"{name!r} was given twice")
            values[position] = value
        missing = [
            parameter.name
            for parameter, value in zip(self.parameters, values, strict=False)
            if value is _ABSENT and parameter.required
        ]
        if missing:
            raise self._unfit(f"{_quoted(missing)} {'is' if len(missing) == 1 else 'are'} missing")
        while values and values[-1] is _ABSENT:
            values.pop()
        return [
            self.parameters[position].default if value is _ABSENT else value for position, value in enumerate(values)
        ]

    def call(self, function: Callable[..., _T], values: Sequence[Any]) -> _T:
        """Calls the function with arguments by position on the wire."""
        if self._positional == len(self.parameters) or len(values) <= self._positional:
            return function(*values)
        names = (parameter.name for parameter in self.parameters[self._positional :])
        return function(*values[: self._positional], **dict(zip(names, values[self._positional :], strict=False)))

    def _argument_error(self, error: ConversionError, show_values: bool) -> ArgumentError:
        return ArgumentError.of(self.target, self._name(error.index), error if show_values else error.without_value())

    def _name(self, index: int | None) -> str:
        if index is None:
            return "arguments"
        if index < len(self.parameters):
            return f"argument {self.parameters[index].name}"
        name = "arguments" if self.variadic is None else self.variadic.name
        return f"argument {name}[{index - len(self.parameters)}]"

    def _wrong_count(self, count: int) -> ArgumentError:
        given = f"{count} argument{'' if count == 1 else 's'} arrived"
        if count < self._least:
            missing = [parameter.name for parameter in self.parameters[count : self._least] if parameter.required]
            given += f", {_quoted(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        return self._unfit(given)

    def _unfit(self, problem: str) -> ArgumentError:
        return ArgumentError(f"{self.target} takes {self}, but {problem}")


def decode_result(
    payload: Payload | None, hint: Any, converter: PayloadConverter, target: str, *, show_values: bool = True
) -> Any:
    """Converts the result of a call.

    Args:
        payload: The payload, decoded by the codec if there is one; ``None`` if there is no result.
        hint: The type wanted, ``None`` for what the payload gives.
        converter: Converts it.
        target: How errors name what was called, ``activity 'ship'`` say.
        show_values: Whether errors may quote the value.

    Raises:
        ArgumentError: The result does not fit the hint.
        FailureError: As it was raised by the converter, or by the code of a type.
    """
    if payload is None:
        return None
    try:
        return converter.from_payload(payload, hint)
    except FailureError:
        raise
    except Exception as error:
        problem = error
    refusal, cause = _refusal(problem, converter)
    shown = refusal if show_values else refusal.without_value()
    raise ArgumentError.of(target, "result", shown) from (cause if show_values else None)


def _refusal(error: Exception, converter: PayloadConverter) -> tuple[ConversionError, BaseException | None]:
    """The error of a conversion and its cause. Converters of users have errors of their own."""
    if isinstance(error, ConversionError):
        return error, error.__cause__
    return ConversionError.refused(name_of(converter), error), error


def _hints_of(function: Callable[..., Any], target: str) -> dict[str, Any]:
    while isinstance(function, functools.partial):
        function = function.func
    annotated = inspect.unwrap(function)
    if not inspect.isroutine(annotated):
        annotated = annotated.__init__ if inspect.isclass(annotated) else type(annotated).__call__
    try:
        return get_type_hints(annotated, include_extras=True)
    except NameError as error:
        raise NameError(unresolved(error, target)) from None


def _first_refused(payloads: Sequence[Payload], hints: Sequence[Any], converter: PayloadConverter) -> int | None:
    for index, (payload, hint) in enumerate(zip(payloads, hints, strict=True)):
        try:
            converter.from_payload(payload, hint)
        except Exception:
            return index
    return None


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
