"""Nexus operations with a workflow, an update or an activity behind them, called by workflows and clients."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import nexusrpc
import pytest
from nexusrpc.handler import OperationHandler, operation_handler, service_handler

from invincible import activity, nexus, workflow
from invincible.api.enums.v1 import EventType
from invincible.api.workflowservice.v1 import RegisterNamespaceRequest
from invincible.client import (
    Client,
    Interceptor,
    NexusClient,
    NexusOperationFailureError,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateStage,
)
from invincible.common import NexusOperationExecutionStatus, WorkflowIDConflictPolicy
from invincible.exceptions import (
    ApplicationError,
    CancelledError,
    NexusHandlerError,
    NexusOperationError,
    TerminatedError,
)
from invincible.service import RPCError, RPCStatusCode
from invincible.worker import Replayer, Worker
from invincible.workflow import NexusOperationCancellationType
from tests.support.codecs import with_config
from tests.support.conditions import eventually
from tests.support.go_worker import nexus_endpoint
from tests.support.history import fetch_events, of_type, wait_for_event

MINUTE = timedelta(minutes=1)


@dataclass
class Order:
    id: str
    what: str = "tea"


@workflow.defn
class Fulfil:
    """Waits to be told what to do; takes its time when it is cancelled."""

    def __init__(self) -> None:
        self.outcome: str | None = None
        self.signals = 0
        self.cancelled = False
        self.may_end = False

    @workflow.run
    async def run(self, order: Order) -> str:
        try:
            await workflow.wait_condition(lambda: self.outcome is not None)
        except asyncio.CancelledError:
            self.cancelled = True
            await workflow.wait_condition(lambda: self.may_end)
            raise
        if self.outcome == "fail":
            raise ApplicationError("sold out", order.what, type="SoldOut")
        return f"{order.what}: {self.outcome}"

    @workflow.signal
    def settle(self, outcome: str) -> None:
        self.outcome = outcome

    @workflow.signal
    def note(self) -> None:
        self.signals += 1

    @workflow.signal
    def end(self) -> None:
        self.may_end = True

    @workflow.query
    def was_cancelled(self) -> bool:
        return self.cancelled

    @workflow.update
    async def pay(self, amount: int) -> int:
        if amount == 0:
            raise ApplicationError("nothing to pay", type="Nothing")
        if amount == 1:
            return 1
        await workflow.wait_condition(lambda: self.signals > 0 or self.outcome is not None)
        return amount

    @pay.validator
    def check_amount(self, amount: int) -> None:
        if amount < 0:
            raise ValueError("less than nothing")


@activity.defn
async def deliver(what: str) -> str:
    if what == "never":
        for _ in range(600):
            activity.heartbeat()
            await asyncio.sleep(0.1)
    if what == "lost":
        raise ApplicationError("lost on the way", type="Lost", non_retryable=True)
    return f"{what} delivered"


@nexusrpc.service(name="shop")
class Shop:
    order: nexusrpc.Operation[Order, str]
    act: nexusrpc.Operation[Order, Any]
    pay: nexusrpc.Operation[Order, int]
    hooked: nexusrpc.Operation[Order, Any]


class Hooked(nexus.TemporalOperationHandler[Order, Any]):
    """Does as it likes when it is cancelled: a workflow is settled, an activity is terminated."""

    async def start_operation(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, input: Order
    ) -> nexus.TemporalOperationResult[Any]:
        return await ACTS[input.what](client, input)

    async def cancel_workflow_run(
        self, ctx: nexus.TemporalCancelOperationContext, options: nexus.CancelWorkflowRunOptions
    ) -> None:
        await nexus.client().get_workflow_handle(options.workflow_id).signal(Fulfil.settle, "called off")

    async def cancel_activity(
        self, ctx: nexus.TemporalCancelOperationContext, options: nexus.CancelActivityOptions
    ) -> None:
        behind = nexus.client().get_activity_handle(options.activity_id, run_id=options.run_id)
        await behind.terminate(reason="called off")


class Pay(nexus.TemporalOperationHandler[Order, int]):
    """An update; to cancel it is to have the workflow end it."""

    async def start_operation(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, input: Order
    ) -> nexus.TemporalOperationResult[int]:
        return await client.start_workflow_update(
            input.id,
            Fulfil.pay,
            int(input.what),
            wait_for_stage=WorkflowUpdateStage.ACCEPTED,
            update_id=f"pay-{input.what}",
        )

    async def cancel_workflow_update(
        self, ctx: nexus.TemporalCancelOperationContext, options: nexus.CancelUpdateWorkflowOptions
    ) -> None:
        assert options.update_id.startswith("pay-")
        await nexus.client().get_workflow_handle(options.workflow_id, run_id=options.run_id).signal(Fulfil.note)


@service_handler(service=Shop)
class ShopHandler:
    @nexus.workflow_run_operation
    async def order(self, ctx: nexus.WorkflowRunOperationContext, input: Order) -> nexus.WorkflowHandle[str]:
        if input.what == "signal":
            return await ctx.start_workflow(Fulfil.run, input, id=input.id, start_signal="note")
        return await ctx.start_workflow(
            Fulfil.run, input, id=input.id, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )

    @nexus.temporal_operation
    async def act(
        self, ctx: nexus.TemporalStartOperationContext, client: nexus.TemporalNexusClient, input: Order
    ) -> nexus.TemporalOperationResult[Any]:
        return await ACTS[input.what](client, input)

    @operation_handler
    def pay(self) -> OperationHandler[Order, int]:
        return Pay()

    @operation_handler
    def hooked(self) -> OperationHandler[Order, Any]:
        return Hooked()


Act = Callable[[nexus.TemporalNexusClient, Order], Awaitable[nexus.TemporalOperationResult[Any]]]


async def _at_once(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    return nexus.TemporalOperationResult.sync({"id": order.id})


async def _workflow(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    return await client.start_workflow(Fulfil.run, order, id=order.id)


async def _twice(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    await client.start_workflow(Fulfil.run, order, id=order.id)
    return await client.start_workflow(Fulfil.run, order, id=f"{order.id}-again")


async def _activity(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    return await client.start_activity(deliver, order.what, id=order.id, start_to_close_timeout=MINUTE)


async def _stoppable(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    return await client.start_activity(
        "deliver",
        order.what,
        id=order.id,
        result_type=str,
        start_to_close_timeout=MINUTE,
        heartbeat_timeout=timedelta(seconds=2),
    )


async def _others(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    queue = nexus.info().task_queue
    started = await client.client.start_workflow(Fulfil.run, order, id=order.id, task_queue=queue)
    await started.signal(Fulfil.settle, "done")
    await client.client.start_workflow(
        Fulfil.run,
        order,
        id=order.id,
        task_queue=queue,
        start_signal="note",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await client.client.start_activity(deliver, "tea", id=order.id, task_queue=queue, schedule_to_close_timeout=MINUTE)
    return nexus.TemporalOperationResult.sync(None)


async def _own_token(client: nexus.TemporalNexusClient, order: Order) -> nexus.TemporalOperationResult[Any]:
    return nexus.TemporalOperationResult.async_token("a token of its own")


ACTS: dict[str, Act] = {
    "at once": _at_once,
    "workflow": _workflow,
    "twice": _twice,
    "tea": _activity,
    "lost": _activity,
    "never": _stoppable,
    "others": _others,
    "own token": _own_token,
}


@workflow.defn
class Calling:
    """Calls one operation, and tells what becomes of it."""

    def __init__(self) -> None:
        self.may_cancel = False
        self.may_end = False
        self.settled = False

    @workflow.run
    async def run(self, endpoint: str, operation: str, order: Order) -> Any:
        client = workflow.create_nexus_client(service=Shop, endpoint=endpoint)
        if operation == "order":
            return await client.execute_operation(Shop.order, order)
        return await client.execute_operation(operation, order)


@workflow.defn
class Cancelling:
    """Cancels its operation when it is told to, and ends when it is told to, so that a test can look in between."""

    def __init__(self) -> None:
        self.may_cancel = False
        self.may_end = False
        self.settled = False

    @workflow.run
    async def run(self, endpoint: str, order: Order, kind: NexusOperationCancellationType) -> None:
        client = workflow.create_nexus_client(service=Shop, endpoint=endpoint)
        operation = await client.start_operation(Shop.order, order, cancellation_type=kind)
        await workflow.wait_condition(lambda: self.may_cancel)
        operation.cancel()
        try:
            await operation
        finally:
            self.settled = True
            await workflow.wait_condition(lambda: self.may_end)

    @workflow.signal
    def cancel(self) -> None:
        self.may_cancel = True

    @workflow.signal
    def end(self) -> None:
        self.may_end = True

    @workflow.query
    def is_settled(self) -> bool:
        return self.settled


@asynccontextmanager
async def shop(client: Client, task_queue: str) -> AsyncIterator[str]:
    async with (
        nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint,
        Worker(
            client,
            task_queue=task_queue,
            workflows=[Fulfil, Calling, Cancelling],
            activities=[deliver],
            nexus_service_handlers=[ShopHandler()],
            default_heartbeat_throttle_interval=timedelta(milliseconds=100),
            max_heartbeat_throttle_interval=timedelta(milliseconds=100),
        ),
    ):
        yield endpoint


@pytest.fixture
async def endpoint(client: Client, task_queue: str) -> AsyncIterator[str]:
    async with shop(client, task_queue) as endpoint:
        yield endpoint


@pytest.fixture
def caller(client: Client, endpoint: str) -> NexusClient[Shop]:
    return client.create_nexus_client(Shop, endpoint)


async def started(client: Client, workflow_id: str) -> None:
    async def is_there() -> bool:
        return await is_found(fetch_events(client, workflow_id))

    await eventually(is_there, what=f"workflow {workflow_id} is there")


async def is_found(call: Awaitable[Any]) -> bool:
    try:
        await call
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


def decoded(token: str) -> dict[str, Any]:
    text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    values: dict[str, Any] = json.loads(text)
    return values


async def test_a_workflow_s_result_is_the_operation_s(client: Client, endpoint: str, task_queue: str) -> None:
    call = await client.start_workflow(
        Calling.run, args=[endpoint, "order", Order(f"{task_queue}-order")], id=task_queue, task_queue=task_queue
    )
    event = await wait_for_event(client, task_queue, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
    behind = client.get_workflow_handle_for(Fulfil.run, f"{task_queue}-order")
    token = event.nexus_operation_started_event_attributes.operation_token
    assert decoded(token) == {"t": 1, "ns": "default", "wid": behind.id}
    await behind.signal(Fulfil.settle, "sent")
    assert await call.result() == "tea: sent"

    # Each event leads to the other.
    [link] = event.links
    run_id = (await behind.describe()).run_id
    assert (link.workflow_event.workflow_id, link.workflow_event.run_id) == (behind.id, run_id)
    assert link.workflow_event.event_ref.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED
    first = (await fetch_events(client, behind.id))[0]
    [callback] = first.workflow_execution_started_event_attributes.completion_callbacks
    [link] = callback.links
    assert (link.workflow_event.workflow_id, link.workflow_event.run_id) == (call.id, call.result_run_id)
    assert link.workflow_event.event_ref.event_id == 5
    assert link.workflow_event.event_ref.event_type == EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED
    assert callback.nexus.header["nexus-operation-token"] == token
    assert first.workflow_execution_started_event_attributes.original_execution_run_id == run_id

    replayed = await Replayer(workflows=[Calling]).replay_workflow(await call.fetch_history())
    assert replayed.replay_failure is None


async def test_a_workflow_s_failure_is_the_operation_s(client: Client, endpoint: str, task_queue: str) -> None:
    call = await client.start_workflow(
        Calling.run, args=[endpoint, "order", Order(f"{task_queue}-order")], id=task_queue, task_queue=task_queue
    )
    await started(client, f"{task_queue}-order")
    await client.get_workflow_handle(f"{task_queue}-order").signal("settle", "fail")
    with pytest.raises(WorkflowFailureError) as raised:
        await call.result()
    error = raised.value.cause
    assert isinstance(error, NexusOperationError)
    assert (error.service, error.operation) == ("shop", "order")
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, list(error.cause.details)) == ("SoldOut", ["tea"])


async def test_several_operations_wait_for_one_workflow(
    client: Client, caller: NexusClient[Shop], task_queue: str
) -> None:
    order = Order(f"{task_queue}-order")
    calls = [await caller.start_operation(Shop.order, order, id=f"{task_queue}-{number}") for number in range(3)]
    for call in calls:

        async def has_token(call: Any = call) -> str | None:
            token: str | None = (await call.describe()).operation_token
            return token

        await eventually(has_token, what="the operation has started")
    await client.get_workflow_handle(order.id).signal("settle", "shared")
    assert [await call.result() for call in calls] == ["tea: shared"] * 3


@pytest.mark.parametrize("kind", list(NexusOperationCancellationType))
async def test_cancellation_reaches_the_workflow_and_its_caller_as_asked(
    client: Client, endpoint: str, task_queue: str, kind: NexusOperationCancellationType
) -> None:
    order = Order(f"{task_queue}-order")
    call = await client.start_workflow(
        Cancelling.run, args=[endpoint, order, kind], id=task_queue, task_queue=task_queue
    )
    await wait_for_event(client, task_queue, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
    behind = client.get_workflow_handle_for(Fulfil.run, order.id)
    await call.signal(Cancelling.cancel)

    async def cancelled() -> bool:
        return await behind.query(Fulfil.was_cancelled)

    async def settled() -> bool:
        return await call.query(Cancelling.is_settled)

    if kind is NexusOperationCancellationType.ABANDON:
        await eventually(settled, what="the caller has its outcome")
        requested = EventType.EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED
        assert of_type(await fetch_events(client, task_queue), requested) == []
        assert not await cancelled()
    else:
        await eventually(cancelled, what="the workflow is cancelled")
        if kind is NexusOperationCancellationType.WAIT_COMPLETED:
            assert not await settled()
            await behind.signal(Fulfil.end)
        else:
            await eventually(settled, what="the caller has its outcome")
            await behind.signal(Fulfil.end)
        with pytest.raises(WorkflowFailureError):
            await behind.result()
        await eventually(settled, what="the caller has its outcome")
    await call.signal(Cancelling.end)
    with pytest.raises(WorkflowFailureError) as raised:
        await call.result()
    assert isinstance(raised.value.cause, NexusOperationError)
    assert isinstance(raised.value.cause.cause, CancelledError)
    if kind is NexusOperationCancellationType.ABANDON:
        await behind.signal(Fulfil.settle, "alone")
        assert await behind.result() == "tea: alone"


async def test_clients_call_and_cancel_operations_with_workflows(
    client: Client, caller: NexusClient[Shop], task_queue: str
) -> None:
    call = await caller.start_operation(Shop.act, Order(f"{task_queue}-order", "workflow"), id=task_queue)
    behind = client.get_workflow_handle_for(Fulfil.run, f"{task_queue}-order")
    await started(client, behind.id)
    first = (await fetch_events(client, behind.id))[0]
    [callback] = first.workflow_execution_started_event_attributes.completion_callbacks
    [link] = callback.links
    assert (link.nexus_operation.operation_id, link.nexus_operation.run_id) == (task_queue, call.run_id)
    await call.cancel()
    await behind.signal(Fulfil.end)
    with pytest.raises(NexusOperationFailureError) as raised:
        await call.result()
    assert isinstance(raised.value.cause, CancelledError)
    assert (await call.describe()).status is NexusOperationExecutionStatus.CANCELED


async def test_a_workflow_that_is_terminated_ends_its_operation(
    client: Client, caller: NexusClient[Shop], task_queue: str
) -> None:
    call = await caller.start_operation(Shop.order, Order(f"{task_queue}-order"), id=task_queue)
    await started(client, f"{task_queue}-order")
    await client.get_workflow_handle(f"{task_queue}-order").terminate()
    with pytest.raises(NexusOperationFailureError) as raised:
        await call.result()
    assert isinstance(raised.value.cause, TerminatedError)


async def test_an_update_s_end_is_the_operation_s(client: Client, caller: NexusClient[Shop], task_queue: str) -> None:
    behind = await client.start_workflow(Fulfil.run, Order(task_queue), id=f"{task_queue}-order", task_queue=task_queue)
    # One that is done when it is accepted, and others that go on.
    assert await caller.execute_operation(Shop.pay, Order(behind.id, "1"), id=task_queue) == 1
    call = await caller.start_operation(Shop.pay, Order(behind.id, "7"), id=task_queue)

    async def token() -> str | None:
        return (await call.describe()).operation_token

    named = decoded(await eventually(token, what="the operation has started"))
    run_id = behind.result_run_id
    assert named == {"t": 3, "ns": "default", "wid": behind.id, "rid": run_id, "uid": "pay-7"}
    await call.cancel()
    assert await call.result() == 7
    accepted = of_type(await fetch_events(client, behind.id), EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
    assert [each.nexus_operation.operation_id for event in accepted for each in event.links] == [task_queue] * 2


@pytest.mark.parametrize(("amount", "type"), [("0", "Nothing"), ("-1", "ValueError")])
async def test_an_update_that_fails_or_is_rejected_fails_the_operation(
    client: Client, caller: NexusClient[Shop], task_queue: str, amount: str, type: str
) -> None:
    behind = await client.start_workflow(Fulfil.run, Order(task_queue), id=f"{task_queue}-order", task_queue=task_queue)
    with pytest.raises(NexusOperationFailureError) as raised:
        await caller.execute_operation(Shop.pay, Order(behind.id, amount), id=task_queue)
    error: BaseException = raised.value.cause
    # It may have failed before the handler's answer, and is its cause then, or after it.
    while error.__cause__ is not None:
        error = error.__cause__
    assert isinstance(error, ApplicationError)
    assert error.type == type


async def test_an_update_of_no_workflow_is_not_found(caller: NexusClient[Shop], task_queue: str) -> None:
    with pytest.raises(NexusOperationFailureError) as raised:
        await caller.execute_operation(Shop.pay, Order(f"{task_queue}-nobody", "7"), id=task_queue)
    assert isinstance(raised.value.cause, NexusHandlerError)
    assert raised.value.cause.type == "NOT_FOUND"


async def test_an_activity_s_end_is_the_operation_s(client: Client, caller: NexusClient[Shop], task_queue: str) -> None:
    order = Order(f"{task_queue}-tea", "tea")
    call = await caller.start_operation(Shop.act, order, id=task_queue)
    assert await call.result() == "tea delivered"
    described = await client.get_activity_handle(order.id).describe()
    [link] = (await call.describe()).raw_description.info.links
    assert (link.activity.activity_id, link.activity.run_id) == (order.id, described.activity_run_id)
    token = (await call.describe()).operation_token
    assert token is not None
    said = decoded(token)
    # An activity that ends before its start is answered has told the token that was made without its run.
    assert said.pop("rid", described.activity_run_id) == described.activity_run_id
    assert said == {"t": 2, "ns": "default", "aid": order.id}

    with pytest.raises(NexusOperationFailureError) as raised:
        await caller.execute_operation(Shop.act, Order(f"{task_queue}-lost", "lost"), id=task_queue)
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "Lost"


async def test_an_activity_is_cancelled_with_its_operation(caller: NexusClient[Shop], task_queue: str) -> None:
    call = await caller.start_operation(Shop.act, Order(f"{task_queue}-never", "never"), id=task_queue)
    await call.cancel()
    with pytest.raises(NexusOperationFailureError) as raised:
        await call.result()
    assert isinstance(raised.value.cause, CancelledError)


async def test_what_a_cancellation_does_can_be_chosen(
    client: Client, caller: NexusClient[Shop], task_queue: str
) -> None:
    order = Order(f"{task_queue}-order", "workflow")
    call = await caller.start_operation(Shop.hooked, order, id=order.id)
    await call.cancel()
    assert await call.result() == "workflow: called off"
    assert not await client.get_workflow_handle(order.id).query(Fulfil.was_cancelled)

    parcel = Order(f"{task_queue}-parcel", "never")
    call = await caller.start_operation(Shop.hooked, parcel, id=parcel.id)
    await call.cancel()
    with pytest.raises(NexusOperationFailureError) as raised:
        await call.result()
    assert isinstance(raised.value.cause, TerminatedError)


async def test_a_temporal_operation_may_be_done_at_once(caller: NexusClient[Shop], task_queue: str) -> None:
    order = Order(task_queue, "at once")
    assert await caller.execute_operation(Shop.act, order, id=task_queue) == {"id": task_queue}


@pytest.mark.parametrize("operation", [Shop.order, Shop.act])
async def test_what_cannot_be_behind_an_operation_is_refused(
    client: Client, caller: NexusClient[Shop], task_queue: str, operation: nexusrpc.Operation[Order, Any]
) -> None:
    what = "signal" if operation is Shop.order else "twice"
    call = await caller.start_operation(operation, Order(f"{task_queue}-order", what), id=task_queue)

    async def error() -> NexusHandlerError | None:
        failure = (await call.describe()).last_attempt_failure
        return failure if isinstance(failure, NexusHandlerError) else None

    found = await eventually(error, what="the handler has failed")
    if what == "twice":
        assert found.type == "BAD_REQUEST"
        assert "one was started already" in found.message
    else:
        assert isinstance(found.cause, ApplicationError)
        assert found.cause.message.startswith("start_signal does not go with an operation")
        await call.terminate()


async def test_a_token_of_its_own_is_its_handler_s_to_cancel(caller: NexusClient[Shop], task_queue: str) -> None:
    call = await caller.start_operation(Shop.act, Order(task_queue, "own token"), id=task_queue)
    await call.cancel()

    async def failure() -> BaseException | None:
        info = (await call.describe()).cancellation_info
        return None if info is None else info.last_attempt_failure

    error = await eventually(failure, what="the cancellation has failed")
    assert isinstance(error, NexusHandlerError)
    assert (error.type, error.retryable) == ("INTERNAL", False)
    await call.terminate()


class TryingAgain(Interceptor):
    """Has the first attempt of each start fail, whether the server has seen it or not."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return Trying(next)


