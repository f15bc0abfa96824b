"""The border alone: the native worker without the Python layer, in all the wrong orders."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from invincible import _loop, _native
from invincible.client import Client

LIMIT = 20.0


def config(task_queue: str, **options: object) -> _native.WorkerConfig:
    return _native.WorkerConfig(namespace="default", task_queue=task_queue, build_id="test", **options)  # type: ignore[arg-type]


def native_client(client: Client) -> _native.Client:
    return client.service_client._native


def polling(worker: _native.Worker) -> asyncio.Future[None]:
    return _loop.run(worker.poll(_loop.queue(), lambda task: None, thread_activities=set()))


async def test_a_worker_shuts_down_with_its_polls_open(client: Client, task_queue: str) -> None:
    worker = _native.Worker(native_client(client), config(task_queue))
    await _loop.run(worker.validate())
    polls = polling(worker)
    waiting = [asyncio.to_thread(worker.next_activations), asyncio.to_thread(worker.next_activity)]
    threads = asyncio.gather(*waiting)
    worker.initiate_shutdown()
    await asyncio.wait_for(polls, LIMIT)
    assert await asyncio.wait_for(threads, LIMIT) == [None, None]
    await asyncio.wait_for(_loop.run(worker.finalize_shutdown()), LIMIT)


async def test_a_finalized_worker_says_that_it_is_closed(client: Client, task_queue: str) -> None:
    worker = _native.Worker(native_client(client), config(task_queue))
    polls = polling(worker)
    worker.initiate_shutdown()
    await polls
    await _loop.run(worker.finalize_shutdown())
    failure = _native.Failure("late")
    for use in (
        worker.validate,
        lambda: polling(worker),
        lambda: worker.complete_workflow_task("run", []),
        lambda: worker.fail_workflow_task("run", failure),
        lambda: worker.complete_activity(b"token", None),
        lambda: worker.fail_activity(b"token", failure),
        lambda: worker.cancel_activity(b"token", failure),
        lambda: worker.release_activity(b"token"),
        lambda: worker.record_activity_heartbeat(b"token", []),
        lambda: worker.request_workflow_eviction("run"),
    ):
        with pytest.raises(RuntimeError, match="this worker is closed"):
            use()
    # What ends a worker may be said twice.
    worker.initiate_shutdown()
    await _loop.run(worker.finalize_shutdown())
    assert worker.next_activations() is None
    assert worker.next_activity() is None


async def test_polling_twice_is_refused(client: Client, task_queue: str) -> None:
    worker = _native.Worker(native_client(client), config(task_queue))
    polls = polling(worker)
    with pytest.raises(RuntimeError, match=r"closed|polls already"):
        polling(worker)
    worker.initiate_shutdown()
    await polls
    await _loop.run(worker.finalize_shutdown())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_heartbeat_throttle_interval": -1.0}, "max_heartbeat_throttle_interval"),
        ({"max_concurrent_workflow_tasks": 1}, "max_outstanding_workflow_tasks|workflow"),
        ({"workflows": False, "activities": False}, "task_types|at least one"),
    ],
)
async def test_options_that_make_no_sense_are_named(
    client: Client, task_queue: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _native.Worker(native_client(client), config(task_queue, **options))


async def test_commands_of_a_wrong_type_are_named(client: Client, task_queue: str) -> None:
    worker = _native.Worker(native_client(client), config(task_queue))
    with pytest.raises(TypeError, match="expected a workflow command, got str"):
        worker.complete_workflow_task("run", ["start a timer, please"])
    polls = polling(worker)
    worker.initiate_shutdown()
    await polls
    await _loop.run(worker.finalize_shutdown())


def run_program(program: str, address: str, task_queue: str) -> subprocess.CompletedProcess[str]:
    preamble = """
        import asyncio, os, sys, threading
        from invincible import _loop, _native, activity, workflow
        from invincible.client import Client
        from invincible.worker import Worker

        address, task_queue = sys.argv[1:]

        @workflow.defn
        async def hello() -> str:
            return "hello"
    """
    code = textwrap.dedent(preamble) + textwrap.dedent(program)
    return subprocess.run(
        [sys.executable, "-c", code, address, task_queue], capture_output=True, text=True, timeout=60, check=False
    )


def test_an_interpreter_with_a_running_worker_can_exit(address: str, task_queue: str) -> None:
    done = run_program(
        """
        async def main():
            client = await Client.connect(address)
            worker = Worker(client, task_queue=task_queue, workflows=[hello])
            run = asyncio.ensure_future(worker.run())
            assert await client.execute_workflow(hello, id=task_queue, task_queue=task_queue) == "hello"
            loop.stop()

        # The loop is left as it is: nobody shuts anything down.
        loop = asyncio.new_event_loop()
        task = loop.create_task(main())
        loop.run_forever()
        task.result()
        print("leaving")
        """,
        address,
        task_queue,
    )
    assert done.returncode == 0, done.stderr
    assert "leaving" in done.stdout
    for trouble in ("panicked", "Fatal", "core dumped"):
        assert trouble not in done.stderr


def test_an_exception_in_main_ends_the_program_with_its_worker(address: str, task_queue: str) -> None:
    done = run_program(
        """
        async def main():
            client = await Client.connect(address)
            async with Worker(client, task_queue=task_queue, workflows=[hello]):
                raise RuntimeError("something else went wrong")

        asyncio.run(main())
        """,
        address,
        task_queue,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("RuntimeError: something else went wrong")


def test_a_forked_child_is_told_and_can_exit(address: str, task_queue: str) -> None:
    done = run_program(
        """
        async def main():
            client = await Client.connect(address)
            worker = _native.Worker(
                client.service_client._native,
                _native.WorkerConfig(namespace="default", task_queue=task_queue, build_id="test"),
            )
            child = os.fork()
            if child == 0:
                try:
                    worker.next_activations()
                except RuntimeError as error:
                    print("child:", error, flush=True)
                del worker, client
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            await _loop.run(worker.validate())
            polls = _loop.run(worker.poll(_loop.queue(), print, thread_activities=set()))
            worker.initiate_shutdown()
            await polls
            await _loop.run(worker.finalize_shutdown())
            print("parent: fine")

        asyncio.run(main())
        """,
        address,
        task_queue,
    )
    assert done.returncode == 0, done.stderr
    assert "child: this worker was created in another process" in done.stdout
    assert "create a new Client" in done.stdout
    assert "parent: fine" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_worker_with_its_polls_open(address: str, task_queue: str) -> None:
    program = """
        async def main():
            client = await Client.connect(address)
            async with Worker(client, task_queue=task_queue, workflows=[hello]):
                print("running", flush=True)
                await asyncio.Event().wait()

        asyncio.run(main())
    """
    preamble = "import asyncio, sys\nfrom invincible import workflow\nfrom invincible.client import Client\n"
    preamble += "from invincible.worker import Worker\naddress, task_queue = sys.argv[1:]\n"
    preamble += "@workflow.defn\nasync def hello() -> str:\n    return 'hello'\n"
    with subprocess.Popen(
        [sys.executable, "-c", preamble + textwrap.dedent(program), address, task_queue],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        killer = threading.Timer(60, process.kill)
        killer.start()
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        killer.cancel()
    assert process.returncode != -signal.SIGKILL
    assert errors.strip().endswith("KeyboardInterrupt"), errors
