"""Activities that the recorded workflows use, and ways to make what they see a part of the history."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from invincible import activity, workflow
from invincible.exceptions import ApplicationError, FailureError

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@activity.defn
async def mark(tag: str) -> str:
    return tag


@activity.defn
async def later(tag: str) -> str:
    """Ends, where it is recorded, when the scenario says so: that has an activity of its own under this name."""
    return tag


@activity.defn
async def failing(message: str) -> str:
    raise ApplicationError(message, "detail", type="Sorry", non_retryable=True)


@activity.defn
async def flaky(succeeds_at: int) -> int:
    attempt = activity.info().attempt
    if attempt < succeeds_at:
        raise ApplicationError(f"attempt {attempt}", type="Flaky")
    return attempt


@activity.defn
async def patient(tag: str) -> str:
    """Runs until it is cancelled; beats, so that a cancellation reaches it."""
    while True:
        activity.heartbeat(tag)
        await asyncio.sleep(0.2)


@activity.defn
async def dozing(tag: str) -> str:
    await asyncio.sleep(2.5)
    return tag


@activity.defn
async def unmoved(tag: str) -> str:
    """Takes no notice of a cancellation, and succeeds."""
    try:
        await asyncio.sleep(2.5)
    except asyncio.CancelledError:
        return f"{tag} all the same"
    return tag


ACTIVITIES = [mark, later, failing, flaky, patient, dozing, unmoved]


async def marked(tag: object) -> None:
    """Run an activity whose id is the tag: replay compares ids and types, but no arguments."""
    await workflow.execute_activity(mark, str(tag), activity_id=str(tag), start_to_close_timeout=MINUTE)


def said(error: BaseException) -> str:
    """The types of the error and its causes, with the type or message of those that user code raises."""
    words = type(error).__name__
    if isinstance(error, ApplicationError):
        words += f" {error.type or error.message}"
    return f"{words} < {said(error.__cause__)}" if error.__cause__ else words


async def told(tag: str, awaitable: Awaitable[Any]) -> None:
    """Wait, then run an activity whose id says for what and how it ended."""
    try:
        result = await awaitable
    except (FailureError, asyncio.CancelledError, asyncio.TimeoutError) as error:
        await marked(f"{tag}: {said(error)}")
    else:
        await marked(f"{tag}: {result}")
