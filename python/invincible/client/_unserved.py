"""Tasks of workflows that no worker will take, told to clients of test environments: a test would wait for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from invincible.service import RPCError

from ._errors import NoWorkerError

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

    from ._client import Client

# Seconds that a worker may take to start, in a process of its own say, or to be started again. The server knows one
# that crashed for minutes.
_PATIENCE = 20.0


class UnservedTasks:
    """Looks at the pending tasks of a workflow, from time to time.

    Args:
        client: The client that waits.
        workflow_id: The workflow.
    """

    def __init__(self, client: Client, workflow_id: str) -> None:
        self._client = client
        self._workflow_id = workflow_id
        # When each was first seen to wait, by task queue and activity, of which a workflow task has none.
        self._since: dict[tuple[str, str | None], float] = {}

    async def error(self, described: DescribeWorkflowExecutionResponse) -> NoWorkerError | None:
        """What to tell, if one of the tasks has waited long enough for a worker that is not there."""
        now = time.monotonic()
        self._since = {task: self._since.get(task, now) for task in _waiting(described)}
        for task, since in self._since.items():
            if now - since < _PATIENCE:
                continue
            if not await self._is_polled(*task):
                return NoWorkerError(self._workflow_id, *task)
            self._since[task] = now
        return None

    async def _is_polled(self, task_queue: str, activity_type: str | None) -> bool:
        from invincible.api.enums.v1 import TaskQueueType
        from invincible.api.taskqueue.v1 import TaskQueue
        from invincible.api.workflowservice.v1 import DescribeTaskQueueRequest

        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
            if activity_type is None
            else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        )
        try:
            response = await self._client.workflow_service.describe_task_queue(request, retry=True)
        except RPCError:
            return True  # nobody knows
        return bool(response.pollers)


def _waiting(described: DescribeWorkflowExecutionResponse) -> Iterator[tuple[str, str | None]]:
    """The tasks that no worker has taken yet."""
    from invincible.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState

    task = described.pending_workflow_task
    if task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_SCHEDULED:
        yield described.execution_config.task_queue.name, None
    for each in described.pending_activities:
        if each.state == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED and each.attempt == 1:
            yield each.activity_options.task_queue.name, each.activity_type.name
