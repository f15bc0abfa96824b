"""Plugins of clients: what they change, in which order, and what they are told."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

import pytest

from invincible.client import Client, ClientConfig, Plugin
from invincible.service import ConnectConfig, ServiceClient


class Recorder(Plugin):
    """Notes its calls, and gives clients the namespace of its name."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self._name = name
        self.calls = calls

    def name(self) -> str:
        return self._name

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        self.calls.append(f"configure {self._name} of {config['namespace']}")
        config["namespace"] = self._name
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        self.calls.append(f"connect {self._name} as {config.identity}")
        connected = await next(dataclasses.replace(config, identity=f"{config.identity}+{self._name}"))
        self.calls.append(f"connected {self._name}")
        return connected


async def test_plugins_connect_from_outside_in_and_configure_in_order(address: str) -> None:
    calls: list[str] = []
    client = await Client.connect(
        address, identity="me", plugins=[Recorder("outer", calls), Recorder("inner", calls)], namespace="plain"
    )
    assert calls == [
        "connect outer as me",
        "connect inner as me+outer",
        "connected inner",
        "connected outer",
        "configure outer of plain",
        "configure inner of outer",
    ]
    assert (client.namespace, client.identity) == ("inner", "me+outer+inner")


async def test_another_client_is_made_of_what_was_given_or_of_what_came_of_it(address: str) -> None:
    calls: list[str] = []
    client = await Client.connect(address, plugins=[Recorder("plugin", calls)], namespace="plain")
    calls.clear()
    assert client.config()["namespace"] == "plain"
    assert client.config(active_config=True)["namespace"] == "plugin"
    assert Client(**client.config()).namespace == "plugin"
    assert calls == ["configure plugin of plain"]


async def test_a_config_is_a_copy(client: Client) -> None:
    client.config()["namespace"] = "another"
    client.config(active_config=True)["namespace"] = "another"
    assert client.namespace == "default"
    assert Client(**client.config()).namespace == "default"


async def test_a_plugin_can_refuse_to_connect(address: str) -> None:
    class Refusing(Recorder):
        async def connect_service_client(
            self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
        ) -> ServiceClient:
            raise PermissionError(f"not to {config.target_host}")

    with pytest.raises(PermissionError, match=address):
        await Client.connect(address, plugins=[Refusing("refusing", [])])


def test_a_plugin_is_named_by_its_class() -> None:
    class Nameless(Recorder):
        def name(self) -> str:
            return Plugin.name(self)

    assert Nameless("", []).name() == f"{__name__}.{Nameless.__qualname__}"


async def test_what_is_no_plugin_is_refused_before_it_is_connected(client: Client) -> None:
    with pytest.raises(TypeError, match=r"plugins must be objects of subclasses of invincible\.client\.Plugin, got 1"):
        await Client.connect("no-such-host:1", plugins=[1])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="got <class"):
        Client(client.service_client, plugins=[Recorder])  # type: ignore[list-item]
