"""The blocking client on the real server: all that it leads to, and what it raises."""

from __future__ import annotations

import asyncio
import threading
import traceback
from datetime import timedelta
from typing import Any

import pytest

from invincible.api.workflowservice.v1 import GetClusterInfoRequest
from invincible.client import (
    Interceptor,
    OutboundInterceptor,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    SignalWorkflowInput,
    SyncClient,
    SyncScheduleDescription,
    SyncScheduleUpdateInput,
    SyncServiceClient,
    SyncWithStartWorkflowOperation,
    SyncWorkflowExecution,
    SyncWorkflowExecutionDescription,
    SyncWorkflowHandle,
    SyncWorkflowUpdateHandle,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateStage,
    sync_timeout,
)
from invincible.common import WorkflowIDConflictPolicy
from invincible.converter import DataConverter, PayloadCodec
from invincible.exceptions import ApplicationError, WorkflowAlreadyStartedError
from invincible.service import ConnectConfig, RPCError, RPCStatusCode

from .workflows import Counter, call_the_server, fail, greet

SECOND = timedelta(seconds=1)


@pytest.mark.usefixtures("worker")
def test_a_workflow_from_start_to_result(sync_client: SyncClient, task_queue: str) -> None:
    handle = sync_client.start_workflow(Counter.run, 1, id=task_queue, task_queue=task_queue, memo={"colour": "red"})
    assert isinstance(handle, SyncWorkflowHandle)
    assert handle.id == task_queue
    handle.signal(Counter.add, 2)
    assert handle.query(Counter.current) == 3
    assert handle.execute_update(Counter.plus, 3) == 6
    update = handle.start_update(Counter.plus, 6, wait_for_stage=WorkflowUpdateStage.ACCEPTED, id="again")
    assert isinstance(update, SyncWorkflowUpdateHandle)
    assert update.result() == 12
    assert handle.get_update_handle_for(Counter.plus, "again").result() == 12

    description = handle.describe()
    assert isinstance(description, SyncWorkflowExecutionDescription)
    assert description.status == WorkflowExecutionStatus.RUNNING
    assert description.memo() == {"colour": "red"}
    assert description.memo_value("colour", type_hint=str) == "red"
    assert description.static_summary() is None

    handle.signal(Counter.finish)
    assert handle.result() == 12
    assert sync_client.get_workflow_handle_for(Counter.run, task_queue).result() == 12


@pytest.mark.usefixtures("worker")
def test_histories_and_lists_are_iterated_over(sync_client: SyncClient, task_queue: str) -> None:
    assert sync_client.execute_workflow(greet, "Ada", id=task_queue, task_queue=task_queue) == "Hello, Ada"
    handle = sync_client.get_workflow_handle(task_queue)
    history = handle.fetch_history()
    assert isinstance(history, WorkflowHistory)
    events = handle.fetch_history_events(page_size=2)
    assert [event.event_id for event in events] == [event.event_id for event in history.events]
    assert events.next_page_token is None
    with pytest.raises(StopIteration):
        next(events)

    query = f"WorkflowId = '{task_queue}'"
    with sync_timeout(timedelta(seconds=30)):
        while not (found := list(sync_client.list_workflows(query))):
            pass
        assert [type(execution) for execution in found] == [SyncWorkflowExecution]
        assert found[0].memo() == {}
        assert sync_client.count_workflows(query).count == 1

        executions = sync_client.list_workflows(query)
        executions.fetch_next_page()
        assert executions.current_page == found
        [mapped] = sync_client.list_workflows(query).map_histories()
        assert mapped.run_id == history.run_id


@pytest.mark.usefixtures("worker")
def test_update_with_start(sync_client: SyncClient, task_queue: str) -> None:
    start = SyncWithStartWorkflowOperation(
        Counter.run, 0, id=task_queue, task_queue=task_queue, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
    )
    assert sync_client.execute_update_with_start_workflow(Counter.plus, 8, start_workflow_operation=start) == 8
    handle = start.workflow_handle()
    assert isinstance(handle, SyncWorkflowHandle)
    assert handle.query(Counter.current) == 8
    with pytest.raises(RuntimeError, match="was used before"):
        sync_client.execute_update_with_start_workflow(Counter.plus, 8, start_workflow_operation=start)
    handle.terminate()


