"""Interceptors of calls on their way out of workflow code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from invincible import _native, activity, workflow
from invincible.api.workflowservice.v1 import SignalWithStartWorkflowExecutionRequest
from invincible.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningOverride,
    WorkerDeploymentVersion,
    WorkflowIDReusePolicy,
)
from invincible.worker import (
    ContinueAsNewInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    SignalWithStartWorkflowRequest,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)
from tests.support.engine import (
    Driver,
    activity_done,
    child_done,
    child_started,
    completed,
    greet,
    kinds,
    payload,
    value,
    values,
)

HEADERS = {"trace": payload("t")}
SECOND = timedelta(seconds=1)


class Changing(WorkflowOutboundInterceptor):
    """Keeps what passes, and changes its fields."""

    def __init__(self, next: WorkflowOutboundInterceptor, inputs: list[Any], changes: dict[str, Any]) -> None:
        super().__init__(next)
        self._inputs = inputs
        self._changes = changes

    def _changed(self, input: Any) -> Any:
        self._inputs.append(replace(input))
        for name, new in self._changes.items():
            if name in {each.name for each in fields(input)}:
                setattr(input, name, new)
        return input

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        super().continue_as_new(self._changed(input))

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        await super().signal_child_workflow(self._changed(input))

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        await super().signal_external_workflow(self._changed(input))

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        return super().start_activity(self._changed(input))

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        return await super().start_child_workflow(self._changed(input))

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        return super().start_local_activity(self._changed(input))

    async def start_nexus_operation(
        self, input: StartNexusOperationInput[Any, Any]
    ) -> workflow.NexusOperationHandle[Any]:
        return await super().start_nexus_operation(self._changed(input))

    async def start_signal_with_start_workflow(
        self, request: SignalWithStartWorkflowRequest
    ) -> workflow.NexusOperationHandle[Any]:
        return await super().start_signal_with_start_workflow(self._changed(request))


def outbound(make: Callable[[WorkflowOutboundInterceptor], WorkflowOutboundInterceptor]) -> type:
    class Inbound(WorkflowInboundInterceptor):
        def init(self, outbound: WorkflowOutboundInterceptor) -> None:
            super().init(make(outbound))

    return Inbound


def run(target: Any, *jobs: Any, **changes: Any) -> tuple[list[Any], list[Any]]:
    """The commands of a workflow's last activation, and the inputs that an interceptor has seen."""
    inputs: list[Any] = []
    driver = Driver(target, interceptors=[outbound(lambda next: Changing(next, inputs, changes))])
    commands = driver.start()
    for job in jobs:
        commands = driver.activate(job)
    return commands, inputs


def shown(native: Any) -> Any:
    """A command, or a part of it, in a form to compare; no headers are as good as an empty mapping of them."""
    if isinstance(native, (list, tuple)):
        return [shown(each) for each in native]
    if isinstance(native, dict):
        return {key: shown(each) for key, each in native.items()} or None
    if isinstance(native, _native.Payload) or not type(native).__module__.startswith("invincible"):
        return native
    names = [name for name in dir(native) if not name.startswith("_")]
    assert names, native
    return {name: shown(getattr(native, name)) for name in names}


@workflow.defn
async def activities() -> None:
    await workflow.start_activity(
        greet,
        "Ada",
        activity_id="given",
        task_queue="queue",
        schedule_to_close_timeout=SECOND,
        schedule_to_start_timeout=2 * SECOND,
        start_to_close_timeout=3 * SECOND,
        heartbeat_timeout=SECOND / 2,
        retry_policy=RetryPolicy(maximum_attempts=4, non_retryable_error_types=["Bug"]),
        cancellation_type=workflow.ActivityCancellationType.ABANDON,
        versioning_intent=workflow.VersioningIntent.DEFAULT,
        summary="greets",
        event_groups=[workflow.create_event_group("group")],
        priority=Priority(priority_key=2),
    )


