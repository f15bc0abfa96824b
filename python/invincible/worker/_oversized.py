"""Errors for payloads that the server would refuse: they name the argument or result, and its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from invincible._native import OversizedPayloads
from invincible.converter import Signature
from invincible.exceptions import ApplicationError

_ADVICE = (
    "Pass a reference to the data instead, or have it stored outside of Temporal: "
    "DataConverter(external_storage=ExternalStorage(...))"
)


def oversized_result(activity_type: str, found: OversizedPayloads) -> ApplicationError:
    """The error for the result of an activity."""
    return _error(f"the result of activity {activity_type!r} has", found)


def oversized_operation(operation: str, found: OversizedPayloads) -> ApplicationError:
    """The error for the result of a Nexus operation."""
    return _error(f"the result of Nexus operation {operation!r} has", found)


def oversized_command(
    found: OversizedPayloads, operation: str | None, signature_of: Callable[[str], Signature | None]
) -> ApplicationError:
    """The error for a command of a workflow.

    Args:
        found: The payloads.
        operation: What the command asks for, ``activity 'ship'`` say.
        signature_of: Gives the signature of an operation, where it is known.
    """
    what = operation or "the workflow"
    match found.message, found.field:
        case "CompleteWorkflowExecution", _:
            return _error("the result of the workflow has", found)
        case "UpdateCompleted", _:
            return _error("the result of an update has", found)
        case "ContinueAsNewWorkflowExecution", "arguments":
            what = "the workflow that continues this one"
        case "ModifyWorkflowProperties", _:
            return _error("the change of the memo has", found)
        case _, "memo":
            return _error(f"the memo of {what} has", found)
    return _error(f"the arguments of {what} have", found, _largest(found.sizes, signature_of(what)))


def _error(subject: str, found: OversizedPayloads, detail: str = "") -> ApplicationError:
    return ApplicationError(
        f"[TMPRL1103] {subject} {found.size:,} bytes{detail}, and the server takes no more than {found.limit:,}. "
        + _ADVICE,
        type="PayloadsTooLarge",
    )


def _largest(sizes: Sequence[int], signature: Signature | None) -> str:
    if not sizes:
        return ""
    index = max(range(len(sizes)), key=sizes.__getitem__)
    parameters = signature.parameters if signature is not None else ()
    name = repr(parameters[index].name) if index < len(parameters) else f"number {index + 1}"
    return f", argument {name} alone {sizes[index]:,}"
