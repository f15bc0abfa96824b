"""The logger of workflow code: silent on replay, and each record says whose it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from invincible import workflow
from tests.support.engine import Driver, completed, signal, update

LOGGER = workflow.logger


@workflow.defn
class Talking:
    @workflow.run
    async def run(self) -> None:
        LOGGER.info("in %s", "run", extra={"own": 1})
        await workflow.sleep(60)

    @workflow.signal
    def signalled(self) -> None:
        LOGGER.warning("signalled")

    @workflow.update
    def updated(self) -> None:
        LOGGER.info("updated")

    @updated.validator
    def check(self) -> None:
        LOGGER.info("checked")

    @workflow.query
    def asked(self) -> bool:
        LOGGER.info("asked")
        return LOGGER.isEnabledFor(logging.INFO)


@pytest.fixture(autouse=True)
def _logger_as_before(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.INFO, "invincible.workflow")
    before = dict(vars(LOGGER))
    yield
    vars(LOGGER).update(before)


IDENTITY = {
    "attempt": 1,
    "namespace": "default",
    "run_id": "run",
    "task_queue": "engine",
    "workflow_id": "engine-test",
    "workflow_type": "Talking",
}


def test_each_record_carries_the_identity_of_the_run(caplog: pytest.LogCaptureFixture) -> None:
    Driver(Talking, attempt=1).start()
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("invincible.workflow", "in run")
    assert vars(record)["temporal_workflow"] == IDENTITY
    assert vars(record)["own"] == 1
    assert "workflow_info" not in vars(record)


def test_nothing_is_logged_on_replay(caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver(Talking)
    driver.start(is_replaying=True)
    driver.activate(signal("signalled"), is_replaying=True)
    assert not caplog.records
    driver.activate(signal("signalled"))
    assert caplog.messages == ["signalled"]


def test_queries_and_validators_log_because_they_are_new(caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver(Talking)
    driver.start(is_replaying=True)
    driver.query("asked")
    driver.activate(update("updated"), is_replaying=True)
    assert caplog.messages == ["asked", "checked"]


def test_records_of_updates_say_which(caplog: pytest.LogCaptureFixture) -> None:
    driver = Driver(Talking, attempt=1)
    driver.start()
    caplog.clear()
    driver.activate(update("updated", id="the-id"))
    identities = [vars(record)["temporal_workflow"] for record in caplog.records]
    assert identities == [{**IDENTITY, "update_id": "the-id", "update_name": "updated"}] * 2


def test_what_records_carry_can_be_chosen(caplog: pytest.LogCaptureFixture) -> None:
    LOGGER.workflow_info_on_message = True
    LOGGER.workflow_info_on_extra = False
    LOGGER.full_workflow_info_on_extra = True
    LOGGER.log_during_replay = True
    Driver(Talking, attempt=1).start(is_replaying=True)
    (record,) = caplog.records
    assert record.getMessage() == f"in run ({IDENTITY})"
    assert "temporal_workflow" not in vars(record)
    assert vars(record)["workflow_info"].workflow_id == "engine-test"


def test_levels_are_respected(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "invincible.workflow")
    driver = Driver(Talking)
    driver.start()
    driver.activate(signal("signalled"))
    assert caplog.messages == ["signalled"]


def test_an_adapter_of_ones_own_adds_its_extra(caplog: pytest.LogCaptureFixture) -> None:
    own = workflow.LoggerAdapter(logging.getLogger("own"), {"component": "billing", "own": 0})

    @workflow.defn
    async def talking() -> str:
        own.error("failed", extra={"own": 1})
        return "done"

    assert completed(Driver(talking).start()) == "done"
    fields: dict[str, Any] = vars(caplog.records[0])
    assert (fields["name"], fields["component"], fields["own"]) == ("own", "billing", 1)
    assert fields["temporal_workflow"]["workflow_type"] == "talking"


def test_elsewhere_it_is_a_logger_as_any(caplog: pytest.LogCaptureFixture) -> None:
    LOGGER.info("outside")
    assert caplog.messages == ["outside"]
    assert "temporal_workflow" not in vars(caplog.records[0])
