"""Nexus operations as a caller sees them: at once, later, failed, and cancelled in each way."""

from __future__ import annotations

import asyncio
from typing import Any

from invincible import workflow
from invincible.exceptions import NexusOperationError
from invincible.workflow import NexusOperationCancellationType

from .common import MINUTE, SECOND, later, marked, told

SERVICE = "Recorded"


@workflow.defn
class Nexus:
    """Each end that an operation can have, at its start and after it."""

    @workflow.run
    async def run(self, endpoint: str) -> None:
        client: Any = workflow.create_nexus_client(service=SERVICE, endpoint=endpoint)
        await marked(await client.execute_operation("echo", "sync", output_type=str))
        handle = await client.start_operation(
            "run",
            "async",
            output_type=str,
            schedule_to_close_timeout=5 * MINUTE,
            schedule_to_start_timeout=4 * MINUTE,
            start_to_close_timeout=3 * MINUTE,
            cancellation_type=NexusOperationCancellationType.TRY_CANCEL,
            headers={"note": "value"},
            summary="an operation with **all** options",
        )
        await marked(f"token {handle.operation_token is not None}")
        await marked(await handle)
        at_once = await client.start_operation("echo", "at once", output_type=str)
        await marked(f"token {at_once.operation_token is not None} {await at_once}")
        for name in ("fail", "cancelled"):
            await told(name, client.execute_operation(name, "x", output_type=str))
        try:
            await client.execute_operation("refuse", "x", output_type=str)
        except NexusOperationError as error:
            # The official SDK has the class of the handler's error from a package of its own.
            await marked(f"refuse: {type(error.__cause__).__name__.removeprefix('Nexus')}")
        await told("run fails", client.execute_operation("run", "fail", output_type=str))
        await told(
            "times out",
            client.execute_operation("stubborn", "t", output_type=str, schedule_to_close_timeout=SECOND),
        )


@workflow.defn
class NexusCancellations:
    """Started operations are cancelled by a signal, each way; and others before they start."""

    def __init__(self) -> None:
        self.handles: list[asyncio.Future[Any]] = []
        self.cancelled = False

    @workflow.signal
    async def cancel(self) -> None:
        self.cancelled = True
        for handle in self.handles:
            handle.cancel()
        await marked("signal")

    @workflow.run
    async def run(self, endpoint: str) -> None:
        client: Any = workflow.create_nexus_client(service=SERVICE, endpoint=endpoint)
        kinds = list(NexusOperationCancellationType)
        for kind in kinds:
            for operation in ("run", "stubborn"):
                handle = await client.start_operation(operation, "", output_type=str, cancellation_type=kind)
                self.handles.append(handle)
        names = [f"{operation} {kind.name}" for kind in kinds for operation in ("run", "stubborn")]
        await asyncio.gather(
            told("condition", workflow.wait_condition(lambda: self.cancelled)),
            *(told(name, handle) for name, handle in zip(names, self.handles, strict=True)),
            told("timer", asyncio.sleep(2)),
        )
        for kind in kinds:
            at_once = asyncio.create_task(client.execute_operation("echo", "x", cancellation_type=kind))
            at_once.cancel()
            await told(f"at once {kind.name}", at_once)
            begun = asyncio.create_task(client.start_operation("echo", "x", cancellation_type=kind))
            await asyncio.sleep(0)
            begun.cancel()
            await told(f"begun {kind.name}", begun)


@workflow.defn
class NexusRace:
    """Operations end, and start, in the task of a timer, an activity and a signal."""

    def __init__(self) -> None:
        self.signals = 0

    @workflow.signal
    async def nudge(self) -> None:
        self.signals += 1
        await marked(f"signal {self.signals}")

    @workflow.run
    async def run(self, endpoint: str) -> None:
        client: Any = workflow.create_nexus_client(service=SERVICE, endpoint=endpoint)

        async def watch(operation: str, tag: str) -> None:
            handle = await client.start_operation(operation, tag, output_type=str)
            await marked(f"started {tag}")
            await asyncio.gather(told(f"ended {tag}", handle), told(f"again {tag}", asyncio.shield(handle)))

        await asyncio.gather(
            watch("run", "one"),
            watch("echo", "two"),
            told("executed", client.execute_operation("run", "three", output_type=str)),
            told("refused", client.start_operation("fail", "four", output_type=str)),
            told("condition", workflow.wait_condition(lambda: self.signals > 0)),
            told("activity", workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)),
            told("timer", asyncio.sleep(4)),
        )


@workflow.defn
class SignalWithStart:
    """Starts a workflow with a signal, and signals it once it runs."""

    @workflow.run
    async def run(self) -> None:
        info = workflow.info()
        for order in ("", "signalled"):
            handle = await workflow.signal_with_start_workflow(
                "Child",
                id=f"{info.workflow_id}-target",
                task_queue=info.task_queue,
                signal="end" if order else "unknown",
                signal_args=order or None,
            )
            await marked(f"{handle.id} {handle.run_id is not None}")


WORKFLOWS = [Nexus, NexusCancellations, NexusRace, SignalWithStart]
