"""Interceptors of calls on their way to workflow code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import RawValue
from invincible.exceptions import ApplicationError
from invincible.worker import (
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from tests.support.engine import (
    Driver,
    activity_done,
    completed,
    failed,
    greet,
    kinds,
    payload,
    signal,
    update,
    value,
)

HEADERS = {"trace": payload("t")}

seen: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


class Recording(WorkflowInboundInterceptor):
    """Tells what passes; its subclasses have names."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self._see("made")

    def _see(self, *what: Any) -> None:
        seen.append((type(self).__name__, *what))

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self._see("init")
        super().init(outbound)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        self._see("run", input)
        result = await super().execute_workflow(input)
        self._see("ran", result)
        return result

    async def handle_signal(self, input: HandleSignalInput) -> None:
        self._see("signal", input)
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        self._see("query", input)
        return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        self._see("validator", input)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        self._see("update", input)
        return await super().handle_update_handler(input)


class Outer(Recording): ...


class Inner(Recording): ...


@workflow.defn
class Basket:
    def __init__(self) -> None:
        seen.append("instance")
        self.items: list[str] = []

    @workflow.run
    async def run(self, owner: str, *, size: int = 1) -> str:
        await workflow.wait_condition(lambda: len(self.items) == size)
        return f"{owner}: {', '.join(self.items)}"

    @workflow.signal
    def add(self, item: str) -> None:
        self.items.append(item)

    @workflow.signal
    async def add_twice(self, item: str) -> None:
        self.items += [item, item]

    @workflow.query
    def count(self, times: int = 1) -> int:
        return len(self.items) * times

    @workflow.query
    def negative(self) -> int:
        return -len(self.items)

    @workflow.update
    async def put(self, item: str) -> str:
        self.items.append(item)
        return item

    @put.validator
    def check_put(self, item: str) -> None:
        if item == "stone":
            raise ValueError("no stones")

    @workflow.update
    def drop(self, item: str) -> str:
        return f"no {item}"


def methods() -> list[Any]:
    return [each if isinstance(each, str) else each[:2] for each in seen]


def inputs(kind: str) -> list[Any]:
    return [each[2] for each in seen if each[1] == kind]


def accepted_result(commands: list[Any]) -> Any:
    assert kinds(commands)[:2] == [_native.UpdateAccepted, _native.UpdateCompleted], commands
    return value(commands[1].result)


# Order and inputs


def test_the_first_is_outermost_and_all_are_made_before_the_workflow() -> None:
    driver = Driver(Basket, "me", interceptors=[Outer, Inner])
    driver.start()
    made = [("Inner", "made"), ("Outer", "made"), ("Outer", "init"), ("Inner", "init"), "instance"]
    assert methods() == [*made, ("Outer", "run"), ("Inner", "run")]
    assert completed(driver.activate(signal("add", "apple"))) == "me: apple"
    assert methods()[-4:] == [("Outer", "signal"), ("Inner", "signal"), ("Inner", "ran"), ("Outer", "ran")]


def test_the_run_comes_with_class_method_arguments_and_headers() -> None:
    Driver(Basket, "me", 2, headers=HEADERS, interceptors=[Outer]).start()
    (input,) = inputs("run")
    assert input == ExecuteWorkflowInput(Basket, Basket.run, ["me", 2], HEADERS)


def test_a_function_is_its_own_type() -> None:
    @workflow.defn
    async def plain(number: int) -> int:
        return number

    assert completed(Driver(plain, 3, interceptors=[Outer]).start()) == 3
    assert inputs("run") == [ExecuteWorkflowInput(plain, plain, [3], {})]


def test_messages_come_with_names_arguments_and_headers() -> None:
    driver = Driver(Basket, "me", 9, interceptors=[Outer])
    driver.start(_native.SignalWorkflow(signal_name="add", input=[payload("apple")], headers=HEADERS))
    answer = driver.activate(
        _native.QueryWorkflow(query_id="q1", query_type="count", arguments=[payload(2)], headers=HEADERS)
    )
    assert value(answer[0].result) == 2
    put = _native.DoUpdate(
        id="u1", protocol_instance_id="p", name="put", input=[payload("pear")], headers=HEADERS, run_validator=True
    )
    assert accepted_result(driver.activate(put)) == "pear"
    assert inputs("signal") == [HandleSignalInput("add", ["apple"], HEADERS)]
    assert inputs("query") == [HandleQueryInput("q1", "count", [2], HEADERS)]
    assert inputs("validator") == inputs("update") == [HandleUpdateInput("u1", "put", ["pear"], HEADERS)]


