"""Waiting for updates: how it ends if they do not come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from invincible import _native
from invincible.service import RPCError, RPCStatusCode, seconds

from ._call import native_call
from ._errors import WorkflowUpdateRPCTimeoutOrCancelledError
from ._outcome import failure_of

if TYPE_CHECKING:
    from ._client import Client

T = TypeVar("T")

_EXPIRED = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
# Seconds after which a client of a test looks for the reason why an update does not come. Most come sooner.
_PATIENCE = 1.0


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
        wait = partial(_unless_task_fails, client, workflow_id, run_id, wait)
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


async def _unless_task_fails(
    client: Client, workflow_id: str, run_id: str, wait: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    waiting = asyncio.ensure_future(wait())
    watching = asyncio.ensure_future(_task_failure(client, workflow_id, run_id))
    try:
        await asyncio.wait([waiting, watching], return_when=asyncio.FIRST_COMPLETED)
        failure = None if waiting.done() else watching.result()
        if failure is not None:
            raise failure
        return await waiting
    finally:
        waiting.cancel()
        watching.cancel()


async def _task_failure(client: Client, workflow_id: str, run_id: str) -> Exception | None:
    """The first failure of a workflow task, if there is one before the workflow ends."""
    await asyncio.sleep(_PATIENCE)
    request = _native.WorkflowResultRequest(
        namespace=client.namespace, workflow_id=workflow_id, run_id=run_id, follow_runs=False, task_failures=True
    )
    try:
        outcome = await native_call(client, _native.Client.workflow_result, request, {})
    except RPCError:
        return None  # the calls about the update have their own
    return (
        await failure_of(outcome, workflow_id, client._workflow_converter(workflow_id))
        if outcome.kind == "task_failed"
        else None
    )
