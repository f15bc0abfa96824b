"""What calls of a client carry while a handler of a Nexus operation makes them.

Links to the operation's caller; and for the start of what is behind the operation, who is to be told of its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any


class Backing:
    """The start of what is behind an operation: the first that succeeds.

    Args:
        request_id: Id of the Nexus request, so that a request that comes again starts nothing twice.
        callback: Makes the serialized ``Callback``, given the ids of what is started.
    """

    def __init__(self, request_id: str, callback: Callable[..., bytes]) -> None:
        self.request_id = request_id
        self.callback = callback


class HandlerCalls:
    """The calls of one execution of a handler.

    Args:
        links: Serialized ``Link`` messages: where the operation was called.
        on_link: Called with the links of answers: what the calls have started or signalled.
        backing: What the next start carries, if it is the one behind the operation.
    """

    def __init__(
        self, links: Sequence[bytes], on_link: Callable[[bytes], None], backing: Backing | None = None
    ) -> None:
        self.links = links
        self.on_link = on_link
        self.backing = backing

    def start(self, *ids: str) -> dict[str, Any]:
        """What a start carries; the same again, if it has to be tried again."""
        backing = self.backing
        if backing is None:
            return {"links": self.links}
        return {
            "links": self.links,
            "request_id": backing.request_id,
            "completion_callbacks": [backing.callback(*ids)],
        }

    def started(self, links: Sequence[bytes]) -> None:
        """Takes the links of the answer to a start; others are not behind the operation."""
        self.backing = None
        self.linked(links)

    def linked(self, links: Sequence[bytes]) -> None:
        """Takes the links of another answer."""
        for link in links:
            self.on_link(link)


handler_calls: ContextVar[HandlerCalls | None] = ContextVar("invincible.client.handler_calls", default=None)
"""Set while a handler of a Nexus operation runs."""
