"""`invincible worker`: workers as programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from ._connection import Connection, server_options
from ._options import Command
from ._units import address, duration, name, size

if TYPE_CHECKING:
    import asyncio

    from invincible.worker import WorkerProcesses
    from invincible.worker._processes._supervisor import Supervisor
    from invincible.worker._runner import Program
    from invincible.worker._under_way import UnderWay

    from ._worker_reference import WorkerReference


@click.group()
def command() -> None:
    """Run workers."""


@command.command(cls=Command)
@click.argument("reference", metavar="MODULE:ATTRIBUTE")
@click.option("--processes", "-p", type=click.IntRange(min=1), help="Run it in so many processes.")
@click.option("--max-memory", type=size, metavar="SIZE", help="Replace processes that have more: 500MB, 2GB, 512MiB.")
@click.option("--grace", type=duration, metavar="DURATION", help="Time that activities have to end.  [default: 30s]")
@click.option("--task-queue", type=name, metavar="NAME", help="For functions that take a task_queue.")
@click.option("--metrics", "metrics_address", type=address, metavar="HOST:PORT", help="Serve metrics for Prometheus.")
@click.option(
    "--health", "health_address", type=address, metavar="HOST:PORT", help="Answer /healthz and /readyz over HTTP."
)
@server_options
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run(
    reference: str,
    processes: int | None,
    max_memory: int | None,
    grace: timedelta | None,
    task_queue: str | None,
    metrics_address: str | None,
    health_address: str | None,
    connection: Connection,
    log_level: str,
    log_format: str,
) -> None:
    """Run the worker that MODULE:ATTRIBUTE names.

    The attribute is a Worker, or a function, async or not, that returns one. The function may take `client`, which is
    connected as the options, TEMPORAL_* variables and the configuration file say, and `task_queue`. Modules are looked
    for in the current directory first.

    Ctrl-C or SIGTERM has the worker take no new tasks and gives its activities time to end; a second one ends the
    program at once. The exit code is 0 if all tasks were completed, 1 if the worker could not run or a process of it
    crashed at the end or had to be killed, 2 for wrong options, 130 or 143 after a second Ctrl-C or SIGTERM.
    """
    from invincible.runtime import PrometheusConfig, TelemetryConfig
    from invincible.worker import WorkerProcesses
    from invincible.worker._processes._telemetry import RuntimeOptions
    from invincible.worker._runner import run_program

    from ._logging import log_to_stderr
    from ._worker_reference import WorkerReference

    _check_reference(reference)
    if max_memory is not None and processes is None:
        raise click.UsageError("--max-memory is for --processes: give it too")
    try:
        settings = (
            None
            if processes is None
            else WorkerProcesses(processes, max_memory=max_memory, metrics_address=metrics_address)
        )
    except (RuntimeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    config = connection.config()
    # The user's modules are found where the command is run, as by `python -m`.
    sys.path.insert(0, "")
    log_to_stderr(log_level, log_format)
    metrics = PrometheusConfig(bind_address=metrics_address) if metrics_address and settings is None else None
    maker = WorkerReference(
        reference,
        config,
        RuntimeOptions(
            TelemetryConfig(metrics=metrics),
            timedelta(seconds=60),
            False,
            metrics_address is not None and processes is not None,
        ),
        task_queue=task_queue,
        grace=grace,
        health_address=health_address,
        in_processes=settings is not None,
    )

    async def make() -> Program:
        return await _here(maker) if settings is None else _in_processes(maker, settings)

    # Modules may have event loops run while they are imported, to connect say.
    run_program(make, prepare=partial(_prepare_here, maker) if settings is None else lambda: None)


def _check_reference(reference: str) -> None:
    module, colon, attribute = reference.partition(":")
    if not (module and colon and attribute):
        raise click.UsageError(f"{reference!r} is not MODULE:ATTRIBUTE")
    if module.startswith("."):
        raise click.UsageError(f"{reference!r} is relative: give the whole name of the module, as to `python -m`")
    if module.endswith(".py"):
        hint = module[: -len(".py")].replace("/", ".").replace("\\", ".").strip(".")
        raise click.UsageError(f"{reference!r} names a file: give the module, {hint}:{attribute}")


def _prepare_here(maker: WorkerReference) -> None:
    from invincible.runtime import Runtime
    from invincible.worker._told import ProgramError

    try:
        runtime = Runtime(telemetry=maker.runtime.telemetry)
    except (RuntimeError, ValueError) as error:
        raise ProgramError(str(error)) from None
    Runtime.set_default(runtime)
    maker.load()


async def _here(maker: WorkerReference) -> Program:
    """The worker, in this process."""
    from invincible.runtime import Runtime
    from invincible.worker._runner import WorkerProgram

    return WorkerProgram(await maker.make(Runtime.default()))


class _Processes:
    """The processes of a worker that only they import."""

    def __init__(self, maker: WorkerReference, supervisor: Supervisor) -> None:
        self.title = f"worker {maker.reference}"
        self.grace = maker.grace_of_processes
        self.waits_for = None
        self._supervisor = supervisor

    @property
    def killed(self) -> int:
        return self._supervisor.killed

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        await self._supervisor.run(stop, ready)

    def under_way(self) -> Sequence[UnderWay]:
        return self._supervisor.activities

    def kill(self) -> None:
        self._supervisor.kill()


def _in_processes(maker: WorkerReference, settings: WorkerProcesses) -> Program:
    import pickle

    from invincible.runtime import Runtime
    from invincible.worker._health import HealthEndpoint
    from invincible.worker._processes._supervisor import Supervisor

    pickled = pickle.dumps(maker)

    def health() -> HealthEndpoint | None:
        address = maker.health_address
        return None if address is None else HealthEndpoint.at(Runtime.default(), address)

    return _Processes(
        maker, Supervisor(settings, lambda: pickled, grace=lambda: maker.grace_of_processes, health=health)
    )
