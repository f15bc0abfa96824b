"""Signal-with-start from a workflow: an operation of the server's own Nexus service."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invincible import _native, workflow
from invincible.api.workflowservice.v1 import (
    SignalWithStartWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionResponse,
)
from invincible.common import (
    AutoUpgradeVersioningOverride,
    Priority,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from tests.support.engine import Driver, completed


@workflow.defn
class Basket:
    @workflow.run
    async def run(self, owner: str, size: int = 1) -> None: ...

    @workflow.signal
    def add(self, item: str) -> None: ...

    @workflow.signal
    def add_many(self, item: str, count: int) -> None: ...


def requested(command: Any) -> SignalWithStartWorkflowExecutionRequest:
    assert isinstance(command, _native.ScheduleNexusOperation)
    assert (command.endpoint, command.operation) == ("__temporal_system", "SignalWithStartWorkflowExecution")
    assert command.service == "temporal.api.workflowservice.v1.WorkflowService"
    assert command.input is not None
    return SignalWithStartWorkflowExecutionRequest.FromString(command.input.data)


def test_the_request_starts_and_signals_and_gives_a_handle_to_the_run() -> None:
    @workflow.defn
    async def shopper() -> list[str | None]:
        handle = await workflow.signal_with_start_workflow(
            Basket.run, "Ada", id="basket", task_queue="baskets", signal=Basket.add, signal_args="apple"
        )
        return [handle.id, handle.run_id]

    driver = Driver(shopper)
    (command,) = driver.start()
    request = requested(command)
    assert (request.namespace, request.workflow_id, request.workflow_type.name) == ("default", "basket", "Basket")
    assert (request.task_queue.name, request.signal_name) == ("baskets", "add")
    assert [each.data for each in request.input.payloads] == [b'"Ada"']
    assert [each.data for each in request.signal_input.payloads] == [b'"apple"']
    driver.activate(_native.ResolveNexusOperationStart(seq=1, started_sync=True))
    response = SignalWithStartWorkflowExecutionResponse(run_id="its-run")
    encoding = {
        "encoding": b"binary/protobuf",
        "messageType": response.DESCRIPTOR.full_name.encode(),
    }
    result = _native.Payload(encoding, response.SerializeToString())
    assert completed(driver.activate(_native.ResolveNexusOperation(seq=1, result=result))) == ["basket", "its-run"]


def test_every_option_arrives_in_the_request() -> None:
    colour = SearchAttributeKey.for_keyword("Colour")

    @workflow.defn
    async def shopper() -> None:
        await workflow.signal_with_start_workflow(
            "Anything",
            args=["Ada", 2],
            id="basket",
            task_queue="baskets",
            signal="add",
            signal_args=["apple", 3],
            execution_timeout=timedelta(seconds=1),
            run_timeout=timedelta(seconds=2),
            task_timeout=timedelta(seconds=3),
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
            retry_policy=RetryPolicy(maximum_attempts=4),
            cron_schedule="* * * * *",
            memo={"note": "first"},
            search_attributes=TypedSearchAttributes([SearchAttributePair(colour, "red")]),
            priority=Priority(priority_key=2),
            versioning_override=AutoUpgradeVersioningOverride(),
            start_delay=timedelta(seconds=5),
            static_summary="summary",
            static_details="details",
        )

    request = requested(Driver(shopper).start()[0])
    assert request.workflow_type.name == "Anything"
    assert [each.data for each in request.input.payloads] == [b'"Ada"', b"2"]
    assert [each.data for each in request.signal_input.payloads] == [b'"apple"', b"3"]
    assert request.workflow_execution_timeout.seconds == 1
    assert request.workflow_run_timeout.seconds == 2
    assert request.workflow_task_timeout.seconds == 3
    assert request.workflow_id_reuse_policy == 3
    assert request.workflow_id_conflict_policy == 3
    assert request.retry_policy.maximum_attempts == 4
    assert request.cron_schedule == "* * * * *"
    assert request.memo.fields["note"].data == b'"first"'
    assert request.search_attributes.indexed_fields["Colour"].data == b'"red"'
    assert request.priority.priority_key == 2
    assert request.versioning_override.auto_upgrade
    assert request.workflow_start_delay.seconds == 5
    assert request.user_metadata.summary.data == b'"summary"'
    assert request.user_metadata.details.data == b'"details"'


def test_a_signal_without_arguments_and_positional_arguments() -> None:
    @workflow.defn
    async def shopper() -> None:
        await workflow.signal_with_start_workflow(
            Basket, "Ada", 2, id="basket", task_queue="baskets", signal=Basket.add_many, signal_args=["apple", 3]
        )

    request = requested(Driver(shopper).start()[0])
    assert [each.data for each in request.input.payloads] == [b'"Ada"', b"2"]
    assert [each.data for each in request.signal_input.payloads] == [b'"apple"', b"3"]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"signal": Basket.run}, TypeError, "is not a signal"),
        ({"signal": Basket.add}, TypeError, "signal 'add' takes .*'item' is missing"),
        ({"args": ["Ada"]}, TypeError, "give the arguments either one by one or as args, not both"),
        ({"signal_args": object()}, TypeError, "the arguments of signal 'poke' cannot be encoded"),
        ({"run_timeout": -1}, ValueError, "run_timeout must not be negative"),
        ({"retry_policy": 3}, TypeError, "retry_policy must be a RetryPolicy"),
        ({"memo": {"key": object()}}, TypeError, "memo 'key' cannot be encoded"),
    ],
)
def test_wrong_calls_say_what_is_wrong(options: dict[str, Any], error: type[Exception], match: str) -> None:
    @workflow.defn
    async def shopper() -> None:
        await workflow.signal_with_start_workflow(
            Basket.run, "Ada", **{"id": "basket", "task_queue": "baskets", "signal": "poke", **options}
        )

    with pytest.raises(error, match=match):
        Driver(shopper).start()


def test_arguments_that_do_not_fit_the_workflow_are_refused() -> None:
    @workflow.defn
    async def shopper() -> None:
        await workflow.signal_with_start_workflow(Basket.run, id="b", task_queue="baskets", signal="poke")

    with pytest.raises(TypeError, match=r"workflow 'Basket' takes .*'owner' is missing"):
        Driver(shopper).start()
