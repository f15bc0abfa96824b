"""The services with a method for each RPC: complete, typed, known to the bridge, loaded only when they are used."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import typing
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

import invincible.service
from invincible.api.cloud.cloudservice.v1 import service_pb2 as cloud
from invincible.api.grpc.health.v1 import HealthCheckRequest, HealthCheckResponse, health_pb2
from invincible.api.operatorservice.v1 import service_pb2 as operator
from invincible.api.testservice.v1 import service_pb2 as testing
from invincible.api.workflowservice.v1 import service_pb2 as workflow
from invincible.client import Client
from invincible.service import ConnectConfig, ServiceClient

SERVICES: dict[str, tuple[str, ServiceDescriptor]] = {
    "WorkflowService": ("workflow", workflow.DESCRIPTOR.services_by_name["WorkflowService"]),
    "OperatorService": ("operator", operator.DESCRIPTOR.services_by_name["OperatorService"]),
    "CloudService": ("cloud", cloud.DESCRIPTOR.services_by_name["CloudService"]),
    "TestService": ("test", testing.DESCRIPTOR.services_by_name["TestService"]),
    "HealthService": ("health", health_pb2.DESCRIPTOR.services_by_name["Health"]),
}
RPCS = [
    pytest.param(service, method, id=f"{service}-{method.name}")
    for service, (_, descriptor) in SERVICES.items()
    for method in descriptor.methods
    if not method.server_streaming
]


def python_name(rpc: str) -> str:
    return "_".join(re.findall("[A-Z][a-z0-9]*|[A-Z]+", rpc)).lower()


@pytest.mark.parametrize(("service", "method"), RPCS)
def test_every_rpc_is_a_method(service: str, method: MethodDescriptor) -> None:
    function = getattr(getattr(invincible.service, service), python_name(method.name))
    assert inspect.iscoroutinefunction(function)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    assert [(parameter.name, parameter.default) for parameter in parameters] == [
        ("req", inspect.Parameter.empty),
        ("retry", False),
        ("metadata", {}),
        ("timeout", None),
    ]
    hints = typing.get_type_hints(function)
    assert hints["req"].DESCRIPTOR.full_name == method.input_type.full_name
    assert hints["return"].DESCRIPTOR.full_name == method.output_type.full_name
    assert hints["timeout"] == timedelta | None


@pytest.mark.parametrize("service", SERVICES)
def test_there_are_no_other_methods(service: str) -> None:
    methods = {name for name in dir(getattr(invincible.service, service)) if not name.startswith("_")}
    _, descriptor = SERVICES[service]
    assert methods == {python_name(method.name) for method in descriptor.methods if not method.server_streaming}


class Recorder(ServiceClient):
    """Takes calls down instead of sending them."""

    async def _rpc_call(self, rpc: str, req: Message, resp_type: Any, **options: Any) -> Any:
        self.call = (rpc, req, resp_type, options)
        return resp_type()


async def test_a_call_says_which_rpc_of_which_service() -> None:
    client = Recorder(ConnectConfig("localhost:1", lazy=True))
    request = HealthCheckRequest(service="any")
    response = await client.health_service.check(request, True, {"a": "b"}, timedelta(seconds=1))
    assert response == HealthCheckResponse()
    options = {"service": "health", "retry": True, "metadata": {"a": "b"}, "timeout": timedelta(seconds=1)}
    assert client.call == ("check", request, HealthCheckResponse, options)


async def test_a_client_has_the_services_of_its_connection() -> None:
    client = await Client.connect("localhost:1", lazy=True)
    service_client = client.service_client
    assert service_client.worker_service_client is service_client
    assert isinstance(client.workflow_service, invincible.service.WorkflowService)
    assert isinstance(client.operator_service, invincible.service.OperatorService)
    assert isinstance(client.test_service, invincible.service.TestService)
    assert isinstance(service_client.cloud_service, invincible.service.CloudService)
    assert isinstance(service_client.health_service, invincible.service.HealthService)
    assert client.workflow_service is service_client.workflow_service


def test_services_are_loaded_when_they_are_used() -> None:
    script = (
        "import sys, invincible.client, invincible.service as service\n"
        "before = 'google.protobuf' in sys.modules\n"
        "service.HealthService\n"
        "print(before, 'google.protobuf' in sys.modules, 'invincible.api.workflowservice' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=env)
    assert (done.returncode, done.stdout) == (0, "False True False\n"), done


def test_services_are_listed_before_they_are_loaded() -> None:
    assert set(SERVICES) <= set(dir(invincible.service))
    with pytest.raises(AttributeError, match="has no attribute 'NoService'"):
        _ = invincible.service.NoService  # type: ignore[attr-defined]


async def test_another_rpc_s_request_is_refused() -> None:
    service = ServiceClient(ConnectConfig(target_host="localhost:1", lazy=True)).health_service
    with pytest.raises(TypeError, match="check takes a HealthCheckRequest, got HealthCheckResponse"):
        await service.check(HealthCheckResponse())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="check takes a HealthCheckRequest, got NoneType"):
        await service.check(None)  # type: ignore[arg-type]


def test_services_say_what_they_are() -> None:
    connection = ServiceClient(ConnectConfig("host:1", api_key="s3cret"))
    assert repr(connection) == "<ServiceClient host:1>"
    assert repr(connection.workflow_service) == "<WorkflowService of <ServiceClient host:1>>"
    assert repr(connection.health_service) == "<HealthService of <ServiceClient host:1>>"
