"""Profiles from TOML and environment variables: what overrides what, what is refused, and that no secret is shown."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import click
import pytest

from invincible.client import Client
from invincible.envconfig import (
    ClientConfig,
    ClientConfigProfile,
    ClientConfigTLS,
    ClientConnectConfig,
    ConfigError,
)
from invincible.service import TLSConfig

PEM = "-----BEGIN CERTIFICATE-----\ns3cret\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n"

FULL = f"""
[profile.default]
address = "file:7233"
namespace = "from-file"
api_key = "s3cret"

[profile.default.tls]
disabled = false
server_name = "service.example"
client_cert_data = '''{PEM}'''
client_key_data = '''{KEY}'''
server_ca_cert_path = "/ca.pem"

[profile.default.grpc_meta]
Some_Header = "s3cret"
other-HEADER = "2"

[profile.default.codec]
endpoint = "https://codec.example"
auth = "s3cret"

[profile.key]
api_key = "s3cret"

[profile.off]
api_key = "s3cret"
[profile.off.tls]
disabled = true

[profile.on.tls]
"""


def load(source: str | bytes | Path, profile: str | None = None, **options: Any) -> ClientConfigProfile:
    options.setdefault("override_env_vars", {})
    return ClientConfigProfile.load(profile, config_source=source, **options)


def env(variables: dict[str, str], source: str = "", profile: str | None = None) -> ClientConfigProfile:
    return load(source, profile, override_env_vars=variables)


def test_all_of_a_profile() -> None:
    assert load(FULL) == ClientConfigProfile(
        address="file:7233",
        namespace="from-file",
        api_key="s3cret",
        tls=ClientConfigTLS(
            disabled=False,
            server_name="service.example",
            server_root_ca_cert=Path("/ca.pem"),
            client_cert=PEM.encode(),
            client_private_key=KEY.encode(),
        ),
        grpc_meta={"some-header": "s3cret", "other-header": "2"},
    )


def test_what_a_profile_is_shown_as() -> None:
    for shown in (repr(load(FULL)), repr(ClientConfig.load(config_source=FULL))):
        assert "s3cret" not in shown
        assert "file:7233" in shown
        assert "service.example" in shown


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("key", {"api_key": "s3cret", "tls": True}),
        ("off", {"api_key": "s3cret", "tls": False}),
        ("on", {"tls": TLSConfig()}),
    ],
)
def test_when_tls_is_on(profile: str, expected: ClientConnectConfig) -> None:
    assert load(FULL, profile).to_client_connect_config() == expected


def test_what_is_not_configured_is_left_out() -> None:
    assert ClientConfigProfile().to_client_connect_config() == {}
    assert ClientConfigProfile().to_dict() == {}
    assert ClientConfigProfile(address="", namespace="n").to_client_connect_config() == {"namespace": "n"}


def test_certificates_are_read_when_they_are_needed(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    cert.write_text(PEM)
    tls = ClientConfigTLS(
        server_name="name", server_root_ca_cert=cert, client_cert=PEM, client_private_key=KEY.encode()
    )
    assert tls.to_connect_tls_config() == TLSConfig(
        server_root_ca_cert=PEM.encode(), domain="name", client_cert=PEM.encode(), client_private_key=KEY.encode()
    )
    assert ClientConfigTLS(disabled=True, client_cert=tmp_path / "none").to_connect_tls_config() is False
    with pytest.raises(FileNotFoundError, match=r"needed as client_key: '.*none'"):
        ClientConfigTLS(client_private_key=tmp_path / "none").to_connect_tls_config()
    with pytest.raises(IsADirectoryError, match="needed as server_ca_cert"):
        ClientConfigTLS(server_root_ca_cert=tmp_path).to_connect_tls_config()
    with pytest.raises(TypeError, match="as Path, str or bytes, not as int"):
        ClientConfigTLS(client_cert=5).to_connect_tls_config()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_a_profile_connects() -> None:
    config = load(FULL, "off").to_client_connect_config()
    config.setdefault("target_host", "localhost:1")
    client = await Client.connect(**config, lazy=True)
    assert (client.service_client.config.target_host, client.api_key) == ("localhost:1", "s3cret")


# Where the configuration comes from


def test_missing_files_count_as_empty(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert load(missing) == ClientConfigProfile()
    assert env({"TEMPORAL_CONFIG_FILE": ""}) == ClientConfigProfile()
    assert ClientConfigProfile.load(override_env_vars={"TEMPORAL_CONFIG_FILE": str(missing)}) == ClientConfigProfile()
    assert ClientConfig.load(config_source=missing).profiles == {}
    with pytest.raises(ConfigError, match=rf"^profile 'p' was not found: there is no file {missing}$"):
        load(missing, "p")


@pytest.mark.parametrize("source", ["", "  \n", "[profile.other]"])
def test_only_a_named_profile_must_be_there(source: str) -> None:
    assert load(source) == ClientConfigProfile()
    with pytest.raises(ConfigError, match=r"^profile 'default' was not found: the configuration given has"):
        load(source, "default")


def test_the_environment_names_file_and_profile(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FULL)
    variables = {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "key"}
    assert ClientConfigProfile.load(override_env_vars=variables) == ClientConfigProfile(api_key="s3cret")
    assert ClientConfigProfile.load("on", override_env_vars=variables).api_key is None
    without = ClientConfigProfile.load(override_env_vars=variables, disable_env=True)
    assert without.address == "file:7233"
    assert sorted(ClientConfig.load(override_env_vars=variables).profiles) == ["default", "key", "off", "on"]
    assert env({"TEMPORAL_PROFILE": ""}, FULL).address == "file:7233"
    with pytest.raises(ConfigError, match="profile 'x' was not found: the configuration given has default, key, off"):
        env({"TEMPORAL_PROFILE": "x"}, FULL)


def test_the_file_in_the_users_configuration_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("XDG_CONFIG_HOME", "HOME", "APPDATA"):  # of Linux, macOS and Windows
        monkeypatch.setenv(variable, str(tmp_path))
    file = Path(click.get_app_dir("temporalio"), "temporal.toml")
    assert tmp_path in file.parents
    file.parent.mkdir(parents=True)
    file.write_text('[profile.default]\naddress = "home:1"')
    assert ClientConfigProfile.load(override_env_vars={}).address == "home:1"


def test_the_process_s_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "environment:1")
    assert ClientConfigProfile.load(disable_file=True).address == "environment:1"
    assert ClientConfigProfile.load(config_source="", disable_env=True).address is None
    assert ClientConfigProfile.load(disable_file=True, override_env_vars={}).address is None
    with pytest.raises(ConfigError, match="disable_file and disable_env leave nothing"):
        ClientConfigProfile.load(disable_file=True, disable_env=True)


def test_arguments_of_connect_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(FULL)
    variables = {"TEMPORAL_ADDRESS": "variable:1"}
    config = ClientConfig.load_client_connect_config("key", config_file=str(file), override_env_vars=variables)
    assert config == {"target_host": "variable:1", "api_key": "s3cret", "tls": True}
    config = ClientConfig.load_client_connect_config(
        "key", config_file=str(file), override_env_vars=variables, disable_file=True
    )
    assert config == {"target_host": "variable:1"}


# Variables over the file


def test_variables_come_on_top() -> None:
    profile = env(
        {
            "TEMPORAL_ADDRESS": "variable:1",
            "TEMPORAL_NAMESPACE": "variable",
            "TEMPORAL_API_KEY": "other",
            "TEMPORAL_TLS": "0",
            "TEMPORAL_TLS_SERVER_NAME": "other.example",
            "TEMPORAL_TLS_CLIENT_CERT_DATA": "other",
            "TEMPORAL_GRPC_META_SOME_HEADER": "",
            "TEMPORAL_GRPC_META_other_header": "3",
            "TEMPORAL_GRPC_META_THIRD": "4",
            "TEMPORAL_CODEC_ENDPOINT": "unused",
        },
        FULL,
    )
    assert (profile.address, profile.namespace, profile.api_key) == ("variable:1", "variable", "other")
    assert profile.tls is not None
    assert (profile.tls.disabled, profile.tls.server_name) == (True, "other.example")
    assert (profile.tls.client_cert, profile.tls.server_root_ca_cert) == (b"other", Path("/ca.pem"))
    assert profile.grpc_meta == {"other-header": "3", "third": "4"}


@pytest.mark.parametrize(
    ("value", "disabled"),
    [("true", False), ("TRUE", False), ("1", False), ("0", True), ("False", True), ("", None), ("yes", None)],
)
def test_values_of_the_tls_variable(value: str, disabled: bool | None) -> None:
    assert env({"TEMPORAL_TLS": value}).tls == ClientConfigTLS(disabled=disabled)


def test_any_tls_variable_turns_tls_on() -> None:
    assert env({}).tls is None
    profile = env({"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "ca.pem", "TEMPORAL_TLS_CLIENT_KEY_DATA": "key"})
    assert profile.tls == ClientConfigTLS(server_root_ca_cert=Path("ca.pem"), client_private_key=b"key")
    assert env({"TEMPORAL_TLS_CLIENT_CERT_PATH": ""}).tls == ClientConfigTLS()


def test_a_certificate_is_path_or_data() -> None:
    both = {"TEMPORAL_TLS_CLIENT_KEY_PATH": "p", "TEMPORAL_TLS_CLIENT_KEY_DATA": "s3cret"}
    with pytest.raises(ConfigError, match=r"^TEMPORAL_TLS_CLIENT_KEY_PATH and TEMPORAL_TLS_CLIENT_KEY_DATA are both"):
        env(both)
    with pytest.raises(
        ConfigError,
        match=r"^TEMPORAL_TLS_SERVER_CA_CERT_DATA is set, and the configuration given: profile 'default' has "
        r"tls\.server_ca_cert_path: remove",
    ):
        env({"TEMPORAL_TLS_SERVER_CA_CERT_DATA": "s3cret"}, FULL)


def test_verification_cannot_be_turned_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    assert env({"TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "true"}).tls == ClientConfigTLS()
    assert "disable_host_verification has no effect" in caplog.text


# What is refused


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("profile = 1", "profile must be a table, got an integer"),
        ("profile.p = 1.5", "profile 'p' must be a table, got a float"),
        ("[profile.p]\napi_key = 7355608", "profile 'p': api_key must be a string, got an integer"),
        ("[profile.p]\napi_key = 2020-01-01", "profile 'p': api_key must be a string, got a date or time"),
        ("[profile.p]\ntls = true", "profile 'p': tls must be a table, got a boolean"),
        ('[profile.p.tls]\ndisabled = "s3cret"', "profile 'p': tls.disabled must be true or false, got a string"),
        ("[profile.p.grpc_meta]\na = [7355608]", "profile 'p': grpc_meta.a must be a string, got an array"),
        (
            '[profile.p.tls]\nclient_key_path = "a"\nclient_key_data = "s3cret"',
            "profile 'p' has both tls.client_key_path and tls.client_key_data",
        ),
        ('[profile.p]\napi_key = "s3cret\n', "is no valid TOML: .*line 2"),
        ("[profile.p]\napi_key = s3cret\n", "is no valid TOML: .*line 2"),
        (b'[profile.p]\napi_key = "\xff"', "is not UTF-8: byte 23"),
    ],
)
def test_errors_name_file_profile_and_key_but_no_value(tmp_path: Path, source: str | bytes, message: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(source if isinstance(source, bytes) else source.encode())
    for given, name in ((file, str(file)), (source, "the configuration given")):
        with pytest.raises(ConfigError, match=rf"^{name}:? .*{message}" if name else message) as caught:
            load(given)
        assert caught.value.__cause__ is caught.value.__context__ is None
        assert not any(secret in str(caught.value) for secret in ("s3cret", "7355608"))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("other = 1", "has the unknown key other; known are profile$"),
        ('[profile.p]\nadress = "a"', "profile 'p' has the unknown key adress; known are address, api_key, codec"),
        ('[profile.p.tls]\nca = "a"', "profile 'p' has the unknown key tls.ca; known are client_cert_data, "),
        ('[profile.p.codec]\nkey = "a"', "profile 'p' has the unknown key codec.key; known are auth, endpoint$"),
    ],
)
def test_unknown_keys_are_refused_on_demand(source: str, message: str) -> None:
    assert load(source) == ClientConfigProfile()
    for strict in (ClientConfigProfile.load, ClientConfig.load):
        with pytest.raises(ConfigError, match=message):
            strict(config_source=source, config_file_strict=True, override_env_vars={})
    assert load(FULL, config_file_strict=True).address == "file:7233"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^cannot read {tmp_path}: {os.strerror(21)}$"):
        load(tmp_path)
    with pytest.raises(TypeError, match="config_source must be a Path, or TOML as str or bytes, got int"):
        load(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# Dictionaries


def test_dictionaries_and_back() -> None:
    config = ClientConfig(
        {
            "full": ClientConfigProfile(
                address="a:1",
                namespace="n",
                api_key="k",
                tls=ClientConfigTLS(False, "name", Path("/ca.pem"), "cert", "key"),
                grpc_meta={"a": "b"},
            ),
            "empty": ClientConfigProfile(),
        }
    )
    assert config.to_dict() == {
        "full": {
            "address": "a:1",
            "namespace": "n",
            "api_key": "k",
            "tls": {
                "disabled": False,
                "server_name": "name",
                "server_ca_cert": {"path": "/ca.pem"},
                "client_cert": {"data": "cert"},
                "client_key": {"data": "key"},
            },
            "grpc_meta": {"a": "b"},
        },
        "empty": {},
    }
    assert ClientConfig.from_dict(config.to_dict()) == config
    assert ClientConfigTLS(client_cert=b"bytes").to_dict() == {"client_cert": {"data": "bytes"}}
    assert ClientConfigTLS().to_dict() == {}


def test_dictionaries_of_others() -> None:
    assert ClientConfigTLS.from_dict(None) is None
    assert ClientConfigTLS.from_dict({}) is None
    assert ClientConfigTLS.from_dict({"client_cert": {}}) == ClientConfigTLS()
    assert ClientConfig.from_dict({"p": {"unknown": 1, "tls": None}}).profiles == {"p": ClientConfigProfile()}
    with pytest.raises(TypeError, match="profile 'p' must be a dictionary, got int"):
        ClientConfig.from_dict({"p": 1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match="not as int"):
        ClientConfigTLS(client_cert=1).to_dict()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"address": 7233}, "address must be a str, got int"),
        ({"namespace": b"n"}, "namespace must be a str, got bytes"),
        ({"api_key": ["s3cret"]}, "api_key must be a str, got list"),
        ({"tls": "s3cret"}, "tls must be a dictionary, got str"),
        ({"tls": {"disabled": "no"}}, "disabled must be a bool, got str"),
        ({"tls": {"server_name": 1}}, "server_name must be a str, got int"),
        ({"tls": {"client_key": "s3cret"}}, "client_key must be a dictionary, got str"),
        ({"tls": {"client_key": {"data": ["s3cret"]}}}, "client_key.data must be a str, got list"),
        ({"tls": {"client_cert": {"path": 1}}}, "client_cert.path must be a str, got int"),
        ({"grpc_meta": "s3cret"}, "grpc_meta must be a dictionary, got str"),
        ({"grpc_meta": {"token": ["s3cret"]}}, "grpc_meta 'token' must be a str, got list"),
        ({"grpc_meta": {1: "s3cret"}}, "names of grpc_meta must be str, got int"),
    ],
)
def test_dictionaries_with_wrong_types_are_refused_by_key_and_secrets_not_shown(profile: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        ClientConfigProfile.from_dict(profile)
    with pytest.raises(TypeError, match=f"^profile 'p': {message}$"):
        ClientConfig.from_dict({"p": profile})


def test_what_is_no_dictionary_is_refused() -> None:
    nothing: Any = None
    with pytest.raises(TypeError, match=r"^a profile must be a dictionary, got NoneType$"):
        ClientConfigProfile.from_dict(nothing)
    with pytest.raises(TypeError, match=r"^profiles must be a dictionary, got NoneType$"):
        ClientConfig.from_dict(nothing)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (["TEMPORAL_ADDRESS"], "override_env_vars must be a mapping of names to str, got list"),
        ({"TEMPORAL_API_KEY": b"s3cret"}, "override_env_vars 'TEMPORAL_API_KEY' must be a str, got bytes"),
        ({1: "s3cret"}, "names of override_env_vars must be str, got int"),
    ],
)
@pytest.mark.parametrize("load", [ClientConfig.load, ClientConfig.load_client_connect_config, ClientConfigProfile.load])
def test_variables_of_a_wrong_type_are_refused_by_name(load: Any, variables: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        load(override_env_vars=variables)
