"""Options of a connection: what is refused, what follows from what, and what is never shown."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from types import MappingProxyType
from typing import Any, cast

import pytest

from invincible.api.workflowservice.v1 import GetSystemInfoRequest
from invincible.client import Client, Interceptor, SyncClient, WithStartWorkflowOperation
from invincible.common import WorkflowIDConflictPolicy
from invincible.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    PayloadLimitsConfig,
    RetryConfig,
    RPCError,
    RPCStatusCode,
    ServiceClient,
    TLSConfig,
    headers,
)

PEM = b"-----BEGIN CERTIFICATE-----\ns3cret\n-----END CERTIFICATE-----\n"
KEY = b"-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n"


def test_no_secret_is_shown() -> None:
    config = ConnectConfig(
        "localhost:7233",
        api_key="s3cret",
        tls=TLSConfig(server_root_ca_cert=PEM, client_cert=PEM, client_private_key=KEY),
        rpc_metadata={"authorization": "s3cret"},
        http_connect_proxy_config=HttpConnectProxyConfig("proxy:1", basic_auth=("user", "s3cret")),
    )
    assert "s3cret" not in repr(config)
    assert "localhost:7233" in repr(config)


@pytest.mark.parametrize("name", ["server_root_ca_cert", "client_cert", "client_private_key"])
def test_certificates_and_keys_are_pem_bytes(name: str) -> None:
    option: dict[str, Any] = {name: "/etc/ca.pem"}
    with pytest.raises(TypeError, match=f"{name} must be the PEM data as bytes, got str"):
        TLSConfig(**option)
    option[name] = b"/etc/ca.pem"
    with pytest.raises(ValueError, match=f"{name} holds no PEM data"):
        TLSConfig(**option)
    option[name] = PEM if name == "client_private_key" else KEY
    with pytest.raises(ValueError, match=f"{name} holds no PEM data of a (certificate|private key): "):
        TLSConfig(**option)


@pytest.mark.parametrize(
    "key",
    [
        KEY.replace(b"PRIVATE", b"ENCRYPTED PRIVATE"),
        KEY.replace(b"PRIVATE", b"RSA PRIVATE").replace(b"s3cret", b"Proc-Type: 4,ENCRYPTED\n\ns3cret"),
    ],
)
def test_an_encrypted_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="client_private_key is encrypted: decrypt it"):
        TLSConfig(client_cert=PEM, client_private_key=key)


@pytest.mark.parametrize("key", ["s3cret\n", "s3cret\x00", "s3cr\u00e9t"])
async def test_an_api_key_that_no_header_can_carry_is_refused(key: str) -> None:
    client = await Client.connect("localhost:1", lazy=True)
    with pytest.raises(ValueError, match=r"^api_key holds a character .* strip its line break$"):
        client.api_key = key
    with pytest.raises(ValueError, match=r"^api_key") as caught:
        ConnectConfig("localhost:1", api_key=key)
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("target", ["proxy", "http://proxy:3128", "proxy:port", ""])
def test_a_proxy_is_host_and_port_or_a_socket(target: str) -> None:
    with pytest.raises(ValueError, match=f"^the proxy's target_host must be host:port or unix:/path, got '{target}'$"):
        HttpConnectProxyConfig(target)
    for good in ("proxy:3128", "[::1]:3128", "unix:/run/proxy"):
        assert HttpConnectProxyConfig(good).target_host == good


def test_credentials_of_a_proxy_are_no_part_of_its_address() -> None:
    with pytest.raises(ValueError, match="give them as basic_auth") as caught:
        HttpConnectProxyConfig("user:s3cret@proxy:3128")
    assert "s3cret" not in str(caught.value)


def test_times_and_counts_are_not_negative() -> None:
    with pytest.raises(ValueError, match="initial_interval_millis must not be negative, got -1"):
        RetryConfig(initial_interval_millis=-1)
    with pytest.raises(ValueError, match="timeout_millis must not be negative, got -1"):
        KeepAliveConfig(timeout_millis=-1)
    with pytest.raises(ValueError, match="memo_warn_size must not be negative, got -1"):
        PayloadLimitsConfig(memo_warn_size=-1)
    with pytest.raises(ValueError, match="resolution_interval_millis must be 1000 or more, got 999"):
        DnsLoadBalancingConfig(resolution_interval_millis=999)


def test_the_identity_is_process_and_host() -> None:
    assert ConnectConfig("localhost:7233").identity.startswith(f"{os.getpid()}@")
    assert ConnectConfig("localhost:7233", identity="me").identity == "me"


@pytest.mark.parametrize(
    ("tls", "api_key", "expected"),
    [(None, None, False), (None, "key", True), (False, "key", False), (True, None, True)],
)
def test_an_api_key_turns_tls_on_unless_it_is_turned_off(tls: bool | None, api_key: str | None, expected: bool) -> None:
    assert (ConnectConfig("localhost:7233", tls=tls, api_key=api_key)._tls() is not None) is expected


def test_compressions_have_names() -> None:
    assert [repr(GrpcCompression.NONE), repr(GrpcCompression.GZIP)] == ["GrpcCompression.NONE", "GrpcCompression.GZIP"]


async def test_a_lazy_client_connects_with_its_first_call() -> None:
    client = await ServiceClient.connect(ConnectConfig("127.0.0.1:1", lazy=True))
    with pytest.raises(RuntimeError, match=r"not connected to 127\.0\.0\.1:1 yet: connect without lazy"):
        _ = client._native
    with pytest.raises(RuntimeError, match=r"could not connect to 127\.0\.0\.1:1: connection refused"):
        await client.check_health()


def test_headers_may_be_any_mapping() -> None:
    assert headers(MappingProxyType({"tenant": "blue"})) == {"tenant": "blue"}
    assert type(headers(MappingProxyType({}))) is dict


async def test_metadata_and_key_can_be_set_before_a_lazy_client_connects() -> None:
    client = await Client.connect("127.0.0.1:1", lazy=True, rpc_metadata={"a": "1"}, api_key="old")
    client.rpc_metadata = {"b": b"2"}
    client.api_key = "new"
    assert (client.rpc_metadata, client.api_key) == ({"b": b"2"}, "new")
    assert client.service_client.config.api_key == "new"


def test_importing_a_client_loads_no_protobuf() -> None:
    heavy = "google.protobuf", "invincible.api"
    script = f"import sys, invincible.client; print([name for name in sys.modules if name.startswith({heavy})])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=env)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done


def test_rpc_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(RPCError("gone", RPCStatusCode.NOT_FOUND, b"\x08\x05")))
    assert (error.message, error.status, error.raw_grpc_status) == ("gone", RPCStatusCode.NOT_FOUND, b"\x08\x05")
    assert error.grpc_status.code == RPCStatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"target_host": None}, "target_host must be a str, got NoneType"),
        ({"api_key": b"s3cret"}, "api_key must be a str, got bytes"),
        ({"tls": "s3cret"}, "tls must be a bool or TLSConfig, got str"),
        ({"retry_config": 3}, "retry_config must be a RetryConfig, got int"),
        ({"identity": 5}, "identity must be a str, got int"),
        ({"grpc_compression": "gzip"}, "grpc_compression must be a GrpcCompression, got str"),
        ({"connect_timeout": 5}, "connect_timeout must be a timedelta, got int"),
        ({"rpc_metadata": "s3cret"}, "rpc_metadata must be a mapping of names to str or bytes, got str"),
        ({"rpc_metadata": {1: "s3cret"}}, "names of rpc_metadata must be str, got int"),
        ({"rpc_metadata": {"tenant": ["s3cret"]}}, "rpc_metadata 'tenant' must be a str or bytes, got list"),
    ],
)
async def test_options_of_a_wrong_type_are_named_and_not_shown(option: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        await Client.connect(**{"target_host": "localhost:7233", **option})


async def test_arguments_of_calls_that_are_of_a_wrong_type_are_named() -> None:
    client = await Client.connect("127.0.0.1:9", lazy=True)
    raw: Any = client.workflow_service.get_system_info
    with pytest.raises(TypeError, match=r"^the timeout of a call must be a timedelta, got int$"):
        await raw(GetSystemInfoRequest(), timeout=5)
    with pytest.raises(TypeError, match=r"^rpc_metadata 'tenant' must be a str or bytes, got int$"):
        await raw(GetSystemInfoRequest(), metadata={"tenant": 5})
    with pytest.raises(TypeError, match=r"^the timeout of a call must be a timedelta, got int$"):
        await cast(Any, client.get_workflow_handle("order-17")).signal("approve", rpc_timeout=5)
    with pytest.raises(TypeError, match=r"^execution_timeout must be a timedelta, got int$"):
        await cast(Any, client).start_workflow("Order", id="order-17", task_queue="orders", execution_timeout=5)
    with pytest.raises(TypeError, match=r"^rpc_timeout must be a timedelta, got int$"):
        await cast(Any, client.get_workflow_handle("order-17")).execute_update("approve", rpc_timeout=5)
    with pytest.raises(TypeError, match=r"^rpc_metadata 'tenant' must be a str or bytes, got int$"):
        cast(Any, client).rpc_metadata = {"tenant": 5}
    assert client.rpc_metadata == {}


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"namespace": None}, TypeError, "namespace must be a str, got NoneType"),
        ({"namespace": ""}, ValueError, "namespace must not be empty"),
        ({"data_converter": str}, TypeError, "data_converter must be a DataConverter, got type"),
        (
            {"interceptors": [Interceptor]},
            TypeError,
            "interceptors must be objects of subclasses of invincible.client.Interceptor, got <class",
        ),
    ],
)
async def test_a_client_of_wrong_parts_is_refused(option: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        await Client.connect("127.0.0.1:9", lazy=True, **option)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"id": None}, "id of workflow 'Order' must be a str, got NoneType"),
        ({"task_queue": 5}, "task_queue of workflow 'Order' must be a str, got int"),
        ({"retry_policy": 5}, "retry_policy of workflow 'Order' must be a RetryPolicy, got int"),
        ({"memo": ["x"]}, "memo of workflow 'Order' must be a Mapping, got list"),
        ({"priority": None}, "priority of workflow 'Order' must be a Priority, got NoneType"),
        ({"static_summary": 5}, "static_summary of workflow 'Order' must be a str, got int"),
        (
            {"search_attributes": 5},
            "search_attributes of workflow 'Order' must be a TypedSearchAttributes or Mapping, got int",
        ),
    ],
)
async def test_options_of_a_start_of_a_wrong_type_are_named(option: dict[str, Any], message: str) -> None:
    client: Any = await Client.connect("127.0.0.1:9", lazy=True)
    options = {"id": "order-17", "task_queue": "orders", **option}
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        await client.start_workflow("Order", **options)
    start = WithStartWorkflowOperation("Order", id_conflict_policy=WorkflowIDConflictPolicy.FAIL, **options)
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        await client.execute_update_with_start_workflow("approve", start_workflow_operation=start)


async def test_arguments_of_no_signal_are_refused() -> None:
    client = await Client.connect("127.0.0.1:9", lazy=True)
    with pytest.raises(ValueError, match="start_signal_args of workflow 'Order' need a start_signal to be sent with"):
        await client.start_workflow("Order", id="order-17", task_queue="orders", start_signal_args=["tea"])


async def test_clients_say_where_they_are_connected_to() -> None:
    client = await Client.connect("127.0.0.1:9", namespace="orders", lazy=True)
    assert repr(client) == "<Client 127.0.0.1:9 namespace='orders'>"
    assert repr(SyncClient.connect("127.0.0.1:9", lazy=True)) == "<SyncClient 127.0.0.1:9 namespace='default'>"
    service = client.create_nexus_client("payments", endpoint="bank")
    assert repr(service) == "<NexusClient service='payments' endpoint='bank'>"
