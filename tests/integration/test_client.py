"""Clients on the real server: every option and call of the first slice, and what they raise."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from invincible import workflow
from invincible._native import Payload
from invincible.client import (
    CancelWorkflowInput,
    Client,
    DescribeWorkflowInput,
    FetchWorkflowHistoryEventsInput,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    TerminateWorkflowInput,
    WorkflowContinuedAsNewError,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowHistoryEventAsyncIterator,
    WorkflowHistoryEventFilterType,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowTaskFailedError,
)
from invincible.common import (
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from invincible.converter import ArgumentError, DataConverter, PayloadCodec
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    WorkflowAlreadyStartedError,
)
from invincible.runtime import Runtime
from invincible.service import RPCError, RPCStatusCode, ServiceClient
from invincible.testing._server import ServerProcess
from invincible.worker import Worker

SECOND = timedelta(seconds=1)


@dataclass
class Item:
    name: str
    count: int = 1


@workflow.defn
class Counter:
    def __init__(self) -> None:
        self.total = 0
        self.done = False

    @workflow.run
    async def run(self, start: int = 0) -> int:
        self.total += start
        await workflow.wait_condition(lambda: self.done)
        return self.total

    @workflow.signal
    def add(self, item: Item) -> None:
        self.total += item.count

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.query
    def current(self) -> int:
        return self.total

    @workflow.query
    def item(self, name: str, count: int) -> Item:
        return Item(name, count)

    @workflow.query
    def broken(self) -> int:
        raise ValueError("no total today")


@workflow.defn
async def flaky(succeed_at: int) -> int:
    attempt = workflow.info().attempt
    if attempt < succeed_at:
        raise ApplicationError(f"attempt {attempt}", attempt, type="TooEarly")
    return attempt


@workflow.defn
async def buggy() -> None:
    raise ValueError("a bug")


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with Worker(client, task_queue=task_queue, workflows=[Counter, flaky, buggy]) as worker:
        yield worker


async def started(client: Client, task_queue: str, **options: Any) -> WorkflowHandle[Counter, int]:
    return await client.start_workflow(Counter.run, 1, id=task_queue, task_queue=task_queue, **options)


# Starting


async def test_a_started_workflow_has_a_handle_with_its_run(client: Client, task_queue: str) -> None:
    handle = await started(client, task_queue)
    assert (handle.id, handle.run_id) == (task_queue, None)
    assert handle.result_run_id
    assert handle.first_execution_run_id == handle.result_run_id
    assert (await handle.describe()).run_id == handle.result_run_id


async def test_every_option_of_a_start_reaches_the_server(client: Client, task_queue: str) -> None:
    color = SearchAttributeKey.for_keyword("Color")
    await add_search_attribute(client, color)
    handle = await started(
        client,
        task_queue,
        execution_timeout=timedelta(hours=3),
        run_timeout=timedelta(hours=2),
        task_timeout=timedelta(seconds=7),
        retry_policy=RetryPolicy(initial_interval=2 * SECOND, backoff_coefficient=3, maximum_attempts=4),
        memo={"note": Item("memo"), "plain": 1},
        search_attributes=TypedSearchAttributes([SearchAttributePair(color, "blue")]),
        static_summary="one line",
        static_details="*several*\nlines",
        priority=Priority(priority_key=2),
        rpc_metadata={"trace": "1", "trace-bin": b"\x00"},
        rpc_timeout=10 * SECOND,
    )
    description = await handle.describe()
    assert description.status is WorkflowExecutionStatus.RUNNING
    assert description.workflow_type == "Counter"
    assert description.task_queue == task_queue
    assert description.typed_search_attributes[color] == "blue"
    assert description.search_attributes["Color"] == ["blue"]
    assert await description.memo() == {"note": {"name": "memo", "count": 1}, "plain": 1}
    assert await description.memo_value("note", type_hint=Item) == Item("memo")
    assert await description.memo_value("absent", 5) == 5
    with pytest.raises(KeyError, match="absent"):
        await description.memo_value("absent")
    assert await description.static_summary() == "one line"
    assert await description.static_details() == "*several*\nlines"
    assert abs(datetime.now(timezone.utc) - description.start_time) < timedelta(minutes=5)
    assert description.close_time is None

    (event,) = [event async for event in handle.fetch_history_events(page_size=1) if event.event_id == 1]
    attributes = event.workflow_execution_started_event_attributes
    assert attributes.workflow_execution_timeout.ToTimedelta() == timedelta(hours=3)
    assert attributes.workflow_run_timeout.ToTimedelta() == timedelta(hours=2)
    assert attributes.workflow_task_timeout.ToTimedelta() == timedelta(seconds=7)
    assert attributes.retry_policy.backoff_coefficient == 3
    assert attributes.retry_policy.maximum_attempts == 4
    assert attributes.priority.priority_key == 2
    assert attributes.identity == client.identity


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


async def test_a_cron_schedule_and_a_delay_put_the_first_task_off(client: Client, task_queue: str) -> None:
    later: list[dict[str, Any]] = [{"cron_schedule": "0 0 1 1 *"}, {"start_delay": timedelta(hours=1)}]
    for number, options in enumerate(later):
        handle = await client.start_workflow("Counter", id=f"{task_queue}-{number}", task_queue=task_queue, **options)
        description = await handle.describe()
        assert description.execution_time is not None
        assert description.execution_time - description.start_time > timedelta(minutes=50), options


async def test_a_taken_id_is_an_error_with_the_run_that_has_it(client: Client, task_queue: str) -> None:
    first = await started(client, task_queue)
    with pytest.raises(WorkflowAlreadyStartedError) as raised:
        await started(client, task_queue)
    assert (raised.value.workflow_id, raised.value.workflow_type) == (task_queue, "Counter")
    assert raised.value.run_id == first.result_run_id
    await first.terminate()
    with pytest.raises(WorkflowAlreadyStartedError):
        await started(client, task_queue, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE)
    assert (await started(client, task_queue)).result_run_id != first.result_run_id


async def test_conflict_policies_use_or_replace_the_running_workflow(client: Client, task_queue: str) -> None:
    first = await started(client, task_queue)
    same = await started(client, task_queue, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING)
    assert same.result_run_id == first.result_run_id
    other = await started(client, task_queue, id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING)
    assert other.result_run_id != first.result_run_id


async def test_reuse_policies_look_at_how_the_last_run_ended(client: Client, task_queue: str, worker: Worker) -> None:
    first = await started(client, task_queue)
    second = await started(client, task_queue, id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING)
    assert second.result_run_id != first.result_run_id
    with pytest.raises(WorkflowFailureError) as raised:
        await first.result()
    assert isinstance(raised.value.cause, TerminatedError)

    await second.terminate()
    failed_only = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
    third = await started(client, task_queue, id_reuse_policy=failed_only)
    await third.signal(Counter.finish)
    await third.result()
    with pytest.raises(WorkflowAlreadyStartedError):
        await started(client, task_queue, id_reuse_policy=failed_only)


async def test_a_signal_starts_a_workflow_or_reaches_the_running_one(
    client: Client, task_queue: str, worker: Worker
) -> None:
    first = await started(client, task_queue, start_signal="add", start_signal_args=[Item("a", 2)])
    second = await started(client, task_queue, start_signal="add", start_signal_args=[Item("b", 3)])
    assert second.result_run_id == first.result_run_id
    await first.signal(Counter.finish)
    assert await second.result() == 1 + 2 + 3


async def test_workflows_are_named_by_method_class_function_or_string(
    client: Client, task_queue: str, worker: Worker
) -> None:
    assert await client.execute_workflow(flaky, 1, id=f"{task_queue}-1", task_queue=task_queue) == 1
    assert await client.execute_workflow("flaky", 1, id=f"{task_queue}-2", task_queue=task_queue, result_type=int) == 1
    handle = await client.start_workflow(Counter, 5, id=f"{task_queue}-3", task_queue=task_queue, start_signal="finish")
    assert await handle.result() == 5


async def test_arguments_that_do_not_fit_are_refused_here(client: Client, task_queue: str) -> None:
    calls: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (
            ArgumentError,
            r"workflow 'flaky' takes \(succeed_at: int\), but 'succeed_at' is missing",
            {"workflow": flaky},
        ),
        (ArgumentError, "2 positional arguments were given", {"workflow": flaky, "args": [1, 2]}),
        (ArgumentError, "workflow 'flaky', argument succeed_at", {"workflow": flaky, "arg": object()}),
        (ValueError, "either arg or args", {"workflow": flaky, "arg": 1, "args": [2]}),
        (TypeError, "args must be a sequence", {"workflow": "flaky", "args": "text"}),
        (TypeError, "started is not a workflow", {"workflow": started}),
        (TypeError, "SearchAttribute|must be a list", {"workflow": "flaky", "search_attributes": {"a": "text"}}),
    ]
    for expected, message, call in calls:
        with pytest.raises(expected, match=message):
            await client.start_workflow(**call, id=task_queue, task_queue=task_queue)


async def test_what_the_server_refuses_has_its_words_and_status(client: Client, address: str, task_queue: str) -> None:
    with pytest.raises(RPCError, match="WorkflowId is not set") as raised:
        await client.start_workflow("Counter", id="", task_queue=task_queue)
    assert raised.value.status is RPCStatusCode.INVALID_ARGUMENT
    elsewhere = await Client.connect(address, namespace="no-such-namespace")
    with pytest.raises(RPCError, match=r"[Nn]amespace.*no-such-namespace") as raised:
        await elsewhere.start_workflow("Counter", id=task_queue, task_queue=task_queue)
    assert raised.value.status is RPCStatusCode.NOT_FOUND
    assert raised.value.grpc_status.code == RPCStatusCode.NOT_FOUND
    assert len(raised.value.grpc_status.details) == 1


# Results


async def test_a_result_has_the_type_of_the_workflow(client: Client, task_queue: str, worker: Worker) -> None:
    handle = client.get_workflow_handle_for(flaky, task_queue)
    await client.start_workflow(flaky, 1, id=task_queue, task_queue=task_queue)
    assert await handle.result() == 1
    with pytest.raises(ArgumentError, match=f"workflow '{task_queue}', result"):
        await client.get_workflow_handle(task_queue, result_type=Item).result()


async def test_the_result_is_that_of_the_last_run_unless_runs_are_not_followed(
    client: Client, task_queue: str, worker: Worker
) -> None:
    handle = await client.start_workflow(
        flaky,
        3,
        id=task_queue,
        task_queue=task_queue,
        retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=10)),
    )
    assert await handle.result() == 3
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result(follow_runs=False)
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.details) == ("attempt 1", "TooEarly", (1,))


async def test_a_cancelled_workflow_says_so(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    await handle.cancel(reason="enough")
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_terminated_workflow_has_reason_and_details(client: Client, task_queue: str) -> None:
    handle = await started(client, task_queue)
    await handle.terminate("detail", 2, reason="enough")
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    cause = raised.value.cause
    assert isinstance(cause, TerminatedError)
    assert (cause.message, cause.details) == ("enough", ("detail", 2))


async def test_a_workflow_that_timed_out_says_so(client: Client, task_queue: str) -> None:
    handle = await started(client, task_queue, run_timeout=SECOND)
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, TimeoutError)


async def test_a_run_that_continued_as_new_is_followed_or_named(client: Client, task_queue: str) -> None:
    handle = await started(client, task_queue)
    new_run_id = await continue_as_new(client, handle)
    with pytest.raises(WorkflowContinuedAsNewError) as raised:
        await handle.result(follow_runs=False)
    assert raised.value.new_execution_run_id == new_run_id
    await client.get_workflow_handle(task_queue).terminate(reason="the second run")
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, TerminatedError)


async def continue_as_new(client: Client, handle: WorkflowHandle[Any, Any]) -> str:
    """Answers the workflow's first task as a worker would whose workflow continues as new."""
    from invincible.api.command.v1 import Command, ContinueAsNewWorkflowExecutionCommandAttributes
    from invincible.api.common.v1 import WorkflowType
    from invincible.api.enums.v1 import CommandType
    from invincible.api.taskqueue.v1 import TaskQueue
    from invincible.api.workflowservice.v1 import (
        PollWorkflowTaskQueueRequest,
        PollWorkflowTaskQueueResponse,
        RespondWorkflowTaskCompletedRequest,
        RespondWorkflowTaskCompletedResponse,
    )

    queue = TaskQueue(name=handle.id)
    task = await client.service_client._rpc_call(
        "poll_workflow_task_queue",
        PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=queue, identity="test"),
        PollWorkflowTaskQueueResponse,
    )
    again = ContinueAsNewWorkflowExecutionCommandAttributes(
        workflow_type=WorkflowType(name="Counter"), task_queue=queue
    )
    command = Command(
        command_type=CommandType.Value("COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION"),
        continue_as_new_workflow_execution_command_attributes=again,
    )
    await client.service_client._rpc_call(
        "respond_workflow_task_completed",
        RespondWorkflowTaskCompletedRequest(
            namespace=client.namespace, task_token=task.task_token, identity="test", commands=[command]
        ),
        RespondWorkflowTaskCompletedResponse,
    )
    return (await client.get_workflow_handle(handle.id).describe()).run_id


