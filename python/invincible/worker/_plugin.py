"""Plugins: what changes how workers and replayers are configured, and run."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import reduce
from typing import TYPE_CHECKING, TypeAlias

from invincible.client import Client, WorkflowHistory

if TYPE_CHECKING:
    from ._config import WorkerConfig
    from ._replayer import Replayer, ReplayerConfig
    from ._replays import WorkflowReplayResult
    from ._worker import Worker

RunWorker: TypeAlias = Callable[["Worker"], Awaitable[None]]
RunReplayer: TypeAlias = Callable[
    ["Replayer", AsyncIterator[WorkflowHistory]], AbstractAsyncContextManager[AsyncIterator["WorkflowReplayResult"]]
]


class Plugin(ABC):
    """Changes the configuration of workers and replayers, and what surrounds their run.

    A plugin that is one of clients too is used by the workers of its client, before those that the worker is given.

    Example:
        class Announced(Plugin):
            def configure_worker(self, config):
                config["activities"] = [*config["activities"], announce]
                return config

            async def run_worker(self, worker, next):
                async with announcements(worker.task_queue):
                    await next(worker)

            def configure_replayer(self, config):
                return config

            def run_replayer(self, replayer, histories, next):
                return next(replayer, histories)
    """

    def name(self) -> str:
        """Name in messages and at the server; module and name of the class by default."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Called when a worker is made, for each plugin in order.

        Args:
            config: The configuration that the plugins before have left; may be changed.

        Returns:
            The configuration to use.
        """

    @abstractmethod
    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        """Called when a worker runs. Of several plugins, the first is outermost.

        Args:
            worker: The worker.
            next: Runs it, until it has shut down. To be awaited once.
        """

    @abstractmethod
    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Called when a replayer is made, for each plugin in order.

        Args:
            config: The configuration that the plugins before have left; may be changed.

        Returns:
            The configuration to use.
        """

    @abstractmethod
    def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[WorkflowHistory],
        next: Callable[
            [Replayer, AsyncIterator[WorkflowHistory]],
            AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]],
        ],
    ) -> AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]:
        """Called when a replayer replays. Of several plugins, the first is outermost.

        Args:
            replayer: The replayer.
            histories: What it is to replay.
            next: Replays histories.

        Returns:
            A context manager that gives an iterator of results.
        """


def checked(plugins: Sequence[Plugin]) -> Sequence[Plugin]:
    """The plugins.

    Raises:
        TypeError: One of them is none.
    """
    for plugin in plugins:
        if not isinstance(plugin, Plugin):
            raise TypeError(f"plugins must be objects of subclasses of invincible.worker.Plugin, got {plugin!r}")
    return plugins


def plugins_of(client: Client, plugins: Sequence[Plugin]) -> Sequence[Plugin]:
    """The plugins of a worker: those of its client that are for workers too, then its own.

    Raises:
        TypeError: One of its own is none.
    """
    of_client = [plugin for plugin in client.config()["plugins"] if isinstance(plugin, Plugin)]
    for plugin in checked(plugins):
        if plugin in of_client:
            raise ValueError(
                f"plugin {plugin.name()} is one of the client's, which the worker uses anyway: do not give it again"
            )
        if type(plugin) in map(type, of_client):
            warnings.warn(
                f"the client and the worker have each a plugin of type {type(plugin).__name__}: both are used",
                stacklevel=3,
            )
    return [*of_client, *plugins]


def run_through(plugins: Sequence[Plugin], run: RunWorker) -> RunWorker:
    """The run of a worker, with the plugins around it."""

    def around(run: RunWorker, plugin: Plugin) -> RunWorker:
        return lambda worker: plugin.run_worker(worker, run)

    return reduce(around, reversed(plugins), run)


def replay_through(plugins: Sequence[Plugin], replay: RunReplayer) -> RunReplayer:
    """The run of a replayer, with the plugins around it."""

    def around(replay: RunReplayer, plugin: Plugin) -> RunReplayer:
        return lambda replayer, histories: plugin.run_replayer(replayer, histories, replay)

    return reduce(around, reversed(plugins), replay)
