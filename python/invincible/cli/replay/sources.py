"""Where histories come from: files, workflow ids, queries."""

from __future__ import annotations

import asyncio
import gzip
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invincible.client import Client, WorkflowHistory
from invincible.envconfig import ClientConnectConfig
from invincible.runtime import Runtime
from invincible.service import RPCError

from .._connection import cannot_connect
from .._output import failure

# Histories that are fetched ahead of the replay. They are kept in memory until it is their turn.
_AHEAD = 8


@dataclass(frozen=True)
class Source:
    """A history to replay, or why there is none."""

    name: str
    history: WorkflowHistory | None = None
    problem: Exception | None = None


@dataclass(frozen=True)
class Sources:
    """All histories to replay.

    Args:
        files: Files, in the order in which they are read.
        references: Workflows, as ``ID`` or ``ID:RUN``.
        query: Finds more workflows.
        limit: Most workflows that the query may find.
        config: Of the client.
        runtime: Of the client.
    """

    files: Sequence[Path]
    references: Sequence[str]
    query: str | None
    limit: int | None
    config: ClientConnectConfig | None
    runtime: Runtime

    async def all(self) -> AsyncIterator[Source]:
        """Reads and fetches the histories while they are replayed.

        Raises:
            ClickException: There is no connection, or the query makes no sense.
        """
        for file in self.files:
            yield _read(file)
        if self.config is None:
            return
        try:
            client = await Client.connect(**self.config, runtime=self.runtime)
        except (RPCError, RuntimeError, ValueError) as error:
            raise cannot_connect(self.config, error) from None
        async for source in _fetched_ahead(client, self._executions(client)):
            yield source

    async def _executions(self, client: Client) -> AsyncIterator[tuple[str, str, str | None]]:
        for reference in self.references:
            yield (reference, *execution(reference))
        if self.query is None:
            return
        try:
            async for found in client.list_workflows(self.query, limit=self.limit):
                yield f"{found.id}:{found.run_id}", found.id, found.run_id
        except RPCError as error:
            raise failure(error) from None


def files_of(path: Path) -> Iterator[Path]:
    """The histories below a folder, or the one file."""
    if path.is_dir():
        yield from sorted((*path.rglob("*.json"), *path.rglob("*.json.gz")))
    else:
        yield path


def execution(reference: str) -> tuple[str, str | None]:
    """Workflow id and run id of ``ID[:RUN]``; colons that no run id follows are part of the workflow id."""
    workflow_id, _, run_id = reference.rpartition(":")
    try:
        is_run_id = bool(workflow_id) and str(uuid.UUID(run_id)) == run_id.lower()
    except ValueError:
        is_run_id = False
    return (workflow_id, run_id) if is_run_id else (reference, None)


async def _fetched_ahead(
    client: Client, executions: AsyncIterator[tuple[str, str, str | None]]
) -> AsyncIterator[Source]:
    """Histories in their order, some of them fetched at the same time."""
    under_way: deque[asyncio.Task[Source]] = deque()
    try:
        async for name, workflow_id, run_id in executions:
            under_way.append(asyncio.create_task(_fetch(client, name, workflow_id, run_id)))
            if len(under_way) == _AHEAD:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        await _cancelled(under_way)


async def _cancelled(tasks: Iterable[asyncio.Task[Source]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _fetch(client: Client, name: str, workflow_id: str, run_id: str | None) -> Source:
    try:
        return Source(name, await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history())
    except RPCError as error:
        return Source(name, problem=error)


def _read(file: Path) -> Source:
    try:
        content = file.read_bytes()
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
        history = WorkflowHistory.from_json(file.name.partition(".")[0], text)
    except (OSError, EOFError, ValueError) as error:
        return Source(str(file), problem=error)
    if history.events:
        workflow_id = history.events[0].workflow_execution_started_event_attributes.workflow_id
        history = WorkflowHistory(workflow_id or history.workflow_id, history.events)
    return Source(str(file), history)
