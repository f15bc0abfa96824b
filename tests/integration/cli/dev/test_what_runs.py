"""`invincible dev`: what it finds and runs."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from pathlib import Path

import pytest

from invincible.client import Client
from tests.support import guides
from tests.support.conditions import eventually
from tests.support.dev import ORDERS, Dev, children, gone, has, order, running, write
from tests.support.processes import Program, worker_processes


async def test_it_runs_a_server_and_what_the_file_has(project: Path) -> None:
    async with Dev(project, "--port", "0") as dev:
        server = await dev.event("server")
        ready = await dev.event("ready")
        assert ready["task_queue"] == "orders"
        assert ready["workflows"] == ["Order"]
        assert ready["activities"] == ["charge"]
        address = server["address"]
        assert ready["commands"] == [
            f"invincible workflow execute Order --task-queue orders --address {address} "
            "--input '\"customer\"' --input 1.5"
        ]
        client = await Client.connect(address)
        handle = await order(client, "orders")
        await handle.signal("ship")
        assert await handle.result() == "Ada paid 5.0"
        processes = children(dev.pid)
        assert len(processes) >= 2
        dev.send(signal.SIGINT)
        assert await dev.exit_code() == 0
        await gone(processes)


TYPES = """
from dataclasses import dataclass

from invincible import workflow


@dataclass
class Purchase:
    name: str
    sizes: list[int]
    note: str | None = None


@workflow.defn
async def total(purchase: Purchase, express: bool, times: int = 2) -> int:
    return sum(purchase.sizes) * times + express
"""


async def test_the_command_that_it_shows_works(project: Path, address: str, task_queue: str) -> None:
    write(project, TYPES)
    async with Dev(project, "--address", address, "--task-queue", task_queue) as dev:
        ready = await dev.event("ready")
        (command,) = ready["commands"]
        program, *arguments = shlex.split(command)
        assert program == "invincible"
        async with Program(sys.executable, "-m", "invincible", *arguments, "--json") as execute:
            assert await execute.exit_code() == 0
        assert json.loads(execute.output[execute.output.index("{") :])["result"] == 3


async def test_several_processes(project: Path, address: str, client: Client, task_queue: str) -> None:
    async with running(project, address, task_queue, "--processes", "2") as dev:
        assert len(worker_processes(dev.pid)) == 2
        write(project, ORDERS.replace(" paid ", " has paid "))
        await dev.event("reloaded")
        handle = await order(client, task_queue)
        await handle.signal("ship")
        assert await handle.result() == "Ada has paid 5.0"


GIVEN_CLIENT = """
from invincible.client import Client
from invincible.worker import Worker
from orders import Order, charge


async def worker(client: Client) -> Worker:
    return Worker(client, task_queue="QUEUE", workflows=[Order], activities=[charge])
"""


OWN_CLIENT = """
from invincible.client import Client
from invincible.envconfig import ClientConfig
from invincible.worker import Worker
from orders import Order, charge


