"""The codec server over HTTP, as the Web UI and the command line of Temporal speak to it."""

from __future__ import annotations

import base64
import json
import logging
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from invincible._native import Payload
from invincible.contrib.codec_server import codec_server
from invincible.contrib.encryption import EncryptionCodec
from invincible.contrib.storage import DirectoryStorageDriver
from invincible.converter import DataConverter, ExternalStorage, PayloadCodec
from tests.support.web import serving

UI = "http://localhost:8233"
CONVERTER = DataConverter(payload_codec=EncryptionCodec({"k": bytes(32)}, key_id="k"))
# The Web UI asks for this with every call.
KEEP_REFERENCES = "?preserveStorageRefs=true"


def as_json(payload: Payload) -> dict[str, Any]:
    return {
        "metadata": {key: base64.b64encode(value).decode() for key, value in payload.metadata.items()},
        "data": base64.b64encode(payload.data).decode(),
    }


def plain(*values: Any) -> list[Payload]:
    return DataConverter.default.payload_converter.to_payloads(values)


class Caller:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def post(self, path: str, payloads: Sequence[Any], **headers: str) -> tuple[int, Any]:
        body = {"payloads": [as_json(each) if isinstance(each, Payload) else each for each in payloads]}
        sent = {"Content-Type": "application/json", **headers}
        async with self.session.post(self.url + path, data=json.dumps(body), headers=sent) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json()


@asynccontextmanager
async def called(converter: Any = CONVERTER, **options: Any) -> AsyncIterator[Caller]:
    async with serving(codec_server(converter, **options)) as url, aiohttp.ClientSession() as session:
        yield Caller(session, url)


async def test_encode_and_decode() -> None:
    payloads = plain("top secret", None, b"\x00")
    async with called() as caller:
        status, encoded = await caller.post("/encode", payloads)
        assert status == 200
        assert [base64.b64decode(each["metadata"]["encoding"]) for each in encoded["payloads"]] == [
            b"binary/encrypted"
        ] * 3
        status, decoded = await caller.post("/decode" + KEEP_REFERENCES, encoded["payloads"])
    assert status == 200
    assert [{"data": "", **each} for each in decoded["payloads"]] == [as_json(each) for each in payloads]


async def test_what_clients_encoded_is_decoded() -> None:
    async with called() as caller:
        status, decoded = await caller.post("/decode", await CONVERTER.encode(["x", 1]))
    assert (status, [base64.b64decode(each["data"]) for each in decoded["payloads"]]) == (200, [b'"x"', b"1"])


async def test_nothing_to_decode() -> None:
    async with called() as caller:
        assert await caller.post("/decode", []) == (200, {})


async def test_only_the_end_of_the_path_counts() -> None:
    async with called() as caller:
        assert (await caller.post("/deep/default/encode", plain(1)))[0] == 200
        status, answer = await caller.post("/encode/other", plain(1))
    assert (status, answer) == (404, {"error": "there are /encode, /decode and /download here"})


async def test_a_converter_for_each_namespace() -> None:
    def converter(namespace: str) -> DataConverter:
        return {"orders": CONVERTER, "mail": DataConverter.default}[namespace]

    async with called(converter) as caller:
        for path, headers, encoding in (
            ("/encode", {"X-Namespace": "orders"}, b"binary/encrypted"),
            ("/encode", {"X-Namespace": "mail"}, b"json/plain"),
            ("/mail/encode", {}, b"json/plain"),
            ("/mail/encode", {"X-Namespace": "orders"}, b"binary/encrypted"),
        ):
            status, answer = await caller.post(path, plain("x"), **headers)
            assert status == 200
            assert base64.b64decode(answer["payloads"][0]["metadata"]["encoding"]) == encoding
        assert await caller.post("/encode", plain("x"), **{"X-Namespace": "else"}) == (
            404,
            {"error": "there is no codec for the namespace 'else'"},
        )


async def test_a_payload_that_cannot_be_decoded() -> None:
    other = DataConverter(payload_codec=EncryptionCodec({"k": bytes(16)}, key_id="k"))
    async with called() as caller:
        status, answer = await caller.post("/decode", [*plain(1), *await other.encode(["top secret"])])
    assert status == 400
    assert answer["error"].startswith("payload 1: the payload cannot be decrypted: it was encrypted with another key")


@pytest.mark.parametrize("body", [b"", b"{", b'{"payloads": 1}', b'{"payloads": [{"data": 5}]}', b"\xff"])
async def test_a_body_that_is_none(body: bytes) -> None:
    async with called() as caller:
        headers = {"Content-Type": "application/json"}
        async with caller.session.post(caller.url + "/decode", data=body, headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["error"].startswith('the body is not {"payloads": ')


async def test_only_json_is_taken() -> None:
    async with called() as caller:
        status, answer = await caller.post("/decode", [], **{"Content-Type": "text/plain"})
        assert (status, answer["error"]) == (415, "send payloads with the header Content-Type: application/json")
        assert (await caller.post("/decode", [], **{"Content-Type": "application/json; charset=utf-8"}))[0] == 200


async def test_a_request_that_is_too_large() -> None:
    async with called(max_request_size=1000) as caller:
        assert (await caller.post("/encode", plain("x" * 100)))[0] == 200
        status, answer = await caller.post("/encode", plain("x" * 1000))
    assert (status, answer) == (413, {"error": "the request is larger than 1000 bytes, the limit here"})


async def test_health_and_other_methods() -> None:
    async with called(token="t") as caller:
        async with caller.session.get(caller.url + "/healthz") as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})
        async with caller.session.get(caller.url + "/decode") as response:
            assert (response.status, await response.json()) == (405, {"error": "Method Not Allowed"})


