"""`invincible codec-server`: a codec server of one's own data converter."""

from __future__ import annotations

import inspect
import json
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ._data_converter import as_converter, converter_of_workers, object_named
from ._options import Command
from ._output import failure
from ._units import name

if TYPE_CHECKING:
    from invincible.converter import DataConverter

_WHERE = "codec-server"  # how errors name the reference
_LOCAL = ("127.0.0.1", "::1", "localhost")


@click.command(cls=Command)
@click.argument("reference", metavar="MODULE:ATTRIBUTE")
@click.option("--host", type=name, default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="Port; 0 picks a free one."
)
@click.option(
    "--cors-origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Where a Web UI is served that may use it; repeatable.",
)
@click.option(
    "--token",
    type=name,
    envvar="INVINCIBLE_CODEC_TOKEN",
    show_envvar=True,
    metavar="TOKEN",
    help="Bearer token that callers must send; better in the variable.",
)
@click.option(
    "--authorize",
    metavar="MODULE:FUNCTION",
    help="Function that is told token and namespace and says whether they may; it may be async.",
)
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), help="Certificate, for HTTPS.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="Its key.")
@click.option("--json", "as_json", is_flag=True, help="Say where it serves in one line of JSON.")
def command(
    reference: str,
    host: str,
    port: int,
    origins: tuple[str, ...],
    token: str | None,
    authorize: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    as_json: bool,
) -> None:
    """Serve a codec to the Web UI and other tools, so that they can show what payloads say.

    MODULE:ATTRIBUTE is the data converter or payload codec of the workers, or a function that returns one; it may take
    the namespace. Modules are looked for in the current directory first.

    \b
    invincible codec-server shop.codec:converter --cors-origin http://localhost:8233
    invincible server --ui-codec-endpoint http://127.0.0.1:8081
    invincible workflow show ID --codec-endpoint http://127.0.0.1:8081

    Whoever may call it can read everything. It listens on this machine alone unless --host says otherwise.
    """
    try:
        import uvicorn

        from invincible.contrib.codec_server import codec_server
    except ImportError as error:
        raise failure(f"this needs {error.name}: pip install 'invincible[codec-server]'") from None
    from ._logging import log_to_stderr

    if token is not None and authorize is not None:
        raise click.UsageError("--token and --authorize exclude each other")
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key go together")
    allowed = token if authorize is None else _function(authorize)
    app = codec_server(_converters(reference), allowed_origins=origins, token=allowed)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, ssl_certfile=tls_cert, ssl_keyfile=tls_key
    )
    try:
        config.load()
    except OSError as error:
        raise failure(f"cannot use the certificate {tls_cert} with the key {tls_key}: {error}") from None
    listener = _listen(host, port)
    log_to_stderr("info", "text")
    if allowed is None and host not in _LOCAL:
        click.echo("warning: anyone who reaches this address can decode: give --token or --authorize", err=True)
    scheme = "http" if tls_cert is None else "https"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    if as_json:
        click.echo(json.dumps({"event": "ready", "url": url}))
    else:
        click.echo(f"codec server of {reference} at {url}; Ctrl-C stops it")
    # The server ends well on both signals, and raises them again afterwards.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]  # the rest repeats the address
        raise failure(f"cannot listen on {host}:{port}: {reason}") from None


def _converters(reference: str) -> DataConverter | Callable[[str], DataConverter]:
    """The data converter that a reference stands for, or a function that has that of a namespace."""
    found = object_named(reference, _WHERE)
    needed = _needed(found) if inspect.isroutine(found) else []
    if not needed:
        return converter_of_workers(reference, _WHERE)
    if len(needed) > 1:
        raise failure(f"{reference} takes {', '.join(needed)}: it may take the namespace and nothing else")
    return lambda namespace: as_converter(found(namespace), reference, _WHERE)


def _needed(function: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]


def _function(reference: str) -> Callable[[str, str], Any]:
    found = object_named(reference, "--authorize")
    if not callable(found):
        raise failure(f"--authorize: {reference} is of type {type(found).__name__}: it must be a function")
    function: Callable[[str, str], Any] = found
    return function
