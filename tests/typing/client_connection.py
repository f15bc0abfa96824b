"""What type checkers make of connections, raw calls and configurations. Nothing here is run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from datetime import timedelta

from typing_extensions import assert_type

from invincible.api.operatorservice.v1 import ListSearchAttributesRequest, ListSearchAttributesResponse
from invincible.api.workflowservice.v1 import GetSystemInfoRequest, GetSystemInfoResponse
from invincible.client import Client, CloudOperationsClient
from invincible.envconfig import ClientConfig, ClientConfigProfile, ClientConfigTLS
from invincible.service import CloudService, OperatorService, ServiceClient, TLSConfig, WorkflowService


async def connections(client: Client) -> None:
    assert_type(await Client.connect("localhost:7233", tls=TLSConfig(), connect_timeout=timedelta(seconds=1)), Client)
    await Client.connect("localhost:7233", tls="yes")  # type: ignore[arg-type]
    assert_type(client.service_client, ServiceClient)
    assert_type(client.service_client.worker_service_client, ServiceClient)
    assert_type((await CloudOperationsClient.connect(api_key="key")).cloud_service, CloudService)


async def raw_calls(client: Client) -> None:
    assert_type(client.workflow_service, WorkflowService)
    assert_type(client.operator_service, OperatorService)
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=True, metadata={"a": b"b"})
    assert_type(info, GetSystemInfoResponse)
    attributes = await client.operator_service.list_search_attributes(ListSearchAttributesRequest())
    assert_type(attributes, ListSearchAttributesResponse)
    wrong = ListSearchAttributesRequest()
    await client.workflow_service.get_system_info(wrong)  # type: ignore[arg-type]


async def configurations() -> None:
    config = ClientConfig.load_client_connect_config("profile", config_file="temporal.toml")
    assert_type(await Client.connect("localhost:7233", namespace=config.get("namespace", "default")), Client)
    config.setdefault("target_host", "localhost:7233")
    assert_type(await Client.connect(**config), Client)
    profile = ClientConfigProfile.load()
    assert_type(profile, ClientConfigProfile)
    assert_type(profile.tls, ClientConfigTLS | None)
