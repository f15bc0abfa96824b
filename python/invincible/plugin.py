"""Plugins made of values: what a library brings to clients, workers and replayers, in one object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import iscoroutinefunction
from typing import Any, TypeAlias, TypeVar

from invincible.client import ClientConfig, WorkflowHistory
from invincible.client import Interceptor as ClientInterceptor
from invincible.client import Plugin as ClientPlugin
from invincible.converter import DataConverter
from invincible.service import ConnectConfig, ServiceClient
from invincible.worker import Interceptor as WorkerInterceptor
from invincible.worker import Plugin as WorkerPlugin
from invincible.worker import (
    Replayer,
    ReplayerConfig,
    Worker,
    WorkerConfig,
    WorkflowReplayResult,
    WorkflowRunner,
)

__all__ = ["PluginParameter", "SimplePlugin"]

T = TypeVar("T")

PluginParameter: TypeAlias = T | Callable[[T | None], T] | None
"""A value, or a function that makes it of the value that is configured; ``None`` for no change."""


class SimplePlugin(ClientPlugin, WorkerPlugin):
    """A plugin for clients, workers and replayers that is made of what it brings.

    Sequences are added to those that are configured, other values take their place; a function gets what is configured
    and returns what is to be used. Give the plugin to the client: its workers use it too.

    Args:
        name: Name in messages and at the server.
        data_converter: For clients and replayers.
        interceptors: Those of clients are for clients; those of workers for workers and replayers. One that is both is
            used once.
        activities: For workers.
        nexus_service_handlers: For workers.
        workflows: For workers and replayers.
        workflow_runner: For workers and replayers.
        workflow_failure_exception_types: For workers and replayers.
        run_context: Makes an asynchronous context manager that each worker runs in, and each replay.

    Raises:
        ValueError: ``name`` is empty.
        TypeError: an interceptor is not one, ``name`` is no str, a single activity or workflow is given where there can
            be several, or ``run_context`` is a context manager.

    Example:
        plugin = SimplePlugin("billing", activities=[charge, refund], run_context=open_ledger)
        client = await Client.connect("localhost:7233", plugins=[plugin])
        worker = Worker(client, task_queue="orders", workflows=[Order])
    """

    def __init__(
        self,
        name: str,
        *,
        data_converter: PluginParameter[DataConverter] = None,
        interceptors: Sequence[ClientInterceptor | WorkerInterceptor] | None = None,
        activities: PluginParameter[Sequence[Callable[..., Any]]] = None,
        nexus_service_handlers: PluginParameter[Sequence[Any]] = None,
        workflows: PluginParameter[Sequence[Any]] = None,
        workflow_runner: PluginParameter[WorkflowRunner] = None,
        workflow_failure_exception_types: PluginParameter[Sequence[type[BaseException]]] = None,
        run_context: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a plugin must be a str, got {type(name).__name__}")
        if not name:
            raise ValueError("a plugin needs a name")
        for option, parameter in {
            "activities": activities,
            "nexus_service_handlers": nexus_service_handlers,
            "workflows": workflows,
            "workflow_failure_exception_types": workflow_failure_exception_types,
        }.items():
            # A single activity or workflow is callable too, and no function of what is configured.
            if iscoroutinefunction(parameter) or isinstance(parameter, type):
                raise TypeError(
                    f"{option} of plugin {name!r} must be a sequence: put {parameter.__qualname__} in a list"
                )
        if isinstance(run_context, AbstractAsyncContextManager):
            raise TypeError(
                f"run_context of plugin {name!r} must be a function that makes a context manager for each run, got a "
                "context manager"
            )
        for each in interceptors or ():
            if not isinstance(each, (ClientInterceptor, WorkerInterceptor)):
                raise TypeError(
                    f"interceptors of plugin {name!r} must be interceptors of clients or workers, got {each!r}"
                )
        self._name = name
        self._data_converter = data_converter
        self._interceptors = tuple(interceptors or ())
        self._activities = activities
        self._nexus_service_handlers = nexus_service_handlers
        self._workflows = workflows
        self._workflow_runner = workflow_runner
        self._workflow_failure_exception_types = workflow_failure_exception_types
        self._run_context = run_context

    def name(self) -> str:
        """The name given."""
        return self._name

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Set the data converter, and add the interceptors of clients."""
        config["data_converter"] = _replaced(config["data_converter"], self._data_converter)
        own = [each for each in self._interceptors if isinstance(each, ClientInterceptor)]
        config["interceptors"] = [*config["interceptors"], *own]
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        """Connect as it is configured."""
        return await next(config)

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Add what there is for workers."""
        config["activities"] = _extended(config["activities"], self._activities)
        config["nexus_service_handlers"] = _extended(config["nexus_service_handlers"], self._nexus_service_handlers)
        # A worker uses those of its client anyhow.
        of_client = config["client"].config(active_config=True)["interceptors"]
        config["interceptors"] = self._with_own_interceptors(config["interceptors"], of_client)
        self._configure_workflows(config)
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Run the worker in the context."""
        if self._run_context is None:
            await next(worker)
            return
        async with self._run_context():
            await next(worker)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Add what there is for replayers."""
        config["data_converter"] = _replaced(config["data_converter"], self._data_converter)
        config["interceptors"] = self._with_own_interceptors(config["interceptors"], ())
        self._configure_workflows(config)
        return config

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AsyncIterator[AsyncIterator[WorkflowReplayResult]]:
        """Replay in the context."""
        if self._run_context is None:
            async with next(replayer, histories) as results:
                yield results
            return
        async with self._run_context(), next(replayer, histories) as results:
            yield results

    def _configure_workflows(self, config: WorkerConfig | ReplayerConfig) -> None:
        config["workflows"] = _extended(config["workflows"], self._workflows)
        config["workflow_runner"] = _replaced(config["workflow_runner"], self._workflow_runner)
        config["workflow_failure_exception_types"] = _extended(
            config["workflow_failure_exception_types"], self._workflow_failure_exception_types
        )

    def _with_own_interceptors(
        self, configured: Sequence[WorkerInterceptor], of_client: Sequence[ClientInterceptor]
    ) -> Sequence[WorkerInterceptor]:
        known = [*configured, *of_client]
        own = (each for each in self._interceptors if isinstance(each, WorkerInterceptor))
        return [*configured, *(each for each in own if not any(each is other for other in known))]


def _replaced(configured: T, parameter: PluginParameter[T]) -> T:
    if parameter is None:
        return configured
    return parameter(configured) if callable(parameter) else parameter


def _extended(configured: Sequence[T], parameter: PluginParameter[Sequence[T]]) -> Sequence[T]:
    if parameter is None:
        return configured
    if not callable(parameter):
        return [*configured, *parameter]
    extended = parameter(configured)
    if not isinstance(extended, Sequence):
        raise TypeError(
            f"{getattr(parameter, '__qualname__', repr(parameter))}, in place of a sequence, must return one, got "
            f"{type(extended).__name__}: to have a plugin add a single function or class, put it in a list"
        )
    return extended
