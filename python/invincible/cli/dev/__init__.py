"""`invincible dev`: server, Web UI and worker in one terminal, and the worker anew when the code changes."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._connection import Connection, connection_options
from .._options import Command
from .._units import duration, name

if TYPE_CHECKING:
    from invincible.envconfig import ClientConnectConfig
    from invincible.worker._runner import Program

_PORT = click.IntRange(0, 65535)
# Options of connections that make sense for a server of this command's own.
_OWN_TOO = frozenset({"namespace", "identity", "codec_endpoint", "codec_auth", "data_converter"})


@click.command(cls=Command)
@click.argument("target", metavar="PATH")
@click.option("--task-queue", type=name, metavar="NAME", help="Where the worker polls.  [default: see above]")
@click.option("--port", type=_PORT, help="The server's port; 0 for any.  [default: 7233, if it is free]")
@click.option("--ui-port", type=_PORT, help="The Web UI's port; 0 for any.  [default: 8233, if it is free]")
@click.option("--no-ui", is_flag=True, help="Without the Web UI.")
@click.option("--open", "opens", is_flag=True, help="Show the Web UI in a browser.")
@click.option(
    "--db", "database", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Keep workflows there."
)
@click.option("--no-reload", is_flag=True, help="Leave the worker as it is when files change.")
@click.option("--processes", "-p", type=click.IntRange(min=1), default=1, help="Processes of the worker.")
@click.option("--grace", type=duration, default="2s", show_default=True, help="Time that activities have to end.")
@click.option("--debugger", is_flag=True, help="Stop at breakpoint(), in workflows too; nothing is a deadlock then.")
@connection_options
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON, one in a line.")
def command(
    target: str,
    task_queue: str | None,
    port: int | None,
    ui_port: int | None,
    no_ui: bool,
    opens: bool,
    database: Path | None,
    no_reload: bool,
    processes: int,
    grace: timedelta,
    debugger: bool,
    connection: Connection,
    log_level: str,
    log_format: str,
    as_json: bool,
) -> None:
    """Run a server with its Web UI, and a worker with all that PATH has, anew at each change of a Python file.

    PATH is a file, a folder, or the name of a module. Workflows, activities and Nexus service handlers are found in it
    and in what it imports from the same project. A function `worker(client)` in it makes the worker instead.

    The task queue is that of --task-queue, or TASK_QUEUE of the module, or else named like the file.

    The server is this command's own, whatever TEMPORAL_* variables say; --address has it use another one that runs
    already. Workflows outlive each reload; with --db FILE they outlive this command as well.

    Ctrl-C gives activities the grace to end, and ends everything; a second one does so at once.
    """
    from invincible.runtime import TelemetryConfig
    from invincible.worker._processes._telemetry import RuntimeOptions
    from invincible.worker._runner import run_program

    from .._project import locate
    from ._maker import DevMaker
    from ._output import output_to
    from ._program import DevOptions, DevProgram
    from ._server import ServerOptions

    if no_ui and (opens or ui_port is not None):
        raise click.UsageError("--no-ui goes neither with --open nor with --ui-port")
    if debugger and processes > 1:
        raise click.UsageError("--debugger is for one process: it reads what is typed")
    config = _running_server(
        connection, own=port is not None or ui_port is not None or no_ui or opens or database is not None
    )
    try:
        located = locate(target)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if not no_reload:
        _require_watchfiles()
    if database is not None:
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.ClickException(f"cannot make the folder of {database}: {error.strerror}") from None
    maker = DevMaker(
        located,
        0,
        connection,
        config or {"target_host": "", "namespace": connection.namespace or "default"},
        RuntimeOptions(TelemetryConfig(), timedelta(seconds=60), False),
        grace,
        task_queue=task_queue,
        debugger=debugger,
        prints_to_stderr=as_json,
        tracebacks=log_level.lower() == "debug",
    )
    server = ServerOptions(
        port,
        not no_ui,
        ui_port,
        database,
        connection.namespace or "default",
        "warn" if log_level.lower() == "debug" else "error",
    )
    output = output_to(sys.stdout, as_json=as_json, log_format=log_format)
    options = DevOptions(maker, config, server, processes, grace.total_seconds(), not no_reload, opens)
    program = DevProgram(options, output)
    handler = output.handler(program.explain)
    handler.addFilter(program.is_news)
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    logging.basicConfig(level=log_level.upper(), handlers=[handler])

    async def make() -> Program:
        return program

    run_program(make)


def _running_server(connection: Connection, *, own: bool) -> ClientConnectConfig | None:
    """The connection to the server that --address names."""
    if connection.address is None:
        given = [each for each, value in vars(connection).items() if value != getattr(Connection, each)]
        if foreign := [each for each in given if each not in _OWN_TOO]:
            option = f"--{foreign[0].replace('_', '-')}"
            raise click.UsageError(f"{option} is for a server that runs already: give --address too")
        return None
    if own:
        raise click.UsageError(
            "--port, --ui-port, --no-ui, --open and --db are for a server of this command's own: not with --address"
        )
    return connection.config()


def _require_watchfiles() -> None:
    try:
        import watchfiles  # noqa: F401
    except ImportError:
        raise click.ClickException(
            "this needs watchfiles: pip install 'invincible[dev]' (or give --no-reload)"
        ) from None
