"""Waits of test environments, which end when a workflow has a bug: what is waited for would never come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from invincible import _native
from invincible.service import RPCError

from ._call import native_call
from ._outcome import failure_of
from ._unserved import UnservedTasks

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

    from ._client import Client

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True

T = TypeVar("T")

# Seconds after which the reason is looked for why something does not come. Most comes sooner.
_PATIENCE = 1.0
# Seconds between looks for new child workflows: a few soon, then fewer.
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 2.0


async def unless_task_fails(
    client: Client, workflow_id: str, run_id: str, wait: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    """Waits for what a workflow does.

    Args:
        client: The client that waits.
        workflow_id: The workflow.
        run_id: Its run; empty for whichever is current.
        wait: Waits for it.

    Raises:
        WorkflowTaskFailedError: The workflow has a bug, or a child workflow that it waits for has.
        NoWorkerError: No worker takes a task of theirs.
    """
    return await _unless(_failure(client, workflow_id, run_id), wait)


async def unless_child_fails(
    client: Client, workflow_id: str, run_id: str, wait: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    """:func:`unless_task_fails` for waits that know of the workflow's own failures.

    Raises:
        WorkflowTaskFailedError: A child workflow has a bug, and the workflow waits for it.
        NoWorkerError: No worker takes a task of theirs.
    """
    return await _unless(_failure_of_children(client, workflow_id, run_id), wait)


async def _unless(failure: Coroutine[Any, Any, Exception], wait: Callable[[], Coroutine[Any, Any, T]]) -> T:
    waiting = asyncio.ensure_future(wait())
    watching = asyncio.ensure_future(failure)
    try:
        await asyncio.wait([waiting, watching], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise watching.result()
        return await waiting
    finally:
        waiting.cancel()
        watching.cancel()


async def _failure(client: Client, workflow_id: str, run_id: str) -> Exception:
    await asyncio.sleep(_PATIENCE)
    return await _first(_own_failure(client, workflow_id, run_id), _failure_of_children(client, workflow_id, run_id))


async def _own_failure(client: Client, workflow_id: str, run_id: str, *, parent: str | None = None) -> Exception:
    """The first failure of a workflow task. Never ends if there is none before the workflow ends."""
    request = _native.WorkflowResultRequest(
        namespace=client.namespace, workflow_id=workflow_id, run_id=run_id, follow_runs=True, task_failures=True
    )
    try:
        outcome = await native_call(client, _native.Client.workflow_result, request, {})
    except RPCError:
        outcome = None  # whoever waits has a call of their own, that says it better
    if outcome is not None and outcome.kind == "task_failed":
        return await failure_of(outcome, workflow_id, client._workflow_converter(workflow_id), parent)
    never: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    return await never


async def _failure_of_children(client: Client, workflow_id: str, run_id: str) -> Exception:
    watched: dict[str, asyncio.Future[Exception]] = {}
    unserved = UnservedTasks(client, workflow_id)
    pause = _FIRST_PAUSE
    try:
        while True:
            await asyncio.sleep(pause)
            described = await _described(client, workflow_id, run_id)
            if described is not None:
                no_worker = await unserved.error(described)
                if no_worker is not None:
                    return no_worker
                for child in described.pending_children:
                    child_id, child_run_id = child.workflow_id, child.run_id
                    if child_run_id and child_run_id not in watched:
                        watched[child_run_id] = asyncio.ensure_future(
                            _first(
                                _own_failure(client, child_id, child_run_id, parent=workflow_id),
                                _failure_of_children(client, child_id, ""),
                            )
                        )
            found = next((each for each in watched.values() if each.done()), None)
            if found is not None:
                return found.result()
            pause = min(pause * 2, _LONGEST_PAUSE)
    finally:
        for each in watched.values():
            each.cancel()


async def _described(client: Client, workflow_id: str, run_id: str) -> DescribeWorkflowExecutionResponse | None:
    from invincible.api.common.v1 import WorkflowExecution
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    try:
        return await client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution), retry=True
        )
    except RPCError:
        return None


async def _first(*coroutines: Coroutine[Any, Any, Exception]) -> Exception:
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
