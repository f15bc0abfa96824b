"""``invincible dev`` as a program: a server, a worker, and another worker whenever the code changes."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import click

from invincible.envconfig import ClientConnectConfig
from invincible.testing import ServerStartError
from invincible.worker._told import CannotConnectError, ProgramError, RemoteTraceback, words
from invincible.worker._under_way import UnderWay

from .._connection import Connection
from .._sources import shown_path
from ._events import NewsBox
from ._generation import Generation
from ._maker import DevMaker, address_of, namespace_of
from ._output import Output
from ._screen import Content, Where, misfit_help, start_commands, start_screen
from ._server import PORT, DevServer, ServerOptions
from ._terminal import Terminal

logger = logging.getLogger("invincible.dev")

# Seconds after which code that has been told to take no more tasks does not take any, even if it has not ended.
_HANDOVER = 0.5
# Seconds after which people wonder what a load is waiting for.
_SLOW_LOAD = 3.0


@dataclass(frozen=True)
class DevOptions:
    """What the command was given.

    Args:
        maker: Makes the workers, but for their number and the connection.
        connection: The server that runs already, if one is to be used.
        server: The server that is started otherwise.
        processes: Processes of the worker.
        grace: Seconds that activities have when their worker ends.
        reload: Whether to watch the project.
        opens: Whether to show the Web UI in a browser.
    """

    maker: DevMaker
    connection: ClientConnectConfig | None
    server: ServerOptions
    processes: int
    grace: float
    reload: bool
    opens: bool


class DevProgram:
    """Runs until it is told to stop; see :class:`invincible.worker._runner.Program`.

    Args:
        options: What the command was given.
        output: Where everything is told.
    """

    title = "invincible dev"
    waits_for: str | None = None

    def __init__(self, options: DevOptions, output: Output) -> None:
        self._options = options
        self._output = output
        self.grace = options.grace
        self._maker = options.maker
        self._where = Where("", None, "", ())
        self._terminal = Terminal()
        self.killed = 0
        self._server: DevServer | None = None
        # Something has happened that somebody may wait for.
        self._wake = asyncio.Event()
        self._server_ended = False
        self._changed = False
        self._files: list[str] = []
        self._launched = 0
        # What runs the tasks that come, and what else has not ended yet.
        self._current: Generation | None = None
        self._content: Content | None = None
        self._alive: set[Generation] = set()
        # What need not be said again until the code is loaded again; the log comes from any thread.
        self._told_once: set[str] = set()
        self._lock = threading.Lock()

    def is_news(self, record: logging.LogRecord) -> bool:
        """Whether a record of the log is to be told: not the supervisor's news of each process, nor what was told."""
        if record.process == os.getpid() and hasattr(record, "worker_process") and record.levelno <= logging.INFO:
            return False
        once = record.__dict__.pop("once", None)
        if once is None:
            return True
        with self._lock:
            is_first = once not in self._told_once
            self._told_once.add(once)
            return is_first

    def explain(self, record: logging.LogRecord) -> str:
        """What people are told in addition to a record of the log."""
        misfit = getattr(record, "misfit", None)
        return misfit_help(misfit[1], self._where.options) if misfit else ""

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Run.

        Raises:
            ProgramError: There is no server, or not any more.
        """
        try:
            await self._run(stop)
        finally:
            self._terminal.restore()

    def under_way(self) -> Sequence[UnderWay]:
        """Activities of all code that still runs."""
        return [activity for each in list(self._alive) for activity in each.activities]

    def kill(self) -> None:
        """End the workers at once; the server sees that this process is gone."""
        for each in list(self._alive):
            each.kill()
        self._terminal.restore()

    async def _run(self, stop: asyncio.Event) -> None:
        watching: asyncio.Future[None] | None = None
        try:
            await self._find_server()
            if self._options.reload:
                watching = asyncio.ensure_future(self._watch(stop))
            with NewsBox() as news:
                await self._work(stop, news)
        finally:
            stop.set()
            if watching is not None:
                await asyncio.wait([watching])
            last = list(self._alive)
            for each in last:
                each.drain()
                if self._server_ended:  # nobody is left who would take what they complete
                    each.kill()
            if last:
                await asyncio.wait([each.ended for each in last])
            self.killed = sum(each.killed for each in last)
            if self._server is not None:
                await asyncio.to_thread(self._server.stop)

    async def _find_server(self) -> None:
        connection = self._options.connection
        if connection is None:
            connection = await self._start_server()
        else:
            self._where = Where(address_of(connection), None, "running already", self._command_options(connection))
        self._maker = replace(self._maker, connection=connection)
        where = self._where
        self._output.screen("server", "", address=where.address, ui=where.ui, database=self._database())
        if self._options.opens and where.ui is not None:
            # Browsers take their time.
            threading.Thread(target=webbrowser.open, args=(where.ui,), daemon=True).start()

    async def _start_server(self) -> ClientConnectConfig:
        server = self._options.server
        loop = asyncio.get_running_loop()

        def ended() -> None:
            self._server_ended = True
            self._wake.set()

        def on_end() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(ended)

        while True:
            port, ui_port, taken = server.ports()
            try:
                self._server = await asyncio.to_thread(DevServer, server.flags(port, ui_port), on_end)
                break
            except ServerStartError as error:
                # Another one may have taken a port in this moment.
                if server.ports() == (port, ui_port, taken):
                    raise ProgramError(str(error)) from None
        ready = self._server.ready
        for each in taken:
            self._output.event(
                "port-taken",
                f"port {each} is in use, by another server perhaps: this one listens elsewhere (--address "
                f"127.0.0.1:{each} uses the one that runs there)"
                if each == PORT
                else f"port {each} is in use: the Web UI listens elsewhere",
                level=logging.WARNING,
                port=each,
            )
        connection = ClientConnectConfig(target_host=ready.grpc, namespace=server.namespace)
        keeps = "in memory: --db FILE keeps what is in it" if server.database is None else f"kept in {server.database}"
        self._where = Where(ready.grpc, ready.ui, keeps, self._command_options(connection))
        return connection

    def _command_options(self, connection: ClientConnectConfig) -> list[str]:
        """What other commands must be given, unless they find it by themselves."""
        given = self._maker.options
        found: Mapping[str, Any] = {}
        with suppress(click.ClickException):
            found = Connection(profile=given.profile, config_file=given.config_file).config()
        wanted = (
            ("--address", address_of(connection), found.get("target_host")),
            ("--namespace", namespace_of(connection), found.get("namespace", "default")),
            ("--data-converter", given.data_converter, None),
            ("--codec-endpoint", given.codec_endpoint, None),
        )
        options = [(name, value) for name, value, default in wanted if value is not None and _differ(value, default)]
        return [each for option in options for each in option]

    def _database(self) -> str | None:
        database = self._options.server.database
        return None if database is None else str(database)

    async def _watch(self, stop: asyncio.Event) -> None:
        from ._watching import changes

        try:
            async for files in changes(self._options.maker.target.project, stop):
                self._files += files
                self._changed = True
                self._wake.set()
        except (OSError, RuntimeError) as error:
            text = f"the project cannot be watched, edits need a new start: {error}"
            self._output.event("not-watched", text, level=logging.WARNING)

    async def _work(self, stop: asyncio.Event, news: NewsBox) -> None:
        """Run the code as it is, until it changes; and so on."""
        stopping = asyncio.ensure_future(self._wake_after(stop))
        try:
            while not stop.is_set():
                self._changed = False
                files, self._files = self._files, []
                fresh = self._launch()
                slow = asyncio.get_running_loop().call_later(_SLOW_LOAD, self._tell_of_slow_load, fresh)
                await self._until(lambda: self._changed or stop.is_set() or fresh.settled)  # noqa: B023
                slow.cancel()
                if fresh.ready.is_set() and not fresh.ended.done():
                    await self._replace(fresh, Content(**news.take(fresh.number)), files)
                elif fresh.ended.done():
                    self._tell_of_failure(fresh, files)
                else:
                    fresh.drain()
                    self._files = files + self._files
                await self._until(lambda: self._changed or stop.is_set())
        finally:
            stopping.cancel()

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a change, the end, a generation or the server can bring about.

        Raises:
            ProgramError: The server has ended.
        """
        while not condition():
            await self._wake.wait()
            self._wake.clear()
            if self._server_ended and self._server is not None:
                said = f", and said:\n{self._server.log}" if self._server.log else ""
                self._output.event("server-ended", f"the server has ended by itself{said}", level=logging.ERROR)
                raise ProgramError("nothing can run without the server")
            if self._current is not None and self._current.ended.done():
                self._tell_of_end(self._current)
                self._current = None

    async def _wake_after(self, event: asyncio.Event) -> None:
        await event.wait()
        self._wake.set()

    def _launch(self) -> Generation:
        self._launched += 1
        with self._lock:
            self._told_once.clear()
        maker = replace(self._maker, generation=self._launched)
        fresh = Generation(maker, processes=self._options.processes, grace=self.grace)
        self._alive.add(fresh)
        polling = asyncio.ensure_future(self._wake_after(fresh.ready))

        def ended(_: object) -> None:
            self._alive.discard(fresh)
            polling.cancel()
            if fresh.error is not None:
                logger.debug("generation %d ended: %s", fresh.number, words(fresh.error))
            self._wake.set()

        fresh.ended.add_done_callback(ended)
        return fresh

    async def _replace(self, fresh: Generation, content: Content, files: Sequence[str]) -> None:
        """Have new code run the tasks, and the code before end those that it has."""
        before, self._current = self._current, fresh
        content_before, self._content = self._content, content
        if before is not None:
            await self._see_off(before)
        fields = {"seconds": round(fresh.age, 3), "files": list(files), **content.fields()}
        if content_before is None:
            text = start_screen(version("invincible"), self._where, content, self._output.bold)
            self._output.screen("ready", text, **fields, commands=start_commands(self._where, content))
            if self._options.reload:
                self._output.event("watching", f"watching {self._project()} for changes; Ctrl-C ends")
        else:
            text = f"reloaded in {fresh.age:.1f} s: {content.counted()}{content.changed_from(content_before)}"
            self._output.event("reloaded", text, **fields)
        for each in (*content.findings, *content.notes):
            self._output.event("finding", each, level=logging.WARNING)

    async def _see_off(self, before: Generation) -> None:
        """Have the code before take no more tasks; for a moment both of them may do so."""
        if activities := await before.drained():
            told = "; ".join(map(str, activities))
            self._output.event(
                "draining",
                f"{_counted(activities)} of the code before under way, with {self.grace:g} s to end: {told}",
                activities=[each._asdict() for each in activities],
            )
        await asyncio.wait([before.ended], timeout=_HANDOVER)

    def _tell_of_slow_load(self, fresh: Generation) -> None:
        """The code takes its time, and people shall see that this is all there is to wait for."""
        if self._content is None:
            ui = "" if self._where.ui is None else f", the Web UI {self._where.ui}"
            text = f"the server is {self._where.address}{ui}; the worker waits for {fresh.waits_for}"
        else:
            running = "the code before goes on running" if self._current is not None else "nothing runs"
            text = f"{running}; the new worker waits for {fresh.waits_for}"
        self._output.event("loading", text, waits_for=fresh.waits_for)

    def _tell_of_failure(self, fresh: Generation, files: Sequence[str]) -> None:
        """The code cannot be run."""
        error = fresh.error
        if isinstance(error, CannotConnectError) and self._content is None:
            raise ProgramError(f"cannot connect to {self._where.address}: {error}")
        running = self._current is not None
        what = "connect" if isinstance(error, CannotConnectError) else f"load {self._options.maker.target.given}"
        then = "the code before goes on running" if running else "nothing runs"
        more = "; save a change to try again" if self._options.reload else ""
        self._output.event(
            "not-loaded",
            f"cannot {what}\n{_told(error)}\n{then}{more}",
            level=logging.ERROR,
            files=list(files),
            running=running,
        )
        if not self._options.reload:
            raise ProgramError(f"{self._options.maker.target.given} cannot be run")

    def _tell_of_end(self, ended: Generation) -> None:
        """A worker that polled has ended by itself."""
        more = "; save a change to start it again" if self._options.reload else ""
        text = f"the worker has ended\n{_told(ended.error)}\nnothing runs{more}"
        self._output.event("worker-ended", text, level=logging.ERROR)
        if not self._options.reload:
            raise ProgramError("the worker has ended")

    def _project(self) -> str:
        shown = shown_path(str(self._options.maker.target.project))
        return "this folder" if shown == "." else shown


def _told(error: BaseException | None) -> str:
    if error is None:
        return "it did not say why"
    if isinstance(error.__cause__, RemoteTraceback) and error.__cause__.shown:
        return error.__cause__.shown
    return words(error)


def _differ(value: str, other: str | None) -> bool:
    return other is None or value.replace("localhost", "127.0.0.1") != other.replace("localhost", "127.0.0.1")


def _counted(activities: Sequence[UnderWay]) -> str:
    return "1 activity" if len(activities) == 1 else f"{len(activities)} activities"