def test_a_validator_is_intercepted_only_where_one_runs() -> None:
    driver = Driver(Basket, "me", 9, interceptors=[Outer])
    driver.start()
    assert accepted_result(driver.activate(update("drop", "pear"))) == "no pear"
    assert accepted_result(driver.activate(update("put", "pear", run_validator=False))) == "pear"
    assert (len(inputs("validator")), len(inputs("update"))) == (0, 2)
    (rejection,) = driver.activate(update("put", "stone"))
    assert rejection.failure.message == "no stones"
    assert (len(inputs("validator")), len(inputs("update"))) == (1, 2)


def test_dynamic_handlers_get_the_name_and_raw_arguments() -> None:
    @workflow.defn
    class Anything:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

        @workflow.signal(dynamic=True)
        def signals(self, name: str, args: Sequence[RawValue]) -> None:
            seen.append((name, len(args)))

        @workflow.query(dynamic=True)
        def queries(self, name: str, args: Sequence[RawValue]) -> str:
            return f"{name} {len(args)}"

        @workflow.update(dynamic=True)
        def updates(self, name: str, args: Sequence[RawValue]) -> str:
            return f"{name} {len(args)}"

    driver = Driver(Anything, interceptors=[Outer])
    driver.start(signal("s", 1, 2))
    assert ("s", 2) in seen
    assert value(driver.query("q", 1).result) == "q 1"
    assert accepted_result(driver.activate(update("u"))) == "u 0"
    assert [[name, len(raw)] for name, raw in (inputs(each)[0].args for each in ("signal", "query", "update"))] == [
        ["s", 2],
        ["q", 1],
        ["u", 0],
    ]


def test_a_dynamic_workflow_gets_its_raw_arguments() -> None:
    @workflow.defn(dynamic=True)
    class Anything:
        @workflow.run
        async def run(self, args: Sequence[RawValue]) -> int:
            return len(args)

    assert completed(Driver(Anything, 1, 2, interceptors=[Outer]).start()) == 2
    assert [len(each) for each in inputs("run")[0].args] == [2]


def test_handlers_set_at_run_time_are_intercepted_when_they_run() -> None:
    @workflow.defn
    async def late() -> list[str]:
        got: list[str] = []
        await greet.execute("first")
        workflow.set_signal_handler("late", got.append)
        await workflow.wait_condition(lambda: len(got) == 1)
        return got

    driver = Driver(late, interceptors=[Outer])
    driver.start(signal("late", "buffered"))
    assert not inputs("signal")
    assert completed(driver.activate(activity_done("hello"))) == ["buffered"]
    assert inputs("signal") == [HandleSignalInput("late", ["buffered"], {})]


@pytest.mark.parametrize("interceptors", [[], [Outer]])
def test_a_handler_that_is_removed_meanwhile_still_gets_what_has_come(interceptors: list[Any]) -> None:
    @workflow.defn
    class Replaced:
        def __init__(self) -> None:
            self.got: list[str] = []

        @workflow.run
        async def run(self) -> list[str]:
            await workflow.wait_condition(lambda: len(self.got) == 1)
            return self.got

        @workflow.signal
        def remove(self) -> None:
            workflow.set_signal_handler("add", None)

        @workflow.signal
        def add(self, item: str) -> None:
            self.got.append(item)

    driver = Driver(Replaced, interceptors=interceptors)
    assert completed(driver.start(signal("remove"), signal("add", "apple"))) == ["apple"]


def test_built_in_queries_are_intercepted_and_show_no_interception() -> None:
    driver = Driver(Basket, "me", interceptors=[WorkflowInboundInterceptor, Outer])
    driver.start()
    trace = value(driver.query("__stack_trace").result)
    assert "wait_condition" in trace
    assert "_interception" not in trace
    assert inputs("query") == [HandleQueryInput("q", "__stack_trace", [], {})]


# What interceptors change


def changing(**changes: Callable[[Any], Any]) -> type[WorkflowInboundInterceptor]:
    """An interceptor that changes inputs, by the method that they come to."""

    def change(kind: str, input: Any) -> None:
        if kind in changes:
            changes[kind](input)

    class Changing(Recording):
        async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
            change("run", input)
            return await super().execute_workflow(input)

        async def handle_signal(self, input: HandleSignalInput) -> None:
            change("signal", input)
            await super().handle_signal(input)

        async def handle_query(self, input: HandleQueryInput) -> Any:
            change("query", input)
            return await super().handle_query(input)

        def handle_update_validator(self, input: HandleUpdateInput) -> None:
            change("validator", input)
            super().handle_update_validator(input)

        async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
            change("update", input)
            return await super().handle_update_handler(input)

    return Changing


