"""The health of a worker: who watches over it, and the HTTP endpoint that tells."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from invincible import _loop, _native
from invincible.common import MetricGaugeFloat, MetricMeter

from ._failures import logger, text_of
from ._loop_lag import METRIC, LoopLag
from ._stalls import dump_signal, stacks, tick_for, watcher

if TYPE_CHECKING:
    from invincible.runtime import Runtime

    from ._activities import ActivityRunner


# What the bridge calls it that Python has not run for a while.
_PYTHON_RUNS = "Python runs"


@dataclass(frozen=True)
class HealthThresholds:
    """From when on ``/healthz`` and ``/readyz`` of a worker say no.

    What does not move at all counts as a stall after the worker's ``stall_timeout``.

    Args:
        poll_timeout: Not healthy when no poll has returned for so long, though polls are under way and the server
            answers. Servers answer idle polls after a minute.
        server_timeout: Not ready when the server has not answered for so long. A worker without tasks asks it for a
            sign of life three times within.

    Raises:
        TypeError: One of them is no timedelta.
        ValueError: One of them is not positive.
    """

    poll_timeout: timedelta = timedelta(minutes=3)
    server_timeout: timedelta = timedelta(seconds=30)

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        for name in ("poll_timeout", "server_timeout"):
            value = getattr(self, name)
            if not isinstance(value, timedelta):
                raise TypeError(f"{name} must be a timedelta, got {type(value).__name__}")
            if value <= timedelta():
                raise ValueError(f"{name} must be positive, got {value}")


DEFAULT_THRESHOLDS = HealthThresholds()


class HealthEndpoint:
    """An HTTP server for the workers of this process that have the same ``health_address``.

    Args:
        runtime: Its threads answer.
        address: Where it listens, as "host:port"; port 0 takes a free one, and is never shared.

    Raises:
        ValueError: The address is none.
        RuntimeError: It cannot be listened at; the message says why.
    """

    _open: ClassVar[dict[str, HealthEndpoint]] = {}
    _lock: ClassVar = threading.Lock()

    def __init__(self, runtime: Runtime, address: str) -> None:
        self.native = _native.HealthServer(runtime._native, address)
        self._name = address
        self._users = 1

    @classmethod
    def at(cls, runtime: Runtime, address: str) -> HealthEndpoint:
        """The endpoint at this address; each user is to ``leave`` it."""
        with cls._lock:
            endpoint = cls._open.get(address)
            if endpoint is not None:
                endpoint._users += 1
                return endpoint
            endpoint = cls(runtime, address)
            if not address.endswith(":0"):
                cls._open[address] = endpoint
            return endpoint

    @property
    def address(self) -> str:
        """Where it listens, as "host:port"."""
        return self.native.address

    async def leave(self) -> None:
        """Stop listening, if nobody else uses it."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
            self._open.pop(self._name, None)
        await _loop.run(self.native.close())


class WorkerWatch:
    """Watches over one running worker.

    Args:
        native: The worker.
        runtime: Its runtime.
        identity: Names it in reports.
        health_address: Where to tell of its health, if anywhere.
        thresholds: When it is not healthy, or not ready.
        loop_lag_warning: Seconds for which something may block the event loop untold; ``None`` for ever.
        stall_timeout: Seconds after which stacks are written when nothing moves; ``None``: never.
    """

    def __init__(
        self,
        native: _native.Worker,
        runtime: Runtime,
        *,
        identity: str,
        task_queue: str,
        health_address: str | None,
        thresholds: HealthThresholds,
        loop_lag_warning: float | None,
        stall_timeout: float | None,
    ) -> None:
        self.tick = tick_for(loop_lag_warning, stall_timeout)
        self._loop_lag_warning = loop_lag_warning
        self._task_queue = task_queue
        self._stall_timeout = stall_timeout or 0.0
        self._lag: LoopLag | None = None
        # When what does not move began not to, and when the last look was.
        self._stalls: dict[str, float] = {}
        self._last_look = time.monotonic()
        self._endpoint: HealthEndpoint | None = None
        self._native = _native.WorkerHealth(
            native,
            _loop.queue(),
            identity=identity,
            stall_timeout=stall_timeout,
            poll_timeout=thresholds.poll_timeout.total_seconds(),
            server_timeout=thresholds.server_timeout.total_seconds(),
            dump_signal=dump_signal() if stall_timeout is not None else None,
        )
        # The bridge misses this thread's word only after the first one.
        self._native.beat()
        if health_address is not None:
            try:
                self._endpoint = HealthEndpoint.at(runtime, health_address)
            except BaseException:
                self._native.close()
                raise
            self._endpoint.native.add(self._native)
        watcher.add(self)

    @property
    def address(self) -> str | None:
        """Where its health is told, as "host:port"."""
        return self._endpoint.address if self._endpoint is not None else None

    def running(self, runner: ActivityRunner, meter: MetricMeter) -> None:
        """Polls have begun."""
        self._lag = LoopLag(runner, warning=self._loop_lag_warning, gauge=_gauge(meter, self._task_queue))
        self._native.running()

    def draining(self, polls: asyncio.Future[None]) -> None:
        """No new tasks are taken; perhaps because the polls have failed."""
        if polls.done() and not polls.cancelled() and (error := polls.exception()) is not None:
            self.failed(error)
        self._native.draining()

    def failed(self, error: BaseException) -> None:
        """The worker gives up."""
        self._native.failed(f"{type(error).__name__}: {text_of(error)}")

    def report(self) -> str:
        """The health of the worker as JSON, for the endpoint of another process."""
        return self._native.report()

    async def end(self) -> None:
        """The worker is no more."""
        watcher.remove(self)
        self._native.close()
        if self._endpoint is not None:
            self._endpoint.native.remove(self._native)
            await self._endpoint.leave()

    def look(self, seconds: float, *, prompt: bool) -> None:
        """Called again and again by the thread that watches."""
        lag = self._lag
        overdue = lag.look(seconds) if lag is not None else 0.0
        found = dict(self._native.beat(lag=lag.lag if lag is not None else 0.0, overdue=overdue))
        now, last, self._last_look = time.monotonic(), self._last_look, time.monotonic()
        for kind in [kind for kind in self._stalls if kind not in found]:
            stalled = now - self._stalls.pop(kind)
            logger.warning("worker of task queue %r: %s again, after about %.1f s", self._task_queue, kind, stalled)
        new = [kind for kind in found if kind not in self._stalls]
        if not new:
            return
        if _PYTHON_RUNS in new:
            # By now, the stacks of the time when Python did not run are gone.
            since, where = last, "the stacks are on standard error"
        else:
            since, where = now - self._stall_timeout, f"all threads:\n\n{stacks()}"
        self._stalls.update(dict.fromkeys(new, since))
        reasons = "; ".join(found[kind] for kind in new)
        logger.error("worker of task queue %r: %s; %s", self._task_queue, reasons, where)


def _gauge(meter: MetricMeter, task_queue: str) -> MetricGaugeFloat | None:
    if meter is MetricMeter.noop:
        return None
    gauge = meter.create_gauge_float(METRIC, "How late the turns of a worker's event loop are", "s")
    return gauge.with_additional_attributes({"task_queue": task_queue})


def _after_fork() -> None:
    """In a forked child, endpoints belong to the threads of the parent."""
    HealthEndpoint._lock = threading.Lock()
    HealthEndpoint._open = {}


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
