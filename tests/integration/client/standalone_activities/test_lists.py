"""Descriptions and lists of standalone activities, on the real server."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible.api.enums.v1 import IndexedValueType
from invincible.api.operatorservice.v1 import AddSearchAttributesRequest, AddSearchAttributesResponse
from invincible.client import (
    ActivityExecution,
    ActivityExecutionCount,
    ActivityExecutionStatus,
    Client,
)
from invincible.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from invincible.converter import ArgumentError
from invincible.service import RPCError, RPCStatusCode
from tests.support.conditions import eventually
from tests.support.standalone_activities import (
    SECOND,
    Order,
    describe_order,
    double,
    failure,
    refuse,
    third_time_lucky,
)

# Descriptions


async def test_a_description_of_a_completed_activity(client: Client, work: str, id: str) -> None:
    before = datetime.now(timezone.utc) - SECOND
    handle = await client.start_activity(describe_order, Order("tea", 3), id=id, task_queue=work)
    await handle.result()
    description = await handle.describe(include_input=True, include_outcome=True)
    assert description.activity_id == id
    assert description.activity_run_id == handle.run_id
    assert description.activity_type == "describe_order"
    assert description.namespace == "default"
    assert description.task_queue == work
    assert description.status is ActivityExecutionStatus.COMPLETED
    assert description.run_state is None
    assert description.attempt == 1
    assert description.last_worker_identity == client.identity
    assert description.last_deployment_version is None
    assert description.total_heartbeat_count == 0
    assert description.close_time is not None
    assert description.last_started_time is not None
    assert description.last_attempt_complete_time is not None
    times = [before, description.schedule_time, description.last_started_time, description.close_time]
    assert times == sorted(times)
    assert description.execution_duration is not None
    rounding = description.execution_duration - (description.close_time - description.schedule_time)
    assert abs(rounding) <= timedelta(microseconds=1)
    assert description.next_attempt_schedule_time is None
    assert description.canceled_reason is None
    assert list(description.raw_callbacks) == []

    assert description.has_input()
    assert await description.input() == [{"item": "tea", "count": 3}]
    assert await description.input([Order]) == [Order("tea", 3)]
    assert description.has_result()
    assert await description.result() == "3 tea"
    with pytest.raises(ArgumentError, match=f"activity '{id}', result: expected int"):
        await description.result(int)
    assert not description.has_outcome_failure()
    assert await description.outcome_failure() is None
    assert not description.has_last_failure()
    assert await description.last_failure() is None
    assert not description.has_heartbeat_details()
    assert await description.heartbeat_details() is None
    assert await description.static_summary() is None


async def test_a_description_has_only_what_it_was_asked_for(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(third_time_lucky, id=id, task_queue=work)
    await handle.result()
    description = await handle.describe()
    assert not description.has_input()
    assert not description.has_result()
    assert not description.has_outcome_failure()
    assert not description.has_last_failure()
    assert not description.has_heartbeat_details()
    assert await description.input() is None
    assert await description.result() is None
    assert (description.raw_input, description.raw_outcome) == (None, None)
    assert (await handle.describe(include_outcome=True)).has_result()
    assert (await handle.describe(include_last_failure=True)).has_last_failure()
    assert (await handle.describe(include_heartbeat_details=True)).has_heartbeat_details()


# Lists


async def listed(client: Client, query: str, count: int, **options: Any) -> list[ActivityExecution]:
    async def all_of_them() -> list[ActivityExecution]:
        found = [each async for each in client.list_activities(query, **options)]
        assert len(found) == count
        return found

    return await eventually(all_of_them, what=f"{count} activities are listed")


async def test_lists_and_counts(client: Client, work: str, id: str) -> None:
    query = f"TaskQueue = '{work}'"
    for number in range(3):
        await client.execute_activity(double, number, id=f"{id}-{number}", task_queue=work)
    refused = await client.start_activity(refuse, "no", id=f"{id}-refused", task_queue=work)
    await failure(refused)

    found = await listed(client, f"{query} AND ExecutionStatus = 'Completed'", 3)
    assert {each.activity_id for each in found} == {f"{id}-{number}" for number in range(3)}
    [one] = await listed(client, f"{query} AND ActivityType = 'refuse'", 1)
    assert one.status is ActivityExecutionStatus.FAILED
    assert one.activity_run_id == refused.run_id
    assert one.close_time is not None
    assert one.execution_duration is not None

    await listed(client, query, 4)
    pages = client.list_activities(query, page_size=3)
    await pages.fetch_next_page()
    assert pages.current_page is not None
    assert len(pages.current_page) == 3
    assert pages.next_page_token
    rest = [each async for each in client.list_activities(query, next_page_token=pages.next_page_token)]
    assert len(rest) == 1
    assert len([each async for each in client.list_activities(query, limit=2, page_size=1)]) == 2

    async def counted() -> ActivityExecutionCount | None:
        count = await client.count_activities(f"{query} GROUP BY ExecutionStatus")
        return count if count.count == 4 else None

    count = await eventually(counted, what="all are counted")
    assert {tuple(group.group_values): group.count for group in count.groups} == {("Completed",): 3, ("Failed",): 1}
    assert (await client.count_activities(query)).groups == []
    assert (await client.count_activities()).count >= 4


async def test_search_attributes_are_kept_and_found(client: Client, task_queue: str, id: str) -> None:
    key = SearchAttributeKey.for_keyword("ActivityTenant")
    await client.service_client._rpc_call(
        "add_search_attributes",
        AddSearchAttributesRequest(
            namespace=client.namespace, search_attributes={key.name: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
        ),
        AddSearchAttributesResponse,
        service="operator",
    )
    attributes = TypedSearchAttributes([SearchAttributePair(key, id)])
    handle = await client.start_activity(double, 1, id=id, task_queue=task_queue, search_attributes=attributes)
    assert (await handle.describe()).typed_search_attributes[key] == id
    [found] = await listed(client, f"ActivityTenant = '{id}'", 1)
    assert found.typed_search_attributes[key] == id
    assert found.status is ActivityExecutionStatus.RUNNING
    assert found.close_time is None
    await handle.terminate()


async def test_a_query_that_is_none_is_refused_at_the_first_use(client: Client) -> None:
    found = client.list_activities("color ==")
    with pytest.raises(RPCError, match="invalid query") as error:
        await found.fetch_next_page()
    assert error.value.status is RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError, match="invalid query"):
        await client.count_activities("color ==")
