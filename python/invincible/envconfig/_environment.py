"""Environment variables, which come on top of a profile."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ._errors import ConfigError
from ._file import CERTIFICATES, Table

_TLS_TEXTS = {"TEMPORAL_TLS_SERVER_NAME": "server_name"}
_TEXTS = {"TEMPORAL_ADDRESS": "address", "TEMPORAL_NAMESPACE": "namespace", "TEMPORAL_API_KEY": "api_key"}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_META = "TEMPORAL_GRPC_META_"


def variables(override: Mapping[str, str] | None) -> Mapping[str, str]:
    """The variables to use: those given instead of the process's, else these.

    Raises:
        TypeError: They are no names with texts. The message names the wrong one, and does not show its value.
    """
    if override is None:
        return os.environ
    if not isinstance(override, Mapping):
        raise TypeError(f"override_env_vars must be a mapping of names to str, got {type(override).__name__}")
    for name, value in override.items():
        if not isinstance(name, str):
            raise TypeError(f"names of override_env_vars must be str, got {type(name).__name__}")
        if not isinstance(value, str):
            raise TypeError(f"override_env_vars {name!r} must be a str, got {type(value).__name__}")
    return override


def applied(profile: Table, environment: Mapping[str, str], where: str) -> Table:
    """The profile with what the variables say.

    Args:
        profile: The profile's table; left as it is.
        environment: The variables.
        where: How errors name the profile.

    Raises:
        ConfigError: Variables contradict each other, or the profile.
    """
    tls = _with_tls(profile.get("tls"), environment, where)
    return {
        **profile,
        **_texts(_TEXTS, environment),
        **({} if tls is None else {"tls": tls}),
        "grpc_meta": _with_metadata(profile.get("grpc_meta", {}), environment),
    }


def header_name(key: str) -> str:
    """The header that a key of the file, or the end of a variable's name, stands for."""
    return key.lower().replace("_", "-")


def _texts(names: Mapping[str, str], environment: Mapping[str, str]) -> Table:
    return {key: environment[variable] for variable, key in names.items() if variable in environment}


def _with_tls(tls: Table | None, environment: Mapping[str, str], where: str) -> Table | None:
    said = {**_texts(_TLS_TEXTS, environment), **_certificates(tls or {}, environment, where)}
    switches = {"TEMPORAL_TLS": "disabled", "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "disable_host_verification"}
    present = [variable for variable in switches if variable in environment]
    # What is no boolean counts as said all the same: it makes the table, and a table turns TLS on.
    if tls is None and not said and not present:
        return None
    for variable in present:
        value = _BOOLEANS.get(environment[variable].lower())
        if value is not None:
            said[switches[variable]] = not value if variable == "TEMPORAL_TLS" else value
    return {**(tls or {}), **said}


def _certificates(tls: Table, environment: Mapping[str, str], where: str) -> Table:
    said: Table = {}
    for name in CERTIFICATES:
        variables = {form: f"TEMPORAL_TLS_{name.upper()}_{form.upper()}" for form in ("path", "data")}
        given = [form for form in variables if variables[form] in environment]
        if len(given) == 2:
            raise ConfigError(f"{variables['path']} and {variables['data']} are both set: unset one of them")
        for form in given:
            other = f"{name}_data" if form == "path" else f"{name}_path"
            if other in tls:
                raise ConfigError(f"{variables[form]} is set, and {where} has tls.{other}: remove one of them")
            said[f"{name}_{form}"] = environment[variables[form]]
    return said


def _with_metadata(metadata: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    headers = {header_name(key): value for key, value in metadata.items()}
    for variable, value in environment.items():
        if variable.startswith(_META):
            name = header_name(variable[len(_META) :])
            if value:
                headers[name] = value
            else:
                headers.pop(name, None)
    return headers
