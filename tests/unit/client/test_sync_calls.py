"""Blocking calls by themselves: no server, only coroutines that a thread waits for."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from invincible.client import sync_timeout
from invincible.client._sync.blocking import wrapped
from invincible.client._sync.calls import Call, Calls
from invincible.client._sync.portal import portal

SOON = 20  # seconds within which whatever is going to happen has happened

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def call(work: Callable[[], Any], calls: Calls | None = None) -> Any:
    return (calls or Calls()).run(lambda _: work()).get()


class Waiting:
    """Work that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cancelled = threading.Event()

    async def __call__(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def in_thread(function: Callable[[], Any]) -> tuple[threading.Thread, list[BaseException]]:
    """A thread that runs a function, and what the function raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


def test_a_call_returns_what_its_work_returns() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert call(work) == 7


def test_all_calls_run_on_one_loop_in_the_background() -> None:
    async def where() -> tuple[asyncio.AbstractEventLoop, int]:
        return asyncio.get_running_loop(), threading.get_ident()

    assert call(where) == call(where)
    assert call(where)[1] != threading.get_ident()
    assert portal()._thread.daemon


def test_errors_keep_type_and_cause_and_tell_where_the_call_was() -> None:
    class Odd(Exception):
        pass

    async def deep() -> None:
        raise Odd("no") from KeyError("because")

    async def work() -> None:
        await deep()

    with pytest.raises(Odd, match="no") as raised:
        call(work)
    assert isinstance(raised.value.__cause__, KeyError)
    frames = [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert frames[0] == "test_errors_keep_type_and_cause_and_tell_where_the_call_was"
    assert frames[-2:] == ["work", "deep"]
    assert len(frames) <= 6, frames


def test_an_error_leaves_no_reference_cycle() -> None:
    class Marked(Exception):
        pass

    async def work() -> None:
        raise Marked

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(Marked):
            call(work)
        del work
        alive = [thing for thing in gc.get_objects() if isinstance(thing, Marked)]
    finally:
        gc.enable()
    assert len(alive) <= 1  # pytest's own


def test_an_exit_in_the_work_is_the_caller_s_and_the_loop_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def beside() -> None:
        asyncio.get_running_loop().create_task(leave())
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def fine() -> str:
        return "fine"

    with pytest.raises(SystemExit):
        call(leave)
    assert caplog.records == []
    with caplog.at_level(logging.ERROR):
        call(beside)
        assert call(fine) == "fine"
    assert "stopped the loop; it goes on" in caplog.text


def test_work_sees_the_caller_s_context() -> None:
    tenant: ContextVar[str] = ContextVar("tenant")
    tenant.set("acme")

    async def work() -> str:
        return tenant.get()

    assert call(work) == "acme"


def test_a_call_within_a_running_event_loop_works() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 1

    async def program() -> int:
        made: int = call(work)
        await asyncio.sleep(0)
        return made + 1

    assert asyncio.run(program()) == 2


def test_a_call_on_the_background_loop_itself_is_an_error() -> None:
    async def work() -> None:
        call(asyncio.Event().wait)

    with pytest.raises(RuntimeError, match="use the async client there"):
        call(work)


def test_many_threads_call_at_once() -> None:
    inside = 0
    most = 0
    all_in = asyncio.Event()

    async def work(number: int) -> int:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 50:
            all_in.set()
        await all_in.wait()
        inside -= 1
        return number

    results: list[int] = []
    calls = Calls()
    threads = [
        threading.Thread(target=lambda number=number: results.append(call(partial(work, number), calls)))
        for number in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert sorted(results) == list(range(50))
    assert most == 50
    assert calls._running == set()


def test_functions_of_the_caller_run_in_its_thread() -> None:
    async def work(under_way: Call) -> Any:
        assert threading.get_ident() != caller
        return await under_way.ask(lambda: (threading.get_ident(), call(inner)))

    async def inner() -> str:
        return "a call within the call"

    caller = threading.get_ident()
    assert Calls().run(work).get() == (caller, "a call within the call")


@pytest.mark.parametrize(("raised", "caught"), [(ValueError("bad"), ValueError), (StopIteration(), RuntimeError)])
def test_errors_of_functions_of_the_caller_go_to_the_work(raised: Exception, caught: type[Exception]) -> None:
    def fail() -> None:
        raise raised

    async def work(under_way: Call) -> str:
        with pytest.raises(ValueError, match="bad"):
            await under_way.ask(fail)
        return "handled"

    if caught is ValueError:
        assert Calls().run(work).get() == "handled"
    else:
        with pytest.raises(RuntimeError, match="StopIteration"):
            Calls().run(lambda under_way: under_way.ask(fail)).get()


def test_an_interrupt_in_a_function_of_the_caller_ends_the_call() -> None:
    waiting = Waiting()

    def interrupt() -> None:
        raise KeyboardInterrupt

    async def work(under_way: Call) -> None:
        task = asyncio.ensure_future(waiting())
        try:
            await under_way.ask(interrupt)
        finally:
            task.cancel()

    with pytest.raises(KeyboardInterrupt):
        Calls().run(work)
    assert waiting.cancelled.wait(SOON)


def test_the_time_of_calls_can_be_limited() -> None:
    waiting = Waiting()
    began = time.monotonic()
    with sync_timeout(timedelta(seconds=0.2)), pytest.raises(TimeoutError, match="the time that sync_timeout gave"):
        call(waiting)
    assert waiting.cancelled.is_set()
    assert 0.2 <= time.monotonic() - began < 10


def test_of_time_limits_the_shortest_holds_and_none_outlives_its_block() -> None:
    async def work() -> str:
        await asyncio.sleep(0.05)
        return "done"

    with sync_timeout(timedelta(0)):
        with sync_timeout(timedelta(hours=1)), pytest.raises(TimeoutError):
            call(work)
        with pytest.raises(TimeoutError):
            call(work)
    with sync_timeout(timedelta(hours=1)):
        with sync_timeout(timedelta(0)), pytest.raises(TimeoutError):
            call(work)
        assert call(work) == "done"
    assert call(work) == "done"


def test_a_limit_is_that_of_one_thread() -> None:
    async def work() -> None:
        await asyncio.sleep(0.05)

    with sync_timeout(timedelta(0)):
        thread, raised = in_thread(lambda: call(work))
        thread.join(SOON)
    assert raised == []


def test_work_that_resists_holds_an_interrupted_thread_only_shortly() -> None:
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    began = time.monotonic()
    with sync_timeout(timedelta(0)), pytest.raises(TimeoutError):
        call(stubborn)
    assert time.monotonic() - began < 5
    portal().post(released.set)


def test_closing_refuses_calls_and_ends_those_under_way() -> None:
    calls, waiting = Calls(), Waiting()
    thread, raised = in_thread(lambda: call(waiting, calls))
    assert waiting.started.wait(SOON)
    calls.close()
    thread.join(SOON)
    assert waiting.cancelled.is_set()
    assert [str(error) for error in raised] == ["this client was closed while the call was under way"]
    with pytest.raises(RuntimeError, match="this client is closed"):
        call(waiting, calls)
    calls.close()


def test_closing_one_client_leaves_the_calls_of_others() -> None:
    waiting = Waiting()
    others = Calls()
    thread, raised = in_thread(lambda: call(waiting, others))
    assert waiting.started.wait(SOON)
    Calls().close()
    assert not waiting.cancelled.is_set()
    assert thread.is_alive()
    others.close()
    thread.join(SOON)
    assert len(raised) == 1


def test_an_exception_set_from_outside_ends_the_wait() -> None:
    import ctypes

    class Stopped(BaseException):
        pass

    waiting = Waiting()
    thread, raised = in_thread(lambda: call(waiting))
    assert waiting.started.wait(SOON)
    assert thread.ident is not None
    assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)) == 1
    thread.join(SOON)
    assert [type(error) for error in raised] == [Stopped]
    assert waiting.cancelled.wait(SOON)


def test_async_generators_become_iterators() -> None:
    closed = threading.Event()

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(3):
                await asyncio.sleep(0)
                yield number
        finally:
            closed.set()

    assert list(wrapped(numbers(), Calls())) == [0, 1, 2]
    assert closed.is_set()

    closed.clear()
    unfinished = wrapped(numbers(), Calls())
    assert next(unfinished) == 0
    del unfinished
    gc.collect()
    assert closed.wait(SOON)


def test_values_that_lead_nowhere_are_handed_on_as_they_are() -> None:
    for value in (None, [1], (1, 2), {"key": [1]}, object()):
        assert wrapped(value, Calls(), deep=True) is value


def run(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c"]
    return subprocess.run([*command, textwrap.dedent(script)], capture_output=True, text=True, timeout=60)


PREAMBLE = """
import asyncio, os, sys, threading
from invincible.client._sync.calls import Calls
calls = Calls()
def call(work):
    return calls.run(lambda _: work()).get()
async def answer():
    await asyncio.sleep(0)
    return os.getpid()
"""


def test_the_interpreter_ends_with_a_call_under_way() -> None:
    done = run(
        PREAMBLE
        + """
started = threading.Event()
async def wait():
    started.set()
    await asyncio.Event().wait()
threading.Thread(target=call, args=[wait], daemon=True).start()
started.wait()
print("ends")
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("ends\n", "", 0)


def test_calls_work_while_the_interpreter_ends() -> None:
    done = run(
        PREAMBLE
        + """
import atexit
call(answer)
atexit.register(lambda: print(call(answer) == os.getpid()))
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)


@needs_fork
def test_a_forked_child_has_a_loop_of_its_own_and_ends() -> None:
    done = run(
        PREAMBLE
        + """
def child():
    print("child", call(answer) == os.getpid(), flush=True)

def waited(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

started = threading.Event()
async def wait():
    started.set()
    await asyncio.Event().wait()
threading.Thread(target=call, args=[wait], daemon=True).start()
started.wait()
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        child()
        grandchild = os.fork()
        if grandchild == 0:
            child()
            sys.exit(4)
        sys.exit(waited(grandchild) + 1)
    assert waited(pid) == 5
    print("parent", call(answer) == os.getpid(), flush=True)
"""
    )
    assert (done.stdout, done.stderr) == ("child True\nchild True\nparent True\n" * 5, "")
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_the_wait_and_the_work() -> None:
    done = run(
        PREAMBLE
        + f"""
ended = threading.Event()
async def wait():
    os.kill(os.getpid(), {int(signal.SIGINT)})
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()
try:
    call(wait)
except KeyboardInterrupt:
    print("interrupted", ended.is_set(), call(answer) == os.getpid())
"""
    )
    assert (done.stdout, done.stderr, done.returncode) == ("interrupted True True\n", "", 0)


def test_a_time_is_a_timedelta() -> None:
    limit: Any = 30
    with pytest.raises(TypeError, match=r"^sync_timeout takes a timedelta, got int$"), sync_timeout(limit):
        pass
