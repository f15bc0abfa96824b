"""Failed workflow tasks on the worker's side: what is logged, and what is kept for those who wait for results."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

import pytest

from invincible._native import ApplicationFailureInfo, Failure
from invincible.client import _task_failures
from invincible.client._task_failures import TaskFailures
from invincible.converter import DefaultFailureConverter, PayloadConverter
from invincible.worker import _task_failures as worker_failures
from invincible.worker._failures import failure_of
from invincible.worker._task_failures import TaskFailureLog


def raised(message: str) -> Exception:
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, bool]]:
    """Level of each record, and whether it has a traceback."""
    return [(record.levelno, record.exc_info is not None) for record in caplog.records]


def test_a_cause_is_logged_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    log = TaskFailureLog()
    with caplog.at_level(logging.DEBUG, logger="invincible.worker"):
        for _ in range(3):
            log.add("Order", "order-42", "run-1", raised("no stock"))
    assert told(caplog) == [(logging.WARNING, True), (logging.DEBUG, False), (logging.DEBUG, False)]
    assert "Order 'order-42', run run-1" in caplog.records[0].getMessage()


def test_another_cause_and_another_run_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = TaskFailureLog()
    with caplog.at_level(logging.WARNING, logger="invincible.worker"):
        log.add("Order", "order-42", "run-1", raised("no stock"))
        log.add("Order", "order-42", "run-1", raised("no money"))
        log.add("Order", "order-43", "run-2", raised("no money"))
        log.add("Order", "order-43", "run-2", LookupError("no money"))
    assert told(caplog) == [(logging.WARNING, True)] * 4


def test_repeats_are_summed_up_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    log = TaskFailureLog()
    with caplog.at_level(logging.WARNING, logger="invincible.worker"):
        for _ in range(100):
            log.add("Order", "order-42", "run-1", raised("no stock"))
    first, tenth, hundredth = (record.getMessage() for record in caplog.records)
    assert "will be tried again" in first
    assert "has failed 10 times in the same way: Order 'order-42', run run-1: ValueError: no stock" in tenth
    assert "has failed 100 times" in hundredth


def test_the_log_does_not_grow_with_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_failures, "_CAPACITY", 10)
    log = TaskFailureLog()
    for number in range(50):
        log.add("Order", "order", f"run-{number}", raised("no stock"))
    assert len(log._causes) == 10


def test_failures_are_kept_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = TaskFailures()
    monkeypatch.setattr(worker_failures, "task_failures", kept)
    error = raised("no stock")
    TaskFailureLog().add("Order", "order-42", "run-1", error)
    assert kept.find("order-42", "run-1") is None
    TaskFailureLog(keep=True).add("Order", "order-42", "run-1", error)
    assert kept.find("order-42", "run-1") is error


def test_the_first_failure_of_a_run_and_the_latest_run_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_task_failures, "_CAPACITY", 3)
    kept = TaskFailures()
    first, second, other = raised("first"), raised("second"), raised("other")
    kept.keep("order-42", "run-1", first)
    kept.keep("order-42", "run-1", second)
    assert kept.find("order-42", "run-1") is first
    kept.keep("order-42", "run-2", second)
    kept.keep("order-43", "run-3", other)
    assert kept.find("order-42", "") is second
    kept.keep("order-44", "run-4", other)
    assert kept.find("order-42", "run-1") is None


def test_causes_that_take_turns_are_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    log = TaskFailureLog()
    with caplog.at_level(logging.WARNING, logger="invincible.worker"):
        for number in range(8):
            log.add("Order", "order-42", "run-1", raised("no stock" if number % 2 else "no money"))
    assert told(caplog) == [(logging.WARNING, True)] * 2


def test_the_log_does_not_grow_with_the_causes_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_failures, "_CAUSES", 5)
    log = TaskFailureLog()
    for number in range(50):
        log.add("Order", "order-42", "run-1", raised(f"no stock of {number}"))
    assert len(log._causes["run-1"]) == 5


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise AttributeError("no message was set")


class BrokenConverter(DefaultFailureConverter):
    def to_native(self, exception: BaseException, payload_converter: PayloadConverter) -> Failure:
        raise SpeechlessError


def test_an_error_without_text_is_logged_and_converted(caplog: pytest.LogCaptureFixture) -> None:
    log = TaskFailureLog()
    with caplog.at_level(logging.DEBUG, logger="invincible.worker"):
        for _ in range(10):
            log.add("Order", "order-42", "run-1", SpeechlessError())
        failure = failure_of(SpeechlessError(), BrokenConverter(), PayloadConverter.default)
    assert "SpeechlessError: <no text: its __str__ raised AttributeError>" in caplog.text
    assert failure.message.startswith("SpeechlessError: <no text: its __str__ raised AttributeError>")
    assert isinstance(failure.info, ApplicationFailureInfo)
    assert failure.info.type == "SpeechlessError"


async def test_an_explanation_that_is_not_there_yet_is_waited_for() -> None:
    kept, error = TaskFailures(), raised("explained")
    with kept.kept():
        waiting = asyncio.ensure_future(kept.find_nondeterminism("order-42", "run-1", "Core's words", 30))
        await asyncio.sleep(0)
        thread = threading.Thread(target=kept.keep, args=("order-42", "run-1", error))
        thread.start()
        assert await waiting is error
        thread.join()
    assert kept._waiting == []


async def test_an_explanation_is_made_of_what_the_server_says() -> None:
    kept = TaskFailures()
    with kept.kept():
        kept.keep_explanation("order-42", "run-1", lambda message: RuntimeError(f"explained: {message}"))
        found = await kept.find_nondeterminism("order-42", "run-1", "Core's words", 30)
    assert str(found) == "explained: Core's words"
    assert kept.find("order-42", "run-1") is None


async def test_nobody_is_waited_for_when_no_worker_is_here() -> None:
    assert await TaskFailures().find_nondeterminism("order-42", "run-1", "Core's words", 3600) is None


async def test_an_explanation_that_does_not_come_is_given_up() -> None:
    kept = TaskFailures()
    with kept.kept():
        assert await kept.find_nondeterminism("order-42", "run-1", "Core's words", 0.01) is None
    gc.collect()
    assert kept._waiting == []
