"""Workflows that the tests of the blocking client run."""

from __future__ import annotations

from invincible import workflow
from invincible.client import SyncClient
from invincible.exceptions import ApplicationError
from invincible.worker.workflow_sandbox import RestrictedWorkflowAccessError


@workflow.defn
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
async def fail(message: str) -> None:
    raise ApplicationError(message, type="Wrong")


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.total = 0
        self.done = False

    @workflow.run
    async def run(self, start: int) -> int:
        self.total += start
        await workflow.wait_condition(lambda: self.done)
        return self.total

    @workflow.signal
    def add(self, count: int) -> None:
        self.total += count

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def current(self) -> int:
        return self.total

    @workflow.update
    async def plus(self, count: int) -> int:
        self.total += count
        return self.total


@workflow.defn
async def call_the_server() -> str:
    client: SyncClient | None = None
    try:
        client = SyncClient.connect("127.0.0.1:1")
    except RestrictedWorkflowAccessError as error:
        return str(error)
    return repr(client)


ALL = [greet, fail, Counter, call_the_server]