def setting(**fields: Any) -> Callable[[Any], None]:
    def change(input: Any) -> None:
        for name, new in fields.items():
            assert hasattr(input, name)
            setattr(input, name, new)

    return change


def test_arguments_can_be_replaced() -> None:
    interceptor = changing(run=setting(args=("you", 2)), signal=setting(args=["kiwi"]), query=setting(args=[7]))
    driver = Driver(Basket, "me", interceptors=[interceptor])
    driver.start(signal("add", "apple"))
    assert value(driver.query("count").result) == 7
    assert completed(driver.activate(signal("add", "pear"))) == "you: kiwi, kiwi"


def test_the_run_function_can_be_replaced() -> None:
    async def twice(instance: Basket, owner: str) -> str:
        return f"{type(instance).__name__} of {owner}"

    driver = Driver(Basket, "me", interceptors=[changing(run=setting(run_fn=twice))])
    assert completed(driver.start()) == "Basket of me"


def test_another_handler_can_be_named() -> None:
    interceptor = changing(
        signal=setting(signal="add_twice"), query=setting(query="negative", args=[]), update=setting(update="drop")
    )
    driver = Driver(Basket, "me", 3, interceptors=[interceptor])
    driver.start(signal("add", "apple"))
    assert value(driver.query("count").result) == -2
    assert accepted_result(driver.activate(update("put", "pear"))) == "no pear"


def test_a_handler_that_there_is_not_is_an_error_with_those_that_there_are() -> None:
    interceptor = changing(query=setting(query="size"), signal=setting(signal="remove"))
    driver = Driver(Basket, "me", interceptors=[interceptor])
    driver.start()
    answer = driver.query("count")
    assert answer.failure is not None
    assert answer.failure.message == (
        "an interceptor has named query 'size', for which the workflow has no handler; those that it has are: "
        "count, negative"
    )
    with pytest.raises(LookupError, match="an interceptor has named signal 'remove'"):
        driver.activate(signal("add", "apple"))


def test_what_happens_to_a_validators_arguments_does_not_reach_the_handler() -> None:
    checked = changing(validator=lambda input: input.args.__setitem__(0, "stone"))
    driver = Driver(Basket, "me", 9, interceptors=[checked])
    driver.start()
    (rejection,) = driver.activate(update("put", "pear"))
    assert rejection.failure.message == "no stones"
    harmless = changing(validator=lambda input: input.args.__setitem__(0, "sand"))
    driver = Driver(Basket, "me", 9, interceptors=[harmless])
    driver.start()
    assert accepted_result(driver.activate(update("put", "pear"))) == "pear"


def test_results_can_be_replaced() -> None:
    class Loud(WorkflowInboundInterceptor):
        async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
            return (await super().execute_workflow(input)).upper()

        async def handle_query(self, input: HandleQueryInput) -> Any:
            return -(await super().handle_query(input))

        async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
            return (await super().handle_update_handler(input)).upper()

    driver = Driver(Basket, "me", 2, interceptors=[Loud])
    driver.start(signal("add", "apple"))
    assert value(driver.query("count").result) == -1
    commands = driver.activate(update("put", "pear"))
    assert value(commands[1].result) == "PEAR"
    assert completed(commands[2:]) == "ME: APPLE, PEAR"


def test_an_interceptor_may_wait_as_workflow_code_does() -> None:
    class Approved(WorkflowInboundInterceptor):
        async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
            approval = await greet.execute("approver")
            await asyncio.sleep(5)
            return [approval, await super().execute_workflow(input)]

    @workflow.defn
    async def plain() -> str:
        return "done"

    driver = Driver(plain, interceptors=[Approved])
    assert kinds(driver.start()) == [_native.ScheduleActivity]
    assert kinds(driver.activate(activity_done("yes"))) == [_native.StartTimer]
    assert completed(driver.activate(_native.FireTimer(seq=1))) == ["yes", "done"]


# Errors and rules


@pytest.mark.parametrize("where", ["constructor", "init", "execute_workflow"])
@pytest.mark.parametrize("fails_workflow", [True, False])
def test_errors_follow_the_rules_of_workflow_code(where: str, fails_workflow: bool) -> None:
    error: Exception = ApplicationError("refused") if fails_workflow else ValueError("refused")

    class Refusing(WorkflowInboundInterceptor):
        def __init__(self, next: WorkflowInboundInterceptor) -> None:
            super().__init__(next)
            if where == "constructor":
                raise error

        def init(self, outbound: WorkflowOutboundInterceptor) -> None:
            if where == "init":
                raise error
            super().init(outbound)

        async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
            raise error

    driver = Driver(Basket, "me", interceptors=[Refusing])
    if fails_workflow:
        assert failed(driver.start()).message == "refused"
        # A run that has failed can still be asked.
        assert driver.query("count").failure is not None or where == "execute_workflow"
    else:
        with pytest.raises(ValueError, match="refused"):
            driver.start()


