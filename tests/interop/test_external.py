"""Python workflows that signal and cancel workflows of a Go worker."""

from __future__ import annotations

from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowFailureError
from invincible.exceptions import ApplicationError, CancelledError
from invincible.worker import Worker

from .replaying import assert_replays


@workflow.defn
class Steering:
    """Signals another workflow, or cancels it, and tells what became of that."""

    @workflow.run
    async def run(self, workflow_id: str, run_id: str | None, words: str | None) -> str:
        other = workflow.get_external_workflow_handle(workflow_id, run_id=run_id)
        try:
            if words is None:
                await other.cancel()
            else:
                await other.signal("release", words)
        except ApplicationError as error:
            return error.type or "an error without a type"
        return "done"


async def test_a_signal_arrives(client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]) -> None:
    other = await client.start_workflow("Hold", {}, id=f"{task_queue}-other", task_queue=go_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Steering], **worker_options):
        handle = await client.start_workflow(
            Steering.run, args=[other.id, None, "words"], id=task_queue, task_queue=task_queue
        )
        assert await handle.result() == "done"
    assert await other.result() == "words"
    await assert_replays(handle, Steering)


async def test_a_cancellation_request_arrives(
    client: Client, task_queue: str, go_queue: str, worker_options: dict[str, Any]
) -> None:
    other = await client.start_workflow("Hold", {}, id=f"{task_queue}-other", task_queue=go_queue)
    async with Worker(client, task_queue=task_queue, workflows=[Steering], **worker_options):
        handle = await client.start_workflow(
            Steering.run, args=[other.id, other.result_run_id, None], id=task_queue, task_queue=task_queue
        )
        assert await handle.result() == "done"
    with pytest.raises(WorkflowFailureError) as raised:
        await other.result()
    assert isinstance(raised.value.cause, CancelledError)
    await assert_replays(handle, Steering)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("words", "ExternalWorkflowExecutionNotFound"),
        (None, "ExternalWorkflowExecutionNotFound"),
    ],
)
async def test_nobody_is_there(
    client: Client, task_queue: str, worker_options: dict[str, Any], words: str | None, error: str
) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[Steering], **worker_options):
        handle = await client.start_workflow(
            Steering.run, args=[f"{task_queue}-nobody", None, words], id=task_queue, task_queue=task_queue
        )
        assert await handle.result() == error
    await assert_replays(handle, Steering)
