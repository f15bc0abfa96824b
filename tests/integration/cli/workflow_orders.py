"""Workflows that the tests of `invincible workflow` talk to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from invincible import activity, workflow
from invincible.common import RetryPolicy
from invincible.exceptions import ApplicationError

_OPTIONS: dict[str, Any] = {
    "start_to_close_timeout": timedelta(minutes=1),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=10), maximum_attempts=3),
}


@activity.defn
async def reserve(item: str) -> str:
    return f"reserved {item}"


@activity.defn
async def flaky() -> int:
    if activity.info().attempt < 2:
        raise ConnectionError("the bank is closed")
    return activity.info().attempt


@activity.defn
async def refuse(amount: int) -> None:
    try:
        raise KeyError("limit")
    except KeyError as error:
        raise ApplicationError("card declined", {"limit": 100}, type="CardError", non_retryable=True) from error


@workflow.defn
class Order:
    """Does what its first argument says."""

    def __init__(self) -> None:
        self.approved_by: str | None = None

    @workflow.run
    async def run(self, what: str, item: str = "a book") -> Any:
        if what == "fail":
            await workflow.execute_activity(refuse, 17, **_OPTIONS)
        if what == "wait":
            await workflow.wait_condition(lambda: self.approved_by is not None)
            return {"approved by": self.approved_by}
        if what == "again":
            workflow.continue_as_new(args=["done", item])
        if what == "sleep":
            await asyncio.sleep(3600)
        reserved = await workflow.execute_activity(reserve, item, **_OPTIONS)
        return [reserved, await workflow.execute_activity(flaky, **_OPTIONS)]

    @workflow.signal
    def approve(self, by: str) -> None:
        self.approved_by = by

    @workflow.query
    def approver(self, prefix: str = "") -> str | None:
        return None if self.approved_by is None else prefix + self.approved_by

    @workflow.query
    def broken(self) -> None:
        raise ValueError("no idea")

    @workflow.update
    async def approve_now(self, by: str) -> str:
        if not by:
            raise ApplicationError("nobody approves", type="Nobody")
        self.approved_by = by
        return f"thanks, {by}"


ACTIVITIES: list[Callable[..., Any]] = [reserve, flaky, refuse]
