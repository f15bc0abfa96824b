"""What activities log, and Core's log of several runtimes in one place."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from invincible import activity, workflow
from invincible.client import Client
from invincible.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from invincible.worker import Worker
from tests.support.logs import Records


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def buy(what: str) -> None:
    activity.logger.info("bought %s", what, extra={"price": 3})


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
def pay(amount: int) -> None:
    OWN.warning("paid %d", amount, extra={"shop": "south"})


@workflow.defn
async def shop(what: str) -> None:
    await buy.execute(what)
    await pay.execute(3)


OWN = activity.LoggerAdapter(logging.Logger("own"), {"shop": "north", "till": 1})


@pytest.fixture
def records() -> Iterator[Records]:
    records = Records()
    base = activity.logger.base_logger
    level = base.level
    base.addHandler(records)
    OWN.base_logger.addHandler(records)
    base.setLevel(logging.INFO)
    yield records
    base.setLevel(level)
    base.removeHandler(records)
    OWN.base_logger.removeHandler(records)


async def bought_and_paid(
    client: Client, task_queue: str, records: Records
) -> tuple[logging.LogRecord, logging.LogRecord]:
    async with Worker(client, task_queue=task_queue, workflows=[shop], activities=[buy, pay]):
        await client.execute_workflow(shop, "tea", id=task_queue, task_queue=task_queue)
    bought, paid = records.records
    return bought, paid


async def test_activities_log_with_fields_and_leave_messages_alone(
    client: Client, task_queue: str, records: Records
) -> None:
    bought, paid = await bought_and_paid(client, task_queue, records)
    assert (bought.getMessage(), bought.__dict__["price"]) == ("bought tea", 3)
    identity = bought.__dict__["temporal_activity"]
    run_id = identity.pop("workflow_run_id")
    assert run_id == (await client.get_workflow_handle(task_queue).describe()).run_id
    assert identity == {
        "activity_id": "1",
        "activity_type": "buy",
        "attempt": 1,
        "namespace": "default",
        "task_queue": task_queue,
        "workflow_id": task_queue,
        "workflow_type": "shop",
    }
    assert "activity_info" not in bought.__dict__
    # What a call gives goes first.
    assert (paid.getMessage(), paid.__dict__["shop"], paid.__dict__["till"]) == ("paid 3", "south", 1)
    assert paid.__dict__["temporal_activity"]["activity_type"] == "pay"


async def test_what_activities_log_can_be_chosen(
    client: Client, task_queue: str, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity.logger, "activity_info_on_message", True)
    monkeypatch.setattr(activity.logger, "full_activity_info_on_extra", True)
    monkeypatch.setattr(OWN, "activity_info_on_extra", False)
    bought, paid = await bought_and_paid(client, task_queue, records)
    assert bought.getMessage() == f"bought tea ({bought.__dict__['temporal_activity']})"
    assert bought.__dict__["activity_info"].task_queue == task_queue
    assert "temporal_activity" not in paid.__dict__


def test_outside_of_activities_the_logger_adds_nothing(records: Records) -> None:
    activity.logger.info("at home")
    (record,) = records.records
    assert record.getMessage() == "at home"
    assert "temporal_activity" not in record.__dict__


async def test_logs_of_two_runtimes_meet_in_one_logger(address: str, task_queue: str) -> None:
    records = Records()
    logger = logging.Logger("core", logging.DEBUG)
    logger.addHandler(records)
    config = LoggingConfig(
        filter=TelemetryFilter(core_level="DEBUG", other_level="ERROR"), forwarding=LogForwardingConfig(logger)
    )
    queues = [f"{task_queue}-{number}" for number in range(2)]
    for queue in queues:
        client = await Client.connect(address, runtime=Runtime(telemetry=TelemetryConfig(logging=config)))
        async with Worker(client, task_queue=queue, workflows=[shop], activities=[buy, pay]):
            await client.execute_workflow(shop, "tea", id=queue, task_queue=queue)
    for queue in queues:
        about = await asyncio.to_thread(records.wait_for, partial(_names, queue))
        assert about.levelno in (logging.DEBUG, logging.INFO)
        assert about.name.startswith("core-sdk_core::temporalio_")


def _names(queue: str, record: logging.LogRecord) -> bool:
    return queue in record.getMessage()
