"""What type checkers make of workflows that call others. Nothing here is run; ``test_checkers`` has the checkers read
it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import timedelta
from typing import Any

from typing_extensions import assert_type

from invincible import workflow
from invincible.client import Client, WorkflowHandle
from invincible.workflow import ChildWorkflowHandle, ExternalWorkflowHandle, ParentClosePolicy


@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str, *, times: int = 1) -> str:
        return name

    @workflow.signal
    def rename(self, name: str) -> None: ...

    @workflow.signal
    async def stop(self) -> None: ...

    @workflow.signal(name="full-name")
    async def full_name(self, first: str, last: str) -> None: ...


@workflow.defn(name="the-sum")
class Sum:
    @workflow.run
    async def run(self, a: int, b: int) -> int:
        return a + b


@workflow.defn
class Clock:
    @workflow.run
    async def run(self) -> float:
        return 1.0


@workflow.defn
class Loud(Greeting):
    @workflow.run
    async def run(self, name: str, *, times: int = 1) -> str:
        return (await super().run(name, times=times)).upper()


@workflow.defn
async def greeting(name: str, *, times: int = 1) -> str:
    return name


@workflow.defn(name="add-up", sandboxed=False)
async def add(a: int, b: int) -> int:
    return a + b


@workflow.defn
async def wait() -> None: ...


async def definitions_stay_what_they_are() -> None:
    assert_type(await greeting("Ada", times=2), str)
    assert_type(await Greeting().run("Ada", times=2), str)
    assert_type(await Greeting.run(Greeting(), "Ada"), str)
    assert_type(Greeting(), Greeting)

    await greeting(1)  # type: ignore[arg-type]
    await Greeting().run(1)  # type: ignore[arg-type]
    await Greeting().run("Ada", count=2)  # type: ignore[call-arg]


async def clients_start_them(client: Client) -> None:
    handle = await client.start_workflow(Greeting.run, "Ada", id="1", task_queue="q")
    assert_type(handle, WorkflowHandle[Greeting, str])
    assert_type(await client.start_workflow(greeting, "Ada", id="1", task_queue="q"), WorkflowHandle[Any, str])
    assert_type(await client.start_workflow(Loud.run, "Ada", id="1", task_queue="q"), WorkflowHandle[Loud, str])
    assert_type(await client.execute_workflow(Sum.run, args=[1, 2], id="1", task_queue="q"), int)


async def typed_calls_of_functions() -> None:
    assert_type(await greeting.start("Ada", times=2), ChildWorkflowHandle[Any, str])
    assert_type(await greeting.execute("Ada"), str)
    assert_type(await add.execute(1, b=2), int)
    assert_type(await wait.execute(), None)
    patient = greeting.with_options(id="1", run_timeout=timedelta(1), parent_close_policy=ParentClosePolicy.ABANDON)
    assert_type(await patient.start("Ada"), ChildWorkflowHandle[Any, str])
    assert_type(await patient.with_options(task_queue="q").execute("Ada", times=2), str)

    await greeting.start(1)  # type: ignore[arg-type]
    await greeting.start()  # type: ignore[call-arg]
    await greeting.start("Ada", 2)  # type: ignore[call-arg]
    await greeting.execute("Ada", time=2)  # type: ignore[call-arg]
    await patient.execute(1)  # type: ignore[arg-type]
    greeting.with_options(identity="1")  # type: ignore[call-arg]
    greeting.with_options(run_timeout=1)  # type: ignore[arg-type]


async def typed_calls_of_classes() -> None:
    assert_type(await Greeting.run.start("Ada", times=2), ChildWorkflowHandle[Greeting, str])
    assert_type(await Greeting.run.execute("Ada"), str)
    assert_type(await Sum.run.execute(1, b=2), int)
    assert_type(await Clock.run.with_options(id="1").start(), ChildWorkflowHandle[Clock, float])
    assert_type(await Loud.run.start("Ada", times=2), ChildWorkflowHandle[Loud, str])

    await Greeting.run.start(1)  # type: ignore[arg-type]
    await Greeting.run.start(Greeting(), "Ada")  # type: ignore[call-arg, arg-type]
    await Greeting.run.execute("Ada", time=2)  # type: ignore[call-arg]
    await Clock.run.execute(1)  # type: ignore[call-arg]
    await Clock.run.with_options(id=1).execute()  # type: ignore[arg-type]


async def calls_by_reference() -> None:
    child = await workflow.start_child_workflow(Greeting.run, "Ada", id="1")
    assert_type(child, ChildWorkflowHandle[Greeting, str])
    assert_type(await child, str)
    assert_type(await workflow.start_child_workflow(Sum.run, args=[1, 2]), ChildWorkflowHandle[Sum, int])
    assert_type(await workflow.start_child_workflow(Clock.run), ChildWorkflowHandle[Clock, float])
    assert_type(await workflow.start_child_workflow(Loud.run, "Ada"), ChildWorkflowHandle[Loud, str])
    assert_type(await workflow.start_child_workflow(greeting, "Ada"), ChildWorkflowHandle[Any, str])
    assert_type(await workflow.start_child_workflow(greeting, args=["Ada", 2]), ChildWorkflowHandle[Any, str])
    assert_type(await workflow.start_child_workflow(add, args=[1, 2]), ChildWorkflowHandle[Any, int])
    assert_type(await workflow.start_child_workflow(wait, memo={"a": 1}), ChildWorkflowHandle[Any, None])
    assert_type(await workflow.start_child_workflow(Greeting, "Ada"), ChildWorkflowHandle[Greeting, Any])
    assert_type(await workflow.start_child_workflow("greeting", "Ada"), ChildWorkflowHandle[Any, Any])
    assert_type(await workflow.execute_child_workflow(Greeting.run, "Ada", task_queue="q"), str)
    assert_type(await workflow.execute_child_workflow(Sum.run, args=[1, 2]), int)
    assert_type(await workflow.execute_child_workflow(greeting, "Ada"), str)
    assert_type(await workflow.execute_child_workflow(wait), None)
    assert_type(await workflow.execute_child_workflow("greeting", "Ada"), Any)
    assert_type(await workflow.execute_child_workflow("greeting", "Ada", result_type=str), str)

    await workflow.start_child_workflow(Greeting.run, 1)  # type: ignore[misc]
    await workflow.start_child_workflow(Greeting.run)  # type: ignore[arg-type]
    await workflow.start_child_workflow(Clock.run, 1)  # type: ignore[arg-type]
    await workflow.start_child_workflow(greeting)  # type: ignore[arg-type]
    await workflow.start_child_workflow(add, 1)  # type: ignore[arg-type]
    await workflow.execute_child_workflow(greeting, 1)  # type: ignore[misc]
    await workflow.execute_child_workflow(wait, run_timeout=1)  # type: ignore[call-overload]
    await workflow.execute_child_workflow(wait, identity="1")  # type: ignore[call-overload]
    await workflow.execute_child_workflow("greeting", result_type="str")  # type: ignore[call-overload]


async def signals() -> None:
    child = await Greeting.run.start("Ada")
    await child.signal(Greeting.rename, "Bob")
    await child.signal(Greeting.stop)
    await child.signal(Greeting.full_name, args=["Ada", "Lovelace"])
    await child.signal("rename", "Bob")
    external = workflow.get_external_workflow_handle_for(Greeting.run, "1")
    assert_type(external, ExternalWorkflowHandle[Greeting])
    assert_type(workflow.get_external_workflow_handle_for(Greeting, "1"), ExternalWorkflowHandle[Greeting])
    assert_type(workflow.get_external_workflow_handle_for(Sum.run, "1"), ExternalWorkflowHandle[Sum])
    assert_type(workflow.get_external_workflow_handle_for(greeting, "1"), ExternalWorkflowHandle[Any])
    assert_type(workflow.get_external_workflow_handle("1"), ExternalWorkflowHandle[Any])
    await external.signal(Greeting.rename, "Bob")
    await external.signal(Greeting.stop, event_groups=[])
    await external.signal(Greeting.full_name, args=["Ada", "Lovelace"])
    await external.signal("rename", args=["Bob"])

    await child.signal(Greeting.rename, 1)  # type: ignore[call-overload]
    await child.signal(Greeting.rename)  # type: ignore[call-overload]
    await child.signal(Greeting.stop, 1)  # type: ignore[call-overload]
    await external.signal(Greeting.rename, 1)  # type: ignore[call-overload]
    await external.signal(Clock.run)  # type: ignore[arg-type]
    clock = workflow.get_external_workflow_handle_for(Clock.run, "1")
    await clock.signal(Greeting.stop)  # type: ignore[call-overload]
    workflow.get_external_workflow_handle_for("Greeting", "1")  # type: ignore[call-overload]
