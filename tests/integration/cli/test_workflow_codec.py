"""Payloads that only a codec can read: `--codec-endpoint`, `--data-converter`, and without either."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from invincible.client import Client
from invincible.contrib.codec_server import codec_server
from invincible.contrib.encryption import EncryptionCodec
from invincible.converter import ConversionError, DataConverter, Payload, PayloadCodec, RemoteCodec
from invincible.worker import Worker
from tests.support.cli import Command

from .workflow_orders import ACTIVITIES, Order

CONVERTER = replace(DataConverter.default, payload_codec=EncryptionCodec({"test": b"k" * 32}, key_id="test"))
TOKEN = "the-token"
HERE = f"{__name__}:CONVERTER"


class Broken(PayloadCodec):
    """Has a bug."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise ZeroDivisionError("no key")

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise ZeroDivisionError("no key")


@pytest.fixture
def endpoint() -> Iterator[str]:
    """A codec server that wants a token."""
    server = uvicorn.Server(uvicorn.Config(codec_server(CONVERTER, token=TOKEN), port=0, log_level="error"))
    # It listens already: who comes before the server is ready has to wait, but is not refused.
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/codecs/{{namespace}}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def command(address: str) -> Command:
    return Command(address)


@pytest.fixture
async def done(address: str, task_queue: str) -> AsyncIterator[str]:
    """A workflow with encrypted payloads that has completed; its worker goes on."""
    client = await Client.connect(address, data_converter=CONVERTER)
    async with Worker(client, task_queue=task_queue, workflows=[Order], activities=ACTIVITIES):
        workflow_id = f"secret-{uuid.uuid4()}"
        await client.execute_workflow(Order.run, args=["done"], id=workflow_id, task_queue=task_queue)
        yield workflow_id


@pytest.mark.parametrize("how", ["endpoint", "converter", "variables"])
async def test_payloads_are_decoded_and_encoded(
    command: Command, done: str, task_queue: str, endpoint: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: tuple[str, ...] = ()
    if how == "endpoint":
        options = ("--codec-endpoint", endpoint, "--codec-auth", f"Bearer {TOKEN}")
    elif how == "converter":
        options = ("--data-converter", HERE)
    else:
        monkeypatch.setenv("TEMPORAL_CODEC_ENDPOINT", endpoint)
        monkeypatch.setenv("TEMPORAL_CODEC_AUTH", f"Bearer {TOKEN}")
    shown = (await command("workflow", "show", done, *options)).stdout
    assert 'activity reserve("a book") → "reserved a book"' in shown
    assert (await command.json("workflow", "result", done, *options))["result"] == ["reserved a book", 2]
    answer = await command.json("workflow", "query", done, "approver", "-i", '"by "', *options)
    assert answer["result"] is None
    started = await command.json("workflow", "execute", "Order", "-t", task_queue, "-i", '"done"', *options)
    assert started["result"] == ["reserved a book", 2]


async def test_without_a_codec_it_is_said_that_payloads_are_encrypted(command: Command, done: str) -> None:
    shown = (await command("workflow", "show", done)).stdout
    assert "activity reserve(<encrypted, " in shown
    assert "a book" not in shown


async def test_a_codec_server_that_refuses(command: Command, done: str, endpoint: str) -> None:
    options = ("--codec-endpoint", endpoint, "--codec-auth", "Bearer wrong-secret")
    said = await command.error("workflow", "result", done, *options)
    url = endpoint.replace("{namespace}", "default")
    assert said == (
        f"codec server: {url}/decode answered 403 Forbidden: the token is not allowed to use the codec of the "
        "namespace 'default'"
    )
    shown = await command("workflow", "show", done, *options)
    assert "some payloads are shown as they are: codec server: " in shown.stderr
    assert "activity reserve(<encrypted, " in shown.stdout
    assert "wrong-secret" not in shown.output + said


async def test_a_codec_that_raises(command: Command, done: str) -> None:
    broken = f"{__name__}:Broken"
    said = await command.error("workflow", "result", done, "--data-converter", broken)
    assert said == f"{broken}: ZeroDivisionError: no key"
    shown = await command("workflow", "show", done, "--data-converter", broken)
    assert shown.stderr == "some payloads are shown as they are: no key\n"


async def test_a_codec_server_that_is_missing(command: Command, done: str, unused_tcp_port: int) -> None:
    said = await command.error("workflow", "result", done, "--codec-endpoint", f"http://127.0.0.1:{unused_tcp_port}")
    assert said.startswith(f"codec server: cannot reach http://127.0.0.1:{unused_tcp_port}/decode: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--codec-auth", "secret"), "--codec-auth is for --codec-endpoint: give it too"),
        (("--codec-endpoint", "http://x", "--data-converter", "a:b"), "cannot be combined"),
        (("--data-converter", "nonsense"), "--data-converter takes MODULE:ATTRIBUTE, not 'nonsense'"),
        (("--no-tls", "--tls-server-name", "x"), "--no-tls cannot be combined with other options of TLS"),
        (("--grpc-meta", "secret"), "--grpc-meta takes KEY=VALUE"),
    ],
)
async def test_wrong_usage(command: Command, options: tuple[str, ...], said: str) -> None:
    found = await command.error("workflow", "show", "some", *options, exit_code=2)
    assert said in found
    assert "secret" not in found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--codec-endpoint", "ftp://x"), "codec server: endpoint must be a URL such as http://localhost:8081"),
        (("--codec-endpoint", "http://a:secret@x"), "endpoint must not hold a password: give authorization"),
        (("--codec-endpoint", "http://x", "--codec-auth", "secret\n"), "the header 'Authorization' holds a character"),
        (("--data-converter", "no_such_module:x"), "there is no module 'no_such_module'"),
        (("--data-converter", "json:decoder"), "is of type module: it must be a DataConverter or a PayloadCodec"),
    ],
)
async def test_what_is_no_codec(command: Command, options: tuple[str, ...], said: str) -> None:
    found = await command.error("workflow", "show", "some", *options)
    assert said in found
    assert "secret" not in found


async def test_the_codec_of_the_configuration_file(command: Command, done: str, endpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text(f'[profile.shop.codec]\nendpoint = "{endpoint}"\nauth = "Bearer {TOKEN}"\n')
    found = await command.json("workflow", "result", done, "--config-file", file, "--profile", "shop")
    assert found["result"] == ["reserved a book", 2]


async def test_a_server_that_redirects_is_not_followed() -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        codec = RemoteCodec(f"http://127.0.0.1:{port}", authorization="Bearer secret")
        assert "secret" not in repr(codec)
        with pytest.raises(ConversionError, match="answered 307 Temporary Redirect"):
            await codec.decode([Payload({"encoding": b"x"}, b"")])


async def test_a_server_that_is_no_codec_server() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        codec = RemoteCodec(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(ConversionError, match="answered without payloads"):
            await codec.encode([Payload({"encoding": b"x"}, b"")])


async def test_a_server_that_does_not_answer_in_time() -> None:
    released = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        codec = RemoteCodec(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=0.2)
        with pytest.raises(ConversionError, match=r"did not answer in 0\.2 seconds"):
            await codec.encode([Payload({"encoding": b"x"}, b"")])
        released.set()
