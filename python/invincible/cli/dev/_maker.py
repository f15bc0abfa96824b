"""What runs in the worker's process: it imports the project and makes a worker of what is found."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any

import click

from invincible._engine.guard import DeterminismWarning
from invincible._engine.reference import workflow_definition
from invincible.activity._definition import ActivityDefinition
from invincible.client import Client
from invincible.envconfig import ClientConnectConfig
from invincible.runtime import Runtime
from invincible.service import RPCError
from invincible.worker import Worker
from invincible.worker._failures import logger
from invincible.worker._processes._telemetry import RuntimeOptions
from invincible.worker._told import CannotConnectError, words

from .._connection import Connection
from .._discovery import Found, definitions, is_workflow
from .._project import CannotLoadError, Target, load, locate, project_modules
from .._sources import shown_path
from .._worker_reference import WorkerReference
from ._events import send_news
from ._examples import inputs
from ._failures import ShortFailures
from ._orphans import end_with_parent

# Where samples and programs of this field keep the name of their task queue.
_TASK_QUEUE = "TASK_QUEUE"
_FACTORY = "worker"


@dataclass
class DevMaker:
    """Makes the worker of ``invincible dev``, in the process that runs it.

    Args:
        target: What to import.
        generation: Number of this state of the code.
        options: The options of the connection, for the conversion of payloads.
        connection: How to connect.
        runtime: For the runtime.
        grace: Time that activities have when the worker ends.
        task_queue: The task queue, if it is given.
        debugger: Whether code may stop at breakpoints, and read what is typed.
        prints_to_stderr: Whether what the code prints goes to the standard error.
        tracebacks: Whether failures are told with all of their traceback.
    """

    target: Target
    generation: int
    options: Connection
    connection: ClientConnectConfig
    runtime: RuntimeOptions
    grace: timedelta
    task_queue: str | None = None
    debugger: bool = False
    prints_to_stderr: bool = False
    tracebacks: bool = False
    _loaded: list[ModuleType] = field(default_factory=list, init=False, repr=False)

    def load(self) -> None:
        """Import the project.

        Raises:
            CannotLoadError: It cannot be imported.
        """
        end_with_parent()
        # Two edits in one second would not be told apart by the time that bytecode is stamped with.
        sys.dont_write_bytecode = True
        os.environ["TEMPORAL_ADDRESS"] = address_of(self.connection)
        os.environ["TEMPORAL_NAMESPACE"] = namespace_of(self.connection)
        self._take_over_streams()
        if not self.tracebacks:
            logger.addFilter(ShortFailures())
        try:
            # Anew, as folders get other files.
            self.target = locate(self.target.given)
        except ValueError as error:
            raise CannotLoadError(str(error)) from None
        self._loaded = load(self.target)

    async def make(self, runtime: Runtime) -> Worker:
        """Make the worker of what the project has.

        Raises:
            CannotLoadError: There is nothing to run, or it does not go together.
            CannotConnectError: The server cannot be reached.
        """
        connection = self._whole_connection()
        with _findings() as findings:
            factory = self._factory()
            notes: list[str] = []
            if factory is not None:
                worker = await self._made_by(factory, connection, runtime)
            else:
                found = definitions(project_modules(self.target, self._loaded))
                notes = found.notes
                worker = await self._made_of(found, connection, runtime)
        send_news(self.generation, **_description(worker), findings=findings, notes=notes)
        return worker

    def _take_over_streams(self) -> None:
        if self.prints_to_stderr:
            os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        if self.debugger:
            os.environ["TEMPORAL_DEBUG"] = "1"
            # multiprocessing has given this process an empty one.
            sys.stdin = open(0, closefd=False)  # noqa: SIM115
        else:
            sys.breakpointhook = _pass_over_breakpoint

    def _factory(self) -> str | None:
        """``module:worker``, if a module that was asked for has a worker or a function that makes one."""
        for module in self._loaded:
            value = vars(module).get(_FACTORY)
            is_function = callable(value) and not isinstance(value, type) and not is_workflow(value)
            if isinstance(value, Worker) or (is_function and ActivityDefinition.of(value) is None):
                return f"{module.__name__}:{_FACTORY}"
        return None

    def _whole_connection(self) -> Any:
        """The arguments of ``Client.connect``."""
        try:
            converter = self.options.converter(namespace_of(self.connection))
        except click.ClickException as error:
            raise CannotLoadError(error.message) from None
        return {**self.connection, "data_converter": converter, "identity": self.options.identity}

    async def _made_by(self, factory: str, connection: Any, runtime: Runtime) -> Worker:
        made = WorkerReference(factory, connection, self.runtime, self.task_queue, self.grace, in_processes=True)
        made.load()
        return await made.make(runtime)

    async def _made_of(self, found: Found, connection: Any, runtime: Runtime) -> Worker:
        if not found:
            notes = "".join(f"\n{note}" for note in found.notes)
            raise CannotLoadError(
                f"{self.target.given} has nothing for a worker: no workflow (@workflow.defn), activity "
                f"(@activity.defn) or Nexus service handler, nor a function {_FACTORY}(client) that makes a Worker"
                f"{notes}"
            )
        try:
            client = await Client.connect(**connection, runtime=runtime)
        except (RPCError, RuntimeError, ValueError) as error:
            raise CannotConnectError(str(error)) from None
        try:
            return Worker(
                client,
                task_queue=self.task_queue or self._own_task_queue() or self.target.name,
                workflows=found.workflows,
                activities=found.activities,
                nexus_service_handlers=found.nexus_services,
                graceful_shutdown_timeout=self.grace,
                debug_mode=self.debugger,
            )
        except (TypeError, ValueError) as error:  # of a definition
            raise CannotLoadError(words(error)) from None

    def _own_task_queue(self) -> str | None:
        values = [vars(module).get(_TASK_QUEUE) for module in self._loaded]
        return next((value for value in values if isinstance(value, str) and value), None)


def address_of(connection: ClientConnectConfig) -> str:
    """Where a connection goes."""
    return connection.get("target_host", "localhost:7233")


def namespace_of(connection: ClientConnectConfig) -> str:
    """The namespace of a connection."""
    return connection.get("namespace", "default")


def _description(worker: Worker) -> dict[str, Any]:
    config = worker._config
    workflows: dict[str, list[str] | None] = {}
    for each in config["workflows"]:
        definition = workflow_definition(each)
        if definition.name is not None:
            workflows[definition.name] = inputs(definition.signature)
        else:
            workflows["(dynamic)"] = None
    activities = [
        definition.name or "(dynamic)" for definition in map(ActivityDefinition.of, config["activities"]) if definition
    ]
    services = []
    if config["nexus_service_handlers"]:
        import nexusrpc

        services = [
            service.name
            for service in map(nexusrpc.get_service_definition, map(type, config["nexus_service_handlers"]))
            if service is not None
        ]
    return {
        "task_queue": worker.task_queue,
        "workflows": workflows,
        "activities": activities,
        "nexus_services": services,
    }


@contextmanager
def _findings() -> Iterator[list[str]]:
    """What the static pass finds while workers are made; other warnings are logged."""
    findings: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeterminismWarning)
        yield findings
    for each in caught:
        if issubclass(each.category, DeterminismWarning):
            findings.append(str(each.message))
        else:
            where = f"{shown_path(each.filename)}:{each.lineno}"
            logging.getLogger("py.warnings").warning("%s: %s: %s", where, each.category.__name__, each.message)


_passed: set[tuple[str, int]] = set()


def _pass_over_breakpoint(*_: object, **__: object) -> None:
    """``breakpoint()`` where nobody could type anything: told once for each line."""
    frame = sys._getframe(1)
    place = frame.f_code.co_filename, frame.f_lineno
    if place not in _passed:
        _passed.add(place)
        logger.warning(
            "breakpoint() in %s:%d is passed over: give --debugger to stop there", shown_path(place[0]), place[1]
        )
