"""Where commands find the server, and with which secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from invincible.cli._connection import Connection
from invincible.converter import DataConverter, RemoteCodec
from invincible.service import TLSConfig

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's configuration, which is of these tests alone."""
    for name in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", "TEMPORAL_CODEC_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "temporal.toml"
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    return file


def config(**options: Any) -> dict[str, Any]:
    return dict(Connection(**options).config())


def test_defaults() -> None:
    assert config() == {"target_host": "localhost:7233"}


def test_options_come_before_variables_and_those_before_the_file(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text(
        '[profile.default]\naddress = "file:1"\nnamespace = "file"\n[profile.default.grpc_meta]\na = "1"\n'
    )
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "variable")
    found = config(grpc_meta=("B=2", "c=x=y"))
    assert found == {
        "target_host": "file:1",
        "namespace": "variable",
        "rpc_metadata": {"a": "1", "b": "2", "c": "x=y"},
    }
    found = config(address="option:1", namespace="option", api_key="k", tls=False)
    assert (found["target_host"], found["namespace"]) == ("option:1", "option")
    assert (found["api_key"], found["tls"]) == ("k", False)


def test_an_api_key_turns_tls_on() -> None:
    assert config(api_key="k")["tls"] is True


def test_files_of_tls(tmp_path: Path) -> None:
    for name, content in (("ca", PEM), ("cert", PEM), ("key", KEY)):
        (tmp_path / name).write_text(content)
    found = config(
        tls_ca_path=tmp_path / "ca",
        tls_cert_path=tmp_path / "cert",
        tls_key_path=tmp_path / "key",
        tls_server_name="temporal.example",
    )
    assert found["tls"] == TLSConfig(
        server_root_ca_cert=PEM.encode(),
        client_cert=PEM.encode(),
        client_private_key=KEY.encode(),
        domain="temporal.example",
    )


def test_tls_keeps_what_the_profile_says_of_it(config_file: Path) -> None:
    config_file.write_text('[profile.default.tls]\nserver_name = "temporal.example"\ndisabled = true\n')
    assert config()["tls"] is False
    assert config(tls=True)["tls"] == TLSConfig(domain="temporal.example")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("no certificate")
    with pytest.raises(click.ClickException, match="server_root_ca_cert"):
        config(tls_ca_path=tmp_path / "ca")
    with pytest.raises(click.ClickException, match="profile 'none' was not found"):
        config(profile="none")


def test_secrets_are_not_shown() -> None:
    connection = Connection(api_key="the-key", codec_auth="the-auth", grpc_meta=("a=the-header",))
    assert not any(secret in repr(connection) for secret in ("the-key", "the-auth", "the-header"))


def test_codec_servers_come_from_options_variables_and_the_file(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def codec(**options: Any) -> RemoteCodec:
        found = Connection(**options).converter("shop").payload_codec
        assert isinstance(found, RemoteCodec)
        return found

    assert Connection().converter("shop") is DataConverter.default
    config_file.write_text('[profile.default.codec]\nendpoint = "http://file"\nauth = "Bearer file"\n')
    assert codec() == RemoteCodec("http://file", namespace="shop", authorization="Bearer file")
    monkeypatch.setenv("TEMPORAL_CODEC_ENDPOINT", "http://variable")
    assert codec() == RemoteCodec("http://variable", namespace="shop", authorization="Bearer file")
    found = codec(codec_endpoint="http://option", codec_auth="Bearer option")
    assert found == RemoteCodec("http://option", namespace="shop", authorization="Bearer option")
    monkeypatch.setenv("TEMPORAL_CODEC_ENDPOINT", "")
    assert Connection().converter("shop") is DataConverter.default
