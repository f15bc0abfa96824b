"""Time, randomness, conditions, patches and logging for workflow code."""

from __future__ import annotations

import logging
import random as _random
import uuid
from collections.abc import Callable, MutableMapping
from datetime import datetime, timedelta, timezone
from typing import Any

from invincible._engine.context import current_run, current_run_or_none
from invincible._engine.log import LoggerAdapter
from invincible._engine.options import seconds


def in_workflow() -> bool:
    """Whether the current code runs in a workflow."""
    return current_run_or_none() is not None


def now() -> datetime:
    """The time of the current workflow task, in UTC; the same on every replay."""
    return datetime.fromtimestamp(current_run().timestamp_ns / 1e9, timezone.utc)


def time() -> float:
    """The time of the current workflow task, in seconds since the epoch; the same on every replay."""
    return current_run().timestamp_ns / 1e9


def time_ns() -> int:
    """The time of the current workflow task, in nanoseconds since the epoch; the same on every replay."""
    return current_run().timestamp_ns


def random() -> _random.Random:
    """A random number generator whose numbers are the same on every replay."""
    return current_run().random


def uuid4() -> uuid.UUID:
    """A random UUID that is the same on every replay."""
    return uuid.UUID(bytes=current_run().random.getrandbits(128).to_bytes(16, "big"), version=4)


async def sleep(duration: float | timedelta, *, summary: str | None = None) -> None:
    """Sleep by a timer of the server: a worker may stop and start meanwhile.

    Args:
        duration: Seconds, or a timedelta.
        summary: One line for the Web UI.

    Raises:
        ValueError: ``duration`` is negative.
    """
    await current_run().sleep(seconds("duration", duration) or 0.0, summary)


async def wait_condition(
    fn: Callable[[], bool], *, timeout: timedelta | float | None = None, timeout_summary: str | None = None
) -> None:
    """Wait until ``fn`` returns true. It is called after every step: it must be quick and change nothing.

    Args:
        fn: The condition.
        timeout: How long to wait at most; a timedelta or seconds.
        timeout_summary: One line about the timeout for the Web UI.

    Raises:
        asyncio.TimeoutError: the condition did not hold in time.
    """
    await current_run().wait_condition(fn, seconds("timeout", timeout), timeout_summary)


def patched(id: str) -> bool:
    """Whether this run takes the code path of the patch ``id``: new runs do, runs older than the patch do not."""
    return current_run().patched(id, deprecated=False)


def deprecate_patch(id: str) -> None:
    """Say that no open run needs the code from before the patch ``id`` any more."""
    current_run().patched(id, deprecated=True)


class unsafe:
    """What most workflow code should not depend on."""

    @staticmethod
    def is_replaying() -> bool:
        """Whether the current task replays history. Code that branches on it is not deterministic."""
        return current_run().is_replaying

    @staticmethod
    def is_read_only() -> bool:
        """Whether a query runs, which may not change the workflow."""
        return current_run().read_only


class _WorkflowLogger(LoggerAdapter):
    """Silent on replay; adds what identifies the run as ``temporal_workflow``, and leaves the message as it is."""

    def isEnabledFor(self, level: int) -> bool:
        run = current_run_or_none()
        if run is not None and run.is_replaying and not run.read_only:
            return False
        return super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        run = current_run_or_none()
        if run is not None:
            extra = dict(kwargs.get("extra") or {})
            extra["temporal_workflow"] = {
                "attempt": run.init.attempt,
                "namespace": run.worker.namespace,
                "run_id": run.run_id,
                "task_queue": run.worker.task_queue,
                "workflow_id": run.init.workflow_id,
                "workflow_type": run.init.workflow_type,
            }
            kwargs["extra"] = extra
        return msg, kwargs


logger = _WorkflowLogger(logging.getLogger("invincible.workflow"), {})
"""Logger for workflow code: silent on replay; each record carries the run's identity as ``temporal_workflow``."""
