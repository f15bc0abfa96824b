"""`invincible dev`: what it makes of edits."""

from __future__ import annotations

import signal
import uuid
from pathlib import Path

import pytest

from invincible.client import Client, WorkflowFailureError
from tests.support.conditions import eventually
from tests.support.dev import ORDERS, SLOW, Dev, gone, has, order, running, write
from tests.support.processes import worker_processes


async def test_an_edit_reloads_and_workflows_in_flight_go_on(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    async with running(project, address, task_queue) as dev:
        handle = await order(client, task_queue)
        await has(handle, "EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
        edited = ORDERS.replace("return receipt", 'return receipt + ", shipped"')
        write(project, edited + "\n\n@activity.defn\nasync def refund() -> None: ...\n")
        reloaded = await dev.event("reloaded")
        assert reloaded["files"] == ["orders.py"]
        assert reloaded["activities"] == ["charge", "refund"]
        assert "1 workflow, 2 activities (+ refund)" in reloaded["message"]
        await handle.signal("ship")
        assert await handle.result() == "Ada paid 5.0, shipped"


async def test_the_code_before_runs_while_a_file_is_broken(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    async with running(project, address, task_queue) as dev:
        write(project, ORDERS.replace("self.shipped = True", "self.shipped = (True"))
        broken = await dev.event("not-loaded")
        line = ORDERS.lstrip().splitlines().index("        self.shipped = True") + 1
        assert f"orders.py:{line}: SyntaxError: '(' was never closed" in broken["message"]
        assert "\n    self.shipped = (True\n                   ^\n" in broken["message"]
        assert broken["running"] is True
        handle = await order(client, task_queue)
        await handle.signal("ship")
        assert await handle.result() == "Ada paid 5.0"

        write(project, "import no_such_module\n" + ORDERS)
        missing = await dev.event("not-loaded")
        assert "orders.py:1: ModuleNotFoundError: No module named 'no_such_module'" in missing["message"]

        write(project, ORDERS.replace(" paid ", " has paid "))
        await dev.event("reloaded")
        handle = await order(client, task_queue)
        await handle.signal("ship")
        assert await handle.result() == "Ada has paid 5.0"


async def test_it_waits_for_a_file_that_is_broken_from_the_start(project: Path, address: str, task_queue: str) -> None:
    write(project, "def\n")
    async with Dev(project, "--address", address, "--task-queue", task_queue) as dev:
        broken = await dev.event("not-loaded")
        assert broken["running"] is False
        assert "nothing runs; save a change to try again" in broken["message"]
        write(project, ORDERS)
        await dev.event("ready")


async def test_an_edit_that_does_not_fit_a_workflow_in_flight_is_told_once(
    project: Path, address: str, task_queue: str
) -> None:
    client = await Client.connect(address)
    async with running(project, address, task_queue) as dev:
        handle = await order(client, task_queue)
        await has(handle, "EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
        call = "        receipt = await charge.execute(customer, amount)\n"
        write(project, ORDERS.replace(call, "        await workflow.sleep(1)\n" + call))
        await dev.event("reloaded")
        await handle.signal("ship")
        told = await dev.log("workflow task failed")
        assert told["misfit"][:2] == ["Order", handle.id]
        line = ORDERS.lstrip().splitlines().index(call.rstrip()) + 1
        assert f"started a timer of 1 s (StartTimer) there: orders.py:{line}, in " in told["message"]
        await has(handle, "EVENT_TYPE_WORKFLOW_TASK_FAILED")
        write(project, ORDERS)
        await dev.event("reloaded")
        assert await handle.result() == "Ada paid 5.0"
        misfits = [each for each in dev.events if "misfit" in each]
        assert len(misfits) == 1


async def test_an_activity_that_an_edit_ends_is_tried_again_by_the_new_code(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    write(project, SLOW)

    async def started() -> bool:
        return (project / "started-1").exists()

    async with running(project, address, task_queue, "--grace", "100ms") as dev:
        handle = await client.start_workflow("waiting", id=str(uuid.uuid4()), task_queue=task_queue)
        await eventually(started, what="the activity")
        write(project, SLOW.replace("of the first code", "of the second code"))
        assert "with 0.1 s to end: wait (id 1, attempt 1)" in (await dev.event("draining"))["message"]
        await dev.log("activity stopped because the worker shuts down")
        assert await handle.result() == "of the second code"
        assert (project / "cancelled").exists()


async def test_an_import_that_does_not_end_is_told_and_given_up_for_the_next_edit(
    project: Path, address: str, task_queue: str
) -> None:
    write(project, "while True: pass\n")
    async with Dev(project, "--address", address, "--task-queue", task_queue) as dev:
        told = (await dev.event("loading"))["message"]
        assert told == f"the server is {address}; the worker waits for the import of its modules"
        write(project, ORDERS)
        await dev.event("ready")
        before = worker_processes(dev.pid)
        write(project, "while True: pass\n")

        async def loads() -> list[int]:
            return [pid for pid in worker_processes(dev.pid) if pid not in before]

        looping = await eventually(loads, what="the process that imports it")
        assert (await dev.event("loading"))["message"].startswith("the code before goes on running; the new worker ")
        write(project, ORDERS)
        await dev.event("reloaded")
        await gone([*before, *looping])


async def test_an_activity_that_is_not_there_is_told_once(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    missing = """
    from datetime import timedelta

    from invincible import activity, workflow
    from invincible.common import RetryPolicy


    @activity.defn
    async def charge() -> None: ...


    @workflow.defn
    async def asks() -> None:
        retry = RetryPolicy(initial_interval=timedelta(milliseconds=1), backoff_coefficient=1, maximum_attempts=20)
        await workflow.execute_activity("chrage", schedule_to_close_timeout=timedelta(seconds=30), retry_policy=retry)
    """
    write(project, missing)
    async with running(project, address, task_queue, "--processes", "2") as dev:
        handle = await client.start_workflow("asks", id=str(uuid.uuid4()), task_queue=task_queue)
        assert "activity type 'chrage' is not registered" in (await dev.log("activity chrage"))["message"]
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        dev.send(signal.SIGINT)
        assert await dev.exit_code() == 0
        told = [each for each in dev.events if "activity chrage" in each.get("message", "")]
        assert len(told) == 1


async def test_findings_of_the_static_pass_are_told_at_each_load(project: Path, address: str, task_queue: str) -> None:
    random = "import random\n" + ORDERS.lstrip().replace("return receipt", "return receipt + str(random.random())")
    line = next(number for number, each in enumerate(random.splitlines(), 1) if "random.random()" in each)
    async with running(project, address, task_queue) as dev:
        write(project, random)
        finding = await dev.event("finding")
        assert finding["message"].startswith(f"orders.py:{line}: random.random() in workflow code")
        write(project, random + "\n# edited\n")
        assert (await dev.event("finding"))["message"] == finding["message"]
