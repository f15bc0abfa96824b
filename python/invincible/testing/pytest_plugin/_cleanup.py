"""Ends what a test has left open in its namespace."""

from __future__ import annotations

import asyncio

from invincible.client import Client, WorkflowExecution
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
    schedules = [each.id async for each in await client.list_schedules()]
    await asyncio.gather(*(client.get_schedule_handle(id).delete() for id in schedules))
    if schedules:
        left.append(f"{_counted(schedules, 'schedule')} left, now deleted: {_named(schedules)}")
    listed = [each async for each in client.list_workflows("ExecutionStatus = 'Running'")]
    ended = await asyncio.gather(*(_terminated(client, each) for each in listed))
    workflows = [f"{each.id} ({each.workflow_type})" for each, was_open in zip(listed, ended, strict=True) if was_open]
    if workflows:
        left.append(f"{_counted(workflows, 'workflow')} left open, now terminated: {_named(workflows)}")
    return left


async def _terminated(client: Client, workflow: WorkflowExecution) -> bool:
    """Terminate a workflow; whether it was open, as what a list tells may be over."""
    try:
        await client.get_workflow_handle(workflow.id, run_id=workflow.run_id).terminate(reason=_REASON)
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
