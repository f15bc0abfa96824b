"""The options of commands that talk to a server, and the client that comes of them."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ._input import key_and_value
from ._options import option_of, taken_as
from ._output import clean, failure
from ._units import name

if TYPE_CHECKING:
    from invincible.client import SyncClient
    from invincible.converter import DataConverter
    from invincible.envconfig import ClientConfigProfile, ClientConnectConfig
    from invincible.runtime import Runtime
    from invincible.service import RPCError

# A server that drops packets is given up sooner than the system does.
_CONNECT_TIMEOUT = timedelta(seconds=10)

_SECRET = frozenset({"api_key", "grpc_meta"})

_file = click.Path(exists=True, dir_okay=False, path_type=Path)

_CONNECTION = "Connection options"
_server_option = option_of(_CONNECTION)
_payload_option = option_of("Payload options")
_SERVER_OPTIONS = (
    _server_option("--address", type=name, metavar="HOST:PORT", help="The server.  [default: localhost:7233]"),
    _server_option("--namespace", "-n", type=name, metavar="NAME", help="Its namespace.  [default: default]"),
    _server_option("--profile", type=name, metavar="NAME", help="Profile of the configuration file."),
    _server_option("--config-file", type=_file, metavar="FILE", help="Configuration file to read instead of yours."),
    _server_option("--api-key", type=name, metavar="KEY", help="Sent as bearer token; better in TEMPORAL_API_KEY."),
    _server_option("--tls/--no-tls", "tls", default=None, help="Whether to use TLS."),
    _server_option("--tls-ca-path", type=_file, metavar="FILE", help="Root certificate of the server's."),
    _server_option("--tls-cert-path", type=_file, metavar="FILE", help="Certificate of this client."),
    _server_option("--tls-key-path", type=_file, metavar="FILE", help="Its key."),
    _server_option("--tls-server-name", type=name, metavar="NAME", help="Name to expect in the server's certificate."),
    _server_option("--grpc-meta", multiple=True, metavar="KEY=VALUE", help="A header of all calls."),
)
_IDENTITY = _server_option("--identity", type=name, metavar="TEXT", help="How histories name you.  [default: pid@host]")
_PAYLOAD_OPTIONS = (
    _payload_option(
        "--codec-endpoint", type=name, metavar="URL", help="Codec server that encodes and decodes payloads."
    ),
    _payload_option(
        "--codec-auth", type=name, metavar="VALUE", help="Its Authorization header; better in TEMPORAL_CODEC_AUTH."
    ),
    _payload_option(
        "--data-converter",
        type=name,
        metavar="MODULE:ATTRIBUTE",
        help="Data converter or payload codec of the workers, or a function that returns one.",
    ),
)


@dataclass(frozen=True)
class Connection:
    """Where the server is: options first, then ``TEMPORAL_*`` variables, then the profile of the configuration file."""

    address: str | None = None
    namespace: str | None = None
    profile: str | None = None
    config_file: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    tls: bool | None = None
    tls_ca_path: Path | None = None
    tls_cert_path: Path | None = None
    tls_key_path: Path | None = None
    tls_server_name: str | None = None
    grpc_meta: Sequence[str] = field(default=(), repr=False)
    identity: str | None = None
    codec_endpoint: str | None = None
    codec_auth: str | None = field(default=None, repr=False)
    data_converter: str | None = None

    def config(self) -> ClientConnectConfig:
        """The arguments of ``Client.connect`` that say where the server is.

        Raises:
            ClickException: The variables or the configuration file make no sense.
        """
        from invincible.envconfig import ClientConfigProfile, ConfigError

        try:
            profile = ClientConfigProfile.load(self.profile, config_source=self.config_file)
            config = self._over(profile).to_client_connect_config()
        except (ConfigError, OSError, ValueError) as error:
            raise failure(error) from None
        config.setdefault("target_host", "localhost:7233")
        return config

    @contextmanager
    def client(self) -> Iterator[SyncClient]:
        """A connected client; what the server refuses ends the command with the server's words and exit code 1."""
        from invincible.client import SyncClient
        from invincible.converter import ConversionError
        from invincible.service import RPCError

        config = self.config()
        converter = self.converter(config.get("namespace", "default"))
        try:
            client = SyncClient.connect(
                **config,
                identity=self.identity,
                data_converter=converter,
                connect_timeout=_CONNECT_TIMEOUT,
                runtime=quiet_runtime(),
            )
        except (RPCError, RuntimeError, ValueError) as error:
            raise cannot_connect(config, error) from None
        with client:
            try:
                yield client
            except (RPCError, ConversionError) as error:
                raise failure(error) from None
            except (click.ClickException, click.exceptions.Exit, click.Abort):
                raise
            except Exception as error:
                if self.data_converter is None:
                    raise
                # The codec is the user's code, and may raise anything.
                raise failure(f"{self.data_converter}: {type(error).__name__}: {error}") from None

    @contextmanager
    def client_about(self, missing: Callable[[str, RPCError], str]) -> Iterator[SyncClient]:
        """:meth:`client` for calls about one thing, which the error names if it is not there.

        Args:
            missing: What to say then, of the namespace and the server's error.
        """
        from invincible.service import RPCError, RPCStatusCode

        with self.client() as client:
            try:
                yield client
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND or "namespace" in str(error).lower():
                    raise
                raise failure(missing(client.namespace, error)) from None

    def converter(self, namespace: str) -> DataConverter:
        """What encodes and decodes the payloads of a namespace.

        Raises:
            ClickException: The variables or the configuration file make no sense, or there is no such converter.
            UsageError: The options contradict each other.
        """
        from invincible.converter import DataConverter, RemoteCodec

        codec = self._codec_settings()
        if self.data_converter is not None:
            if self.codec_endpoint is not None:
                raise click.UsageError("--data-converter and --codec-endpoint cannot be combined")
            from ._data_converter import data_converter

            return data_converter(self.data_converter)
        endpoint = codec.get("endpoint")
        if not endpoint:
            if self.codec_auth is not None:
                raise click.UsageError("--codec-auth is for --codec-endpoint: give it too")
            return DataConverter.default
        try:
            remote = RemoteCodec(endpoint, namespace=namespace, authorization=codec.get("auth") or None)
        except ValueError as error:
            raise failure(f"codec server: {error}") from None
        return replace(DataConverter.default, payload_codec=remote)

    def _over(self, profile: ClientConfigProfile) -> ClientConfigProfile:
        """The profile with what the options say."""
        from invincible.envconfig import ClientConfigTLS

        files = {
            "server_name": self.tls_server_name,
            "server_root_ca_cert": self.tls_ca_path,
            "client_cert": self.tls_cert_path,
            "client_private_key": self.tls_key_path,
        }
        given: dict[str, Any] = {key: value for key, value in files.items() if value is not None}
        tls = profile.tls
        if self.tls is False:
            if given:
                raise click.UsageError("--no-tls cannot be combined with other options of TLS")
            tls = ClientConfigTLS(disabled=True)
        elif self.tls or given:
            tls = replace(tls or ClientConfigTLS(), disabled=None, **given)
        headers = dict(key_and_value(item, "--grpc-meta", "KEY=VALUE") for item in self.grpc_meta)
        options = {"address": self.address, "namespace": self.namespace, "api_key": self.api_key}
        changed: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
        return replace(
            profile,
            **changed,
            tls=tls,
            grpc_meta={**profile.grpc_meta, **{key.lower(): value for key, value in headers.items()}},
        )

    def _codec_settings(self) -> Mapping[str, str]:
        """Endpoint and authorization of the codec server, as far as they are known."""
        from invincible.envconfig import ConfigError
        from invincible.envconfig._profiles import profile_table

        try:
            table, _ = profile_table(self.profile, self.config_file, os.environ)
        except (ConfigError, OSError, ValueError) as error:
            raise failure(error) from None
        variables = {"endpoint": "TEMPORAL_CODEC_ENDPOINT", "auth": "TEMPORAL_CODEC_AUTH"}
        said = {key: os.environ[variable] for key, variable in variables.items() if variable in os.environ}
        options = {"endpoint": self.codec_endpoint, "auth": self.codec_auth}
        given = {key: value for key, value in options.items() if value is not None}
        return {**table.get("codec", {}), **said, **given}


