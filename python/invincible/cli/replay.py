"""`invincible replay`: recorded histories against the workflow code there is now."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import importlib.util
import json
import sys
import traceback
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from invincible._engine.explain import user_frame
from invincible._engine.reference import workflow_definition
from invincible.client import Client, WorkflowHistory
from invincible.runtime import Runtime, TelemetryConfig
from invincible.service import RPCError
from invincible.worker import Replayer
from invincible.worker._failures import text_of
from invincible.workflow import NondeterminismError


@dataclass(frozen=True)
class _Source:
    """A history to replay, or why there is none."""

    name: str
    history: WorkflowHistory | None = None
    problem: Exception | None = None


@dataclass(frozen=True)
class _Outcome:
    history: str
    workflow_id: str | None
    run_id: str | None
    workflow_type: str | None
    error_type: str | None = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


@click.command()
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
@click.option("--address", envvar="TEMPORAL_ADDRESS", default="localhost:7233", show_default=True, help="The server.")
@click.option("--namespace", envvar="TEMPORAL_NAMESPACE", default="default", show_default=True, help="Its namespace.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(
    histories: tuple[Path, ...],
    workflows: tuple[str, ...],
    modules: tuple[str, ...],
    ids: tuple[str, ...],
    address: str,
    namespace: str,
    as_json: bool,
) -> None:
    """Replay HISTORIES, to see whether workflow code still does what they say.

    They are JSON files, gzipped or not, and folders of such.

    Exits with 1 if one of them does not fit, and with 2 if there is nothing to replay, or nothing to replay it with.
    """
    if not histories and not ids:
        raise click.UsageError("nothing to replay: give JSON files, folders, or --workflow-id")
    if not workflows and not modules:
        raise click.UsageError("no workflows to replay with: give --workflow or --module")
    # The user's modules are found where the command is run, as by `python -m`.
    sys.path.insert(0, "")
    found = list(dict.fromkeys([*map(_workflow, workflows), *(each for name in modules for each in _all_of(name))]))
    # What Core has to say of failures is part of what is printed.
    runtime = Runtime(telemetry=TelemetryConfig(logging=None))
    try:
        replayer = Replayer(workflows=found, runtime=runtime)
    except (TypeError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    files = [file for path in histories for file in _files(path)]
    if not files and not ids:
        raise click.UsageError(f"no JSON files in {', '.join(map(str, histories))}")
    outcomes = asyncio.run(_replay_all(replayer, files, ids, address, namespace, runtime, quiet=as_json))
    failed = sum(not outcome.ok for outcome in outcomes)
    if as_json:
        found_all = [asdict(outcome) | {"ok": outcome.ok} for outcome in outcomes]
        click.echo(json.dumps({"replayed": len(outcomes), "failed": failed, "histories": found_all}, indent=2))
    else:
        click.echo(f"{len(outcomes)} replayed, {failed} failed" if failed else f"{len(outcomes)} replayed, all fit")
    sys.exit(1 if failed else 0)


async def _replay_all(
    replayer: Replayer,
    files: Sequence[Path],
    ids: Sequence[str],
    address: str,
    namespace: str,
    runtime: Runtime,
    *,
    quiet: bool,
) -> list[_Outcome]:
    outcomes = []
    async for source in _sources(files, ids, address, namespace, runtime):
        outcome = await _replay(replayer, source)
        outcomes.append(outcome)
        if not quiet:
            _show(outcome)
    return outcomes


async def _sources(
    files: Sequence[Path], ids: Sequence[str], address: str, namespace: str, runtime: Runtime
) -> AsyncIterator[_Source]:
    for file in files:
        yield _read(file)
    if not ids:
        return
    try:
        client = await Client.connect(address, namespace=namespace, runtime=runtime)
    except (RPCError, RuntimeError) as error:
        raise click.ClickException(f"cannot connect to {address}: {error}") from None
    for each in ids:
        workflow_id, run_id = _execution(each)
        try:
            history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
        except RPCError as error:
            yield _Source(each, problem=error)
        else:
            yield _Source(each, history)


def _execution(reference: str) -> tuple[str, str | None]:
    """Workflow id and run id of ``ID[:RUN]``; colons that no run id follows are part of the workflow id."""
    workflow_id, _, run_id = reference.rpartition(":")
    try:
        is_run_id = bool(workflow_id) and str(uuid.UUID(run_id)) == run_id.lower()
    except ValueError:
        is_run_id = False
    return (workflow_id, run_id) if is_run_id else (reference, None)


def _read(file: Path) -> _Source:
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
        history = WorkflowHistory.from_json(file.name.partition(".")[0], text)
    except (OSError, EOFError, ValueError) as error:
        return _Source(str(file), problem=error)
    if history.events:
        workflow_id = history.events[0].workflow_execution_started_event_attributes.workflow_id
        history = WorkflowHistory(workflow_id or history.workflow_id, history.events)
    return _Source(str(file), history)


async def _replay(replayer: Replayer, source: _Source) -> _Outcome:
    history, failure = source.history, source.problem
    if history is None:
        assert failure is not None
        return _Outcome(source.name, None, None, None, type(failure).__name__, text_of(failure))
    workflow_type = run_id = None
    try:
        started = history.events[0].workflow_execution_started_event_attributes if history.events else None
        if started is not None:
            workflow_type, run_id = started.workflow_type.name, started.original_execution_run_id
        failure = (await replayer.replay_workflow(history, raise_on_replay_failure=False)).replay_failure
    except ValueError as error:  # it is no whole history
        failure = error
    if failure is None:
        return _Outcome(source.name, history.workflow_id, run_id, workflow_type)
    return _Outcome(source.name, history.workflow_id, run_id, workflow_type, type(failure).__name__, _told(failure))


def _told(failure: Exception) -> str:
    """A failure in words, with its place in the workflow code if it came out of that."""
    place = ""
    if not isinstance(failure, NondeterminismError):
        for frame, line in traceback.walk_tb(failure.__traceback__):
            if user_frame(frame) is frame:
                place = f" at {frame.f_code.co_filename}:{line}, in {frame.f_code.co_name}"
    return f"{text_of(failure)}{place}"


def _show(outcome: _Outcome) -> None:
    if outcome.error is None:
        click.echo(f"ok      {outcome.history} ({outcome.workflow_type} {outcome.workflow_id!r})")
        return
    lines = f"{outcome.error_type}: {outcome.error}".splitlines()
    click.echo("\n        ".join((f"FAILED  {outcome.history}", *lines)))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted((*path.rglob("*.json"), *path.rglob("*.json.gz")))
    else:
        yield path


def _workflow(reference: str) -> Any:
    module_name, separator, name = reference.rpartition(":")
    if not separator:
        raise click.UsageError(f"--workflow takes MODULE:NAME, not {reference!r}")
    found: Any = _module(module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"there is no {name!r} in {module_name!r}")
        found = getattr(found, part)
    if not _is_workflow(found):
        raise click.UsageError(f"{reference!r} is no workflow: decorate it with @workflow.defn")
    return found


def _all_of(module_name: str) -> list[Any]:
    found = [each for each in vars(_module(module_name)).values() if _is_workflow(each)]
    if not found:
        raise click.UsageError(f"there are no workflows in {module_name!r}")
    return found


def _is_workflow(value: Any) -> bool:
    try:
        workflow_definition(value)
    except TypeError:
        return False
    return True


def _module(name: str) -> ModuleType:
    path = Path(name)
    try:
        if path.suffix != ".py":
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise click.UsageError(f"there is no file {name!r}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        # What the file imports from its own folder is found as when it is run.
        sys.path.insert(0, str(path.resolve().parent))
        spec.loader.exec_module(module)
        return module
    except click.UsageError:
        raise
    except Exception as error:
        raise click.UsageError(f"cannot import {name!r}: {type(error).__name__}: {error}") from error
