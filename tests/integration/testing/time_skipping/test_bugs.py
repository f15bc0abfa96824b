"""Bugs in workflow code are told to those who let time pass."""

from __future__ import annotations

import asyncio
import threading

import pytest

from invincible.client import (
    WorkflowTaskFailedError,
)
from invincible.testing import WorkflowEnvironment
from invincible.worker import Worker

from .flows import DAY, WITHIN, Subscription, broken_in_the_next_run, broken_tomorrow, grandparent, parent_of


async def test_a_bug_is_told_whatever_one_waits_for(clocked: WorkflowEnvironment, task_queue: str) -> None:
    handle = await clocked.client.start_workflow(broken_tomorrow, id=task_queue, task_queue=task_queue)
    with pytest.raises(WorkflowTaskFailedError, match="its code raised KeyError: 'a bug'") as raised:
        await clocked.sleep(2 * DAY)
    assert type(raised.value.__cause__) is KeyError
    with pytest.raises(WorkflowTaskFailedError, match=f"workflow '{task_queue}' cannot go on"):
        await clocked.fast_forward(handle, DAY)
    with pytest.raises(WorkflowTaskFailedError):
        await clocked.fast_forward(handle)
    with pytest.raises(WorkflowTaskFailedError):
        await handle.query("anything")
    with pytest.raises(WorkflowTaskFailedError):
        await handle.result()
    # It has been told: other workflows go on.
    other = await clocked.client.start_workflow(Subscription.run, id=f"{task_queue}-other", task_queue=task_queue)
    await clocked.sleep(40 * DAY)
    assert await other.query(Subscription.months) == 1
    await other.terminate()
    await handle.terminate()


async def test_a_bug_in_a_later_run_is_told(clocked: WorkflowEnvironment, task_queue: str) -> None:
    with pytest.raises(WorkflowTaskFailedError, match="a bug in the last run") as raised:
        await clocked.client.execute_workflow(broken_in_the_next_run, 2, id=task_queue, task_queue=task_queue)
    assert type(raised.value.__cause__) is KeyError


async def test_a_bug_in_a_child_is_told_to_who_waits_for_its_parent(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    with pytest.raises(WorkflowTaskFailedError) as raised:
        await clocked.client.execute_workflow(
            parent_of, args=["broken_tomorrow", 0], id=task_queue, task_queue=task_queue
        )
    # It has been told: time passes for others.
    await clocked.sleep(DAY)
    assert raised.value.workflow_id == f"{task_queue}-child"
    assert str(raised.value) == (
        f"workflow '{task_queue}-child', a child workflow of '{task_queue}', cannot go on: its code raised KeyError: "
        "'a bug'"
    )
    assert type(raised.value.__cause__) is KeyError


async def test_a_bug_in_a_childs_child_is_told_to_blocking_clients(
    clocked: WorkflowEnvironment, task_queue: str
) -> None:
    with await clocked.connect_sync_client() as client:
        failures: list[BaseException] = []

        def wait() -> None:
            try:
                client.execute_workflow(grandparent, id=task_queue, task_queue=f"{task_queue}-old")
            except WorkflowTaskFailedError as error:
                failures.append(error)

        async with Worker(
            clocked.client, task_queue=f"{task_queue}-old", workflows=[grandparent, parent_of, broken_tomorrow]
        ):
            thread = threading.Thread(target=wait)
            thread.start()
            await asyncio.to_thread(thread.join, WITHIN)
        assert [type(error.__cause__) for error in failures] == [KeyError]