@contextmanager
def time_limit(limit: timedelta | None, what: str) -> Iterator[None]:
    """Ends the command with exit code 1 if the calls in the block take longer.

    Args:
        limit: The time; ``None`` for none.
        what: What is told then.
    """
    from invincible.client import sync_timeout

    if limit is None:
        yield
        return
    try:
        with sync_timeout(limit):
            yield
    except TimeoutError:
        raise failure(what) from None


def quiet_runtime() -> Runtime:
    """A runtime whose Core logs nothing: it does so on standard output, which is for results. Commands tell of what
    fails themselves."""
    from invincible.runtime import Runtime, TelemetryConfig

    return Runtime(telemetry=TelemetryConfig(logging=None))


def same_connection() -> str:
    """The options that this command was given of its connection, for the commands that it tells of: empty, or with a
    space in front. Without those that may be secret."""
    context = click.get_current_context()
    given = []
    for parameter in context.command.params:
        name = parameter.name or ""
        is_told = getattr(parameter, "section", "") == _CONNECTION and name not in _SECRET
        if is_told and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            option = (parameter.opts if value else parameter.secondary_opts)[0]
            given.append(option if isinstance(value, bool) else f"{option} {shlex.quote(str(value))}")
    return clean("".join(f" {each}" for each in given))


def cannot_connect(config: ClientConnectConfig, error: Exception) -> click.ClickException:
    """The error that ends a command which cannot connect."""
    host = config.get("target_host")
    return failure(f"cannot connect to {host}: {str(error).removeprefix(f'could not connect to {host}: ')}")


# Decorators; the command takes the values as ``connection: Connection``.
connection_options = taken_as("connection", Connection, (*_SERVER_OPTIONS, _IDENTITY, *_PAYLOAD_OPTIONS))
# For commands that convert no payloads.
client_options = taken_as("connection", Connection, (*_SERVER_OPTIONS, _IDENTITY))
# For commands that have others connect.
server_options = taken_as("connection", Connection, _SERVER_OPTIONS)
