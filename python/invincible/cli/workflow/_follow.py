"""A history that is drawn while it is made."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from .._ends import styled
from .._progress import Progress

if TYPE_CHECKING:
    from invincible.api.history.v1 import HistoryEvent
    from invincible.client import SyncWorkflowHandle
    from invincible.client._outline import Run, View

_LOOK_AGAIN = 3.0  # seconds between two questions for what histories do not tell


class Follower:
    """Draws the steps of a run as they end, and below them what it waits for.

    Args:
        handle: The run.
        view: How it is drawn; its time is that of the moment.
        prepare: What is done to events first.
    """

    def __init__(
        self, handle: SyncWorkflowHandle[Any, Any], view: View, prepare: Callable[[list[HistoryEvent]], None]
    ) -> None:
        from invincible.client._outline import Run

        self._handle = handle
        self._view = view
        self._prepare = prepare
        self._lock = threading.Lock()
        self._run = Run()
        self._shown: set[int] = set()
        self._progress = Progress("")
        self._print: Callable[[str], None] = self._progress.say

    def follow(self) -> Run:
        """Draw the run until it ends.

        Returns:
            The run.
        """
        from invincible.client._outline.drawing import footer_lines

        with self._told():
            for event in self._handle.fetch_history_events(wait_new_event=True):
                self._prepare([event])
                with self._lock:
                    self._add(event)
        # From here on nothing is waited for.
        self._print = click.echo
        for step in self._run.open:
            self._show(step)
        self._print("")
        for line in footer_lines(self._run, self._now()):
            self._print(styled(line))
        return self._run

    def _add(self, event: HistoryEvent) -> None:
        from invincible.client._outline.drawing import header_lines

        step = self._run.add(event)
        if event.event_id == 1:
            if self._handle.run_id:
                self._run.run_id = self._handle.run_id
            for line in header_lines(self._run, self._now()):
                self._print(styled(line))
            self._print("")
        if step is not None and step.state != "open":
            self._show(step)

    def _show(self, step: Any) -> None:
        from invincible.client._outline.drawing import step_lines

        if step.id in self._shown:
            return
        self._shown.add(step.id)
        for line in step_lines(self._run, step, self._now()):
            self._print(styled(line))

    def _now(self) -> View:
        from dataclasses import replace

        return replace(self._view, now=datetime.now(timezone.utc))

    @contextmanager
    def _told(self) -> Iterator[None]:
        if not sys.stderr.isatty():
            yield
            return
        ended = threading.Event()
        with self._progress:
            thread = threading.Thread(target=self._tell, args=(ended,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()

    def _tell(self, ended: threading.Event) -> None:
        from invincible.client._outline import add_pending
        from invincible.client._outline.drawing import waits_for
        from invincible.exceptions import TemporalError

        waited = 0.0
        while not ended.wait(0.5):
            waited += 0.5
            description = None
            if waited >= _LOOK_AGAIN:
                waited = 0.0
                with suppress(TemporalError, RuntimeError, TimeoutError):
                    description = self._handle.describe(rpc_timeout=timedelta(seconds=2)).raw_description
            with self._lock:
                view = self._now()
                assert view.now is not None
                if description is not None:
                    add_pending(self._run, description, view.now)
                if self._run.ended is None and self._run.began is not None:
                    self._progress.show(f"{'':>9} … waits for {waits_for(self._run, view, detailed=True)}")


def interrupted(workflow_id: str) -> None:
    """End the command after Ctrl-C."""
    from ._handles import named

    click.echo(f"\n{named(workflow_id)} goes on.", err=True)
    sys.exit(130)
