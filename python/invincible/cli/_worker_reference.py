"""``module:attribute``: where a program finds its worker."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from invincible.client import Client
from invincible.envconfig import ClientConnectConfig
from invincible.runtime import Runtime
from invincible.service import RPCError
from invincible.worker import Worker
from invincible.worker._failures import logger
from invincible.worker._processes._telemetry import MetricsOfOneProcessError, RuntimeOptions
from invincible.worker._runner import DEFAULT_GRACE
from invincible.worker._told import CannotConnectError, ProgramError, shown_traceback

_PARAMETERS = ("client", "task_queue")


@dataclass
class WorkerReference:
    """Makes the worker that a reference names, in this process or in those of a supervisor.

    Args:
        reference: ``module:attribute``; the attribute is a worker or a function that makes one.
        connection: For the client that the function may ask for.
        runtime: For the client's runtime.
        task_queue: For functions that take one.
        grace: The grace of activities, instead of the worker's own.
        health_address: Where the health is told, instead of the worker's own address.
        in_processes: Whether the process is one of several.
    """

    reference: str
    connection: ClientConnectConfig
    runtime: RuntimeOptions
    task_queue: str | None = None
    grace: timedelta | None = None
    health_address: str | None = None
    in_processes: bool = False
    _found: Any = field(default=None, init=False, repr=False)

    @property
    def grace_of_processes(self) -> float:
        """Seconds that activities have to end, as far as they are known before the worker is made."""
        return (DEFAULT_GRACE if self.grace is None else self.grace).total_seconds()

    def load(self) -> None:
        """Import the module.

        Raises:
            ProgramError: There is no such thing, or its import fails.
        """
        self._found = found(self.reference)
        if not isinstance(self._found, Worker) and not callable(self._found):
            raise ProgramError(
                f"{self.reference} is of type {type(self._found).__name__}: it must be a Worker, or a function that "
                "returns one"
            )

    async def make(self, runtime: Runtime) -> Worker:
        """Make the worker, and the client if the function asks for one.

        Raises:
            ProgramError: There is no worker to be had.
        """
        worker = self._found if isinstance(self._found, Worker) else await self._called(self._found, runtime)
        if not isinstance(worker, Worker):
            raise ProgramError(
                f"{self.reference} returned an object of type {type(worker).__name__}: it must return a Worker"
            )
        if self.in_processes:
            if worker._config["health_address"] is not None and self.health_address is None:
                logger.warning("the worker's health_address is of one process: give --health together with --processes")
            worker._supervisor = None
            worker._config["health_address"] = None
        elif self.health_address is not None:
            worker._config["health_address"] = self.health_address
        if self.grace is not None:
            worker._parts.set_grace(self.grace)
        else:
            worker._parts.default_grace(DEFAULT_GRACE)
        return worker

    async def _called(self, function: Callable[..., Any], runtime: Runtime) -> Any:
        parameters = inspect.signature(function).parameters
        needed = [
            name
            for name, each in parameters.items()
            if each.default is each.empty
            and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
            and name not in _PARAMETERS
        ]
        if needed:
            raise ProgramError(
                f"{self.reference} takes {', '.join(needed)}, which nobody gives: it may take "
                f"{' and '.join(_PARAMETERS)}"
            )
        if self.task_queue is not None and "task_queue" not in parameters:
            raise ProgramError(
                f"--task-queue is for functions with a parameter task_queue, which {self.reference} lacks"
            )
        arguments: dict[str, Any] = {}
        if "client" in parameters:
            arguments["client"] = await self._connected(runtime)
        if "task_queue" in parameters and (self.task_queue is not None or "task_queue" not in _optional(parameters)):
            if self.task_queue is None:
                raise ProgramError(f"{self.reference} needs a task queue: give --task-queue")
            arguments["task_queue"] = self.task_queue
        try:
            made = function(**arguments)
            return await made if inspect.isawaitable(made) else made
        except SystemExit as error:
            raise ProgramError(f"{self.reference} called sys.exit: {error.code}") from None
        except MetricsOfOneProcessError:
            raise ProgramError(
                f"--metrics is for one process, and {self.reference} makes a worker of several: give --processes "
                "together with it, or WorkerProcesses(..., metrics_address='host:port') there instead of it"
            ) from None

    async def _connected(self, runtime: Runtime) -> Client:
        try:
            return await Client.connect(**self.connection, runtime=runtime)
        except (RPCError, RuntimeError, ValueError) as error:
            raise CannotConnectError(str(error)) from None


def found(reference: str) -> Any:
    """What ``module:attribute`` stands for; the attribute may have dots.

    Raises:
        ProgramError: There is no such thing, or the import of the module fails.
    """
    module_name, _, name = reference.partition(":")
    try:
        value: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise ProgramError(
                f"there is no module {error.name!r}: modules are looked for in the current directory and where Python "
                "finds its own"
            ) from None
        raise _broken(module_name, error) from None
    except SystemExit as error:
        raise ProgramError(f"module {module_name!r} called sys.exit when it was imported: {error.code}") from None
    except Exception as error:  # it is the user's code
        raise _broken(module_name, error) from None
    for part in name.split("."):
        if not hasattr(value, part):
            raise ProgramError(f"there is no {name!r} in module {module_name!r}")
        value = getattr(value, part)
    return value


def _broken(module_name: str, error: Exception) -> ProgramError:
    return ProgramError(f"the import of module {module_name!r} failed:\n{shown_traceback(error)}")


def _optional(parameters: Any) -> set[str]:
    return {name for name, each in parameters.items() if each.default is not each.empty}
