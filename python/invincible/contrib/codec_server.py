"""A codec server: shows the Web UI and command line what payloads say. Needs the extra ``codec-server``.

It speaks Temporal's codec server protocol: ``POST /encode`` and ``/decode`` with payloads as JSON, and ``/download``
for payloads in external storage. It does what the data converter of the workers does and has their keys: whoever may
call it can read everything.
"""

from __future__ import annotations

import hmac
import inspect
import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.common.v1 import Payloads
from invincible.converter import ConversionError, DataConverter
from invincible.converter._storage_references import is_reference

__all__ = ["Authorize", "codec_server"]

Authorize: TypeAlias = Callable[[str, str], bool | Awaitable[bool]]
"""Says whether the bearer token, its first argument, may be used for the namespace, its second."""

# What the Web UI sends, beyond what browsers always may.
_HEADERS = ("Authorization", "Authorization-Extras", "Content-Type", "X-Namespace")

_logger = logging.getLogger(__name__)


def codec_server(
    data_converter: DataConverter | Callable[[str], DataConverter],
    *,
    allowed_origins: Sequence[str] = (),
    token: str | Authorize | None = None,
    max_request_size: int = 64 * 1024 * 1024,
) -> Starlette:
    """Makes the codec server, an ASGI application for ``uvicorn`` and the like, or to be mounted in another.

    The namespace is that of the header ``X-Namespace``, else the part of the path before ``/encode`` or ``/decode``.
    Besides, ``GET /healthz`` answers that the server runs.

    Args:
        data_converter: That of the workers, with its codec and external storage; or a function that returns the one of
            a namespace, and raises ``LookupError`` if there is none.
        allowed_origins: Where the Web UI is served, ``https://temporal.example.com`` say. Browsers let no page of
            another origin use the server. ``*`` lets all, and is for servers that hold nothing secret.
        token: The bearer token that callers must send; or a function that is told token and namespace and says
            whether they may, for the tokens of users that the Web UI passes on. Without it, anyone may.
        max_request_size: Size of requests in bytes above which they are refused.

    Returns:
        The application.

    Raises:
        ValueError: The token is empty.

    Example::

        # uvicorn --factory orders.codec:server --port 8081
        def server():
            return codec_server(converter, allowed_origins=["http://localhost:8233"], token=os.environ["CODEC_TOKEN"])
    """
    if token == "":
        raise ValueError("token is empty: give one, or None to let anyone use the codec server")
    server = _CodecServer(data_converter, token, max_request_size)
    return Starlette(
        routes=[
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/{path:path}", server.handle, methods=["POST"]),
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=allowed_origins,
                allow_methods=["POST"],
                allow_headers=_HEADERS,
                allow_credentials="*" not in allowed_origins,
            )
        ],
        exception_handlers={HTTPException: _http_error},
    )


class _Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.response = JSONResponse({"error": reason}, status, headers)


class _CodecServer:
    def __init__(
        self,
        data_converter: DataConverter | Callable[[str], DataConverter],
        token: str | Authorize | None,
        max_request_size: int,
    ) -> None:
        self._data_converter = data_converter
        self._token = token
        self._max_request_size = max_request_size
        self._operations: dict[str, Callable[[DataConverter, list[Payload], Request], Awaitable[list[Payload]]]] = {
            "encode": _encode,
            "decode": _decode,
            "download": _download,
        }

    async def handle(self, request: Request) -> Response:
        *above, name = request.path_params["path"].split("/")
        namespace = request.headers.get("x-namespace") or (above[-1] if above else "")
        try:
            operation = self._operations.get(name)
            if operation is None:
                raise _Refused(404, "there are /encode, /decode and /download here")
            await self._check_token(request, namespace)
            payloads = _parsed(await self._body(request))
            converter = self._converter(namespace)
            return _json(await operation(converter, payloads, request))
        except _Refused as refused:
            return refused.response
        except ConversionError as error:
            place = "" if error.index is None else f"payload {error.index}: "
            return _Refused(400, f"{place}{error}").response
        except Exception as error:
            # The message might quote a payload. The stack does not.
            stack = "".join(traceback.format_tb(error.__traceback__))
            _logger.error("/%s in namespace %r: %s\n%s", name, namespace, type(error).__name__, stack)
            return _Refused(500, f"{name} failed with {type(error).__name__}: see the log of the codec server").response

    def _converter(self, namespace: str) -> DataConverter:
        if isinstance(self._data_converter, DataConverter):
            return self._data_converter
        try:
            return self._data_converter(namespace)
        except LookupError:
            raise _Refused(404, f"there is no codec for the namespace {namespace!r}") from None

    async def _check_token(self, request: Request, namespace: str) -> None:
        if self._token is None:
            return
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        sent = sent.strip()
        if scheme.lower() != "bearer" or not sent:
            raise _Refused(401, "send the header Authorization: Bearer <token>", {"WWW-Authenticate": "Bearer"})
        if isinstance(self._token, str):
            allowed: Any = hmac.compare_digest(sent.encode(), self._token.encode())
        else:
            allowed = self._token(sent, namespace)
            if inspect.isawaitable(allowed):
                allowed = await allowed
        if not allowed:
            raise _Refused(403, f"the token is not allowed to use the codec of the namespace {namespace!r}")

    async def _body(self, request: Request) -> bytes:
        # Browsers send other types to any server without asking it first.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _Refused(415, "send payloads with the header Content-Type: application/json")
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > self._max_request_size:
                raise _Refused(413, f"the request is larger than {self._max_request_size} bytes, the limit here")
        return bytes(body)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _Refused(error.status_code, error.detail, dict(error.headers or {})).response


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _encode(converter: DataConverter, payloads: list[Payload], _: Request) -> list[Payload]:
    return await converter._to_wire(payloads)


async def _decode(converter: DataConverter, payloads: list[Payload], request: Request) -> list[Payload]:
    # The Web UI shows references as they are, and downloads those that are asked for.
    if request.query_params.get("preserveStorageRefs", "").lower() != "true":
        return await converter._from_wire(payloads)
    stored = {index: payload for index, payload in enumerate(payloads) if is_reference(payload)}
    decoded = iter(await converter._from_wire([each for index, each in enumerate(payloads) if index not in stored]))
    return [stored[index] if index in stored else next(decoded) for index in range(len(payloads))]


async def _download(converter: DataConverter, payloads: list[Payload], _: Request) -> list[Payload]:
    if not all(map(is_reference, payloads)):
        raise _Refused(400, "/download takes references to external storage only")
    return await converter._from_wire(payloads)


def _parsed(body: bytes) -> list[Payload]:
    try:
        message = Parse(body, Payloads(), ignore_unknown_fields=True)
    except (ParseError, UnicodeDecodeError, RecursionError):
        # The parser's own message may quote the payload.
        reason = 'the body is not {"payloads": [{"metadata": {"encoding": <base64>}, "data": <base64>}]}'
        raise _Refused(400, reason) from None
    return [Payload.FromString(payload.SerializeToString()) for payload in message.payloads]


def _json(payloads: Sequence[Payload]) -> Response:
    message = Payloads(payloads=[PayloadMessage.FromString(payload.SerializeToString()) for payload in payloads])
    return Response(MessageToJson(message, indent=None), media_type="application/json")
