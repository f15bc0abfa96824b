"""Lists, counts and descriptions of workflows on the real server."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import workflow
from invincible._native import Payload
from invincible.client import (
    Client,
    CountWorkflowsInput,
    Interceptor,
    ListWorkflowsInput,
    OutboundInterceptor,
    WorkflowExecution,
    WorkflowExecutionAsyncIterator,
    WorkflowExecutionCount,
    WorkflowExecutionCountAggregationGroup,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistoryEventFilterType,
)
from invincible.common import Priority, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from invincible.converter import DataConverter, PayloadCodec
from invincible.exceptions import ApplicationError
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Replayer, Worker
from tests.support.conditions import eventually
from tests.support.guides import follow


@workflow.defn
async def double(number: int) -> int:
    if number < 0:
        raise ApplicationError("too small")
    return number * 2


@workflow.defn(name="double")
async def double_later(number: int) -> int:
    await workflow.sleep(1)
    return number * 2


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> int:
        id = f"{workflow.info().workflow_id}-child"
        return await workflow.execute_child_workflow(Child.run, id=id)


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> int:
        id = f"{workflow.info().workflow_id}-child"
        return await workflow.execute_child_workflow(double, 4, id=id)


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with Worker(client, task_queue=task_queue, workflows=[double, Parent, Child]) as worker:
        yield worker


def of_queue(task_queue: str) -> str:
    return f"TaskQueue = '{task_queue}'"


async def listed(client: Client, query: str, count: int, status: WorkflowExecutionStatus | None = None) -> None:
    """Waits until the server's index has so many workflows, all of them with a status."""

    async def are_there() -> bool:
        found = [execution async for execution in client.list_workflows(query)]
        return len(found) == count and all(status is None or execution.status is status for execution in found)

    await eventually(are_there, what=f"{count} workflows of {query}")


async def run_all(client: Client, task_queue: str, numbers: range) -> None:
    for number in numbers:
        await client.execute_workflow(double, number, id=f"{task_queue}-{number}", task_queue=task_queue)
    await listed(client, of_queue(task_queue), len(numbers), WorkflowExecutionStatus.COMPLETED)


# Lists


async def test_workflows_are_found_page_by_page(client: Client, task_queue: str, worker: Worker) -> None:
    await run_all(client, task_queue, range(5))
    ids = {f"{task_queue}-{number}" for number in range(5)}
    found = client.list_workflows(of_queue(task_queue), page_size=2)
    assert (found.current_page, found.current_page_index, found.next_page_token) == (None, 0, None)
    first = await found.__anext__()
    assert isinstance(first, WorkflowExecution)
    assert found.current_page is not None
    assert (len(found.current_page), found.current_page_index) == (2, 1)
    assert found.next_page_token
    elsewhere = client.list_workflows(of_queue(task_queue), next_page_token=found.next_page_token)
    rest = [execution.id async for execution in found]
    assert {first.id, *rest} == ids
    assert {execution.id async for execution in elsewhere} == set(rest[1:])


async def test_no_more_workflows_are_listed_than_the_limit(client: Client, task_queue: str, worker: Worker) -> None:
    await run_all(client, task_queue, range(4))
    found = client.list_workflows(of_queue(task_queue), limit=3, page_size=2)
    assert len([execution async for execution in found]) == 3
    assert len(found.current_page or ()) == 1


async def test_a_page_may_be_fetched_by_hand_with_a_size_of_its_own(
    client: Client, task_queue: str, worker: Worker
) -> None:
    await run_all(client, task_queue, range(3))
    found = client.list_workflows(of_queue(task_queue))
    await found.fetch_next_page(page_size=2)
    assert len(found.current_page or ()) == 2
    await found.fetch_next_page()
    assert len(found.current_page or ()) == 1


async def test_without_a_query_every_workflow_is_listed(client: Client, task_queue: str, worker: Worker) -> None:
    await run_all(client, task_queue, range(1))
    assert f"{task_queue}-0" in {execution.id async for execution in client.list_workflows()}
    assert (await client.count_workflows()).count >= 1


