"""The build id of workers that are given none."""

from __future__ import annotations

import hashlib
from types import CodeType

from ._activities import Activities
from ._workflows import Definitions


def default_build_id(definitions: Definitions, activities: Activities) -> str:
    """A hash of the code of everything registered: the same code has the same build id on every machine."""
    functions = [function for definition in definitions.values() for function in definition.functions]
    functions += [each.definition.function for each in activities.values()]
    texts = (
        f"{function.__module__}.{function.__qualname__} {_canonical(getattr(function, '__code__', None))}\n"
        for function in functions
    )
    return hashlib.sha256("".join(sorted(texts)).encode()).hexdigest()[:32]


def _canonical(constant: object) -> str:
    """A text of a constant of code, or of code, that is the same in all processes, and another for other code."""
    if isinstance(constant, CodeType):
        names = constant.co_names, constant.co_varnames, constant.co_freevars, constant.co_cellvars
        return f"code({constant.co_code!r}, {names}, {_canonical(constant.co_consts)})"
    if isinstance(constant, tuple):
        return f"({', '.join(map(_canonical, constant))})"
    if isinstance(constant, frozenset):
        # In which order it gives its elements is up to the hash seed of the process.
        return f"{{{', '.join(sorted(map(_canonical, constant)))}}}"
    return repr(constant)
