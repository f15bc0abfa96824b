"""No secret of a connection and no payload shows: not in logs at the finest level, not in errors, not in reprs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.connect_proxy import connect_proxy
from tests.support.processes import REPOSITORY

from .conftest import Connect

PLACES = (
    *("collector", "password", "wrong_password", "api_key", "wrong_key", "header", "binary", "header_of_call"),
    *("binary_of_call", "bad", "argument", "memo", "summary", "config"),
)
# Nothing of one is in another, whatever it is written as.
SECRETS = {place: hashlib.sha256(place.encode()).hexdigest() for place in PLACES}


def spellings(secret: str) -> set[str]:
    """How a secret may be written: as it is, as bytes in hexadecimal, in base64 however it is aligned, in a list."""
    data = secret.encode()
    aligned = {base64.b64encode(b"x" * shift + data)[4:-8].decode() for shift in range(3)}
    numbers = ", ".join(str(byte) for byte in data)
    return {secret, data.hex(), base64.b64encode(data).decode().rstrip("="), numbers, *aligned}


@pytest.mark.parametrize("forwarding", [False, True], ids=["console", "logging"])
async def test_no_secret_is_shown(
    front: Connect, authority: Authority, task_queue: str, tmp_path: Path, forwarding: bool
) -> None:
    client = authority.issue("client")
    files = {"ca": authority.cert, "cert": client.cert, "key": client.key, "config": configuration(client.key)}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    async with (
        front(certificate=authority.issue("localhost"), client_ca=authority.cert) as server,
        connect_proxy(basic_auth=("user", SECRETS["password"])) as proxy,
    ):
        server.keys.write_text(SECRETS["api_key"])
        options = {
            **{name: str(tmp_path / name) for name in files},
            "target": f"localhost:{server.port}",
            "proxy": proxy.address,
            "queue": task_queue,
            "forwarding": forwarding,
        }
        output = await run(json.dumps({"options": options, "secrets": SECRETS}))

    for outcome in ("connecting succeeded", "a raw call succeeded", "a result succeeded", "a result failed"):
        assert outcome in output, output[-5000:]
    assert "TRACE" in output or "h2::" in output, "the logs are not there"
    assert leaks(output, SECRETS) == {}
    key_lines = client.key.decode().splitlines()[1:-1]
    assert [line for line in key_lines if line in output] == []


def test_leaks_are_found() -> None:
    for text in spellings("canary-of-test"):
        assert leaks(f"before\nsome {text} text\nafter", {"test": "canary-of-test"}) == {"test": [f"some {text} text"]}


def configuration(key: bytes) -> bytes:
    secret = SECRETS["config"]
    lines = [
        "[profile.good]",
        f'api_key = "{secret}"',
        f'grpc_meta.header = "{secret}"',
        f'tls.client_key_data = """{key.decode()}"""',
    ]
    return "\n".join(lines).encode()


def leaks(output: str, secrets: dict[str, str]) -> dict[str, list[str]]:
    """The lines that show a secret, by its place."""
    found = {}
    for place, secret in secrets.items():
        lines = [line for line in output.splitlines() if any(text in line for text in spellings(secret))]
        if lines:
            found[place] = lines[:3]
    return found


async def run(stdin: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.leaky",
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    finally:
        if process.returncode is None:
            process.kill()
    text = output.decode(errors="replace")
    assert process.returncode == 0, text[-5000:]
    return text
