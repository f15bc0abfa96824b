"""Sets of compatible build ids: the way in which workers had versions before there were deployments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from .._checks import identifier

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import (
        GetWorkerBuildIdCompatibilityResponse,
        GetWorkerTaskReachabilityResponse,
        UpdateWorkerBuildIdCompatibilityRequest,
    )


class BuildIdOp(ABC):
    """A change of the build ids of a task queue; one of the subclasses here."""

    @abstractmethod
    def _fill(self, request: UpdateWorkerBuildIdCompatibilityRequest) -> None:
        """Says in a request what to change."""


@dataclass
class BuildIdOpAddNewDefault(BuildIdOp):
    """Adds a build id in a set of its own, which new workflows use from now on.

    Args:
        build_id: The new build id.
    """

    build_id: str

    def _fill(self, request: UpdateWorkerBuildIdCompatibilityRequest) -> None:
        request.add_new_build_id_in_new_default_set = identifier("build_id", self.build_id)


@dataclass
class BuildIdOpAddNewCompatible(BuildIdOp):
    """Adds a build id to a set, as the default of it: workflows of the set go on with it.

    Args:
        build_id: The new build id.
        existing_compatible_build_id: One that is in the set already.
        promote_set: Whether new workflows use the set from now on.
    """

    build_id: str
    existing_compatible_build_id: str
    promote_set: bool = False

    def _fill(self, request: UpdateWorkerBuildIdCompatibilityRequest) -> None:
        addition = request.add_new_compatible_build_id
        addition.new_build_id = identifier("build_id", self.build_id)
        addition.existing_compatible_build_id = identifier(
            "existing_compatible_build_id", self.existing_compatible_build_id
        )
        addition.make_set_default = self.promote_set


@dataclass
class BuildIdOpPromoteSetByBuildId(BuildIdOp):
    """Makes a set the one that new workflows use.

    Args:
        build_id: Any of the set.
    """

    build_id: str

    def _fill(self, request: UpdateWorkerBuildIdCompatibilityRequest) -> None:
        request.promote_set_by_build_id = identifier("build_id", self.build_id)


@dataclass
class BuildIdOpPromoteBuildIdWithinSet(BuildIdOp):
    """Makes a build id the default of its set.

    Args:
        build_id: The build id.
    """

    build_id: str

    def _fill(self, request: UpdateWorkerBuildIdCompatibilityRequest) -> None:
        request.promote_build_id_within_set = identifier("build_id", self.build_id)


@dataclass
class BuildIdOpMergeSets(BuildIdOp):
    """Makes one set of two: all their build ids are compatible.

    Args:
        primary_build_id: Any of the set whose default stays.
        secondary_build_id: Any of the other.
    """

    primary_build_id: str
    secondary_build_id: str

    def _fill(self, request: UpdateWorkerBuildIdCompatibilityRequest) -> None:
        request.merge_sets.primary_set_build_id = identifier("primary_build_id", self.primary_build_id)
        request.merge_sets.secondary_set_build_id = identifier("secondary_build_id", self.secondary_build_id)


@dataclass
class BuildIdVersionSet:
    """Build ids that are compatible with each other.

    Attributes:
        build_ids: They, the default last.
    """

    build_ids: Sequence[str]

    def default(self) -> str:
        """The one that workflows of the set use."""
        return self.build_ids[-1]


@dataclass
class WorkerBuildIdVersionSets:
    """The sets of compatible build ids of a task queue.

    Attributes:
        version_sets: They, the default last; none if the task queue has no versions of this kind.
    """

    version_sets: Sequence[BuildIdVersionSet]

    def default_set(self) -> BuildIdVersionSet:
        """The set that new workflows use.

        Raises:
            IndexError: There are no sets.
        """
        if not self.version_sets:
            raise IndexError("the task queue has no sets of build ids")
        return self.version_sets[-1]

    def default_build_id(self) -> str:
        """The build id that new workflows use.

        Raises:
            IndexError: There are no sets.
        """
        return self.default_set().default()

    @staticmethod
    def _from_response(response: GetWorkerBuildIdCompatibilityResponse) -> WorkerBuildIdVersionSets:
        return WorkerBuildIdVersionSets(
            [BuildIdVersionSet(list(each.build_ids)) for each in response.major_version_sets]
        )


class TaskReachabilityType(IntEnum):
    """Workflows whose tasks a build id may be given."""

    NEW_WORKFLOWS = 1
    EXISTING_WORKFLOWS = 2
    OPEN_WORKFLOWS = 3
    CLOSED_WORKFLOWS = 4


@dataclass
class BuildIdReachability:
    """Which tasks workers of a build id may be given.

    Attributes:
        task_queue_reachability: The workflows that they may come from, by task queue; none means that workers of this
            build id are not needed there.
        unretrieved_task_queues: Task queues that the server left out because there are too many. Ask for them by name.
    """

    task_queue_reachability: Mapping[str, Sequence[TaskReachabilityType]]
    unretrieved_task_queues: frozenset[str]


@dataclass
class WorkerTaskReachability:
    """Which tasks workers may be given.

    Attributes:
        build_id_reachability: That, by build id.
    """

    build_id_reachability: Mapping[str, BuildIdReachability]

    @staticmethod
    def _from_response(response: GetWorkerTaskReachabilityResponse) -> WorkerTaskReachability:
        by_build_id = {}
        for build in response.build_id_reachability:
            # A queue that the server did not look at has the unspecified kind.
            left_out = {queue.task_queue for queue in build.task_queue_reachability if 0 in queue.reachability}
            by_build_id[build.build_id] = BuildIdReachability(
                {
                    queue.task_queue: [TaskReachabilityType(kind) for kind in queue.reachability]
                    for queue in build.task_queue_reachability
                    if queue.task_queue not in left_out
                },
                frozenset(left_out),
            )
        return WorkerTaskReachability(by_build_id)
