"""The side of an activity process of ``ActivityProcessExecutor``: it runs one call after the other."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from invincible.activity._context import ActivityCancellationDetails, ActivityContext, Event
from invincible.activity._interrupt import ThreadInterrupt
from invincible.common import MetricMeter

from ._activity_calls import ActivityCall, run_call
from ._pickling import through_pickle
from ._remote_errors import RemoteError

# Seconds that an activity has to end when its worker is gone.
_ORPHAN_GRACE = 5.0


def main(
    connection: Connection,
    initializer: Callable[..., object] | None,
    initargs: tuple[Any, ...],
    log_levels: Mapping[str, int],
) -> None:
    """Run calls until the worker says that no more come, or is gone.

    Args:
        connection: To the worker.
        initializer: Called first.
        initargs: With these arguments.
        log_levels: Levels of the worker's loggers.
    """
    # Ctrl+C is sent to all processes of a terminal, and is the program's own to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _ActivityProcess(connection).run(initializer, initargs, log_levels)


class _Execution:
    """One call."""

    def __init__(self) -> None:
        self.cancelled = Event()
        self.worker_shutdown = Event()
        self.interrupt = ThreadInterrupt()
        self.details: ActivityCancellationDetails | None = None
        self.interruptible = False

    def cancel(self, details: ActivityCancellationDetails | None) -> None:
        self.details = details
        self.cancelled.set(self.interrupt.request)


class _ActivityProcess:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._calls: SimpleQueue[bytes | None] = SimpleQueue()
        self._execution: _Execution | None = None

    def run(
        self, initializer: Callable[..., object] | None, initargs: tuple[Any, ...], log_levels: Mapping[str, int]
    ) -> None:
        try:
            if initializer is not None:
                initializer(*initargs)
        except BaseException as error:  # the worker tells it
            self._send("failed", RemoteError.of(error))
            return
        self._log_to_worker(log_levels)
        if hasattr(signal, "SIGURG"):
            # Sent to this thread with each interrupt, for no other reason than to end what it waits in.
            signal.signal(signal.SIGURG, lambda *_: None)
        threading.Thread(target=self._listen, name="invincible-worker-messages", daemon=True).start()
        self._send("ready", None)
        while (call := self._calls.get()) is not None:
            outcome = run_call(call, self._prepared)
            try:
                self._send("end", outcome)
            except OSError:  # there is nobody to tell
                return

    def _prepared(self, call: ActivityCall) -> tuple[ActivityContext, Callable[[], Any]]:
        execution = self._execution
        assert execution is not None, "it is set before the call is taken"
        context = call.context(
            send_heartbeat=lambda details: self._send("heartbeat", details),
            worker_shutdown=execution.worker_shutdown,
            cancelled=execution.cancelled,
            metric_meter=_meter(self._send_from_activity),
            interrupt=execution.interrupt if call.interruptible else None,
        )
        context.ask_reason = lambda: execution.details
        if not call.interruptible:
            return context, call.function
        return context, lambda: execution.interrupt.call(call.function)

    def _listen(self) -> None:
        """Take what the worker says, on a thread of its own."""
        try:
            while True:
                kind, value = self._connection.recv()
                if kind == "call":
                    self._execution = _Execution()
                    self._calls.put(value)
                elif kind == "cancel":
                    self._cancel(value)
                elif kind == "worker_shutdown" and self._execution is not None:
                    self._execution.worker_shutdown.set()
        except (EOFError, OSError):
            pass
        # No worker, no calls; and nobody could be told how this one ends.
        self._calls.put(None)
        if self._execution is not None:
            self._execution.worker_shutdown.set()
            self._cancel(ActivityCancellationDetails(worker_shutdown=True))
        end = threading.Timer(_ORPHAN_GRACE, os._exit, (1,))
        end.daemon = True
        end.start()

    def _cancel(self, details: ActivityCancellationDetails | None) -> None:
        execution = self._execution
        assert execution is not None, "there was a call before"
        execution.cancel(details)
        main_thread = threading.main_thread().ident
        if hasattr(signal, "SIGURG") and main_thread is not None:
            signal.pthread_kill(main_thread, signal.SIGURG)

    def _send(self, kind: str, value: Any) -> None:
        message = pickle.dumps((kind, value))
        with self._sending:
            self._connection.send_bytes(message)

    def _send_from_activity(self, kind: str, value: Any) -> None:
        """An interrupt in the middle of a message would spoil all that come after."""
        with self._shield():
            self._send(kind, value)

    def _log_to_worker(self, levels: Mapping[str, int]) -> None:
        """Unless the initializer has made arrangements of its own."""
        if logging.root.handlers:
            return
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        logging.root.addHandler(_ToWorker(self._send_record, self._shield))

    def _shield(self) -> AbstractContextManager[None]:
        return nullcontext() if self._execution is None else self._execution.interrupt

    def _send_record(self, fields: dict[str, Any]) -> None:
        if self._execution is None:  # the worker does not listen yet
            print(fields["msg"], file=sys.stderr)
        else:
            self._send("log", fields)


class _ToWorker(logging.Handler):
    """Sends records to the worker, whose logging has handlers for them."""

    def __init__(
        self, send: Callable[[dict[str, Any]], None], shield: Callable[[], AbstractContextManager[None]]
    ) -> None:
        super().__init__()
        self._send_fields = send
        self._shield = shield

    def handle(self, record: logging.LogRecord) -> bool:
        # Around all of it, as logging keeps errors to itself, and an interrupt is none of its own.
        with self._shield():
            return bool(super().handle(record))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if record.exc_info:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
            fields = {**record.__dict__, "msg": record.getMessage(), "args": None, "exc_info": None}
            if through_pickle(fields) is None:
                plain = (int, float, str)
                fields = {name: value if isinstance(value, plain) else None for name, value in fields.items()}
            self._send_fields(fields)
        except Exception:
            self.handleError(record)


def _meter(send: Callable[[str, Any], None]) -> MetricMeter:
    from ._remote_metrics import RemoteMeter

    return RemoteMeter(lambda measurement: send("metric", measurement))
