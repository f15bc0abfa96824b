"""Handlers set at run time, and what is known of those that run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from invincible._engine.context import current_run
from invincible._engine.definition import HandlerDefinition, QueryDefinition, SignalDefinition, UpdateDefinition
from invincible._engine.messages import Handlers, UpdateInfo, current_update


def get_signal_handler(name: str) -> Callable[..., Any] | None:
    """The handler of a signal: as set at run time, or the workflow's own method, bound; ``None`` if there is none."""
    return _get(current_run().messages.signals, name)


def set_signal_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Set or, with ``None``, remove the handler of a signal. Signals that have come before are handled now."""
    _set_signal(name, handler)


def get_dynamic_signal_handler() -> Callable[..., Any] | None:
    """The handler of signals that have none of their own."""
    return _get(current_run().messages.signals, None)


def set_dynamic_signal_handler(handler: Callable[..., Any] | None) -> None:
    """Set or remove the handler of signals that have none of their own; it takes the name and the raw arguments."""
    _set_signal(None, handler)


def get_query_handler(name: str) -> Callable[..., Any] | None:
    """The handler of a query, bound; ``None`` if there is none."""
    return _get(current_run().messages.queries, name)


def set_query_handler(name: str, handler: Callable[..., Any] | None) -> None:
    """Set or, with ``None``, remove the handler of a query."""
    _set_query(name, handler)


def get_dynamic_query_handler() -> Callable[..., Any] | None:
    """The handler of queries that have none of their own."""
    return _get(current_run().messages.queries, None)


def set_dynamic_query_handler(handler: Callable[..., Any] | None) -> None:
    """Set or remove the handler of queries that have none of their own; it takes the name and the raw arguments."""
    _set_query(None, handler)


def get_update_handler(name: str) -> Callable[..., Any] | None:
    """The handler of an update, bound; ``None`` if there is none."""
    return _get(current_run().messages.updates, name)


def set_update_handler(
    name: str, handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None
) -> None:
    """Set or, with ``None``, remove the handler of an update, and its validator."""
    _set_update(name, handler, validator)


def get_dynamic_update_handler() -> Callable[..., Any] | None:
    """The handler of updates that have none of their own."""
    return _get(current_run().messages.updates, None)


def set_dynamic_update_handler(
    handler: Callable[..., Any] | None, *, validator: Callable[..., Any] | None = None
) -> None:
    """Set or remove the handler of updates that have none of their own; it takes the name and the raw arguments."""
    _set_update(None, handler, validator)


def all_handlers_finished() -> bool:
    """Whether no handler of a signal or an update runs.

    Example:
        await workflow.wait_condition(workflow.all_handlers_finished)
    """
    return current_run().messages.all_finished()


def current_update_info() -> UpdateInfo | None:
    """The update whose handler or validator this code belongs to; ``None`` elsewhere."""
    current_run()
    return current_update.get()


def _get(handlers: Handlers[Any], name: str | None) -> Callable[..., Any] | None:
    handler: HandlerDefinition | None = handlers.get(name)
    if handler is None:
        return None
    return handler.function if handler.bound else partial(handler.function, current_run().instance)


def _set_signal(name: str | None, handler: Callable[..., Any] | None) -> None:
    run = current_run()
    run.require_writable("setting a signal handler")
    definition = SignalDefinition(name, handler, bound=True) if handler is not None else None
    run.messages.set_signal_handler(name, definition)


def _set_query(name: str | None, handler: Callable[..., Any] | None) -> None:
    run = current_run()
    run.require_writable("setting a query handler")
    definition = QueryDefinition(name, handler, bound=True) if handler is not None else None
    run.messages.queries.set(name, definition)


def _set_update(name: str | None, handler: Callable[..., Any] | None, validator: Callable[..., Any] | None) -> None:
    run = current_run()
    run.require_writable("setting an update handler")
    definition = None
    if handler is not None:
        definition = UpdateDefinition(name, handler, bound=True, validator=validator)
    run.messages.updates.set(name, definition)