def test_an_interceptor_that_changes_nothing_changes_no_command() -> None:
    (command,), (input,) = run(activities)
    (without,) = Driver(activities).start()
    assert shown(command) == shown(without)
    assert input == StartActivityInput(
        activity="greet",
        args=["Ada"],
        activity_id="given",
        task_queue="queue",
        schedule_to_close_timeout=SECOND,
        schedule_to_start_timeout=2 * SECOND,
        start_to_close_timeout=3 * SECOND,
        heartbeat_timeout=SECOND / 2,
        retry_policy=RetryPolicy(maximum_attempts=4, non_retryable_error_types=["Bug"]),
        cancellation_type=workflow.ActivityCancellationType.ABANDON,
        headers={},
        disable_eager_execution=False,
        versioning_intent=workflow.VersioningIntent.DEFAULT,
        summary="greets",
        event_groups=input.event_groups,
        priority=Priority(priority_key=2),
        arg_types=[str, str],
        ret_type=str,
    )
    assert len(input.event_groups) == 1


def test_every_field_of_an_activity_can_be_changed() -> None:
    (command,), _ = run(
        activities,
        activity="shout",
        args=("Bob", "!"),
        activity_id="other",
        task_queue="elsewhere",
        schedule_to_close_timeout=10 * SECOND,
        schedule_to_start_timeout=11 * SECOND,
        start_to_close_timeout=12 * SECOND,
        heartbeat_timeout=13 * SECOND,
        retry_policy=RetryPolicy(maximum_attempts=5),
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        headers=HEADERS,
        disable_eager_execution=True,
        versioning_intent=workflow.VersioningIntent.COMPATIBLE,
        summary="shouts",
        event_groups=None,
        priority=Priority(priority_key=3),
    )
    assert (command.activity_type, values(command.arguments)) == ("shout", ["Bob", "!"])
    assert (command.activity_id, command.task_queue) == ("other", "elsewhere")
    timeouts = command.schedule_to_close_timeout, command.schedule_to_start_timeout, command.start_to_close_timeout
    assert (*timeouts, command.heartbeat_timeout) == (10, 11, 12, 13)
    assert command.retry_policy.maximum_attempts == 5
    assert (command.cancellation_type, command.versioning_intent) == (1, 1)
    assert (command.headers, command.do_not_eagerly_execute) == (HEADERS, True)
    assert (value(command.summary), command.event_groups) == ("shouts", [])
    assert command.priority.priority_key == 3


def test_the_type_of_a_result_can_be_changed() -> None:
    @workflow.defn
    async def plain() -> str:
        return type(await workflow.execute_activity("any", start_to_close_timeout=SECOND)).__name__

    commands, (input,) = run(plain, activity_done(1))
    assert (input.arg_types, input.ret_type, completed(commands)) == (None, None, "int")
    commands, _ = run(plain, activity_done(1), ret_type=float)
    assert completed(commands) == "float"


def test_all_forms_of_activity_calls_are_intercepted() -> None:
    class Store:
        @activity.defn(start_to_close_timeout=SECOND)
        async def save(self) -> None: ...

    @workflow.defn
    async def all_forms() -> None:
        timeout = {"start_to_close_timeout": SECOND}
        greet.start("1")
        greet.start_local("2")
        task = asyncio.ensure_future(greet.execute("3"))
        await asyncio.sleep(0)
        workflow.start_activity_method(Store.save)
        workflow.start_local_activity_method(Store.save)
        workflow.start_local_activity("named", **timeout)  # type: ignore[call-overload]
        workflow.start_activity("named", **timeout)  # type: ignore[call-overload]
        await task

    commands, inputs = run(all_forms, headers=HEADERS)
    assert [each.activity for each in inputs] == ["greet", "greet", "greet", "save", "save", "named", "named"]
    assert len(commands) == len(inputs)
    assert all(command.headers == HEADERS for command in commands)


@workflow.defn
async def local_activities() -> None:
    await workflow.execute_local_activity(
        greet,
        "Ada",
        activity_id="given",
        schedule_to_close_timeout=SECOND,
        schedule_to_start_timeout=2 * SECOND,
        start_to_close_timeout=3 * SECOND,
        retry_policy=RetryPolicy(maximum_attempts=4, maximum_interval=9 * SECOND),
        local_retry_threshold=5 * SECOND,
        cancellation_type=workflow.ActivityCancellationType.ABANDON,
        summary="greets",
    )


def test_local_activities() -> None:
    (command,), (input,) = run(local_activities)
    (without,) = Driver(local_activities).start()
    assert shown(command) == shown(without)
    assert input == StartLocalActivityInput(
        activity="greet",
        args=["Ada"],
        activity_id="given",
        schedule_to_close_timeout=SECOND,
        schedule_to_start_timeout=2 * SECOND,
        start_to_close_timeout=3 * SECOND,
        retry_policy=RetryPolicy(maximum_attempts=4, maximum_interval=9 * SECOND),
        local_retry_threshold=5 * SECOND,
        cancellation_type=workflow.ActivityCancellationType.ABANDON,
        headers={},
        summary="greets",
        arg_types=[str, str],
        ret_type=str,
    )


