"""What the server keeps about a run: memo, search attributes, details, what earlier runs left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from invincible._engine.context import current_run
from invincible._engine.groups import EventGroup
from invincible._engine.options import given_groups
from invincible._engine.reference import NOT_GIVEN
from invincible.common import SearchAttributes, SearchAttributeUpdate
from invincible.converter import PayloadConverter
from invincible.converter._signature import decode_result


def memo() -> Mapping[str, Any]:
    """The memo, decoded; a new mapping each time."""
    return current_run().attributes.decoded_memo()


def memo_value(key: str, default: Any = NOT_GIVEN, *, type_hint: type | None = None) -> Any:
    """One value of the memo.

    Args:
        key: Its key.
        default: What to return if there is no such key.
        type_hint: Its type; that of the payload if ``None``.

    Raises:
        KeyError: there is no such key, and no default.
    """
    memo = current_run().attributes
    if default is not NOT_GIVEN and key not in memo.memo:
        return default
    return memo.memo_value(key, type_hint)


def upsert_memo(updates: Mapping[str, Any], *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Change parts of the memo.

    Args:
        updates: New values by key; ``None`` removes a key.
        event_groups: Groups that the event belongs to.

    Raises:
        TypeError: a value cannot be encoded.
    """
    if updates:
        current_run().attributes.upsert_memo(updates, given_groups(event_groups))


def upsert_search_attributes(
    attributes: SearchAttributes | Sequence[SearchAttributeUpdate[Any]],
    *,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Change search attributes.

    Args:
        attributes: Updates made by ``key.value_set(...)`` or ``key.value_unset()``, or lists of values by name.
        event_groups: Groups that the event belongs to.

    Raises:
        TypeError: a value is not of its attribute's type.

    Example:
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("Status").value_set("paid")])
    """
    if attributes:
        current_run().attributes.upsert_search_attributes(attributes, given_groups(event_groups))


def get_current_details() -> str:
    """What ``set_current_details`` has set; empty at first."""
    return current_run().current_details


def set_current_details(description: str) -> None:
    """Say in the Web UI what the workflow is doing; Markdown, any number of lines."""
    run = current_run()
    run.require_writable("setting the current details")
    run.current_details = description


def has_last_completion_result() -> bool:
    """Whether an earlier run of this schedule or cron workflow has left a result."""
    return bool(current_run().init.last_completion_result)


def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """The result of the last run of this schedule or cron workflow that completed; ``None`` if there is none.

    Args:
        type_hint: Its type; that of the payload if ``None``.
    """
    run = current_run()
    payloads = run.init.last_completion_result
    if not payloads:
        return None
    return decode_result(
        payloads[0], type_hint, run.payload_converter, "the last completion", show_values=run.worker.show_values
    )


def get_last_failure() -> BaseException | None:
    """Why the last run failed, if this one is its retry or the next of its schedule; else ``None``."""
    run = current_run()
    failure = run.init.continued_failure
    return run.exception_from(failure) if failure is not None else None


def cancellation_reason() -> str | None:
    """The reason given with the request to cancel the workflow, perhaps empty; ``None`` if there was no request."""
    return current_run().cancellation_reason


def instance() -> Any:
    """The object whose methods are the workflow; ``None`` for a function workflow."""
    return current_run().instance


def payload_converter() -> PayloadConverter:
    """The payload converter of the worker, for values of this workflow."""
    return current_run().payload_converter


def extern_functions() -> Mapping[str, Callable[..., Any]]:
    """Functions that interceptors of the worker have made known, to be called at one's own risk."""
    return current_run().worker.extern_functions


def is_failure_exception(err: BaseException) -> bool:
    """Whether the exception would fail the workflow; any other fails the workflow task, which is tried again."""
    return current_run().is_failure_exception(err)


def create_event_group(id: str, *, label: str | None = None) -> EventGroup:
    """A group of events of this workflow's history, for the Web UI.

    Args:
        id: What makes it one group. It is kept in clear text.
        label: What to show.

    Raises:
        ValueError: ``id`` is empty, or ``label`` is.
    """
    if not id:
        raise ValueError("an event group needs an id that is not empty")
    if label == "":
        raise ValueError("the label of an event group must not be empty; leave it out")
    return EventGroup.create(id, current_run().text(label))