async def test_a_wrong_query_shows_when_the_list_is_used(client: Client) -> None:
    found = client.list_workflows("no such thing")
    with pytest.raises(RPCError, match="query") as raised:
        await found.__anext__()
    assert raised.value.status is RPCStatusCode.INVALID_ARGUMENT
    with pytest.raises(RPCError, match="query"):
        await client.count_workflows("no such thing")


async def test_histories_of_listed_workflows_are_replayed(client: Client, task_queue: str, worker: Worker) -> None:
    await run_all(client, task_queue, range(3))
    found = client.list_workflows(of_queue(task_queue), page_size=2)
    results = await Replayer(workflows=[double]).replay_workflows(found.map_histories())
    assert results.replay_failures == {}
    assert found.next_page_token is None
    changed = client.list_workflows(of_queue(task_queue)).map_histories()
    results = await Replayer(workflows=[double_later]).replay_workflows(changed, raise_on_replay_failure=False)
    runs = {execution.run_id async for execution in client.list_workflows(of_queue(task_queue))}
    assert set(results.replay_failures) == runs


async def test_each_run_of_a_workflow_has_its_own_history(client: Client, task_queue: str, worker: Worker) -> None:
    for _ in range(2):
        await client.execute_workflow(double, 1, id=task_queue, task_queue=task_queue)
    await listed(client, of_queue(task_queue), 2, WorkflowExecutionStatus.COMPLETED)
    runs = {execution.run_id async for execution in client.list_workflows(of_queue(task_queue))}
    assert {history.run_id async for history in client.list_workflows(of_queue(task_queue)).map_histories()} == runs


async def test_histories_may_be_had_without_most_events(client: Client, task_queue: str, worker: Worker) -> None:
    await run_all(client, task_queue, range(2))
    histories = client.list_workflows(of_queue(task_queue)).map_histories(
        event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
    )
    found = {history.workflow_id: len(history.events) async for history in histories}
    assert found == {f"{task_queue}-0": 1, f"{task_queue}-1": 1}


# Counts


async def test_workflows_are_counted_and_grouped_by_status(client: Client, task_queue: str, worker: Worker) -> None:
    await run_all(client, task_queue, range(2))
    with pytest.raises(WorkflowFailureError):
        await client.execute_workflow(double, -1, id=f"{task_queue}-failed", task_queue=task_queue)
    await listed(client, f"{of_queue(task_queue)} AND ExecutionStatus = 'Failed'", 1)
    assert await client.count_workflows(of_queue(task_queue)) == WorkflowExecutionCount(3, [])
    grouped = await client.count_workflows(f"{of_queue(task_queue)} GROUP BY ExecutionStatus")
    assert grouped.count == 3
    assert sorted(grouped.groups, key=lambda group: group.count) == [
        WorkflowExecutionCountAggregationGroup(1, ["Failed"]),
        WorkflowExecutionCountAggregationGroup(2, ["Completed"]),
    ]


# What is told of a workflow


async def both(client: Client, handle: WorkflowHandle[Any, Any]) -> list[WorkflowExecution]:
    """A workflow as it is listed, and as it is described."""
    [execution] = [each async for each in client.list_workflows(f"WorkflowId = '{handle.id}'")]
    return [execution, await handle.describe()]


async def test_a_closed_workflow_has_times_and_a_length(client: Client, task_queue: str, worker: Worker) -> None:
    before = datetime.now(timezone.utc)
    handle = await client.start_workflow(double, 1, id=task_queue, task_queue=task_queue)
    await handle.result()
    after = datetime.now(timezone.utc)
    await listed(client, of_queue(task_queue), 1, WorkflowExecutionStatus.COMPLETED)
    for execution in await both(client, handle):
        assert (execution.id, execution.run_id, execution.namespace) == (task_queue, handle.result_run_id, "default")
        assert (execution.workflow_type, execution.task_queue) == ("double", task_queue)
        assert execution.status is WorkflowExecutionStatus.COMPLETED
        assert execution.execution_time is not None
        assert execution.close_time is not None
        assert before <= execution.start_time <= execution.execution_time < execution.close_time <= after
        assert execution.history_length == len((await handle.fetch_history()).events)
        assert (execution.parent_id, execution.parent_run_id) == (None, None)
        assert (execution.root_id, execution.root_run_id) == (task_queue, handle.result_run_id)
        assert execution.priority == Priority.default
        assert execution.raw_info.execution.workflow_id == task_queue