async def test_a_token() -> None:
    async with called(token="right") as caller:
        status, answer = await caller.post("/encode", plain(1))
        assert (status, answer) == (401, {"error": "send the header Authorization: Bearer <token>"})
        assert (await caller.post("/encode", plain(1), Authorization="Basic right"))[0] == 401
        assert (await caller.post("/encode", plain(1), Authorization="Bearer "))[0] == 401
        status, answer = await caller.post("/encode", plain(1), Authorization="Bearer wrong")
        assert status == 403
        assert "wrong" not in answer["error"]
        assert (await caller.post("/encode", plain(1), Authorization="Bearer right"))[0] == 200
        assert (await caller.post("/encode", plain(1), Authorization="bearer right"))[0] == 200


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_tokens_that_are_looked_at(asynchronous: bool) -> None:
    def check(token: str, namespace: str) -> bool:
        return (token, namespace) == ("user", "orders")

    async def check_later(token: str, namespace: str) -> bool:
        return check(token, namespace)

    async with called(token=check_later if asynchronous else check) as caller:
        headers = {"Authorization": "Bearer user", "X-Namespace": "orders"}
        assert (await caller.post("/encode", plain(1), **headers))[0] == 200
        assert (await caller.post("/encode", plain(1), **{**headers, "X-Namespace": "mail"}))[0] == 403


def test_an_empty_token() -> None:
    with pytest.raises(ValueError, match="token is empty"):
        codec_server(CONVERTER, token="")


async def preflight(caller: Caller, origin: str, headers: str) -> tuple[int, dict[str, str]]:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    async with caller.session.options(caller.url + "/decode" + KEEP_REFERENCES, headers=asked) as response:
        return response.status, {key.lower(): value for key, value in response.headers.items()}


async def test_the_web_ui_may_call_from_its_origin() -> None:
    async with called(allowed_origins=[UI], token="t") as caller:
        status, headers = await preflight(caller, UI, "authorization,authorization-extras,content-type,x-namespace")
        assert status == 200
        assert headers["access-control-allow-origin"] == UI
        assert headers["access-control-allow-credentials"] == "true"
        assert "POST" in headers["access-control-allow-methods"]
        # Errors too: the page must be able to read them.
        async with caller.session.post(caller.url + "/decode", headers={"Origin": UI}) as response:
            assert response.status == 401
            assert response.headers["Access-Control-Allow-Origin"] == UI


async def test_other_pages_may_not() -> None:
    async with called(allowed_origins=[UI]) as caller:
        status, headers = await preflight(caller, "https://evil.example", "content-type")
        assert status == 400
        assert "access-control-allow-origin" not in headers
        assert (await preflight(caller, UI, "x-other"))[0] == 400
    async with called() as caller:
        assert (await preflight(caller, UI, "content-type"))[0] == 400


async def test_any_origin_is_not_trusted_with_credentials() -> None:
    async with called(allowed_origins=["*"]) as caller:
        _, headers = await preflight(caller, "https://any.example", "content-type")
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


async def test_payloads_in_external_storage(tmp_path: Path) -> None:
    storage = ExternalStorage([DirectoryStorageDriver(tmp_path)], payload_size_threshold=1000)
    converter = DataConverter(payload_codec=CONVERTER.payload_codec, external_storage=storage)
    small, large = plain("small", "l" * 1000)
    async with called(converter) as caller:
        _, encoded = await caller.post("/encode", [large, small])
        reference, encrypted = encoded["payloads"]
        assert int(reference["externalPayloads"][0]["sizeBytes"]) > 1000
        assert len(encrypted["data"]) < 200
        _, shown = await caller.post("/decode" + KEEP_REFERENCES, [encrypted, reference, encrypted])
        assert shown["payloads"] == [as_json(small), reference, as_json(small)]
        _, decoded = await caller.post("/decode", [reference, encrypted])
        assert decoded["payloads"] == [as_json(large), as_json(small)]
        _, downloaded = await caller.post("/download" + KEEP_REFERENCES, [reference])
        assert downloaded["payloads"] == [as_json(large)]
        assert await caller.post("/download", [reference, encrypted]) == (
            400,
            {"error": "/download takes references to external storage only"},
        )
        shutil.rmtree(tmp_path)
        status, answer = await caller.post("/download", [reference])
    assert (status, answer["error"]) == (500, "download failed with FileNotFoundError: see the log of the codec server")


async def test_no_payload_in_logs(caplog: pytest.LogCaptureFixture) -> None:
    class Quoting(PayloadCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            raise RuntimeError(f"cannot encode {payloads[0].data!r}")

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            raise NotImplementedError

    caplog.set_level(logging.DEBUG)
    async with called(DataConverter(payload_codec=Quoting()), token="canary-token") as caller:
        status, answer = await caller.post("/encode", plain("canary-value"), Authorization="Bearer canary-token")
    assert (status, answer) == (500, {"error": "encode failed with RuntimeError: see the log of the codec server"})
    assert "/encode in namespace '': RuntimeError" in caplog.text
    assert 'raise RuntimeError(f"cannot encode' in caplog.text
    assert "canary" not in caplog.text + str(answer)
