"""TLS and mutual TLS against a real front with certificates made here: what works, and what each mistake is told as."""

from __future__ import annotations

import pytest

from invincible.client import Client
from invincible.service import TLSConfig
from tests.support.certificates import Authority

from .conftest import Connect, healthy


async def refusal(address: str, **options: TLSConfig | bool) -> str:
    """The error of an attempt to connect; it names the address."""
    with pytest.raises(RuntimeError) as caught:
        await Client.connect(address, **options)  # type: ignore[arg-type]
    prefix = f"could not connect to {address}: "
    assert str(caught.value).startswith(prefix)
    return str(caught.value).removeprefix(prefix)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_of_a_trusted_authority(front: Connect, authority: Authority, host: str) -> None:
    async with front(certificate=authority.issue("localhost", "127.0.0.1")) as server:
        client = await Client.connect(f"{host}:{server.port}", tls=TLSConfig(server_root_ca_cert=authority.cert))
        assert await healthy(client)


async def test_an_authority_that_is_not_trusted(
    front: Connect, authority: Authority, other_authority: Authority
) -> None:
    async with front(certificate=authority.issue("localhost")) as server:
        address = f"localhost:{server.port}"
        assert (await refusal(address, tls=True)).endswith(
            "signed by an authority that is not trusted. If the server is the right one, give that authority's "
            "certificate as TLSConfig.server_root_ca_cert"
        )
        assert (await refusal(address, tls=TLSConfig(server_root_ca_cert=other_authority.cert))).endswith(
            "TLSConfig.server_root_ca_cert is not the certificate of that authority"
        )


async def test_a_certificate_for_another_name(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("service.example")) as server:
        address = f"localhost:{server.port}"
        said = await refusal(address, tls=TLSConfig(server_root_ca_cert=authority.cert))
        assert 'not valid for name "localhost"' in said
        assert "service.example" in said
        assert said.endswith("set TLSConfig.domain to a name in its certificate")

        for option in ("domain", "verification_server_name"):
            tls = TLSConfig(server_root_ca_cert=authority.cert)
            setattr(tls, option, "service.example")
            assert await healthy(await Client.connect(address, tls=tls))


async def test_an_expired_certificate(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("localhost", expired=True)) as server:
        said = await refusal(f"localhost:{server.port}", tls=TLSConfig(server_root_ca_cert=authority.cert))
    assert said.startswith("the server's certificate has expired. Renew it there")


async def test_a_client_certificate_that_the_server_wants(
    front: Connect, authority: Authority, other_authority: Authority
) -> None:
    async with front(certificate=authority.issue("localhost"), client_ca=authority.cert) as server:
        address = f"localhost:{server.port}"

        def tls(signer: Authority, **kind: bool) -> TLSConfig:
            certificate = signer.issue("client", **kind)
            return TLSConfig(
                server_root_ca_cert=authority.cert, client_cert=certificate.cert, client_private_key=certificate.key
            )

        assert await healthy(await Client.connect(address, tls=tls(authority)))

        said = await refusal(address, tls=TLSConfig(server_root_ca_cert=authority.cert))
        assert said.endswith("give TLSConfig.client_cert and client_private_key")
        for wrong in (tls(other_authority), tls(authority, expired=True)):
            assert "It may not accept the client certificate" in await refusal(address, tls=wrong)


async def test_a_key_that_is_not_that_of_the_client_certificate(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("localhost")) as server:
        cert, key = authority.issue("one").cert, authority.issue("two").key
        tls = TLSConfig(server_root_ca_cert=authority.cert, client_cert=cert, client_private_key=key)
        said = await refusal(f"localhost:{server.port}", tls=tls)
    assert said == "TLSConfig.client_private_key is not the key of TLSConfig.client_cert"


async def test_plain_text_to_a_server_that_wants_tls(front: Connect, authority: Authority) -> None:
    async with front(certificate=authority.issue("localhost")) as server:
        assert (await refusal(f"localhost:{server.port}")).endswith("If it wants TLS, set tls=True")


async def test_tls_to_a_server_that_wants_plain_text(address: str) -> None:
    assert await refusal(address, tls=True) == "the answer is not TLS. Set tls=False, unless this is the wrong port"
