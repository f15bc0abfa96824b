"""Profiles: what is configured, as objects, as dictionaries, and as arguments of ``Client.connect``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from typing_extensions import Self, TypedDict

from invincible.service import TLSConfig

from ._environment import applied, header_name, variables
from ._errors import ConfigError
from ._file import ConfigFile, Table, read_file

DataSource: TypeAlias = Path | str | bytes
"""A path of a file, or the data itself."""

_logger = logging.getLogger("invincible.envconfig")


class ClientConfigTLSDict(TypedDict, total=False):
    """:class:`ClientConfigTLS` as a dictionary. Certificates are ``{"path": ...}`` or ``{"data": ...}``."""

    disabled: bool | None
    server_name: str
    server_ca_cert: Mapping[str, str]
    client_cert: Mapping[str, str]
    client_key: Mapping[str, str]


class ClientConfigProfileDict(TypedDict, total=False):
    """:class:`ClientConfigProfile` as a dictionary."""

    address: str
    namespace: str
    api_key: str
    tls: ClientConfigTLSDict
    grpc_meta: Mapping[str, str]


class ClientConnectConfig(TypedDict, total=False):
    """Arguments of :meth:`invincible.client.Client.connect`. What is not configured is not there."""

    target_host: str
    namespace: str
    api_key: str
    tls: bool | TLSConfig
    rpc_metadata: Mapping[str, str]


@dataclass(frozen=True)
class ClientConfigTLS:
    """TLS of a profile. Certificates and key are paths of PEM files, or PEM data. Data is never shown.

    Args:
        disabled: Whether TLS is off. ``None``: on, since it is configured.
        server_name: Name to expect in the server's certificate, instead of the address's.
        server_root_ca_cert: Root certificate that the server's must lead to; those of the system by default.
        client_cert: Certificate of this client.
        client_private_key: Its key.
    """

    disabled: bool | None = None
    server_name: str | None = None
    server_root_ca_cert: DataSource | None = field(default=None, repr=False)
    client_cert: DataSource | None = field(default=None, repr=False)
    client_private_key: DataSource | None = field(default=None, repr=False)

    def to_dict(self) -> ClientConfigTLSDict:
        """As a dictionary, without what is not set. Data must be text.

        Raises:
            TypeError: A certificate or the key is neither path nor data.
        """
        result = ClientConfigTLSDict()
        if self.disabled is not None:
            result["disabled"] = self.disabled
        if self.server_name is not None:
            result["server_name"] = self.server_name
        if self.server_root_ca_cert:
            result["server_ca_cert"] = _source_to_dict(self.server_root_ca_cert)
        if self.client_cert:
            result["client_cert"] = _source_to_dict(self.client_cert)
        if self.client_private_key:
            result["client_key"] = _source_to_dict(self.client_private_key)
        return result

    @classmethod
    def from_dict(cls, d: ClientConfigTLSDict | None) -> Self | None:
        """From a dictionary; ``None`` if that is empty. Unknown keys are left aside.

        Raises:
            TypeError: A value is of a wrong type. The message names its key, and does not show it.
        """
        given = _optional_table("tls", d)
        if not given:
            return None
        return cls(
            disabled=_value("disabled", given.get("disabled"), bool),
            server_name=_value("server_name", given.get("server_name"), str),
            server_root_ca_cert=_source_from_dict("server_ca_cert", given.get("server_ca_cert")),
            client_cert=_source_from_dict("client_cert", given.get("client_cert")),
            client_private_key=_source_from_dict("client_key", given.get("client_key")),
        )

    def to_connect_tls_config(self) -> bool | TLSConfig:
        """As ``tls`` of :meth:`invincible.client.Client.connect`: ``False`` if disabled. Reads the files.

        Raises:
            OSError: A file cannot be read. The message names the option.
            ValueError: A certificate or the key is no PEM.
        """
        if self.disabled:
            return False
        return TLSConfig(
            server_root_ca_cert=_read("server_ca_cert", self.server_root_ca_cert),
            domain=self.server_name,
            client_cert=_read("client_cert", self.client_cert),
            client_private_key=_read("client_key", self.client_private_key),
        )

    @classmethod
    def _from_table(cls, table: Table) -> Self:
        if table.get("disable_host_verification"):
            _logger.warning("disable_host_verification has no effect: the server's certificate is always verified")
        return cls(
            disabled=table.get("disabled"),
            server_name=table.get("server_name"),
            server_root_ca_cert=_source_of_table(table, "server_ca_cert"),
            client_cert=_source_of_table(table, "client_cert"),
            client_private_key=_source_of_table(table, "client_key"),
        )


@dataclass(frozen=True)
class ClientConfigProfile:
    """What is configured under one name.

    Args:
        address: The service as ``host:port``.
        namespace: The namespace.
        api_key: Key sent with every call. Turns TLS on, unless that is disabled. Never shown.
        tls: TLS.
        grpc_meta: Headers of every call. Never shown.
    """

    address: str | None = None
    namespace: str | None = None
    api_key: str | None = field(default=None, repr=False)
    tls: ClientConfigTLS | None = None
    grpc_meta: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_dict(cls, d: ClientConfigProfileDict) -> Self:
        """From a dictionary. Unknown keys are left aside.

        Raises:
            TypeError: A value is of a wrong type. The message names its key, and does not show it.
        """
        given = _table("a profile", d)
        metadata = _optional_table("grpc_meta", given.get("grpc_meta"))
        for name, value in metadata.items():
            if not isinstance(name, str):
                raise TypeError(f"names of grpc_meta must be str, got {type(name).__name__}")
            if not isinstance(value, str):
                raise TypeError(f"grpc_meta {name!r} must be a str, got {type(value).__name__}")
        return cls(
            address=_value("address", given.get("address"), str),
            namespace=_value("namespace", given.get("namespace"), str),
            api_key=_value("api_key", given.get("api_key"), str),
            tls=ClientConfigTLS.from_dict(given.get("tls")),
            grpc_meta=metadata,
        )

    def to_dict(self) -> ClientConfigProfileDict:
        """As a dictionary, without what is not set. It holds the secrets.

        Raises:
            TypeError: A certificate or the key is neither path nor data.
        """
        result = ClientConfigProfileDict()
        if self.address is not None:
            result["address"] = self.address
        if self.namespace is not None:
            result["namespace"] = self.namespace
        if self.api_key is not None:
            result["api_key"] = self.api_key
        tls = None if self.tls is None else self.tls.to_dict()
        if tls:
            result["tls"] = tls
        if self.grpc_meta:
            result["grpc_meta"] = self.grpc_meta
        return result

    def to_client_connect_config(self) -> ClientConnectConfig:
        """As arguments of :meth:`invincible.client.Client.connect`. Reads the files of certificates.

        Raises:
            OSError: A file cannot be read. The message names the option.
            ValueError: A certificate or the key is no PEM.
        """
        result = ClientConnectConfig()
        if self.address:
            result["target_host"] = self.address
        if self.namespace is not None:
            result["namespace"] = self.namespace
        if self.api_key is not None:
            result["api_key"] = self.api_key
        if self.tls is not None:
            result["tls"] = self.tls.to_connect_tls_config()
        elif self.api_key is not None:
            result["tls"] = True
        if self.grpc_meta:
            result["rpc_metadata"] = self.grpc_meta
        return result

    @staticmethod
    def load(
        profile: str | None = None,
        *,
        config_source: DataSource | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfigProfile:
        """Loads a profile: from the file, and the environment variables on top.

        Args:
            profile: Name of the profile; what ``TEMPORAL_PROFILE`` says if ``None``, else ``default``. A profile that
                is named must be there.
            config_source: Path of the file, or TOML itself as ``str`` or ``bytes``. ``None``: what
                ``TEMPORAL_CONFIG_FILE`` names, else ``temporalio/temporal.toml`` in the user's configuration folder.
                A file that does not exist counts as empty.
            disable_file: Whether to read no file at all.
            disable_env: Whether to leave the variables aside, all but ``TEMPORAL_CONFIG_FILE``.
            config_file_strict: Whether unknown keys in the file are errors.
            override_env_vars: Variables to use instead of the process's.

        Raises:
            ConfigError: The file cannot be read, it or the variables make no sense, or the profile is not there.
            TypeError: ``override_env_vars`` are no names with texts.
        """
        if disable_file and disable_env:
            raise ConfigError("disable_file and disable_env leave nothing to load the configuration from")
        environment = variables(override_env_vars)
        table: Table = {}
        where = "the configuration"
        if not disable_file:
            file = read_file(config_source, strict=config_file_strict, environment=environment)
            table, where = _choose(file, profile, {} if disable_env else environment)
        if not disable_env:
            table = applied(table, environment, where)
        return ClientConfigProfile._from_table(table)

    @classmethod
    def _from_table(cls, table: Table) -> Self:
        tls = table.get("tls")
        return cls(
            address=table.get("address"),
            namespace=table.get("namespace"),
            api_key=table.get("api_key"),
            tls=None if tls is None else ClientConfigTLS._from_table(tls),
            grpc_meta={header_name(key): value for key, value in table.get("grpc_meta", {}).items()},
        )


@dataclass
class ClientConfig:
    """All profiles of a file.

    Args:
        profiles: The profiles by name.
    """

    profiles: Mapping[str, ClientConfigProfile]

    def to_dict(self) -> Mapping[str, ClientConfigProfileDict]:
        """As a dictionary by profile. It holds the secrets."""
        return {name: profile.to_dict() for name, profile in self.profiles.items()}

    @classmethod
    def from_dict(cls, d: Mapping[str, Mapping[str, Any]]) -> Self:
        """From a dictionary by profile. Unknown keys are left aside.

        Raises:
            TypeError: A profile is no dictionary, or a value in it is of a wrong type. The message names its key, and
                does not show it.
        """
        profiles = {}
        for name, profile in _table("profiles", d).items():
            if not isinstance(profile, Mapping):
                raise TypeError(f"profile {name!r} must be a dictionary, got {type(profile).__name__}")
            try:
                # The keys are looked up by name; what else there is does not matter.
                profiles[name] = ClientConfigProfile.from_dict(profile)  # type: ignore[arg-type]
            except TypeError as error:
                raise TypeError(f"profile {name!r}: {error}") from None
        return cls(profiles)

    @staticmethod
    def load(
        *,
        config_source: DataSource | None = None,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfig:
        """Loads all profiles of the file. Of the environment variables only ``TEMPORAL_CONFIG_FILE`` matters.

        Args:
            config_source: Path of the file, or TOML itself, as for :meth:`ClientConfigProfile.load`.
            config_file_strict: Whether unknown keys in the file are errors.
            override_env_vars: Variables to use instead of the process's.

        Raises:
            ConfigError: The file cannot be read, or makes no sense.
            TypeError: ``override_env_vars`` are no names with texts.
        """
        environment = variables(override_env_vars)
        file = read_file(config_source, strict=config_file_strict, environment=environment)
        return ClientConfig({name: ClientConfigProfile._from_table(table) for name, table in file.profiles.items()})

    @staticmethod
    def load_client_connect_config(
        profile: str | None = None,
        *,
        config_file: str | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConnectConfig:
        """Loads a profile as arguments of :meth:`invincible.client.Client.connect`.

        Args:
            profile: Name of the profile, as for :meth:`ClientConfigProfile.load`.
            config_file: Path of the file.
            disable_file: Whether to read no file at all.
            disable_env: Whether to leave the variables aside, all but ``TEMPORAL_CONFIG_FILE``.
            config_file_strict: Whether unknown keys in the file are errors.
            override_env_vars: Variables to use instead of the process's.

        Raises:
            ConfigError: The file cannot be read, it or the variables make no sense, or the profile is not there.
            TypeError: ``override_env_vars`` are no names with texts.
            OSError: The file of a certificate cannot be read. The message names the option.
            ValueError: A certificate or the key is no PEM.
        """
        return ClientConfigProfile.load(
            profile,
            config_source=None if config_file is None else Path(config_file),
            disable_file=disable_file,
            disable_env=disable_env,
            config_file_strict=config_file_strict,
            override_env_vars=override_env_vars,
        ).to_client_connect_config()


def profile_table(
    profile: str | None, config_source: DataSource | None, environment: Mapping[str, str]
) -> tuple[Table, str]:
    """What the file has under a name, the codec server of command lines included, and how errors name it.

    Raises:
        ConfigError: The file cannot be read or makes no sense, or the profile is not there.
    """
    return _choose(read_file(config_source, strict=False, environment=environment), profile, environment)


def _choose(file: ConfigFile, profile: str | None, environment: Mapping[str, str]) -> tuple[Table, str]:
    """The table of the profile to use, and how errors name it."""
    named = environment.get("TEMPORAL_PROFILE") or None if profile is None else profile
    name = "default" if named is None else named
    if named is not None and named not in file.profiles:
        there = ", ".join(sorted(file.profiles)) or "none"
        reason = f"{file.name} has {there}" if file.found else f"there is no file {file.name}"
        raise ConfigError(f"profile {named!r} was not found: {reason}")
    return file.profiles.get(name, {}), f"{file.name}: profile {name!r}"


def _source_to_dict(source: DataSource) -> Mapping[str, str]:
    if isinstance(source, Path):
        return {"path": str(source)}
    if isinstance(source, bytes):
        return {"data": source.decode()}
    if isinstance(source, str):
        return {"data": source}
    raise TypeError(_not_a_source(source))


def _source_from_dict(name: str, given: object) -> DataSource | None:
    source = _optional_table(name, given)
    if "data" in source:
        data: str | bytes | None = _value(f"{name}.data", source["data"], str, bytes)
        return data
    path = _value(f"{name}.path", source.get("path"), str, Path)
    return None if path is None else Path(path)


def _table(name: str, given: object) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{name} must be a dictionary, got {type(given).__name__}")
    return given


def _optional_table(name: str, given: object) -> Mapping[str, Any]:
    return {} if given is None else _table(name, given)


def _value(name: str, given: Any, *kinds: type) -> Any:
    """A value of one of these types, or ``None``. Errors do not show it: it may be a secret."""
    if given is not None and not isinstance(given, kinds):
        raise TypeError(f"{name} must be a {kinds[0].__name__}, got {type(given).__name__}")
    return given


def _source_of_table(table: Table, name: str) -> DataSource | None:
    path, data = table.get(f"{name}_path"), table.get(f"{name}_data")
    if path:
        return Path(path)
    return data.encode() if data else None


def _read(name: str, source: DataSource | None) -> bytes | None:
    if not source:
        return None
    if isinstance(source, Path):
        try:
            return source.read_bytes()
        except OSError as error:
            raise type(error)(error.errno, f"{error.strerror}, needed as {name}", str(source)) from None
    if isinstance(source, (str, bytes)):
        return source.encode() if isinstance(source, str) else source
    raise TypeError(_not_a_source(source))


def _not_a_source(source: object) -> str:
    return f"certificates and keys are given as Path, str or bytes, not as {type(source).__name__}"
