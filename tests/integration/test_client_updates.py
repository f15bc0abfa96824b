"""Updates on the real server: sent, waited for, found again, and sent together with the start of their workflow."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible import workflow
from invincible._native import Payload
from invincible.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    RPCTimeoutOrCancelledError,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowTaskFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from invincible.common import (
    Priority,
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from invincible.converter import ArgumentError, DataConverter, PayloadCodec
from invincible.exceptions import ApplicationError, WorkflowAlreadyStartedError
from invincible.service import RPCError, RPCStatusCode
from invincible.testing._server import ServerProcess
from invincible.worker import Worker

SECOND = timedelta(seconds=1)
ACCEPTED, COMPLETED = WorkflowUpdateStage.ACCEPTED, WorkflowUpdateStage.COMPLETED


@dataclass
class Item:
    name: str
    count: int = 1


@workflow.defn
class Cart:
    @workflow.init
    def __init__(self, start: int = 0) -> None:
        self.total = start
        self.open = False
        self.done = False

    @workflow.run
    async def run(self, start: int = 0) -> int:
        await workflow.wait_condition(lambda: self.done and workflow.all_handlers_finished())
        return self.total

    @workflow.signal
    def release(self) -> None:
        self.open = True

    @workflow.signal
    def finish(self) -> None:
        self.done = True

    @workflow.update
    def add(self, item: Item) -> int:
        self.total += item.count
        return self.total

    @add.validator
    def _check(self, item: Item) -> None:
        if item.count < 0:
            raise ApplicationError("too few", item.count, type="TooFew")

    @workflow.update
    async def wait(self) -> Item:
        await workflow.wait_condition(lambda: self.open)
        return Item("waited", self.total)

    @workflow.update
    def pick(self, name: str, count: int) -> Item:
        return Item(name, count)

    @workflow.update
    def clear(self) -> None:
        self.total = 0

    @workflow.update
    def echo(self, value: RawValue) -> RawValue:
        return value

    @workflow.update
    def break_down(self) -> None:
        raise ValueError("a bug")

    @workflow.update
    async def pay(self) -> None:
        raise ApplicationError("no money", 5, type="NoMoney")


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[Worker]:
    async with serve(client, task_queue) as worker:
        yield worker


def serve(client: Client, task_queue: str) -> Worker:
    return Worker(client, task_queue=task_queue, workflows=[Cart])


async def started(client: Client, task_queue: str) -> WorkflowHandle[Cart, int]:
    return await client.start_workflow(Cart.run, 1, id=task_queue, task_queue=task_queue)


async def event_types(handle: WorkflowHandle[Any, Any]) -> list[str]:
    from invincible.api.enums.v1 import EventType

    history = await handle.fetch_history()
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]


# Sending


async def test_updates_take_typed_arguments_and_have_typed_results(
    client: Client, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    assert await handle.execute_update(Cart.add, Item("a", 2)) == 3
    assert await handle.execute_update("add", Item("b", 3)) == 6
    assert await handle.execute_update(Cart.pick, args=["c", 4]) == Item("c", 4)
    assert await handle.execute_update("pick", args=["d", 5], result_type=Item) == Item("d", 5)
    assert await handle.execute_update("pick", args=["e", 6]) == {"name": "e", "count": 6}
    assert await handle.execute_update(Cart.clear) is None  # type: ignore[func-returns-value]
    assert await handle.execute_update("add", Item("f")) == 1


async def test_arguments_are_checked_before_anything_is_sent(client: Client, task_queue: str) -> None:
    handle = client.get_workflow_handle_for(Cart.run, task_queue)
    calls: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (ArgumentError, "'item' is missing", {"update": Cart.add}),
        (ArgumentError, "'count' is missing", {"update": Cart.pick, "args": ["c"]}),
        (ValueError, "either arg or args", {"update": "add", "arg": 1, "args": [2]}),
        (TypeError, "release is not an? update", {"update": Cart.release}),
        (ValueError, "wait_for_stage cannot be .*ADMITTED", {"wait_for_stage": WorkflowUpdateStage.ADMITTED}),
        (ValueError, "wait_for_stage cannot be 0", {"wait_for_stage": 0}),
        (ValueError, "rpc_timeout must be a positive duration", {"rpc_timeout": timedelta(0)}),
    ]
    defaults: dict[str, Any] = {"update": "clear", "wait_for_stage": ACCEPTED}
    for expected, message, call in calls:
        with pytest.raises(expected, match=message):
            await handle.start_update(**{**defaults, **call})


async def test_a_rejected_update_fails_and_leaves_no_trace(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await handle.execute_update(Cart.add, Item("a", -2))
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.details) == ("too few", "TooFew", (-2,))
    assert await handle.execute_update(Cart.add, Item("a", 2)) == 3
    assert (await event_types(handle)).count("WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 1


async def test_a_handler_that_raises_fails_the_update_alone(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await handle.execute_update(Cart.pay)
    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, cause.type, cause.details) == ("no money", "NoMoney", (5,))
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await handle.execute_update("unknown")
    assert "unknown" in str(raised.value.cause)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_started_update_has_a_handle_at_the_stage_asked_for(
    client: Client, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    waiting = await handle.start_update(Cart.wait, wait_for_stage=ACCEPTED, id="waiting")
    assert (waiting.id, waiting.workflow_id) == ("waiting", task_queue)
    assert waiting.workflow_run_id == handle.result_run_id
    assert "WORKFLOW_EXECUTION_UPDATE_COMPLETED" not in await event_types(handle)
    await handle.start_update(Cart.clear, wait_for_stage=COMPLETED)
    assert (await event_types(handle)).count("WORKFLOW_EXECUTION_UPDATE_COMPLETED") == 1
    result = asyncio.ensure_future(waiting.result())
    await handle.signal(Cart.release)
    assert await result == Item("waited", 0)
    assert await waiting.result() == Item("waited", 0)


@pytest.mark.parametrize("stage", [ACCEPTED, COMPLETED])
async def test_a_rejected_update_has_a_handle_too(
    client: Client, task_queue: str, worker: Worker, stage: WorkflowUpdateStage
) -> None:
    handle = await started(client, task_queue)
    rejected = await handle.start_update(Cart.add, Item("a", -2), wait_for_stage=stage)
    for _ in range(2):
        with pytest.raises(WorkflowUpdateFailedError):
            await rejected.result()


async def test_an_update_of_the_same_id_is_made_once(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    assert await handle.execute_update(Cart.add, Item("a", 2), id="once") == 3
    assert await handle.execute_update(Cart.add, Item("a", 2), id="once") == 3
    first, second = [await handle.start_update(Cart.clear, wait_for_stage=ACCEPTED) for _ in range(2)]
    assert first.id != second.id


async def test_an_update_is_found_by_its_id_as_long_as_its_workflow_is(
    client: Client, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    await handle.execute_update(Cart.pick, args=["a", 2], id="picked")
    await handle.signal(Cart.finish)
    await handle.result()
    found = handle.get_update_handle_for(Cart.pick, "picked")
    assert (found.id, found.workflow_id, found.workflow_run_id) == ("picked", task_queue, None)
    assert await found.result() == Item("a", 2)
    run = client.get_workflow_handle(task_queue, run_id=handle.result_run_id)
    assert run.get_update_handle("picked").workflow_run_id == handle.result_run_id
    assert await run.get_update_handle("picked", result_type=Item).result() == Item("a", 2)
    assert await handle.get_update_handle("picked").result() == {"name": "a", "count": 2}
    with pytest.raises(ArgumentError, match=f"update 'picked' of workflow '{task_queue}'"):
        await handle.get_update_handle("picked", result_type=int).result()
    with pytest.raises(TypeError, match="release is not"):
        handle.get_update_handle_for(Cart.release, "picked")


async def test_what_is_not_there_is_not_found(client: Client, task_queue: str, worker: Worker) -> None:
    unknown = client.get_workflow_handle("unknown")
    handle = await started(client, task_queue)
    closed = await started(client, f"{task_queue}-closed")
    await closed.terminate()
    calls: list[tuple[str, Callable[[], Awaitable[Any]]]] = [
        ("workflow not found for ID: unknown", lambda: unknown.execute_update("clear")),
        ("workflow not found for ID: unknown", unknown.get_update_handle("update").result),
        ('update "unknown" not found', handle.get_update_handle("unknown").result),
        ("already completed", lambda: closed.execute_update("clear")),
    ]
    for message, call in calls:
        with pytest.raises(RPCError, match=message) as raised:
            await call()
        assert raised.value.status is RPCStatusCode.NOT_FOUND


async def test_a_chain_of_runs_is_not_updated_for_another(client: Client, task_queue: str, worker: Worker) -> None:
    first = await started(client, task_queue)
    await first.terminate()
    second = await started(client, task_queue)
    with pytest.raises(RPCError) as raised:
        await first.execute_update(Cart.clear)
    assert raised.value.status is RPCStatusCode.NOT_FOUND
    assert await second.execute_update(Cart.add, Item("a")) == 2


# Waiting


async def test_the_time_to_wait_is_limited_in_all(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    waiting = await handle.start_update(Cart.wait, wait_for_stage=ACCEPTED)
    alone = await started(client, f"{task_queue}-alone")
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: waiting.result(rpc_timeout=SECOND / 5),
        lambda: handle.execute_update(Cart.wait, rpc_timeout=SECOND / 5),
        lambda: handle.start_update(Cart.wait, wait_for_stage=COMPLETED, rpc_timeout=SECOND / 5),
        lambda: alone.start_update(Cart.wait, wait_for_stage=ACCEPTED, rpc_timeout=SECOND / 5),
    ]
    for call in calls:
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError, match="Timeout or cancellation") as raised:
            await call()
        assert isinstance(raised.value, RPCTimeoutOrCancelledError)
        assert isinstance(raised.value.__cause__, RPCError)
    await handle.signal(Cart.release)
    assert await waiting.result() == Item("waited", 1)


async def test_a_cancelled_wait_says_so_and_the_update_goes_on(client: Client, task_queue: str, worker: Worker) -> None:
    handle = await started(client, task_queue)
    waiting = await handle.start_update(Cart.wait, wait_for_stage=ACCEPTED)
    calls: list[Callable[[], Awaitable[Any]]] = [waiting.result, lambda: handle.execute_update(Cart.wait)]
    pauses: list[Callable[[], Awaitable[Any]]] = [handle.describe, lambda: asyncio.sleep(0)]
    for call, pause in itertools.product(calls, pauses):
        task = asyncio.ensure_future(call())
        await pause()
        task.cancel()
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError) as raised:
            await task
        assert isinstance(raised.value.__cause__, asyncio.CancelledError)
    await handle.signal(Cart.release)
    assert await waiting.result() == Item("waited", 1)


async def test_a_worker_that_is_away_is_waited_for(client: Client, task_queue: str) -> None:
    handle = await started(client, task_queue)
    sent = asyncio.ensure_future(handle.start_update(Cart.wait, wait_for_stage=ACCEPTED))
    await handle.describe()
    assert not sent.done()
    async with serve(client, task_queue):
        waiting = await sent
    result = asyncio.ensure_future(waiting.result())
    await handle.signal(Cart.release)
    assert not result.done()
    async with serve(client, task_queue):
        assert await result == Item("waited", 1)


async def test_waiting_for_an_update_survives_a_restart_of_the_server(tmp_path: Path, task_queue: str) -> None:
    options = ["--headless", "--db", str(tmp_path / "server.db")]
    server = ServerProcess([*options, "--port", "0"])
    try:
        client = await Client.connect(address := server.ready.grpc)
        handle = await started(client, task_queue)
        async with serve(client, task_queue):
            waiting = await handle.start_update(Cart.wait, wait_for_stage=ACCEPTED)
        result = asyncio.ensure_future(waiting.result())
        await handle.describe()
        await asyncio.to_thread(server.stop)
        server = await asyncio.to_thread(ServerProcess, [*options, "--port", address.rpartition(":")[2]])
        assert not result.done()
        await handle.signal(Cart.release)
        async with serve(client, task_queue):
            assert await result == Item("waited", 1)
    finally:
        server.stop()


async def test_a_bug_in_a_handler_is_raised_to_test_clients_who_wait(
    client: Client, address: str, task_queue: str, worker: Worker
) -> None:
    handle = await started(client, task_queue)
    with pytest.raises(WorkflowTaskFailedError, match="a bug") as raised:
        await handle.execute_update(Cart.break_down)
    assert raised.value.workflow_id == task_queue
    with pytest.raises(WorkflowTaskFailedError, match="a bug"):
        await handle.start_update(Cart.wait, wait_for_stage=ACCEPTED)
    patient = (await Client.connect(address)).get_workflow_handle_for(Cart.run, task_queue)
    with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
        await patient.execute_update(Cart.clear, rpc_timeout=2 * SECOND)


# Update with start


def start_of(task_queue: str, **options: Any) -> WithStartWorkflowOperation[Cart, int]:
    policy = WorkflowIDConflictPolicy.USE_EXISTING
    defaults: dict[str, Any] = {"id": task_queue, "task_queue": task_queue, "id_conflict_policy": policy}
    return WithStartWorkflowOperation(Cart.run, 1, **{**defaults, **options})


async def test_an_update_starts_its_workflow_or_reaches_the_running_one(
    client: Client, task_queue: str, worker: Worker
) -> None:
    first, second = start_of(task_queue), start_of(task_queue)
    item = Item("a", 2)
    assert await client.execute_update_with_start_workflow(Cart.add, item, start_workflow_operation=first) == 3
    sent = await client.start_update_with_start_workflow(
        Cart.wait, start_workflow_operation=second, wait_for_stage=ACCEPTED, id="waiting"
    )
    handle, same = await first.workflow_handle(), await second.workflow_handle()
    assert (handle.id, handle.run_id) == (task_queue, None)
    assert handle.result_run_id == handle.first_execution_run_id == same.result_run_id == sent.workflow_run_id
    assert (sent.id, sent.workflow_id) == ("waiting", task_queue)
    await handle.signal(Cart.release)
    assert await sent.result() == Item("waited", 3)
    await handle.signal(Cart.finish)
    assert await same.result() == 3


async def test_names_and_result_types_do_as_well(client: Client, task_queue: str, worker: Worker) -> None:
    start = WithStartWorkflowOperation(
        "Cart",
        args=[4],
        id=task_queue,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        result_type=int,
    )
    picked = await client.execute_update_with_start_workflow(
        "pick", args=["a", 2], start_workflow_operation=start, result_type=Item
    )
    assert picked == Item("a", 2)
    handle = await start.workflow_handle()
    await handle.signal("finish")
    assert await handle.result() == 4


async def test_every_option_of_the_start_reaches_the_server(client: Client, task_queue: str, worker: Worker) -> None:
    from invincible.api.operatorservice.v1 import AddSearchAttributesRequest, AddSearchAttributesResponse

    color = SearchAttributeKey.for_keyword("Shade")
    await client.service_client._rpc_call(
        "add_search_attributes",
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={color.name: color.indexed_value_type},  # type: ignore[dict-item]
        ),
        AddSearchAttributesResponse,
        service="operator",
    )
    start = start_of(
        task_queue,
        execution_timeout=timedelta(hours=3),
        run_timeout=timedelta(hours=2),
        task_timeout=timedelta(seconds=7),
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        retry_policy=RetryPolicy(backoff_coefficient=3, maximum_attempts=4, non_retryable_error_types=["Fatal"]),
        memo={"note": Item("memo")},
        search_attributes=TypedSearchAttributes([SearchAttributePair(color, "blue")]),
        static_summary="one line",
        static_details="several\nlines",
        priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5),
    )
    await client.execute_update_with_start_workflow(
        Cart.clear, start_workflow_operation=start, rpc_metadata={"trace": "1"}, rpc_timeout=10 * SECOND
    )
    handle = await start.workflow_handle()
    description = await handle.describe()
    assert description.typed_search_attributes[color] == "blue"
    assert await description.memo_value("note", type_hint=Item) == Item("memo")
    assert await description.static_summary() == "one line"
    assert await description.static_details() == "several\nlines"
    attributes = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert attributes.workflow_execution_timeout.ToTimedelta() == timedelta(hours=3)
    assert attributes.workflow_run_timeout.ToTimedelta() == timedelta(hours=2)
    assert attributes.workflow_task_timeout.ToTimedelta() == timedelta(seconds=7)
    assert attributes.retry_policy.backoff_coefficient == 3
    assert attributes.retry_policy.maximum_attempts == 4
    assert attributes.retry_policy.non_retryable_error_types == ["Fatal"]
    assert attributes.priority.priority_key == 2
    assert (attributes.priority.fairness_key, attributes.priority.fairness_weight) == ("tenant", 1.5)
    assert attributes.identity == client.identity
    await handle.terminate()
    with pytest.raises(WorkflowAlreadyStartedError):
        await client.execute_update_with_start_workflow(
            Cart.clear,
            start_workflow_operation=start_of(task_queue, id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE),
        )


async def test_a_taken_id_is_an_error_for_update_and_start(client: Client, task_queue: str, worker: Worker) -> None:
    running = await started(client, task_queue)
    start = start_of(task_queue, id_conflict_policy=WorkflowIDConflictPolicy.FAIL)
    with pytest.raises(WorkflowAlreadyStartedError) as raised:
        await client.execute_update_with_start_workflow(Cart.clear, start_workflow_operation=start)
    assert (raised.value.workflow_id, raised.value.workflow_type) == (task_queue, "Cart")
    assert raised.value.run_id == running.result_run_id
    with pytest.raises(WorkflowAlreadyStartedError):
        await start.workflow_handle()


async def test_a_workflow_that_rejects_the_update_it_was_started_for_goes_on(
    client: Client, task_queue: str, worker: Worker
) -> None:
    start = start_of(task_queue)
    with pytest.raises(WorkflowUpdateFailedError) as raised:
        await client.execute_update_with_start_workflow(Cart.add, Item("a", -2), start_workflow_operation=start)
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "TooFew"
    handle = await start.workflow_handle()
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_what_the_server_refuses_is_told_for_the_part_it_is_about(client: Client, task_queue: str) -> None:
    calls: list[tuple[str, WithStartWorkflowOperation[Cart, int], str]] = [
        ("UpdateId length exceeds limit", start_of(task_queue), "x" * 2000),
        ("WorkflowId is not set", start_of(task_queue, id=""), "id"),
    ]
    for message, start, update_id in calls:
        with pytest.raises(RPCError, match=message) as raised:
            await client.execute_update_with_start_workflow(Cart.clear, start_workflow_operation=start, id=update_id)
        assert raised.value.status is RPCStatusCode.INVALID_ARGUMENT
        assert raised.value.grpc_status.code == RPCStatusCode.INVALID_ARGUMENT
        with pytest.raises(RPCError, match=message):
            await start.workflow_handle()


async def test_a_start_is_used_once_and_says_what_to_do_about_conflicts(client: Client, task_queue: str) -> None:
    start = start_of(task_queue)
    for expected in (WorkflowUpdateRPCTimeoutOrCancelledError, RuntimeError):
        with pytest.raises(expected):
            await client.execute_update_with_start_workflow(
                Cart.clear, start_workflow_operation=start, rpc_timeout=SECOND / 5
            )
    with pytest.raises(RPCError, match="Timeout expired"):
        await start.workflow_handle()
    with pytest.raises(ValueError, match="id_conflict_policy cannot be UNSPECIFIED"):
        start_of(task_queue, id_conflict_policy=WorkflowIDConflictPolicy.UNSPECIFIED)
    with pytest.raises(ValueError, match=r"wait_for_stage cannot be .*ADMITTED"):
        await client.start_update_with_start_workflow(
            Cart.clear, start_workflow_operation=start, wait_for_stage=WorkflowUpdateStage.ADMITTED
        )


async def test_waits_are_longer_than_the_server_holds_a_call(task_queue: str) -> None:
    held = ["--dynamic-config-value", 'history.longPollExpirationInterval="200ms"']
    server = ServerProcess(["--port", "0", "--headless", *held])
    try:
        client = await Client.connect(server.ready.grpc)
        start = start_of(task_queue)
        both = asyncio.ensure_future(
            client.execute_update_with_start_workflow(Cart.add, Item("a"), start_workflow_operation=start)
        )
        handle = await start.workflow_handle()
        assert not both.done()
        with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
            await handle.start_update(Cart.wait, wait_for_stage=ACCEPTED, rpc_timeout=SECOND)
        async with serve(client, task_queue):
            assert await both == 2
            result = asyncio.ensure_future(handle.execute_update(Cart.wait))
            with pytest.raises(WorkflowUpdateRPCTimeoutOrCancelledError):
                await handle.execute_update(Cart.wait, rpc_timeout=SECOND)
            await handle.signal(Cart.release)
            assert (await result).name == "waited"
    finally:
        server.stop()


async def test_those_who_wait_for_the_workflow_share_its_handle(
    client: Client, task_queue: str, worker: Worker
) -> None:
    start = start_of(task_queue)
    given_up, waiting = asyncio.ensure_future(start.workflow_handle()), asyncio.ensure_future(start.workflow_handle())
    await asyncio.sleep(0)
    given_up.cancel()
    await client.execute_update_with_start_workflow(Cart.clear, start_workflow_operation=start)
    assert (await waiting).id == task_queue


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

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        self.recording.log.append(f"{self.recording.name} {input.update}")
        input.headers = {**input.headers, self.recording.name: Payload({"encoding": b"json/plain"}, b"1")}
        return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        self.recording.log.append(f"{self.recording.name} {start.workflow} {update.update}")
        for part in (start, update):
            part.headers = {**part.headers, self.recording.name: Payload({"encoding": b"json/plain"}, b"1")}
        return await super().start_update_with_start_workflow(input)


async def test_interceptors_see_updates_the_first_outermost(address: str, task_queue: str) -> None:
    log: list[str] = []
    client = await Client.connect(address, interceptors=[Recording("outer", log), Recording("inner", log)])
    async with serve(client, task_queue):
        start = start_of(task_queue)
        await client.execute_update_with_start_workflow(Cart.clear, start_workflow_operation=start)
        handle = await start.workflow_handle()
        await handle.execute_update(Cart.add, Item("a"))
    assert log == ["outer Cart clear", "inner Cart clear", "outer add", "inner add"]
    events = (await handle.fetch_history()).events
    assert set(events[0].workflow_execution_started_event_attributes.header.fields) == {"outer", "inner"}
    accepted = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request
        for event in events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert [set(request.input.header.fields) for request in accepted] == [{"outer", "inner"}] * 2
    assert {request.meta.identity for request in accepted} == {client.identity}


class Diverting(Interceptor):
    """Answers for the server."""

    def __init__(self, answer: Callable[[], WorkflowUpdateHandle[Any]]) -> None:
        self.answer = answer

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return DivertedCalls(next, self.answer)


class DivertedCalls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, answer: Callable[[], WorkflowUpdateHandle[Any]]) -> None:
        super().__init__(next)
        self.answer = answer

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        return self.answer()


async def test_an_interceptor_that_answers_itself_leaves_nobody_waiting(
    client: Client, address: str, task_queue: str
) -> None:
    def refuse() -> WorkflowUpdateHandle[Any]:
        raise PermissionError("not today")

    refusing = await Client.connect(address, interceptors=[Diverting(refuse)])
    start = start_of(task_queue)
    with pytest.raises(PermissionError, match="not today"):
        await refusing.execute_update_with_start_workflow(Cart.clear, start_workflow_operation=start)
    with pytest.raises(PermissionError, match="not today"):
        await start.workflow_handle()

    elsewhere = WorkflowUpdateHandle[Any](client, "update", task_queue, workflow_run_id="run")
    diverting = await Client.connect(address, interceptors=[Diverting(lambda: elsewhere)])
    start = start_of(task_queue)
    await diverting.start_update_with_start_workflow(
        Cart.clear, start_workflow_operation=start, wait_for_stage=ACCEPTED
    )
    assert (await start.workflow_handle()).result_run_id == "run"


class Reverse(PayloadCodec):
    async def encode(self, payloads: Any) -> list[Payload]:
        return [Payload({"encoding": b"reversed"}, payload.SerializeToString()[::-1]) for payload in payloads]

    async def decode(self, payloads: Any) -> list[Payload]:
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


async def test_a_codec_sees_every_payload_of_an_update(
    client: Client, address: str, task_queue: str, worker: Worker
) -> None:
    secretive = await Client.connect(address, data_converter=DataConverter(payload_codec=Reverse()))
    start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        "Cart",
        id=task_queue,
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        memo={"note": "s3cret"},
        static_summary="s3cret",
    )
    echoed = await secretive.execute_update_with_start_workflow("echo", "s3cret", start_workflow_operation=start)
    assert echoed == "s3cret"
    handle = await start.workflow_handle()
    assert await handle.execute_update("echo", "s3cret") == "s3cret"
    assert await (await handle.describe()).memo() == {"note": "s3cret"}
    history = (await handle.fetch_history()).to_json()
    assert "s3cret" not in history
    assert "czNjcmV0" not in history  # in base64