async def worker() -> Worker:
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    return Worker(client, task_queue="QUEUE", workflows=[Order], activities=[charge])
"""


@pytest.mark.parametrize("factory", [GIVEN_CLIENT, OWN_CLIENT])
async def test_a_function_of_the_module_makes_the_worker(
    project: Path, address: str, client: Client, task_queue: str, factory: str
) -> None:
    write(project, factory.replace("QUEUE", task_queue), "main.py")
    async with Dev(project, "--address", address, target="main.py") as dev:
        ready = await dev.event("ready")
        assert (ready["task_queue"], ready["workflows"]) == (task_queue, ["Order"])
        handle = await order(client, task_queue)
        await handle.signal("ship")
        assert await handle.result() == "Ada paid 5.0"
        # What is imported counts as well.
        write(project, ORDERS.replace("class Order:", "class Purchase:"))
        assert "ImportError: cannot import name 'Order'" in (await dev.event("not-loaded"))["message"]


async def test_the_function_of_the_page_makes_the_worker(project: Path, address: str) -> None:
    app, factory = guides.blocks("dev.md")
    write(project, app + "\n\n" + factory + '\nactivity.logger.warning("loaded by %s", __name__)\n')
    async with Dev(project, "--address", address) as dev:
        await dev.log("loaded by orders")
        assert (await dev.event("ready"))["task_queue"] == "orders"


@pytest.mark.parametrize("target", [".", "orders"])
async def test_folders_and_modules_with_a_task_queue_of_their_own(
    project: Path, address: str, task_queue: str, target: str
) -> None:
    write(project, ORDERS + f"\nTASK_QUEUE = {task_queue!r}\n")
    async with Dev(project, "--address", address, target=target) as dev:
        ready = await dev.event("ready")
        assert (ready["task_queue"], ready["workflows"]) == (task_queue, ["Order"])


async def test_files_that_come_and_go_in_a_folder(project: Path, address: str, task_queue: str) -> None:
    async with running(project, address, task_queue, target=".") as dev:
        write(project, ORDERS.replace("class Order", "class Other").replace("charge", "pay"), "others.py")
        assert (await dev.event("reloaded"))["workflows"] == ["Order", "Other"]
        (project / "orders.py").unlink()
        assert (await dev.event("reloaded"))["workflows"] == ["Other"]
        (project / "others.py").unlink()
        assert "no file in '.' has a @workflow.defn" in (await dev.event("not-loaded"))["message"]


async def test_what_the_code_prints_is_not_between_the_events(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    write(project, ORDERS.replace('    return f"{customer} paid', '    print("printed")\n    return f"{customer} paid'))
    command = (sys.executable, "-m", "invincible", "dev", "orders.py", "--json")
    options = ("--address", address, "--task-queue", task_queue)
    async with Program("sh", "-c", 'cd "$0" && exec "$@" 2>errors', project, *command, *options) as dev:
        await dev.line('"ready"', timeout=60)
        handle = await order(client, task_queue)
        await handle.signal("ship")
        await handle.result()
        dev.send(signal.SIGINT)
        assert await dev.exit_code() == 0
        assert all(json.loads(line)["time"] for line in dev.output.splitlines())
        assert (project / "errors").read_text() == "printed\n"


async def test_a_breakpoint_is_passed_over_unless_there_is_a_debugger(
    project: Path, address: str, client: Client, task_queue: str
) -> None:
    write(project, ORDERS.replace("        return receipt", "        breakpoint()\n        return receipt"))
    async with running(project, address, task_queue) as dev:
        handle = await order(client, task_queue)
        await handle.signal("ship")
        assert await handle.result() == "Ada paid 5.0"
        told = await dev.log("breakpoint() in orders.py:")
        assert "give --debugger to stop there" in told["message"]


async def test_a_database_outlives_it(project: Path) -> None:
    options = ("--port", "0", "--no-ui", "--db", "state/dev.db")
    async with Dev(project, *options) as dev:
        server = await dev.event("server")
        await dev.event("ready")
        client = await Client.connect(server["address"])
        handle = await order(client, "orders")
        await has(handle, "EVENT_TYPE_ACTIVITY_TASK_COMPLETED")
        async with Dev(project, *options) as second:
            await second.log("in use by another server")
            assert await second.exit_code() == 1
    async with Dev(project, *options) as dev:
        client = await Client.connect((await dev.event("server"))["address"])
        again = client.get_workflow_handle(handle.id)
        await again.signal("ship")
        assert await again.result() == "Ada paid 5.0"


async def test_the_web_ui_is_opened_in_a_browser(project: Path) -> None:
    browser = project / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {project}/url\n')
    browser.chmod(0o700)
    variables = {"BROWSER": str(browser), "TEMPORAL_ADDRESS": "elsewhere:1", "TEMPORAL_NAMESPACE": "shop"}
    async with Dev(project, "--port", "0", "--open", "--no-reload", env=variables) as dev:
        server = await dev.event("server")
        (command,) = (await dev.event("ready"))["commands"]
        assert f"--address {server['address']} --namespace default" in command

        async def opened() -> str:
            return (project / "url").read_text() if (project / "url").exists() else ""

        assert await eventually(opened, what="the browser") == f"{server['ui']}\n"
