"""The TOML file: where it is, what may be in it. No error shows a value: it may be a key or a certificate."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._errors import ConfigError

# A table of the file whose keys and types are as below. The environment is applied to it in this form.
Table = dict[str, Any]

CERTIFICATES = ("client_cert", "client_key", "server_ca_cert")
_TLS = {
    "disabled": bool,
    "server_name": str,
    "disable_host_verification": bool,
    **{f"{name}_{form}": str for name in CERTIFICATES for form in ("path", "data")},
}
_CODEC = {"endpoint": str, "auth": str}
_PROFILE = {"address": str, "namespace": str, "api_key": str, "tls": _TLS, "codec": _CODEC, "grpc_meta": dict}

_KINDS = {str: "a string", bool: "true or false", dict: "a table"}
_TOML_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    list: "an array",
    dict: "a table",
}


@dataclass(frozen=True)
class ConfigFile:
    """The profiles of a file.

    Args:
        name: How errors name the file.
        profiles: Each profile's table.
        found: Whether there is a file. One that is missing has no profiles, and is no error.
    """

    name: str
    profiles: Mapping[str, Table] = field(default_factory=dict)
    found: bool = True


def read_file(source: Path | str | bytes | None, *, strict: bool, environment: Mapping[str, str]) -> ConfigFile:
    """Reads the profiles.

    Args:
        source: A path, or TOML itself. ``None``: what ``TEMPORAL_CONFIG_FILE`` names, else the file in the user's
            configuration folder.
        strict: Whether unknown keys are errors.
        environment: Environment variables.

    Raises:
        ConfigError: The file cannot be read or makes no sense.
        TypeError: ``source`` is neither path nor TOML.
    """
    if isinstance(source, (str, bytes)):
        name, data = "the configuration given", source
    elif source is None or isinstance(source, Path):
        path = _default_path(environment) if source is None else source
        name = str(path)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return ConfigFile(name, found=False)
        except OSError as error:
            raise ConfigError(f"cannot read {name}: {error.strerror}") from None
    else:
        raise TypeError(f"config_source must be a Path, or TOML as str or bytes, got {type(source).__name__}")
    return ConfigFile(name, _profiles(_parse(data, name), name, strict=strict))


def _default_path(environment: Mapping[str, str]) -> Path:
    named = environment.get("TEMPORAL_CONFIG_FILE")
    if named:
        return Path(named)
    import click

    return Path(click.get_app_dir("temporalio"), "temporal.toml")


def _parse(data: str | bytes, name: str) -> Table:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        text = data.decode() if isinstance(data, bytes) else data
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        problem = f"{name} is not UTF-8: byte {error.start} of it cannot be decoded"
    except tomllib.TOMLDecodeError as error:
        problem = f"{name} is no valid TOML: {error.args[0]}"
    # Outside of the handlers: the parser's errors may hold the whole text.
    raise ConfigError(problem)


def _profiles(document: Table, name: str, *, strict: bool) -> dict[str, Table]:
    if strict:
        _refuse_unknown(document, {"profile"}, name, "")
    profiles = document.get("profile", {})
    _require(profiles, dict, name, "profile")
    for profile, table in profiles.items():
        where = f"{name}: profile {profile!r}"
        if not isinstance(table, dict):
            raise ConfigError(f"{where} must be a table, got {_toml_name(table)}")
        _check_table(table, _PROFILE, where, "", strict=strict)
        for key, value in table.get("grpc_meta", {}).items():
            _require(value, str, where, f"grpc_meta.{key}")
        for certificate in CERTIFICATES:
            tls = table.get("tls", {})
            if f"{certificate}_path" in tls and f"{certificate}_data" in tls:
                raise ConfigError(
                    f"{where} has both tls.{certificate}_path and tls.{certificate}_data: remove one of them"
                )
    return dict(profiles)


def _check_table(table: Table, keys: Mapping[str, Any], where: str, prefix: str, *, strict: bool) -> None:
    if strict:
        _refuse_unknown(table, keys.keys(), where, prefix)
    for key, kind in keys.items():
        if key not in table:
            continue
        if isinstance(kind, dict):
            _require(table[key], dict, where, f"{prefix}{key}")
            _check_table(table[key], kind, where, f"{prefix}{key}.", strict=strict)
        else:
            _require(table[key], kind, where, f"{prefix}{key}")


def _refuse_unknown(table: Table, known: Any, where: str, prefix: str) -> None:
    for key in table.keys() - known:
        raise ConfigError(f"{where} has the unknown key {prefix}{key}; known are {', '.join(sorted(known))}")


def _require(value: Any, kind: type, where: str, key: str) -> None:
    if type(value) is not kind:
        raise ConfigError(f"{where}: {key} must be {_KINDS[kind]}, got {_toml_name(value)}")


def _toml_name(value: Any) -> str:
    return _TOML_NAMES.get(type(value), "a date or time")
