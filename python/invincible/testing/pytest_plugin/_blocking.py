"""Calls of the async client from fixtures and hooks, which block."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from invincible.client._sync.calls import Calls, Outcome, Work
from invincible.client._sync.portal import portal

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T], timeout: float) -> T:
    """Does the work on the event loop of the blocking clients, whether or not an event loop runs here.

    Args:
        work: The work.
        timeout: Seconds that it may take.

    Raises:
        TimeoutError: It takes longer.
    """
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout), portal().loop).result()


class CallsOutsideLoops(Calls):
    """Blocking calls, refused where an event loop runs: its workers would wait for the call, and it for them."""

    def run(self, work: Work) -> Outcome:
        """Makes a call; see :meth:`Calls.run`.

        Raises:
            RuntimeError: An event loop runs in this thread.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return super().run(work)
        raise RuntimeError(
            "sync_client was called where an event loop runs, and the loop's workers would wait for the call to end: "
            "use `await client...` here, or sync_client in a test that is no coroutine"
        )