def test_a_local_activity_keeps_its_changes_for_its_next_attempt() -> None:
    backoff = _native.ActivityBackoff(attempt=2, backoff=60.0)
    inputs: list[Any] = []
    changes = {"headers": HEADERS, "args": ["Bob"], "activity": "shout", "local_retry_threshold": 7 * SECOND}
    driver = Driver(local_activities, interceptors=[outbound(lambda next: Changing(next, inputs, changes))])
    (first,) = driver.start()
    driver.activate(_native.ResolveActivity(seq=1, is_local=True, backoff=backoff))
    (second,) = driver.activate(_native.FireTimer(seq=1))
    for command in (first, second):
        assert (command.activity_type, values(command.arguments)) == ("shout", ["Bob"])
        assert (command.headers, command.local_retry_threshold) == (HEADERS, 7)
    assert len(inputs) == 1


VERSION = WorkerDeploymentVersion("shop", "1")
COLOUR = TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_keyword("Colour"), "red")])


def parent(override: VersioningOverride | None = None) -> Any:
    @workflow.defn
    async def parents() -> Any:
        return await workflow.execute_child_workflow(
            "Child",
            args=[1],
            id="child",
            task_queue="queue",
            cancellation_type=workflow.ChildWorkflowCancellationType.TRY_CANCEL,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            execution_timeout=SECOND,
            run_timeout=2 * SECOND,
            task_timeout=3 * SECOND,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            retry_policy=RetryPolicy(maximum_attempts=2),
            cron_schedule="* * * * *",
            memo={"note": 1},
            search_attributes=COLOUR,
            versioning_intent=workflow.VersioningIntent.DEFAULT,
            versioning_override=override,
            static_summary="summary",
            static_details="details",
            priority=Priority(priority_key=2),
            result_type=int,
        )

    return parents


@pytest.mark.parametrize(
    "override",
    [None, PinnedVersioningOverride(VERSION), AutoUpgradeVersioningOverride(), OneTimeVersioningOverride(VERSION)],
)
def test_children_keep_every_option(override: VersioningOverride | None) -> None:
    target = parent(override)
    (command,), (input,) = run(target)
    (without,) = Driver(target).start()
    assert shown(command) == shown(without)
    assert input == StartChildWorkflowInput(
        workflow="Child",
        args=[1],
        id="child",
        task_queue="queue",
        cancellation_type=workflow.ChildWorkflowCancellationType.TRY_CANCEL,
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        execution_timeout=SECOND,
        run_timeout=2 * SECOND,
        task_timeout=3 * SECOND,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        retry_policy=RetryPolicy(maximum_attempts=2),
        cron_schedule="* * * * *",
        memo={"note": 1},
        search_attributes=COLOUR,
        headers={},
        versioning_intent=workflow.VersioningIntent.DEFAULT,
        static_summary="summary",
        static_details="details",
        versioning_override=override,
        priority=Priority(priority_key=2),
        arg_types=None,
        ret_type=int,
    )


def test_every_field_of_a_child_can_be_changed() -> None:
    changes = {
        "workflow": "Other",
        "args": [2],
        "id": "other",
        "task_queue": None,
        "cancellation_type": workflow.ChildWorkflowCancellationType.ABANDON,
        "parent_close_policy": workflow.ParentClosePolicy.REQUEST_CANCEL,
        "execution_timeout": 10 * SECOND,
        "run_timeout": None,
        "task_timeout": 12 * SECOND,
        "id_reuse_policy": WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        "retry_policy": None,
        "cron_schedule": "",
        "memo": {"note": 2},
        "search_attributes": None,
        "headers": HEADERS,
        "versioning_intent": None,
        "static_summary": "other summary",
        "static_details": None,
        "versioning_override": PinnedVersioningOverride(VERSION),
        "priority": Priority.default,
        "ret_type": str,
    }
    assert {*changes, "event_groups", "arg_types"} == {each.name for each in fields(StartChildWorkflowInput)}
    (command,), _ = run(parent(), **changes)
    assert (command.workflow_type, values(command.input), command.workflow_id) == ("Other", [2], "other")
    assert (command.task_queue, command.cron_schedule) == ("engine", "")
    assert (command.cancellation_type, command.parent_close_policy, command.id_reuse_policy) == (0, 3, 1)
    assert (command.execution_timeout, command.run_timeout, command.task_timeout) == (10, None, 12)
    assert (command.retry_policy, command.search_attributes, command.details) == (None, None, None)
    assert value(command.memo["note"]) == 2
    assert (command.headers, value(command.summary)) == (HEADERS, "other summary")
    assert (command.versioning_intent, command.priority) == (0, None)
    assert command.versioning_override == ("pinned", ("shop", "1"))


