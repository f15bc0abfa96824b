"""The end of a worker whose server is gone, or was: Core tells it only once to end the polls, and waits for these."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from invincible.client import Client
from invincible.service import RPCError, RPCStatusCode

from ._failures import logger

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import ShutdownWorkerRequest

# Seconds that the polls have before the server is told to end them, and again; and how often it may not answer.
_PATIENCE = 2.0
_MISSES = 5

_LOST = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})


async def polls_end(
    polls: asyncio.Future[None], client: Client, *, instance_key: str, task_queue: str, is_idle: Callable[[], bool]
) -> bool:
    """Wait for the end of the polls of a worker that shuts down.

    Args:
        polls: What ends with the last poll.
        client: The worker's client.
        instance_key: What the server tells its polls by.
        task_queue: Where it polls.
        is_idle: Whether no activity is under way.

    Returns:
        False if there is no use in waiting longer: the server cannot be reached, and nothing is under way.
    """
    misses = 0
    while True:
        await asyncio.wait((polls,), timeout=_PATIENCE)
        if polls.done():
            return True
        misses = 0 if await _told(client, instance_key, task_queue) else misses + 1
        if misses >= _MISSES and is_idle():
            logger.warning(
                "the server cannot be reached: the worker ends with its polls open. What it had not told the "
                "server yet will be tried again elsewhere"
            )
            return False


async def _told(client: Client, instance_key: str, task_queue: str) -> bool:
    """Tell the server to end the polls: it has not heard Core say so if it was gone then, and holds them for a minute.

    Returns:
        Whether it answers.
    """
    limit = timedelta(seconds=_PATIENCE)
    request = _shutdown_request(client, instance_key, task_queue)
    try:
        call = client.workflow_service.shutdown_worker(request, timeout=limit)
        await asyncio.wait_for(call, 2 * _PATIENCE)
    except asyncio.TimeoutError:
        return False
    except RPCError as error:
        # A server, or a proxy before it, that refuses to be told is there.
        return error.status not in _LOST
    except RuntimeError:  # a lazy client that could not connect
        return False
    return True


def _shutdown_request(client: Client, instance_key: str, task_queue: str) -> ShutdownWorkerRequest:
    from invincible.api.enums.v1 import TaskQueueType
    from invincible.api.workflowservice.v1 import ShutdownWorkerRequest

    return ShutdownWorkerRequest(
        namespace=client.namespace,
        identity=client.identity,
        reason="graceful shutdown",
        worker_instance_key=instance_key,
        task_queue=task_queue,
        task_queue_types=[
            TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            TaskQueueType.TASK_QUEUE_TYPE_NEXUS,
        ],
    )
