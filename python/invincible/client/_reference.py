"""Workflows, signals and queries as callers name them: by a string, or by what is decorated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from invincible.converter import Signature
from invincible.workflow._definition import query_reference, signal_reference, workflow_definition

NOT_GIVEN: Any = object()
"""Default of the parameter ``arg``, for which ``None`` is an argument like others."""


class Reference(NamedTuple):
    """A name on the wire, and the signature behind it where it is known."""

    name: str
    signature: Signature | None

    def arguments(self, arg: Any, args: Sequence[Any]) -> list[Any]:
        """The arguments of a call by position on the wire.

        Raises:
            ValueError: Both ``arg`` and ``args`` are given.
            ArgumentError: They do not fit the signature.
        """
        if arg is not NOT_GIVEN:
            if args:
                raise ValueError("give either arg or args, not both")
            args = (arg,)
        elif isinstance(args, str):
            raise TypeError("args must be a sequence of arguments, got a str: use arg for a single one")
        return list(args) if self.signature is None else self.signature.bind(args, {})

    def result_hint(self, result_type: type | None) -> Any:
        """The type of the result: the one asked for, else the annotated one."""
        if result_type is not None or self.signature is None:
            return result_type
        return self.signature.return_hint


def workflow(reference: Any) -> Reference:
    """The workflow type named by a string, a workflow class, its run method, or a function workflow.

    Raises:
        TypeError: It is none of these, or the dynamic workflow, which has no name.
    """
    if isinstance(reference, str):
        return Reference(reference, None)
    definition = workflow_definition(reference)
    if definition.name is None:
        raise TypeError(f"{definition.run.__qualname__} takes workflows of any name: give the workflow's name instead")
    return Reference(definition.name, definition.signature)


def signal(reference: Any) -> Reference:
    """The signal named by a string or by a method decorated with ``@workflow.signal``.

    Raises:
        TypeError: It is neither.
    """
    handler = signal_reference(reference)
    return Reference(handler.name, handler.signature)


def query(reference: Any) -> Reference:
    """The query named by a string or by a method decorated with ``@workflow.query``.

    Raises:
        TypeError: It is neither.
    """
    handler = query_reference(reference)
    return Reference(handler.name, handler.signature)
