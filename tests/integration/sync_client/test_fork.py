"""Forks of processes that have clients: the async client says what is wrong, the blocking client goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

# Each script forks while a wait is under way for a workflow that nobody runs.
PREAMBLE = """
import asyncio, atexit, multiprocessing, os, sys, threading, warnings
from invincible.client import Client, SyncClient
from invincible.runtime import Runtime, TelemetryConfig
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here

def say(*words):
    print(*words, flush=True)

def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def in_fork(function):
    pid = os.fork()
    if pid == 0:
        function()
        sys.exit(7)
    return ended(pid)

def in_process(function):
    process = multiprocessing.get_context("fork").Process(target=function)
    process.start()
    process.join()
    return process.exitcode

def raised(function):
    try:
        function()
    except Exception as error:
        return error

address, id = sys.argv[1:]
"""

ASYNC = """
ready = threading.Event()

async def wait():
    global client, handle
    client = await Client.connect(address)
    handle = await client.start_workflow("nobody", id=id, task_queue=id)
    waiting = asyncio.ensure_future(handle.result())
    await handle.describe()
    ready.set()
    await asyncio.wait([waiting])
    say("waited", type(waiting.exception()).__name__)

def child():
    atexit.register(say, "atexit")
    for use in (handle.describe, lambda: client.start_workflow("nobody", id="x", task_queue="x")):
        try:
            asyncio.run(use())
        except RuntimeError as error:
            say(error)
    say("fresh", asyncio.run(again()))

async def again():
    fresh = await Client.connect(address)
    return (await fresh.get_workflow_handle(id).describe()).id == id

waiting = threading.Thread(target=asyncio.run, args=[wait()], daemon=True)
waiting.start()
assert ready.wait(30)
for run in (in_fork, in_process) * 3:
    say("ended", run(child))
asyncio.run(handle.terminate())
waiting.join()
say("parent done")
"""

SYNC = """
client = SyncClient.connect(address, runtime=Runtime(telemetry=TelemetryConfig()))
handle = client.start_workflow("nobody", id=id, task_queue=id)
waiting = threading.Thread(target=lambda: say("waited", type(raised(handle.result)).__name__), daemon=True)
waiting.start()
handle.describe()
parent, default = os.getpid(), Runtime.default()

def child():
    atexit.register(lambda: say("atexit", handle.describe().id == id))
    assert Runtime.default() is not default
    assert client.identity.startswith(f"{os.getpid()}@")
    threads = [threading.Thread(target=handle.signal, args=["hello"]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = [event.event_type for event in handle.fetch_history_events()]
    say("child", handle.describe().id == id, client.service_client.check_health(), len(kinds) % 10)

for run in (in_fork, in_process) * 3:
    say("ended", run(child))
handle.terminate()
waiting.join()
say("parent done", handle.describe().id == id)
"""

IN_LOOP = """
async def main():
    client = await Client.connect(address)
    handle = await client.start_workflow("nobody", id=id, task_queue=id)
    waiting = asyncio.ensure_future(handle.result())
    await handle.describe()
    pid = os.fork()
    if pid == 0:
        for use in (waiting, handle.describe()):
            try:
                await use
            except RuntimeError as error:
                say(error)
        os._exit(7)
    say("ended", ended(pid))
    await handle.terminate()
    try:
        await waiting
    except Exception as error:
        say(type(error).__name__)

asyncio.run(main())
"""


def run(script: str, *args: str) -> list[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", textwrap.dedent(PREAMBLE + script), *args]
    done = subprocess.run(program, capture_output=True, text=True, timeout=90, env=env)
    assert (done.stderr, done.returncode) == ("", 0), done.stdout
    return done.stdout.splitlines()


TOLD = "this client was created in another process (pid "


def test_the_async_client_tells_a_forked_child_what_to_do(address: str, task_queue: str) -> None:
    lines = run(ASYNC, address, task_queue)
    told = [line for line in lines if line.startswith(TOLD)]
    assert len(told) == 12
    assert all(line.endswith("): create a new Client and Runtime after fork") for line in told)
    rest = without_atexit([line for line in lines if line not in told], "atexit")
    assert rest == ["fresh True", "ended 7", "fresh True", "ended 0"] * 3 + [
        "waited WorkflowFailureError",
        "parent done",
    ]


def test_the_blocking_client_works_in_a_forked_child(address: str, task_queue: str) -> None:
    lines = without_atexit(run(SYNC, address, task_queue), "atexit True")
    child = "child True True 2"
    assert lines[:-2] == [child, "ended 7", child, "ended 0"] * 3
    assert lines[-2:] == ["waited WorkflowFailureError", "parent done True"]


def without_atexit(lines: list[str], said: str) -> list[str]:
    """What else was said. Children of multiprocessing call the functions of atexit from Python 3.13 on only."""
    assert lines.count(said) in (3, 6), lines
    return [line for line in lines if line != said]


def test_calls_of_the_parent_end_in_a_child_that_goes_on_with_its_event_loop(address: str, task_queue: str) -> None:
    lines = run(IN_LOOP, address, task_queue)
    assert lines[0] == "this call was made before the process was forked: create a new Client and Runtime after fork"
    assert lines[1].startswith(TOLD)
    assert lines[2:] == ["ended 7", "WorkflowFailureError"]
