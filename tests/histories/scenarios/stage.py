"""What a scenario works with: a client, workers to start and stop, and conditions to wait for in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any

from invincible.api.common.v1 import WorkflowExecution
from invincible.api.enums.v1 import EventType, PendingActivityState
from invincible.api.update.v1 import UpdateRef
from invincible.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest

from ..catalog import ANY_PYTHON, RECORDED
from ..workflows import ACTIVITIES, WORKFLOWS
from ..workflows.common import later

# While histories are recorded, these are modules of the official SDK: the types that ours have do not matter.
activity: Any = import_module("invincible.activity")
client: Any = import_module("invincible.client")
worker: Any = import_module("invincible.worker")

Play = Callable[["Stage"], Awaitable[None]]
SCENARIOS: dict[str, Play] = {}
FOLDERS: dict[str, str] = {}


def scenario(play: Play) -> Play:
    """Have the function played by the recorder; its name is that of the history that it saves."""
    name = play.__name__.replace("_", "-")
    assert name not in SCENARIOS, f"two scenarios are called {name}"
    SCENARIOS[name] = play
    return play


def needs_3_11(play: Play) -> Play:
    """Mark a scenario whose workflow uses what Python 3.10 does not have."""
    FOLDERS[play.__name__.replace("_", "-")] = "since-3.11"
    return play


def depends_on_wait_for(play: Play) -> Play:
    """Mark a scenario in the order of `asyncio.wait_for`, which Python 3.12 changed: it has two recordings."""
    FOLDERS[play.__name__.replace("_", "-")] = "since-3.12" if sys.version_info >= (3, 12) else "before-3.12"
    return play


@activity.defn(name="later")  # type: ignore[untyped-decorator]
async def ends_later(tag: str) -> str:
    activity.raise_complete_async()
    raise AssertionError


class Stage:
    """One scenario's part of the server: a task queue and workflow ids of its own."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        self.task_queue = name

    @contextlib.asynccontextmanager
    async def worker(self, *, workflows: Sequence[Any] = WORKFLOWS, **options: Any) -> AsyncIterator[None]:
        """Run a worker that keeps no run in its cache: each workflow task is a replay of what came before."""
        options = {"task_queue": self.task_queue, "max_cached_workflows": 0, **options}
        async with worker.Worker(
            self.client,
            workflows=workflows,
            activities=[*(each for each in ACTIVITIES if each is not later), ends_later],
            max_concurrent_workflow_task_polls=1,
            workflow_runner=worker.UnsandboxedWorkflowRunner(),
            **options,
        ):
            yield

    async def start(self, run: Any, *args: Any, **options: Any) -> Any:
        options = {"task_queue": self.task_queue, "id": self.name, **options}
        return await self.client.start_workflow(run, args=args, **options)

    async def update(self, handle: Any, name: str, *args: Any, id: str) -> asyncio.Task[Any]:
        """Have an update wait at the server, for the next workflow task to take."""
        task = asyncio.create_task(
            handle.start_update(name, args=args, id=id, wait_for_stage=client.WorkflowUpdateStage.ACCEPTED)
        )
        reference = UpdateRef(workflow_execution=WorkflowExecution(workflow_id=handle.id), update_id=id)
        request = PollWorkflowExecutionUpdateRequest(namespace=self.client.namespace, update_ref=reference)

        async def admitted() -> bool:
            try:
                await self.client.workflow_service.poll_workflow_execution_update(request)
            except client.RPCError as error:
                if error.status is not client.RPCStatusCode.NOT_FOUND:
                    raise
                return False
            return True

        await until(admitted)
        return task

    async def finish(self, handle: Any, **options: Any) -> None:
        """Run a worker until the run ends, however it ends, and save its history."""
        async with self.worker(**options):
            await ended(handle)
        await self.save(handle)

    async def save(self, handle: Any, suffix: str = "") -> None:
        """Write the history down, under the name of the scenario and, where it saves several, the suffix."""
        history = await handle.fetch_history()
        events = ",\n".join(json.dumps(event, separators=(",", ":")) for event in history.to_json_dict()["events"])
        path = RECORDED / FOLDERS.get(self.name, ANY_PYTHON) / f"{self.name}{suffix}.json"
        path.write_text(f'{{"events":[\n{events}\n]}}\n')

    async def complete(self, handle: Any, *activity_ids: str) -> None:
        """Complete activities, one after the other, with their ids as their results."""
        for activity_id in activity_ids:
            await self.activity(handle, activity_id).complete(activity_id)

    async def describe(self) -> str:
        """The last events of the run, for whoever has to find out why a scenario does not come to its end."""
        history = await self.client.get_workflow_handle(self.name).fetch_history()
        return "\n".join(str(event) for event in history.events[-3:])

    def activity(self, handle: Any, activity_id: str) -> Any:
        return self.client.get_async_activity_handle(workflow_id=handle.id, run_id=None, activity_id=activity_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("waited 30 s in vain")


async def started(handle: Any, *activity_ids: str) -> None:
    """Wait until just these activities are pending and started."""

    async def condition() -> bool:
        pending = (await handle.describe()).raw_description.pending_activities
        state = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        return sorted(activity_ids) == sorted(each.activity_id for each in pending if each.state == state)

    await until(condition)


async def happened(handle: Any, **counts: int) -> None:
    """Wait until the history has so many events of these types: `happened(handle, TIMER_FIRED=2)`."""

    async def condition() -> bool:
        events = [event async for event in handle.fetch_history_events()]
        seen = Counter(EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events)
        return all(seen[name] >= count for name, count in counts.items())

    await until(condition)


async def has_ended(handle: Any) -> bool:
    description = await handle.describe()
    return description.close_time is not None


async def ended(handle: Any) -> None:
    """Wait until the run is closed, whatever came of it."""
    await until(lambda: has_ended(handle))
