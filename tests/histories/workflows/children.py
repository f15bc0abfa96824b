"""Child workflows and workflows elsewhere: starting, failing, cancelling and signalling them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from invincible import workflow
from invincible.common import Priority, RetryPolicy, WorkflowIDReusePolicy
from invincible.exceptions import ApplicationError
from invincible.workflow import ChildWorkflowCancellationType, ParentClosePolicy

from .common import MINUTE, later, marked, told


@workflow.defn
class Child:
    """Returns what it is given, or waits for a signal that says how to end."""

    def __init__(self) -> None:
        self.order: str | None = None

    @workflow.signal
    def end(self, how: str) -> None:
        self.order = how

    @workflow.run
    async def run(self, order: str = "") -> str:
        self.order = self.order or order or None
        try:
            await workflow.wait_condition(lambda: self.order is not None)
        except asyncio.CancelledError:
            # Not at once, so that a parent sees the request before the end.
            await asyncio.sleep(0.2)
            raise
        if self.order == "fail":
            raise ApplicationError("no", type="Sorry", non_retryable=True)
        return f"child {self.order}"


@workflow.defn
class Stubborn:
    """Takes no notice of a cancellation."""

    @workflow.run
    async def run(self) -> str:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            return "all the same"
        return "slept"


@workflow.defn
class Children:
    """Ways to start a child, ids by default and of one's own, results and failures."""

    @workflow.run
    async def run(self) -> None:
        await marked(await workflow.execute_child_workflow(Child.run, "by-method"))
        await marked(await workflow.execute_child_workflow("Child", "by-name", result_type=str))
        handle = await workflow.start_child_workflow(
            Child.run,
            "everything",
            id=f"{workflow.info().workflow_id}-own",
            task_queue=workflow.info().task_queue,
            cancellation_type=ChildWorkflowCancellationType.TRY_CANCEL,
            parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
            execution_timeout=3 * MINUTE,
            run_timeout=2 * MINUTE,
            task_timeout=timedelta(seconds=9),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            retry_policy=RetryPolicy(maximum_attempts=2),
            memo={"note": "of a child"},
            static_summary="a child with **all** options",
            static_details="more\nof it",
            priority=Priority(priority_key=1),
        )
        assert handle.first_execution_run_id
        await marked(f"{handle.id.rpartition('-')[2]} {await handle}")
        await told("fails", workflow.execute_child_workflow(Child.run, "fail"))
        await told(
            "exists already",
            workflow.start_child_workflow(
                Child.run,
                "again",
                id=f"{workflow.info().workflow_id}-own",
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            ),
        )
        await told(
            "times out",
            workflow.execute_child_workflow(Stubborn.run, execution_timeout=timedelta(seconds=1)),
        )
        signalled = await workflow.start_child_workflow(Child.run)
        await signalled.signal(Child.end, "signalled")
        await marked(await signalled)
        await told("signal to one that ended", signalled.signal("end", "again"))


@workflow.defn
class ParentClosing:
    """Each policy; the child of which nothing is known any more."""

    @workflow.run
    async def run(self) -> None:
        for policy in ParentClosePolicy:
            handle = await workflow.start_child_workflow(Stubborn.run, parent_close_policy=policy)
            await marked(f"{policy.name} {handle.id}")


@workflow.defn
class ChildCancellations:
    """Started children are cancelled by a signal, each way, while a timer fires."""

    def __init__(self) -> None:
        self.handles: list[workflow.ChildWorkflowHandle[Any, Any]] = []
        self.cancelled = False

    @workflow.signal
    async def cancel(self) -> None:
        self.cancelled = True
        for handle in self.handles:
            handle.cancel()
        await marked("signal")

    @workflow.run
    async def run(self) -> None:
        prefix = workflow.info().workflow_id
        for kind in ChildWorkflowCancellationType:
            for child in (Child, Stubborn):
                self.handles.append(
                    await workflow.start_child_workflow(
                        child.__name__, id=f"{prefix}-{child.__name__}-{kind.name}", cancellation_type=kind
                    )
                )
        await asyncio.gather(
            told("condition", workflow.wait_condition(lambda: self.cancelled)),
            *(told(handle.id, handle) for handle in self.handles),
            told("timer", asyncio.sleep(2)),
        )


