"""The virtual clock of one workflow: what it shows, whether it runs free, and steps forward."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from uuid import uuid4

from invincible.client import Client
from invincible.client._watch import unless_task_fails
from invincible.service import RPCError, RPCStatusCode

from ._time_skipping import FastForwardConfig, TimeSkippingConfig

if TYPE_CHECKING:
    from invincible.api.common.v1 import TimeSkippingInfo

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True

T = TypeVar("T")

# The server holds a poll for 20 seconds.
_LONG_POLL = timedelta(seconds=70)
# Seconds between looks at something that takes a few milliseconds.
_PAUSE = 0.01
# Seconds for a worker to do a workflow task.
_TASK_DONE = 5.0


class Child(NamedTuple):
    """A child workflow that its parent waits for; without a run, it is yet to start."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True)
class Reading:
    """What a clock shows.

    Attributes:
        time: The workflow's time, in UTC.
        running: Whether the workflow has not ended.
        busy: Whether a worker is to do something, or does.
        activities: Types of the activities that it waits for.
        children: The child workflows that it waits for.
        info: What the server tells, ``None`` if time was never to be skipped.
    """

    time: datetime
    running: bool
    busy: bool
    activities: Sequence[str]
    children: Sequence[Child]
    info: TimeSkippingInfo | None


class Clock:
    """The clock of a workflow, or of one run of it.

    Args:
        client: Makes the calls.
        workflow_id: The workflow.
        run_id: The run; empty for whichever is current.
        name: How errors name what the clock belongs to.
    """

    def __init__(self, client: Client, workflow_id: str, run_id: str = "", *, name: str = "") -> None:
        """Asks nothing yet."""
        self.name = name or f"workflow {workflow_id!r}"
        self._client = client
        self._workflow_id = workflow_id
        self._run_id = run_id

    async def read(self) -> Reading:
        """What it shows.

        Raises:
            RPCError: There is no such workflow.
        """
        from invincible.api.enums.v1 import WorkflowExecutionStatus
        from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionRequest

        response = await self._client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=self._client.namespace, execution=self._execution()), retry=True
        )
        extended = response.workflow_extended_info
        info = extended.time_skipping_info if extended.HasField("time_skipping_info") else None
        now = datetime.now(timezone.utc)
        return Reading(
            time=now if info is None else info.current_time.ToDatetime(timezone.utc),
            running=response.workflow_execution_info.status
            == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING,
            busy=response.HasField("pending_workflow_task"),
            activities=[each.activity_type.name for each in response.pending_activities],
            children=[Child(child.workflow_id, child.run_id) for child in response.pending_children],
            info=info,
        )

    async def is_quiet(self) -> None:
        """Wait until a worker has done what there is to do: what it waits for then is what time passes for.

        Raises:
            WorkflowTaskFailedError: The workflow has a bug.
        """
        await self._unless_task_fails(self._task_done)

    async def _task_done(self) -> None:
        deadline = time.monotonic() + _TASK_DONE
        while True:
            if not (await self.read()).busy or time.monotonic() >= deadline:
                return
            await asyncio.sleep(_PAUSE)

    async def set(self, config: TimeSkippingConfig) -> bool:
        """Let it skip, or not.

        Returns:
            Whether there is such a workflow that has not ended.

        Raises:
            RPCError: The service refused the call.
        """
        from google.protobuf.field_mask_pb2 import FieldMask

        from invincible.api.workflow.v1 import WorkflowExecutionOptions
        from invincible.api.workflowservice.v1 import UpdateWorkflowExecutionOptionsRequest

        try:
            await self._client.workflow_service.update_workflow_execution_options(
                UpdateWorkflowExecutionOptionsRequest(
                    namespace=self._client.namespace,
                    workflow_execution=self._execution(),
                    workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=config._to_message()),
                    update_mask=FieldMask(paths=["time_skipping_config"]),
                    identity=self._client.identity,
                ),
                retry=True,
            )
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def fast_forward(self, config: TimeSkippingConfig, duration: timedelta) -> bool:
        """Move it by a duration, and wait until it has moved; it skips no more then.

        Args:
            config: How it skips until then.
            duration: How far.

        Returns:
            Whether it has moved that far; the workflow has ended before otherwise.

        Raises:
            RPCError: There is no such workflow, or it has ended.
            RuntimeError: Somebody else has set the clock meanwhile.
            WorkflowTaskFailedError: The workflow has a bug.
        """
        step = FastForwardConfig(str(uuid4()), duration)
        if not await self.set(replace(config, enabled=True, fast_forward_config=step)):
            raise RPCError(f"{self.name} is not running", RPCStatusCode.NOT_FOUND, b"")
        return await self._unless_task_fails(partial(self._moved, step.id))

    async def _moved(self, step: str) -> bool:
        from invincible.api.enums.v1 import FastForwardPollingResult
        from invincible.api.workflowservice.v1 import PollWorkflowExecutionTimeSkippingRequest

        request = PollWorkflowExecutionTimeSkippingRequest(
            namespace=self._client.namespace, workflow_execution=self._execution(), fast_forward_id=step
        )
        while True:
            response = await self._client.workflow_service.poll_workflow_execution_time_skipping(
                request, retry=True, timeout=_LONG_POLL
            )
            result = response.fast_forward_polling_result
            if result == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
                return True
            if result == FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED:
                if not (await self.read()).running:
                    return False
                raise RuntimeError(
                    f"the fast-forward of {self.name} was given up, as its clock was set again meanwhile: "
                    f"{response.failed_reason}"
                )

    async def _unless_task_fails(self, wait: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if not self._client._raise_task_failures:
            return await wait()
        return await unless_task_fails(self._client, self._workflow_id, self._run_id, wait)

    def _execution(self) -> Any:
        from invincible.api.common.v1 import WorkflowExecution

        return WorkflowExecution(workflow_id=self._workflow_id, run_id=self._run_id)


async def let_tree_run(client: Client, top: Clock, config: TimeSkippingConfig) -> None:
    """Let a clock skip, and those of the child workflows that are there already; later ones inherit it.

    A child begins with what its parent's clock did when it was asked for, so one that is yet to start is waited for.
    """
    if not await top.set(replace(config, enabled=True, fast_forward_config=None)) or config.disable_propagation:
        return
    let_run: set[str] = set()
    while True:
        children = [child for child in (await top.read()).children if child.run_id not in let_run]
        started = [child for child in children if child.run_id]
        for child in started:
            let_run.add(child.run_id)
            await let_tree_run(client, Clock(client, child.workflow_id), config)
        if len(started) == len(children):
            return
        await asyncio.sleep(_PAUSE)