def test_errors_in_handlers_follow_the_rules_of_workflow_code() -> None:
    class Refusing(WorkflowInboundInterceptor):
        async def handle_signal(self, input: HandleSignalInput) -> None:
            raise ApplicationError("no signals")

        async def handle_query(self, input: HandleQueryInput) -> Any:
            raise ValueError("no queries")

        async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
            raise ApplicationError("no updates")

    driver = Driver(Basket, "me", interceptors=[Refusing])
    driver.start()
    answer = driver.query("count")
    assert answer.failure is not None
    assert answer.failure.message == "no queries"
    commands = driver.activate(update("put", "pear"))
    assert kinds(commands) == [_native.UpdateAccepted, _native.UpdateRejected]
    assert commands[1].failure.message == "no updates"
    assert failed(driver.activate(signal("add", "apple"))).message == "no signals"


def test_an_init_that_is_not_passed_on_is_named() -> None:
    class Forgetful(WorkflowInboundInterceptor):
        def init(self, outbound: WorkflowOutboundInterceptor) -> None:
            pass

    with pytest.raises(RuntimeError, match=r"its init must call super\(\).init\(outbound\).*: .*Outer, .*Forgetful"):
        Driver(Basket, "me", interceptors=[Outer, Forgetful]).start()


def test_queries_and_validators_may_not_change_the_workflow() -> None:
    class Busy(WorkflowInboundInterceptor):
        async def handle_query(self, input: HandleQueryInput) -> Any:
            assert workflow.unsafe.is_read_only()
            return greet.start("query")

        def handle_update_validator(self, input: HandleUpdateInput) -> None:
            assert workflow.unsafe.is_read_only()
            greet.start("validator")

    driver = Driver(Basket, "me", interceptors=[Busy])
    driver.start()
    answer = driver.query("count")
    assert answer.failure is not None
    assert "scheduling an activity is not possible in a query or validator" in answer.failure.message
    (rejection,) = driver.activate(update("put", "pear"))
    assert "scheduling an activity is not possible in a query or validator" in rejection.failure.message


def test_queries_may_not_wait() -> None:
    class Patient(WorkflowInboundInterceptor):
        async def handle_query(self, input: HandleQueryInput) -> Any:
            try:
                await asyncio.sleep(0)
            finally:
                seen.append("closed")

    driver = Driver(Basket, "me", interceptors=[Patient])
    driver.start()
    answer = driver.query("count")
    assert answer.failure is not None
    assert answer.failure.message == "an interceptor waits in handle_query, but a query may not wait"
    assert seen[-1] == "closed"


def test_queries_are_async_and_validators_are_not() -> None:
    class Mistaken(WorkflowInboundInterceptor):
        def handle_query(self, input: HandleQueryInput) -> Any:
            return 3

        async def handle_update_validator(self, input: HandleUpdateInput) -> None:  # type: ignore[override]
            raise ValueError("never raised")

    driver = Driver(Basket, "me", interceptors=[Mistaken])
    driver.start()
    answer = driver.query("count")
    assert answer.failure is not None
    assert answer.failure.message == "handle_query of an interceptor must be async, got int"
    (rejection,) = driver.activate(update("put", "pear"))
    assert "handle_update_validator of an interceptor must not be async" in rejection.failure.message


def test_context_variables_of_a_query_are_its_own() -> None:
    asked = ContextVar("asked", default="nothing")

    class Marking(WorkflowInboundInterceptor):
        async def handle_query(self, input: HandleQueryInput) -> Any:
            before = asked.get()
            asked.set("something")
            return [before, await super().handle_query(input), asked.get()]

    driver = Driver(Basket, "me", interceptors=[Marking])
    driver.start()
    answers = [value(driver.query("count").result) for _ in range(2)]
    assert answers == [["nothing", 0, "something"]] * 2


def test_interceptors_know_whether_history_is_replayed_and_the_functions_of_all() -> None:
    class Knowing(WorkflowInboundInterceptor):
        async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
            return [workflow.unsafe.is_replaying(), workflow.extern_functions()["double"](4)]

    def driver() -> Driver:
        return Driver(Basket, "me", interceptors=[Knowing], extern_functions={"double": lambda number: number * 2})

    assert completed(driver().start()) == [False, 8]
    assert completed(driver().start(is_replaying=True)) == [True, 8]