def test_a_child_without_id_gets_the_same_one_as_without_interceptors() -> None:
    @workflow.defn
    async def parents() -> None:
        await workflow.start_child_workflow("Child")

    (command,), (input,) = run(parents)
    (without,) = Driver(parents).start()
    assert command.workflow_id == without.workflow_id == input.id


def test_the_result_of_a_child_comes_through() -> None:
    commands, _ = run(parent(), child_started(), child_done(5))
    assert completed(commands) == 5


@workflow.defn
async def signalling() -> None:
    child = await workflow.start_child_workflow("Child", id="child")
    await child.signal("to_child", 1)
    await workflow.get_external_workflow_handle("other", run_id="its-run").signal("to_other", args=[2, 3])


def test_signals() -> None:
    delivered = _native.ResolveSignalExternalWorkflow(seq=1)
    (command,), inputs = run(signalling, child_started())
    assert (command.child_workflow_id, command.signal_name, command.headers) == ("child", "to_child", {})
    assert inputs[1] == SignalChildWorkflowInput("to_child", [1], "child", {})
    (command,), inputs = run(signalling, child_started(), delivered)
    assert (command.workflow_id, command.run_id, command.namespace) == ("other", "its-run", "default")
    assert inputs[2] == SignalExternalWorkflowInput("to_other", [2, 3], "default", "other", "its-run", {})


def test_every_field_of_a_signal_can_be_changed() -> None:
    changes = {
        "signal": "changed",
        "args": ["new"],
        "child_workflow_id": "another-child",
        "namespace": "elsewhere",
        "workflow_id": "another",
        "workflow_run_id": None,
        "headers": HEADERS,
    }
    (command,), _ = run(signalling, child_started(), **changes)
    assert (command.child_workflow_id, command.signal_name) == ("another-child", "changed")
    assert (values(command.arguments), command.headers) == (["new"], HEADERS)
    (command,), _ = run(signalling, child_started(), _native.ResolveSignalExternalWorkflow(seq=1), **changes)
    assert (command.workflow_id, command.run_id, command.namespace) == ("another", "", "elsewhere")
    assert (values(command.arguments), command.headers) == (["new"], HEADERS)


@workflow.defn
async def continuing(number: int = 1) -> None:
    workflow.continue_as_new(2, task_queue="queue", run_timeout=SECOND, memo={"note": 1})


def test_continue_as_new() -> None:
    (command,), (input,) = run(continuing)
    (without,) = Driver(continuing).start()
    assert shown(command) == shown(without)
    assert input == ContinueAsNewInput(
        workflow=None,
        args=[2],
        task_queue="queue",
        run_timeout=SECOND,
        task_timeout=None,
        backoff_start_interval=None,
        retry_policy=None,
        memo={"note": 1},
        search_attributes=None,
        headers={},
        versioning_intent=None,
        initial_versioning_behavior=None,
    )


def test_every_field_of_continue_as_new_can_be_changed() -> None:
    changes = {
        "workflow": "Other",
        "args": [3, 4],
        "task_queue": "elsewhere",
        "run_timeout": 2 * SECOND,
        "task_timeout": 3 * SECOND,
        "backoff_start_interval": 4 * SECOND,
        "retry_policy": RetryPolicy(maximum_attempts=5),
        "memo": {"note": 2},
        "search_attributes": COLOUR,
        "headers": HEADERS,
        "versioning_intent": workflow.VersioningIntent.DEFAULT,
        "initial_versioning_behavior": workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
    }
    assert {*changes, "event_groups", "arg_types"} == {each.name for each in fields(ContinueAsNewInput)}
    (command,), _ = run(continuing, **changes)
    assert (command.workflow_type, values(command.arguments), command.task_queue) == ("Other", [3, 4], "elsewhere")
    assert (command.run_timeout, command.task_timeout, command.backoff_start_interval) == (2, 3, 4)
    assert (command.retry_policy.maximum_attempts, value(command.memo["note"])) == (5, 2)
    assert (list(command.search_attributes), command.headers) == (["Colour"], HEADERS)
    assert (command.versioning_intent, command.initial_versioning_behavior) == (2, 1)