class Trying(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        timeout, input.rpc_timeout = input.rpc_timeout, timedelta(microseconds=1)
        with pytest.raises(RPCError):
            await super().start_workflow(input)
        input.rpc_timeout = timeout
        return await super().start_workflow(input)


async def test_a_start_that_is_tried_again_still_ends_its_operation(client: Client, task_queue: str) -> None:
    trying = with_config(client, interceptors=[TryingAgain()])
    async with shop(trying, task_queue) as endpoint:
        order = Order(f"{task_queue}-order")
        call = await client.create_nexus_client(Shop, endpoint).start_operation(Shop.order, order, id=task_queue)
        await started(client, order.id)
        await client.get_workflow_handle(order.id).signal("settle", "at last")
        assert await call.result() == "tea: at last"


async def test_everything_that_a_handler_starts_is_linked(
    client: Client, caller: NexusClient[Shop], task_queue: str
) -> None:
    order = Order(f"{task_queue}-order", "others")
    call = await caller.start_operation(Shop.act, order, id=task_queue)
    assert await call.result() is None
    events = await fetch_events(client, order.id)
    signals = of_type(events, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
    for event in (events[0], *signals):
        assert [link.nexus_operation.run_id for link in event.links] == [call.run_id]
    kinds = [link.WhichOneof("variant") for link in (await call.describe()).raw_description.info.links]
    assert kinds == ["workflow_event", "workflow_event", "workflow_event", "activity"]
    assert await client.get_activity_handle(order.id).result() == "tea delivered"


async def test_a_handler_in_another_namespace(client: Client, task_queue: str) -> None:
    namespace = f"other-{uuid4()}"
    request = RegisterNamespaceRequest(namespace=namespace)
    request.workflow_execution_retention_period.FromSeconds(86_400)
    await client.workflow_service.register_namespace(request)
    elsewhere = await Client.connect(client.service_client.config.target_host, namespace=namespace)

    async def is_known() -> bool:
        return await is_found(elsewhere.count_workflows())

    await eventually(is_known, what="the namespace is there")
    async with shop(elsewhere, task_queue) as endpoint, Worker(client, task_queue=task_queue, workflows=[Calling]):
        call = await client.start_workflow(
            Calling.run, args=[endpoint, "order", Order("order")], id=task_queue, task_queue=task_queue
        )
        event = await wait_for_event(client, task_queue, EventType.EVENT_TYPE_NEXUS_OPERATION_STARTED)
        [link] = event.links
        assert link.workflow_event.namespace == namespace
        await elsewhere.get_workflow_handle("order").signal("settle", "from afar")
        assert await call.result() == "tea: from afar"
