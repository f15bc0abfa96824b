"""`invincible activity` on the real server."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible.api.enums.v1 import PendingActivityState
from invincible.client import Client, WorkflowFailureError, WorkflowHandle
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError
from invincible.worker import Worker
from tests.support import standalone_activities
from tests.support.cli import Command
from tests.support.conditions import eventually

MINUTE = timedelta(minutes=1)

# Task tokens of activities that were left to others, by workflow id.
_tokens: dict[str, bytes] = {}


@activity.defn(start_to_close_timeout=MINUTE, retry_policy=RetryPolicy(maximum_attempts=1))
async def approval() -> dict[str, Any]:
    info = activity.info()
    _tokens[info.workflow_id or ""] = info.task_token
    activity.raise_complete_async()


@activity.defn(
    start_to_close_timeout=MINUTE,
    retry_policy=RetryPolicy(initial_interval=timedelta(hours=1), maximum_interval=timedelta(hours=1)),
)
async def flaky() -> None:
    raise ApplicationError("not yet")


@workflow.defn
async def asks() -> dict[str, Any]:
    return await workflow.execute_activity(approval, activity_id="approval")


@workflow.defn
async def tries() -> None:
    await workflow.execute_activity(flaky, activity_id="flaky")


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[asks, tries], activities=[approval, flaky]):
        yield


async def asked(client: Client, task_queue: str) -> WorkflowHandle[Any, dict[str, Any]]:
    """A workflow that waits for the approval."""
    handle = await client.start_workflow(asks, id=f"asks-{uuid.uuid4()}", task_queue=task_queue)

    async def released() -> bytes | None:
        return _tokens.get(handle.id)

    await eventually(released, what="the activity is left to others")
    return handle


@pytest.mark.usefixtures("worker")
async def test_complete_by_ids_and_by_token(command: Command, client: Client, task_queue: str) -> None:
    handle = await asked(client, task_queue)
    options = ("--workflow-id", handle.id, "--result", ' {"granted": true} ')
    done = await command("activity", "complete", "approval", *options)
    assert done.stdout == f"activity 'approval' of workflow '{handle.id}' completed\n"
    assert await handle.result() == {"granted": True}
    said = await command.error("activity", "complete", "approval", *options)
    assert said.startswith(
        f"activity 'approval' of workflow '{handle.id}' cannot be found in the namespace 'default': "
    )
    for form in (bytes.hex, lambda token: base64.b64encode(token).decode()):
        handle = await asked(client, task_queue)
        token = form(_tokens[handle.id])
        done = await command("activity", "complete", "--task-token", token, "--result", "{}")
        assert done.stdout == "the activity of this task token completed\n"
        assert await handle.result() == {}


@pytest.mark.usefixtures("worker")
async def test_fail(command: Command, client: Client, task_queue: str) -> None:
    handle = await asked(client, task_queue)
    told = await command.json(
        *("activity", "fail", "approval", "--workflow-id", handle.id, "--reason", "refused", "--identity", "Ada"),
        *("--detail", '{"by": "Ada"}', "--detail", "7", "--error-type", "Refused", "--non-retryable"),
    )
    assert told == {"activity_id": "approval", "workflow_id": handle.id, "run_id": None, "failed": True}
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, ActivityError)
    assert raised.value.cause.identity == "Ada"
    error = raised.value.cause.cause
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("refused", "Refused", True)
    assert list(error.details) == [{"by": "Ada"}, 7]


async def pending(handle: WorkflowHandle[Any, Any]) -> Any:
    found = (await handle.describe()).raw_description.pending_activities
    assert len(found) == 1
    return found[0]


@pytest.mark.usefixtures("worker")
async def test_activities_of_a_workflow_are_paused_changed_and_reset(
    command: Command, client: Client, task_queue: str
) -> None:
    handle = await client.start_workflow(tries, id=f"tries-{uuid.uuid4()}", task_queue=task_queue)
    target = ("flaky", "--workflow-id", handle.id)

    async def waits_for(attempt: int) -> None:
        async def waits() -> bool:
            found = await pending(handle)
            assert found.attempt == attempt
            assert found.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
            return True

        await eventually(waits, what=f"it waits for attempt {attempt}")

    await waits_for(2)
    done = await command("activity", "pause", *target, "--reason", "wait")
    assert done.stdout == f"activity 'flaky' of workflow '{handle.id}' paused\n"
    assert (await pending(handle)).paused
    done = await command("activity", "unpause", "--type", "flaky", "--workflow-id", handle.id)
    assert done.stdout == f"activities 'flaky' of workflow '{handle.id}' unpaused\n"
    await waits_for(3)  # the next attempt begins at once

    options = await command.json("activity", "update-options", *target, "--start-to-close-timeout", "7s")
    assert options["start_to_close_timeout"] == 7.0
    options = await command.json("activity", "update-options", *target, "--retry-initial-interval", "2h")
    assert options["retry_policy"]["initial_interval"] == 7200.0
    restored = await command("activity", "update-options", *target, "--restore-original-options")
    assert [line for line in restored.stdout.splitlines() if re.fullmatch("start to close timeout +1m", line)]

    told = await command.json("activity", "reset", *target)
    assert told["reset"] is True
    await waits_for(2)
    await handle.terminate()


async def test_standalone_activities(command: Command, client: Client, task_queue: str) -> None:
    id = f"activity-{uuid.uuid4()}"
    async with standalone_activities.worker(client, task_queue):
        await client.start_activity("double", 21, id=id, task_queue=task_queue, start_to_close_timeout=MINUTE)
        assert (await command("activity", "result", id)).stdout == "42\n"
        told = await command.json("activity", "result", id)
        assert told == {"activity_id": id, "run_id": None, "status": "completed", "result": 42}
        described = await command.json("activity", "describe", id)
        shown = {
            key: described[key] for key in ("activity_id", "activity_type", "status", "input", "result", "attempt")
        }
        assert shown == {
            "activity_id": id,
            "activity_type": "double",
            "status": "completed",
            "input": [21],
            "result": 42,
            "attempt": 1,
        }
        lines = (await command("activity", "describe", id)).stdout.splitlines()
        assert ["type", "double(21)"] in [line.split() for line in lines]

        async def listed() -> bool:
            lines = (await command("activity", "list", "--query", f"TaskQueue = '{task_queue}'")).stdout.splitlines()
            return [line.split()[:3] for line in lines[1:]] == [["completed", id, "double"]]

        await eventually(listed, what="the activity is listed")
        [found] = await command.json("activity", "list", "--query", f"TaskQueue = '{task_queue}'")
        assert (found["activity_id"], found["status"]) == (id, "completed")
        assert (await command("activity", "count", "--query", f"TaskQueue = '{task_queue}'")).stdout == "1\n"
        grouped = await command.json("activity", "count", "--query", "GROUP BY ExecutionStatus")
        assert ["Completed"] in [group["values"] for group in grouped["groups"]]


async def test_standalone_activities_that_fail(command: Command, client: Client, task_queue: str) -> None:
    id = f"activity-{uuid.uuid4()}"
    async with standalone_activities.worker(client, task_queue):
        await client.start_activity("refuse", "no", id=id, task_queue=task_queue, start_to_close_timeout=MINUTE)
        failed = await command("activity", "result", id, exit_code=1)
        assert failed.stdout == ""
        assert failed.stderr.startswith(f"activity '{id}' failed\n")
        assert "Refused: no" in failed.stderr
        told = await command.json("activity", "result", id, exit_code=1)
        assert (told["status"], told["failure"]["message"]) == ("failed", "no")
        assert (await command.json("activity", "describe", id))["failure"]["message"] == "no"
        assert "Refused: no" in (await command("activity", "describe", id)).stdout


async def test_standalone_activities_are_stopped(command: Command, client: Client, task_queue: str) -> None:
    id = f"activity-{uuid.uuid4()}"
    handle = await client.start_activity("nobody", id=id, task_queue=task_queue, start_to_close_timeout=MINUTE)
    assert (await command("activity", "pause", id)).stdout == f"activity '{id}' paused\n"
    assert (await command.json("activity", "describe", id))["run_state"] == "paused"
    await command("activity", "unpause", id, "--jitter", "1s")
    await command("activity", "reset", id)
    options = await command.json("activity", "update-options", id, "--heartbeat-timeout", "5s", "--task-queue", "other")
    assert (options["heartbeat_timeout"], options["task_queue"]) == (5.0, "other")
    said = await command.error("activity", "result", id, "--timeout", "1s")
    assert said == f"activity '{id}' did not end in 1s. It goes on."
    asked = await command("activity", "cancel", id, "--reason", "why")
    assert asked.stdout == f"asked activity '{id}' to stop\n"
    second = f"activity-{uuid.uuid4()}"
    await client.start_activity("nobody", id=second, task_queue=task_queue, start_to_close_timeout=MINUTE)
    assert (await command("activity", "terminate", second)).stdout == f"terminated activity '{second}'\n"
    assert (await command.json("activity", "describe", second))["status"] == "terminated"
    assert (await handle.describe()).canceled_reason == "why"


async def test_errors(command: Command) -> None:
    for name in ("describe", "result", "cancel", "terminate", "pause", "unpause", "reset"):
        said = await command.error("activity", name, "nothing")
        assert said.startswith("activity 'nothing' cannot be found in the namespace 'default': ")
    said = await command.error("activity", "complete", "a", "--workflow-id", "nothing")
    assert said.startswith("activity 'a' of workflow 'nothing' cannot be found in the namespace 'default': ")
    said = await command.error("activity", "pause", "a", "--workflow-id", "nothing")
    assert said.startswith("activity 'a' of workflow 'nothing' cannot be found in the namespace 'default': ")
    said = await command.error("activity", "list", "--address", "127.0.0.1:1")
    assert said.startswith("cannot connect to 127.0.0.1:1")
    assert "invalid query" in await command.error("activity", "list", "--query", "nonsense")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["complete"], "give the ID of the activity, with the --workflow-id of its workflow, or --task-token"),
        (["complete", "a", "--task-token", "00"], "--task-token names an activity by itself: give no ids"),
        (["complete", "--task-token", "!"], "--task-token is neither hex nor Base64"),
        (["complete", "a", "--result", "{a"], "--result is no JSON: Expecting property name"),
        (["fail", "a", "--reason", "r", "--detail", "x"], "--detail is no JSON"),
        (["fail", "a"], "Missing option '--reason'"),
        (["pause"], "give the ID of the activity, or --type with --workflow-id"),
        (["pause", "--type", "a"], "--type is for the activities of a workflow: give --workflow-id too"),
        (["update-options", "a"], "give options to change, or --restore-original-options alone"),
        (["update-options", "a", "--heartbeat-timeout", "soon"], "'soon' is no duration"),
        (["update-options", "a", "--retry-maximum-interval", "1ms"], "interval cannot be less than initial interval"),
        (
            ["update-options", "a", "--heartbeat-timeout", "1s", "--unset", "heartbeat-timeout"],
            "--unset heartbeat-timeout contradicts the value that is given",
        ),
    ],
)
async def test_wrong_usage(command: Command, arguments: list[str], message: str) -> None:
    assert message in await command.error("activity", *arguments, exit_code=2)
