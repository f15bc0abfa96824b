"""Exceptions as plain data, to be made with the classes of either SDK. Both SDKs import this: it imports neither."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass
class Recipe:
    """An exception.

    Args:
        kind: Name of its class, in the SDK's module of exceptions or of one of Python's own.
        args: Its positional arguments.
        options: Its keyword arguments, enums by the name of the member.
        cause: Its cause.
    """

    kind: str
    args: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    cause: Recipe | None = None


# Of each class of exceptions what its instances hold, beside message and cause; enums with the name of their class.
ATTRIBUTES: dict[str, dict[str, str | None]] = {
    "ApplicationError": {
        "details": None,
        "type": None,
        "non_retryable": None,
        "next_retry_delay": None,
        "category": "ApplicationErrorCategory",
    },
    "CancelledError": {"details": None},
    "TerminatedError": {},
    "TimeoutError": {"type": "TimeoutType", "last_heartbeat_details": None},
    "ServerError": {"non_retryable": None},
    "ActivityError": {
        "scheduled_event_id": None,
        "started_event_id": None,
        "identity": None,
        "activity_type": None,
        "activity_id": None,
        "retry_state": "RetryState",
    },
    "ChildWorkflowError": {
        "namespace": None,
        "workflow_id": None,
        "run_id": None,
        "workflow_type": None,
        "initiated_event_id": None,
        "started_event_id": None,
        "retry_state": "RetryState",
    },
    "NexusOperationError": {
        "scheduled_event_id": None,
        "endpoint": None,
        "service": None,
        "operation": None,
        "operation_token": None,
    },
    "WorkflowAlreadyStartedError": {"workflow_id": None, "workflow_type": None, "run_id": None},
    "FailureError": {},
}
_POSITIONAL = {"details"}


def make(exceptions: ModuleType, recipe: Recipe) -> BaseException:
    """The exception, of the classes in the module."""
    kinds = ATTRIBUTES.get(recipe.kind)
    if kinds is None:
        import builtins

        exception: BaseException = getattr(builtins, recipe.kind)(*recipe.args)
    else:
        options = dict(recipe.options)
        for name, kind in kinds.items():
            if kind is not None and options.get(name) is not None:
                options[name] = getattr(exceptions, kind)[options[name]]
        exception = getattr(exceptions, recipe.kind)(*recipe.args, **options)
    if recipe.cause is not None:
        exception.__cause__ = make(exceptions, recipe.cause)
    return exception


def described(exceptions: ModuleType, exception: BaseException) -> Recipe:
    """The recipe of an exception that a failure converter made."""
    kind = type(exception).__name__
    names = ATTRIBUTES[kind]
    found = {name: getattr(exception, name) for name in names if name not in _POSITIONAL}
    details = getattr(exception, "details", ()) if "details" in names else ()
    cause = exception.__cause__
    return Recipe(
        kind,
        (getattr(exception, "message", str(exception)), *details),
        {name: each.name if isinstance(each, enum.Enum) else each for name, each in found.items()},
        None if cause is None else described(exceptions, cause),
    )
