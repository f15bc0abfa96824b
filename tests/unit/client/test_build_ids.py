"""Sets of build ids and what they may be given, from the server's messages."""

from __future__ import annotations

import pytest

from invincible.api.taskqueue.v1 import BuildIdReachability as BuildIdReachabilityMessage
from invincible.api.taskqueue.v1 import TaskQueueReachability
from invincible.api.workflowservice.v1 import GetWorkerTaskReachabilityResponse
from invincible.client import (
    BuildIdReachability,
    BuildIdVersionSet,
    TaskReachabilityType,
    WorkerBuildIdVersionSets,
    WorkerTaskReachability,
)


def test_the_last_set_and_the_last_of_it_are_the_defaults() -> None:
    sets = WorkerBuildIdVersionSets([BuildIdVersionSet(["1", "1.1"]), BuildIdVersionSet(["2", "2.1", "2.2"])])
    assert sets.default_set().build_ids == ["2", "2.1", "2.2"]
    assert sets.default_build_id() == "2.2"
    assert sets.version_sets[0].default() == "1.1"


def test_without_sets_there_is_no_default() -> None:
    with pytest.raises(IndexError, match="no sets of build ids"):
        WorkerBuildIdVersionSets([]).default_build_id()


def test_task_queues_that_the_server_left_out_are_told_apart() -> None:
    response = GetWorkerTaskReachabilityResponse(
        build_id_reachability=[
            BuildIdReachabilityMessage(
                build_id="1",
                task_queue_reachability=[
                    TaskQueueReachability(task_queue="used", reachability=[1, 3]),  # type: ignore[list-item]
                    TaskQueueReachability(task_queue="unused", reachability=[]),
                    TaskQueueReachability(task_queue="left out", reachability=[0]),  # type: ignore[list-item]
                ],
            )
        ]
    )
    used = [TaskReachabilityType.NEW_WORKFLOWS, TaskReachabilityType.OPEN_WORKFLOWS]
    assert WorkerTaskReachability._from_response(response) == WorkerTaskReachability(
        {"1": BuildIdReachability({"used": used, "unused": []}, frozenset({"left out"}))}
    )