def test_continue_as_new_names_its_workflow_where_that_is_another() -> None:
    @workflow.defn
    class Target:
        @workflow.run
        async def run(self, number: int) -> None: ...

    @workflow.defn
    async def plain() -> None:
        workflow.continue_as_new(1, workflow=Target.run)

    (command,), (input,) = run(plain)
    assert (input.workflow, input.arg_types, command.workflow_type) == ("Target", [int], "Target")


def test_continue_as_new_that_returns_is_an_error() -> None:
    class Forgetful(WorkflowOutboundInterceptor):
        def continue_as_new(self, input: ContinueAsNewInput) -> Any:
            return None

    with pytest.raises(RuntimeError, match="an interceptor has returned from continue_as_new"):
        Driver(continuing, interceptors=[outbound(Forgetful)]).start()


@workflow.defn
async def calling() -> Any:
    client = workflow.create_nexus_client(service="Accounts", endpoint="bank")
    return await client.execute_operation(
        "open", "Ada", output_type=str, schedule_to_close_timeout=SECOND, headers={"trace": "1"}
    )


def test_nexus_operations() -> None:
    started = _native.ResolveNexusOperationStart(seq=1, operation_token="token")
    ended = _native.ResolveNexusOperation(seq=1, result=payload("opened"))
    commands, (input,) = run(calling, started, ended)
    assert completed(commands) == "opened"
    assert (input.endpoint, input.service, input.operation_name, input.input) == ("bank", "Accounts", "open", "Ada")
    assert (input.output_type, input.schedule_to_close_timeout, input.headers) == (str, SECOND, {"trace": "1"})
    assert shown(run(calling)[0]) == shown(Driver(calling).start())


def test_fields_of_nexus_operations_can_be_changed() -> None:
    (command,), _ = run(
        calling,
        endpoint="other bank",
        service="Savings",
        operation="close",
        input="Bob",
        schedule_to_close_timeout=2 * SECOND,
        schedule_to_start_timeout=3 * SECOND,
        start_to_close_timeout=4 * SECOND,
        cancellation_type=workflow.NexusOperationCancellationType.ABANDON,
        headers={"trace": "2"},
        summary="closes",
    )
    assert (command.endpoint, command.service, command.operation) == ("other bank", "Savings", "close")
    assert (value(command.input), command.nexus_header) == ("Bob", {"trace": "2"})
    timeouts = command.schedule_to_close_timeout, command.schedule_to_start_timeout, command.start_to_close_timeout
    assert (timeouts, command.cancellation_type, value(command.summary)) == ((2, 3, 4), 1, "closes")


def test_signal_with_start() -> None:
    @workflow.defn
    async def shopper() -> str | None:
        basket = await workflow.signal_with_start_workflow(
            "Basket", "me", id="basket", task_queue="q", signal="add", signal_args="apple", static_summary="a basket"
        )
        return basket.run_id

    systems: list[str] = []

    class System(WorkflowOutboundInterceptor):
        async def start_system_nexus_operation(
            self, input: StartNexusOperationInput[Any, Any]
        ) -> workflow.NexusOperationHandle[Any]:
            systems.append(input.operation_name)
            return await super().start_system_nexus_operation(input)

    inputs: list[Any] = []
    changes = {"id": "other", "headers": HEADERS, "signal_args": ["pear"], "args": None, "signal": "put"}
    interceptors = [outbound(System), outbound(lambda next: Changing(next, inputs, changes))]
    driver = Driver(shopper, interceptors=interceptors)
    (command,) = driver.start()
    assert systems == ["SignalWithStartWorkflowExecution"]
    (request,) = inputs
    assert (request.workflow, request.args, request.signal_args) == ("Basket", ["me"], ["apple"])
    assert (request.namespace, request.user_metadata.static_summary) == ("default", "a basket")
    sent = SignalWithStartWorkflowExecutionRequest.FromString(command.input.data)
    assert (sent.workflow_id, sent.signal_name, len(sent.input.payloads)) == ("other", "put", 0)
    assert sent.signal_input.payloads[0].data == b'"pear"'
    assert sent.header.fields["trace"].data == b'"t"'
    assert sent.user_metadata.summary.data == b'"a basket"'
    assert kinds([command]) == [_native.ScheduleNexusOperation]


