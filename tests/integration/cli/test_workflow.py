"""`invincible workflow` on the real server: starting workflows and talking to them."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from invincible.api.operatorservice.v1 import AddSearchAttributesRequest
from invincible.api.workflowservice.v1 import PauseWorkflowExecutionRequest
from invincible.client import Client, WorkflowExecutionStatus
from invincible.common import SearchAttributeIndexedValueType
from invincible.worker import Worker
from tests.support.cli import Command, run
from tests.support.conditions import eventually

from .workflow_orders import ACTIVITIES, Order


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=ACTIVITIES):
        yield


@pytest.fixture
async def waiting(client: Client, task_queue: str, worker: None) -> str:
    """A workflow that waits to be approved."""
    handle = await client.start_workflow(Order.run, args=["wait"], id=new_id(), task_queue=task_queue)
    return handle.id


def new_id() -> str:
    return f"order-{uuid.uuid4()}"


@pytest.mark.usefixtures("worker")
async def test_execute_prints_the_result_alone(command: Command, task_queue: str) -> None:
    arguments = ("workflow", "execute", "Order", "-t", task_queue, "-i", '"done"', "-i", '"a \\u00fc"')
    result = await command(*arguments)
    assert result.stdout == '[\n  "reserved a ü",\n  2\n]\n'
    found = await command.json(*arguments, "--id", "my order")
    assert found.pop("run_id")
    assert found == {"workflow_id": "my order", "status": "completed", "result": ["reserved a ü", 2]}


@pytest.mark.usefixtures("worker")
async def test_execute_of_a_workflow_that_fails_draws_the_causes(command: Command, task_queue: str) -> None:
    arguments = ("workflow", "execute", "Order", "-t", task_queue, "-i", '"fail"')
    result = await command(*arguments, "--id", "fails", exit_code=1)
    lines = [line for line in result.stderr.splitlines() if not line.lstrip().startswith("at ")]
    assert result.stdout == ""
    assert lines == [
        "workflow 'fails' failed",
        "  activity refuse failed",
        '  caused by CardError: card declined (not retryable, details {"limit": 100})',
        "  caused by KeyError: 'limit'",
    ]
    assert re.search(r"^    at .*workflow_orders\.py:\d+, in refuse$", result.stderr, re.MULTILINE)
    assert "raise ApplicationError" in (await command(*arguments, "--full", exit_code=1)).stderr
    found = await command.json(*arguments, exit_code=1)
    assert found["status"] == "failed"
    assert found["failure"]["cause"]["message"] == "card declined"


async def test_start_takes_all_options(command: Command, client: Client, task_queue: str) -> None:
    workflow_id = new_id()
    options = {
        "--id": workflow_id,
        "--execution-timeout": "1h",
        "--run-timeout": "30m",
        "--task-timeout": "5s",
        "--memo": 'note={"a": [1]}',
        "--static-summary": "a summary",
        "--static-details": "some details",
        "--start-delay": "2h",
        "--priority-key": "2",
        "--fairness-key": "ada",
        "--fairness-weight": "1.5",
        "--id-reuse-policy": "reject-duplicate",
        "--id-conflict-policy": "fail",
        "--retry-maximum-attempts": "4",
        "--input": "1",
        "--input-meta": "note=mine",
        "--identity": "a tester",
    }
    found = await command.json(
        "workflow", "start", "Order", "-t", task_queue, *(each for pair in options.items() for each in pair)
    )
    assert found["workflow_id"] == workflow_id
    assert (found["workflow_type"], found["task_queue"], found["namespace"]) == ("Order", task_queue, "default")
    handle = client.get_workflow_handle(workflow_id)
    description = await handle.describe()
    assert description.run_id == found["run_id"]
    assert await description.memo() == {"note": {"a": [1]}}
    assert (await description.static_summary(), await description.static_details()) == ("a summary", "some details")
    [event, *_] = (await handle.fetch_history()).events
    started = event.workflow_execution_started_event_attributes
    assert started.workflow_execution_timeout.seconds == 3600
    assert started.workflow_run_timeout.seconds == 1800
    assert started.workflow_task_timeout.seconds == 5
    assert started.first_workflow_task_backoff.seconds == 7200
    assert started.retry_policy.maximum_attempts == 4
    assert (started.priority.priority_key, started.priority.fairness_key) == (2, "ada")
    assert started.identity == "a tester"
    [payload] = started.input.payloads
    assert (payload.data, payload.metadata["note"]) == (b"1", b"mine")


async def test_search_attributes_have_the_types_of_the_server(
    command: Command, client: Client, address: str, task_queue: str
) -> None:
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default",
            search_attributes={
                "CliWhole": SearchAttributeIndexedValueType.INT,  # type: ignore[dict-item]
                "CliWords": SearchAttributeIndexedValueType.KEYWORD_LIST,  # type: ignore[dict-item]
            },
        )
    )
    start = ("workflow", "start", "Order", "-t", task_queue)
    given = ("--search-attribute", "CliWhole=17", "--search-attribute", 'CliWords=["a", "b"]')

    async def started() -> str | None:
        # It takes servers a moment until they know of new ones.
        result = await asyncio.to_thread(run, *start, *given, "--json", address=address)
        return json.loads(result.stdout)["workflow_id"] if result.exit_code == 0 else None

    workflow_id = await eventually(started, what="the search attributes are known")
    found = await command.json("workflow", "describe", workflow_id)
    assert found["search_attributes"] == {"CliWhole": 17, "CliWords": ["a", "b"]}
    said = await command.error(*start, "--search-attribute", 'CliWhole="x"', exit_code=2)
    assert "CliWhole" in said


async def test_start_of_an_id_that_is_taken_says_what_to_do(command: Command, task_queue: str) -> None:
    start = ("workflow", "start", "Order", "-t", task_queue, "--id", new_id())
    first = await command.json(*start)
    assert f"exists already as run {first['run_id']}" in await command.error(*start)
    again = await command.json(*start, "--id-conflict-policy", "use-existing")
    assert again["run_id"] == first["run_id"]
    assert (await command.json(*start, "--id-conflict-policy", "terminate-existing"))["run_id"] != first["run_id"]


@pytest.mark.usefixtures("worker")
async def test_start_with_a_signal(command: Command, task_queue: str) -> None:
    found = await command.json(
        *("workflow", "execute", "Order", "-t", task_queue, "-i", '"wait"'),
        *("--start-signal", "approve", "--start-signal-input", '"Ada"'),
    )
    assert found["result"] == {"approved by": "Ada"}


async def test_signal_query_update_and_result(command: Command, waiting: str) -> None:
    assert (await command("workflow", "query", waiting, "approver")).stdout == "null\n"
    stack = (await command("workflow", "stack", waiting)).stdout
    assert "workflow_orders.py" in stack
    assert "in run" in stack
    answer = await command.json("workflow", "update", waiting, "approve_now", "-i", '"Ada"', "--update-id", "u1")
    assert answer == {
        "workflow_id": waiting,
        "update": "approve_now",
        "update_id": "u1",
        "status": "completed",
        "result": "thanks, Ada",
    }
    assert (await command("workflow", "result", waiting)).stdout == '{\n  "approved by": "Ada"\n}\n'
    # The workflow has closed, and still answers.
    answered = await command.json("workflow", "query", waiting, "approver", "-i", '"it was "')
    assert answered["result"] == "it was Ada"
    rejected = await command.error("workflow", "query", waiting, "approver", "--reject-condition", "not-open")
    assert rejected == f"query approver was rejected: workflow '{waiting}' is completed"


async def test_a_signal_ends_the_wait(command: Command, waiting: str) -> None:
    sent = await command("workflow", "signal", waiting, "approve", "-i", '"Bob"')
    assert sent.stdout == f"sent signal approve to workflow '{waiting}'\n"
    assert (await command.json("workflow", "result", waiting))["result"] == {"approved by": "Bob"}
    assert "already completed" in await command.error("workflow", "signal", waiting, "approve", "-i", '"Bob"')


async def test_handlers_that_fail(command: Command, waiting: str) -> None:
    assert await command.error("workflow", "query", waiting, "broken") == "query broken failed: no idea"
    assert "its queries are: approver, broken" in await command.error("workflow", "query", waiting, "nope")
    result = await command("workflow", "update", waiting, "approve_now", "-i", '""', exit_code=1)
    assert result.stderr.splitlines()[:2] == [
        f"update approve_now of workflow '{waiting}' failed",
        "  Nobody: nobody approves",
    ]
    found = await command.json("workflow", "update", waiting, "nope", exit_code=1)
    assert (found["status"], found["failure"]["applicationFailureInfo"]["type"]) == ("failed", "LookupError")


async def test_an_update_that_is_only_accepted(command: Command, waiting: str) -> None:
    result = await command("workflow", "update", waiting, "approve_now", "-i", '"Ada"', "--start-only")
    assert result.stdout.startswith(f"workflow '{waiting}' accepted update approve_now (id ")


async def test_nobody_answers(command: Command, task_queue: str) -> None:
    workflow_id = new_id()
    await command("workflow", "start", "Order", "-t", task_queue, "--id", workflow_id)
    said = await command.error("workflow", "query", workflow_id, "approver", "--timeout", "300ms")
    assert said.startswith(f"no worker answered query approver of workflow '{workflow_id}' in time")
    said = await command.error("workflow", "update", workflow_id, "approve_now", "--timeout", "300ms")
    assert said == f"update approve_now of workflow '{workflow_id}' was not completed in time"
    said = await command.error("workflow", "result", workflow_id, "--timeout", "300ms")
    assert said.startswith(f"workflow '{workflow_id}' did not end in 300ms. It goes on.")
    assert f"invincible workflow show {workflow_id} --follow" in said
    # What it says to do is about the same server and namespace; secrets are not repeated.
    result = ("workflow", "result", workflow_id, "--timeout", "300ms", "-n", "default", "--grpc-meta", "a=secret")
    said = await command.error(*result, "--no-tls")
    assert f"invincible workflow show {workflow_id} --namespace default --no-tls --follow" in said
    assert "secret" not in said


async def test_cancel_and_terminate(command: Command, client: Client, waiting: str, task_queue: str) -> None:
    assert (await command.json("workflow", "cancel", waiting, "--reason", "enough"))["cancellation_requested"] is True
    result = await command("workflow", "result", waiting, exit_code=1)
    assert result.stderr.splitlines()[0] == f"workflow '{waiting}' was cancelled"
    assert (await command.json("workflow", "result", waiting, exit_code=1))["status"] == "canceled"

    other = new_id()
    await command("workflow", "start", "Order", "-t", task_queue, "--id", other, "-i", '"sleep"')
    await command("workflow", "terminate", other, "--reason", "\x1b[31mred")
    result = await command("workflow", "result", other, exit_code=1)
    assert result.stderr == f"workflow '{other}' was terminated\n  reason: \\x1b[31mred\n"
    assert (await client.get_workflow_handle(other).describe()).status is WorkflowExecutionStatus.TERMINATED


async def test_reset(command: Command, client: Client, waiting: str) -> None:
    # What comes before the first workflow task is over is a part of that: an answer shows that it is.
    assert (await command("workflow", "query", waiting, "approver")).stdout == "null\n"
    await command("workflow", "signal", waiting, "approve", "-i", '"Ada"')
    first = await command.json("workflow", "result", waiting)
    new = await command.json("workflow", "reset", waiting, "--to", "first", "--reason", "again", "--no-signals")
    assert new["run_id"] not in (None, first["run_id"])
    assert (await client.get_workflow_handle(waiting).describe()).status is WorkflowExecutionStatus.RUNNING
    # Without the signal it waits again.
    assert (await command("workflow", "query", waiting, "approver")).stdout == "null\n"
    said = await command.error("workflow", "reset", waiting, "--before-activity", "reserve")
    assert said.endswith("cannot be reset before activity 'reserve': its history has no activities")
    assert "that is no event of a workflow task" in await command.error("workflow", "reset", waiting, "--event-id", 1)


async def test_reset_wants_one_point(command: Command) -> None:
    for options in ((), ("--to", "last", "--event-id", "3")):
        said = await command.error("workflow", "reset", "some", *options, exit_code=2)
        assert "one of --to first, --to last, --before-activity" in said
    said = await command.error("workflow", "reset", "some", "--to", "last", "--occurrence", "2", exit_code=2)
    assert said == "--occurrence is for --before-activity"


async def test_delete_asks_first(command: Command, client: Client, waiting: str) -> None:
    refused = await command("workflow", "delete", waiting, input="n\n", exit_code=1)
    assert f"delete workflow '{waiting}'" in refused.output
    assert (await client.get_workflow_handle(waiting).describe()).status is WorkflowExecutionStatus.RUNNING
    assert (await command.json("workflow", "delete", waiting, "--yes"))["deleted"] is True

    async def is_gone() -> bool:
        said = await command("workflow", "describe", waiting, exit_code=1)
        return "not found" in said.stderr

    await eventually(is_gone, what="the workflow is deleted")


async def test_list_and_count(command: Command, client: Client, task_queue: str) -> None:
    ids = {f"{new_id()}-\x1b[31m" for _ in range(5)}
    for workflow_id in ids:
        await client.start_workflow("Order", id=workflow_id, task_queue=task_queue)
    query = ("-q", f"TaskQueue = '{task_queue}'")

    async def all_are_found() -> bool:
        found: Any = await command.json("workflow", "count", *query)
        return bool(found == {"count": 5})

    await eventually(all_are_found, what="the workflows are indexed")
    found = await command.json("workflow", "list", *query, "--page-size", "2")
    assert {each["workflow_id"] for each in found} == ids
    assert {each["status"] for each in found} == {"running"}
    assert len(await command.json("workflow", "list", *query, "--limit", "3")) == 3
    heading, *rows = (await command("workflow", "list", *query)).stdout.splitlines()
    assert heading.split() == ["STATUS", "ID", "TYPE", "QUEUE", "STARTED", "CLOSED"]
    assert {row.split()[1] for row in rows} == {workflow_id.replace("\x1b", "\\x1b") for workflow_id in ids}
    groups = await command("workflow", "count", "-q", f"{query[1]} GROUP BY ExecutionStatus")
    assert groups.stdout.split() == ["COUNT", "GROUP", "5", "Running", "5", "all"]
    assert await command.json("workflow", "list", "-q", "WorkflowId = 'nobody'") == []
    assert "invalid search attribute: Nonsense" in await command.error("workflow", "list", "-q", "Nonsense = 1")


async def test_describe(command: Command, waiting: str, task_queue: str) -> None:
    text = (await command("workflow", "describe", waiting)).stdout
    assert text.startswith(f"id            {waiting}\n")
    assert f"queue         {task_queue}\n" in text
    found = await command.json("workflow", "describe", waiting)
    assert (found["status"], found["workflow_type"], found["pending_activities"]) == ("running", "Order", [])


async def test_describe_tells_what_is_waited_for(command: Command, task_queue: str) -> None:
    workflow_id = new_id()
    await command("workflow", "start", "Order", "-t", task_queue, "--id", workflow_id, "--memo", 'a={"b": 1}')
    text = (await command("workflow", "describe", workflow_id)).stdout
    assert 'memo a        {"b": 1}\n' in text
    assert "workflow task  no worker has taken it for " in text
    assert (await command.json("workflow", "describe", workflow_id))["memo"] == {"a": {"b": 1}}


async def test_a_workflow_that_is_paused(command: Command, client: Client, waiting: str) -> None:
    await client.workflow_service.pause_workflow_execution(
        PauseWorkflowExecutionRequest(
            namespace="default", workflow_id=waiting, reason="audit", identity="ada", request_id="1"
        )
    )
    assert (await client.get_workflow_handle(waiting).describe()).status is WorkflowExecutionStatus.PAUSED
    text = (await command("workflow", "describe", waiting)).stdout
    assert re.search(r"^status +paused$", text, re.MULTILINE)
    assert re.search(r"^paused +.* by ada: audit$", text, re.MULTILINE)
    found = await command.json("workflow", "describe", waiting)
    assert (found["status"], found["pause_info"]["reason"]) == ("paused", "audit")
    shown = (await command("workflow", "show", waiting)).stdout
    assert re.search(r"^waits for somebody to unpause it: paused for \S+ by ada: audit$", shown, re.MULTILINE)

    async def is_listed() -> bool:
        [listed] = await command.json("workflow", "list", "-q", f"WorkflowId = '{waiting}'")
        return bool(listed["status"] == "paused")

    await eventually(is_listed, what="the workflow is listed as paused")


COMMANDS = {
    "result": (),
    "show": (),
    "describe": (),
    "signal": ("approve",),
    "query": ("approver",),
    "update": ("approve_now",),
    "cancel": (),
    "terminate": (),
    "reset": ("--to", "first"),
    "delete": ("--yes",),
    "stack": (),
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_workflow_that_is_missing(command: Command, name: str) -> None:
    said = await command.error("workflow", name, "no-such-workflow", *COMMANDS[name])
    assert "not found" in said


@pytest.mark.parametrize("name", [*COMMANDS, "start", "execute", "list", "count"])
async def test_a_server_that_is_missing(unused_tcp_port: int, name: str) -> None:
    ids = {"start": ("Order", "-t", "orders"), "execute": ("Order", "-t", "orders"), "list": (), "count": ()}
    arguments = ids.get(name, ("some-workflow", *COMMANDS.get(name, ())))
    said = await Command(f"127.0.0.1:{unused_tcp_port}").error("workflow", name, *arguments)
    assert said.startswith(f"cannot connect to 127.0.0.1:{unused_tcp_port}: ")
    assert "Is a server running there?" in said
    assert "could not connect" not in said


@pytest.mark.parametrize(
    "arguments",
    [
        ("start", "Order", "-t", "orders"),
        ("execute", "Order", "-t", "orders"),
        ("signal", "some", "approve"),
        ("query", "some", "approver"),
        ("update", "some", "approve_now"),
    ],
)
async def test_wrong_json_is_named_before_anything_is_sent(unused_tcp_port: int, arguments: tuple[str, ...]) -> None:
    command = Command(f"127.0.0.1:{unused_tcp_port}")
    said = await command.error("workflow", *arguments, "-i", "1", "-i", '{"a": 1,}', exit_code=2)
    assert said.startswith("--input number 2 is no JSON: ")
    assert said.endswith(': {"a": 1,}')


async def test_wrong_values_of_options(command: Command, task_queue: str) -> None:
    start = ("workflow", "start", "Order", "-t", task_queue)
    assert "--memo takes NAME=JSON" in await command.error(*start, "--memo", "x", exit_code=2)
    assert "--memo a is no JSON" in await command.error(*start, "--memo", "a=x", exit_code=2)
    said = await command.error(*start, "--search-attribute", "NoSuch=1", exit_code=2)
    assert "no search attribute 'NoSuch'" in said
    said = await command.error(*start, "--start-signal-input", "1", exit_code=2)
    assert said == "--start-signal-input is for --start-signal: give it too"
    assert "Namespace nowhere is not found" in await command.error("workflow", "list", "-n", "nowhere")


@pytest.mark.usefixtures("worker")
async def test_a_run_that_goes_on_as_another(command: Command, task_queue: str) -> None:
    start = ("workflow", "start", "Order", "-t", task_queue, "-i", '"again"', "--id", new_id())
    started = await command.json(*start)
    result = ("workflow", "result", started["workflow_id"], "--run-id", started["run_id"])
    assert (await command.json(*result))["result"] == ["reserved a book", 2]
    stopped = await command.json(*result, "--no-follow")
    assert (stopped["status"], stopped["run_id"]) == ("continued_as_new", started["run_id"])
    assert stopped["new_run_id"] != started["run_id"]
