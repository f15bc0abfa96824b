"""The end of a worker whose server is gone: Core would wait for its polls until the server is back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from invincible.client import Client
from invincible.service import RPCError, RPCStatusCode

from ._failures import logger

# Seconds that the polls have before the server is asked for a sign of life, and again; and how often it may miss.
_PATIENCE = 5.0
_MISSES = 2

_LOST = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})


async def polls_end(polls: asyncio.Future[None], client: Client, is_idle: Callable[[], bool]) -> bool:
    """Wait for the end of the polls of a worker that shuts down.

    Args:
        polls: What ends with the last poll.
        client: The worker's client.
        is_idle: Whether no activity is under way.

    Returns:
        False if there is no use in waiting longer: the server cannot be reached, and nothing is under way.
    """
    misses = 0
    while True:
        await asyncio.wait((polls,), timeout=_PATIENCE)
        if polls.done():
            return True
        misses = 0 if await _answers(client) else misses + 1
        if misses >= _MISSES and is_idle():
            logger.warning(
                "the server cannot be reached: the worker ends with its polls open. What it had not told the "
                "server yet will be tried again elsewhere"
            )
            return False


async def _answers(client: Client) -> bool:
    limit = timedelta(seconds=_PATIENCE)
    try:
        await asyncio.wait_for(client.service_client.check_health(timeout=limit), 2 * _PATIENCE)
    except asyncio.TimeoutError:
        return False
    except RPCError as error:
        # A server, or a proxy before it, that refuses to tell is there.
        return error.status not in _LOST
    except RuntimeError:  # a lazy client that could not connect
        return False
    return True
