"""The command that starts a workflow, with arguments made up from its signature."""

from __future__ import annotations

import dataclasses
import enum
import json
import shlex
import types
import typing
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from invincible.converter._signature import Signature

# Types that contain others are shown so deep.
_DEPTH = 4

_LEAVES: Mapping[Any, Any] = {
    bool: True,
    int: 1,
    float: 1.5,
    Decimal: "1.50",
    datetime: "2026-01-31T12:00:00+00:00",
    date: "2026-01-31",
    UUID: "3f2b9c1e-5a77-4d0a-9d0c-6f0f5f1f2a10",
}


def inputs(signature: Signature) -> list[str]:
    """The arguments that a call must give, each as JSON."""
    return [json.dumps(_example(each.hint, each.name, _DEPTH)) for each in signature.parameters if each.required]


def start_command(workflow_type: str, task_queue: str, arguments: Sequence[str], options: Sequence[str]) -> str:
    """What to type to start a workflow and wait for its result.

    Args:
        workflow_type: The workflow.
        task_queue: Where its worker polls.
        arguments: Arguments as JSON.
        options: What the command needs to find the server.
    """
    command = ["invincible", "workflow", "execute", workflow_type, "--task-queue", task_queue, *options]
    for each in arguments:
        command += ["--input", each]
    return shlex.join(command)


def _example(hint: Any, name: str, depth: int) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _example(arguments[0], name, depth)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, types.UnionType):
        return _example(next(each for each in arguments if each is not type(None)), name, depth)
    if hint is str or hint is None or depth == 0:
        return name if hint is str else None
    if hint in _LEAVES:
        return _LEAVES[hint]
    kind = origin or hint
    if not isinstance(kind, type):
        return None
    return _composed(kind, arguments, name, depth - 1)


def _composed(kind: type, arguments: Sequence[Any], name: str, depth: int) -> Any:
    if issubclass(kind, enum.Enum):
        return next((each.value for each in kind), None)
    if dataclasses.is_dataclass(kind) or typing.is_typeddict(kind) or hasattr(kind, "model_fields"):
        return {field: _example(hint, field, depth) for field, hint in _required_fields(kind).items()}
    if issubclass(kind, Mapping):
        return {"key": _example(arguments[1], "value", depth)} if len(arguments) == 2 else {}
    if issubclass(kind, tuple):
        items = [each for each in arguments if each is not Ellipsis]
        return [_example(each, name, depth) for each in items]
    if issubclass(kind, (Sequence, AbstractSet)) and not issubclass(kind, bytes):
        return [_example(arguments[0], name, depth)] if arguments else []
    return None


def _required_fields(kind: Any) -> dict[str, Any]:
    try:
        hints = typing.get_type_hints(kind)
    except Exception:  # annotations that only type checkers can resolve
        hints = {}
    if dataclasses.is_dataclass(kind):
        missing = dataclasses.MISSING
        each = [field for field in dataclasses.fields(kind) if field.init]
        names = [field.name for field in each if field.default is missing and field.default_factory is missing]
    elif typing.is_typeddict(kind):
        names = sorted(kind.__required_keys__, key=list(kind.__annotations__).index)
    else:
        names = [name for name, field in kind.model_fields.items() if field.is_required()]
    return {name: hints.get(name) for name in names}
