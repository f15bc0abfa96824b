"""The options of commands that talk to a server, and the client that comes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ._units import name

if TYPE_CHECKING:
    from invincible.client import SyncClient
    from invincible.envconfig import ClientConnectConfig

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--address", type=name, metavar="HOST:PORT", help="The server.  [default: localhost:7233]"),
    click.option("--namespace", "-n", type=name, metavar="NAME", help="Its namespace.  [default: default]"),
    click.option("--profile", type=name, metavar="NAME", help="Profile of the configuration file."),
    click.option("--api-key", type=name, metavar="KEY", help="Sent as bearer token; better in TEMPORAL_API_KEY."),
    click.option("--tls/--no-tls", "tls", default=None, help="Whether to use TLS."),
)


@dataclass(frozen=True)
class Connection:
    """Where the server is: options first, then ``TEMPORAL_*`` variables, then the profile of the configuration file."""

    address: str | None = None
    namespace: str | None = None
    profile: str | None = None
    api_key: str | None = None
    tls: bool | None = None

    def config(self) -> ClientConnectConfig:
        """The arguments of ``Client.connect``.

        Raises:
            ClickException: The variables or the configuration file make no sense.
        """
        from invincible.envconfig import ClientConfig, ConfigError

        try:
            config = ClientConfig.load_client_connect_config(self.profile)
        except (ConfigError, OSError, ValueError) as error:
            raise click.ClickException(str(error)) from None
        if self.address is not None:
            config["target_host"] = self.address
        if self.namespace is not None:
            config["namespace"] = self.namespace
        if self.api_key is not None:
            config["api_key"] = self.api_key
        if self.tls is not None:
            config["tls"] = self.tls
        config.setdefault("target_host", "localhost:7233")
        return config

    @contextmanager
    def client(self) -> Iterator[SyncClient]:
        """A connected client; what the server refuses ends the command with the server's words and exit code 1."""
        from invincible.client import SyncClient
        from invincible.service import RPCError

        config = self.config()
        try:
            client = SyncClient.connect(**config)
        except (RPCError, RuntimeError, ValueError) as error:
            raise click.ClickException(f"cannot connect to {config['target_host']}: {error}") from None
        with client:
            try:
                yield client
            except RPCError as error:
                raise click.ClickException(str(error)) from None


def connection_options(function: _Function) -> _Function:
    """Give a command the options of a connection; it takes them as ``connection: Connection``."""

    @wraps(function)
    def command(*arguments: Any, **options: Any) -> Any:
        connection = Connection(**{each: options.pop(each) for each in Connection.__dataclass_fields__})
        return function(*arguments, connection=connection, **options)

    decorated: Any = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
