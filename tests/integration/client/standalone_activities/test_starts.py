"""Standalone activities on the real server: how they start, what they know, and what is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible._native import Payload
from invincible.client import (
    ActivityExecutionStatus,
    ActivityHandle,
    Client,
    Interceptor,
    OutboundInterceptor,
    PendingActivityState,
    StartActivityInput,
)
from invincible.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    Priority,
    RetryPolicy,
)
from invincible.converter import ArgumentError
from invincible.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
)
from invincible.service import RPCError, RPCStatusCode
from invincible.testing._server import ServerProcess
from tests.support.standalone_activities import (
    MINUTE,
    SECOND,
    SOON,
    Greeter,
    Order,
    Till,
    describe_order,
    double,
    failure,
    nothing,
    refuse,
    show_info,
    worker,
)

# Starts and results


async def test_functions_methods_objects_and_names_start(client: Client, work: str, id: str) -> None:
    order = Order("tea", 2)
    assert await client.execute_activity(describe_order, order, id=f"{id}-1", task_queue=work) == "2 tea"
    assert await client.execute_activity(describe_order, args=[order, True], id=f"{id}-2", task_queue=work) == "2 TEA"
    assert await client.execute_activity(double, 4, id=f"{id}-3", task_queue=work) == 8
    await client.execute_activity(nothing, id=f"{id}-4", task_queue=work)
    assert await client.execute_activity_method(Till.price, order, id=f"{id}-5", task_queue=work) == "2 EUR"
    assert await client.execute_activity_class(Greeter, "Ada", id=f"{id}-6", task_queue=work) == "Hello, Ada"
    by_name = await client.start_activity(
        "describe_order", order, id=f"{id}-7", task_queue=work, start_to_close_timeout=MINUTE, result_type=str
    )
    assert await by_name.result() == "2 tea"
    assert await (await client.start_activity_method(Till.price, order, id=f"{id}-8", task_queue=work)).result()
    assert await (await client.start_activity_class(Greeter, "Ada", id=f"{id}-9", task_queue=work)).result()


async def test_a_handle_finds_the_result_of_an_earlier_start(client: Client, work: str, id: str) -> None:
    first = await client.start_activity(double, 1, id=id, task_queue=work)
    assert await first.result() == 2
    second = await client.start_activity(double, 5, id=id, task_queue=work)
    assert await second.result() == 10
    assert first.run_id != second.run_id
    assert await client.get_activity_handle(id).result() == 10
    assert await client.get_activity_handle(id, run_id=first.run_id, result_type=int).result() == 2
    assert repr(first) == f"<ActivityHandle id={id!r} run_id={first.run_id!r}>"
    assert await first.result() == 2, "a result that has come stays"


async def test_a_short_deadline_of_calls_leaves_the_wait_alone(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_activity(double, 2, id=id, task_queue=task_queue)
    waiting = asyncio.create_task(handle.result(rpc_timeout=SOON))
    async with worker(client, task_queue):
        assert await asyncio.wait_for(waiting, 30) == 4
    assert await asyncio.wait_for(client.get_activity_handle(id).result(rpc_timeout=SOON), 10) == 4


async def test_the_activity_knows_itself_and_no_workflow(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(show_info, id=id, task_queue=work, priority=Priority(priority_key=2))
    info = await handle.result()
    assert 0 <= info.pop("age") < 30
    assert info == {
        "activity_id": id,
        "activity_run_id": handle.run_id,
        "activity_type": "show_info",
        "attempt": 1,
        "heartbeat_details": [],
        "heartbeat_timeout": 10.0,
        "in_workflow": False,
        "is_local": False,
        "namespace": "default",
        "priority_key": 2,
        "retry_interval": 0.01,
        "schedule_to_close_timeout": None,
        "start_to_close_timeout": 60.0,
        "task_queue": work,
        "workflow_id": None,
        "workflow_namespace": "default",
        "workflow_run_id": None,
        "workflow_type": None,
    }


async def test_log_records_name_the_activity_and_no_workflow(
    client: Client, work: str, id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="invincible"):
        handle = await client.start_activity(refuse, "no tea", id=id, task_queue=work)
        await failure(handle)
    own = next(record for record in caplog.records if record.message == "about to refuse")
    assert own.__dict__["temporal_activity"] == {
        "activity_id": id,
        "activity_type": "refuse",
        "attempt": 1,
        "namespace": "default",
        "task_queue": work,
        "workflow_id": None,
        "workflow_run_id": None,
        "workflow_type": None,
    }
    assert f"activity refuse (id {id}, attempt 1) failed" in caplog.messages


async def test_options_of_the_call_go_before_those_of_the_definition(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_activity(
        show_info,
        id=id,
        task_queue=task_queue,
        start_to_close_timeout=2 * MINUTE,
        schedule_to_close_timeout=5 * MINUTE,
        schedule_to_start_timeout=3 * MINUTE,
        retry_policy=RetryPolicy(SECOND, maximum_attempts=4, non_retryable_error_types=["Bad"]),
        priority=Priority(priority_key=4, fairness_key="tenant", fairness_weight=2.0),
        summary="shows what it knows",
        start_delay=10 * MINUTE,
    )
    description = await handle.describe()
    assert description.start_to_close_timeout == 2 * MINUTE
    assert description.schedule_to_close_timeout == 5 * MINUTE
    assert description.schedule_to_start_timeout == 3 * MINUTE
    assert description.heartbeat_timeout == 10 * SECOND, "the definition's"
    assert description.retry_policy == RetryPolicy(
        SECOND, maximum_interval=100 * SECOND, maximum_attempts=4, non_retryable_error_types=["Bad"]
    )
    assert description.priority == Priority(priority_key=4, fairness_key="tenant", fairness_weight=2.0)
    assert await description.static_summary() == "shows what it knows"
    assert description.start_delay == 10 * MINUTE
    assert description.execution_time == description.schedule_time + 10 * MINUTE
    assert description.expiration_time == description.schedule_time + 15 * MINUTE
    assert description.status is ActivityExecutionStatus.RUNNING
    assert description.run_state is PendingActivityState.SCHEDULED
    await handle.terminate()


async def test_ids_are_taken_as_the_policies_say(client: Client, task_queue: str, id: str) -> None:
    handle = await client.start_activity(double, 1, id=id, task_queue=task_queue)
    with pytest.raises(ActivityAlreadyStartedError) as error:
        await client.start_activity(double, 1, id=id, task_queue=task_queue)
    assert (error.value.activity_id, error.value.activity_type) == (id, "double")
    assert error.value.run_id == handle.run_id
    existing = await client.start_activity(
        double, 1, id=id, task_queue=task_queue, id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING
    )
    assert existing.run_id == handle.run_id
    async with worker(client, task_queue):
        assert await handle.result() == 2
        for policy in (ActivityIDReusePolicy.REJECT_DUPLICATE, ActivityIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY):
            with pytest.raises(ActivityAlreadyStartedError):
                await client.start_activity(double, 1, id=id, task_queue=task_queue, id_reuse_policy=policy)
        again = await client.start_activity(double, 3, id=id, task_queue=task_queue)
        assert await again.result() == 6


# Mistakes


async def test_an_unknown_activity_is_not_found(client: Client) -> None:
    handle = client.get_activity_handle("no-such-activity")
    calls: list[Callable[[], Awaitable[Any]]] = [
        handle.result,
        handle.describe,
        handle.cancel,
        handle.terminate,
        handle.pause,
        handle.unpause,
        handle.restore_original_options,
    ]
    for call in calls:
        with pytest.raises(RPCError, match="no-such-activity") as error:
            await call()
        assert error.value.status is RPCStatusCode.NOT_FOUND


async def test_a_type_without_a_worker_is_named_with_those_that_are_known(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(
        "tripel",
        id=id,
        task_queue=work,
        start_to_close_timeout=MINUTE,
        retry_policy=RetryPolicy(maximum_attempts=1),
    )
    cause = await failure(handle)
    assert isinstance(cause, ApplicationError)
    assert "activity type 'tripel' is not registered" in cause.message
    assert "double" in cause.message


async def test_wrong_arguments_name_activity_and_parameter(client: Client, work: str, id: str) -> None:
    with pytest.raises(ArgumentError, match=r"activity 'describe_order' takes \(order: Order.*'order' is missing"):
        await client.start_activity(describe_order, args=[], id=id, task_queue=work)
    with pytest.raises(ArgumentError, match=r"activity 'describe_order', argument order: .*object"):
        await client.start_activity(describe_order, object(), id=id, task_queue=work)  # type: ignore[arg-type]
    once = RetryPolicy(maximum_attempts=1)
    handle = await client.start_activity(
        "double", "two", id=id, task_queue=work, start_to_close_timeout=MINUTE, retry_policy=once
    )
    cause = await failure(handle)
    assert isinstance(cause, ApplicationError)
    assert "activity 'double', argument number" in cause.message
    assert "int" in cause.message


async def test_a_result_of_another_type_names_the_activity(client: Client, work: str, id: str) -> None:
    handle = await client.start_activity(
        "double", 2, id=id, task_queue=work, start_to_close_timeout=MINUTE, result_type=Order
    )
    with pytest.raises(ArgumentError, match=f"activity '{id}', result: expected Order"):
        await handle.result()


@pytest.mark.parametrize(
    ("start", "error", "message"),
    [
        (
            lambda c: c.start_activity("x", id="i", task_queue="q"),
            ValueError,
            "activity 'x' needs start_to_close_timeout or",
        ),
        (lambda c: c.start_activity(double, 1, args=[2], id="i", task_queue="q"), ValueError, "either arg or args"),
        (lambda c: c.start_activity(print, id="i", task_queue="q"), TypeError, "print is not an activity"),
        (lambda c: c.start_activity(double, 1, id="", task_queue="q"), ValueError, "id of activity 'double' must not"),
        (
            lambda c: c.start_activity(double, 1, id=5, task_queue="q"),
            TypeError,
            "id of activity 'double' must be a str",
        ),
        (lambda c: c.start_activity(double, 1, id="i", task_queue=""), ValueError, "task_queue of activity 'double'"),
        (
            lambda c: c.start_activity(double, 1, id="i", task_queue="q", heartbeat_timeout="5"),
            TypeError,
            "heartbeat_timeout must be a timedelta, got str",
        ),
        (
            lambda c: c.start_activity(double, 1, id="i", task_queue="q", start_delay=-SECOND),
            ValueError,
            "start_delay must not be negative",
        ),
        (
            lambda c: c.start_activity(double, 1, id="i", task_queue="q", retry_policy=3),
            TypeError,
            "retry_policy must be",
        ),
    ],
)
async def test_starts_that_make_no_sense_are_refused(
    client: Client, start: Callable[[Any], Awaitable[Any]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await start(client)


# Interceptors


class Recorder(Interceptor):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return RecordedCalls(next, self.seen)


class RecordedCalls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, seen: list[Any]) -> None:
        super().__init__(next)
        self.seen = seen

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if "activit" not in name:
            return method

        def recorded(input: Any) -> Any:
            self.seen.append((name, input))
            return method(input)

        return recorded

    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        assert isinstance(input.args[0], int)
        input.args = [input.args[0] + 1]
        input.headers = {"tenant": Payload({"encoding": b"json/plain"}, b'"acme"')}
        return await super().start_activity(input)


async def test_interceptors_see_and_change_every_call(client: Client, work: str, id: str) -> None:
    recorder = Recorder()
    intercepted = Client(client.service_client, interceptors=[recorder])
    handle = await intercepted.start_activity(double, 4, id=id, task_queue=work)
    assert await handle.result() == 10
    description = await handle.describe()
    assert description.raw_info.header.fields["tenant"].data == b'"acme"'

    waiting = await intercepted.start_activity(double, 4, id=f"{id}-2", task_queue=f"{work}-none")
    await waiting.pause()
    await waiting.unpause()
    await waiting.restore_original_options()
    await waiting.cancel()
    with pytest.raises(RPCError):
        await waiting.terminate()
    intercepted.list_activities("")
    await intercepted.count_activities("")
    assert [name for name, _ in recorder.seen] == [
        "start_activity",
        "describe_activity",
        "start_activity",
        "pause_activity",
        "unpause_activity",
        "update_activity_options",
        "cancel_activity",
        "terminate_activity",
        "list_activities",
        "count_activities",
    ]


async def test_metadata_and_deadline_go_with_the_call(client: Client, task_queue: str, id: str) -> None:
    with pytest.raises(RPCError) as error:
        await client.start_activity(double, 1, id=id, task_queue=task_queue, rpc_timeout=timedelta(microseconds=1))
    assert error.value.status in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED)
    with pytest.raises(ValueError, match="rpc_metadata key"):
        await client.start_activity(double, 1, id=id, task_queue=task_queue, rpc_metadata={"bad key": "x"})


async def test_a_wait_outlives_a_restart_of_the_server(tmp_path: Any, task_queue: str, id: str) -> None:
    options = ["--headless", "--db", str(tmp_path / "server.db")]
    server = ServerProcess(["--port", "0", *options])
    try:
        client = await Client.connect(server.ready.grpc)
        handle = await client.start_activity(double, 4, id=id, task_queue=task_queue)
        waiting = asyncio.create_task(handle.result())
        await asyncio.to_thread(server.stop)
        server = await asyncio.to_thread(ServerProcess, ["--port", server.ready.grpc.rpartition(":")[2], *options])
        async with worker(await Client.connect(server.ready.grpc), task_queue):
            assert await asyncio.wait_for(waiting, 60) == 8
    finally:
        server.stop()
