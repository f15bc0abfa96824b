"""What calls of a client carry while a handler of a Nexus operation makes them.

Links to the operation's caller; and for the start of what is behind the operation, who is to be told of its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any


@dataclass
class Backing:
    """The start of what is behind an operation; one call takes it.

    Args:
        request_id: Id of the Nexus request, so that a request that comes again starts nothing twice.
        callback: Makes the serialized ``Callback``, given the ids of what is started.
    """

    request_id: str
    callback: Callable[..., bytes]


@dataclass
class HandlerCalls:
    """The calls of one execution of a handler.

    Args:
        links: Serialized ``Link`` messages: where the operation was called.
        on_link: Called with the links of answers: what the calls have started or signalled.
        backing: What the next start carries, if it is the one behind the operation.
    """

    links: Sequence[bytes]
    on_link: Callable[[bytes], None]
    backing: Backing | None = None

    def start(self, *ids: str) -> dict[str, Any]:
        """What a start carries."""
        backing, self.backing = self.backing, None
        if backing is None:
            return {"links": self.links}
        return {
            "links": self.links,
            "request_id": backing.request_id,
            "completion_callbacks": [backing.callback(*ids)],
        }

    def linked(self, links: Sequence[bytes]) -> None:
        """Takes the links of an answer."""
        for link in links:
            self.on_link(link)


handler_calls: ContextVar[HandlerCalls | None] = ContextVar("invincible.client.handler_calls", default=None)
"""Set while a handler of a Nexus operation runs."""
