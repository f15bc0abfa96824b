"""Workers as programs: signals, grace, exit codes, and processes that notice that nobody supervises them any more."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from invincible.client import Client, WorkflowHandle
from invincible.worker import run_worker
from tests.support.conditions import eventually
from tests.support.processes import REPOSITORY, Program, worker_processes

RUNNING = "is running"
HOWS = ["alone", "processes"]


def program(address: str, task_queue: str, how: str) -> Program:
    return Program(sys.executable, "-m", "tests.support.process_program", address, task_queue, how)


async def started(client: Client, task_queue: str, workflow: str, *args: str) -> WorkflowHandle[object, object]:
    """A workflow whose first argument is a file that its activity makes when it runs."""
    handle = await client.start_workflow(workflow, args=args, id=task_queue, task_queue=task_queue)
    await eventually(lambda: asyncio.to_thread(Path(args[0]).exists), what="the activity runs")
    return handle


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_lets_activities_end(
    client: Client, address: str, task_queue: str, tmp_path: Path, how: str, number: signal.Signals
) -> None:
    goal = tmp_path / "goal"
    async with program(address, task_queue, how) as worker:
        await worker.line(RUNNING, timeout=60)
        await started(client, task_queue, "wait_for_file", str(tmp_path / "started"), str(goal))
        worker.send(number)
        line = await worker.line(f"{number.name}: worker of task queue '{task_queue}' takes no new tasks")
        assert "a second signal ends it at once" in line
        goal.touch()
        assert await worker.exit_code() == 0
        assert "has ended, all tasks completed" in worker.output


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
async def test_the_second_signal_ends_it_and_names_what_was_under_way(
    client: Client, address: str, task_queue: str, tmp_path: Path, how: str, number: signal.Signals, code: int
) -> None:
    async with program(address, task_queue, how) as worker:
        await worker.line(RUNNING, timeout=60)
        handle = await started(client, task_queue, "stubbornness", str(tmp_path / "started"))
        children = worker_processes(worker.pid)
        worker.send(number)
        await worker.line("takes no new tasks")

        async def forced() -> bool:
            # One that comes at once may be the first one, handed on by a parent process.
            with suppress(ProcessLookupError):
                worker.send(number)
            return "ended at once" in worker.output

        await eventually(forced, what="a second signal ends the program")
        assert await worker.exit_code(timeout=10) == code
        assert f"{number.name}: ended at once; 1 activity under way: ignore_the_end (id 1, attempt 1" in worker.output
        await gone(children)
    await handle.terminate()


async def test_a_worker_that_cannot_be_made_ends_with_an_error(address: str, task_queue: str) -> None:
    async with program(address, task_queue, "fails") as worker:
        assert await worker.exit_code() == 1
        assert "the worker could not be made: LookupError: no such thing" in worker.output


@pytest.mark.parametrize("ends", ["run_worker(make)", "asyncio.run(make_and_run())"])
async def test_a_program_that_its_processes_would_run_again_is_told_so(
    address: str, task_queue: str, tmp_path: Path, ends: str
) -> None:
    program = tmp_path / "unguarded.py"
    program.write_text(
        "import asyncio\n"
        "from invincible.client import Client\n"
        "from invincible.worker import Worker, run_worker\n"
        "from tests.support.process_workers import ACTIVITIES\n"
        "async def make():\n"
        f"    client = await Client.connect({address!r})\n"
        f"    return Worker(client, task_queue={task_queue!r}, activities=ACTIVITIES, processes=1)\n"
        "async def make_and_run():\n"
        "    await (await make()).run()\n"
        f"{ends}\n"
    )
    async with Program(sys.executable, program, env={"PYTHONPATH": str(REPOSITORY)}) as worker:
        assert await worker.exit_code() == 1
        assert "a worker process has imported the program, which runs the worker again" in worker.output
        assert "ended with exit code 1 while it imported the program" in worker.output
        assert "started again" not in worker.output


async def test_a_signal_before_there_is_a_worker_ends_the_program(address: str, task_queue: str) -> None:
    async with program(address, task_queue, "slow") as worker:
        await worker.line("connecting")
        worker.send(signal.SIGTERM)
        assert await worker.exit_code(timeout=10) == 0
        assert "SIGTERM: ended before the worker was made" in worker.output


async def test_processes_end_when_their_supervisor_is_killed(
    client: Client, address: str, task_queue: str, tmp_path: Path
) -> None:
    goal = tmp_path / "goal"
    async with program(address, task_queue, "processes") as worker:
        await worker.line(RUNNING, timeout=60)
        handle = await started(client, task_queue, "wait_for_file", str(tmp_path / "started"), str(goal))
        children = worker_processes(worker.pid)
        worker.send(signal.SIGKILL)  # its processes have its output open, so its end is not waited for
        goal.touch()
        await gone(children)
        assert await worker.exit_code() == -signal.SIGKILL
    async with program(address, task_queue, "alone") as worker:
        await worker.line(RUNNING, timeout=60)
        assert await handle.result() == f"{goal} exists"


async def test_a_process_that_crashes_at_the_end_is_no_success(
    client: Client, address: str, task_queue: str, tmp_path: Path
) -> None:
    async with program(address, task_queue, "processes") as worker:
        await worker.line(RUNNING, timeout=60)
        handle = await started(client, task_queue, "wait_for_file", str(tmp_path / "started"), str(tmp_path / "goal"))
        worker.send(signal.SIGTERM)
        await worker.line("takes no new tasks")
        for pid in worker_processes(worker.pid):
            os.kill(pid, signal.SIGKILL)
        assert await worker.exit_code() == 1
        assert "was killed by SIGKILL, which its tasks may not have outlived" in worker.output
        assert "of its processes killed or crashed" in worker.output
    await handle.terminate()


async def test_processes_end_though_nobody_reads_what_they_say_of_it(address: str, task_queue: str) -> None:
    reading, writing = os.pipe()
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.process_program",
        *(address, task_queue, "stubborn-processes"),
        cwd=REPOSITORY,
        stderr=writing,
    )
    os.close(writing)
    await asyncio.wait_for(asyncio.to_thread(read_until_it_runs, reading), 60)
    children = worker_processes(worker.pid)
    assert len(children) == 2
    worker.kill()
    await worker.wait()
    await gone(children)


async def test_a_process_that_ignores_its_supervisors_end_ends_all_the_same(
    client: Client, address: str, task_queue: str, tmp_path: Path
) -> None:
    async with program(address, task_queue, "stubborn-processes") as worker:
        await worker.line(RUNNING, timeout=60)
        handle = await started(client, task_queue, "stubbornness", str(tmp_path / "started"))
        children = worker_processes(worker.pid)
        assert len(children) == 2
        worker.send(signal.SIGKILL)  # its processes have its output open, so its end is not waited for
        await gone(children)
        assert await worker.exit_code() == -signal.SIGKILL
    await handle.terminate()


def test_other_threads_cannot_run_a_worker() -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            run_worker(lambda: pytest.fail("not to be called"))
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert [str(error) for error in raised] == ["a worker must be run in the main thread: no other one gets signals"]


def read_until_it_runs(descriptor: int) -> None:
    with open(descriptor, errors="replace") as lines:
        assert any(RUNNING in line for line in lines)


async def gone(pids: list[int]) -> None:
    def alive(pid: int) -> bool:
        try:
            state = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    async def all_gone() -> bool:
        return not any(map(alive, pids))

    await eventually(all_gone, what=f"the processes {pids} have ended")
