"""A gRPC server in front of the real one: it adds TLS and checks API keys, and says which headers came.

Runs as a process of its own: `python -m tests.support.grpc_front`. A line of JSON tells of each call:
`{"call": "/service/Method", "headers": {"name": "value"}}`, headers of bytes in hexadecimal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from .certificates import Certificate
from .processes import Program

HOP_BY_HOP = ("grpc-", "te", "user-agent", "content-type", "accept-encoding")


@dataclass
class Front:
    """A front that is ready.

    Attributes:
        program: Its process.
        port: Where it listens, on 127.0.0.1.
        keys: File with the API keys that it takes, one per line; absent: it asks for none.
        unavailable: File which, while it is there, makes it answer that the server is unavailable.
    """

    program: Program
    port: int
    keys: Path
    unavailable: Path

    async def headers_of(self, rpc: str) -> Mapping[str, str]:
        """The headers of the next call of an RPC."""
        line = await self.program.line(f'"call": "/[^"]*/{rpc}"')
        headers: Mapping[str, str] = json.loads(line)["headers"]
        return headers


@asynccontextmanager
async def grpc_front(
    folder: Path, upstream: str, *, certificate: Certificate | None = None, client_ca: bytes | None = None
) -> AsyncIterator[Front]:
    """Run a front for the time of the `async with` block.

    Args:
        folder: For its files.
        upstream: The real server as host:port.
        certificate: What it shows to clients; without one it takes plain text.
        client_ca: What signs the certificates that it wants from clients; None: it wants none.
    """
    options = ["--upstream", upstream, "--keys", str(folder / "keys"), "--unavailable", str(folder / "unavailable")]
    if certificate is not None:
        (folder / "server.pem").write_bytes(certificate.cert)
        (folder / "server.key").write_bytes(certificate.key)
        options += ["--cert", str(folder / "server.pem"), "--key", str(folder / "server.key")]
    if client_ca is not None:
        (folder / "clients.pem").write_bytes(client_ca)
        options += ["--client-ca", str(folder / "clients.pem")]
    async with Program(sys.executable, "-m", "tests.support.grpc_front", *options) as program:
        ready = json.loads(await program.line('"port"'))
        yield Front(program, ready["port"], folder / "keys", folder / "unavailable")


class Forwarder(grpc.GenericRpcHandler):
    def __init__(self, upstream: grpc.aio.Channel, keys: Path, unavailable: Path) -> None:
        self._upstream = upstream
        self._keys = keys
        self._unavailable = unavailable

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        method = handler_call_details.method
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._upstream.unary_unary(method)

        async def forward(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
            headers = list(context.invocation_metadata() or ())
            say(call=method, headers={name: shown(value) for name, value in headers})
            if self._unavailable.exists():
                await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
            if self._keys.exists():
                allowed = [f"Bearer {key}" for key in self._keys.read_text().split()]
                if dict(headers).get("authorization") not in allowed:
                    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Request unauthorized.")
            kept = [(name, value) for name, value in headers if not name.startswith(HOP_BY_HOP)]
            try:
                return await call(request, metadata=kept, timeout=context.time_remaining())
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata()))

        return grpc.unary_unary_rpc_method_handler(forward)


def shown(value: str | bytes) -> str:
    return value.hex() if isinstance(value, bytes) else value


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


async def serve(options: argparse.Namespace) -> None:
    async with grpc.aio.insecure_channel(options.upstream) as upstream:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers([Forwarder(upstream, options.keys, options.unavailable)])
        if options.cert is None:
            port = server.add_insecure_port("127.0.0.1:0")
        else:
            client_ca = None if options.client_ca is None else options.client_ca.read_bytes()
            pair = (options.key.read_bytes(), options.cert.read_bytes())
            credentials = grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)
            port = server.add_secure_port("127.0.0.1:0", credentials)
        await server.start()
        say(port=port)
        await server.wait_for_termination()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--upstream", required=True)
    for name in ("--keys", "--unavailable"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--cert", "--key", "--client-ca"):
        parser.add_argument(name, type=Path)
    asyncio.run(serve(parser.parse_args()))
