"""A Nexus service for tests, and a worker that serves it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import nexusrpc
from nexusrpc import HandlerError, HandlerErrorType, OperationError, OperationErrorState
from nexusrpc.handler import (
    CancelOperationContext,
    OperationHandler,
    StartOperationContext,
    StartOperationResultAsync,
    operation_handler,
    service_handler,
    sync_operation,
)

from invincible import nexus
from invincible.client import Client, NexusClient
from invincible.exceptions import ApplicationError, NexusHandlerError
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Worker
from tests.support.go_worker import nexus_endpoint

MINUTE = timedelta(minutes=1)


@dataclass
class Person:
    name: str
    age: int = 36


@nexusrpc.service(name="people")
class People:
    greet: nexusrpc.Operation[Person, str]
    grow: nexusrpc.Operation[Person, Person] = nexusrpc.Operation(name="grow-older")
    nothing: nexusrpc.Operation[None, None]
    fail: nexusrpc.Operation[str, None]
    fail_in_thread: nexusrpc.Operation[str, None]
    ask: nexusrpc.Operation[str, Any]
    wait: nexusrpc.Operation[str, str]
    wait_in_thread: nexusrpc.Operation[str, str]
    go_on: nexusrpc.Operation[str, str]


class GoingOn(OperationHandler[str, str]):
    """An operation with a token of its own, whose methods are ``def``."""

    def __init__(self, people: PeopleHandler) -> None:
        self.people = people

    def start(self, ctx: StartOperationContext, input: str) -> StartOperationResultAsync:
        ctx.outbound_links.append(nexusrpc.Link(url="https://example.com/a%20b", type="example.Page"))
        return StartOperationResultAsync(f"token of {input}")

    def cancel(self, ctx: CancelOperationContext, token: str) -> None:
        assert nexus.in_operation()
        if token == "token of stubborn":
            raise HandlerError("not now", type=HandlerErrorType.NOT_FOUND)
        self.people.seen.append(("cancel", ctx.operation, token))


@service_handler(service=People)
class PeopleHandler:
    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.waiting = threading.Event()

    @sync_operation
    async def greet(self, ctx: StartOperationContext, input: Person) -> str:
        return f"Hello, {input.name}"

    @sync_operation(name="grow-older")
    def grow(self, ctx: StartOperationContext, input: Person) -> Person:
        self.seen.append((threading.current_thread().name, nexus.info(), nexus.in_operation()))
        return Person(input.name, input.age + 1)

    @sync_operation
    async def nothing(self, ctx: StartOperationContext, input: None) -> None:
        return None

    @sync_operation
    async def fail(self, ctx: StartOperationContext, input: str) -> None:
        FAILURES[input]()

    @sync_operation
    def fail_in_thread(self, ctx: StartOperationContext, input: str) -> None:
        FAILURES[input]()

    @sync_operation
    async def ask(self, ctx: StartOperationContext, input: str) -> Any:
        self.seen.append(ctx)
        nexus.logger.warning("asked for %s", input)
        nexus.metric_meter().create_counter("asked").add(1)
        return {"info": nexus.info(), "shutdown": nexus.is_worker_shutdown()}

    @sync_operation
    async def wait(self, ctx: StartOperationContext, input: str) -> str:
        self.waiting.set()
        try:
            if input == "for shutdown":
                await nexus.wait_for_worker_shutdown()
                return "shut down"
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.seen.append((ctx.task_cancellation.is_cancelled(), ctx.task_cancellation.cancellation_reason()))
            if input == "and swallow":
                return "swallowed"
            raise
        raise AssertionError("never")

    @sync_operation
    def wait_in_thread(self, ctx: StartOperationContext, input: str) -> str:
        self.waiting.set()
        if input == "for shutdown":
            nexus.wait_for_worker_shutdown_sync(MINUTE)
            return "shut down"
        cancelled = ctx.task_cancellation.wait_until_cancelled_sync(60)
        self.seen.append((cancelled, ctx.task_cancellation.cancellation_reason()))
        return "late"

    @operation_handler
    def go_on(self) -> OperationHandler[str, str]:
        return GoingOn(self)


def _raise(error: BaseException, cause: BaseException | None = None) -> Callable[[], None]:
    def fail() -> None:
        raise error from cause

    return fail


FAILURES: dict[str, Callable[[], None]] = {
    "operation failed": _raise(OperationError("no", state=OperationErrorState.FAILED), ApplicationError("x", 1)),
    "operation cancelled": _raise(OperationError("gone", state=OperationErrorState.CANCELED)),
    "not retryable": _raise(ApplicationError("never", 1, type="Never", non_retryable=True)),
    "bad request": _raise(HandlerError("bad", type=HandlerErrorType.BAD_REQUEST), ValueError("why")),
    "own": _raise(NexusHandlerError("mine", type="CONFLICT")),
    "final": _raise(HandlerError("final", type=HandlerErrorType.UNAVAILABLE, retryable_override=False)),
    "service": _raise(RPCError("not there", RPCStatusCode.NOT_FOUND, b"")),
    "retryable": _raise(ValueError("again")),
    "retryable by application": _raise(ApplicationError("again", 2, type="Again")),
    "once more": _raise(HandlerError("again", type=HandlerErrorType.BAD_REQUEST, retryable_override=True)),
    "no more": _raise(StopIteration("no more")),
    "no text": _raise(HandlerError(None, type=HandlerErrorType.BAD_REQUEST)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "cancelled by itself": _raise(asyncio.CancelledError("stopped")),
}


@asynccontextmanager
async def served(
    client: Client, task_queue: str, **options: Any
) -> AsyncIterator[tuple[PeopleHandler, NexusClient[People]]]:
    handler = PeopleHandler()
    async with (
        nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint,
        Worker(client, task_queue=task_queue, nexus_service_handlers=[handler], **options),
    ):
        yield handler, client.create_nexus_client(People, endpoint)
