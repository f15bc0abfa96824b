"""Time, randomness, conditions and patches for workflow code."""

from __future__ import annotations

import random as _random
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from invincible._engine.context import current_run, current_run_or_none
from invincible._engine.groups import EventGroup, entered
from invincible._engine.options import given_groups, seconds
from invincible._engine.randomness import Randomness


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
    return _randomness().generator


def new_random(name: str | None = None) -> _random.Random:
    """A generator of its own, so that what others take from ``random()`` does not change its numbers.

    Args:
        name: Makes its numbers differ from those of other names; without one they begin as those of ``random()``.
    """
    return _randomness().new_random(name)


def random_seed() -> int:
    """The seed of this run's random numbers. A reset of the run changes it."""
    return current_run().randomness.seed


def register_random_seed_callback(callback: Callable[[int], None]) -> None:
    """Have a function called with the new seed when a reset of the run changes it."""
    _randomness().on_reseed(callback)


def uuid4() -> uuid.UUID:
    """A random UUID that is the same on every replay; not for secrets."""
    return _randomness().uuid4()


def uuid7() -> uuid.UUID:
    """A UUID that begins with the time of the workflow task, and is the same on every replay; not for secrets."""
    return _randomness().uuid7(current_run().timestamp_ns)


def _randomness() -> Randomness:
    run = current_run()
    # What a query took would be missing in the next replay.
    run.require_writable("taking random numbers")
    return run.randomness


async def sleep(
    duration: float | timedelta, *, summary: str | None = None, event_groups: Sequence[EventGroup] | None = None
) -> None:
    """Sleep by a timer of the server: a worker may stop and start meanwhile.

    Args:
        duration: Seconds, or a timedelta.
        summary: One line for the Web UI.
        event_groups: Groups that the timer's event belongs to.

    Raises:
        TypeError: ``duration`` is neither a number nor a timedelta.
        ValueError: ``duration`` is negative, infinite or not a number.
    """
    run = current_run()
    delay = seconds("duration", duration)
    if delay is None:
        raise TypeError("duration must be a timedelta or a number of seconds, got None")
    if not event_groups:
        return await run.sleep(delay, summary)
    with entered(given_groups(event_groups)):
        return await run.sleep(delay, summary)


async def wait_condition(
    fn: Callable[[], bool],
    *,
    timeout: timedelta | float | None = None,
    timeout_summary: str | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> None:
    """Wait until ``fn`` returns true. It is called after every step: it must be quick and change nothing.

    Args:
        fn: The condition.
        timeout: How long to wait at most; a timedelta or seconds. One that is negative has passed already.
        timeout_summary: One line about the timeout for the Web UI.
        event_groups: Groups that the event of the timeout's timer belongs to.

    Raises:
        asyncio.TimeoutError: the condition did not hold in time.
    """
    run = current_run()
    limit = seconds("timeout", timeout, may_be_negative=True)
    if not event_groups:
        return await run.wait_condition(fn, limit, timeout_summary)
    with entered(given_groups(event_groups)):
        return await run.wait_condition(fn, limit, timeout_summary)


def patched(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> bool:
    """Whether this run takes the code path of a patch: new runs do, runs older than the patch do not.

    Args:
        id: Names the patch.
        event_groups: Groups that the patch's event belongs to.
    """
    return current_run().patched(id, deprecated=False, groups=given_groups(event_groups))


def deprecate_patch(id: str, *, event_groups: Sequence[EventGroup] | None = None) -> None:
    """Say that no open run needs the code from before a patch any more.

    Args:
        id: Names the patch.
        event_groups: Groups that the patch's event belongs to.
    """
    current_run().patched(id, deprecated=True, groups=given_groups(event_groups))