def test_schedules(sync_client: SyncClient, task_queue: str) -> None:
    action = ScheduleActionStartWorkflow("greet", "Ada", id=task_queue, task_queue=task_queue)
    far = ScheduleSpec(cron_expressions=["0 0 1 1 *"])
    handle = sync_client.create_schedule(task_queue, Schedule(action=action, spec=far), memo={"colour": "red"})
    caller = threading.get_ident()
    seen: list[SyncScheduleDescription] = []

    def note(given: SyncScheduleUpdateInput) -> ScheduleUpdate:
        assert threading.get_ident() == caller
        seen.append(given.description)
        assert given.description.memo() == {"colour": "red"}  # a blocking call within the call
        schedule = given.description.schedule
        schedule.state = ScheduleState(note="changed")
        return ScheduleUpdate(schedule)

    handle.update(note)
    description = handle.describe()
    assert description.schedule.state.note == "changed"
    assert [type(description), *map(type, seen)] == [SyncScheduleDescription] * 2

    def refuse(given: SyncScheduleUpdateInput) -> None:
        raise LookupError("not this one")

    with pytest.raises(LookupError, match="not this one"):
        handle.update(refuse)

    with sync_timeout(timedelta(seconds=30)):
        while not (listed := [entry for entry in sync_client.list_schedules() if entry.id == task_queue]):
            pass
        assert listed[0].memo() == {"colour": "red"}
    handle.delete()
    with pytest.raises(RPCError):
        handle.describe()


def test_raw_services(sync_client: SyncClient, address: str) -> None:
    info = sync_client.workflow_service.get_cluster_info(GetClusterInfoRequest())
    assert info.server_version
    assert sync_client.service_client.check_health()
    assert sync_client.workflow_service == sync_client.service_client.workflow_service
    connection = SyncServiceClient.connect(ConnectConfig(address))
    assert connection.check_health()
    assert SyncClient(connection).service_client.worker_service_client == connection


@pytest.mark.usefixtures("worker")
def test_errors_are_those_of_the_async_client_and_show_the_call(sync_client: SyncClient, task_queue: str) -> None:
    with pytest.raises(WorkflowFailureError) as failure:
        sync_client.execute_workflow(fail, "on purpose", id=task_queue, task_queue=task_queue)
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.message == "on purpose"

    with pytest.raises(RPCError) as raised:
        sync_client.get_workflow_handle("unknown").describe()
    assert raised.value.status == RPCStatusCode.NOT_FOUND
    text = "".join(traceback.format_exception(raised.value))
    assert 'sync_client.get_workflow_handle("unknown").describe()' in text
    assert text.index("test_sync_client.py") < text.index("_handle.py"), text

    handle = sync_client.start_workflow(Counter.run, 1, id=f"{task_queue}-open", task_queue=task_queue)
    with pytest.raises(WorkflowAlreadyStartedError):
        sync_client.start_workflow(Counter.run, 1, id=f"{task_queue}-open", task_queue=task_queue)
    handle.terminate()
    with pytest.raises(TypeError, match="'wrong'"):
        sync_client.start_workflow("greet", id="x", task_queue="x", wrong=1)  # type: ignore[call-overload]


def test_no_connection(task_queue: str) -> None:
    with pytest.raises(RuntimeError, match=r"could not connect to 127\.0\.0\.1:1: connection refused"):
        SyncClient.connect("127.0.0.1:1")
    with pytest.raises(ValueError, match="connect_timeout must be a positive duration"):
        SyncClient.connect("127.0.0.1:1", connect_timeout=-SECOND)


def test_time_limits(sync_client: SyncClient, task_queue: str) -> None:
    handle = sync_client.start_workflow("nobody", id=task_queue, task_queue=task_queue)
    with sync_timeout(SECOND / 5), pytest.raises(TimeoutError, match="the time that sync_timeout gave"):
        handle.result()
    with pytest.raises(RPCError) as raised:
        handle.query("nobody answers", rpc_timeout=SECOND / 5)
    assert raised.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    handle.terminate()


