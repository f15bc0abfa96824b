"""Interceptors of workflows on the real server: what they are, what headers cross, and what replays."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from invincible import activity, workflow
from invincible import client as clients
from invincible.client import Client
from invincible.common import HeaderCodecBehavior
from invincible.converter import Payload, PayloadConverter
from invincible.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    Replayer,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    SignalWithStartWorkflowRequest,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from tests.support.codecs import SEALED, SealingCodec, opened, sealing, with_config
from tests.support.interceptors import AsksForTheTime

LIMIT = timedelta(seconds=20)
KEY = "tenant"

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")
# Who has come where, and how the header was encoded.
arrivals: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def _nobody_has_come() -> None:
    arrivals.clear()


def header(workflow_code: bool = False) -> dict[str, Payload]:
    converter = workflow.payload_converter() if workflow_code else PayloadConverter.default
    return {KEY: converter.to_payload(tenant.get())}


def arrived(place: str, headers: Any) -> None:
    payload = headers[KEY]
    if payload.metadata["encoding"] == SEALED:
        arrivals.append((place, "sealed"))
        return
    tenant.set(PayloadConverter.default.from_payload(payload, str))
    if not (workflow.in_workflow() and workflow.unsafe.is_replaying_history_events()):
        arrivals.append((place, tenant.get()))


class TenantInbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(TenantOutbound(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        arrived(f"run of {workflow.info().workflow_type}", input.headers)
        return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        arrived(f"signal {input.signal}", input.headers)
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        arrived(f"query {input.query}", input.headers)
        return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        arrived(f"validator {input.update}", input.headers)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        arrived(f"update {input.update}", input.headers)
        return await super().handle_update_handler(input)


class TenantOutbound(WorkflowOutboundInterceptor):
    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = header(True)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        input.headers = header(True)
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        input.headers = header(True)
        await super().signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = header(True)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = header(True)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        input.headers = header(True)
        return await super().start_child_workflow(input)

    async def start_signal_with_start_workflow(
        self, request: SignalWithStartWorkflowRequest
    ) -> workflow.NexusOperationHandle[Any]:
        request.headers = header(True)
        return await super().start_signal_with_start_workflow(request)


class TenantActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        arrived(f"activity {activity.info().activity_type}", input.headers)
        return await super().execute_activity(input)


class TenantCalls(clients.OutboundInterceptor):
    async def start_workflow(self, input: clients.StartWorkflowInput) -> clients.WorkflowHandle[Any, Any]:
        input.headers = header()
        return await super().start_workflow(input)

    async def signal_workflow(self, input: clients.SignalWorkflowInput) -> None:
        input.headers = header()
        await super().signal_workflow(input)

    async def query_workflow(self, input: clients.QueryWorkflowInput) -> Any:
        input.headers = header()
        return await super().query_workflow(input)

    async def start_workflow_update(self, input: clients.StartWorkflowUpdateInput) -> clients.WorkflowUpdateHandle[Any]:
        input.headers = header()
        return await super().start_workflow_update(input)

    async def start_activity(self, input: clients.StartActivityInput) -> clients.ActivityHandle[Any]:
        input.headers = header()
        return await super().start_activity(input)


class Tenant(Interceptor, clients.Interceptor):
    """Carries the tenant from where calls come from to where they go."""

    def intercept_client(self, next: clients.OutboundInterceptor) -> clients.OutboundInterceptor:
        return TenantCalls(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return TenantActivity(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return TenantInbound


@activity.defn(start_to_close_timeout=LIMIT)
async def on_loop() -> str:
    return tenant.get()


@activity.defn(start_to_close_timeout=LIMIT)
def on_thread() -> str:
    return tenant.get()


@workflow.defn
class Child:
    def __init__(self) -> None:
        self.signals = 0

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.signals == 2)
        return tenant.get()

    @workflow.signal
    def poke(self) -> None:
        self.signals += 1


@workflow.defn
class Parent:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, again: bool) -> list[str]:
        if not again:
            return [tenant.get()]
        found = [await on_loop.execute(), await on_thread.execute(), await on_loop.execute_local()]
        id = f"{workflow.info().workflow_id}-child"
        child = await workflow.start_child_workflow(Child.run, id=id)
        await child.signal(Child.poke)
        await workflow.get_external_workflow_handle(id).signal(Child.poke)
        found.append(await child)
        basket = await workflow.signal_with_start_workflow(
            Child.run, id=f"{id}-2", task_queue=workflow.info().task_queue, signal=Child.poke
        )
        await basket.signal(Child.poke)
        await workflow.wait_condition(lambda: self.done)
        assert found == ["Ada"] * 4, found
        workflow.continue_as_new(False)

    @workflow.signal
    def end(self) -> None:
        self.done = True

    @workflow.query
    def who(self) -> str:
        return tenant.get()

    @workflow.update
    async def check(self) -> str:
        return tenant.get()

    @check.validator
    def validate_check(self) -> None:
        assert tenant.get() == "Bob"


@pytest.mark.parametrize("max_cached_workflows", [1000, 0])
async def test_headers_cross_with_every_call(address: str, task_queue: str, max_cached_workflows: int) -> None:
    client = await Client.connect(address, interceptors=[Tenant()])
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[Parent, Child],
        activities=[on_loop, on_thread],
        max_cached_workflows=max_cached_workflows,
    ):
        tenant.set("Ada")
        handle = await client.start_workflow(Parent.run, True, id=task_queue, task_queue=task_queue)
        tenant.set("Bob")
        assert await handle.query(Parent.who) == "Bob"
        assert await handle.execute_update(Parent.check) == "Bob"
        await handle.signal(Parent.end)
        assert await handle.result() == ["Ada"]
        assert await client.get_workflow_handle(f"{task_queue}-child-2").result() == "Ada"
        first = client.get_workflow_handle(task_queue, run_id=handle.result_run_id)
        histories = [await each.fetch_history() for each in (first, client.get_workflow_handle(task_queue))]
    counted = {each: arrivals.count(each) for each in arrivals}
    # Whatever the replays of uncached runs tell again is no history, but the last task that is retried.
    assert {*counted} == {
        ("run of Parent", "Ada"),
        ("run of Child", "Ada"),
        ("activity on_loop", "Ada"),
        ("activity on_thread", "Ada"),
        ("signal poke", "Ada"),
        ("signal end", "Bob"),
        ("query who", "Bob"),
        ("validator check", "Bob"),
        ("update check", "Bob"),
    }
    assert counted["signal poke", "Ada"] == 4
    assert counted["activity on_loop", "Ada"] == 2
    assert counted["run of Parent", "Ada"] == 2
    for history in histories:
        await Replayer(workflows=[Parent], interceptors=[Tenant()]).replay_workflow(history)


async def test_headers_of_standalone_activities_arrive(address: str, task_queue: str) -> None:
    client = await Client.connect(address, interceptors=[Tenant()])
    tenant.set("Ada")
    async with Worker(client, task_queue=task_queue, activities=[on_thread]):
        result = await client.execute_activity(
            on_thread, id=task_queue, task_queue=task_queue, start_to_close_timeout=LIMIT
        )
    assert result == "Ada"
    assert arrivals == [("activity on_thread", "Ada")]


class Lenient(SealingCodec):
    """Opens what is sealed, and leaves what is not."""

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [opened(each.data) if each.metadata["encoding"] == SEALED else each for each in payloads]


@workflow.defn
async def calls_activities() -> None:
    await on_loop.execute()
    await on_thread.execute_local()


@pytest.mark.parametrize(
    ("behavior", "sealed_on_the_way", "in_activities"),
    [
        (HeaderCodecBehavior.NO_CODEC, {"workflow": False, "activity": False}, "Ada"),
        (HeaderCodecBehavior.CODEC, {"workflow": True, "activity": True}, "Ada"),
        (HeaderCodecBehavior.WORKFLOW_ONLY_CODEC, {"workflow": False, "activity": True}, "sealed"),
    ],
)
async def test_codecs_see_the_headers_that_they_are_to_see(
    client: Client,
    task_queue: str,
    behavior: HeaderCodecBehavior,
    sealed_on_the_way: dict[str, bool],
    in_activities: str,
) -> None:
    # With the last of them, the headers of the client are not sealed, which the other codec would refuse.
    codec = Lenient() if behavior is HeaderCodecBehavior.WORKFLOW_ONLY_CODEC else SealingCodec()
    client = with_config(client, data_converter=sealing(codec), interceptors=[Tenant()], header_codec_behavior=behavior)
    tenant.set("Ada")
    async with Worker(client, task_queue=task_queue, workflows=[calls_activities], activities=[on_loop, on_thread]):
        handle = await client.start_workflow(calls_activities, id=task_queue, task_queue=task_queue)
        await handle.result()
    assert arrivals == [
        ("run of calls_activities", "Ada"),
        ("activity on_loop", in_activities),
        ("activity on_thread", in_activities),
    ]
    encodings = {}
    async for event in handle.fetch_history_events():
        for name, attributes in (
            ("workflow", event.workflow_execution_started_event_attributes),
            ("activity", event.activity_task_scheduled_event_attributes),
        ):
            if attributes.header.fields:
                encodings[name] = attributes.header.fields[KEY].metadata["encoding"] == SEALED
    assert encodings == sealed_on_the_way


# Which interceptors a worker has


class Extern(Interceptor):
    def __init__(self, name: str) -> None:
        self.name = name

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> None:
        input.unsafe_extern_functions[self.name] = lambda: [*input.unsafe_extern_functions]


class ExternOfClient(Extern, clients.Interceptor): ...


@workflow.defn
async def asks_extern() -> Any:
    return workflow.extern_functions()["second"]()


async def test_those_of_the_client_come_first_and_share_extern_functions(address: str, task_queue: str) -> None:
    client = await Client.connect(address, interceptors=[ExternOfClient("client"), clients.Interceptor()])
    async with Worker(
        client, task_queue=task_queue, workflows=[asks_extern], interceptors=[Extern("first"), Extern("second")]
    ):
        names = await client.execute_workflow(asks_extern, id=task_queue, task_queue=task_queue)
    assert names == ["client", "first", "second"]


async def test_what_is_no_interceptor_is_refused(client: Client, address: str, task_queue: str) -> None:
    class Wrong(Interceptor):
        def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> Any:
            return TenantOutbound

    def worker(client: Client, *interceptors: Any) -> Worker:
        return Worker(client, task_queue=task_queue, workflows=[asks_extern], interceptors=interceptors)

    with pytest.raises(TypeError, match=r"subclasses of invincible.worker.Interceptor, got <class '.*Tenant'>"):
        worker(client, Tenant)
    with pytest.raises(TypeError, match=r"workflow_interceptor_class of .*Wrong must return a subclass of .* got <cl"):
        worker(client, Wrong())
    with pytest.raises(TypeError, match=r"workflow_interceptor_class of .*Wrong must return a subclass"):
        Replayer(workflows=[asks_extern], interceptors=[Wrong()])
    shared = Tenant()
    with_tenant = await Client.connect(address, interceptors=[shared])
    with pytest.raises(ValueError, match=r"interceptor .*Tenant is one of the client's, which the worker uses anyway"):
        worker(with_tenant, shared)


# Determinism


@workflow.defn
async def plain() -> str:
    return "done"


class Delaying(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        await workflow.sleep(0.001)
        return await super().execute_workflow(input)


def of(inbound: type[WorkflowInboundInterceptor]) -> Interceptor:
    class Of(Interceptor):
        def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
            return inbound

    return Of()


async def test_the_guard_watches_interceptors(client: Client, task_queue: str) -> None:
    async with Worker(
        client,
        task_queue=task_queue,
        workflows=[plain],
        interceptors=[of(AsksForTheTime)],
        workflow_failure_exception_types=[Exception],
    ):
        with pytest.raises(clients.WorkflowFailureError) as failure:
            await client.execute_workflow(plain, id=task_queue, task_queue=task_queue)
    assert "time.time_ns" in str(failure.value.cause)
    assert "tests/support/interceptors.py:" in str(failure.value.cause)


async def test_commands_of_interceptors_belong_to_the_history(client: Client, task_queue: str) -> None:
    async with Worker(client, task_queue=task_queue, workflows=[plain], interceptors=[of(Delaying)]):
        handle = await client.start_workflow(plain, id=f"{task_queue}-{uuid.uuid4()}", task_queue=task_queue)
        assert await handle.result() == "done"
        history = await handle.fetch_history()
    await Replayer(workflows=[plain], interceptors=[of(Delaying)]).replay_workflow(history)
    with pytest.raises(workflow.NondeterminismError):
        await Replayer(workflows=[plain]).replay_workflow(history)
    assert isinstance(Replayer(workflows=[plain], interceptors=(of(Delaying),)).config()["interceptors"], Sequence)
