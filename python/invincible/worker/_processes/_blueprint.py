"""What worker processes make their worker of: the options of the one that the program made."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from invincible.client import Client
from invincible.client._plugin import connect
from invincible.client._time_skipping import FreeRunning
from invincible.converter import DataConverter
from invincible.runtime import Runtime
from invincible.service import ConnectConfig
from invincible.service._config import default_identity

from ._telemetry import RuntimeOptions

if TYPE_CHECKING:
    from .._worker import Worker

# Options that hold something of this process, with what to do instead.
_OF_ONE_PROCESS = {
    "activity_executor": "leave it out: each process has threads of its own, as many as slots",
    "workflow_task_executor": "leave it out: each process runs its workflows on a thread of its own",
    "nexus_task_executor": "leave it out: each process has threads of its own",
    "shared_state_manager": "leave it out: activities run in the worker processes themselves",
}
# What only this process has.
_KEPT_HERE = ("client", "processes", "on_fatal_error", "health_address")
_LISTS = ("activities", "workflows", "nexus_service_handlers", "interceptors", "plugins")


class Maker(Protocol):
    """Makes the worker in its process. It comes there by pickle."""

    runtime: RuntimeOptions

    def load(self) -> None:
        """Import what the worker runs."""

    async def make(self, runtime: Runtime) -> Worker:
        """Connect, and make the worker."""
        ...


@dataclass(frozen=True)
class WorkerBlueprint:
    """A worker's options, as those of the workers of its processes.

    Args:
        runtime: For their runtimes.
        connection: For their connections.
        client_class: The class of their clients.
        client: Arguments for that.
        worker: Arguments of ``Worker`` that are not its defaults.
        raise_task_failures: Whether those who wait for results are told of failed workflow tasks.
        time_skipping: Serialized ``TimeSkippingConfig`` of the workflows that their clients start; ``None`` for none.
        always_replay: Whether each run is replayed from its start for every task.
    """

    runtime: RuntimeOptions
    connection: ConnectConfig
    client_class: type[Client]
    client: Mapping[str, Any]
    worker: Mapping[str, Any]
    raise_task_failures: bool
    time_skipping: bytes | None
    always_replay: bool

    @classmethod
    def of(cls, worker: Worker, *, serve_metrics: bool) -> WorkerBlueprint:
        """The blueprint of a worker.

        Raises:
            TypeError: Another process cannot have something that the worker is made of; the message names it.
            ValueError: Metrics cannot go where they should.
        """
        from .._worker import Worker

        if type(worker) is not Worker:
            raise TypeError(
                f"a worker with processes must be a Worker itself, as these make theirs of its options: give "
                f"{type(worker).__qualname__} no processes, or make it a plugin"
            )
        client, config = worker.client, worker.config()
        for name, instead in _OF_ONE_PROCESS.items():
            if config.get(name) is not None:
                raise TypeError(
                    f"{name} belongs to one process, so it cannot be given together with processes: {instead}"
                )
        skipping = client._time_skipping
        return cls(
            runtime=RuntimeOptions.of(client.service_client._runtime, serve_metrics=serve_metrics),
            connection=_for_all(client.service_client.config),
            client_class=type(client),
            client={name: value for name, value in client.config().items() if name != "service_client"},
            worker=_options(worker, config),
            raise_task_failures=client._raise_task_failures,
            time_skipping=None if skipping is None else skipping.start_config(awaited=True),
            always_replay=client._always_replay,
        )

    def load(self) -> None:
        """Nothing: to unpickle this has imported everything."""

    async def make(self, runtime: Runtime) -> Worker:
        """Connect, and make the worker."""
        from invincible._engine.guard import DeterminismWarning

        from .._worker import Worker

        identity = self.connection.identity
        connection = replace(self.connection, runtime=runtime, identity=own_identity(identity) if identity else "")
        service_client = await connect(connection, self.client["plugins"])
        client = self.client_class(service_client, **self.client)
        client._raise_task_failures = self.raise_task_failures
        client._time_skipping = None if self.time_skipping is None else FreeRunning(self.time_skipping)
        client._always_replay = self.always_replay
        options = dict(self.worker)
        if options.get("identity"):
            options["identity"] = own_identity(options["identity"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeterminismWarning)  # the program has been warned
            return Worker(client, **options)

    def pickled(self) -> bytes:
        """This, to be sent to a process.

        Raises:
            TypeError: Another process cannot have a part of it; the message names it.
        """
        _check_all("client", self.client)
        _check_all("worker", self.worker)
        _check(self.client_class, "the client's class")
        _check(self.runtime, "the telemetry of the client's runtime")
        return dump(self)


def own_identity(identity: str) -> str:
    """An identity that the program chose, made one of this process: the server tells workers apart by it."""
    return f"{identity}/{default_identity().partition('@')[0]}"


def _for_all(config: ConnectConfig) -> ConnectConfig:
    """How to connect from any process: with an identity of its own unless the program chose one."""
    result = copy.copy(config)
    result.runtime = None
    result.lazy = False
    if result.identity == default_identity():
        result.identity = ""
    return result


def _options(worker: Worker, config: Mapping[str, Any]) -> dict[str, Any]:
    # Some defaults are told from what was given by their identity, which pickle does not keep.
    defaults = {name: each.default for name, each in inspect.signature(type(worker)).parameters.items()}
    options = {
        name: value for name, value in config.items() if name not in _KEPT_HERE and value is not defaults.get(name)
    }
    if worker._parts.grace is not None:
        options["graceful_shutdown_timeout"] = timedelta(seconds=worker._parts.grace)
    return options


def _check_all(of: str, options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if name in _LISTS and isinstance(value, Sequence):
            for each in value:
                _check(each, f"{_name(each)}, of {name}")
        elif name == "data_converter":
            for part in fields(value):
                if part.init:
                    _check(getattr(value, part.name), f"{part.name} of the client's data converter")
        else:
            _check(value, f"the {of}'s {name}")


def _name(value: Any) -> str:
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}.{name}" if isinstance(name, str) else f"the {type(value).__qualname__} object"


def _check(value: object, what: str) -> None:
    try:
        pickled = dump(value)
    except Exception as error:  # objects have their own ways to be pickled
        raise TypeError(f"{what}, cannot be had by worker processes: {error}. {_HOW}") from error
    if b"__main__" in pickled and not _main_can_be_imported():
        raise TypeError(
            f"{what}, cannot be had by worker processes: it is defined in __main__, which here is no file. {_HOW}"
        )


_HOW = "They import functions and classes, which must be at the top level of a module, and unpickle everything else"


def _main_can_be_imported() -> bool:
    main = sys.modules.get("__main__")
    return getattr(main, "__file__", None) is not None or getattr(main, "__spec__", None) is not None


class _Pickler(pickle.Pickler):
    """Pickles data converters as what they are made of, since what they have made may be compiled."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, DataConverter) and type(value).__reduce_ex__ is object.__reduce_ex__:
            parts = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
            return _converter, (type(value), parts)
        return NotImplemented


def _converter(make: Callable[..., DataConverter], parts: Mapping[str, Any]) -> DataConverter:
    return make(**parts)


def dump(value: object) -> bytes:
    """A value, pickled."""
    buffer = io.BytesIO()
    _Pickler(buffer).dump(value)
    return buffer.getvalue()
