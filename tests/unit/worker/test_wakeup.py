"""Signals that another thread gets wake the event loop all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from invincible.worker._wakeup import woken_by_signals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no signals for threads")


def test_a_signal_for_another_thread_is_handled_at_once() -> None:
    previous = signal.getsignal(signal.SIGUSR1)
    began = time.monotonic()
    try:
        assert asyncio.run(handled()) < began + 10
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert signal.set_wakeup_fd(-1) == -1


async def handled() -> float:
    """When the handler ran."""
    loop = asyncio.get_running_loop()
    at: asyncio.Future[float] = loop.create_future()

    def handle(number: int, frame: object) -> None:
        if not at.done():
            at.set_result(time.monotonic())

    signal.signal(signal.SIGUSR1, handle)
    over = threading.Event()

    def interrupt_itself() -> None:
        # Until the loop waits for nothing but this.
        while not over.wait(0.1):
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    thread = threading.Thread(target=interrupt_itself)
    with woken_by_signals(loop):
        thread.start()
        # What ends the wait if the signal does not.
        loop.call_later(20, lambda: None)
        try:
            return await at
        finally:
            over.set()
            thread.join()
