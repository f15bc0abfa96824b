"""The blocks about TLS and API keys of the page about connections, followed against a front of the real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from invincible.client import Client
from invincible.service import RPCError, TLSConfig
from tests.support.certificates import Authority
from tests.support.guides import follow

from .conftest import Connect, healthy

PAGE = "connection.md"


async def test_a_certificate_of_the_client(
    front: Connect, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = authority.issue("client")
    for name, content in {"ca.pem": authority.cert, "client.pem": mine.cert, "client.key": mine.key}.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    async with front(certificate=authority.issue("localhost"), client_ca=authority.cert) as server:
        place = {"temporal.example:7233": f"localhost:{server.port}"}
        names = await follow(PAGE, replacements=place, only=[1], Client=Client)
        assert await healthy(names["client"])


async def test_an_api_key_that_is_replaced(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("localhost")) as server:
        server.keys.write_text("first\nsecond")
        place = {
            "eu-west-1.aws.api.temporal.io:7233": f"localhost:{server.port}",
            "api_key=key)": "api_key=key, tls=tls)",
        }
        tls = TLSConfig(server_root_ca_cert=authority.cert)
        names = await follow(
            PAGE, replacements=place, only=[2], Client=Client, key="first", rotated_key="second", tls=tls
        )
        client = names["client"]
        assert (await server.headers_of("GetSystemInfo"))["client-name"] == "invincible-python"
        server.keys.write_text("second")
        assert await healthy(client)
        server.keys.write_text("first")
        with pytest.raises(RPCError, match="unauthorized"):
            await healthy(client)
        assert client.rpc_metadata == {"tenant": "blue", "trace-bin": b"\x01\x02"}
        assert client.namespace == "orders.a1b2c"