@workflow.defn
class ChildrenCancelledEarly:
    """Cancelled before the command is sent, and before the start is confirmed."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []

    @workflow.run
    async def run(self) -> None:
        prefix = workflow.info().workflow_id
        for kind in ChildWorkflowCancellationType:
            at_once = asyncio.create_task(
                workflow.execute_child_workflow(Child.run, "x", id=f"{prefix}-at-once", cancellation_type=kind)
            )
            at_once.cancel()
            await told(f"at once {kind.name}", at_once)
            begun = asyncio.create_task(
                workflow.start_child_workflow(Child.run, id=f"{prefix}-begun", cancellation_type=kind)
            )
            await asyncio.sleep(0)
            begun.cancel()
            await told(f"begun {kind.name}", begun)
            await marked(f"next {kind.name}")


@workflow.defn
class ChildRace:
    """Starts, ends and failures of children, signals to them, a timer, an activity and a signal, in few tasks."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.signal
    async def nudge(self) -> None:
        self.signals += 1
        await marked(f"signal sees {self.signals}")

    @workflow.run
    async def run(self) -> None:
        prefix = workflow.info().workflow_id
        # A queue of their own, so that they go on while this run has no worker.
        queue = f"{workflow.info().task_queue}-children"
        await asyncio.gather(
            *(self.watch(f"{prefix}-{n}", queue) for n in range(3)),
            told("executed", workflow.execute_child_workflow(Child.run, id=f"{prefix}-3", task_queue=queue)),
            told("condition", workflow.wait_condition(lambda: self.signals > 0)),
            told("activity", workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)),
            told("timer", asyncio.sleep(4)),
        )

    async def watch(self, child_id: str, queue: str) -> None:
        handle = await workflow.start_child_workflow(Child.run, id=child_id, task_queue=queue)
        await marked(f"started {child_id}")
        await asyncio.gather(told(f"ended {child_id}", handle), told(f"shielded {child_id}", asyncio.shield(handle)))


@workflow.defn
class External:
    """Handles of workflows that are no children: signals and cancellations that arrive, and that find nobody."""

    @workflow.run
    async def run(self) -> None:
        prefix = workflow.info().workflow_id
        signalled = workflow.get_external_workflow_handle_for(Child.run, f"{prefix}-signalled")
        cancelled = workflow.get_external_workflow_handle(f"{prefix}-cancelled")
        nobody = workflow.get_external_workflow_handle(f"{prefix}-nobody", run_id=str(workflow.uuid4()))
        await told("cancel", cancelled.cancel())
        await told("cancel for a reason", cancelled.cancel(reason="no more"))
        await told("cancel nobody", nobody.cancel())
        await told("signal", signalled.signal(Child.end, "external"))
        await told("signal nobody", nobody.signal("end", "x"))
        early = asyncio.create_task(nobody.signal("end", "y"))
        await asyncio.sleep(0)
        early.cancel()
        await told("signal cancelled", early)
        at_once = asyncio.create_task(nobody.signal("end", "y"))
        at_once.cancel()
        await told("signal cancelled at once", at_once)
        cancelling = asyncio.create_task(nobody.cancel())
        await asyncio.sleep(0)
        cancelling.cancel()
        await told("cancellation cancelled", cancelling)
        await marked("end")


@workflow.defn
class ExternalRace:
    """Answers about workflows elsewhere come with a timer, an activity and a signal."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.signal
    async def nudge(self) -> None:
        self.signals += 1
        handle = workflow.get_external_workflow_handle(f"{workflow.info().workflow_id}-other")
        await told(f"signal {self.signals}", handle.signal("end", "nudge"))

    @workflow.run
    async def run(self) -> None:
        handle = workflow.get_external_workflow_handle(f"{workflow.info().workflow_id}-other")
        nobody = workflow.get_external_workflow_handle(f"{workflow.info().workflow_id}-nobody")
        await asyncio.gather(
            told("nobody", nobody.signal("end")),
            told("other", handle.signal("unknown")),
            told("activity", workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)),
            told("cancel nobody", nobody.cancel()),
            told("cancel", handle.cancel()),
            told("condition", workflow.wait_condition(lambda: self.signals > 0)),
            told("timer", asyncio.sleep(2)),
        )


WORKFLOWS = [
    Child,
    Stubborn,
    Children,
    ParentClosing,
    ChildCancellations,
    ChildrenCancelledEarly,
    ChildRace,
    External,
    ExternalRace,
]
