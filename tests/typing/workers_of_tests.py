"""What type checkers make of workers in tests. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import activity, workflow
from invincible.testing import EnvironmentWorker, WorkerFactory, WorkflowEnvironment


@activity.defn
async def greet(name: str) -> str:
    return name


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str:
        return name


async def workers(worker: WorkerFactory, env: WorkflowEnvironment) -> None:
    assert_type(worker.task_queue, str)
    assert_type(worker(Greeting, greet), EnvironmentWorker)
    async with worker(Greeting, greet, max_cached_workflows=3, graceful_shutdown_timeout=timedelta(0)) as running:
        assert_type(running.task_queue, str)
    with worker(workflows=[Greeting], activities=[greet], always_replay=True) as in_a_thread:
        assert_type(in_a_thread, EnvironmentWorker)
    worker(Greeting, max_cached_workflow=3)  # type: ignore[call-arg]
    worker(Greeting, max_cached_workflows="3")  # type: ignore[arg-type]
    worker(Greeting, always_replay="yes")  # type: ignore[arg-type]
    env.always_replay = True
    env.always_replay = "yes"  # type: ignore[assignment]


def fixtures(worker: WorkerFactory) -> Any:
    WorkerFactory(worker.client, "q", {"max_cached_workflows": 3})
    WorkerFactory(worker.client, "q", {"max_cached_workflow": 3})  # type: ignore[arg-type]
