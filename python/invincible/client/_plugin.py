"""Plugins: what changes how clients are configured and connected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from invincible.service import ServiceClient

if TYPE_CHECKING:
    from invincible.service import ConnectConfig

    from ._config import ClientConfig


class Plugin(ABC):
    """Changes the configuration of clients, and their connection. A library brings all it needs as one plugin.

    A plugin that is one of workers too is used by the workers of its client.

    Example:
        class Encrypted(Plugin):
            def configure_client(self, config):
                config["data_converter"] = dataclasses.replace(config["data_converter"], payload_codec=codec)
                return config

            async def connect_service_client(self, config, next):
                return await next(config)

        client = await Client.connect("localhost:7233", plugins=[Encrypted()])
    """

    def name(self) -> str:
        """Name in messages and at the server; module and name of the class by default."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    @abstractmethod
    def configure_client(self, config: ClientConfig) -> ClientConfig:
        """Called when a client is made, for each plugin in order.

        Args:
            config: The configuration that the plugins before have left; may be changed.

        Returns:
            The configuration to use.
        """

    @abstractmethod
    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        """Called when :meth:`Client.connect` connects. Of several plugins, the first is outermost.

        Args:
            config: Where and how to connect; may be changed.
            next: Connects.

        Returns:
            The connection.
        """


async def connect(config: ConnectConfig, plugins: Sequence[Plugin]) -> ServiceClient:
    """Connects through the plugins."""
    connecting: Callable[[ConnectConfig], Awaitable[ServiceClient]] = ServiceClient.connect
    for plugin in reversed(plugins):
        connecting = partial(plugin.connect_service_client, next=connecting)
    return await connecting(config)


def checked(plugins: Sequence[Plugin]) -> Sequence[Plugin]:
    """The plugins.

    Raises:
        TypeError: One of them is none.
    """
    for plugin in plugins:
        if not isinstance(plugin, Plugin):
            raise TypeError(f"plugins must be objects of subclasses of invincible.client.Plugin, got {plugin!r}")
    return plugins
