"""Nexus operations that a worker handles, called by clients: results, failures, cancellation, links."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import nexusrpc
import pytest
from nexusrpc.handler import (
    StartOperationContext,
    service_handler,
    sync_operation,
)

from invincible import nexus, worker
from invincible.client import Client, NexusClient, NexusOperationFailureError
from invincible.common import NexusOperationCancellationState
from invincible.exceptions import ApplicationError, CancelledError, FailureError, NexusHandlerError
from invincible.runtime import MetricBuffer, Runtime, TelemetryConfig
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.go_worker import nexus_endpoint
from tests.support.guides import follow

from .people import MINUTE, People, PeopleHandler, Person, served


@pytest.fixture
async def people(client: Client, task_queue: str) -> AsyncIterator[tuple[PeopleHandler, NexusClient[People]]]:
    async with served(client, task_queue) as both:
        yield both


Both = tuple[PeopleHandler, NexusClient[People]]


async def test_operations_have_typed_inputs_and_results(people: Both, task_queue: str) -> None:
    handler, caller = people
    assert await caller.execute_operation(People.greet, Person("Ada"), id=task_queue) == "Hello, Ada"
    assert await caller.execute_operation(People.grow, Person("Ada"), id=task_queue) == Person("Ada", 37)
    nothing: Any = await caller.execute_operation("nothing", None, id=task_queue)
    assert nothing is None
    [(thread, info, inside)] = handler.seen
    assert (thread, inside) == ("invincible-nexus", True)
    assert info == nexus.Info(endpoint=task_queue, namespace="default", task_queue=task_queue)


async def test_handlers_know_their_request(
    people: Both, client: Client, task_queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    handler, caller = people
    asked = await caller.start_operation(
        People.ask, "me", id=task_queue, headers={"Trace": "t-1"}, schedule_to_close_timeout=MINUTE
    )
    assert await asked.result() == {
        "info": {"endpoint": task_queue, "namespace": "default", "task_queue": task_queue},
        "shutdown": False,
    }
    [ctx] = handler.seen
    assert (ctx.service, ctx.operation, ctx.headers["trace"]) == ("people", "ask", "t-1")
    assert ctx.request_id == (await asked.describe()).request_id
    assert ctx.callback_url is not None
    [link] = ctx.inbound_links
    assert link.type == "temporal.api.common.v1.Link.NexusOperation"
    assert f"/nexus-operations/{task_queue}/{asked.run_id}/" in link.url
    now = datetime.now(timezone.utc)
    assert now - MINUTE < ctx.request_deadline < now + MINUTE
    [record] = [each for each in caplog.records if each.name == "invincible.nexus"]
    assert record.getMessage() == "asked for me"
    told = {name: getattr(record, name) for name in ("service", "operation", "task_queue")}
    assert told == {"service": "people", "operation": "ask", "task_queue": task_queue}


@pytest.mark.parametrize(
    ("failure", "type", "message"),
    [
        ("bad request", "BAD_REQUEST", "bad"),
        ("own", "CONFLICT", "mine"),
        ("final", "UNAVAILABLE", "final"),
        ("service", "NOT_FOUND", "not there"),
        ("no text", "BAD_REQUEST", "None"),
        ("not retryable", "INTERNAL", "Handler failed with non-retryable application error"),
    ],
)
async def test_handlers_that_fail_for_good_end_the_operation(
    people: Both, task_queue: str, failure: str, type: str, message: str
) -> None:
    _, caller = people
    with pytest.raises(NexusOperationFailureError) as raised:
        await caller.execute_operation(People.fail, failure, id=task_queue)
    error = raised.value.cause
    assert isinstance(error, NexusHandlerError)
    assert (error.type, error.message) == (type, message)
    if failure == "not retryable":
        assert isinstance(error.cause, ApplicationError)
        assert (error.cause.type, list(error.cause.details), error.cause.non_retryable) == ("Never", [1], True)
    if failure == "bad request":
        assert isinstance(error.cause, ApplicationError)
        assert (error.cause.type, error.cause.message) == ("ValueError", "why")


@pytest.mark.parametrize(
    ("failure", "type", "cause"),
    [
        ("retryable", "INTERNAL", "again"),
        ("retryable by application", "INTERNAL", "again"),
        ("once more", "BAD_REQUEST", None),
        ("cancelled by itself", "INTERNAL", "stopped"),
        ("no more", "INTERNAL", "the handler raised StopIteration"),
    ],
)
async def test_other_failures_are_retried(
    people: Both, task_queue: str, failure: str, type: str, cause: str | None
) -> None:
    _, caller = people
    # What an async def raises instead of a StopIteration says so in words of its own.
    operation = People.fail_in_thread if failure == "no more" else People.fail
    started = await caller.start_operation(operation, failure, id=task_queue)

    async def failed_again() -> FailureError | None:
        description = await started.describe()
        assert description.attempt > 1
        error = description.last_attempt_failure
        assert isinstance(error, FailureError)
        return error

    error = await eventually(failed_again, what="a second attempt")
    assert isinstance(error, NexusHandlerError)
    assert error.type == type
    if cause is not None:
        assert isinstance(error.cause, ApplicationError)
        assert error.cause.message == cause
    await started.terminate()


async def test_operations_fail_and_are_cancelled_by_their_handler(people: Both, task_queue: str) -> None:
    _, caller = people
    with pytest.raises(NexusOperationFailureError) as raised:
        await caller.execute_operation(People.fail, "operation failed", id=task_queue)
    error = raised.value.cause
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.non_retryable) == ("no", "OperationError", True)
    assert isinstance(error.cause, ApplicationError)
    assert list(error.cause.details) == [1]
    with pytest.raises(NexusOperationFailureError) as raised:
        await caller.execute_operation(People.fail, "operation cancelled", id=task_queue)
    assert isinstance(raised.value.cause, CancelledError)


async def test_what_is_not_there_or_does_not_fit_is_refused(people: Both, client: Client, task_queue: str) -> None:
    _, caller = people

    async def refusal(caller: NexusClient[Any], operation: str, arg: Any) -> NexusHandlerError:
        with pytest.raises(NexusOperationFailureError) as raised:
            await caller.execute_operation(operation, arg, id=task_queue)
        assert isinstance(raised.value.cause, NexusHandlerError)
        return raised.value.cause

    assert (await refusal(caller, "no-such", 1)).type == "NOT_FOUND"
    other: NexusClient[Any] = client.create_nexus_client("no-such", task_queue)
    error = await refusal(other, "greet", 1)
    assert (error.type, error.message) == ("NOT_FOUND", "No handler for service 'no-such'.")
    error = await refusal(caller, "greet", {"age": 36})
    assert (error.type, error.retryable) == ("BAD_REQUEST", False)
    assert isinstance(error.cause, ApplicationError)
    assert "Person needs the field 'name'" in error.cause.message


async def test_an_operation_that_goes_on_is_cancelled_by_its_token(people: Both, task_queue: str) -> None:
    handler, caller = people
    started = await caller.start_operation(People.go_on, "Ada", id=task_queue)

    async def token() -> str | None:
        return (await started.describe()).operation_token

    assert await eventually(token, what="the operation has started") == "token of Ada"
    await started.cancel()

    async def told() -> bool:
        return handler.seen == [("cancel", "go_on", "token of Ada")]

    await eventually(told, what="its handler was asked")
    await started.terminate()


async def test_a_cancellation_that_its_handler_refuses_has_failed(people: Both, task_queue: str) -> None:
    _, caller = people
    started = await caller.start_operation(People.go_on, "stubborn", id=task_queue)
    await started.cancel()

    async def refused() -> bool:
        info = (await started.describe()).cancellation_info
        return info is not None and info.state is NexusOperationCancellationState.FAILED

    await eventually(refused, what="the cancellation has failed")
    await started.terminate()


@pytest.mark.parametrize("operation", [People.wait, People.wait_in_thread])
async def test_a_handler_is_told_that_its_request_has_timed_out(
    people: Both, task_queue: str, operation: nexusrpc.Operation[str, str]
) -> None:
    handler, caller = people
    with pytest.raises(NexusOperationFailureError):
        # Half of it is left to the handler.
        await caller.execute_operation(operation, "", id=task_queue, schedule_to_close_timeout=timedelta(seconds=2))

    async def told() -> bool:
        return handler.seen == [(True, "TIMED_OUT")]

    await eventually(told, what="the handler was told")


async def test_handlers_have_their_grace_when_the_worker_shuts_down(client: Client, task_queue: str) -> None:
    async with served(client, task_queue, graceful_shutdown_timeout=MINUTE) as (handler, caller):
        calls = [
            await caller.start_operation(operation, "for shutdown", id=f"{task_queue}-{operation.name}")
            for operation in (People.wait, People.wait_in_thread)
        ]
        await asyncio.to_thread(handler.waiting.wait, 30)
        first = await caller.start_operation(People.nothing, None, id=f"{task_queue}-nothing")
        await first.result()
    assert [await call.result() for call in calls] == ["shut down", "shut down"]


async def test_a_handler_that_a_shutdown_cancels_is_called_again_elsewhere(client: Client, task_queue: str) -> None:
    async with nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint:
        caller = client.create_nexus_client(People, endpoint)
        stopped = PeopleHandler()
        async with Worker(client, task_queue=task_queue, nexus_service_handlers=[stopped]):
            waits = await caller.start_operation(People.wait, "", id=task_queue, schedule_to_close_timeout=MINUTE)
            await asyncio.to_thread(stopped.waiting.wait, 30)
        assert stopped.seen == [(True, "WORKER_SHUTDOWN")]

        async def again() -> bool:
            error = (await waits.describe()).last_attempt_failure
            return isinstance(error, NexusHandlerError) and error.type == "UNAVAILABLE"

        await eventually(again, what="the server knows that the worker is gone")
        await waits.terminate()


async def test_a_thread_that_ignores_the_shutdown_keeps_no_worker(client: Client, task_queue: str) -> None:
    release = threading.Event()

    @service_handler(name="stuck")
    class Stuck:
        @sync_operation
        def stay(self, ctx: StartOperationContext, input: None) -> None:
            entered.set()
            release.wait(60)

    entered = threading.Event()
    async with nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint:
        caller: NexusClient[Any] = client.create_nexus_client("stuck", endpoint)
        try:
            async with Worker(client, task_queue=task_queue, nexus_service_handlers=[Stuck()]):
                stays = await caller.start_operation("stay", None, id=task_queue, schedule_to_close_timeout=MINUTE)
                await asyncio.to_thread(entered.wait, 30)
            assert not release.is_set()
        finally:
            release.set()
        await stays.terminate()


async def test_def_handlers_run_in_the_worker_s_executor(client: Client, task_queue: str) -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as executor:
        async with served(client, task_queue, nexus_task_executor=executor) as (handler, caller):
            await caller.execute_operation(People.grow, Person("Ada"), id=task_queue)
    [(thread, *_)] = handler.seen
    assert thread.startswith("mine")


async def test_no_more_handlers_run_than_there_are_slots(client: Client, task_queue: str) -> None:
    running, most = 0, 0

    @service_handler(name="counting")
    class Counting:
        @sync_operation
        async def count(self, ctx: StartOperationContext, input: None) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.05)
            running -= 1

    options: dict[str, Any] = {"nexus_service_handlers": [Counting()], "max_concurrent_nexus_tasks": 2}
    async with nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint:
        caller: NexusClient[Any] = client.create_nexus_client("counting", endpoint)
        async with Worker(client, task_queue=task_queue, **options):
            calls = [caller.execute_operation("count", None, id=f"{task_queue}-{number}") for number in range(8)]
            await asyncio.gather(*calls)
    assert most == 2


class Recorder(worker.Interceptor):
    def __init__(self, name: str, seen: list[Any]) -> None:
        self.name, self.seen = name, seen

    def intercept_nexus_operation(
        self, next: worker.NexusOperationInboundInterceptor
    ) -> worker.NexusOperationInboundInterceptor:
        return Recording(next, self)


class Recording(worker.NexusOperationInboundInterceptor):
    def __init__(self, next: worker.NexusOperationInboundInterceptor, recorder: Recorder) -> None:
        super().__init__(next)
        self.recorder = recorder

    async def execute_nexus_operation_start(self, input: worker.ExecuteNexusOperationStartInput) -> Any:
        self.recorder.seen.append((self.recorder.name, input.ctx.operation, input.input))
        if isinstance(input.input, Person):
            input.input = Person(f"{input.input.name}-{self.recorder.name}")
        return await super().execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(self, input: worker.ExecuteNexusOperationCancelInput) -> None:
        self.recorder.seen.append((self.recorder.name, input.ctx.operation, input.token))
        await super().execute_nexus_operation_cancel(input)


async def test_interceptors_are_around_handlers(client: Client, task_queue: str) -> None:
    seen: list[Any] = []
    interceptors = [Recorder("outer", seen), Recorder("inner", seen)]
    async with served(client, task_queue, interceptors=interceptors) as (handler, caller):
        greeted = await caller.execute_operation(People.greet, Person("Ada"), id=task_queue)
        assert greeted == "Hello, Ada-outer-inner"
        assert seen == [("outer", "greet", Person("Ada")), ("inner", "greet", Person("Ada-outer"))]
        seen.clear()
        started = await caller.start_operation(People.go_on, "Ada", id=task_queue)
        await started.cancel()

        async def cancelled() -> bool:
            return len(handler.seen) == 1

        await eventually(cancelled, what="the handler was asked")
        await started.terminate()
    token = "token of Ada"
    assert seen == [
        *(("outer", "go_on", "Ada"), ("inner", "go_on", "Ada")),
        *(("outer", "go_on", token), ("inner", "go_on", token)),
    ]


async def test_handlers_use_the_worker_s_client(client: Client, task_queue: str) -> None:
    @service_handler(name="asking")
    class Asking:
        @sync_operation
        async def identity(self, ctx: StartOperationContext, input: None) -> str:
            return nexus.client().identity

    named = await Client.connect(client.service_client.config.target_host, identity="the worker's")
    async with nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint:
        caller: NexusClient[Any] = client.create_nexus_client("asking", endpoint)
        async with Worker(named, task_queue=task_queue, nexus_service_handlers=[Asking()]) as running:
            assert await caller.execute_operation("identity", None, id=task_queue) == "the worker's"
            running.client = await Client.connect(client.service_client.config.target_host, identity="another's")
            assert await caller.execute_operation("identity", None, id=task_queue) == "another's"


async def test_the_guide_does_what_it_says(
    client: Client, address: str, task_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    replacements = {
        "payments-endpoint": f"{task_queue}-payments",
        'task_queue = "payments"': f'task_queue = "{task_queue}"',
        'task_queue="payments"': f'task_queue="{task_queue}"',
        'task_queue="shop"': f'task_queue="{task_queue}-shop"',
        "checkout-17": f"{task_queue}-checkout",
        "charge-{": f"{task_queue}-{{",
    }
    names = await follow("nexus.md", address, replacements)
    await names["main"]()
    assert capsys.readouterr().out == "receipt for 17: 42\n"

    order = names["Order"]("17", 0)
    async with nexus_endpoint(client, name=task_queue, task_queue=f"{task_queue}-others") as endpoint:
        caller: NexusClient[Any] = client.create_nexus_client("Accounts", endpoint)
        async with Worker(
            client,
            task_queue=f"{task_queue}-others",
            nexus_service_handlers=[names["Accounts"]()],
            interceptors=[names["OnlyKnownCallers"]()],
        ):
            known = {"authorization": "secret"}
            assert await caller.execute_operation("close", order, id=task_queue, headers=known) == "nothing to do"
            with pytest.raises(NexusOperationFailureError) as raised:
                await caller.execute_operation("close", order, id=task_queue)
    assert isinstance(raised.value.cause, NexusHandlerError)
    assert raised.value.cause.type == "UNAUTHENTICATED"


async def test_metrics_name_the_operation(address: str, task_queue: str) -> None:
    buffer = MetricBuffer(1000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    client = await Client.connect(address, runtime=runtime)
    async with served(client, task_queue) as (_, caller):
        await caller.execute_operation(People.ask, "me", id=task_queue)
    [update] = [each for each in buffer.retrieve_updates() if each.metric.name == "asked"]
    attributes = {"task_queue": task_queue, "nexus_service": "people", "nexus_operation": "ask"}
    assert attributes.items() <= update.attributes.items()
