"""Keeps the processes of a worker running, and has them end."""

from __future__ import annotations

import asyncio
import atexit
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from .._exit_codes import how_it_ended
from .._failures import logger
from .._health import HealthEndpoint
from .._under_way import UnderWay
from .._waiting import uninterrupted
from ._blueprint import WorkerBlueprint
from ._child import ChildOptions
from ._logs import LogLevels
from ._main_guard import MESSAGE, in_worker_process
from ._messages import Failed
from ._metrics import MetricsServer
from ._options import WorkerProcesses
from ._process import WorkerProcess
from ._restarts import Restarts

if TYPE_CHECKING:
    from .._worker import Worker

# A server that cannot be reached is no reason to give up while other processes may still be connected.
_NO_LIMIT = 1_000_000_000


class Supervisor:
    """Runs worker processes from ``run()`` until it is told to stop.

    Args:
        settings: How many, and what becomes of those that do not behave.
        pickled_maker: What they make their worker with, as of the time of the call.
        grace: Seconds that activities have when the worker ends, as of the time of the call.
        health: Opens the endpoint that tells of the health of the processes, if there is to be one.

    Attributes:
        killed: How many processes were told to end and did not do so: they crashed, or had to be killed.
    """

    def __init__(
        self,
        settings: WorkerProcesses,
        pickled_maker: Callable[[], bytes],
        *,
        grace: Callable[[], float | None],
        health: Callable[[], HealthEndpoint | None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._pickled_maker = pickled_maker
        self._grace = grace
        self._open_health = health
        self._health: HealthEndpoint | None = None
        # The current process of each number, and all that have not ended yet.
        self._current: list[WorkerProcess | None] = [None] * settings.count
        self._alive: set[WorkerProcess] = set()
        self._failed: list[Failed] = []
        self._starts = [0] * settings.count
        self._seeing_off: set[asyncio.Task[None]] = set()
        self._was_ready = False
        self.killed = 0
        self._metrics: MetricsServer | None = None
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="invincible-worker-starter")

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Run the processes.

        Args:
            stop: Says when to end; set if the processes cannot go on.
            ready: Set once all processes poll.

        Raises:
            Exception: What a process cannot go on for.
            RuntimeError: A process crashed too often, or an address is taken, or this is a worker process itself.
        """
        if in_worker_process():
            raise RuntimeError(MESSAGE)
        # Before multiprocessing waits for its processes at exit.
        atexit.register(self.kill)
        keepers: list[asyncio.Task[None]] = []
        stopped = asyncio.ensure_future(stop.wait())
        try:
            self._serve()
            keepers += (asyncio.ensure_future(self._keep(index, ready)) for index in range(self._settings.count))
            await asyncio.wait((*keepers, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.set()
            stopped.cancel()
            await uninterrupted(self._drain(keepers))
        for keeper in keepers:
            if not keeper.cancelled() and (error := keeper.exception()) is not None:
                raise error
        for failure in self._failed:
            raise failure.error.exception()

    def kill(self) -> None:
        """End all processes at once; from any thread."""
        for process in list(self._alive):
            process.kill()

    @property
    def activities(self) -> list[UnderWay]:
        """What the processes were running when they last reported."""
        return [activity for process in list(self._alive) for activity in process.activities]

    @property
    def health_address(self) -> str | None:
        """Where the health of the processes is told, while they run."""
        return None if self._health is None else self._health.address

    @property
    def metrics_address(self) -> str | None:
        """Where the metrics of all processes are served, while they run."""
        return None if self._metrics is None else self._metrics.address

    def states(self) -> list[dict[str, Any]]:
        """What is known of the processes, those included that end: ``index``, ``pid``, ``starts``, the age of the
        latest report in seconds as ``reported``, and what it said."""
        now = time.monotonic()
        return [
            {
                **process.report,
                "index": process.index,
                "pid": process.pid,
                "starts": self._starts[process.index],
                "reported": None if process.reported_at is None else now - process.reported_at,
            }
            for process in sorted(self._alive, key=lambda each: each.index)
        ]

    def _serve(self) -> None:
        self._health = self._open_health()
        if self._health is not None:
            logger.info("/healthz and /readyz tell of its health at http://%s", self._health.address)
        if self._settings.metrics_address is not None:
            self._metrics = MetricsServer(self._settings.metrics_address, self._metrics_sources)
            logger.info("the metrics are at http://%s/metrics", self._metrics.address)

    async def _keep(self, index: int, ready: asyncio.Event) -> None:
        """Keep one process running, until this is cancelled; ends only by an error."""
        settings = self._settings
        window, backoff = settings.crash_window.total_seconds(), settings.restart_backoff.total_seconds()
        restarts = Restarts(max_crashes=settings.max_crashes, window=window, backoff=backoff)
        retries = Restarts(max_crashes=_NO_LIMIT, window=window, backoff=backoff)
        current = await self._launch(index, ready)
        while True:
            await _first(current.ended, current.leaving)
            if current.ended.done():
                await asyncio.sleep(self._pause_after(current, restarts, retries))
                current = await self._launch(index, ready)
                continue
            why = current.leaving.result()
            logger.info("%s is replaced: %s", current, why, extra={"worker_process": index})
            successor = await self._launch(index, ready)
            await _first(successor.ready, successor.ended)
            if successor.ended.done():
                await asyncio.sleep(self._pause_after(successor, restarts, retries))
                continue
            self._see_off(current)
            self._current[index] = current = successor

    async def _launch(self, index: int, ready: asyncio.Event) -> WorkerProcess:
        kill_after, max_memory = self._settings.kill_after.total_seconds(), self._settings.max_memory
        options = ChildOptions(index, self._pickled_maker(), LogLevels.here(), kill_after, max_memory)
        process = WorkerProcess(options, on_report=self._tell_of_health)
        self._alive.add(process)
        if self._current[index] is None:
            self._tell_of_health(process)
        self._starts[index] += 1
        process.ended.add_done_callback(lambda _: self._ended(process))
        process.ready.add_done_callback(lambda _: self._ready(process, ready))
        await asyncio.get_running_loop().run_in_executor(self._starter, process.start)
        return process

    def _ready(self, process: WorkerProcess, ready: asyncio.Event) -> None:
        self._was_ready = True
        if (current := self._current[process.index]) is None or current.ended.done():
            self._current[process.index] = process
        logger.info("%s polls", process, extra={"worker_process": process.index})
        if all(self._current):
            ready.set()

    def _tell_of_health(self, process: WorkerProcess) -> None:
        current = self._current[process.index]
        if self._health is not None and (current is None or current is process or current.ended.done()):
            self._health.native.put_report(f"worker process {process.index}", process.report.get("health"))

    def _ended(self, process: WorkerProcess) -> None:
        self._alive.discard(process)
        process.report.pop("health", None)
        self._tell_of_health(process)
        # Not of those that could not connect, which may be tried again for hours: each holds descriptors.
        if process.failure is not None and process.failure.phase == "run":
            self._failed.append(process.failure)
        if self._current[process.index] is process and not process.failure:
            logger.debug("%s %s", process, how_it_ended(process.ended.result()))

    def _pause_after(self, process: WorkerProcess, restarts: Restarts, retries: Restarts) -> float:
        """Seconds until the next start, after the end of a process.

        Raises:
            Exception: There is to be none.
        """
        failure, now = process.failure, asyncio.get_running_loop().time()
        if failure is not None and (failure.phase == "run" or not self._was_ready):
            raise failure.error.exception()
        if failure is not None and failure.phase == "connect":
            pause = retries.crashed(now, failure.error.summary)
            assert pause is not None
            logger.warning("%s could not connect, tried again in %.1f s: %s", process, pause, failure.error.summary)
            return pause
        code = process.ended.result()
        if failure is None and code == 0 and process.leaving.done():
            logger.info("%s has ended: %s", process, process.leaving.result())
            return 0.0
        if failure is None and code is not None and code >= 0 and process.reported_at is None and not self._was_ready:
            raise RuntimeError(
                f"worker process {process.index} ended with exit code {code} while it imported the program, and says "
                'why on standard error. The program is to run its worker under if __name__ == "__main__":'
            )
        how = how_it_ended(code) if failure is None else f"could not be loaded: {failure.error.summary}"
        paused = restarts.crashed(now, how)
        settings = self._settings
        if paused is None:
            raise RuntimeError(
                f"worker process {process.index} crashed {len(restarts.crashes)} times within "
                f"{settings.crash_window.total_seconds():g} s, which max_crashes does not allow: "
                f"{'; '.join(f'it {each}' for each in restarts.crashes)}"
            )
        shown = "" if failure is None else failure.error.shown
        logger.warning(
            "%s %s; started again in %.1f s (crash %d of %d within %g s)%s",
            process,
            how,
            paused,
            len(restarts.crashes),
            settings.max_crashes,
            settings.crash_window.total_seconds(),
            f"\n{shown}" if shown else "",
            extra={"worker_process": process.index, "exit_code": code},
        )
        return paused

    def _see_off(self, process: WorkerProcess) -> None:
        """Have a process end that another one has replaced."""
        process.drain()
        task = asyncio.ensure_future(self._end_of([process]))
        self._seeing_off.add(task)
        task.add_done_callback(self._seeing_off.discard)

    async def _end_of(self, processes: Iterable[WorkerProcess]) -> None:
        """Wait for processes that drain; kill those that do not end in time."""
        waiting = {process.ended: process for process in processes}
        if not waiting:
            return
        graces = [self._grace() or 0.0, *(each.grace for each in waiting.values() if each.grace is not None)]
        deadline = max(graces) + self._settings.kill_after.total_seconds()
        in_time, late = await asyncio.wait(waiting, timeout=deadline)
        for ended in in_time:
            process, code = waiting[ended], ended.result()
            if code and process.failure is None and process.ready.done():
                logger.warning(
                    "%s %s, which its tasks may not have outlived",
                    process,
                    how_it_ended(code),
                    extra={"worker_process": process.index, "exit_code": code},
                )
                self.killed += 1
        for ended in late:
            process = waiting[ended]
            activities = "; ".join(map(str, process.activities)) or "no activity"
            logger.warning(
                "%s had not ended %.1f s after it was told to, and is killed; under way: %s",
                process,
                deadline,
                activities,
                extra={"worker_process": process.index},
            )
            process.kill()
            self.killed += 1
        if late:
            await asyncio.wait(late)

    async def _drain(self, keepers: Iterable[asyncio.Task[None]]) -> None:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        for process in self._alive:
            process.drain()
        await self._end_of(list(self._alive))
        if self._seeing_off:
            await asyncio.wait(list(self._seeing_off))
        atexit.unregister(self.kill)
        self._starter.shutdown(wait=False)
        if self._metrics is not None:
            await asyncio.to_thread(self._metrics.close)
        if self._health is not None:
            for index in range(self._settings.count):
                self._health.native.remove_report(f"worker process {index}")
            await self._health.leave()

    def _metrics_sources(self) -> list[str]:
        ports = [each.metrics_port for each in self._current if each is not None and not each.ended.done()]
        return [f"127.0.0.1:{port}" for port in ports if port is not None]


def supervisor_of(worker: Worker, processes: int | WorkerProcesses) -> Supervisor:
    """What runs a worker in processes.

    Raises:
        RuntimeError: Memory is to be limited, and not known here.
        TypeError: The processes cannot have something that the worker is made of; the message names it.
        ValueError: An option of the processes is out of its range, or metrics cannot go where they should.
    """
    settings = WorkerProcesses.of(processes)

    def pickled() -> bytes:
        # Anew for each process: the key of the connection may have been changed.
        return WorkerBlueprint.of(worker, serve_metrics=settings.metrics_address is not None).pickled()

    def health() -> HealthEndpoint | None:
        address = worker._config["health_address"]
        return None if address is None else HealthEndpoint.at(worker.client.service_client._runtime, address)

    pickled()
    return Supervisor(settings, pickled, grace=lambda: worker._parts.grace, health=health)


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
