"""`invincible codec-server`, asked over HTTP and by other commands."""

from __future__ import annotations

import asyncio
import base64
import builtins
import json
import signal
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from invincible.client import Client
from tests.support.certificates import Authority
from tests.support.cli import Command, run
from tests.support.codecs import sealing
from tests.support.processes import Program

_MODULE = """
from tests.support.codecs import SealingCodec, sealing

codec = SealingCodec()
converter = sealing()


def for_namespace(namespace):
    return {"default": converter}[namespace]


async def authorize(token, namespace):
    return token == f"token of {namespace}"


def two(namespace, other): ...
def fails(): raise OSError("no key")
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    (tmp_path / "codecs_of_a_test.py").write_text(_MODULE)
    return tmp_path


@asynccontextmanager
async def server(modules: Path, attribute: str, *options: object) -> AsyncIterator[tuple[str, Program]]:
    """A codec server, and its URL."""
    command = (sys.executable, "-m", "invincible", "codec-server", f"codecs_of_a_test:{attribute}", "--port", "0")
    async with Program(*command, "--json", *map(str, options), env={"PYTHONPATH": str(modules)}) as program:
        ready = json.loads(await program.line('"event": "ready"'))
        yield ready["url"], program


async def post(
    url: str, payloads: list[Any], headers: Mapping[str, str] | None = None, context: ssl.SSLContext | None = None
) -> Any:
    """Asks the server, and returns its answer, or the status of its refusal."""
    given = {"Content-Type": "application/json", "X-Namespace": "default", **(headers or {})}
    request = urllib.request.Request(url, json.dumps({"payloads": payloads}).encode(), given)

    def ask() -> Any:
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as response:
                return {"cors": response.headers.get("Access-Control-Allow-Origin"), **json.load(response)}
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    return await asyncio.to_thread(ask)


def json_payload(text: str) -> dict[str, Any]:
    encoding = base64.b64encode(b"json/plain").decode()
    return {"metadata": {"encoding": encoding}, "data": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize("attribute", ["converter", "codec", "for_namespace"])
async def test_what_it_encodes_it_decodes(modules: Path, attribute: str) -> None:
    async with server(modules, attribute, "--cors-origin", "http://ui.example") as (url, program):
        plain = json_payload('"secret"')
        sealed = await post(f"{url}/encode", [plain], {"Origin": "http://ui.example"})
        assert sealed["cors"] == "http://ui.example"
        assert sealed["payloads"] != [plain]
        opened = await post(f"{url}/decode", sealed["payloads"], {"Origin": "http://other.example"})
        assert opened == {"cors": None, "payloads": [plain]}
        if attribute == "for_namespace":
            assert await post(f"{url}/encode", [plain], {"X-Namespace": "other"}) == 404
        program.send(signal.SIGINT)
        assert await program.exit_code() == 0


async def test_callers_need_the_token(modules: Path) -> None:
    async with server(modules, "converter", "--token", "sesame") as (url, program):
        assert await post(f"{url}/encode", []) == 401
        assert await post(f"{url}/encode", [], {"Authorization": "Bearer wrong"}) == 403
        assert (await post(f"{url}/encode", [], {"Authorization": "Bearer sesame"})) == {"cors": None}
        program.send(signal.SIGTERM)
        assert await program.exit_code() == 0
        assert "sesame" not in program.output


async def test_a_function_may_say_who_may(modules: Path) -> None:
    async with server(modules, "converter", "--authorize", "codecs_of_a_test:authorize") as (url, _):
        assert await post(f"{url}/encode", [], {"Authorization": "Bearer wrong"}) == 403
        allowed = {"Authorization": "Bearer token of default"}
        assert (await post(f"{url}/encode", [], allowed)) == {"cors": None}


async def test_https(modules: Path, tmp_path: Path) -> None:
    authority = Authority()
    certificate = authority.issue("127.0.0.1")
    files = {"certificate.pem": certificate.cert, "key.pem": certificate.key}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    options = ("--tls-cert", tmp_path / "certificate.pem", "--tls-key", tmp_path / "key.pem")
    context = ssl.create_default_context(cadata=authority.cert.decode())
    async with server(modules, "converter", *options) as (url, _):
        assert url.startswith("https://127.0.0.1:")
        assert await post(f"{url}/encode", [], context=context) == {"cors": None}


async def test_other_commands_use_it(modules: Path, address: str, task_queue: str) -> None:
    client = await Client.connect(address, data_converter=sealing())
    await client.start_workflow("Any", "secret", id=task_queue, task_queue=task_queue)
    command = Command(address)
    async with server(modules, "converter", "--token", "sesame") as (url, _):
        options = ("--codec-endpoint", url, "--codec-auth", "Bearer sesame")
        assert '"secret"' in (await command("workflow", "show", task_queue, *options)).stdout
        assert '"secret"' not in (await command("workflow", "show", task_queue)).stdout
    await client.get_workflow_handle(task_queue).terminate()


def test_wrong_references(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(modules), *sys.path])
    for reference, exit_code, message in (
        ("codecs_of_a_test", 2, "codec-server takes MODULE:ATTRIBUTE, not 'codecs_of_a_test'"),
        ("no_such_module:x", 1, "codec-server: there is no module 'no_such_module'"),
        ("codecs_of_a_test:nothing", 1, "codec-server: there is no 'nothing' in module 'codecs_of_a_test'"),
        ("codecs_of_a_test:two", 1, "takes namespace, other: it may take the namespace and nothing else"),
        ("codecs_of_a_test:fails", 1, "codec-server: codecs_of_a_test:fails failed: OSError: no key"),
        ("os:sep", 1, "codec-server: os:sep is of type str: it must be a DataConverter or a PayloadCodec"),
    ):
        result = run("codec-server", reference)
        assert result.exit_code == exit_code
        assert message in result.stderr
    sys.modules.pop("codecs_of_a_test", None)


def test_wrong_options(modules: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(modules), *sys.path])
    (tmp_path / "no.pem").write_text("nothing")
    file = tmp_path / "no.pem"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options, message in (
            (("--port", port), f"cannot listen on 127.0.0.1:{port}: Address already in use"),
            (("--host", "nowhere.invalid"), "cannot listen on nowhere.invalid:8081: "),
            (("--token", "t", "--authorize", "os:getcwd"), "--token and --authorize exclude each other"),
            (("--authorize", "os:sep"), "--authorize: os:sep is of type str: it must be a function"),
            (("--tls-cert", file), "--tls-cert and --tls-key go together"),
            (("--tls-cert", file, "--tls-key", file), f"cannot use the certificate {file} with the key {file}: "),
        ):
            result = run("codec-server", "codecs_of_a_test:converter", *options)
            assert result.exit_code in (1, 2)
            assert message in result.stderr
    sys.modules.pop("codecs_of_a_test", None)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without_uvicorn(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "uvicorn":
            raise ModuleNotFoundError("No module named 'uvicorn'", name="uvicorn")
        return whole(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    result = run("codec-server", "os:sep")
    assert result.exit_code == 1
    assert result.stderr == "Error: this needs uvicorn: pip install 'invincible[codec-server]'\n"
