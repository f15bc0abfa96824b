"""Long polls of calls that are not made natively: what lets a wait go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from invincible.service import RPCError, RPCStatusCode

T = TypeVar("T")

# As in the native long polls: a wait outlives a server that is away for this long, a restart for instance. Seconds.
_OUTAGE_TOLERANCE = 60.0
_PAUSE = 1.0
# The server answers a poll a second before its deadline, so that a shorter one gets no answer at all.
_SHORTEST_POLL = timedelta(seconds=2)


async def poll_until(poll: Callable[[timedelta | None], Awaitable[T | None]], rpc_timeout: timedelta | None) -> T:
    """Polls until there is something, however long it takes.

    Args:
        poll: Makes one call with the deadline it is given; gives ``None`` if the time of the server's wait was up.
        rpc_timeout: The caller's deadline of each call; one that passes ends the wait. The least is two seconds.

    Raises:
        RPCError: The service refuses the call, or has been away for a minute.
    """
    timeout = None if rpc_timeout is None else max(rpc_timeout, _SHORTEST_POLL)
    last_contact = time.monotonic()
    while True:
        began = time.monotonic()
        try:
            result = await poll(timeout)
            last_contact = time.monotonic()
        except RPCError as error:
            if not _passing(error, last_contact, rpc_timeout):
                raise
            result = None
        if result is not None:
            return result
        if time.monotonic() - began < _PAUSE:
            await asyncio.sleep(_PAUSE)


def _passing(error: RPCError, last_contact: float, rpc_timeout: timedelta | None) -> bool:
    if error.status is RPCStatusCode.DEADLINE_EXCEEDED:
        return rpc_timeout is None
    # Deadlines that pass on this side of the connection are reported so.
    if error.status is RPCStatusCode.CANCELLED and error.message == "Timeout expired":
        return rpc_timeout is None
    return error.status is RPCStatusCode.UNAVAILABLE and time.monotonic() - last_contact < _OUTAGE_TOLERANCE
