"""Event groups: events of a history that belong together, as the Web UI shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from invincible import _native
from invincible._native import Payload


class EventGroup:
    """A group of events. Made by ``workflow.create_event_group``.

    Give it to single calls as ``event_groups=[group]``, or to all calls in a block:

    Example:
        with workflow.create_event_group("billing", label="Billing").scope():
            await charge.execute(order)
    """

    __slots__ = ("_marker",)

    def __init__(self, marker: _native.EventGroupMarker) -> None:
        """Wraps the marker that commands of the group carry."""
        self._marker = marker

    @staticmethod
    def create(id: str, label: Payload | None) -> EventGroup:
        """A group whose label is converted already; use ``workflow.create_event_group``."""
        return EventGroup(_native.EventGroupMarker(id=id, label=label))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Put everything that is started in the block, and in tasks made there, into the group."""
        with entered([self]):
            yield


_NO_MARKERS: list[Any] = []
_active: ContextVar[tuple[EventGroup, ...]] = ContextVar("event groups", default=())


@contextmanager
def entered(groups: Sequence[EventGroup]) -> Iterator[None]:
    """Put everything that is started in the block into the groups."""
    token = _active.set((*_active.get(), *groups))
    try:
        yield
    finally:
        # Before Python 3.11 the code of an evicted run is closed outside of its context: nothing is to be reset there.
        with suppress(ValueError):
            _active.reset(token)


def markers(given: Sequence[EventGroup]) -> list[Any]:
    """The markers of the groups in whose scope this is called, and of those given."""
    active = _active.get()
    if not given and not active:
        return _NO_MARKERS
    return [group._marker for group in dict.fromkeys((*active, *given))]


def enter_signal_handler(originating_event_id: int) -> None:
    """Put what the current task starts into the group of a signal's event."""
    if originating_event_id:
        _active.set((EventGroup(_native.EventGroupMarker(inbound_event_id=originating_event_id)),))


def enter_update_handler(update_id: str) -> None:
    """Put what the current task starts into the group of an update."""
    _active.set((EventGroup(_native.EventGroupMarker(inbound_update_id=update_id)),))
