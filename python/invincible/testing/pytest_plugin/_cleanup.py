"""Ends what a test has left open in its namespace."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from itertools import compress

from invincible.client import Client
from invincible.service import RPCError, RPCStatusCode

_NAMED = 5
_REASON = "the test has ended"


async def end_all(client: Client) -> list[str]:
    """Terminates open workflows, and deletes schedules, of a namespace that belongs to a test.

    Returns:
        What there was, in words.
    """
    left = []
    # They would go on to start workflows.
    ids = [each.id async for each in await client.list_schedules()]
    deleted = await asyncio.gather(*(_was_there(client.get_schedule_handle(id).delete()) for id in ids))
    schedules = list(compress(ids, deleted))
    if schedules:
        left.append(f"{_counted(schedules, 'schedule')} left, now deleted: {_named(schedules)}")
    listed = [each async for each in client.list_workflows("ExecutionStatus = 'Running'")]
    handles = (client.get_workflow_handle(each.id, run_id=each.run_id) for each in listed)
    ended = await asyncio.gather(*(_was_there(handle.terminate(reason=_REASON)) for handle in handles))
    workflows = [f"{each.id} ({each.workflow_type})" for each in compress(listed, ended)]
    if workflows:
        left.append(f"{_counted(workflows, 'workflow')} left open, now terminated: {_named(workflows)}")
    return left


async def _was_there(ending: Awaitable[object]) -> bool:
    """End something; whether it was there, as what a list tells may be over."""
    try:
        await ending
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _counted(items: list[str], what: str) -> str:
    return f"{len(items)} {what}{'s' if len(items) > 1 else ''}"


def _named(items: list[str]) -> str:
    more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return ", ".join(items[:_NAMED]) + more