async def test_a_delayed_workflow_has_a_later_execution_time(client: Client, task_queue: str) -> None:
    handle = await client.start_workflow(
        double, 1, id=task_queue, task_queue=task_queue, start_delay=timedelta(hours=1)
    )
    await listed(client, of_queue(task_queue), 1)
    for execution in await both(client, handle):
        assert execution.status is WorkflowExecutionStatus.RUNNING
        assert execution.close_time is None
        assert execution.execution_time is not None
        assert execution.execution_time - execution.start_time >= timedelta(hours=1)


async def test_children_have_a_parent_and_a_root(client: Client, task_queue: str, worker: Worker) -> None:
    root = await client.start_workflow(Parent.run, id=task_queue, task_queue=task_queue)
    assert await root.result() == 8
    await listed(client, of_queue(task_queue), 3, WorkflowExecutionStatus.COMPLETED)
    child = client.get_workflow_handle(f"{task_queue}-child")
    grandchild = client.get_workflow_handle(f"{task_queue}-child-child")
    child_run = (await child.describe()).run_id
    for handle, parent in [(child, (task_queue, root.result_run_id)), (grandchild, (child.id, child_run))]:
        for execution in await both(client, handle):
            assert (execution.parent_id, execution.parent_run_id) == parent
            assert (execution.root_id, execution.root_run_id) == (task_queue, root.result_run_id)


async def test_a_description_has_the_priority(client: Client, task_queue: str) -> None:
    priority = Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5)
    handle = await client.start_workflow(double, 1, id=task_queue, task_queue=task_queue, priority=priority)
    assert (await handle.describe()).priority == priority


async def test_memo_and_search_attributes_are_listed(client: Client, task_queue: str) -> None:
    keyword = SearchAttributeKey.for_keyword("CustomKeyword")
    await add_search_attribute(client, keyword)
    handle = await client.start_workflow(
        double,
        1,
        id=task_queue,
        task_queue=task_queue,
        memo={"note": {"a": 1}},
        search_attributes=TypedSearchAttributes([SearchAttributePair(keyword, task_queue)]),
    )
    await listed(client, f"CustomKeyword = '{task_queue}'", 1)
    for execution in await both(client, handle):
        assert execution.typed_search_attributes[keyword] == task_queue
        assert execution.search_attributes["CustomKeyword"] == [task_queue]
        assert await execution.memo() == {"note": {"a": 1}}
        assert await execution.memo_value("note", type_hint=dict[str, int]) == {"a": 1}


async def add_search_attribute(client: Client, key: SearchAttributeKey[Any]) -> None:
    from invincible.api.enums.v1 import IndexedValueType
    from invincible.api.operatorservice.v1 import AddSearchAttributesRequest, AddSearchAttributesResponse

    value_type = IndexedValueType.Name(key.indexed_value_type)  # type: ignore[arg-type]
    await client.service_client._rpc_call(
        "add_search_attributes",
        AddSearchAttributesRequest(
            namespace=client.namespace, search_attributes={key.name: IndexedValueType.Value(value_type)}
        ),
        AddSearchAttributesResponse,
        service="operator",
    )


class Reversing(PayloadCodec):
    async def encode(self, payloads: Any) -> list[Payload]:
        return [
            Payload({"encoding": b"reversed", "of": each.metadata["encoding"]}, each.data[::-1]) for each in payloads
        ]

    async def decode(self, payloads: Any) -> list[Payload]:
        return [Payload({"encoding": each.metadata["of"]}, each.data[::-1]) for each in payloads]


async def test_the_memo_of_a_listed_workflow_passes_the_codec(address: str, task_queue: str) -> None:
    converter = dataclasses.replace(DataConverter.default, payload_codec=Reversing())
    client = await Client.connect(address, data_converter=converter)
    handle = await client.start_workflow(double, 1, id=task_queue, task_queue=task_queue, memo={"note": "secret"})
    await listed(client, of_queue(task_queue), 1)
    for execution in await both(client, handle):
        assert execution.raw_info.memo.fields["note"].data == b'"terces"'
        assert await execution.memo() == {"note": "secret"}
        assert execution.data_converter.payload_codec is converter.payload_codec


# Histories


