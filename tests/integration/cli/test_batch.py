"""`invincible batch` on the real server."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from collections.abc import Iterator

import pytest

from invincible import workflow
from invincible.client import Client, WorkflowExecutionStatus
from invincible.service import RPCError, RPCStatusCode
from invincible.testing._server import ServerProcess
from invincible.worker import Worker
from tests.support.cli import Command
from tests.support.conditions import eventually
from tests.support.processes import Program


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


async def started(client: Client, count: int = 3) -> str:
    """Starts workflows that no worker has, and waits until a query finds them."""
    type = f"Type-{uuid.uuid4()}"
    for number in range(count):
        await client.start_workflow(type, id=f"{type}-{number}", task_queue="nobody")
    query = f"WorkflowType = '{type}'"

    async def found() -> bool:
        return (await client.count_workflows(query)).count == count

    await eventually(found, what="the workflows are found")
    return type


async def test_cancel_asks_first(command: Command, client: Client) -> None:
    type = await started(client)
    options = ("batch", "cancel", "--query", f"WorkflowType = '{type}'", "--reason", "wrong prices")
    refused = await command(*options, input="n\n", exit_code=1)
    assert "cancel 3 workflows in the namespace default? [y/N]" in refused.stderr
    assert refused.stderr.endswith("Error: nothing was done\n")
    said = await command.error(*options)
    assert said == "nothing was done: nobody answered; give --yes where there is nobody to ask"
    done = await command(*options, input="y\n")
    assert done.stdout.endswith("completed: 3 of 3 done\n")
    for number in range(3):
        described = await client.get_workflow_handle(f"{type}-{number}").describe()
        assert described.raw_description.workflow_extended_info.cancel_requested


async def test_signal_and_terminate(command: Command, client: Client) -> None:
    type = await started(client)
    options = ("--query", f"WorkflowType = '{type}'", "--reason", "wrong prices", "--yes")
    told = await command.json("batch", "signal", "reprice", "--input", '{"factor": 2}', *options)
    assert {**told, "job_id": None} == {"job_id": None, "status": "completed", "total": 3, "completed": 3, "failed": 0}
    history = await client.get_workflow_handle(f"{type}-1").fetch_history()
    [sent] = [each.workflow_execution_signaled_event_attributes for each in history.events if each.event_type == 26]
    assert sent.signal_name == "reprice"
    assert json.loads(sent.input.payloads[0].data) == {"factor": 2}

    await command("batch", "terminate", *options)
    described = await client.get_workflow_handle(f"{type}-1").describe()
    assert described.status is WorkflowExecutionStatus.TERMINATED


async def test_delete_ends_workflows_first(command: Command, client: Client) -> None:
    type = await started(client, 1)
    options = ("--query", f"WorkflowType = '{type}'", "--reason", "wrong prices", "--yes")
    told = await command.json("batch", "delete", *options, "--rps", "100")
    assert (told["status"], told["completed"]) == ("completed", 1)
    assert (await command.json("batch", "describe", told["job_id"]))["operation"] == "delete"

    async def ended() -> bool:
        try:
            described = await client.get_workflow_handle(f"{type}-0").describe()
        except RPCError as error:
            return error.status is RPCStatusCode.NOT_FOUND
        return described.status is WorkflowExecutionStatus.TERMINATED

    await eventually(ended, what="the workflow is terminated, or gone already")


@workflow.defn
async def waits() -> None:
    await asyncio.sleep(3600)


async def test_reset(command: Command, client: Client, task_queue: str) -> None:
    handle = await client.start_workflow(waits, id=task_queue, task_queue=task_queue)
    query = f"TaskQueue = '{task_queue}'"
    options = ("--query", query, "--reason", "fixed", "--yes")

    async def found() -> bool:
        history = await handle.fetch_history()
        is_waiting = any(each.HasField("timer_started_event_attributes") for each in history.events)
        return is_waiting and (await client.count_workflows(query)).count == 1

    async with Worker(client, task_queue=task_queue, workflows=[waits]):
        await eventually(found, what="the workflow waits")
        told = await command.json("batch", "reset", "--to", "first", "--no-signals", *options)
        assert (told["status"], told["completed"]) == ("completed", 1)
        described = await client.get_workflow_handle(task_queue).describe()
        assert described.run_id != handle.result_run_id
        await client.get_workflow_handle(task_queue).terminate()
    said = await command.error("batch", "reset", *options, exit_code=2)
    assert said == "give one of --to first, --to last and --build-id"


async def test_workflows_that_fail_make_the_command_fail(command: Command, client: Client) -> None:
    type = await started(client, 1)
    options = ("--query", f"WorkflowType = '{type}'", "--reason", "fixed", "--yes")
    # No workflow task was completed that they could be reset to.
    failed = await command("batch", "reset", "--to", "last", *options, exit_code=1)
    assert failed.stdout.endswith("completed: 0 of 1 done, 1 failed; the log of the server says why\n")


async def test_list_and_describe(command: Command, client: Client) -> None:
    type = await started(client, 1)
    query = f"WorkflowType = '{type}'"
    told = await command.json("batch", "terminate", "--query", query, "--reason", "why", "--yes", "--no-wait")
    assert (told["status"], told["total"]) == ("running", 1)
    job = told["job_id"]

    async def completed() -> dict[str, object]:
        found: dict[str, object] = await command.json("batch", "describe", job)
        assert found["status"] == "completed"
        return found

    found = await eventually(completed, what="the operation completes")
    shown = {key: found[key] for key in ("operation", "query", "reason", "total", "completed", "failed")}
    assert shown == {
        "operation": "terminate",
        "query": query,
        "reason": "why",
        "total": 1,
        "completed": 1,
        "failed": 0,
    }
    lines = (await command("batch", "describe", job)).stdout.splitlines()
    assert lines[0].split() == ["batch", "operation", job]
    assert any(line.split()[:4] == ["workflows", "1", "of", "1"] for line in lines)

    async def listed() -> bool:
        lines = (await command("batch", "list")).stdout.splitlines()
        return any(line.split()[:3] == [job, "terminate", "completed"] for line in lines)

    await eventually(listed, what="the operation is listed")
    assert job in [each["job_id"] for each in await command.json("batch", "list")]
    said = await command.error("batch", "stop", job, "--reason", "enough")
    assert said == f"batch operation '{job}' is not running: it has completed"


async def test_errors(command: Command) -> None:
    options = ("--reason", "why", "--yes")
    nothing = await command("batch", "cancel", "--query", "WorkflowType = 'no such'", *options)
    assert nothing.stdout == "no workflows match: nothing to do\n"
    told = await command.json("batch", "cancel", "--query", "WorkflowType = 'no such'", *options)
    assert (told["job_id"], told["total"]) == (None, 0)
    assert "invalid query" in await command.error("batch", "cancel", "--query", "nonsense", *options)
    said = await command.error("batch", "signal", "s", "--input", "{a", "--query", "x", *options, exit_code=2)
    assert said.startswith("--input is no JSON")
    missing = "there is no batch operation 'nothing' in the namespace 'default'"
    assert await command.error("batch", "describe", "nothing") == missing
    assert await command.error("batch", "stop", "nothing", "--reason", "why") == missing
    said = await command.error("batch", "list", "--address", "127.0.0.1:1")
    assert said.startswith("cannot connect to 127.0.0.1:1")


@pytest.fixture
def slow_server() -> Iterator[ServerProcess]:
    """A server that does one thing per second in batches, after the first few."""
    server = ServerProcess(["--port", "0", "--headless", "--dynamic-config-value", "worker.batcherRPS=1"])
    yield server
    server.stop()


async def test_an_interrupt_leaves_the_operation_running_and_stop_stops_it(slow_server: ServerProcess) -> None:
    address = slow_server.ready.grpc
    client, command = await Client.connect(address), Command(address)
    type = await started(client, 40)
    options = ("--query", f"WorkflowType = '{type}'", "--reason", "why", "--yes", "--address", address)
    async with Program(sys.executable, "-m", "invincible", "batch", "terminate", *options) as program:

        async def running() -> str:
            found = await command.json("batch", "list")
            return next((each["job_id"] for each in found if each["status"] == "running"), "")

        job = await eventually(running, what="the operation runs")
        # Before this line the command may not know yet that the server has taken the operation.
        await program.line("terminate 40 workflows")
        program.send(signal.SIGINT)
        assert await program.exit_code() == 130
        assert f"stop it:            invincible batch stop {job} --reason TEXT" in program.output
    assert (await command.json("batch", "describe", job))["status"] == "running"
    assert (await command("batch", "stop", job, "--reason", "enough")).stdout == f"batch operation {job} stopped\n"

    async def stopped() -> bool:
        state: str = (await command.json("batch", "describe", job))["status"]
        return state != "running"

    await eventually(stopped, what="the operation is stopped")
    assert (await client.count_workflows(f"WorkflowType = '{type}' AND ExecutionStatus = 'Running'")).count > 0


async def test_a_server_that_goes_away(slow_server: ServerProcess) -> None:
    client, command = await Client.connect(slow_server.ready.grpc), Command(slow_server.ready.grpc)
    type = await started(client, 40)
    options = ("--query", f"WorkflowType = '{type}'", "--reason", "why", "--yes", "--address", slow_server.ready.grpc)
    async with Program(sys.executable, "-m", "invincible", "batch", "terminate", *options) as program:

        async def running() -> bool:
            return any(each["status"] == "running" for each in await command.json("batch", "list"))

        await eventually(running, what="the operation runs")
        await asyncio.to_thread(slow_server.stop)
        assert await program.exit_code(timeout=90) == 1
        assert "The batch operation may go on all the same." in program.output
