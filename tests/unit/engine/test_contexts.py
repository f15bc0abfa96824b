"""Serialization contexts: each value is converted for what it belongs to, and plain converters are not bothered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, workflow
from invincible._engine.contexts import context_of, is_of_server
from invincible._native import ApplicationFailureInfo, Failure, Payload
from invincible.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    NexusSerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from invincible.converter._context import wants_context
from tests.support.engine import Driver, greet, payload, query, signal, update

OWN = WorkflowSerializationContext("default", "engine-test")

# What was converted, by whom and for what.
Conversions = list[tuple[str, Any, "SerializationContext | None"]]
conversions: Conversions = []


class TellingPayloads(DefaultPayloadConverter, WithSerializationContext):
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> TellingPayloads:
        told = TellingPayloads()
        told.context = context
        return told

    def to_payloads(self, values: Sequence[Any]) -> list[Payload]:
        conversions.extend(("to payload", each, self.context) for each in values)
        return super().to_payloads(values)

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        values = super().from_payloads(payloads, type_hints)
        conversions.extend(("from payload", each, self.context) for each in values)
        return values


class TellingFailures(DefaultFailureConverter, WithSerializationContext):
    context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> TellingFailures:
        told = TellingFailures()
        told.context = context
        return told

    def from_native(self, failure: Failure, payload_converter: Any) -> BaseException:
        conversions.append(("from failure", failure.message, self.context))
        return super().from_native(failure, payload_converter)


TELLING = DataConverter(payload_converter_class=TellingPayloads, failure_converter_class=TellingFailures)


@pytest.fixture(autouse=True)
def forgotten() -> None:
    conversions.clear()


def activity_context(**changes: Any) -> ActivitySerializationContext:
    fields: dict[str, Any] = {
        "namespace": "default",
        "activity_id": None,
        "activity_type": "greet",
        "activity_task_queue": "engine",
        "workflow_id": "engine-test",
        "workflow_type": "calls",
        "is_local": False,
        **changes,
    }
    return ActivitySerializationContext(**fields)


@pytest.mark.parametrize("is_local", [False, True])
def test_values_of_activities_belong_to_them(is_local: bool) -> None:
    @workflow.defn
    async def calls() -> str:
        with_id = greet.with_options(activity_id="given", task_queue="elsewhere", summary="summary")
        first = await (with_id.execute_local("Ann") if is_local else with_id.execute("Ann"))
        return first + await (greet.execute_local("Bob") if is_local else greet.execute("Bob"))

    driver = Driver(calls, converter=TELLING)
    driver.start()
    given = activity_context(
        activity_id="given", activity_task_queue="engine" if is_local else "elsewhere", is_local=is_local
    )
    assert context_of(driver.run, "ResolveActivity", 1) == given
    driver.activate(_native.ResolveActivity(seq=1, is_local=is_local, result=payload("one")))
    failure = Failure("no", info=ApplicationFailureInfo(details=[payload("detail")]))
    driver.activate(_native.ResolveActivity(seq=2, is_local=is_local, failure=failure))
    anonymous = activity_context(is_local=is_local)
    assert conversions == [
        ("to payload", "Ann", given),
        ("to payload", "summary", given),
        ("from payload", "one", given),
        ("to payload", "Bob", anonymous),
        ("from failure", "no", anonymous),
        ("from payload", "detail", anonymous),
    ]


def test_values_of_children_and_of_what_they_are_sent_belong_to_them() -> None:
    @workflow.defn
    async def calls() -> None:
        child: Any = await workflow.start_child_workflow(
            "other", "argument", id="child", memo={"note": "memo"}, static_summary="summary", static_details="details"
        )
        await child.signal("signal", "to child")
        await child
        await workflow.get_external_workflow_handle("other").signal("signal", "to other")

    driver = Driver(calls, converter=TELLING)
    driver.start()
    driver.activate(_native.ResolveChildWorkflowExecutionStart(seq=1, run_id="run"))
    child, other = WorkflowSerializationContext("default", "child"), WorkflowSerializationContext("default", "other")
    assert context_of(driver.run, "SignalExternalWorkflowExecution", 1) == child
    assert context_of(driver.run, "ResolveChildWorkflowExecution", 1) == child
    driver.activate(_native.ResolveSignalExternalWorkflow(seq=1))
    driver.activate(_native.ResolveChildWorkflowExecution(seq=1, result=payload("result")))
    driver.activate(_native.ResolveSignalExternalWorkflow(seq=2, failure=Failure("not found")))
    expected: Conversions = [
        *(("to payload", each, child) for each in ("argument", "memo", "summary", "details", "to child")),
        ("from payload", "result", child),
        ("to payload", "to other", other),
        ("from failure", "not found", other),
    ]
    assert conversions == expected


def test_values_of_nexus_operations_belong_to_them() -> None:
    @workflow.defn
    async def calls() -> None:
        client = workflow.create_nexus_client(service="service", endpoint="endpoint")
        await client.execute_operation("operation", "input", summary="summary")

    driver = Driver(calls, converter=TELLING)
    driver.start()
    context = NexusSerializationContext("endpoint", "service", "operation")
    assert context_of(driver.run, "ResolveNexusOperation", 1) == context
    assert not is_of_server(driver.run, "ResolveNexusOperation", 1)
    driver.activate(_native.ResolveNexusOperationStart(seq=1, operation_token="token"))
    driver.activate(_native.ResolveNexusOperation(seq=1, failure=Failure("no")))
    assert conversions == [
        ("to payload", "input", context),
        ("to payload", "summary", context),
        ("from failure", "no", context),
    ]


def test_values_sent_with_a_start_belong_to_the_started_workflow() -> None:
    @workflow.defn
    async def calls() -> None:
        await workflow.signal_with_start_workflow(
            "other", "argument", id="started", task_queue="queue", signal="signal", signal_args="sent"
        )

    driver = Driver(calls, converter=TELLING)
    driver.start()
    started = WorkflowSerializationContext("default", "started")
    assert conversions == [("to payload", "argument", started), ("to payload", "sent", started)]
    assert context_of(driver.run, "ScheduleNexusOperation", 1) == started
    assert is_of_server(driver.run, "ResolveNexusOperation", 1)


def test_all_other_values_belong_to_the_workflow() -> None:
    @workflow.defn
    class Calls:
        @workflow.run
        async def run(self, argument: str) -> str:
            workflow.payload_converter().to_payload("converted")
            workflow.memo_value("note")
            workflow.upsert_memo({"note": "memo"})
            workflow.create_event_group("group", label="label")
            await workflow.sleep(timedelta(seconds=1), summary="summary")
            return "result"

        @workflow.signal
        def signal(self, text: str) -> None: ...

        @workflow.update
        def update(self, text: str) -> str:
            return "updated"

        @workflow.query
        def query(self, text: str) -> str:
            return "answer"

    driver = Driver(Calls, "argument", converter=TELLING, memo={"note": payload("start")})
    driver.start(signal("signal", "signalled"), update("update", "asked"))
    driver.activate(query("query", "question"), is_replaying=True)
    driver.activate(_native.FireTimer(seq=1))
    texts = {(kind, value) for kind, value, context in conversions if context == OWN}
    assert len(texts) == len({(kind, value) for kind, value, _ in conversions})
    assert {value for _, value in texts} == {
        *("argument", "signalled", "asked", "updated", "converted", "start", "memo", "label", "summary"),
        *("question", "answer", "result"),
    }
    assert context_of(driver.run, "StartTimer", 1) == OWN
    assert context_of(driver.run, "ResolveActivity", 7) == OWN


def test_plain_converters_are_not_asked() -> None:
    @workflow.defn
    async def calls() -> None:
        await greet.execute("Ann")

    driver = Driver(calls)
    driver.start()
    assert driver.run.context is None
    assert driver.run.activities.pending[1].context is None
    assert driver.run.payload_converter is DataConverter.default.payload_converter


def test_a_composite_wants_to_know_what_its_parts_want_to_know() -> None:
    class Part(JSONPlainPayloadConverter, WithSerializationContext):
        def with_context(self, context: SerializationContext) -> Part:
            return self

    class Whole(DefaultPayloadConverter):
        def with_context(self, context: SerializationContext) -> Whole:
            return self

    assert not wants_context(DefaultPayloadConverter())
    assert not wants_context(object())
    assert wants_context(CompositePayloadConverter(Part()))
    assert wants_context(Whole())
