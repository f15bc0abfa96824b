"""What a run can find out about itself."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.common import Priority, RetryPolicy, WorkerDeploymentVersion
from invincible.exceptions import ApplicationError
from tests.support.engine import NOW, SECOND, Driver, application_failure, completed, greet, payload, value

SEEN: list[Any] = []


@workflow.defn(name="Reader")
async def reader() -> None:
    SEEN.append(workflow.info())
    await workflow.sleep(1)
    SEEN.append(workflow.info())


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


def test_every_field() -> None:
    driver = Driver(
        reader,
        headers={"trace": payload("1")},
        parent=("other-namespace", "parent-id", "parent-run"),
        root=("root-id", "root-run"),
        execution_timeout=1.0,
        run_timeout=2.0,
        task_timeout=3.0,
        continued_run_id="before",
        first_execution_run_id="first",
        original_execution_run_id="original",
        retry_policy=_native.RetryPolicy(initial_interval=4.0, maximum_attempts=5),
        attempt=6,
        cron_schedule="* * * * *",
        memo={"note": payload("x")},
        start_time_ns=NOW - SECOND,
        priority=_native.Priority(priority_key=2, fairness_key="tenant"),
    )
    driver.start()
    (info,) = SEEN
    assert info == workflow.Info(
        attempt=6,
        continued_run_id="before",
        cron_schedule="* * * * *",
        execution_timeout=timedelta(seconds=1),
        first_execution_run_id="first",
        headers={"trace": payload("1")},
        namespace="default",
        original_execution_run_id="original",
        parent=workflow.ParentInfo(namespace="other-namespace", workflow_id="parent-id", run_id="parent-run"),
        root=workflow.RootInfo(workflow_id="root-id", run_id="root-run"),
        priority=Priority(priority_key=2, fairness_key="tenant"),
        raw_memo={"note": payload("x")},
        retry_policy=info.retry_policy,
        run_id="run",
        run_timeout=timedelta(seconds=2),
        search_attributes=info.search_attributes,
        start_time=datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc),
        task_queue="engine",
        task_timeout=timedelta(seconds=3),
        typed_search_attributes=info.typed_search_attributes,
        workflow_id="engine-test",
        workflow_start_time=datetime(2023, 11, 14, 22, 13, 19, tzinfo=timezone.utc),
        workflow_type="Reader",
    )
    assert isinstance(info.retry_policy, RetryPolicy)
    assert (info.retry_policy.initial_interval, info.retry_policy.maximum_attempts) == (timedelta(seconds=4), 5)


def test_what_there_is_not_is_none() -> None:
    Driver(reader).start()
    (info,) = SEEN
    assert (info.parent, info.root, info.retry_policy, info.continued_run_id, info.cron_schedule) == (None,) * 5
    assert (info.execution_timeout, info.run_timeout) == (None, None)
    assert info.priority == Priority.default
    assert (dict(info.headers), dict(info.raw_memo), dict(info.search_attributes)) == ({}, {}, {})


def test_the_start_time_is_that_of_the_first_task_to_the_microsecond() -> None:
    driver = Driver(reader)
    driver.now = NOW + 123_456_789
    driver.start()
    driver.now += SECOND
    driver.activate(_native.FireTimer(seq=1))
    assert {each.start_time for each in SEEN} == {datetime(2023, 11, 14, 22, 13, 20, 123_456, tzinfo=timezone.utc)}


def test_the_state_of_the_task_is_asked_for_anew() -> None:
    @workflow.defn
    async def asking() -> list[Any]:
        info = workflow.info()

        def state() -> list[Any]:
            return [
                info.get_current_history_length(),
                info.get_current_history_size(),
                info.is_continue_as_new_suggested(),
                info.is_target_worker_deployment_version_changed(),
                info.get_current_build_id(),
                workflow.unsafe.is_replaying(),
            ]

        assert info.get_current_deployment_version() is None
        first = state()
        await workflow.sleep(1)
        assert info.get_current_deployment_version() == WorkerDeploymentVersion("shop", "b1")
        return [first, state()]

    driver = Driver(asking)
    driver.start(history_length=3, history_size_bytes=100)
    first, second = completed(
        driver.activate(
            _native.FireTimer(seq=1),
            history_length=10,
            history_size_bytes=2000,
            continue_as_new_suggested=True,
            target_worker_deployment_version_changed=True,
            deployment_version=("shop", "b1"),
            is_replaying=True,
        )
    )
    assert first == [3, 100, False, False, "", False]
    assert second == [10, 2000, True, True, "b1", True]


def test_what_earlier_runs_left() -> None:
    @workflow.defn
    async def successor() -> list[Any]:
        failure = workflow.get_last_failure()
        assert isinstance(failure, ApplicationError)
        assert workflow.get_last_completion_result(type_hint=datetime) == datetime(2024, 1, 1)
        return [
            workflow.has_last_completion_result(),
            workflow.get_last_completion_result(),
            failure.message,
        ]

    driver = Driver(
        successor, last_completion_result=[payload("2024-01-01T00:00:00")], continued_failure=application_failure()
    )
    assert completed(driver.start()) == [True, "2024-01-01T00:00:00", "no voice"]


def test_the_first_run_has_nothing_left_to_it() -> None:
    @workflow.defn
    async def first() -> list[Any]:
        return [
            workflow.has_last_completion_result(),
            workflow.get_last_completion_result(),
            workflow.get_last_failure(),
        ]

    assert completed(Driver(first).start()) == [False, None, None]


def test_a_last_result_of_the_wrong_type_is_named() -> None:
    @workflow.defn
    async def successor() -> None:
        workflow.get_last_completion_result(type_hint=int)

    with pytest.raises(TypeError, match="the last completion"):
        Driver(successor, last_completion_result=[payload("text")]).start()


def test_instance_converter_and_extern_functions() -> None:
    def double(number: int) -> int:
        return 2 * number

    @workflow.defn
    class Curious:
        @workflow.run
        async def run(self) -> list[Any]:
            converter = workflow.payload_converter()
            return [
                workflow.instance() is self,
                converter.from_payload(converter.to_payload(1)),
                workflow.extern_functions()["double"](4),
                workflow.in_workflow(),
            ]

    assert completed(Driver(Curious, extern_functions={"double": double}).start()) == [True, 1, 8, True]

    @workflow.defn
    async def function() -> bool:
        return workflow.instance() is None

    assert completed(Driver(function).start()) is True


OUTSIDE: dict[str, Any] = {
    "info": lambda: workflow.info(),
    "now": lambda: workflow.now(),
    "time": lambda: workflow.time(),
    "time_ns": lambda: workflow.time_ns(),
    "random": lambda: workflow.random(),
    "uuid4": lambda: workflow.uuid4(),
    "patched": lambda: workflow.patched("change"),
    "memo": lambda: workflow.memo(),
    "sleep": lambda: workflow.sleep(1).send(None),
    "wait_condition": lambda: workflow.wait_condition(lambda: True).send(None),
    "wait": lambda: workflow.wait([]).send(None),
    "as_completed": lambda: workflow.as_completed([]),
    "start_activity": lambda: workflow.start_activity(greet, "Ada"),
    "start_local_activity": lambda: workflow.start_local_activity(greet, "Ada"),
    "start": lambda: greet.start("Ada"),
    "start_local": lambda: greet.start_local("Ada"),
    "start_child_workflow": lambda: workflow.start_child_workflow("Child").send(None),
    "continue_as_new": lambda: workflow.continue_as_new(),
    "get_external_workflow_handle": lambda: workflow.get_external_workflow_handle("other"),
    "set_signal_handler": lambda: workflow.set_signal_handler("x", None),
    "all_handlers_finished": lambda: workflow.all_handlers_finished(),
    "current_update_info": lambda: workflow.current_update_info(),
    "metric_meter": lambda: workflow.metric_meter(),
    "is_replaying": lambda: workflow.unsafe.is_replaying(),
    "is_replaying_history_events": lambda: workflow.unsafe.is_replaying_history_events(),
    "is_read_only": lambda: workflow.unsafe.is_read_only(),
    "instance": lambda: workflow.instance(),
    "create_event_group": lambda: workflow.create_event_group("group"),
}


@pytest.mark.parametrize("function", OUTSIDE)
def test_elsewhere_the_functions_say_that_they_are_for_workflow_code(function: str) -> None:
    with pytest.raises(workflow.NotInWorkflowError, match="works in workflow code only, and no workflow runs on this"):
        OUTSIDE[function]()


async def test_another_event_loop_is_elsewhere_too() -> None:
    with pytest.raises(workflow.NotInWorkflowError):
        workflow.info()
    assert not workflow.in_workflow()
    assert not workflow.unsafe.in_sandbox()


def test_replaying_is_told_from_what_only_reads() -> None:
    @workflow.defn
    class Reader:
        @workflow.run
        async def run(self) -> None:
            assert workflow.unsafe.is_replaying_history_events() == workflow.unsafe.is_replaying()
            assert not workflow.unsafe.is_read_only()
            await workflow.sleep(60)

        @workflow.query
        def state(self) -> list[bool]:
            unsafe = workflow.unsafe
            return [unsafe.is_replaying(), unsafe.is_replaying_history_events(), unsafe.is_read_only()]

    for replaying in (True, False):
        driver = Driver(Reader)
        driver.start(is_replaying=replaying)
        assert value(driver.query("state").result) == [True, False, True]


async def test_decorated_functions_stay_functions() -> None:
    assert await greet("Ada", greeting="Hey") == "Hey, Ada"
