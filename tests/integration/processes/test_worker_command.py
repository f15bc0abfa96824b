"""`invincible worker run`: what it runs, what it says, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from invincible.client import Client
from tests.support.conditions import eventually
from tests.support.processes import Program, worker_processes

REFERENCE = "tests.support.process_workers:make_worker"


def command(*arguments: str, address: str, **env: str) -> Program:
    return Program(
        sys.executable, "-m", "invincible", "worker", "run", *arguments, env={"TEMPORAL_ADDRESS": address, **env}
    )


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
async def test_it_runs_what_a_function_makes(
    client: Client, address: str, task_queue: str, processes: tuple[str, ...]
) -> None:
    arguments = (REFERENCE, "--task-queue", task_queue, "--grace", "5s", *processes)
    async with command(*arguments, address=address) as worker:
        await worker.line("is running", timeout=60)
        pids = await client.execute_workflow("process_ids", 5, id=task_queue, task_queue=task_queue, result_type=list)
        assert (worker.pid in pids) == (not processes)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0
        assert "all tasks completed" in worker.output


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
async def test_it_runs_a_worker_that_a_module_has_connected(
    client: Client, address: str, task_queue: str, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    name = f"connected_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "import asyncio\n"
        "from invincible.client import Client\n"
        "from tests.support.process_workers import make_worker\n"
        f"worker = make_worker(asyncio.run(Client.connect({address!r})), {task_queue!r})\n"
    )
    async with command(f"{name}:worker", *processes, address="localhost:1", PYTHONPATH=str(tmp_path)) as worker:
        await worker.line("is running", timeout=60)
        pids = await client.execute_workflow("process_ids", 1, id=task_queue, task_queue=task_queue, result_type=list)
        assert (worker.pid in pids) == (not processes)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0


async def test_options_come_before_variables(client: Client, address: str, task_queue: str) -> None:
    arguments = ("--address", address, "--task-queue", task_queue, "--log-format", "json")
    async with command(REFERENCE, *arguments, address="localhost:1", TEMPORAL_NAMESPACE="default") as worker:
        said = json.loads(await worker.line("is running", timeout=60))
        assert said["message"] == f"worker of task queue {task_queue!r} is running (pid {worker.pid})"
        assert (said["level"], said["logger"]) == ("INFO", "invincible.worker")


async def test_health_and_metrics_of_all_processes(client: Client, address: str, task_queue: str) -> None:
    addresses = ("--health", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
    async with command(REFERENCE, "-p", "2", "--task-queue", task_queue, *addresses, address=address) as worker:
        health = (await worker.line("tell of its health at http://")).rpartition("http://")[2]
        metrics = (await worker.line("metrics are at http://")).rpartition("http://")[2]
        await worker.line("is running", timeout=60)

        def served(url: str) -> str:
            with urllib.request.urlopen(url, timeout=10) as answer:
                body: bytes = answer.read()
            return body.decode()

        async def ready() -> bool:
            try:
                body = await asyncio.to_thread(served, f"http://{health}/readyz")
            except urllib.error.HTTPError:  # one of them has not polled yet
                return False
            return "worker process 0" in body and "worker process 1" in body

        await eventually(ready, what="both processes are ready")
        lines = (await asyncio.to_thread(served, f"http://{metrics}")).splitlines()
        for index in (0, 1):
            assert any(line.startswith("temporal_") and f'worker_process="{index}"' in line for line in lines)


async def test_a_module_whose_import_never_ends_does_not_keep_the_program(address: str, tmp_path: Path) -> None:
    name = f"hanging_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("import threading\nprint('importing')\nthreading.Event().wait()\n")
    async with command(f"{name}:make", "--processes", "1", address=address, PYTHONPATH=str(tmp_path)) as worker:
        await worker.line("importing", timeout=60)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code(timeout=20) == 0


SLOW_TO_TELL = (
    "from invincible.worker import _slow_start; _slow_start.FIRST = 0.1; from invincible.cli import main; main()"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_an_import_that_takes_long_is_told_and_ends_by_a_signal(
    address: str, tmp_path: Path, number: signal.Signals
) -> None:
    name = f"slow_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("import threading\nprint('importing')\nthreading.Event().wait()\n")
    program = (sys.executable, "-c", SLOW_TO_TELL, "worker", "run", f"{name}:make")
    async with Program(*program, env={"TEMPORAL_ADDRESS": address, "PYTHONPATH": str(tmp_path)}) as worker:
        await worker.line("importing", timeout=60)
        await worker.line("the worker does not poll yet, .* s after its start: it waits for the import of its modules")
        worker.send(number)
        assert await worker.exit_code() == 0
        assert f"{number.name}: ended before the worker was made" in worker.output
        assert "Traceback" not in worker.output


async def test_signals_after_the_end_leave_the_exit_code(address: str, task_queue: str, tmp_path: Path) -> None:
    name = f"interrupted_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "import atexit, os, signal\n"
        "from tests.support.process_workers import make_worker\n"
        "class Last:\n"
        "    def __del__(self, kill=os.kill, pid=os.getpid(), number=signal.SIGINT, write=os.write):\n"
        "        write(1, b'the interpreter is almost done\\n')\n"
        "        kill(pid, number)\n"
        "last = Last()\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
    )
    arguments = (f"{name}:make_worker", "--task-queue", task_queue)
    async with command(*arguments, address=address, PYTHONPATH=str(tmp_path)) as worker:
        await worker.line("is running", timeout=60)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0
        assert "the interpreter is almost done" in worker.output


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys\nsys.exit('no config')\n", "called sys.exit when it was imported: no config"),
        ("import sys\nasync def make():\n    sys.exit('no config')\n", ":make called sys.exit: no config"),
    ],
)
async def test_a_module_that_ends_the_program_is_told_of_at_once(
    address: str, tmp_path: Path, code: str, message: str, processes: tuple[str, ...]
) -> None:
    name = f"exiting_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(code)
    async with command(f"{name}:make", *processes, address=address, PYTHONPATH=str(tmp_path)) as worker:
        assert await worker.exit_code() == 1
        assert message in worker.output
        assert "Traceback" not in worker.output
        assert "started again" not in worker.output


@pytest.mark.parametrize("processes", [(), ("--processes", "1")])
async def test_an_error_of_the_function_is_shown_from_its_line_on(
    address: str, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    name = f"raising_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("def make():\n    raise LookupError('no such thing')\n")
    async with command(f"{name}:make", *processes, address=address, PYTHONPATH=str(tmp_path)) as worker:
        assert await worker.exit_code() == 1
        [_, shown] = worker.output.split("LookupError: no such thing\nTraceback (most recent call last):\n")
        assert shown.splitlines() == [
            f'  File "{tmp_path / name}.py", line 2, in make',
            "    raise LookupError('no such thing')",
            "LookupError: no such thing",
        ]


async def test_a_function_that_fails_in_a_running_worker_counts_as_a_crash(
    address: str, task_queue: str, tmp_path: Path
) -> None:
    name, broken = f"breaking_{tmp_path.name}", tmp_path / "broken"
    (tmp_path / f"{name}.py").write_text(
        "import os\n"
        "from tests.support import process_workers\n"
        "def make(client, task_queue):\n"
        f"    if os.path.exists({str(broken)!r}):\n"
        "        raise LookupError('no such thing')\n"
        "    return process_workers.make_worker(client, task_queue)\n"
    )
    arguments = (f"{name}:make", "--task-queue", task_queue, "-p", "1")
    async with command(*arguments, address=address, PYTHONPATH=str(tmp_path)) as worker:
        await worker.line("is running", timeout=60)
        broken.touch()
        [pid] = worker_processes(worker.pid)
        os.kill(pid, signal.SIGKILL)
        line = await worker.line("could not be loaded: LookupError: no such thing; started again in", timeout=60)
        assert "(crash 2 of 5 within 60 s)" in line
        broken.unlink()
        await worker.line("polls", timeout=60)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0


@pytest.mark.parametrize("processes", [(), ("--processes", "1")])
@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--health", "TAKEN"), "could not serve health at TAKEN: Address already in use"),
        (("--metrics", "TAKEN"), r"could not serve .*metrics.* at TAKEN: Address already in use"),
        (("--namespace", "not-there"), 'the server does not tell of namespace "not-there": Namespace not-there is not'),
    ],
)
async def test_what_it_cannot_have_is_told_in_one_line(
    address: str, task_queue: str, option: tuple[str, str], message: str, processes: tuple[str, ...]
) -> None:
    arguments = (REFERENCE, "--task-queue", task_queue, option[0], option[1].replace("TAKEN", address))
    async with command(*arguments, *processes, address=address) as worker:
        await worker.line(f"ERROR invincible.worker: .*{message.replace('TAKEN', address)}", timeout=60)
        assert await worker.exit_code() == 1
        assert "Traceback" not in worker.output


async def test_metrics_of_a_module_with_processes_need_the_option(address: str, tmp_path: Path) -> None:
    name = f"several_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "from invincible.worker import Worker\n"
        "from tests.support import process_workers\n"
        "def make(client):\n"
        "    return Worker(client, task_queue='q', activities=process_workers.ACTIVITIES, processes=2)\n"
    )
    arguments = (f"{name}:make", "--metrics", "127.0.0.1:0")
    async with command(*arguments, address=address, PYTHONPATH=str(tmp_path)) as worker:
        assert await worker.exit_code() == 1
        assert "makes a worker of several: give --processes together with it" in worker.output
        assert "Traceback" not in worker.output


async def test_a_health_address_of_one_process_is_told_of(address: str, task_queue: str, tmp_path: Path) -> None:
    name = f"healthy_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "from tests.support import process_workers\n"
        "def make(client, task_queue):\n"
        "    worker = process_workers.make_worker(client, task_queue)\n"
        "    return type(worker)(**{**worker.config(), 'health_address': '127.0.0.1:0'})\n"
    )
    arguments = (f"{name}:make", "--task-queue", task_queue, "--processes", "1", "--grace", "0s")
    async with command(*arguments, address=address, PYTHONPATH=str(tmp_path)) as worker:
        await worker.line("give --health together with --processes", timeout=60)
        await worker.line("is running", timeout=60)
        worker.send(signal.SIGTERM)
        assert await worker.exit_code() == 0


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("nothing_of_this_name:make", "there is no module 'nothing_of_this_name': modules are looked for in"),
        ("tests.support.process_workers:nothing", "there is no 'nothing' in module 'tests.support.process_workers'"),
        ("tests.support.process_workers:WORKFLOWS", "is of type list: it must be a Worker, or a function"),
        (
            "tests.support.process_workers:process_ids",
            "takes number, which nobody gives: it may take client and task_q",
        ),
        ("tests.support.processes:REPOSITORY.exists", "returned an object of type bool: it must return a Worker"),
    ],
)
@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
async def test_what_is_no_worker_is_named(
    address: str, reference: str, message: str, processes: tuple[str, ...]
) -> None:
    async with command(reference, *processes, address=address) as worker:
        assert await worker.exit_code() == 1
        assert message in worker.output
        assert "Traceback" not in worker.output


@pytest.mark.parametrize("processes", [(), ("--processes", "2")])
async def test_an_import_that_fails_is_shown_with_the_line(
    address: str, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    name = f"broken_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text("def f():\n    return 1 / 0\n\nf()\n")
    async with command(f"{name}:f", *processes, address=address, PYTHONPATH=str(tmp_path)) as worker:
        assert await worker.exit_code() == 1
        shown = worker.output.partition("Traceback (most recent call last):\n")
        assert f"the import of module {name!r} failed:" in shown[0]
        assert shown[2].splitlines()[0] == f'  File "{tmp_path / name}.py", line 4, in <module>'
        assert "ZeroDivisionError: division by zero" in shown[2]


async def test_a_server_that_is_not_there_is_named(task_queue: str) -> None:
    async with command(REFERENCE, "--task-queue", task_queue, address="127.0.0.1:1") as worker:
        assert await worker.exit_code() == 1
        assert "could not connect to 127.0.0.1:1: " in worker.output
        assert "Traceback" not in worker.output
