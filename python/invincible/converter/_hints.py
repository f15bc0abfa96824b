"""Type hints: their names in errors, their wrappers, and the types that type variables stand for."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

# Forms that say something about a field and nothing about its value. By name: typing_extensions has its own of some.
_WRAPPERS = frozenset({"Annotated", "ClassVar", "Final", "NotRequired", "ReadOnly", "Required"})


def type_name(hint: Any) -> str:
    """A hint as its author would write it."""
    if hint is None or hint is type(None):
        return "None"
    if hint is Any:
        return "Any"
    if isinstance(hint, str):
        return hint
    if isinstance(hint, ForwardRef):
        return hint.__forward_arg__
    origin = get_origin(hint)
    if origin is None:
        name = getattr(hint, "__name__", None)
        return name if isinstance(name, str) else repr(hint).removeprefix("typing.")
    args = get_args(hint)
    if is_union(origin):
        return " | ".join(map(type_name, args))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, args))}]"
    name = getattr(hint, "__name__", None) or getattr(origin, "__name__", None) or repr(origin)
    if not args:
        return str(name)
    return f"{name}[{', '.join('...' if arg is ... else type_name(arg) for arg in args)}]"


def is_union(origin: Any) -> bool:
    """Whether a hint's origin is that of ``Union[X, Y]`` or ``X | Y``."""
    return origin is Union or origin is types.UnionType


def is_alias(hint: Any) -> bool:
    """Whether a hint was made by a ``type X = ...`` statement, type arguments or not."""
    return type(get_origin(hint) or hint).__name__ == "TypeAliasType"


def is_pydantic_model(kind: type[Any]) -> bool:
    """Whether a class is a model of pydantic 2, which need not be installed."""
    return any(base.__name__ == "BaseModel" and base.__module__ == "pydantic.main" for base in kind.__mro__)


def unwrapped(hint: Any) -> Any:
    """The hint inside ``Annotated``, ``Required``, ``NewType``, a type alias and the like; the hint itself if bare."""
    if isinstance(hint, typing.NewType):
        return hint.__supertype__
    origin = get_origin(hint)
    if is_alias(hint):
        alias = origin or hint
        return substituted(alias.__value__, dict(zip(alias.__type_params__, get_args(hint), strict=False)))
    form = getattr(origin, "_name", None) or getattr(origin, "__name__", None)
    if form in _WRAPPERS and getattr(origin, "__module__", None) in ("typing", "typing_extensions"):
        return get_args(hint)[0]
    return hint


def substituted(hint: Any, arguments: Mapping[Any, Any]) -> Any:
    """The hint with its type variables replaced; those without an argument become ``Any``."""
    if not arguments:
        return hint
    if isinstance(hint, TypeVar):
        return arguments.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or get_origin(hint) is None:
        return hint
    return hint[tuple(arguments.get(parameter, Any) for parameter in parameters)]


def type_arguments(record: type, arguments: tuple[Any, ...] = ()) -> dict[Any, Any]:
    """What the type variables of a generic class and of its bases stand for."""
    parameters = getattr(record, "__parameters__", ())
    found: dict[Any, Any] = dict(zip(parameters, arguments, strict=False))
    for base in getattr(record, "__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type):
            found.update(type_arguments(origin, tuple(substituted(arg, found) for arg in get_args(base))))
    return found


def unresolved(error: NameError, owner: str) -> str:
    """The message for an annotation of ``owner`` that names something unknown at run time."""
    name = getattr(error, "name", None) or "a name"
    return (
        f"the annotations of {owner} use {name!r}, which cannot be found at run time: define it at module level and "
        f"import it outside of TYPE_CHECKING"
    )
