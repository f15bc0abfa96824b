"""API keys and headers as they arrive at a server: of the connection, of a call, and replaced while connected."""

from __future__ import annotations

from typing import Any

import pytest

from invincible.api.workflowservice.v1 import GetSystemInfoRequest
from invincible.client import Client, CloudOperationsClient
from invincible.service import RPCError, RPCStatusCode, TLSConfig
from tests.support.certificates import Authority

from .conftest import Connect, healthy


async def test_an_api_key_that_is_wrong_right_and_replaced(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("localhost")) as server:
        server.keys.write_text("first")
        address = f"localhost:{server.port}"
        options: dict[str, Any] = {"tls": TLSConfig(server_root_ca_cert=authority.cert)}

        with pytest.raises(RuntimeError, match=rf"to {address}: Unauthenticated: .*wants to know who calls: give api_"):
            await Client.connect(address, **options)
        with pytest.raises(RuntimeError, match=rf"to {address}: Unauthenticated: .*Is the API key right") as caught:
            await Client.connect(address, api_key="s3cret", **options)
        assert "s3cret" not in str(caught.value)

        client = await Client.connect(address, api_key="first", **options)
        assert await healthy(client)
        server.keys.write_text("second")
        with pytest.raises(RPCError) as refused:
            await healthy(client)
        assert refused.value.status == RPCStatusCode.UNAUTHENTICATED
        client.api_key = "second"
        assert await healthy(client)
        client.api_key = None
        with pytest.raises(RPCError, match="unauthorized"):
            await healthy(client)


async def test_headers_of_the_connection_and_of_a_call(front: Connect) -> None:
    async with front() as server:
        client = await Client.connect(
            f"127.0.0.1:{server.port}", rpc_metadata={"tenant": "blue", "trace-bin": b"\x00\xff", "kept": "1"}
        )
        first = await server.headers_of("GetSystemInfo")
        assert (first["tenant"], first["trace-bin"], first["client-name"]) == ("blue", "00ff", "invincible-python")

        override: dict[str, str | bytes] = {"tenant": "red", "trace-bin": b"\x01"}
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), metadata=override)
        call = await server.headers_of("GetSystemInfo")
        assert (call["tenant"], call["trace-bin"], call["kept"]) == ("red", "01", "1")

        client.rpc_metadata = {"other": "2"}
        await client.workflow_service.get_system_info(GetSystemInfoRequest())
        later = await server.headers_of("GetSystemInfo")
        assert later["other"] == "2"
        assert not {"tenant", "trace-bin", "kept"} & later.keys()

        with pytest.raises(ValueError, match=r'"Bad Name"'):
            client.rpc_metadata = {"fine": "3", "Bad Name": "x"}
        with pytest.raises(ValueError, match=r'"fine-bin"'):
            client.rpc_metadata = {"fine": "3", "fine-bin": "no bytes"}
        await client.workflow_service.get_system_info(GetSystemInfoRequest())
        unchanged = await server.headers_of("GetSystemInfo")
        assert (unchanged.get("other"), unchanged.get("fine")) == ("2", None)


async def test_a_header_of_ones_own_comes_before_the_api_key(front: Connect) -> None:
    async with front() as server:
        address = f"127.0.0.1:{server.port}"
        await Client.connect(address, api_key="key", tls=False)
        assert (await server.headers_of("GetSystemInfo"))["authorization"] == "Bearer key"
        await Client.connect(address, api_key="key", tls=False, rpc_metadata={"authorization": "mine"})
        assert (await server.headers_of("GetSystemInfo"))["authorization"] == "mine"


async def test_the_cloud_api_gets_key_and_version(front: Connect) -> None:
    from invincible.api.cloud.cloudservice.v1 import GetNamespacesRequest

    async with front() as server:
        client = await CloudOperationsClient.connect(
            api_key="key", version="v1", target_host=f"127.0.0.1:{server.port}", tls=False, rpc_metadata={"a": "b"}
        )
        assert client.rpc_metadata == {"a": "b", "temporal-cloud-api-version": "v1"}
        # The real server has no such service; what counts is what was sent.
        with pytest.raises(RPCError) as refused:
            await client.cloud_service.get_namespaces(GetNamespacesRequest())
        assert refused.value.status == RPCStatusCode.UNIMPLEMENTED
        sent = await server.headers_of("GetNamespaces")
        assert (sent["authorization"], sent["temporal-cloud-api-version"], sent["a"]) == ("Bearer key", "v1", "b")

        client.api_key = "other"
        assert (client.api_key, client.service_client.config.api_key) == ("other", "other")
        client.rpc_metadata = {}
        with pytest.raises(RPCError):
            await client.cloud_service.get_namespaces(GetNamespacesRequest())
        assert (await server.headers_of("GetNamespaces"))["authorization"] == "Bearer other"
