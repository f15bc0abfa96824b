"""What cannot work in a workflow: threads, sockets, processes, other loops. The error says what to do instead."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
import sys
from typing import Any

import pytest

from invincible import workflow
from invincible._engine import loop as engine_loop
from tests.support.engine import Driver, completed

ACTIVITY = "move the call into an activity"
IO = "do I/O, threads and processes in an activity"


def loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def in_executor() -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        await loop().run_in_executor(executor, print)


async def by_runner() -> None:
    inner = asyncio.sleep(0)
    try:
        asyncio.run(inner)
    finally:
        inner.close()


async def until_complete() -> None:
    inner = asyncio.sleep(0)
    try:
        loop().run_until_complete(inner)
    finally:
        inner.close()


async def with_socket() -> None:
    with socket.socket() as plain:
        await loop().sock_recv(plain, 1)


REFUSED: dict[str, tuple[Any, str]] = {
    "asyncio.to_thread": (lambda: asyncio.to_thread(print), ACTIVITY),
    "run_in_executor": (lambda: loop().run_in_executor(None, print), ACTIVITY),
    "run_in_executor with one's own": (in_executor, ACTIVITY),
    "call_soon_threadsafe": (lambda: loop().call_soon_threadsafe(print), "send the workflow a signal or an update"),
    "run_forever": (lambda: loop().run_forever(), "await inside the workflow: its loop already runs"),
    "run_until_complete": (until_complete, "await inside the workflow: its loop already runs"),
    "stop": (lambda: loop().stop(), "return from the workflow instead"),
    "close": (lambda: loop().close(), "return from the workflow instead"),
    "open_connection": (lambda: asyncio.open_connection("localhost", 1), IO),
    "start_server": (lambda: asyncio.start_server(print, "localhost", 1), IO),
    "create_connection": (lambda: loop().create_connection(asyncio.Protocol, "localhost", 1), IO),
    "sock_recv": (with_socket, IO),
    "getaddrinfo": (lambda: loop().getaddrinfo("localhost", 1), IO),
    "subprocess": (lambda: asyncio.create_subprocess_exec(sys.executable), IO),
    "shell": (lambda: asyncio.create_subprocess_shell("true"), IO),
    "add_signal_handler": (lambda: loop().add_signal_handler(2, print), IO),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_replay_is_refused_with_advice(what: str) -> None:
    attempt, advice = REFUSED[what]

    @workflow.defn
    async def impure() -> None:
        await attempt()

    with pytest.raises(
        NotImplementedError, match="cannot be used in workflow code, because it would not replay"
    ) as error:
        Driver(impure).start()
    assert advice in str(error.value)


def test_asyncio_run_is_refused() -> None:
    @workflow.defn
    async def impure() -> None:
        await by_runner()

    with pytest.raises(RuntimeError, match="cannot be called from a running event loop"):
        Driver(impure).start()


# What each interpreter's loops have, but for what this one answers or refuses in words of its own.
OTHERS = [
    name
    for name, method in vars(engine_loop.WorkflowLoop).items()
    if not name.startswith("_") and getattr(method, "__qualname__", "").startswith("_refusing.")
]


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_method_of_a_loop_is_refused_by_its_name(name: str) -> None:
    @workflow.defn
    async def impure() -> None:
        getattr(loop(), name)()

    with pytest.raises(NotImplementedError, match=rf"^loop\.{name} cannot be used in workflow code.*in an activity$"):
        Driver(impure).start()


def test_no_method_of_a_loop_is_left_to_fail_without_a_reason() -> None:
    expected = {name for name in vars(asyncio.AbstractEventLoop) if not name.startswith("_")}
    assert expected - set(vars(engine_loop.WorkflowLoop)) == set()
    assert {"create_connection", "sock_recv", "subprocess_exec", "set_debug", "set_task_factory"} <= set(OTHERS)


def test_the_loop_answers_what_libraries_ask() -> None:
    @workflow.defn
    async def asking() -> list[bool]:
        await loop().shutdown_asyncgens()
        return [loop().is_running(), loop().is_closed(), loop().get_debug(), asyncio.get_event_loop() is loop()]

    assert completed(Driver(asking).start()) == [True, False, False, True]