async def test_a_bug_in_a_workflow_is_raised_to_test_clients_who_wait(
    client: Client, task_queue: str, worker: Worker
) -> None:
    with pytest.raises(WorkflowTaskFailedError) as raised:
        await client.execute_workflow(buggy, id=task_queue, task_queue=task_queue)
    error = raised.value
    assert (error.workflow_id, error.message) == (task_queue, "a bug")
    assert error.reason == "WORKFLOW_WORKER_UNHANDLED_FAILURE"
    assert 'raise ValueError("a bug")' in error.stack_trace
    # The exception below has come with its traceback.
    assert str(error) == f"workflow '{task_queue}' cannot go on: its code raised ValueError: a bug"
    assert isinstance(error.cause, ValueError)
    assert error.cause.args == ("a bug",)


async def test_other_clients_wait_on(address: str, client: Client, task_queue: str, worker: Worker) -> None:
    handle = await client.start_workflow(buggy, id=task_queue, task_queue=task_queue)
    with pytest.raises(WorkflowTaskFailedError):
        await handle.result()
    patient = (await Client.connect(address)).get_workflow_handle(task_queue)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(patient.result(), 0.5)


async def test_a_deadline_too_short_for_polling_does_not_end_the_wait(
    client: Client, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    waiting = asyncio.ensure_future(handle.result(rpc_timeout=SECOND / 5))
    await handle.signal(Counter.finish)
    assert await waiting == 1


# Signals and queries


async def test_signals_and_queries_take_typed_arguments(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    await handle.signal(Counter.add, Item("a", 4))
    await handle.signal("add", Item("b", 5))
    assert await handle.query(Counter.current) == 10
    assert await handle.query("current") == 10
    assert await handle.query(Counter.item, args=["c", 6]) == Item("c", 6)
    assert await handle.query("item", args=["d", 7], result_type=Item) == Item("d", 7)
    assert await handle.query("item", args=["e", 8]) == {"name": "e", "count": 8}


async def test_arguments_of_signals_and_queries_are_checked_here(client: Client, task_queue: str) -> None:
    handle = client.get_workflow_handle_for(Counter.run, task_queue)
    with pytest.raises(ArgumentError, match="'item' is missing"):
        await handle.signal(Counter.add)  # type: ignore[call-overload]
    with pytest.raises(ArgumentError, match="'count' is missing"):
        await handle.query(Counter.item, args=["c"])
    with pytest.raises(TypeError, match="current is not a signal"):
        await handle.signal(Counter.current, args=[])
    with pytest.raises(TypeError, match="add is not a query"):
        await handle.query(Counter.add, args=[])


async def test_a_query_that_fails_is_raised_with_its_message(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    with pytest.raises(WorkflowQueryFailedError) as raised:
        await handle.query(Counter.broken)
    assert raised.value.message == "no total today"
    with pytest.raises(WorkflowQueryFailedError, match="unknown"):
        await handle.query("unknown")


async def test_a_query_is_rejected_for_the_status_it_names(
    client: Client, address: str, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    await handle.signal(Counter.finish)
    await handle.result()
    assert await handle.query(Counter.current) == 1
    with pytest.raises(WorkflowQueryRejectedError) as raised:
        await handle.query(Counter.current, reject_condition=QueryRejectCondition.NOT_OPEN)
    assert raised.value.status is WorkflowExecutionStatus.COMPLETED
    strict = await Client.connect(address, default_workflow_query_reject_condition=QueryRejectCondition.NOT_OPEN)
    with pytest.raises(WorkflowQueryRejectedError):
        await strict.get_workflow_handle(task_queue).query("current")


async def test_calls_about_an_unknown_workflow_are_not_found(client: Client, task_queue: str) -> None:
    handle = client.get_workflow_handle(task_queue)
    calls: list[Callable[[], Any]] = [
        handle.result,
        handle.describe,
        handle.cancel,
        handle.terminate,
        handle.fetch_history,
        lambda: handle.signal("add", 1),
        lambda: handle.query("current"),
    ]
    for call in calls:
        with pytest.raises(RPCError, match=f"workflow not found for ID: {task_queue}") as raised:
            await call()
        assert raised.value.status is RPCStatusCode.NOT_FOUND


async def test_a_chain_of_runs_is_not_cancelled_for_another(client: Client, task_queue: str) -> None:
    first = await started(client, task_queue)
    await first.terminate()
    second = await started(client, task_queue)
    for call in (first.cancel, first.terminate):
        with pytest.raises(RPCError) as raised:
            await call()
        assert raised.value.status is RPCStatusCode.NOT_FOUND
    assert (await second.describe()).status is WorkflowExecutionStatus.RUNNING


# History


async def test_a_history_is_fetched_in_pages_and_survives_json(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    await handle.signal(Counter.finish)
    await handle.result()
    history = await handle.fetch_history()
    assert (history.workflow_id, history.run_id) == (task_queue, handle.result_run_id)
    assert WorkflowHistory.from_json(task_queue, history.to_json()) == history
    pages = handle.fetch_history_events(page_size=2)
    assert [event async for event in pages] == list(history.events)
    assert pages.next_page_token is None
    (closing,) = (await handle.fetch_history(event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT)).events
    assert closing == history.events[-1]


async def test_new_events_are_waited_for_until_the_workflow_ends(
    client: Client, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    seen: list[int] = []
    async for event in handle.fetch_history_events(wait_new_event=True):
        if not seen:
            await handle.signal(Counter.finish)
        seen.append(event.event_id)
    assert seen == [event.event_id for event in (await handle.fetch_history()).events]


# Interceptors and codecs


class Recording(Interceptor):
    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return RecordedCalls(next, self)


class RecordedCalls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, recording: Recording) -> None:
        super().__init__(next)
        self.recording = recording

    def note(self, call: str) -> None:
        self.recording.log.append(f"{self.recording.name} {call}")

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        self.note("start")
        input.memo = {**(input.memo or {}), self.recording.name: True}
        input.headers = {**input.headers, self.recording.name: Payload({"encoding": b"json/plain"}, b"1")}
        return await super().start_workflow(input)

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:
        self.note("cancel")
        await super().cancel_workflow(input)

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        self.note("describe")
        return await super().describe_workflow(input)

    def fetch_workflow_history_events(
        self, input: FetchWorkflowHistoryEventsInput
    ) -> WorkflowHistoryEventAsyncIterator:
        self.note("history")
        return super().fetch_workflow_history_events(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        self.note("query")
        return await super().query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        self.note("signal")
        await super().signal_workflow(input)

    async def terminate_workflow(self, input: TerminateWorkflowInput) -> None:
        self.note("terminate")
        await super().terminate_workflow(input)


async def test_interceptors_see_every_call_the_first_outermost(address: str, task_queue: str) -> None:
    log: list[str] = []
    client = await Client.connect(address, interceptors=[Recording("outer", log), Recording("inner", log)])
    handle = await client.start_workflow("Counter", id=task_queue, task_queue=task_queue)
    description = await handle.describe()
    assert await description.memo() == {"outer": True, "inner": True}
    await handle.signal("add", 1)
    with pytest.raises(RPCError):
        await handle.query("current", rpc_timeout=SECOND / 5)
    history = await handle.fetch_history()
    await handle.cancel()
    await handle.terminate()
    calls = ["start", "describe", "signal", "query", "history", "cancel", "terminate"]
    assert log == [f"{name} {call}" for call in calls for name in ("outer", "inner")]
    header = history.events[0].workflow_execution_started_event_attributes.header
    assert set(header.fields) == {"outer", "inner"}


class Reverse(PayloadCodec):
    async def encode(self, payloads: Any) -> list[Payload]:
        return [Payload({"encoding": b"reversed"}, payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Any) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


async def test_a_codec_sees_every_payload(address: str, task_queue: str) -> None:
    client = await Client.connect(address, data_converter=DataConverter(payload_codec=Reverse()))
    handle = await client.start_workflow(
        "Counter", "s3cret", id=task_queue, task_queue=task_queue, memo={"note": "s3cret"}, static_summary="s3cret"
    )
    await handle.signal("add", "s3cret")
    description = await handle.describe()
    assert await description.memo() == {"note": "s3cret"}
    assert await description.static_summary() == "s3cret"
    history = (await handle.fetch_history()).to_json()
    assert "s3cret" not in history
    assert "czNjcmV0" not in history  # in base64
    await handle.terminate("detail")
    with pytest.raises(WorkflowFailureError) as raised:
        await handle.result()
    assert isinstance(raised.value.cause, TerminatedError)
    assert raised.value.cause.details == ("detail",)


# Connections


async def test_a_closed_connection_says_so(address: str) -> None:
    service = (await Client.connect(address)).service_client
    under_way = asyncio.ensure_future(service.check_health())
    await asyncio.sleep(0)
    service._native.close()
    service._native.close()
    assert await under_way
    with pytest.raises(RuntimeError, match="this client is closed"):
        await service.check_health()
    with pytest.raises(RuntimeError, match="this client is closed"):
        service.update_api_key("key")


async def test_a_lazy_client_works_once_it_is_used(address: str, task_queue: str) -> None:
    client = await Client.connect(address, lazy=True, rpc_metadata={"tenant": "blue"})
    first, second = await asyncio.gather(
        *(client.start_workflow("Counter", id=f"{task_queue}-{number}", task_queue=task_queue) for number in range(2))
    )
    assert (await first.describe()).status is (await second.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_bad_headers_leave_the_old_ones(client: Client) -> None:
    client.rpc_metadata = {"tenant": "blue"}
    with pytest.raises(ValueError, match="two words"):
        client.rpc_metadata = {"two words": "x"}
    assert client.rpc_metadata == {"tenant": "blue"}
    assert await client.service_client.check_health()


async def test_another_client_is_made_of_a_client_s_config(client: Client, task_queue: str) -> None:
    handle = await started(client, task_queue)
    config = client.config()
    config["namespace"] = "another"
    other = Client(**config)
    assert (other.namespace, other.service_client) == ("another", client.service_client)
    with pytest.raises(RPCError, match="another"):
        await other.get_workflow_handle(handle.id).describe()


async def test_health_and_raw_calls(client: Client) -> None:
    from invincible.api.workflowservice.v1 import GetSystemInfoRequest, GetSystemInfoResponse

    service: ServiceClient = client.service_client
    assert await service.check_health()
    info = await service._rpc_call("get_system_info", GetSystemInfoRequest(), GetSystemInfoResponse, retry=True)
    assert info.server_version
    with pytest.raises(ValueError, match="no RPC"):
        await service._rpc_call("no_such_rpc", GetSystemInfoRequest(), GetSystemInfoResponse)


def test_blocking_calls_need_no_event_loop(address: str, task_queue: str) -> None:
    from invincible import _native

    runtime = Runtime.default()._native
    client = _native.Client.connect(runtime, address, identity="blocking").wait()
    request = _native.StartWorkflowRequest(
        namespace="default", workflow_id=task_queue, workflow_type="Counter", task_queue=task_queue, identity="blocking"
    )
    run_id = client.start_workflow(request).wait().run_id
    client.terminate_workflow(
        _native.TerminateWorkflowRequest(namespace="default", workflow_id=task_queue, identity="blocking")
    ).wait()
    waiting = _native.WorkflowResultRequest(namespace="default", workflow_id=task_queue, run_id=run_id)
    outcome = client.workflow_result(waiting).wait()
    assert (outcome.kind, outcome.run_id, outcome.identity) == ("terminated", run_id, "blocking")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_client_does_not_cross_a_fork(address: str) -> None:
    script = """
        import asyncio, os, sys, warnings
        from invincible.client import Client
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here

        async def healthy(client):
            return await client.service_client.check_health()

        client = asyncio.run(Client.connect(sys.argv[1]))
        for _ in range(8):  # what a fork breaks, an allocator's locks say, it does not break every time
            child = os.fork()
            if child == 0:
                try:
                    asyncio.run(healthy(client))
                except RuntimeError as error:
                    print(error, flush=True)
                print("fresh", asyncio.run(healthy(asyncio.run(Client.connect(sys.argv[1])))), flush=True)
                sys.exit()
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            print("parent", status, asyncio.run(healthy(client)), flush=True)
    """
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = [sys.executable, "-c", textwrap.dedent(script), address]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, env=env)
    lines = done.stdout.splitlines()
    assert all(line.startswith("this client was created in another process (pid ") for line in lines[::3]), done
    assert lines[1::3] == ["fresh True"] * 8, done
    assert lines[2::3] == ["parent 0 True"] * 8, done


async def test_waiting_for_a_result_survives_a_restart_of_the_server(tmp_path: Path, task_queue: str) -> None:
    options = ["--headless", "--db", str(tmp_path / "server.db")]
    server = ServerProcess([*options, "--port", "0"])
    try:
        client = await Client.connect(address := server.ready.grpc)
        handle = await client.start_workflow("Counter", id=task_queue, task_queue=task_queue)
        waiting = asyncio.ensure_future(handle.result())
        await handle.describe()
        await asyncio.to_thread(server.stop)
        server = await asyncio.to_thread(ServerProcess, [*options, "--port", address.rpartition(":")[2]])
        assert not waiting.done()
        await handle.terminate(reason="after the restart")
        with pytest.raises(WorkflowFailureError) as raised:
            await waiting
        assert isinstance(raised.value.cause, TerminatedError)
        assert raised.value.cause.message == "after the restart"
    finally:
        server.stop()
