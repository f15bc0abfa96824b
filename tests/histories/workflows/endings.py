"""How runs end: cancelled with everything pending, failed by each rule, and with handlers that are not finished."""

from __future__ import annotations

import asyncio
from typing import Any

from invincible import workflow
from invincible.exceptions import ApplicationError, CancelledError
from invincible.workflow import ActivityCancellationType, ChildWorkflowCancellationType, NexusOperationCancellationType

from .common import MINUTE, later, mark, marked, told, unmoved
from .nexus import SERVICE


def run_later(activity_id: str, **options: Any) -> workflow.ActivityHandle[str]:
    return workflow.start_activity(
        later, activity_id, activity_id=activity_id, start_to_close_timeout=MINUTE, **options
    )


@workflow.defn
class AllPending:
    """The run is cancelled while it waits, in one gather, for everything that there is."""

    @workflow.signal
    async def wait(self) -> None:
        await told("signal", asyncio.sleep(0.5))

    @workflow.run
    async def run(self, endpoint: str) -> None:
        prefix = workflow.info().workflow_id
        client: Any = workflow.create_nexus_client(service=SERVICE, endpoint=endpoint)
        event, queue, lock = asyncio.Event(), asyncio.Queue[None](), asyncio.Lock()
        await lock.acquire()
        handle = run_later("handle")
        waiting: list[Any] = [
            *(
                told(f"activity {kind.name}", run_later(kind.name, cancellation_type=kind))
                for kind in ActivityCancellationType
            ),
            told("timer", asyncio.sleep(1000)),
            told("workflow timer", workflow.sleep(1000)),
            told("condition", workflow.wait_condition(lambda: False)),
            told("condition in time", workflow.wait_condition(lambda: False, timeout=1000)),
            *(
                told(
                    f"child {kind.name}",
                    workflow.execute_child_workflow("Child", id=f"{prefix}-{kind.name}", cancellation_type=kind),
                )
                for kind in ChildWorkflowCancellationType
            ),
            *(
                told(
                    f"nexus {kind.name}",
                    client.execute_operation("stubborn", "x", output_type=str, cancellation_type=kind),
                )
                for kind in NexusOperationCancellationType
            ),
            told("shield", asyncio.shield(handle)),
            told("event", event.wait()),
            told("queue", queue.get()),
            told("lock", lock.acquire()),
            told("wait", workflow.wait([handle])),
            told("gather", asyncio.gather(run_later("gathered"), asyncio.sleep(1000))),
        ]
        try:
            await asyncio.gather(*waiting)
        except asyncio.CancelledError:
            await marked(f"run cancelled: {workflow.cancellation_reason()}")
            await asyncio.sleep(3)
            raise


@workflow.defn
class CancelledPlainly:
    """Cancelled in an activity: what it raises is a cancellation of the run."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            later,
            "a",
            activity_id="a",
            start_to_close_timeout=MINUTE,
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


@workflow.defn
class CancelledLocally:
    """Cancelled while local activities run and are about to be cancelled."""

    @workflow.run
    async def run(self) -> None:
        tasks = [
            asyncio.create_task(
                told(
                    f"local {kind.name}",
                    workflow.execute_local_activity(
                        unmoved, kind.name, start_to_close_timeout=MINUTE, cancellation_type=kind
                    ),
                )
            )
            for kind in ActivityCancellationType
        ]
        try:
            await asyncio.gather(*tasks)
        except asyncio.CancelledError:
            await marked("run cancelled")


@workflow.defn
class CancelledAndDone:
    """Cancelled before it begins to wait, more than once, and yet it succeeds."""

    @workflow.run
    async def run(self) -> str:
        times = 0
        while times < 2:
            try:
                await workflow.wait_condition(lambda: False)
            except asyncio.CancelledError:
                times += 1
                await marked(f"cancelled {times}")
                if times == 1:
                    current = asyncio.current_task()
                    assert current is not None
                    asyncio.get_running_loop().call_soon(current.cancel)
        return "done"


@workflow.defn(failure_exception_types=[KeyError])
class Failures:
    """Fails as told: by errors that fail a run, by those of the definition, and by those of the worker."""

    @workflow.run
    async def run(self, how: str) -> None:
        await marked(f"fails {how}")
        if how == "application":
            try:
                raise ValueError("cause")
            except ValueError as error:
                raise ApplicationError("no", "detail", 2, type="Sorry", non_retryable=True) from error
        if how == "activity":
            await workflow.execute_activity("failing", "no", start_to_close_timeout=MINUTE)
        if how == "timeout":
            await workflow.wait_condition(lambda: False, timeout=0.1)
        if how == "defined":
            raise KeyError("of the definition")
        if how == "worker":
            raise IndexError("of the worker")
        if how == "child":
            await workflow.execute_child_workflow("Child", "fail")
        if how == "cancelled":
            raise CancelledError("not asked for")
        if how == "asyncio cancelled":
            raise asyncio.CancelledError


@workflow.defn
class Unfinished:
    """Ends while handlers are not finished; what they began is not waited for."""

    @workflow.signal
    async def signal(self) -> None:
        await marked("signal begins")
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def update(self) -> None:
        try:
            await workflow.wait_condition(lambda: False)
        finally:
            workflow.start_activity(mark, "never", start_to_close_timeout=MINUTE)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def abandoned(self) -> None:
        await asyncio.sleep(1000)

    @workflow.run
    async def run(self) -> str:
        workflow.start_activity(later, "left", activity_id="left", start_to_close_timeout=MINUTE)
        asyncio.get_running_loop().call_later(1000, print)
        left = asyncio.create_task(asyncio.sleep(1000))
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        await marked(f"finished {workflow.all_handlers_finished()} {left.done()}")
        workflow.start_activity(mark, "sent with the end", start_to_close_timeout=MINUTE)
        return "end"


@workflow.defn
class HandlerFailsRun:
    """A signal handler that fails, fails the run, in the task that also brings something else."""

    @workflow.signal
    async def fail(self) -> None:
        raise ApplicationError("by a handler", type="Sorry")

    @workflow.run
    async def run(self) -> None:
        await told("activity", run_later("a"))
        await asyncio.sleep(1000)


WORKFLOWS = [
    AllPending,
    CancelledPlainly,
    CancelledLocally,
    CancelledAndDone,
    Failures,
    Unfinished,
    HandlerFailsRun,
]
