"""Arguments that the client refuses by name before anything is sent, and what its objects say of themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from invincible import activity
from invincible.api.workflow.v1 import WorkflowExecutionInfo
from invincible.client import (
    AsyncActivityHandle,
    AsyncActivityIDReference,
    BuildIdOpAddNewCompatible,
    BuildIdOpAddNewDefault,
    Client,
    SyncClient,
    WorkflowExecution,
    WorkflowResetPoint,
)
from invincible.converter import DataConverter
from invincible.service import ConnectConfig, ServiceClient


class Untouched(ServiceClient):
    """A connection that nothing may be sent over."""

    async def _connect(self) -> Any:
        raise AssertionError("sent")


@pytest.fixture
def client() -> Client:
    return Client(Untouched(ConnectConfig("nowhere:1", lazy=True)))


async def refused(call: Callable[[Any], Any], client: Client, error: type[Exception], message: str) -> None:
    async def made() -> None:
        result = call(client)
        if inspect.isawaitable(result):
            await result

    with pytest.raises(error) as raised:
        await made()
    assert str(raised.value) == message


# Definitions take plain numbers, although they are not typed so.
@activity.defn(start_to_close_timeout=5)  # type: ignore[call-overload, untyped-decorator]  # pyright: ignore[reportCallIssue, reportArgumentType, reportUntypedFunctionDecorator]
async def work() -> None: ...


ACTIVITY_TIMEOUTS = (
    "schedule_to_close_timeout",
    "schedule_to_start_timeout",
    "start_to_close_timeout",
    "heartbeat_timeout",
    "start_delay",
)


@pytest.mark.parametrize("method", ["start_activity", "execute_activity"])
@pytest.mark.parametrize("name", ACTIVITY_TIMEOUTS)
@pytest.mark.parametrize("value", [5, 0.5, True])
async def test_timeouts_of_activities_are_no_plain_numbers(client: Client, method: str, name: str, value: Any) -> None:
    options = {name: value, "id": "i", "task_queue": "q"}
    message = f"{name} must be a timedelta, got {type(value).__name__}"
    await refused(lambda c: getattr(c, method)(work, **options), client, TypeError, message)


async def test_a_jitter_is_no_plain_number(client: Client) -> None:
    message = "jitter must be a timedelta, got int"
    await refused(lambda c: c.get_activity_handle("a").unpause(jitter=5), client, TypeError, message)


@pytest.mark.parametrize(
    "method",
    [
        "list_workflows",
        "count_workflows",
        "list_activities",
        "count_activities",
        "list_nexus_operations",
        "count_nexus_operations",
        "list_schedules",
    ],
)
async def test_queries_are_texts(client: Client, method: str) -> None:
    message = "query must be a str, got int"
    await refused(lambda c: getattr(c, method)(query=5), client, TypeError, message)


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.get_workflow_handle("w").cancel(reason=5),
        lambda c: c.get_workflow_handle("w").terminate(reason=5),
        lambda c: c.get_workflow_handle("w").reset(WorkflowResetPoint.first_task(), reason=5),
        lambda c: c.get_activity_handle("a").cancel(reason=5),
        lambda c: c.get_activity_handle("a").terminate(reason=5),
        lambda c: c.get_activity_handle("a").pause(reason=5),
        lambda c: c.get_activity_handle("a").unpause(reason=5),
        lambda c: c.get_nexus_operation_handle("o").cancel(reason=5),
        lambda c: c.get_nexus_operation_handle("o").terminate(reason=5),
    ],
)
async def test_reasons_are_texts(client: Client, call: Callable[[Any], Any]) -> None:
    await refused(call, client, TypeError, "reason must be a str, got int")


@pytest.mark.parametrize("method", ["pause", "unpause"])
async def test_notes_are_texts(client: Client, method: str) -> None:
    message = "note must be a str, got int"
    await refused(lambda c: getattr(c.get_schedule_handle("s"), method)(note=5), client, TypeError, message)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("workflow_id", lambda c, id: c.get_workflow_handle(id)),
        ("activity_id", lambda c, id: c.get_activity_handle(id)),
        ("operation_id", lambda c, id: c.get_nexus_operation_handle(id)),
        ("id of the schedule", lambda c, id: c.get_schedule_handle(id)),
        ("id of the schedule", lambda c, id: c.create_schedule(id, None)),
        ("id of the update", lambda c, id: c.get_workflow_handle("w").get_update_handle(id)),
        ("name of the worker deployment", lambda c, id: c.get_worker_deployment_handle(id)),
        ("activity_id", lambda c, id: AsyncActivityIDReference("w", None, id)),
        ("build_id", lambda c, id: c.get_worker_deployment_handle("d").describe_version(id)),
        ("build_id", lambda c, id: c.get_worker_deployment_handle("d").update_version_metadata(id)),
        ("build_id", lambda c, id: c.get_worker_deployment_handle("d").delete_version(id)),
        ("task_queue", lambda c, id: c.get_worker_build_id_compatibility(id)),
        (
            "task_queue",
            lambda c, id: c.update_worker_build_id_compatibility(id, BuildIdOpAddNewDefault("1")),
        ),
        ("build_id", lambda c, id: c.update_worker_build_id_compatibility("q", BuildIdOpAddNewDefault(id))),
        (
            "existing_compatible_build_id",
            lambda c, id: c.update_worker_build_id_compatibility("q", BuildIdOpAddNewCompatible("2", id)),
        ),
        ("endpoint", lambda c, id: c.create_nexus_client("service", id)),
        ("id", lambda c, id: c.create_nexus_client("service", "endpoint").start_operation("o", 1, id=id)),
    ],
)
async def test_ids_are_texts_and_not_empty(client: Client, name: str, call: Callable[[Any, Any], Any]) -> None:
    await refused(lambda c: call(c, 5), client, TypeError, f"{name} must be a str, got int")
    await refused(lambda c: call(c, None), client, TypeError, f"{name} must be a str, got NoneType")
    await refused(lambda c: call(c, ""), client, ValueError, f"{name} must not be empty")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("run_id", lambda c: c.get_workflow_handle("w", run_id=5)),
        ("first_execution_run_id", lambda c: c.get_workflow_handle("w", first_execution_run_id=5)),
        ("run_id", lambda c: c.get_activity_handle("a", run_id=5)),
        ("run_id", lambda c: c.get_nexus_operation_handle("o", run_id=5)),
        ("workflow_run_id", lambda c: c.get_workflow_handle("w").get_update_handle("u", workflow_run_id=5)),
        ("activity_id", lambda c: c.get_async_activity_handle(activity_id=5)),
        ("workflow_id", lambda c: c.get_async_activity_handle(workflow_id=5, run_id=None, activity_id="a")),
        ("build_id", lambda c: c.get_worker_deployment_handle("d").set_current_version(5)),
        ("build_id", lambda c: c.get_worker_deployment_handle("d").set_ramping_version(5, 10)),
    ],
)
async def test_other_ids_are_texts(client: Client, name: str, call: Callable[[Any], Any]) -> None:
    await refused(call, client, TypeError, f"{name} must be a str, got int")


async def test_keys_of_memos_are_texts(client: Client) -> None:
    execution = WorkflowExecution._from_info(WorkflowExecutionInfo(), "space", DataConverter.default)
    await refused(lambda c: execution.memo_value(5), client, TypeError, "key must be a str, got int")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_activities_are_completed_by_ids_or_a_token(client: Client) -> None:
    message = "id_or_token must be an AsyncActivityIDReference or bytes, got str"
    await refused(lambda c: AsyncActivityHandle(c, "a"), client, TypeError, message)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: c.create_nexus_client("", "endpoint"), ValueError, "service must not be empty"),
        (
            lambda c: c.create_nexus_client("service", "endpoint").start_operation(7, 1, id="i"),
            TypeError,
            "a Nexus operation is named by an operation of a nexusrpc service, or by its name, got 7",
        ),
        (
            lambda c: c.create_nexus_client("service", "endpoint").execute_operation(print, 1, id="i"),
            TypeError,
            "a Nexus operation is named by an operation of a nexusrpc service, or by its name, got print",
        ),
        (
            lambda c: c.get_nexus_operation_handle("o", operation=7),
            TypeError,
            "a Nexus operation is named by an operation of a nexusrpc service, or by its name, got 7",
        ),
    ],
)
async def test_what_is_no_nexus_operation_is_shown(
    client: Client, call: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    await refused(call, client, error, message)


@pytest.mark.parametrize("method", ["start_operation", "execute_operation"])
@pytest.mark.parametrize("name", ["schedule_to_close_timeout", "schedule_to_start_timeout", "start_to_close_timeout"])
async def test_timeouts_of_nexus_operations_are_no_plain_numbers(client: Client, method: str, name: str) -> None:
    nexus = client.create_nexus_client("service", "endpoint")
    message = f"{name} must be a timedelta, got int"
    await refused(lambda c: getattr(nexus, method)("o", 1, id="i", **{name: 5}), client, TypeError, message)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda c: c.update_worker_build_id_compatibility("q", "v2"),
            "operation must be a BuildIdOp, BuildIdOpAddNewDefault('v2') say, got str",
        ),
        (lambda c: c.get_worker_task_reachability("abc"), "build_ids must be a sequence of str, got str"),
        (lambda c: c.get_worker_task_reachability(5), "build_ids must be a sequence of str, got int"),
        (lambda c: c.get_worker_task_reachability([5]), "each of build_ids must be a str, got int"),
        (lambda c: c.get_worker_task_reachability(["a"], "abc"), "task_queues must be a sequence of str, got str"),
        (
            lambda c: c.get_worker_deployment_handle("d").update_version_metadata("1", remove="abc"),
            "remove must be a sequence of str, got str",
        ),
    ],
)
async def test_versions_of_a_wrong_type_are_refused(client: Client, call: Callable[[Any], Any], message: str) -> None:
    await refused(call, client, TypeError, message)


async def test_lists_say_what_they_are_of(client: Client) -> None:
    assert repr(client.list_workflows("A = 'b'")) == """<WorkflowExecutionAsyncIterator query="A = 'b'">"""
    assert repr(client.list_workflows()) == "<WorkflowExecutionAsyncIterator query=''>"
    assert repr(client.list_activities("q")) == "<ActivityExecutionAsyncIterator query='q'>"
    assert repr(client.list_nexus_operations("q")) == "<NexusOperationExecutionAsyncIterator query='q'>"
    assert repr(await client.list_schedules("q")) == "<ScheduleAsyncIterator query='q'>"
    assert repr(client.list_worker_deployments()) == "<WorkerDeploymentAsyncIterator>"
    events = client.get_workflow_handle("w", run_id="r").fetch_history_events()
    assert repr(events) == "<WorkflowHistoryEventAsyncIterator workflow_id='w' run_id='r'>"
    assert repr(SyncClient(client.service_client).list_workflows("q")) == "<SyncWorkflowExecutionIterator query='q'>"
