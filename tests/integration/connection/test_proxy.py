"""Connections through an HTTP proxy, on a port and on a Unix socket, with and without a password."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from invincible.client import Client
from invincible.service import DnsLoadBalancingConfig, HttpConnectProxyConfig, TLSConfig
from tests.support.certificates import Authority
from tests.support.connect_proxy import connect_proxy

from .conftest import Connect, healthy


async def connect(address: str, proxy: HttpConnectProxyConfig) -> Client:
    return await Client.connect(address, http_connect_proxy_config=proxy)


@pytest.mark.parametrize("basic_auth", [None, ("user", "s3cret")])
async def test_calls_go_through_the_proxy(address: str, basic_auth: tuple[str, str] | None) -> None:
    async with connect_proxy(basic_auth=basic_auth) as proxy:
        client = await connect(address, HttpConnectProxyConfig(proxy.address, basic_auth=basic_auth))
        assert await healthy(client)
        assert proxy.targets == [address]


async def test_a_proxy_on_a_unix_socket(address: str, tmp_path: Path) -> None:
    async with connect_proxy(socket=tmp_path / "proxy") as proxy:
        assert await healthy(await connect(address, HttpConnectProxyConfig(proxy.address)))
        assert proxy.targets == [address]


async def test_tls_through_a_proxy(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("localhost")) as server, connect_proxy() as proxy:
        client = await Client.connect(
            f"localhost:{server.port}",
            tls=TLSConfig(server_root_ca_cert=authority.cert),
            http_connect_proxy_config=HttpConnectProxyConfig(proxy.address),
        )
        assert await healthy(client)
        assert proxy.targets == [f"localhost:{server.port}"]


async def test_load_balancing_is_left_aside_with_a_proxy(address: str) -> None:
    async with connect_proxy() as proxy:
        client = await Client.connect(
            address,
            http_connect_proxy_config=HttpConnectProxyConfig(proxy.address),
            dns_load_balancing_config=DnsLoadBalancingConfig(),
        )
        assert await healthy(client)


async def test_a_password_that_is_missing_or_wrong(address: str) -> None:
    async with connect_proxy(basic_auth=("user", "s3cret")) as proxy:
        where = re.escape(f"could not connect to {address} through the proxy {proxy.address}: the proxy answered 407 ")
        with pytest.raises(RuntimeError, match=f"^{where}.* Give user and password as HttpConnectProxyConfig.basic_"):
            await connect(address, HttpConnectProxyConfig(proxy.address))
        with pytest.raises(RuntimeError, match=f"^{where}.* does not accept the user and password") as caught:
            await connect(address, HttpConnectProxyConfig(proxy.address, basic_auth=("user", "wr0ng")))
        assert "wr0ng" not in str(caught.value)


async def test_a_proxy_that_does_not_reach_the_server() -> None:
    async with connect_proxy() as proxy:
        with pytest.raises(RuntimeError, match=r"127\.0\.0\.1:1 through .* answered 502 .*is that running there\?$"):
            await connect("127.0.0.1:1", HttpConnectProxyConfig(proxy.address))


async def test_a_proxy_that_is_not_there(address: str, tmp_path: Path) -> None:
    for proxy in ("127.0.0.1:1", f"unix:{tmp_path / 'none'}"):
        with pytest.raises(RuntimeError, match=rf"through the proxy {re.escape(proxy)}: .*(refused|No such file)"):
            await connect(address, HttpConnectProxyConfig(proxy))
    with pytest.raises(RuntimeError, match="the proxy's name could not be resolved"):
        await connect(address, HttpConnectProxyConfig("no-such-host.invalid:1"))


async def test_what_is_no_proxy(address: str) -> None:
    with pytest.raises(RuntimeError, match=r"what answers is no HTTP proxy\. Is HttpConnect"):
        await connect(address, HttpConnectProxyConfig(address))
