"""Worker deployments and sets of build ids, on a server that forgets workers and drains versions within seconds."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import workflow
from invincible._native import Payload
from invincible.client import (
    BuildIdOp,
    BuildIdOpAddNewCompatible,
    BuildIdOpAddNewDefault,
    BuildIdOpMergeSets,
    BuildIdOpPromoteBuildIdWithinSet,
    BuildIdOpPromoteSetByBuildId,
    BuildIdReachability,
    BuildIdVersionSet,
    Client,
    Interceptor,
    OutboundInterceptor,
    TaskQueueType,
    TaskReachabilityType,
    UpdateWorkerBuildIdCompatibilityInput,
    WorkerBuildIdVersionSets,
    WorkerDeploymentHandle,
    WorkerDeploymentTaskQueue,
    WorkerDeploymentVersionStatus,
    WorkerTaskReachability,
)
from invincible.common import VersioningBehavior, WorkerDeploymentVersion
from invincible.converter import DataConverter, PayloadCodec
from invincible.service import RPCError, RPCStatusCode
from invincible.testing._server import ServerProcess
from invincible.worker import Worker, WorkerDeploymentConfig
from tests.support.conditions import eventually
from tests.support.guides import follow

SETTINGS = {
    "frontend.workerVersioningDataAPIs": "true",
    "matching.PollerHistoryTTL": '"1s"',
    "matching.wv.VersionDrainageStatusVisibilityGracePeriod": '"1s"',
    "matching.wv.VersionDrainageStatusRefreshInterval": '"1s"',
}


@contextmanager
def server_with(settings: Mapping[str, str]) -> Iterator[str]:
    options = [option for key, value in settings.items() for option in ("--dynamic-config-value", f"{key}={value}")]
    server = ServerProcess(["--port", "0", "--headless", *options])
    try:
        yield server.ready.grpc
    finally:
        server.stop()


@pytest.fixture(scope="module")
def versions_address() -> Iterator[str]:
    with server_with(SETTINGS) as address:
        yield address


@pytest.fixture(scope="module")
def old_ways_off() -> Iterator[str]:
    with server_with({"frontend.workerVersioningDataAPIs": "false"}) as address:
        yield address


@pytest.fixture
async def client(versions_address: str) -> Client:
    return await Client.connect(versions_address)


@pytest.fixture
def name(task_queue: str) -> str:
    """Name of a deployment; like a build id, it must be short."""
    return f"shop-{uuid.uuid4().hex[:8]}"


def serving(build_id: str) -> type:
    @workflow.defn(name="Serve", versioning_behavior=VersioningBehavior.PINNED)
    class Serve:
        """Tells which version it runs on, perhaps not before it is told to."""

        def __init__(self) -> None:
            self.told = False

        @workflow.run
        async def run(self, wait: bool) -> str:
            await workflow.wait_condition(lambda: self.told or not wait)
            return build_id

        @workflow.signal
        def tell(self) -> None:
            self.told = True

    return Serve


def worker_of(client: Client, name: str, build_id: str, task_queue: str) -> Worker:
    version = WorkerDeploymentVersion(name, build_id)
    config = WorkerDeploymentConfig(version=version, use_worker_versioning=True)
    return Worker(client, task_queue=task_queue, workflows=[serving(build_id)], deployment_config=config)


async def has_versions(deployment: WorkerDeploymentHandle, *build_ids: str) -> None:
    """Waits until the server has seen workers of these versions."""

    async def are_there() -> bool:
        try:
            for build_id in build_ids:
                if not (await deployment.describe_version(build_id)).task_queues:
                    return False
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return {each.version.build_id for each in (await deployment.describe()).versions} >= set(build_ids)

    await eventually(are_there, what=f"workers of versions {build_ids}")


async def status_of(deployment: WorkerDeploymentHandle, build_id: str) -> WorkerDeploymentVersionStatus | None:
    return (await deployment.describe_version(build_id)).status


@pytest.fixture
async def deployment(client: Client, name: str, task_queue: str) -> AsyncIterator[WorkerDeploymentHandle]:
    """A deployment with workers of the versions 1 and 2."""
    async with AsyncExitStack() as workers:
        for build_id in ("1", "2"):
            await workers.enter_async_context(worker_of(client, name, build_id, task_queue))
        deployment = client.get_worker_deployment_handle(name)
        await has_versions(deployment, "1", "2")
        yield deployment


async def served_by(client: Client, task_queue: str, build_id: str) -> None:
    """Waits until new workflows run on a version; the way there takes a moment."""

    async def is_so() -> bool:
        id = f"{task_queue}-{uuid.uuid4()}"
        served: str = await client.execute_workflow("Serve", False, id=id, task_queue=task_queue)
        return served == build_id

    await eventually(is_so, what=f"new workflows run on version {build_id}")


# Worker deployments


async def test_work_moves_from_one_version_to_the_next(
    client: Client, name: str, task_queue: str, deployment: WorkerDeploymentHandle
) -> None:
    one, two = WorkerDeploymentVersion(name, "1"), WorkerDeploymentVersion(name, "2")
    assert (await deployment.describe()).routing.current_version is None
    assert await status_of(deployment, "1") is WorkerDeploymentVersionStatus.INACTIVE

    await deployment.set_current_version("1")
    await served_by(client, task_queue, "1")
    pinned = await client.start_workflow("Serve", True, id=f"{task_queue}-pinned", task_queue=task_queue)

    async def is_pinned() -> bool:
        info = (await pinned.describe()).raw_info.versioning_info
        return info.deployment_version.build_id == "1"

    await eventually(is_pinned, what="the workflow is pinned to version 1")

    await deployment.set_ramping_version("2", 100)
    await served_by(client, task_queue, "2")
    routing = (await deployment.describe()).routing
    assert (routing.current_version, routing.ramping_version, routing.ramping_percentage) == (one, two, 100)
    ramping = await deployment.describe_version("2")
    assert (ramping.status, ramping.ramp_percentage) == (WorkerDeploymentVersionStatus.RAMPING, 100)
    assert ramping.ramping_since_time == routing.ramping_version_changed_time

    await deployment.set_current_version("2")
    routing = (await deployment.describe()).routing
    assert (routing.current_version, routing.ramping_version, routing.ramping_percentage) == (two, None, 0)
    await served_by(client, task_queue, "2")

    async def is_draining() -> bool:
        return await status_of(deployment, "1") is WorkerDeploymentVersionStatus.DRAINING

    await eventually(is_draining, what="version 1 drains")
    await pinned.signal("tell")
    assert await pinned.result() == "1"

    async def is_drained() -> bool:
        return await status_of(deployment, "1") is WorkerDeploymentVersionStatus.DRAINED

    await eventually(is_drained, what="version 1 is drained")


async def test_a_description_is_complete(
    client: Client, name: str, task_queue: str, deployment: WorkerDeploymentHandle
) -> None:
    begin = datetime.now(timezone.utc)
    await deployment.set_current_version("1")
    await deployment.set_ramping_version("2", 30.5)
    end = datetime.now(timezone.utc)
    described = await deployment.describe()
    assert (described.name, described.manager_identity) == (name, None)
    assert described.last_modifier_identity == client.identity
    assert described.create_time is not None
    assert described.create_time < begin
    routing = described.routing
    for time in (
        routing.current_version_changed_time,
        routing.ramping_version_changed_time,
        routing.ramping_percentage_changed_time,
    ):
        assert time is not None
        assert begin <= time <= end
    versions = {each.version.build_id: each for each in described.versions}
    assert versions["1"].status is WorkerDeploymentVersionStatus.CURRENT
    assert versions["1"].current_since_time == routing.current_version_changed_time
    assert versions["1"].ramping_since_time is None
    assert versions["2"].status is WorkerDeploymentVersionStatus.RAMPING
    assert versions["2"].version == WorkerDeploymentVersion(name, "2")
    assert versions["2"].drainage_changed_time is None

    version = await deployment.describe_version("2")
    assert version.version == WorkerDeploymentVersion(name, "2")
    assert version.task_queues == [WorkerDeploymentTaskQueue(task_queue, TaskQueueType.WORKFLOW)]
    assert version.ramp_percentage == 30.5
    assert await version.metadata() == {}


async def test_no_version_ramps_any_more(deployment: WorkerDeploymentHandle) -> None:
    await deployment.set_current_version("1")
    await deployment.set_ramping_version("2", 20)
    await deployment.set_ramping_version(None, 0)
    described = await deployment.describe()
    assert (described.routing.ramping_version, described.routing.ramping_percentage) == (None, 0)
    [drains] = [each for each in described.versions if each.version.build_id == "2"]
    assert drains.drainage_changed_time is not None
    await deployment.set_ramping_version(None, 10)
    routing = (await deployment.describe()).routing
    assert (routing.ramping_version, routing.ramping_percentage) == (None, 10)
    await deployment.set_current_version(None)
    assert (await deployment.describe()).routing.current_version is None


async def test_an_outdated_conflict_token_changes_nothing(name: str, deployment: WorkerDeploymentHandle) -> None:
    seen = await deployment.describe()
    token = await deployment.set_current_version("1", conflict_token=seen.conflict_token)
    token = await deployment.set_ramping_version("2", 10, conflict_token=token)
    assert token == (await deployment.describe()).conflict_token
    changes: list[Callable[[], Awaitable[Any]]] = [
        lambda: deployment.set_current_version("2", conflict_token=seen.conflict_token),
        lambda: deployment.set_ramping_version("2", 50, conflict_token=seen.conflict_token),
    ]
    for change in changes:
        with pytest.raises(RPCError, match=f"worker deployment '{name}', version '2': conflict token") as raised:
            await change()
        assert raised.value.status is RPCStatusCode.FAILED_PRECONDITION
    routing = (await deployment.describe()).routing
    assert routing.current_version == WorkerDeploymentVersion(name, "1")
    assert routing.ramping_percentage == 10


async def test_metadata_is_kept_with_a_version(deployment: WorkerDeploymentHandle) -> None:
    await deployment.update_version_metadata("1", upsert={"commit": "abc", "numbers": [1, 2]})
    kept = await deployment.update_version_metadata("1", upsert={"commit": "def"}, remove=["numbers", "never there"])
    assert kept == {"commit": "def"}
    assert await (await deployment.describe_version("1")).metadata() == {"commit": "def"}
    assert await (await deployment.describe_version("2")).metadata() == {}


class Reversing(PayloadCodec):
    async def encode(self, payloads: Any) -> list[Payload]:
        return [
            Payload({"encoding": b"reverse", "of": each.metadata["encoding"]}, each.data[::-1]) for each in payloads
        ]

    async def decode(self, payloads: Any) -> list[Payload]:
        return [Payload({"encoding": each.metadata["of"]}, each.data[::-1]) for each in payloads]


async def test_metadata_passes_the_codec(versions_address: str, name: str, deployment: WorkerDeploymentHandle) -> None:
    converter = dataclasses.replace(DataConverter.default, payload_codec=Reversing())
    coded = (await Client.connect(versions_address, data_converter=converter)).get_worker_deployment_handle(name)
    assert await coded.update_version_metadata("1", upsert={"note": "secret"}) == {"note": "secret"}
    described = await coded.describe_version("1")
    entries = described.raw_description.worker_deployment_version_info.metadata.entries
    assert entries["note"].data == b'"terces"'
    assert await described.metadata() == {"note": "secret"}


async def test_a_version_without_workers_is_only_used_if_asked_for(deployment: WorkerDeploymentHandle) -> None:
    for change in (deployment.set_current_version("3"), deployment.set_ramping_version("3", 5)):
        with pytest.raises(RPCError, match="3") as raised:
            await change
        assert raised.value.status is RPCStatusCode.NOT_FOUND
    await deployment.set_current_version("3", allow_no_pollers=True)
    assert await status_of(deployment, "3") is WorkerDeploymentVersionStatus.CURRENT


async def test_a_version_that_lacks_task_queues_is_only_used_if_asked_for(
    client: Client, name: str, task_queue: str, deployment: WorkerDeploymentHandle
) -> None:
    async with worker_of(client, name, "1", f"{task_queue}-more"):
        await deployment.set_current_version("1")

        async def has_both() -> bool:
            return len((await deployment.describe_version("1")).task_queues) == 2

        await eventually(has_both, what="version 1 has two task queues")
        # The server asks only for workers of task queues that are in use.
        await client.execute_workflow("Serve", False, id=f"{task_queue}-in-use", task_queue=f"{task_queue}-more")
        with pytest.raises(RPCError, match="task queue") as raised:
            await deployment.set_current_version("2")
        assert raised.value.status is RPCStatusCode.FAILED_PRECONDITION
        with pytest.raises(RPCError, match="task queue"):
            await deployment.set_ramping_version("2", 10)
        await deployment.set_ramping_version("2", 10, ignore_missing_task_queues=True)
        await deployment.set_current_version("2", ignore_missing_task_queues=True)


async def test_what_is_in_use_is_not_deleted(name: str, deployment: WorkerDeploymentHandle) -> None:
    await deployment.set_current_version("1")
    for refused in (deployment.delete_version("1"), deployment.delete()):
        with pytest.raises(RPCError, match=f"worker deployment '{name}'") as raised:
            await refused
        assert raised.value.status is RPCStatusCode.FAILED_PRECONDITION


async def test_a_deployment_that_nobody_uses_is_deleted(client: Client, name: str, task_queue: str) -> None:
    deployment = client.get_worker_deployment_handle(name)
    async with worker_of(client, name, "1", task_queue):
        await has_versions(deployment, "1")
        await deployment.set_ramping_version("1", 50)
    await deployment.set_ramping_version(None, 0)

    async def version_is_deleted() -> bool:
        try:
            await deployment.delete_version("1", skip_drainage=True)
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                raise
            return False
        return True

    await eventually(version_is_deleted, what="the worker of version 1 is forgotten")
    assert (await deployment.describe()).versions == []
    await deployment.delete()
    with pytest.raises(RPCError) as raised:
        await deployment.describe()
    assert raised.value.status is RPCStatusCode.NOT_FOUND


async def test_deployments_are_listed(client: Client, name: str, task_queue: str) -> None:
    names = {f"{name}-{number}" for number in range(3)}
    async with AsyncExitStack() as workers:
        for each in names:
            await workers.enter_async_context(worker_of(client, each, "1", f"{task_queue}-{each}"))
        for each in names:
            await has_versions(client.get_worker_deployment_handle(each), "1")
        await client.get_worker_deployment_handle(f"{name}-1").set_current_version("1")

        async def are_listed() -> bool:
            found = {each.name: each async for each in client.list_worker_deployments(page_size=2)}
            current = {found[each].routing.current_version for each in names & set(found)}
            return names <= set(found) and current == {None, WorkerDeploymentVersion(f"{name}-1", "1")}

        await eventually(are_listed, what="three deployments are listed")
        assert len([each async for each in client.list_worker_deployments(limit=2)]) == 2


async def test_what_is_not_there_is_named(client: Client, name: str) -> None:
    deployment = client.get_worker_deployment_handle(name)
    assert repr(deployment) == f"<WorkerDeploymentHandle name='{name}'>"
    calls: list[tuple[Awaitable[Any], str]] = [
        (deployment.describe(), f"worker deployment '{name}': "),
        (deployment.set_current_version("1"), f"worker deployment '{name}', version '1': "),
        (deployment.describe_version("1"), f"worker deployment '{name}', version '1': "),
        (deployment.update_version_metadata("1", upsert={"a": 1}), f"worker deployment '{name}', version '1': "),
    ]
    for call, message in calls:
        with pytest.raises(RPCError) as raised:
            await call
        assert str(raised.value).startswith(message)
        assert raised.value.status is RPCStatusCode.NOT_FOUND


@pytest.mark.parametrize("percentage", [-1, 100.5])
async def test_a_share_is_a_percentage(client: Client, name: str, percentage: float) -> None:
    with pytest.raises(ValueError, match=f"percentage must be between 0 and 100, got {percentage}"):
        await client.get_worker_deployment_handle(name).set_ramping_version("1", percentage)


async def test_a_share_is_a_number(client: Client, name: str) -> None:
    percentage: Any = "10%"
    with pytest.raises(TypeError, match="percentage must be a number, got str"):
        await client.get_worker_deployment_handle(name).set_ramping_version("1", percentage)


class Recording(Interceptor):
    """Writes down the calls that go out, and lets none of them reach the server."""

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return Recorder(next, self.calls)


class Recorder(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, calls: dict[str, Any]) -> None:
        super().__init__(next)
        self.calls = calls

    def __getattribute__(self, name: str) -> Any:
        if "worker" not in name:
            return super().__getattribute__(name)
        passed_on = super().__getattribute__(name)

        def call(input: Any) -> Any:
            self.calls[name] = input
            return passed_on(input)

        return call


async def test_interceptors_see_every_call(versions_address: str, name: str) -> None:
    recording = Recording()
    client = await Client.connect(versions_address, interceptors=[recording])
    deployment = client.get_worker_deployment_handle(name)
    calls: Mapping[str, Callable[[], Awaitable[Any]]] = {
        "update_worker_build_id_compatibility": lambda: client.update_worker_build_id_compatibility(
            name, BuildIdOpPromoteSetByBuildId("1")
        ),
        "get_worker_build_id_compatibility": lambda: client.get_worker_build_id_compatibility(name),
        "get_worker_task_reachability": lambda: client.get_worker_task_reachability([]),
        "list_worker_deployments": lambda: client.list_worker_deployments().fetch_next_page(),
        "describe_worker_deployment": lambda: deployment.describe(),
        "set_worker_deployment_current_version": lambda: deployment.set_current_version("1"),
        "set_worker_deployment_ramping_version": lambda: deployment.set_ramping_version("1", 1),
        "describe_worker_deployment_version": lambda: deployment.describe_version("1"),
        "update_worker_deployment_version_metadata": lambda: deployment.update_version_metadata("1"),
        "delete_worker_deployment_version": lambda: deployment.delete_version("1"),
        "delete_worker_deployment": lambda: deployment.delete(),
    }
    for call in calls.values():
        try:
            await call()
        except RPCError as error:
            assert error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT)  # noqa: PT017
    assert list(recording.calls) == list(calls)
    names = {input.name for called, input in recording.calls.items() if hasattr(input, "name")}
    assert names == {name}


# Sets of build ids


def sets(*build_ids: str) -> WorkerBuildIdVersionSets:
    return WorkerBuildIdVersionSets([BuildIdVersionSet(each.split()) for each in build_ids])


async def test_build_ids_are_compatible_in_sets(client: Client, task_queue: str) -> None:
    assert await client.get_worker_build_id_compatibility(task_queue) == sets()
    steps: list[tuple[BuildIdOp, WorkerBuildIdVersionSets]] = [
        (BuildIdOpAddNewDefault("1"), sets("1")),
        (BuildIdOpAddNewCompatible("1.1", "1"), sets("1 1.1")),
        (BuildIdOpAddNewDefault("2"), sets("1 1.1", "2")),
        (BuildIdOpPromoteBuildIdWithinSet("1"), sets("1.1 1", "2")),
        (BuildIdOpPromoteSetByBuildId("1.1"), sets("2", "1.1 1")),
        (BuildIdOpAddNewCompatible("2.1", "2", promote_set=True), sets("1.1 1", "2 2.1")),
        (BuildIdOpMergeSets("2", "1"), sets("1.1 1 2 2.1")),
    ]
    for operation, expected in steps:
        await client.update_worker_build_id_compatibility(task_queue, operation)
        found = await client.get_worker_build_id_compatibility(task_queue)
        assert {frozenset(each.build_ids) for each in found.version_sets} == {
            frozenset(each.build_ids) for each in expected.version_sets
        }, operation
        assert [each.default() for each in found.version_sets] == [each.default() for each in expected.version_sets]
        assert found.default_build_id() == expected.default_build_id()


async def test_no_more_sets_are_returned_than_asked_for(client: Client, task_queue: str) -> None:
    for build_id in ("1", "2", "3"):
        await client.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewDefault(build_id))
    assert await client.get_worker_build_id_compatibility(task_queue, 2) == sets("2", "3")


async def test_which_tasks_build_ids_may_be_given(client: Client, task_queue: str) -> None:
    old, new = f"1-{task_queue}", f"1.1-{task_queue}"
    await client.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewDefault(old))
    await client.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewCompatible(new, old))
    found = await client.get_worker_task_reachability([old, new], [task_queue], TaskReachabilityType.EXISTING_WORKFLOWS)
    assert found == WorkerTaskReachability(
        {
            old: BuildIdReachability({task_queue: []}, frozenset()),
            new: BuildIdReachability({task_queue: [TaskReachabilityType.NEW_WORKFLOWS]}, frozenset()),
        }
    )


async def test_what_the_server_refuses_has_its_words(client: Client, task_queue: str) -> None:
    with pytest.raises(RPCError, match="nope not found") as raised:
        await client.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewCompatible("1", "nope"))
    assert raised.value.status is RPCStatusCode.NOT_FOUND
    with pytest.raises(RPCError, match="at least one build ID"):
        await client.get_worker_task_reachability([])


async def test_a_server_that_has_it_switched_off_says_so(old_ways_off: str, task_queue: str) -> None:
    client = await Client.connect(old_ways_off)
    calls: list[Awaitable[Any]] = [
        client.update_worker_build_id_compatibility(task_queue, BuildIdOpAddNewDefault("1")),
        client.get_worker_build_id_compatibility(task_queue),
        client.get_worker_task_reachability(["1"]),
    ]
    for call in calls:
        with pytest.raises(RPCError, match="disabled") as raised:
            await call
        assert raised.value.status is RPCStatusCode.PERMISSION_DENIED


async def test_calls_carry_operation_and_deadline(versions_address: str, task_queue: str) -> None:
    recording = Recording()
    client = await Client.connect(versions_address, interceptors=[recording])
    operation = BuildIdOpAddNewDefault("1")
    await client.update_worker_build_id_compatibility(task_queue, operation, {"a": "b"}, timedelta(seconds=9))
    assert recording.calls["update_worker_build_id_compatibility"] == UpdateWorkerBuildIdCompatibilityInput(
        task_queue, operation, {"a": "b"}, timedelta(seconds=9)
    )


# The guide


async def test_the_guide_does_what_it_says(
    versions_address: str, client: Client, name: str, task_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = client.get_worker_deployment_handle(name)
    async with AsyncExitStack() as workers:
        for build_id in ("v1", "v2", "v3"):
            await workers.enter_async_context(worker_of(client, name, build_id, task_queue))
        await has_versions(deployment, "v1", "v2", "v3")
        await deployment.set_current_version("v1")
        await follow("worker-versions.md", versions_address, {'"payments"': f'"{name}"'})
    printed = capsys.readouterr().out
    assert printed.startswith(f"WorkerDeploymentVersion(deployment_name='{name}', build_id='v2') ['v")
    assert (await deployment.describe()).routing.current_version == WorkerDeploymentVersion(name, "v3")