def test_after_its_end_a_client_and_what_it_led_to_are_of_no_use(address: str, task_queue: str) -> None:
    with SyncClient.connect(address) as client:
        handle = client.start_workflow("nobody", id=task_queue, task_queue=task_queue)
        events = handle.fetch_history_events()
        other = SyncClient(**client.config())
    for use in (
        lambda: client.count_workflows(),
        handle.describe,
        lambda: next(events),
        client.service_client.check_health,
    ):
        with pytest.raises(RuntimeError, match="this client is closed"):
            use()
    client.close()
    assert (client.namespace, handle.id) == ("default", task_queue)
    other.get_workflow_handle(task_queue).terminate()


def test_closing_ends_waits_of_other_threads(address: str, task_queue: str) -> None:
    client = SyncClient.connect(address)
    handle = client.start_workflow("nobody", id=task_queue, task_queue=task_queue)
    raised: list[BaseException] = []
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        try:
            handle.result()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(10)
    handle.describe()
    client.close()
    thread.join(10)
    assert [str(error) for error in raised] in (
        ["this client was closed while the call was under way"],
        ["this client is closed"],
    )
    with SyncClient.connect(address) as other:
        other.get_workflow_handle(task_queue).terminate()


@pytest.mark.usefixtures("worker")
def test_fifty_threads_share_a_client(sync_client: SyncClient, task_queue: str) -> None:
    results: dict[int, list[Any]] = {}
    counter = sync_client.start_workflow(Counter.run, 0, id=task_queue, task_queue=task_queue)

    def work(number: int) -> None:
        for step in range(3):
            counter.signal(Counter.add, 1)
            made = sync_client.execute_workflow(
                greet, f"{number}", id=f"{task_queue}-{number}-{step}", task_queue=task_queue
            )
            results.setdefault(number, []).append(made)

    threads = [threading.Thread(target=work, args=[number]) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert results == {number: [f"Hello, {number}"] * 3 for number in range(50)}
    counter.signal(Counter.finish)
    assert counter.result() == 150


@pytest.mark.usefixtures("worker")
def test_a_blocking_call_in_workflow_code_is_refused(sync_client: SyncClient, task_queue: str) -> None:
    told = sync_client.execute_workflow(call_the_server, id=task_queue, task_queue=task_queue)
    assert told.startswith("a call of a blocking client is not possible in workflow code")


class Reversing(PayloadCodec):
    """Does something asynchronous, as codecs that ask a key server do."""

    def __init__(self) -> None:
        self.loops: set[asyncio.AbstractEventLoop] = set()

    async def encode(self, payloads: Any) -> list[Any]:
        self.loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return [type(payload)(payload.metadata, payload.data[::-1]) for payload in payloads]

    decode = encode


class Counting(Interceptor, OutboundInterceptor):
    def __init__(self) -> None:
        self.signals: list[str] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        super(Interceptor, self).__init__(next)
        return self

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        await asyncio.sleep(0)
        self.signals.append(input.signal)
        await super().signal_workflow(input)


class OwnHandle(WorkflowHandle[Any, Any]):
    pass


class OwnHandles(Interceptor):
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        class Calls(OutboundInterceptor):
            async def start_workflow(self, input: Any) -> WorkflowHandle[Any, Any]:
                made = await super().start_workflow(input)
                return OwnHandle(made._client, made.id)

        return Calls(next)


def test_codecs_and_interceptors_that_wait_work_with_and_without_an_event_loop(address: str, task_queue: str) -> None:
    codec, counting = Reversing(), Counting()
    client = SyncClient.connect(
        address, data_converter=DataConverter(payload_codec=codec), interceptors=[counting, OwnHandles()]
    )

    def use(id: str) -> None:
        handle = client.start_workflow("nobody", "argument", id=id, task_queue=task_queue, memo={"colour": "red"})
        assert isinstance(handle, SyncWorkflowHandle)
        handle.signal("add", 1)
        assert handle.describe().memo() == {"colour": "red"}
        handle.terminate()

    async def within() -> None:
        use(f"{task_queue}-within")
        await asyncio.sleep(0)

    use(task_queue)
    asyncio.run(within())
    assert counting.signals == ["add", "add"]
    assert len(codec.loops) == 1
