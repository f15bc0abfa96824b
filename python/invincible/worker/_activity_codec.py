"""Payloads of activities on their way through codec and external storage, on the worker's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from invincible import _native
from invincible._native import ApplicationFailureInfo, Failure, Payload
from invincible.exceptions import ApplicationError

from ._codec_calls import CodecCalls
from ._failures import log, text_of
from ._results import only
from ._running_activity import RunningActivity

T = TypeVar("T")


class ActivityCodec:
    """Decodes what activities get and encodes what they give.

    Args:
        native: The worker that heartbeats go to.
        calls: Runs the codec and storage.
        loop: The worker's event loop.
        headers: Whether to decode headers too.
    """

    def __init__(
        self, native: _native.Worker, calls: CodecCalls, loop: asyncio.AbstractEventLoop, *, headers: bool = False
    ) -> None:
        self._native = native
        self._calls = calls
        self._loop = loop
        self._headers = headers

    def wait(self, running: RunningActivity, call: Coroutine[Any, Any, T]) -> T:
        """The outcome of a call of this class for an activity that runs on another thread, which calls this."""

        async def interruptible() -> T:
            running.task = asyncio.current_task()
            try:
                return await call
            finally:
                running.task = None

        return asyncio.run_coroutine_threadsafe(interruptible(), self._loop).result()

    async def decode(self, running: RunningActivity) -> None:
        """Decode arguments, the last heartbeat of an earlier attempt, and headers.

        Raises:
            ApplicationError: They cannot be decoded; why is its cause.
        """
        start, converter = running.start, running.converter
        try:
            running.input = await self._calls.run(converter._from_wire(start.input))
            details = start.heartbeat_details
            running.context.heartbeat_details = await self._calls.run(converter._from_wire(details)) if details else ()
            if self._headers:
                running.input_headers = {
                    name: (await self._calls.run(converter._from_wire([payload])))[0]
                    for name, payload in start.headers.items()
                }
        except Exception as error:
            raise ApplicationError(
                f"the payload codec or external storage failed to decode the arguments of activity "
                f"{start.activity_type!r}"
            ) from error

    async def encode(self, running: RunningActivity, result: Payload) -> Payload:
        """Encode a result.

        Raises:
            RuntimeError: The codec has made several payloads of it.
            Exception: What the codec or the storage has raised.
        """
        encoded = await self._calls.run(running.converter._to_wire([result]))
        await self._sent(running)
        if running.heartbeat_error is not None:
            raise running.heartbeat_error
        return only(encoded)

    async def encode_failure(self, running: RunningActivity, failure: Failure) -> Failure:
        """Encode a failure; with nothing but its message and type if that is not possible."""
        try:
            encoded = await self._calls.run(running.converter._failure_to_wire(failure))
        except BaseException as error:  # the server must get an answer
            log(
                logging.ERROR, "the failure of an activity cannot be encoded, and goes without its details", error=error
            )
            encoded = _bare(failure, error)
        with suppress(asyncio.CancelledError):  # a heartbeat that takes too long is given up
            await self._sent(running)
        return encoded

    # Heartbeats

    def heartbeat(self, running: RunningActivity, details: list[Payload]) -> None:
        """Have a heartbeat encoded and sent; on any thread. The last one counts where they come too fast."""
        self._loop.call_soon_threadsafe(self._heartbeat, running, details)

    def _heartbeat(self, running: RunningActivity, details: list[Payload]) -> None:
        running.heartbeat = details
        if running.heartbeats is None or running.heartbeats.done():
            running.heartbeats = self._loop.create_task(self._send_heartbeats(running))

    async def _send_heartbeats(self, running: RunningActivity) -> None:
        try:
            while running.heartbeat is not None and running.heartbeat_error is None:
                details, running.heartbeat = running.heartbeat, None
                if details:
                    details = await self._calls.run(running.converter._to_wire(details))
                self._native.record_activity_heartbeat(running.start.task_token, details)
        except Exception as error:
            running.heartbeat_error = error
            running.interrupt()

    async def _sent(self, running: RunningActivity) -> None:
        """Wait until heartbeats are sent: they must not come after the end."""
        await asyncio.sleep(0)  # one may be on its way from another thread
        if running.heartbeats is not None:
            try:
                await asyncio.wait((running.heartbeats,))
            finally:
                running.heartbeats.cancel()


def _bare(failure: Failure, error: BaseException) -> Failure:
    info = failure.info
    kind = info.type if isinstance(info, ApplicationFailureInfo) else ""
    non_retryable = isinstance(info, ApplicationFailureInfo) and info.non_retryable
    return Failure(
        f"{failure.message} (without its details, which cannot be encoded: {type(error).__name__}: {text_of(error)})",
        stack_trace=failure.stack_trace,
        info=ApplicationFailureInfo(type=kind, non_retryable=non_retryable),
    )
