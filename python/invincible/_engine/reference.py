"""What callers name a workflow or a handler by: a decorated class or function, or a string."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from invincible.converter._signature import Signature

from .definition import HandlerDefinition, WorkflowDefinition

# What a decorator leaves on the function or class that it decorates.
WORKFLOW = "__invincible_workflow__"
RUN = "__invincible_run__"
SIGNAL = "__invincible_signal__"
QUERY = "__invincible_query__"
UPDATE = "__invincible_update__"

NOT_GIVEN: Any = object()
"""Default of the parameter ``arg``, for which ``None`` is an argument like others."""


@dataclass(frozen=True)
class Reference:
    """A workflow or handler as a caller named it; without signature if by its name alone."""

    name: str
    signature: Signature | None

    @property
    def return_hint(self) -> Any:
        """The annotated type of the result, ``None`` if it is not known."""
        return self.signature.return_hint if self.signature is not None else None

    def bind(self, arg: Any, args: Sequence[Any]) -> list[Any]:
        """The arguments of a call in the form ``(arg, *, args=[...])``, by position on the wire.

        Raises:
            ValueError: both forms are used.
            TypeError: ``args`` is a string, which is a sequence, but hardly one of arguments.
            ArgumentError: they do not fit the signature.
        """
        if arg is not NOT_GIVEN:
            if args:
                raise ValueError("give either arg or args, not both")
            args = (arg,)
        elif isinstance(args, str):
            raise TypeError("args must be a sequence of arguments, got a str: use arg for a single one")
        return list(args) if self.signature is None else self.signature.bind(args, {})


def workflow_definition(reference: Any) -> WorkflowDefinition:
    """The definition of a workflow class, its run method, or a function workflow.

    Raises:
        TypeError: it is none of these.
    """
    holder = vars(reference) if inspect.isclass(reference) else getattr(reference, "__dict__", {})
    definition = holder.get(WORKFLOW)
    if isinstance(definition, WorkflowDefinition):
        return definition
    raise TypeError(
        f"{_name(reference)} is not a workflow: give a class or function decorated with @workflow.defn, its "
        "@workflow.run method, or the workflow's name"
    )


def workflow_reference(reference: Any) -> Reference:
    """The workflow type named by a string, class, run method or function.

    Raises:
        TypeError: it names none, or the dynamic one.
    """
    if isinstance(reference, str):
        return Reference(reference, None)
    definition = workflow_definition(reference)
    if definition.name is None:
        raise TypeError(f"{_name(reference)} is the dynamic workflow: give the workflow's name instead")
    return Reference(definition.name, definition.signature)


def signal_reference(reference: Any) -> Reference:
    """The signal named by a string or by a method decorated with ``signal``."""
    return _handler_reference(reference, SIGNAL, "signal")


def query_reference(reference: Any) -> Reference:
    """The query named by a string or by a method decorated with ``query``."""
    return _handler_reference(reference, QUERY, "query")


def update_reference(reference: Any) -> Reference:
    """The update named by a string or by a method decorated with ``update``."""
    return _handler_reference(reference, UPDATE, "update")


def _handler_reference(reference: Any, attribute: str, kind: str) -> Reference:
    if isinstance(reference, str):
        return Reference(reference, None)
    handler: HandlerDefinition | None = getattr(reference, attribute, None)
    if handler is None:
        raise TypeError(
            f"{_name(reference)} is not {_ARTICLE[kind]} {kind}: give a method decorated with @workflow.{kind}, or the "
            f"{kind}'s name"
        )
    if handler.name is None:
        raise TypeError(f"{_name(reference)} is the dynamic {kind} handler: give the {kind}'s name instead")
    return Reference(handler.name, handler.signature)


_ARTICLE = {"signal": "a", "query": "a", "update": "an"}


def _name(reference: Any) -> str:
    return getattr(reference, "__qualname__", None) or repr(reference)
