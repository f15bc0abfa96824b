"""The generated messages: complete, named as the Temporal API names them, and alone in their descriptor pool."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.message import Message

import invincible.api
from invincible.api.common.v1 import GrpcStatus, Payload, RetryPolicy
from invincible.api.enums.v1 import EventType
from invincible.api.workflowservice.v1 import RegisterNamespaceRequest, service_pb2

# A message of the same name as ours, in a file of the same name, with other fields.
RIVAL = """
from google.protobuf import descriptor_pb2, descriptor_pool
file = descriptor_pb2.FileDescriptorProto(name="temporal/api/common/v1/message.proto", package="temporal.api.common.v1")
file.message_type.add(name="Payload").field.add(name="other", number=1, type=9, label=1)
descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
"""
OURS = "from invincible.api.common.v1 import Payload; assert Payload(data=b'1').SerializeToString() == b'\\x12\\x011'\n"

MODULES = [module.name for module in pkgutil.walk_packages(invincible.api.__path__, "invincible.api.")]
PACKAGES = [name for name in MODULES if re.search(r"\.v\d+$", name)]


THREE_SECONDS = duration_pb2.Duration(seconds=3)


def run_python(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_package_exports_the_messages_of_its_files(name: str) -> None:
    package = importlib.import_module(name)
    files = [importlib.import_module(module) for module in MODULES if module.startswith(f"{name}.")]
    assert files
    defined = {
        message
        for file in files
        for message in [*file.DESCRIPTOR.message_types_by_name, *file.DESCRIPTOR.enum_types_by_name]
    }
    assert set(package.__all__) == defined
    for message in defined:
        item = getattr(package, message)
        assert item.DESCRIPTOR.name == message
        assert not isinstance(item, type) or issubclass(item, Message)


@pytest.mark.parametrize(
    "package",
    ["workflowservice.v1", "operatorservice.v1", "cloud.cloudservice.v1", "testservice.v1", "grpc.health.v1", "sdk.v1"],
)
def test_services_are_there(package: str) -> None:
    assert f"invincible.api.{package}" in PACKAGES


def test_service_methods_are_described() -> None:
    method = service_pb2.DESCRIPTOR.services_by_name["WorkflowService"].methods_by_name["RegisterNamespace"]
    assert method.input_type is RegisterNamespaceRequest.DESCRIPTOR


def test_names_are_those_of_the_temporal_api() -> None:
    assert Payload.DESCRIPTOR.full_name == "temporal.api.common.v1.Payload"
    assert Payload.DESCRIPTOR.file.name == "temporal/api/common/v1/message.proto"
    assert f"{Payload.__module__}.{Payload.__qualname__}" == "invincible.api.common.v1.message_pb2.Payload"
    assert EventType.Name(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED) == "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED"
    assert EventType.EVENT_TYPE_TIMER_FIRED == EventType.Value("EVENT_TYPE_TIMER_FIRED") == 18


@pytest.mark.parametrize("code", [RIVAL + OURS, OURS + RIVAL], ids=["after a rival", "before a rival"])
def test_other_definitions_of_the_same_names_do_not_clash(code: str) -> None:
    run_python(code)


def test_well_known_types_of_the_default_pool_are_taken() -> None:
    day = duration_pb2.Duration(seconds=86400)
    request = RegisterNamespaceRequest(namespace="n", workflow_execution_retention_period=day)
    assert request.workflow_execution_retention_period.ToTimedelta() == timedelta(days=1)

    request.workflow_execution_retention_period.CopyFrom(duration_pb2.Duration(seconds=1))
    request.workflow_execution_retention_period.MergeFrom(duration_pb2.Duration(nanos=1000))
    assert request.workflow_execution_retention_period.ToTimedelta() == timedelta(seconds=1, microseconds=1)

    assert GrpcStatus(details=[any_pb2.Any(type_url="a/b")]).details[0].type_url == "a/b"


def test_well_known_types_of_the_own_pool_are_taken() -> None:
    policy = RetryPolicy(initial_interval=THREE_SECONDS)
    copy = RetryPolicy(initial_interval=policy.initial_interval, maximum_attempts=2)
    assert copy.initial_interval == policy.initial_interval
    assert not RetryPolicy(initial_interval=None).HasField("initial_interval")


def test_another_message_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Any|Duration"):
        RetryPolicy(initial_interval=any_pb2.Any())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "message",
    [
        Payload(metadata={"encoding": b"json/plain"}, data=b"1"),
        Payload.ExternalPayloadDetails(size_bytes=3),
        RetryPolicy(initial_interval=THREE_SECONDS),
    ],
)
def test_messages_survive_pickle_and_json(message: Message) -> None:
    assert pickle.loads(pickle.dumps(message)) == message
    assert json_format.Parse(json_format.MessageToJson(message), type(message)()) == message


def test_well_known_types_are_unpickled_as_those_of_the_default_pool() -> None:
    interval = pickle.loads(pickle.dumps(RetryPolicy(initial_interval=THREE_SECONDS).initial_interval))
    assert interval == THREE_SECONDS
