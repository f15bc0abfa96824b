"""Failures of activities that are expected are no warnings."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.common import RetryPolicy
from invincible.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory
from invincible.worker import Worker


@activity.defn(start_to_close_timeout=timedelta(seconds=10), retry_policy=RetryPolicy(maximum_attempts=1))
async def look_up(benign: bool) -> None:
    category = ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED
    raise ApplicationError("not there yet", category=category)


@workflow.defn
async def looking(benign: bool) -> str:
    try:
        await look_up.execute(benign)
    except ActivityError as error:
        return str(error.cause)
    return "found"


@pytest.mark.parametrize(("benign", "level"), [(True, "DEBUG"), (False, "WARNING")])
async def test_the_level_of_a_failure_is_that_of_its_category(
    client: Client, task_queue: str, caplog: pytest.LogCaptureFixture, benign: bool, level: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="invincible.worker")
    async with Worker(client, task_queue=task_queue, workflows=[looking], activities=[look_up]):
        assert await client.execute_workflow(looking, benign, id=task_queue, task_queue=task_queue) == "not there yet"
    levels = [each.levelname for each in caplog.records if each.message.startswith("activity look_up ")]
    assert levels == [level]
