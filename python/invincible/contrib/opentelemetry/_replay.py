"""Where telemetry is made: in workflow code or not, for the first time or again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from invincible._engine.context import current_run_or_none
from invincible.workflow import unsafe

_SKIPPED_ON_REPLAY: ContextVar[bool] = ContextVar("skipped_on_replay", default=False)


def is_replayed() -> bool:
    """Whether workflow code runs that ran before, or is closed: what it tells was told."""
    run = current_run_or_none()
    return run is not None and run.is_replaying_history_events


@contextmanager
def unguarded() -> Iterator[None]:
    """Lets telemetry read clocks, make locks and do I/O in workflow code, which finds out nothing by it."""
    if current_run_or_none() is None:
        yield
    else:
        with unsafe.sandbox_unrestricted():
            yield


@contextmanager
def skipped_on_replay() -> Iterator[None]:
    """For spans of workflow code that are not made again on replay: they may not take ids of those that are."""
    token = _SKIPPED_ON_REPLAY.set(True)
    try:
        yield
    finally:
        _SKIPPED_ON_REPLAY.reset(token)


def takes_ids_of_replay() -> bool:
    """Whether spans that begin now begin again, with the same ids, on each replay."""
    run = current_run_or_none()
    # Queries and validators are not replayed either.
    return run is not None and not run.read_only and not run.evicted and not _SKIPPED_ON_REPLAY.get()


@contextmanager
def attached(context: Context | None) -> Iterator[None]:
    """Makes a context current, if there is one."""
    if context is None:
        yield
        return
    token = otel_context.attach(context)
    try:
        yield
    finally:
        run = current_run_or_none()
        # Before Python 3.11, the code of an evicted run is closed in another context, where there is nothing to detach.
        if run is None or not run.evicted:
            otel_context.detach(token)
