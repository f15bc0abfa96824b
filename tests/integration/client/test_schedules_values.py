"""Values of schedules and what they start, on the real server: arguments, memo, search attributes, headers, texts."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import workflow
from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.common.v1 import WorkflowType
from invincible.api.enums.v1 import WorkflowIdReusePolicy
from invincible.api.schedule.v1 import Schedule as ScheduleMessage
from invincible.api.schedule.v1 import ScheduleAction as ScheduleActionMessage
from invincible.api.schedule.v1 import SchedulePolicies
from invincible.api.taskqueue.v1 import TaskQueue
from invincible.api.workflow.v1 import NewWorkflowExecutionInfo, VersioningOverride
from invincible.api.workflowservice.v1 import CreateScheduleRequest, CreateScheduleResponse
from invincible.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
    WorkflowHandle,
)
from invincible.common import (
    HeaderCodecBehavior,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from invincible.converter import (
    ArgumentError,
    DataConverter,
    DefaultPayloadConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from invincible.testing.pytest_plugin import SessionServer, SessionServers
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.history import fetch_events

FAR = ScheduleSpec(calendars=[ScheduleCalendarSpec(year=[ScheduleRange(2040)])])
KEYWORD = SearchAttributeKey.for_keyword("AKeyword")
INT = SearchAttributeKey.for_int("AnInt")
DATETIME = SearchAttributeKey.for_datetime("ADatetime")
SEARCH_ATTRIBUTES = ["AKeyword=Keyword", "AnInt=Int", "ADatetime=Datetime"]
HEADER = Payload({"encoding": b"binary/plain"}, b"trace")


@dataclass
class Order:
    id: str
    at: datetime


ORDER = Order("1", datetime(2025, 1, 2, tzinfo=timezone.utc))


@workflow.defn
class Purchase:
    @workflow.run
    async def run(self, order: Order, count: int = 1) -> str:
        memo: str = workflow.memo_value("from", type_hint=str)
        return f"{order.id} of {order.at:%Y} by {memo}, {count}"


@pytest.fixture(scope="module")
def invincible_server(invincible_servers: SessionServers) -> SessionServer:
    """A server that knows these search attributes."""
    return invincible_servers.start(*(f"--search-attribute={each}" for each in SEARCH_ATTRIBUTES))


@pytest.fixture
async def worker(client: Client, task_queue: str) -> AsyncIterator[None]:
    async with Worker(client, task_queue=task_queue, workflows=[Purchase]):
        yield


def full_action(task_queue: str) -> ScheduleActionStartWorkflow:
    return ScheduleActionStartWorkflow(
        Purchase.run,
        args=[ORDER],
        id=task_queue,
        task_queue=task_queue,
        execution_timeout=timedelta(hours=3),
        run_timeout=timedelta(hours=2),
        task_timeout=timedelta(seconds=20),
        retry_policy=RetryPolicy(maximum_attempts=3),
        memo={"from": "a schedule"},
        typed_search_attributes=TypedSearchAttributes([SearchAttributePair(KEYWORD, "key")]),
        untyped_search_attributes={"AnInt": [7]},
        static_summary="a summary",
        static_details="some details",
        headers={"trace": HEADER},
        priority=Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5),
    )


def start_of(description: ScheduleDescription) -> NewWorkflowExecutionInfo:
    """The action as the server has it."""
    return description.raw_description.schedule.action.start_workflow


def action_of(description: ScheduleDescription) -> ScheduleActionStartWorkflow:
    action = description.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    return action


def unchanged(input: ScheduleUpdateInput) -> ScheduleUpdate:
    return ScheduleUpdate(input.description.schedule)


async def started_by(client: Client, handle: ScheduleHandle) -> WorkflowHandle[Any, Any]:
    async def started() -> Any:
        return (await handle.describe()).info.recent_actions

    execution = (await eventually(started, what="the schedule acts"))[-1].action
    assert isinstance(execution, ScheduleActionExecutionStartWorkflow)
    return client.get_workflow_handle(execution.workflow_id, run_id=execution.first_execution_run_id)


@pytest.mark.parametrize("updated", [False, True])
async def test_the_workflow_gets_all_of_its_action(
    client: Client, task_queue: str, worker: None, updated: bool
) -> None:
    handle = await client.create_schedule(task_queue, Schedule(action=full_action(task_queue), spec=FAR))
    if updated:
        await handle.update(unchanged)
    await handle.trigger()
    started = await started_by(client, handle)
    assert await started.result() == "1 of 2025 by a schedule, 1"
    described = await started.describe()
    assert described.workflow_type == "Purchase"
    assert described.task_queue == task_queue
    assert await described.memo() == {"from": "a schedule"}
    assert described.typed_search_attributes[KEYWORD] == "key"
    assert described.typed_search_attributes[INT] == 7
    assert await described.static_summary() == "a summary"
    assert await described.static_details() == "some details"
    assert described.priority == Priority(priority_key=2, fairness_key="tenant", fairness_weight=1.5)
    event = (await fetch_events(client, started.id))[0].workflow_execution_started_event_attributes
    assert event.workflow_execution_timeout.seconds == 3 * 3600
    assert event.workflow_run_timeout.seconds == 2 * 3600
    assert event.workflow_task_timeout.seconds == 20
    assert event.retry_policy.maximum_attempts == 3
    assert event.header.fields["trace"].data == b"trace"


async def test_a_described_action_has_payloads(client: Client, task_queue: str) -> None:
    handle = await client.create_schedule(task_queue, Schedule(action=full_action(task_queue), spec=FAR))
    action = action_of(await handle.describe())
    assert [type(each) for each in action.args] == [Payload]
    assert await client.data_converter.decode(action.args, [Order]) == [ORDER]
    assert action.memo is not None
    assert await client.data_converter.decode([action.memo["from"]]) == ["a schedule"]
    assert isinstance(action.static_summary, Payload)
    assert isinstance(action.static_details, Payload)
    assert action.headers == {"trace": HEADER}
    # The server knows the types of search attributes.
    assert action.typed_search_attributes[KEYWORD] == "key"
    assert action.typed_search_attributes[INT] == 7
    assert action.untyped_search_attributes == {}


async def test_payloads_may_be_given_for_values(client: Client, task_queue: str, worker: None) -> None:
    [order, memo] = await client.data_converter.encode([ORDER, "hand"])
    action = ScheduleActionStartWorkflow(
        Purchase.run,
        args=[PayloadMessage.FromString(order.SerializeToString()), 5],
        id=task_queue,
        task_queue=task_queue,
        memo={"from": memo},
    )
    handle = await client.create_schedule(
        task_queue, Schedule(action=action, spec=FAR), memo={"plain": memo}, trigger_immediately=True
    )
    assert await (await started_by(client, handle)).result() == "1 of 2025 by hand, 5"
    assert await (await handle.describe()).memo() == {"plain": "hand"}


async def test_memo_of_the_schedule_is_not_that_of_its_workflows(client: Client, task_queue: str, worker: None) -> None:
    action = full_action(task_queue)
    handle = await client.create_schedule(task_queue, Schedule(action=action, spec=FAR), memo={"order": ORDER})
    described = await handle.describe()
    assert await described.memo() == {"order": {"id": "1", "at": "2025-01-02T00:00:00+00:00"}}
    assert await described.memo_value("order", type_hint=Order) == ORDER
    assert await described.memo_value("none", None) is None
    with pytest.raises(KeyError, match=f"memo of schedule '{task_queue}' has no value 'none'"):
        await described.memo_value("none")
    with pytest.raises(ArgumentError, match="memo value 'order'"):
        await described.memo_value("order", type_hint=int)
    await handle.update(unchanged)
    assert await (await handle.describe()).memo_value("order", type_hint=Order) == ORDER
    await handle.trigger()
    assert await (await (await started_by(client, handle)).describe()).memo() == {"from": "a schedule"}


async def test_search_attributes_of_the_schedule(client: Client, task_queue: str) -> None:
    at = datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    first = TypedSearchAttributes([SearchAttributePair(KEYWORD, task_queue), SearchAttributePair(DATETIME, at)])
    second = TypedSearchAttributes([SearchAttributePair(INT, 4)])
    schedule = Schedule(action=full_action(task_queue), spec=FAR)
    handle = await client.create_schedule(task_queue, schedule, search_attributes=first)

    async def become(wanted: dict[str, Any]) -> ScheduleDescription:
        async def probe() -> ScheduleDescription | None:
            described = await handle.describe()
            return described if described.search_attributes == wanted else None

        return await eventually(probe, what=f"search attributes {wanted}")

    described = await become({"AKeyword": [task_queue], "ADatetime": [at]})
    assert described.typed_search_attributes[KEYWORD] == task_queue
    assert described.typed_search_attributes[DATETIME] == at

    async def found() -> list[str]:
        return [each.id async for each in await client.list_schedules(f"AKeyword = '{task_queue}'")]

    assert await eventually(found, what="the schedule is found") == [task_queue]
    await handle.update(lambda input: ScheduleUpdate(input.description.schedule, second))
    await become({"AnInt": [4]})
    await handle.update(unchanged)
    await become({"AnInt": [4]})
    await handle.update(lambda input: ScheduleUpdate(input.description.schedule, TypedSearchAttributes.empty))
    await become({})
    untyped = await client.create_schedule(f"{task_queue}-2", schedule, search_attributes={"AKeyword": ["a"]})
    assert (await untyped.describe()).typed_search_attributes[KEYWORD] == "a"


async def test_applying_a_schedule_tells_whether_search_attributes_change(client: Client, task_queue: str) -> None:
    schedule = Schedule(action=full_action(task_queue), spec=FAR)
    first = TypedSearchAttributes([SearchAttributePair(KEYWORD, "a"), SearchAttributePair(INT, 4)])
    second = TypedSearchAttributes([SearchAttributePair(KEYWORD, "b")])
    assert (await client.apply_schedule(task_queue, schedule, search_attributes=first)).created
    handle = client.get_schedule_handle(task_queue)

    async def become(wanted: TypedSearchAttributes) -> None:
        async def probe() -> bool:
            return (await handle.describe()).typed_search_attributes == wanted

        await eventually(probe, what=f"search attributes {wanted}")

    await become(first)
    assert (await client.apply_schedule(task_queue, schedule, search_attributes=first)).changes == ()
    assert (await client.apply_schedule(task_queue, schedule, search_attributes=second)).changes == (
        "search_attributes",
    )
    await become(second)
    assert (await client.apply_schedule(task_queue, schedule)).changes == ()
    await become(second)


async def test_a_search_attribute_cannot_be_given_twice(client: Client, task_queue: str) -> None:
    action = full_action(task_queue)
    action.untyped_search_attributes = {"AKeyword": ["other"]}
    with pytest.raises(ValueError, match="'AKeyword' is both in typed and in untyped search attributes"):
        await client.create_schedule(task_queue, Schedule(action=action, spec=FAR))


class Wrapping(PayloadCodec):
    """Puts payloads into others, each time another one."""

    def __init__(self) -> None:
        self.count = 0

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.count += 1
        number = str(self.count).encode()
        return [Payload({"encoding": b"wrapped", "number": number}, each.SerializeToString()) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload.FromString(each.data) if each.encoding == "wrapped" else each for each in payloads]


def coded(client: Client, behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC) -> Client:
    converter = dataclasses.replace(client.data_converter, payload_codec=Wrapping())
    return Client(client.service_client, data_converter=converter, header_codec_behavior=behavior)


async def test_a_codec_encodes_values_once(client: Client, task_queue: str) -> None:
    client = coded(client)
    handle = await client.create_schedule(
        task_queue, Schedule(action=full_action(task_queue), spec=FAR), memo={"mine": 1}
    )
    described = await handle.describe()
    before = start_of(described)
    encodings = [payload.metadata["encoding"] for payload in before.input.payloads]
    encodings += [before.memo.fields["from"].metadata["encoding"]]
    encodings += [before.user_metadata.summary.metadata["encoding"], before.user_metadata.details.metadata["encoding"]]
    assert encodings == [b"wrapped"] * 4
    assert before.header.fields["trace"].data == b"trace"
    assert described.raw_description.memo.fields["mine"].metadata["encoding"] == b"wrapped"
    assert await described.memo() == {"mine": 1}
    assert await client.data_converter.decode(action_of(described).args, [Order]) == [ORDER]

    await handle.update(unchanged)
    after = start_of(await handle.describe())
    assert after.input == before.input
    assert after.memo == before.memo
    assert after.user_metadata == before.user_metadata

    def another(input: ScheduleUpdateInput) -> ScheduleUpdate:
        action = action_of(input.description)
        action.args = [*action.args, 3]
        action.memo = {**(action.memo or {}), "new": True}
        action.static_summary = "another"
        return unchanged(input)

    await handle.update(another)
    described = await handle.describe()
    last = start_of(described)
    assert last.input.payloads[0] == before.input.payloads[0]
    assert last.memo.fields["from"] == before.memo.fields["from"]
    new = [last.input.payloads[1], last.memo.fields["new"], last.user_metadata.summary]
    assert [payload.metadata["encoding"] for payload in new] == [b"wrapped"] * 3
    decode = client.data_converter.decode
    assert await decode([Payload(dict(each.metadata), each.data) for each in new]) == [3, True, "another"]


async def test_headers_are_encoded_where_the_client_says_so(client: Client, task_queue: str) -> None:
    client = coded(client, HeaderCodecBehavior.CODEC)
    handle = await client.create_schedule(task_queue, Schedule(action=full_action(task_queue), spec=FAR))
    before = start_of(await handle.describe()).header.fields["trace"]
    assert before.metadata["encoding"] == b"wrapped"

    def another(input: ScheduleUpdateInput) -> ScheduleUpdate:
        action = action_of(input.description)
        action.headers = {**(action.headers or {}), "other": HEADER}
        return unchanged(input)

    await handle.update(another)
    after = start_of(await handle.describe()).header.fields
    assert after["trace"] == before
    assert Payload.FromString(after["other"].data) == HEADER


class Contextual(DefaultPayloadConverter, WithSerializationContext):
    """Keeps the context in which each value is converted."""

    seen: list[tuple[Any, SerializationContext | None]] = []  # noqa: RUF012 - of all instances

    def __init__(self, context: SerializationContext | None = None) -> None:
        super().__init__()
        self.context = context

    def with_context(self, context: SerializationContext) -> Contextual:
        return Contextual(context)

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        self.seen.extend((value, self.context) for value in values)
        return super().to_payloads(values)


async def test_values_of_the_action_are_converted_in_the_context_of_its_workflow(
    client: Client, task_queue: str
) -> None:
    Contextual.seen.clear()
    converter = DataConverter(payload_converter_class=Contextual)
    client = Client(client.service_client, data_converter=converter)
    action = ScheduleActionStartWorkflow(
        "any", "arg", id="ship", task_queue=task_queue, memo={"a": "memo"}, static_summary="summary"
    )
    await client.create_schedule(task_queue, Schedule(action=action, spec=FAR), memo={"a": "mine"})
    context = WorkflowSerializationContext("default", "ship")
    assert dict(Contextual.seen) == {"arg": context, "memo": context, "summary": context, "mine": None}


async def test_an_update_keeps_what_only_others_can_set(client: Client, task_queue: str) -> None:
    info = NewWorkflowExecutionInfo(
        workflow_id="any",
        workflow_type=WorkflowType(name="any"),
        task_queue=TaskQueue(name=task_queue),
        workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
        versioning_override=VersioningOverride(auto_upgrade=True),
    )
    await client.service_client._rpc_call(
        "create_schedule",
        CreateScheduleRequest(
            namespace=client.namespace,
            schedule_id=task_queue,
            schedule=ScheduleMessage(
                action=ScheduleActionMessage(start_workflow=info),
                policies=SchedulePolicies(keep_original_workflow_id=True),
            ),
            request_id="1",
        ),
        CreateScheduleResponse,
    )
    handle = client.get_schedule_handle(task_queue)
    before = (await handle.describe()).raw_description.schedule

    def another(input: ScheduleUpdateInput) -> ScheduleUpdate:
        action_of(input.description).args = ["new"]
        input.description.schedule.policy.pause_on_failure = True
        return unchanged(input)

    await handle.update(another)
    after = (await handle.describe()).raw_description.schedule
    assert after.action.start_workflow.versioning_override == before.action.start_workflow.versioning_override
    assert after.action.start_workflow.versioning_override.auto_upgrade
    assert after.action.start_workflow.workflow_id_reuse_policy == 1
    assert after.policies.keep_original_workflow_id
    assert after.policies.pause_on_failure
    assert after.action.start_workflow.input.payloads[0].data == b'"new"'


async def test_an_action_of_a_message(client: Client, task_queue: str) -> None:
    first = await client.create_schedule(task_queue, Schedule(action=full_action(task_queue), spec=FAR))
    info = start_of(await first.describe())
    action = ScheduleActionStartWorkflow("", raw_info=info)
    assert action.workflow == "Purchase"
    second = await client.create_schedule(f"{task_queue}-2", Schedule(action=action, spec=FAR))
    assert (await second.describe()).schedule.action == (await first.describe()).schedule.action


async def test_errors_of_conversion_name_the_parameter_and_hide_what_a_codec_hides(
    client: Client, task_queue: str
) -> None:
    secret = Order("1", {"key": object()})  # type: ignore[arg-type]
    action = ScheduleActionStartWorkflow(Purchase.run, args=[secret], id=task_queue, task_queue=task_queue)
    with pytest.raises(ArgumentError, match=r"workflow 'Purchase'.*argument order"):
        await client.create_schedule(task_queue, Schedule(action=action, spec=FAR))
    with pytest.raises(ArgumentError, match="argument order") as caught:
        await coded(client).create_schedule(task_queue, Schedule(action=action, spec=FAR))
    assert "object at" not in str(caught.value)