def test_other_operations_of_the_server_are_refused() -> None:
    class Wrong(WorkflowOutboundInterceptor):
        async def start_system_nexus_operation(
            self, input: StartNexusOperationInput[Any, Any]
        ) -> workflow.NexusOperationHandle[Any]:
            input.input = "text"
            return await super().start_system_nexus_operation(input)

    @workflow.defn
    async def shopper() -> None:
        await workflow.signal_with_start_workflow("Basket", id="basket", task_queue="q", signal="add")

    with pytest.raises(TypeError, match="take a SignalWithStartWorkflowRequest, got str for 'SignalWith"):
        Driver(shopper, interceptors=[outbound(Wrong)]).start()


def test_info() -> None:
    class Renaming(WorkflowOutboundInterceptor):
        def info(self) -> workflow.Info:
            return replace(super().info(), namespace="intercepted")

    @workflow.defn
    async def plain() -> list[Any]:
        info = workflow.info()
        return [info.namespace, info.workflow_id, info.get_current_history_length()]

    driver = Driver(plain, interceptors=[outbound(Renaming)])
    assert completed(driver.start(history_length=3)) == ["intercepted", "engine-test", 3]


# Rules


def test_the_last_interceptor_is_the_first_that_a_call_meets() -> None:
    met: list[str] = []

    def named(name: str) -> type:
        class Named(WorkflowOutboundInterceptor):
            def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
                met.append(name)
                return super().start_activity(input)

        return outbound(Named)

    Driver(activities, interceptors=[named("first"), named("second")]).start()
    assert met == ["second", "first"]


def test_an_interceptor_may_wait_before_it_passes_a_call_on() -> None:
    class Slow(WorkflowOutboundInterceptor):
        async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
            await asyncio.sleep(5)
            return await super().start_child_workflow(input)

    driver = Driver(parent(), interceptors=[outbound(Slow)])
    assert kinds(driver.start()) == [_native.StartTimer]
    assert kinds(driver.activate(_native.FireTimer(seq=1))) == [_native.StartChildWorkflowExecution]


def test_an_interceptor_may_make_calls_of_its_own() -> None:
    class Announcing(WorkflowOutboundInterceptor):
        def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
            if input.activity != "announce":
                workflow.start_local_activity("announce", start_to_close_timeout=SECOND)
            return super().start_activity(input)

    driver = Driver(activities, interceptors=[outbound(Announcing)])
    assert kinds(driver.start()) == [_native.ScheduleLocalActivity, _native.ScheduleActivity]


def test_wrong_fields_are_named() -> None:
    with pytest.raises(TypeError, match="start_to_close_timeout must be a timedelta"):
        run(activities, start_to_close_timeout="1s")
    with pytest.raises(ValueError, match="activity 'greet' needs start_to_close_timeout"):
        run(activities, start_to_close_timeout=None, schedule_to_close_timeout=None)
    with pytest.raises(TypeError, match="the arguments of activity 'greet'"):
        run(activities, args=[object()])


def test_an_activity_without_a_handle_is_an_error() -> None:
    class Async(WorkflowOutboundInterceptor):
        async def start_activity(self, input: StartActivityInput) -> Any:  # type: ignore[override]
            return self.next.start_activity(input)

    class Forgetful(WorkflowOutboundInterceptor):
        def start_activity(self, input: StartActivityInput) -> Any:
            self.next.start_activity(input)

    for interceptor in (Async, Forgetful):
        with pytest.raises(
            TypeError, match="start_activity of an interceptor must not be async, and return the handle"
        ):
            Driver(activities, interceptors=[outbound(interceptor)]).start()


def test_a_cancelled_signal_is_withdrawn_through_interceptors() -> None:
    @workflow.defn
    async def impatient() -> None:
        task = asyncio.ensure_future(workflow.get_external_workflow_handle("other").signal("to_other"))
        await asyncio.sleep(0)
        task.cancel()
        await task

    commands, _ = run(impatient)
    assert kinds(commands) == [_native.SignalExternalWorkflowExecution, _native.CancelSignalWorkflow]
