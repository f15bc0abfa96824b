"""Calls that cannot be replaced, because they are methods of static types or were bound to a name in time: from Python
3.12 on the interpreter reports the calls that chosen code objects make, and only their callers pay for it."""

from __future__ import annotations

import sys
from asyncio import _get_running_loop
from collections.abc import Iterable
from datetime import date, datetime
from types import BuiltinFunctionType, CodeType
from typing import Any

from invincible._engine.log import logger
from invincible._engine.loop import WorkflowLoop

from .objects import known_objects
from .reach import nested_codes
from .rules import rule_of
from .stack import refuse

_monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]  # not there for older versions
_CALL = _monitoring.events.CALL
_DISABLE = _monitoring.DISABLE
_MISSING = _monitoring.MISSING

# Ids without a conventional owner; debuggers, coverage, profilers and optimizers have those of their own.
_FREE_TOOLS = (3, 4)

_tool: int | None = None
# By identity, because codes of two modules can be equal; the values keep the ids in use.
_watched: dict[int, CodeType] = {}


def watch(codes: Iterable[CodeType]) -> None:
    """Report the calls that these and the functions inside them make."""
    if not _take_tool():
        return
    _objects.update(known_objects())
    for outer in codes:
        for code in nested_codes(outer):
            if id(code) not in _watched:
                _watched[id(code)] = code
                _monitoring.set_local_events(_tool, code, _CALL)


def _take_tool() -> bool:
    global _tool
    if _tool is None:
        for tool in _FREE_TOOLS:
            if _monitoring.get_tool(tool) is None:
                _monitoring.use_tool_id(tool, "invincible")
                _monitoring.register_callback(tool, _CALL, _on_call)
                _tool = tool
                break
        else:
            logger.debug("datetime.now() is not guarded in workflow code: other tools have taken sys.monitoring")
    return _tool is not None


def _on_call(code: CodeType, offset: int, callee: Any, first: Any) -> Any:
    name = _guarded_name(callee)
    rule = rule_of(name) if name is not None else None
    if name is None or rule is None:
        # This place calls something else: it costs nothing from now on.
        return _DISABLE
    if type(_get_running_loop()) is WorkflowLoop and rule.applies(0 if first is _MISSING else rule.harmless_from or 1):
        refuse(name.removeprefix("builtins."), rule)
    return None


def _guarded_name(callee: Any) -> str | None:
    """The full name of what is called, if it is known to the rules."""
    known = _objects.get(id(callee))
    if known is not None:
        # The engine's own loop refuses what it cannot do, with the same advice on each version.
        return None if known[1].startswith("asyncio.") else known[1]
    if type(callee) is BuiltinFunctionType and callee.__name__ in _DATES:
        # Made anew by each access to the class, which may be a subclass.
        owner = callee.__self__
        if isinstance(owner, type) and issubclass(owner, date):
            return f"datetime.{'datetime' if issubclass(owner, datetime) else 'date'}.{callee.__name__}"
    return None


_DATES = frozenset({"now", "today", "utcnow"})
_objects: dict[int, tuple[object, str]] = {}
