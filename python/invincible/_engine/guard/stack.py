"""Which code is behind a call: workflow code, or something that may do what it likes while workflow code waits."""

from __future__ import annotations

import os
import sys
from asyncio import _get_running_loop
from types import CodeType, FrameType
from typing import NamedTuple

from invincible._engine.loop import WorkflowLoop

from .errors import RestrictedWorkflowAccessError
from .lifted import PASSED_THROUGH, UNRESTRICTED
from .rules import Rule, rule_of, words

_GUARD = __name__.rpartition(".")[0]
_ENGINE = _GUARD.rpartition(".")[0]
_PACKAGE = _GUARD.partition(".")[0]

# What these do on behalf of workflow code has no influence on it: imports, logging, tracing, debuggers, reading of
# sources and time zones, conversion of values.
_FREE_PACKAGES = words(
    "_pydev_bundle _pydevd_bundle bdb coverage ddtrace debugpy faulthandler importlib linecache logging loguru "
    "opentelemetry pdb pydevd sentry_sdk structlog traceback warnings weakref zoneinfo _frozen_importlib "
    "_frozen_importlib_external"
)
_CONVERTER = f"{_PACKAGE}.converter"
# Calls handlers and constructors of workflows, so that it is on the stack of workflow code too.
_SIGNATURE = f"{_CONVERTER}._signature"
# The top level of a module that is being imported, and a finalizer that happens to run now.
_FREE_FUNCTIONS = frozenset({"<module>", "__del__"})

_OWN, _INSTALLED, _GENERATED = range(3)

own_packages: set[str] = set()
"""Top packages of the workflows that are guarded: the user's own, even if they are installed."""


class Caller(NamedTuple):
    """The workflow code behind a call: where it is, and what it called (``None``: the guarded function itself)."""

    place: str
    called: str | None


def refuse(name: str, rule: Rule) -> None:
    """Raise if workflow code that is guarded is behind this call; to be asked only on the thread that runs it.

    Raises:
        RestrictedWorkflowAccessError: it is.
    """
    loop = _get_running_loop()
    if type(loop) is not WorkflowLoop or not loop.run.guarded:  # type: ignore[attr-defined]
        return
    if UNRESTRICTED.get() or PASSED_THROUGH.get():
        return
    caller = _caller(sys._getframe(1))
    if caller is None:
        return
    if caller.called is None:
        raise RestrictedWorkflowAccessError(name, override_message=rule.message(name, caller.place))
    own_rule = rule_of(caller.called)
    if own_rule is not None:
        message = own_rule.message(caller.called, caller.place)
    else:
        message = rule.message_through(caller.called, name, caller.place)
    raise RestrictedWorkflowAccessError(caller.called, override_message=message)


def _caller(frame: FrameType | None) -> Caller | None:
    """The workflow code behind a frame; ``None`` if it is not to blame."""
    best: tuple[int, FrameType, FrameType | None] | None = None
    inner: FrameType | None = None
    while frame is not None:
        module: str = frame.f_globals.get("__name__") or ""
        package = top_package(module)
        if package == _PACKAGE:
            if module.startswith(_GUARD):
                frame = frame.f_back
                continue
            if module.startswith(_ENGINE):
                break
            if module.startswith(_CONVERTER) and module != _SIGNATURE:
                return None
        if package in _FREE_PACKAGES or frame.f_code.co_name in _FREE_FUNCTIONS:
            return None
        if package != _PACKAGE and package not in sys.stdlib_module_names:
            kind = _kind(frame.f_code, package)
            if best is None or kind < best[0]:
                best = (kind, frame, inner)
        inner = frame
        frame = frame.f_back
    if best is None:
        return None
    _, frame, inner = best
    return Caller(f"{readable_path(frame.f_code.co_filename)}:{frame.f_lineno}", _name(inner) if inner else None)


def _kind(code: CodeType, package: str) -> int:
    if code.co_filename.startswith(("<string>", "<frozen", "<attrs")):
        return _GENERATED
    return _OWN if is_own(package, code.co_filename) else _INSTALLED


def is_own(package: str, path: str) -> bool:
    """Whether code is the user's own, and not that of a library."""
    if package == _PACKAGE or package in sys.stdlib_module_names:
        return False
    return package in own_packages or ("site-packages" not in path and "dist-packages" not in path)


def top_package(module: str | None) -> str:
    return (module or "").partition(".")[0]


def readable_path(path: str) -> str:
    """A path relative to the working directory if it is below it."""
    below = os.path.join(os.getcwd(), "")
    return path[len(below) :] if path.startswith(below) else path


def _name(frame: FrameType) -> str | None:
    """The full name of the function that a frame runs, as its users would write it; ``None`` if they would not."""
    code = frame.f_code
    module = frame.f_globals.get("__name__") or ""
    # Methods that a module offers as functions, and the generator behind a function.
    plain = f"{module}.{code.co_name.lstrip('_')}"
    if rule_of(plain) is not None:
        return plain
    name = getattr(code, "co_qualname", None)
    if name is None:  # Python 3.10
        name = code.co_name
        if code.co_varnames[:1] == ("self",):
            owners = type(frame.f_locals.get("self")).__mro__
            name = f"{next((each.__name__ for each in owners if name in vars(each)), 'object')}.{name}"
    if "<locals>" in name and top_package(module) in sys.stdlib_module_names:
        return None
    public = [part for part in module.split(".") if not part.startswith("_")]
    return f"{'.'.join(public) or module}.{name}".removesuffix(".__init__")
