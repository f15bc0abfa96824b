"""What update-with-start sends, and what it makes of a refusal, where a server is not needed to see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invincible import _native
from invincible.api.common.v1 import GrpcStatus, TimeSkippingConfig
from invincible.api.errordetails.v1 import (
    MultiOperationExecutionFailure,
    WorkflowExecutionAlreadyStartedFailure,
)
from invincible.api.workflow.v1 import VersioningOverride
from invincible.api.workflowservice.v1 import ExecuteMultiOperationRequest, ExecuteMultiOperationResponse
from invincible.client._multi_operation import update_with_start
from invincible.common import (
    AutoUpgradeVersioningOverride,
    OneTimeVersioningOverride,
    PinnedVersioningOverride,
    WorkerDeploymentVersion,
)
from invincible.common import VersioningOverride as AnyVersioningOverride
from invincible.exceptions import WorkflowAlreadyStartedError
from invincible.service import ConnectConfig, RPCError, RPCStatusCode, ServiceClient

VERSION = WorkerDeploymentVersion("shop", "7")


class Service(ServiceClient):
    """Keeps the request, and answers with an error or an accepted update."""

    def __init__(self, error: RPCError | None = None) -> None:
        super().__init__(ConnectConfig("nowhere:1"))
        self.error = error
        self.requests: list[ExecuteMultiOperationRequest] = []

    async def _rpc_call(self, rpc: str, req: Any, resp_type: Any, **options: Any) -> Any:
        self.requests.append(req)
        if self.error is not None:
            raise self.error
        response = ExecuteMultiOperationResponse.Response
        return ExecuteMultiOperationResponse(responses=[response(), response()])


async def send(service: Service, **start: Any) -> None:
    await update_with_start(
        service,
        _native.StartWorkflowRequest(
            namespace="space", workflow_id="id", workflow_type="Cart", task_queue="queue", identity="me", **start
        ),
        _native.UpdateRequest(namespace="space", workflow_id="id", update_id="1", name="add", identity="me"),
        {},
    )


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (AutoUpgradeVersioningOverride(), "auto_upgrade: true"),
        (
            PinnedVersioningOverride(VERSION),
            """pinned {
                 behavior: PINNED_OVERRIDE_BEHAVIOR_PINNED
                 version { build_id: "7" deployment_name: "shop" }
               }""",
        ),
        (
            OneTimeVersioningOverride(VERSION),
            'one_time { target_deployment_version { build_id: "7" deployment_name: "shop" } }',
        ),
    ],
)
async def test_the_start_carries_the_versioning_override(override: AnyVersioningOverride, expected: str) -> None:
    from google.protobuf.text_format import Parse

    service = Service()
    await send(service, versioning_override=override._to_native())
    start = service.requests[0].operations[0].start_workflow
    assert start.versioning_override == Parse(expected, VersioningOverride())


async def test_the_start_carries_what_is_set_and_nothing_else() -> None:
    service = Service()
    config = TimeSkippingConfig(enabled=True)
    await send(service, request_id="r", start_delay=1.5, time_skipping_config=config.SerializeToString())
    (request,) = service.requests
    start = request.operations[0].start_workflow
    assert (start.request_id, start.time_skipping_config) == ("r", config)
    assert start.workflow_start_delay.ToTimedelta() == timedelta(seconds=1.5)
    unset = {"retry_policy", "memo", "search_attributes", "header", "user_metadata", "versioning_override", "priority"}
    assert not unset & {field.name for field, _ in start.ListFields()}
    assert request.namespace == start.namespace == request.operations[1].update_workflow.namespace == "space"


def refusal(*statuses: MultiOperationExecutionFailure.OperationStatus) -> RPCError:
    status = GrpcStatus(code=RPCStatusCode.ABORTED, message="all of it")
    status.details.add().Pack(MultiOperationExecutionFailure(statuses=statuses))
    return RPCError("all of it", RPCStatusCode.ABORTED, status.SerializeToString())


def status_of(code: RPCStatusCode, message: str) -> MultiOperationExecutionFailure.OperationStatus:
    return MultiOperationExecutionFailure.OperationStatus(code=code, message=message)


async def test_the_error_is_that_of_the_part_which_was_refused() -> None:
    error = refusal(status_of(RPCStatusCode.ABORTED, "given up"), status_of(RPCStatusCode.NOT_FOUND, "no such thing"))
    with pytest.raises(RPCError, match="no such thing") as raised:
        await send(Service(error))
    assert raised.value.status is RPCStatusCode.NOT_FOUND
    assert raised.value.grpc_status.message == "no such thing"


async def test_a_taken_id_names_the_run_that_has_it() -> None:
    taken = status_of(RPCStatusCode.ALREADY_EXISTS, "taken")
    taken.details.add().Pack(WorkflowExecutionAlreadyStartedFailure(run_id="run"))
    with pytest.raises(WorkflowAlreadyStartedError) as raised:
        await send(Service(refusal(taken, status_of(RPCStatusCode.ABORTED, "given up"))))
    assert (raised.value.workflow_id, raised.value.workflow_type, raised.value.run_id) == ("id", "Cart", "run")


async def test_an_error_that_does_not_tell_the_part_stays_as_it_is() -> None:
    error = RPCError("away", RPCStatusCode.UNAVAILABLE, b"")
    with pytest.raises(RPCError) as raised:
        await send(Service(error))
    assert raised.value is error
