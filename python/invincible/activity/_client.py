"""The client that activities may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ._context import _context

if TYPE_CHECKING:
    from invincible.client import Client


def client() -> Client:
    """The client of the activity's worker, for ``async def`` activities.

    Raises:
        RuntimeError: outside of an activity, or in a ``def`` activity, whose thread has no event loop for it.

    Example:
        @activity.defn(start_to_close_timeout=timedelta(seconds=10))
        async def approve(order_id: str) -> None:
            await activity.client().get_workflow_handle(order_id).signal("approve")
    """
    context = _context()
    if context.client is None:
        raise RuntimeError(
            f"activity {context.start.activity_type!r} has no client: only async def activities have one. Make it "
            "async, or use an invincible.client.SyncClient of your own. In tests, ActivityEnvironment(client) gives it"
        )
    return cast("Client", context.client)
