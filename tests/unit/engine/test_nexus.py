"""Nexus operations as their caller: commands, starts, ends and cancellation."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.exceptions import CancelledError, NexusOperationError
from tests.support.engine import (
    Driver,
    application_failure,
    cancelled_failure,
    completed,
    kinds,
    nexus_failure,
    payload,
    value,
)


@dataclass
class Account:
    number: int


@dataclass
class Operation:
    """What a ``nexusrpc`` service has as an operation."""

    name: str
    input_type: Any = str
    output_type: Any = Account


def bank() -> workflow.NexusClient[Any]:
    return workflow.create_nexus_client(service="Accounts", endpoint="bank")


def started(token: str | None = "token", *, seq: int = 1) -> _native.ResolveNexusOperationStart:
    return _native.ResolveNexusOperationStart(seq=seq, operation_token=token, started_sync=token is None)


def done(result: Any, *, seq: int = 1) -> _native.ResolveNexusOperation:
    return _native.ResolveNexusOperation(seq=seq, result=payload(result))


@pytest.mark.parametrize("method", ["start_operation", "execute_operation"])
def test_every_option_arrives_in_the_command(method: str) -> None:
    @workflow.defn
    async def caller() -> None:
        start: Any = getattr(bank(), method)
        await start(
            "open",
            "Ada",
            schedule_to_close_timeout=timedelta(seconds=1),
            schedule_to_start_timeout=timedelta(seconds=2),
            start_to_close_timeout=timedelta(seconds=3),
            cancellation_type=workflow.NexusOperationCancellationType.TRY_CANCEL,
            headers={"trace": "1"},
            summary="why",
            event_groups=[workflow.create_event_group("group")],
        )

    (command,) = Driver(caller).start()
    assert isinstance(command, _native.ScheduleNexusOperation)
    assert (command.seq, command.endpoint, command.service, command.operation) == (1, "bank", "Accounts", "open")
    assert value(command.input) == "Ada"
    assert command.schedule_to_close_timeout == 1.0
    assert command.schedule_to_start_timeout == 2.0
    assert command.start_to_close_timeout == 3.0
    assert command.cancellation_type == 2
    assert command.nexus_header == {"trace": "1"}
    assert value(command.summary) == "why"
    assert [each.id for each in command.event_groups] == ["group"]


def test_options_that_are_not_given_are_not_sent() -> None:
    @workflow.defn
    async def caller() -> None:
        await bank().execute_operation("open", None)

    (command,) = Driver(caller).start()
    assert value(command.input) is None
    assert (command.schedule_to_close_timeout, command.schedule_to_start_timeout) == (None, None)
    assert command.start_to_close_timeout is None
    assert (command.cancellation_type, command.nexus_header, command.summary) == (0, {}, None)


def test_an_operation_that_takes_time_is_a_handle_once_it_has_started() -> None:
    @workflow.defn
    async def caller() -> list[Any]:
        handle = await bank().start_operation("open", "Ada")
        assert isinstance(handle, workflow.NexusOperationHandle)
        return [handle.operation_token, await handle]

    driver = Driver(caller)
    driver.start()
    assert driver.activate(started("token-1")) == []
    assert completed(driver.activate(done("opened"))) == ["token-1", "opened"]


def test_an_operation_that_is_done_at_once_has_no_token() -> None:
    @workflow.defn
    async def caller() -> list[Any]:
        handle = await bank().start_operation("open", "Ada")
        return [handle.operation_token, await handle]

    driver = Driver(caller)
    driver.start()
    assert completed(driver.activate(started(None), done("opened"))) == [None, "opened"]


@pytest.mark.parametrize(
    "execute",
    [
        lambda: bank().execute_operation("open", "Ada", output_type=Account),
        lambda: bank().execute_operation(Operation("open"), "Ada"),
        lambda: bank().execute_operation(Operation("open", output_type=None), "Ada", output_type=Account),
    ],
)
def test_results_have_the_type_of_the_operation_or_of_the_call(execute: Any) -> None:
    @workflow.defn
    async def caller() -> int:
        account = await execute()
        assert isinstance(account, Account)
        return account.number

    driver = Driver(caller)
    (command,) = driver.start()
    assert command.operation == "open"
    driver.activate(started())
    assert completed(driver.activate(done({"number": 5}))) == 5


def test_failures_of_start_and_end_are_raised() -> None:
    @workflow.defn
    async def caller() -> list[str]:
        caught = []
        for _ in range(2):
            try:
                await bank().execute_operation("open", "Ada")
            except NexusOperationError as error:
                cause: Any = error.cause
                caught.append(
                    f"{error.endpoint} {error.service} {error.operation}: {type(cause).__name__} {cause.message}"
                )
        return caught

    driver = Driver(caller)
    driver.start()
    failure = nexus_failure(application_failure("closed"))
    driver.activate(_native.ResolveNexusOperationStart(seq=1, failure=failure))
    driver.activate(started(seq=2))
    ended = driver.activate(_native.ResolveNexusOperation(seq=2, failure=failure))
    assert completed(ended) == ["bank Accounts open: ApplicationError closed"] * 2


@workflow.defn
async def patient() -> str:
    try:
        return str(await bank().execute_operation("open", "Ada"))
    except NexusOperationError as error:
        return type(error.cause).__name__


def test_cancelling_before_the_start_asks_for_it_and_waits() -> None:
    driver = Driver(patient)
    driver.start()
    (request,) = driver.activate(_native.CancelWorkflow())
    assert isinstance(request, _native.RequestCancelNexusOperation)
    assert request.seq == 1
    failure = nexus_failure(cancelled_failure())
    assert completed(driver.activate(_native.ResolveNexusOperationStart(seq=1, failure=failure))) == "CancelledError"


def test_cancelling_after_the_start_asks_for_it_and_waits() -> None:
    driver = Driver(patient)
    driver.start()
    driver.activate(started())
    (request,) = driver.activate(_native.CancelWorkflow())
    assert isinstance(request, _native.RequestCancelNexusOperation)
    failure = nexus_failure(cancelled_failure())
    assert completed(driver.activate(_native.ResolveNexusOperation(seq=1, failure=failure))) == "CancelledError"


def test_a_handle_is_cancelled_once_it_is_under_way() -> None:
    @workflow.defn
    async def caller() -> list[Any]:
        handle = await bank().start_operation("open", "Ada")
        asked = handle.cancel()
        return [asked, await handle, handle.cancel()]

    driver = Driver(caller)
    driver.start()
    assert kinds(driver.activate(started())) == [_native.RequestCancelNexusOperation]
    assert completed(driver.activate(done("opened"))) == [True, "opened", False]


def test_a_request_is_not_sent_when_the_operation_ends_in_the_same_task() -> None:
    @workflow.defn
    async def caller() -> None:
        handle = await bank().start_operation("open", "Ada")
        await workflow.sleep(1)
        handle.cancel()
        await workflow.sleep(1)

    driver = Driver(caller)
    driver.start()
    driver.activate(started())
    assert kinds(driver.activate(_native.FireTimer(seq=1), done("opened"))) == [_native.StartTimer]


def test_an_end_before_the_start_is_raised_at_the_start() -> None:
    """Core tells of it where the cancellation type does not wait; it goes on telling of the operation."""

    @workflow.defn
    async def caller() -> str:
        starting = asyncio.ensure_future(bank().start_operation("open", "Ada"))
        await workflow.sleep(1)
        starting.cancel()
        with pytest.raises(NexusOperationError) as raised:
            await starting
        await workflow.sleep(1)
        return type(raised.value.cause).__name__

    driver = Driver(caller)
    driver.start()
    assert kinds(driver.activate(_native.FireTimer(seq=1))) == [_native.RequestCancelNexusOperation]
    cancelled = _native.ResolveNexusOperation(seq=1, failure=nexus_failure(cancelled_failure()))
    assert kinds(driver.activate(cancelled)) == [_native.StartTimer]
    assert driver.activate(started(), done("opened")) == []
    assert completed(driver.activate(_native.FireTimer(seq=2))) == "CancelledError"


@workflow.defn
class Abandoning:
    """Leaves its operation when told to, and then stays."""

    def __init__(self) -> None:
        self.leaves = False

    @workflow.run
    async def run(self) -> None:
        call = bank().execute_operation(
            "open", "Ada", cancellation_type=workflow.NexusOperationCancellationType.ABANDON
        )
        waiting = asyncio.ensure_future(call)
        await workflow.wait_condition(lambda: self.leaves)
        waiting.cancel()
        with pytest.raises(NexusOperationError) as raised:
            await waiting
        error = raised.value
        assert (error.endpoint, error.service, error.operation) == ("bank", "Accounts", "open")
        assert (error.message, error.operation_token) == ("Nexus operation cancelled after starting", "token")
        assert type(error.cause) is CancelledError
        await workflow.sleep(1)

    @workflow.signal
    def leave(self) -> None:
        self.leaves = True


LEAVE = _native.SignalWorkflow(signal_name="leave")


@pytest.mark.parametrize("activations", [[[started()], [LEAVE]], [[LEAVE, started()]]], ids=["after", "with"])
def test_core_is_not_told_that_an_operation_is_left(activations: list[list[Any]]) -> None:
    """Its end would be a mismatch for Core. A stand-in that is cancelled at once has Core answer all the same."""
    driver = Driver(Abandoning)
    driver.start()
    stand_in, request = [driver.activate(*jobs) for jobs in activations][-1]
    assert (stand_in.endpoint, stand_in.service, stand_in.operation) == ("bank", "Accounts", "open")
    assert isinstance(request, _native.RequestCancelNexusOperation)
    assert request.seq == stand_in.seq > 1
    failure = nexus_failure(cancelled_failure())
    answer = _native.ResolveNexusOperationStart(seq=stand_in.seq, failure=failure)
    assert kinds(driver.activate(answer)) == [_native.StartTimer]
    assert driver.activate(done("opened")) == []
    assert completed(driver.activate(_native.FireTimer(seq=1))) is None


def test_an_operation_that_ends_in_the_task_in_which_it_is_left_has_ended() -> None:
    @workflow.defn
    class Caller:
        @workflow.run
        async def run(self) -> str:
            abandon = workflow.NexusOperationCancellationType.ABANDON
            self.handle = await bank().start_operation("open", "Ada", cancellation_type=abandon, output_type=str)
            return await self.handle

        @workflow.signal
        def leave(self) -> None:
            self.handle.cancel()

    driver = Driver(Caller)
    driver.start()
    driver.activate(started())
    # Core knows of the end, and makes nothing of the request.
    request, end = driver.activate(LEAVE, done("opened"))
    assert isinstance(request, _native.RequestCancelNexusOperation)
    assert request.seq == 1
    assert value(end.result) == "opened"


def test_an_operation_is_left_once() -> None:
    @workflow.defn
    async def caller() -> None:
        abandon = workflow.NexusOperationCancellationType.ABANDON
        handle = await bank().start_operation("open", "Ada", cancellation_type=abandon)
        await workflow.sleep(1)
        handle.cancel()
        handle.cancel()
        await workflow.sleep(1)
        handle.cancel()
        await workflow.sleep(1)

    driver = Driver(caller)
    driver.start()
    driver.activate(started())
    left = [_native.StartTimer, _native.ScheduleNexusOperation, _native.RequestCancelNexusOperation]
    assert kinds(driver.activate(_native.FireTimer(seq=1))) == left
    assert kinds(driver.activate(_native.FireTimer(seq=2))) == [_native.StartTimer]


def test_handles_go_into_gather_and_shield() -> None:
    @workflow.defn
    async def caller() -> list[Any]:
        client = bank()
        handles = [await client.start_operation("open", name) for name in ("Ada", "Bob")]
        return list(await asyncio.gather(handles[0], asyncio.shield(handles[1])))

    driver = Driver(caller)
    driver.start()
    driver.activate(started())
    driver.activate(started(seq=2))
    driver.activate(done("B", seq=2))
    assert completed(driver.activate(done("A"))) == ["A", "B"]


@pytest.mark.parametrize("job", [started(seq=3), done("", seq=3)])
def test_answers_to_what_was_not_asked_are_nondeterminism(job: Any) -> None:
    driver = Driver(patient)
    driver.start()
    with pytest.raises(workflow.NondeterminismError, match="an event for Nexus operation 3, but"):
        driver.activate(job)


# What is refused

# For calls that type checkers refuse too.
untyped: Any = bank


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            lambda: untyped().start_operation(3, "Ada"),
            TypeError,
            "a Nexus operation is named by an operation of a nexusrpc service, or by its name, got 3",
        ),
        (
            lambda: untyped().start_operation("open", object()),
            TypeError,
            "arguments of Nexus operation 'open' cannot be enc",
        ),
        (
            lambda: untyped().start_operation("open", "Ada", start_to_close_timeout=-1),
            ValueError,
            "start_to_close_timeout must not be negative",
        ),
        (
            lambda: untyped().start_operation("open", "Ada", cancellation_type=9),
            ValueError,
            "9 is not a valid NexusOperationCancellationType|must be a NexusOperationCancellationType, got 9",
        ),
        (
            lambda: workflow.create_nexus_client(service=Account, endpoint="bank"),
            TypeError,
            "Account is not a Nexus serv",
        ),
    ],
)
def test_wrong_calls_say_what_is_wrong(call: Any, error: type[Exception], match: str) -> None:
    @workflow.defn
    async def caller() -> None:
        await call()

    with pytest.raises(error, match=match):
        Driver(caller).start()


# With `nexusrpc`, which is no dependency: what of it is used stands in for it.


class Accounts:
    open = Operation("open-account")


def handler() -> None: ...


@pytest.fixture
def _nexusrpc(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(
        get_service_definition=lambda service: SimpleNamespace(name="TheAccounts") if service is Accounts else None,
        get_operation=lambda function: Operation("handled") if function is handler else None,
    )
    monkeypatch.setitem(sys.modules, "nexusrpc", stand_in)


@pytest.mark.usefixtures("_nexusrpc")
def test_services_and_operations_are_named_by_nexusrpc() -> None:
    @workflow.defn
    async def caller() -> None:
        client = workflow.create_nexus_client(service=Accounts, endpoint="bank")
        operations: list[Any] = [Accounts.open, handler]
        await asyncio.gather(*[client.start_operation(each, "Ada") for each in operations])

    first, second = Driver(caller).start()
    assert (first.service, first.operation) == ("TheAccounts", "open-account")
    assert second.operation == "handled"


@pytest.mark.usefixtures("_nexusrpc")
def test_other_classes_and_functions_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Account is not a Nexus service: decorate it with @nexusrpc.service"):
        workflow.create_nexus_client(service=Account, endpoint="bank")

    @workflow.defn
    async def caller() -> None:
        await bank().start_operation(print, "Ada")

    with pytest.raises(TypeError, match=r"a Nexus operation is named by .*, got print"):
        Driver(caller).start()
