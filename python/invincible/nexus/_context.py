"""What a Nexus operation handler can ask about its own execution."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from nexusrpc.handler import StartOperationContext

from invincible._engine import log
from invincible.common import MetricMeter

if TYPE_CHECKING:
    from invincible.client import Client

    from ._token import OperationToken


@dataclass(frozen=True)
class Info:
    """Facts about the running Nexus operation handler.

    Args:
        endpoint: Name of the endpoint that the operation was called through.
        namespace: Namespace of the worker.
        task_queue: Task queue of the worker.
    """

    endpoint: str
    namespace: str
    task_queue: str


@dataclass(frozen=True)
class NexusCallback:
    """What the server calls when the workflow, update or activity behind an operation ends.

    Args:
        url: Where it calls.
        headers: Headers of the call.
    """

    url: str
    headers: Mapping[str, str]


class Event(Protocol):
    """An event that both threads and event loops can wait for."""

    def is_set(self) -> bool: ...
    async def wait(self) -> None: ...
    def wait_sync(self, timeout: float | None) -> bool: ...


class Starter(Protocol):
    """Starts what is behind operations; the worker's, as clients are above this package."""

    async def start_workflow(self, ctx: StartOperationContext, arguments: Mapping[str, Any]) -> OperationToken:
        """Starts a workflow whose end will be the operation's; the arguments are those of the client's method."""
        ...

    async def start_update(
        self, ctx: StartOperationContext, arguments: Mapping[str, Any]
    ) -> OperationToken | tuple[Any]:
        """Sends an update whose end will be the operation's; its result, if it is there already, in a tuple."""
        ...

    async def start_activity(self, ctx: StartOperationContext, arguments: Mapping[str, Any]) -> OperationToken:
        """Starts an activity whose end will be the operation's."""
        ...


@dataclass(frozen=True)
class NexusContext:
    """One execution of a handler, as the worker set it up."""

    info: Info
    service: str
    operation: str
    client: Client
    starter: Starter
    worker_shutdown: Event
    make_metric_meter: Callable[[], MetricMeter]


current: contextvars.ContextVar[NexusContext] = contextvars.ContextVar("invincible.nexus")


def context() -> NexusContext:
    """The execution that runs here now."""
    found = current.get(None)
    if found is None:
        raise RuntimeError("this function works in handlers of Nexus operations only, and none runs here now")
    return found


def in_operation() -> bool:
    """Whether the current code handles a Nexus operation."""
    return current.get(None) is not None


def info() -> Info:
    """Facts about the running handler.

    Raises:
        RuntimeError: Outside of a Nexus operation handler.
    """
    return context().info


def client() -> Client:
    """The client of the handler's worker. Workflows and activities that it starts, and signals that it sends, are
    linked to the operation's caller.

    Raises:
        RuntimeError: Outside of a Nexus operation handler.
    """
    return context().client


def metric_meter() -> MetricMeter:
    """A meter for metrics of this handler, whose attributes are ``task_queue``, ``nexus_service`` and
    ``nexus_operation``.

    Raises:
        RuntimeError: Outside of a Nexus operation handler.
    """
    return context().make_metric_meter()


def is_worker_shutdown() -> bool:
    """Whether the worker has begun to shut down.

    Raises:
        RuntimeError: Outside of a Nexus operation handler.
    """
    return context().worker_shutdown.is_set()


async def wait_for_worker_shutdown() -> None:
    """Wait until the worker begins to shut down.

    Raises:
        RuntimeError: Outside of a Nexus operation handler.
    """
    await context().worker_shutdown.wait()


def wait_for_worker_shutdown_sync(timeout: timedelta | float | None = None) -> None:
    """Block the thread until the worker begins to shut down.

    Args:
        timeout: How long to wait at most, in seconds or as a timedelta.

    Raises:
        RuntimeError: Outside of a Nexus operation handler.
    """
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    context().worker_shutdown.wait_sync(seconds)


class LoggerAdapter(log.LoggerAdapter):
    """Adds ``service``, ``operation`` and ``task_queue`` of the running handler to each record; the message stays as
    it is."""

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None) -> None:
        """Creates the adapter."""
        super().__init__(logger, extra or {})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Adds the attributes."""
        extra = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        running = current.get(None)
        if running is not None:
            extra["service"] = running.service
            extra["operation"] = running.operation
            extra["task_queue"] = running.info.task_queue
        kwargs["extra"] = extra
        return msg, kwargs


logger = LoggerAdapter(logging.getLogger("invincible.nexus"), None)
"""Logger for handlers of Nexus operations."""
