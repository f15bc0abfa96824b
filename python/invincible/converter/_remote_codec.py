"""A codec that another program runs, over HTTP: what the Web UI and command lines call a codec server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from invincible._native import Payload

from ._codec import PayloadCodec
from ._errors import ConversionError

if TYPE_CHECKING:
    from email.message import Message
    from urllib.request import OpenerDirector


@dataclass(frozen=True)
class RemoteCodec(PayloadCodec):
    """Has payloads encoded and decoded by a codec server, which alone has the keys.

    Calls wait in a thread, and go through the proxy that the environment names. Redirections are not followed: they
    would lead payloads and authorization elsewhere.

    Args:
        endpoint: Where the server's ``/encode`` and ``/decode`` are; ``{namespace}`` in it stands for the namespace.
        namespace: Sent as ``X-Namespace``.
        authorization: Value of the ``Authorization`` header, ``Bearer ...`` say. Never shown.
        headers: More headers. Never shown.
        timeout: Longest time for an answer, in seconds.

    Example::

        codec = RemoteCodec("https://codec.example.com", namespace="orders", authorization=f"Bearer {token}")
        converter = dataclasses.replace(DataConverter.default, payload_codec=codec)
    """

    endpoint: str
    namespace: str = "default"
    authorization: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0

    def __post_init__(self) -> None:
        """Refuses what is no address, and headers that cannot be sent.

        Raises:
            ValueError: The message names what is wrong, and does not show secrets.
        """
        from urllib.parse import urlsplit

        parts = urlsplit(self.endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("endpoint must be a URL such as http://localhost:8081")
        if parts.username is not None or parts.password is not None:
            raise ValueError("endpoint must not hold a password: give authorization")
        for name, value in self._headers().items():
            if not name or not name.isascii() or not name.isprintable() or not value.isprintable():
                raise ValueError(f"the header {name!r} holds a character that a header cannot carry")

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Has payloads encoded.

        Raises:
            ConversionError: The server cannot be reached, refuses them, or answers something else.
        """
        return await self._call("encode", payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Has payloads decoded.

        Raises:
            ConversionError: The server cannot be reached, refuses them, or answers something else.
        """
        return await self._call("decode", payloads)

    def _headers(self) -> dict[str, str]:
        authorization = {} if self.authorization is None else {"Authorization": self.authorization}
        return {
            "Content-Type": "application/json",
            "X-Namespace": self.namespace,
            **authorization,
            **self.headers,
        }

    async def _call(self, operation: str, payloads: Sequence[Payload]) -> list[Payload]:
        body = json.dumps({"payloads": [_to_json(payload) for payload in payloads]}).encode()
        answer = await asyncio.to_thread(self._post, operation, body)
        try:
            decoded = [_from_json(payload) for payload in json.loads(answer).get("payloads", ())]
        except (AttributeError, KeyError, TypeError, ValueError):
            # Without the error: it may quote a payload.
            decoded = None
        if not decoded:
            raise ConversionError(f"codec server: {self._shown(operation)} answered without payloads")
        return decoded

    def _post(self, operation: str, body: bytes) -> bytes:
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import Request

        where = self._shown(operation)
        try:
            request = Request(self._url(operation), body, self._headers(), method="POST")
            with _opener().open(request, timeout=self.timeout) as response:
                content: bytes = response.read()
                return content
        except HTTPError as error:
            with error:
                problem = f"{where} answered {error.code} {error.reason}{_told(error)}"
        except TimeoutError:
            problem = f"{where} did not answer in {self.timeout:g} seconds"
        except URLError as error:
            problem = f"cannot reach {where}: {error.reason}"
        except (HTTPException, OSError) as error:
            problem = f"cannot reach {where}: {error}"
        raise ConversionError(f"codec server: {problem}")

    def _url(self, operation: str) -> str:
        from urllib.parse import quote, urlsplit, urlunsplit

        parts = urlsplit(self.endpoint.replace("{namespace}", quote(self.namespace, safe="")))
        return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{operation}", fragment=""))

    def _shown(self, operation: str) -> str:
        # Without a query: it may hold a key.
        return self._url(operation).partition("?")[0]


def _opener() -> OpenerDirector:
    from urllib.request import HTTPRedirectHandler, build_opener

    class NoRedirects(HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Message, newurl: str) -> None:
            return None

    return build_opener(NoRedirects)


def _told(error: Any) -> str:
    """What the server's answer tells, where it is one of ours or short text."""
    try:
        text = error.read(2000).decode()
    except (OSError, ValueError):
        return ""
    with suppress(KeyError, TypeError, ValueError):
        text = json.loads(text)["error"]
    text = str(text).strip()
    return f": {text}" if text and len(text) <= 300 and not text.startswith("<") else ""


def _to_json(payload: Payload) -> dict[str, Any]:
    metadata = {key: base64.b64encode(value).decode() for key, value in payload.metadata.items()}
    return {"metadata": metadata, "data": base64.b64encode(payload.data).decode()}


def _from_json(given: Any) -> Payload:
    metadata = {key: base64.b64decode(value) for key, value in (given.get("metadata") or {}).items()}
    return Payload(metadata, base64.b64decode(given.get("data") or ""))
