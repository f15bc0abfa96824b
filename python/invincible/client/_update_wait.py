"""Waiting for updates: how it ends if they do not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from invincible.service import RPCError, RPCStatusCode, seconds

from ._errors import WorkflowUpdateRPCTimeoutOrCancelledError

if TYPE_CHECKING:
    from ._client import Client

T = TypeVar("T")

_EXPIRED = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)


async def wait_for_update(
    client: Client,
    workflow_id: str,
    run_id: str,
    wait: Callable[[], Coroutine[Any, Any, T]],
    timeout: timedelta | None,
) -> T:
    """Waits for an update, which is one call or many.

    Args:
        client: The client that makes them.
        workflow_id: The workflow of the update.
        run_id: Its run; empty for whichever is current.
        wait: Makes the calls.
        timeout: Longest time in all; ``None`` for no limit.

    Raises:
        TypeError: ``timeout`` is no ``timedelta``.
        ValueError: That is no time at all.
        WorkflowUpdateRPCTimeoutOrCancelledError: The time was up, or the wait was cancelled.
        WorkflowTaskFailedError: The workflow has a bug; raised by clients of a test environment only.
    """
    limit = seconds("rpc_timeout", timeout)
    if limit is not None and limit <= 0:
        raise ValueError(f"rpc_timeout must be a positive duration, got {limit} seconds")
    if client._raise_task_failures:
        from ._watch import unless_task_fails

        wait = partial(unless_task_fails, client, workflow_id, run_id, wait)
    cause: BaseException
    try:
        return await asyncio.wait_for(wait(), limit)
    except asyncio.TimeoutError:
        cause = RPCError("Timeout expired", RPCStatusCode.DEADLINE_EXCEEDED, b"")
    except asyncio.CancelledError as error:
        cause = error
    except RPCError as error:
        if error.status not in _EXPIRED:
            raise
        cause = error
    raise WorkflowUpdateRPCTimeoutOrCancelledError from cause