async def test_a_history_tells_its_place(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await client.start_workflow(double, 1, id=task_queue, task_queue=task_queue)
    await handle.result()
    events = handle.fetch_history_events(page_size=2)
    assert (events.current_page, events.next_page_token) == (None, None)
    await events.fetch_next_page()
    page = [event.event_id for event in events.current_page or ()]
    assert page == list(range(1, len(page) + 1))
    assert events.next_page_token
    assert (await events.__anext__()).event_id == 1
    assert events.current_page_index == 1
    elsewhere = handle.fetch_history_events(next_page_token=events.next_page_token)
    assert [event.event_id async for event in events] == [2, 3, 4, 5]
    assert [event.event_id async for event in elsewhere] == [2, 3, 4, 5][len(page) - 1 :]
    assert len(page) < 5


# Handles


async def test_a_handle_takes_its_runs_from_the_answer_to_a_start(client: Client) -> None:
    from invincible.api.workflowservice.v1 import StartWorkflowExecutionResponse

    answer = StartWorkflowExecutionResponse(run_id="second", first_execution_run_id="first")
    handle: WorkflowHandle[Any, Any] = WorkflowHandle(client, "id", start_workflow_response=answer)
    assert (handle.run_id, handle.result_run_id, handle.first_execution_run_id) == (None, "second", "first")
    handle = WorkflowHandle(client, "id", result_run_id="third", start_workflow_response=answer)
    assert (handle.result_run_id, handle.first_execution_run_id) == ("third", "first")


# Interceptors


class OnlyOf(Interceptor):
    """Confines lists and counts to a task queue."""

    def __init__(self, task_queue: str) -> None:
        self.query = of_queue(task_queue)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        query = self.query

        class Confined(OutboundInterceptor):
            def list_workflows(self, input: ListWorkflowsInput) -> WorkflowExecutionAsyncIterator:
                assert (input.limit, input.page_size, input.next_page_token) == (7, 3, None)
                return super().list_workflows(dataclasses.replace(input, query=query))

            async def count_workflows(self, input: CountWorkflowsInput) -> WorkflowExecutionCount:
                assert input.query is None
                return await super().count_workflows(dataclasses.replace(input, query=query))

        return Confined(next)


async def test_interceptors_see_lists_and_counts(address: str, task_queue: str) -> None:
    client = await Client.connect(address, interceptors=[OnlyOf(task_queue)])
    await client.start_workflow(double, 1, id=task_queue, task_queue=task_queue)

    async def is_listed() -> bool:
        return [each.id async for each in client.list_workflows(limit=7, page_size=3)] == [task_queue]

    await eventually(is_listed, what="the workflow is listed")
    assert (await client.count_workflows()).count == 1


async def test_calls_have_the_deadline_and_the_headers_asked_for(client: Client) -> None:
    options: dict[str, Any] = {"rpc_timeout": timedelta(microseconds=1)}
    calls: list[Callable[[], Any]] = [
        lambda: client.list_workflows(**options).__anext__(),
        lambda: client.count_workflows(**options),
    ]
    for call in calls:
        with pytest.raises(RPCError) as raised:
            await call()
        assert raised.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    with pytest.raises(ValueError, match="bad name"):
        await client.count_workflows(rpc_metadata={"bad name": "x"})


# The guide


async def test_the_guide_does_what_it_says(
    client: Client, address: str, task_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @workflow.defn(name=task_queue)
    class Order:
        @workflow.run
        async def run(self, number: int) -> int:
            if number == 2:
                raise ApplicationError("sold out")
            return number

    async with Worker(client, task_queue=task_queue, workflows=[Order]):
        for number in range(3):
            id = f"{task_queue}-{number}"
            handle = await client.start_workflow(Order.run, number, id=id, task_queue=task_queue)
            await closed(handle)
    await listed(client, f"{of_queue(task_queue)} AND ExecutionStatus != 'Running'", 3)
    await follow("visibility.md", address, {"WorkflowType = 'Order'": f"WorkflowType = '{task_queue}'"}, Order=Order)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{task_queue}-2 ")
    assert lines[1] == "0"
    assert sorted(lines[2:]) == ["Completed 2", "Failed 1"]


async def closed(handle: WorkflowHandle[Any, Any]) -> None:
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
