"""Turns of the loop, counted: how much later than others each kind of waiting code continues in the same task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from invincible import workflow
from invincible.common import RetryPolicy
from invincible.exceptions import FailureError

from .common import MINUTE, SECOND, dozing, flaky, later, mark, said
from .nexus import SERVICE


def note(tag: str) -> None:
    """Leave a trace without waiting for it."""
    workflow.start_activity(mark, tag, activity_id=tag, start_to_close_timeout=MINUTE)


async def ruler(name: str) -> None:
    """A trace in each turn of the loop, to measure others by."""
    for turn in range(12):
        note(f"{name} {turn}")
        await asyncio.sleep(0)


async def noted(tag: str, awaitable: Awaitable[Any]) -> None:
    try:
        await awaitable
    except (FailureError, asyncio.CancelledError, asyncio.TimeoutError) as error:
        note(f"{tag}: {said(error)}")
    else:
        note(tag)


async def measured(awaitable: Awaitable[Any], name: str) -> None:
    await awaitable
    await ruler(name)


def run_later(activity_id: str) -> workflow.ActivityHandle[str]:
    return workflow.start_activity(later, activity_id, activity_id=activity_id, start_to_close_timeout=MINUTE)


@workflow.defn
class Blocker:
    """Takes the only place of the worker for a while."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_local_activity(dozing, "x", start_to_close_timeout=MINUTE)


class Measured:
    """Waits for one of everything, beside rulers for what comes from timers, activities, signals and updates."""

    def __init__(self) -> None:
        self.signalled = False
        self.fired = False

    @workflow.signal
    async def measure(self) -> None:
        self.signalled = True
        await ruler("signal")

    @workflow.signal
    def plain(self) -> None:
        note("plain signal")

    @workflow.signal
    async def waits(self) -> None:
        await asyncio.sleep(0)
        note("waiting signal")

    @workflow.update
    async def renew(self) -> None:
        note("update")
        await asyncio.sleep(0)
        note("update goes on")

    @workflow.update
    def plain_update(self) -> None:
        note("plain update")

    @plain_update.validator
    def validate(self) -> None:
        pass

    async def sets(self, awaitable: Awaitable[Any]) -> None:
        await awaitable
        self.fired = True
        note("sets")

    async def child(self, tag: str, queue: str) -> None:
        handle = await workflow.start_child_workflow(
            "Child", tag, id=f"{workflow.info().workflow_id}-{tag}", task_queue=queue
        )
        note(f"{tag} child started")
        await noted(f"{tag} child", handle)

    async def operation(self, client: Any, name: str, tag: str) -> None:
        handle = await client.start_operation(name, tag, output_type=str)
        note(f"{name} {tag} started")
        await noted(f"{name} {tag}", handle)

    async def run_all(self, endpoint: str) -> None:
        info = workflow.info()
        queue = f"{info.task_queue}-children"
        client: Any = workflow.create_nexus_client(service=SERVICE, endpoint=endpoint)
        nobody = workflow.get_external_workflow_handle(f"{info.workflow_id}-nobody")
        other = workflow.get_external_workflow_handle(f"{info.workflow_id}-other")
        shared = run_later("shared")
        retries = RetryPolicy(initial_interval=SECOND, maximum_attempts=2)

        def backs_off() -> Awaitable[int]:
            return workflow.execute_local_activity(
                flaky, 2, start_to_close_timeout=MINUTE, retry_policy=retries, local_retry_threshold=0.1 * SECOND
            )

        await asyncio.gather(
            measured(asyncio.sleep(1), "timer"),
            noted("asyncio sleep", asyncio.sleep(1)),
            noted("workflow sleep", workflow.sleep(1)),
            self.sets(asyncio.sleep(1)),
            noted("condition of signal", workflow.wait_condition(lambda: self.signalled)),
            noted("condition", workflow.wait_condition(lambda: self.fired)),
            measured(workflow.wait_condition(lambda: self.fired), "conditions"),
            noted("other condition", workflow.wait_condition(lambda: self.fired)),
            measured(run_later("first"), "activity"),
            noted("started activity", run_later("second")),
            noted(
                "activity",
                workflow.execute_activity(later, activity_id="third", start_to_close_timeout=MINUTE, arg="third"),
            ),
            noted("shared", shared),
            noted("shielded", asyncio.shield(shared)),
            noted("gathered", asyncio.gather(shared)),
            noted("waited for", workflow.wait([shared])),
            noted("task", asyncio.create_task(noted("in task", shared))),
            noted("failed", run_later("failed")),
            self.child("one", queue),
            noted(
                "executed child",
                workflow.execute_child_workflow("Child", "two", id=f"{info.workflow_id}-two", task_queue=queue),
            ),
            noted(
                "failed child",
                workflow.execute_child_workflow("Child", "fail", id=f"{info.workflow_id}-three", task_queue=queue),
            ),
            noted("child that exists", workflow.start_child_workflow("Child", id=f"{info.workflow_id}-exists")),
            noted("signal", other.signal("unknown")),
            noted("signal to nobody", nobody.signal("unknown")),
            noted("cancel", other.cancel()),
            noted("cancel nobody", nobody.cancel()),
            self.operation(client, "echo", "one"),
            self.operation(client, "run", "two"),
            noted("executed operation", client.execute_operation("run", "three", output_type=str)),
            noted("operation that fails", client.execute_operation("fail", "four", output_type=str)),
            noted("backs off", backs_off()),
            *self.more(),
        )

    def more(self) -> list[Awaitable[None]]:
        return []


@workflow.defn
class Hops(Measured):
    @workflow.run
    async def run(self, endpoint: str) -> None:
        await self.run_all(endpoint)


@workflow.defn
class TimedHops(Measured):
    """With what continues in another order since Python 3.12."""

    @workflow.run
    async def run(self, endpoint: str) -> None:
        await self.run_all(endpoint)

    def more(self) -> list[Awaitable[None]]:
        return [
            noted("condition in time", workflow.wait_condition(lambda: self.fired, timeout=MINUTE)),
            noted("condition too late", workflow.wait_condition(lambda: False, timeout=1)),
            noted("wait for", asyncio.wait_for(run_later("fourth"), 100)),
            noted("wait for sleep", asyncio.wait_for(asyncio.sleep(1), 100)),
            noted("wait for too short", asyncio.wait_for(run_later("never"), 1)),
        ]


@workflow.defn
class LocalHops:
    """Local activities end together, and some wait for their timers."""

    @workflow.run
    async def run(self) -> None:
        retries = RetryPolicy(initial_interval=SECOND, maximum_attempts=2)

        async def backs_off(tag: str) -> None:
            await noted(
                tag,
                workflow.execute_local_activity(
                    flaky, 2, start_to_close_timeout=MINUTE, retry_policy=retries, local_retry_threshold=0.1 * SECOND
                ),
            )

        async def plain(tag: str) -> None:
            await noted(tag, workflow.execute_local_activity(mark, tag, start_to_close_timeout=MINUTE))
            await workflow.sleep(1)
            note(f"{tag} slept")

        await asyncio.gather(
            *(each(f"{each.__name__} {n}") for n in range(3) for each in (backs_off, plain)),
            measured(asyncio.sleep(1), "timer"),
            measured(workflow.execute_local_activity(mark, "x", start_to_close_timeout=MINUTE), "local"),
        )


WORKFLOWS = [Blocker, Hops, TimedHops, LocalHops]
