"""What type checkers make of blocking calls. Nothing here is run; the checkers of `make lint` read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import activity, workflow
from invincible.api.history.v1 import HistoryEvent
from invincible.api.workflowservice.v1 import GetClusterInfoRequest, GetClusterInfoResponse
from invincible.client import (
    Client,
    ScheduleUpdate,
    SyncClient,
    SyncScheduleHandle,
    SyncScheduleUpdateInput,
    SyncServiceClient,
    SyncWithStartWorkflowOperation,
    SyncWorkflowExecution,
    SyncWorkflowExecutionDescription,
    SyncWorkflowHandle,
    SyncWorkflowService,
    SyncWorkflowUpdateHandle,
    WithStartWorkflowOperation,
    WorkflowHistory,
    WorkflowUpdateStage,
    sync_timeout,
)
from invincible.common import WorkflowIDConflictPolicy
from invincible.service import ServiceClient


@workflow.defn
class Purchase:
    @workflow.run
    async def run(self, order: str) -> int:
        return 1

    @workflow.signal
    async def add(self, item: str) -> None: ...

    @workflow.query
    def price(self, item: str) -> float:
        return 1.0

    @workflow.update
    async def replace(self, old: str, new: str) -> bool:
        return True

    @workflow.update
    def remove(self, item: str) -> int:
        return 1


@workflow.defn
async def greet(name: str) -> str:
    return name


@activity.defn
async def charge(amount: int) -> str:
    return ""


def connecting(service_client: ServiceClient, blocking: SyncServiceClient, client: Client) -> None:
    with SyncClient.connect("localhost:7233", namespace="there") as made:
        assert_type(made, SyncClient)
    assert_type(SyncClient(service_client).service_client, SyncServiceClient)
    SyncClient(blocking, namespace="there")
    SyncClient(**made.config())
    SyncClient.connect()  # type: ignore[call-arg]
    SyncClient.connect("localhost:7233", namespac="there")  # type: ignore[call-arg]
    SyncClient(client)  # type: ignore[arg-type]
    with sync_timeout(timedelta(seconds=1)):
        assert_type(made.service_client.check_health(), bool)
    made.api_key = "key"
    made.namespace = "other"  # type: ignore[misc]


def workflows(client: SyncClient) -> None:
    handle = client.start_workflow(Purchase.run, "1", id="1", task_queue="q")
    assert_type(handle, SyncWorkflowHandle[Purchase, int])
    assert_type(handle.result(), int)
    assert_type(client.execute_workflow(greet, "Ada", id="1", task_queue="q"), str)
    assert_type(client.execute_workflow("greet", "Ada", id="1", task_queue="q", result_type=str), str)
    assert_type(client.execute_workflow("greet", "Ada", id="1", task_queue="q"), Any)
    assert_type(client.get_workflow_handle_for(Purchase.run, "1"), SyncWorkflowHandle[Purchase, int])

    client.start_workflow(Purchase.run, 1, id="1", task_queue="q")  # type: ignore[misc]
    client.start_workflow(Purchase.run, "1", id="1")  # type: ignore[call-overload]
    client.start_workflow(Purchase.run, "1", id="1", task_queue="q", retries=3)  # type: ignore[call-overload]
    client.start_wrokflow(Purchase.run, "1", id="1", task_queue="q")  # type: ignore[attr-defined]


async def nothing_is_awaited(client: SyncClient, handle: SyncWorkflowHandle[Purchase, int]) -> None:
    await client.start_workflow(Purchase.run, "1", id="1", task_queue="q")  # type: ignore[misc]
    await handle.describe()  # type: ignore[misc]


def handles(handle: SyncWorkflowHandle[Purchase, int]) -> None:
    assert_type(handle.query(Purchase.price, "apple"), float)
    assert_type(handle.execute_update(Purchase.replace, args=["apple", "pear"]), bool)
    update = handle.start_update(Purchase.remove, "apple", wait_for_stage=WorkflowUpdateStage.ACCEPTED)
    assert_type(update, SyncWorkflowUpdateHandle[int])
    assert_type(update.result(), int)
    handle.signal(Purchase.add, "apple", rpc_timeout=timedelta(seconds=1))
    handle.signal(Purchase.add, 1)  # type: ignore[call-overload]
    handle.query(Purchase.price, 1)  # type: ignore[call-overload]

    description = handle.describe()
    assert_type(description, SyncWorkflowExecutionDescription)
    assert_type(description.id, str)
    assert_type(description.memo(), Mapping[str, Any])
    assert_type(description.static_summary(), "str | None")
    assert_type(handle.fetch_history(), WorkflowHistory)
    for event in handle.fetch_history_events():
        assert_type(event, HistoryEvent)


def lists(client: SyncClient) -> None:
    found = client.list_workflows("WorkflowType = 'Purchase'")
    assert_type(next(found), SyncWorkflowExecution)
    assert_type(found.next_page_token, "bytes | None")
    assert_type(found.map_histories(), Iterator[WorkflowHistory])


def updates_with_start(client: SyncClient) -> None:
    start = SyncWithStartWorkflowOperation(
        Purchase.run, "1", id="1", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    made = client.execute_update_with_start_workflow(Purchase.remove, "apple", start_workflow_operation=start)
    assert_type(made, int)
    assert_type(start.workflow_handle(), SyncWorkflowHandle[Purchase, int])
    waiting = WithStartWorkflowOperation(
        Purchase.run, "1", id="1", task_queue="q", id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    client.execute_update_with_start_workflow(Purchase.remove, "a", start_workflow_operation=waiting)  # type: ignore[call-overload]


def schedules(handle: SyncScheduleHandle) -> None:
    def change(input: SyncScheduleUpdateInput) -> ScheduleUpdate:
        assert_type(input.description.memo(), Mapping[str, Any])
        return ScheduleUpdate(input.description.schedule)

    async def slow(input: SyncScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(input.description.schedule)

    handle.update(change)
    handle.update(slow)  # type: ignore[arg-type]


def activities(client: SyncClient) -> None:
    assert_type(
        client.execute_activity(charge, 1, id="1", task_queue="q", start_to_close_timeout=timedelta(seconds=1)), str
    )


def raw_services(service: SyncWorkflowService) -> None:
    assert_type(service.get_cluster_info(GetClusterInfoRequest()), GetClusterInfoResponse)
    service.get_cluster_info()  # type: ignore[call-arg]
