"""`invincible replay`: recorded histories against the workflow code there is now."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._connection import Connection, connection_options, quiet_runtime
from .._data_converter import converter_of_workers
from .._options import Command
from .._output import failure, json_option, print_json
from .._progress import Progress
from .._units import name

if TYPE_CHECKING:
    from invincible.converter import DataConverter
    from invincible.envconfig import ClientConnectConfig
    from invincible.worker import Replayer

    from .outcome import Outcome
    from .sources import Sources


@click.command(cls=Command)
@click.argument("histories", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--workflow", "-w", "workflows", multiple=True, metavar="MODULE:NAME", help="A workflow class or function."
)
@click.option(
    "--module", "-m", "modules", multiple=True, metavar="MODULE", help="Module or Python file, with all its workflows."
)
@click.option(
    "--workflow-id", "ids", multiple=True, metavar="ID[:RUN]", help="Workflow whose history to fetch from the server."
)
@click.option("--query", "-q", type=name, metavar="QUERY", help="Fetch the histories of all workflows that it finds.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Most workflows that --query may find.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a JUnit report, too."
)
@json_option
@connection_options
def command(
    histories: tuple[Path, ...],
    workflows: tuple[str, ...],
    modules: tuple[str, ...],
    ids: tuple[str, ...],
    query: str | None,
    limit: int | None,
    junit: Path | None,
    as_json: bool,
    connection: Connection,
) -> None:
    """Replay HISTORIES, to see whether workflow code still does what they say.

    They are JSON files, gzipped or not, and folders of such; --workflow-id and --query fetch more from the server.

    \b
    invincible replay histories/ --module shop.workflows
    invincible replay -m shop.workflows --query "WorkflowType = 'Order' AND ExecutionStatus = 'Running'" --limit 500

    Exits with 1 if one of them does not fit, and with 2 if there is nothing to replay, or nothing to replay it with.
    """
    if not histories and not ids and query is None:
        raise click.UsageError("nothing to replay: give JSON files, folders, --workflow-id or --query")
    if limit is not None and query is None:
        raise click.UsageError("--limit is for --query: give it too")
    if not workflows and not modules:
        raise click.UsageError("no workflows to replay with: give --workflow or --module")
    from invincible.worker import Replayer

    from .named import named_workflow, workflows_of
    from .outcome import write_junit
    from .sources import Sources, files_of

    found = [*map(named_workflow, workflows), *(each for module in modules for each in workflows_of(module))]
    files = [file for path in histories for file in files_of(path)]
    if not files and not ids and query is None:
        raise click.UsageError(f"no JSON files in {', '.join(map(str, histories))}")
    config = connection.config() if ids or query is not None else None
    runtime = quiet_runtime()
    try:
        replayer = Replayer(
            workflows=list(dict.fromkeys(found)),
            data_converter=_converter(connection, config),
            runtime=runtime,
        )
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    sources = Sources(files, ids, query, limit, config, runtime)
    try:
        outcomes = asyncio.run(_replay_all(replayer, sources, quiet=as_json))
    except KeyboardInterrupt:
        click.echo("interrupted: the histories that are left were not replayed", err=True)
        sys.exit(130)
    if not outcomes:
        raise click.UsageError("nothing to replay: the query finds no workflows")
    failed = sum(not outcome.ok for outcome in outcomes)
    if as_json:
        told = [outcome.json for outcome in outcomes]
        print_json({"replayed": len(outcomes), "failed": failed, "histories": told})
    else:
        click.echo(f"{len(outcomes)} replayed, {failed} failed" if failed else f"{len(outcomes)} replayed, all fit")
    if junit is not None:
        try:
            write_junit(outcomes, junit)
        except OSError as error:
            raise failure(f"--junit {junit} cannot be written: {error.strerror}") from None
    sys.exit(1 if failed else 0)


def _converter(connection: Connection, config: ClientConnectConfig | None) -> DataConverter:
    """What decodes the histories: workflow code is given its values, so that it is the whole one of the workers."""
    if connection.data_converter is not None and connection.codec_endpoint is None:
        return converter_of_workers(connection.data_converter, "--data-converter")
    return connection.converter((config or {}).get("namespace", "default"))


async def _replay_all(replayer: Replayer, sources: Sources, *, quiet: bool) -> list[Outcome]:
    from .outcome import replayed

    outcomes = []
    failed = 0
    with Progress("replaying") as progress:
        async for source in sources.all():
            outcome = await replayed(replayer, source)
            outcomes.append(outcome)
            failed += not outcome.ok
            if not quiet:
                progress.say(outcome.text)
            progress.show(f"{len(outcomes)} replayed, {failed} failed")
    return outcomes
