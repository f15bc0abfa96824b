"""What worker processes send: errors and log records that survive the way, and metrics of several as one text."""

from __future__ import annotations

import logging
import pickle
import sys
import threading
import urllib.request

import pytest

from invincible.service import RPCError, RPCStatusCode
from invincible.worker._exit_codes import how_it_ended
from invincible.worker._processes._logs import LogLevels, portable
from invincible.worker._processes._messages import Logged, SentError
from invincible.worker._processes._metrics import MetricsServer, union
from invincible.worker._remote_logs import hand_on


class NeedsTwo(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one)


def sent(error: BaseException) -> BaseException:
    remote: SentError = pickle.loads(pickle.dumps(SentError.of(error)))
    return remote.exception()


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_errors_keep_their_type_and_traceback() -> None:
    error = sent(raised(RPCError("not there", RPCStatusCode.NOT_FOUND, b"")))
    assert isinstance(error, RPCError)
    assert error.status is RPCStatusCode.NOT_FOUND
    assert "in raised" in str(error.__cause__)


@pytest.mark.parametrize("error", [NeedsTwo("one", "two"), ValueError(threading.Lock())])
def test_errors_that_cannot_be_pickled_keep_their_text(error: Exception) -> None:
    received = sent(raised(error))
    assert type(received) is RuntimeError
    assert type(error).__name__ in str(received)
    assert "in raised" in str(received.__cause__)


def record(*args: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("tests.sent").makeRecord(
        "tests.sent", logging.WARNING, __file__, 1, "order %s", args, None, extra=extra
    )
    received: Logged = pickle.loads(pickle.dumps(Logged(portable(made, worker_process=3))))
    return received.record


def test_records_keep_their_fields_and_get_the_process() -> None:
    received = record(17, customer={"id": 1}, stream=sys.stdout)
    assert received.getMessage() == "order 17"
    assert received.__dict__["customer"] == {"id": 1}
    assert received.__dict__["worker_process"] == 3
    assert received.__dict__["stream"] == repr(sys.stdout)


def test_fields_that_could_not_be_made_again_are_text() -> None:
    assert record(17, error=NeedsTwo("one", "two")).__dict__["error"] == repr(NeedsTwo("one", "two"))


def test_arguments_that_cannot_be_pickled_are_in_the_text() -> None:
    assert record(threading.current_thread()).getMessage() == f"order {threading.current_thread()}"


def test_records_are_handled_as_the_logger_here_says(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.sent")
    hand_on(record(1))
    logger.setLevel(logging.ERROR)
    try:
        hand_on(record(2))
        assert LogLevels.here().levels["tests.sent"] == logging.ERROR
    finally:
        logger.setLevel(logging.NOTSET)
    assert [each.getMessage() for each in caplog.records] == ["order 1"]


def test_samples_of_a_metric_stand_together() -> None:
    one = '# HELP a what\n# TYPE a counter\na{worker_process="0"} 1\n# TYPE b gauge\nb 2\n'
    two = '# HELP a what\n# TYPE a counter\na{worker_process="1"} 3\n# TYPE c gauge\nc 4\n'
    assert union([one, two]).splitlines() == [
        "# HELP a what",
        "# TYPE a counter",
        'a{worker_process="0"} 1',
        'a{worker_process="1"} 3',
        "# TYPE b gauge",
        "b 2",
        "# TYPE c gauge",
        "c 4",
    ]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (3, "ended with exit code 3"),
        (-9, "was killed by SIGKILL"),
        (-63, "was killed by signal 63"),
        (None, "ended, nobody knows how"),
    ],
)
def test_ends_are_told_in_words(code: int | None, text: str) -> None:
    assert how_it_ended(code) == text


def test_metrics_are_served_at_addresses_of_both_kinds() -> None:
    for host in ("127.0.0.1", "[::1]"):
        server = MetricsServer(f"{host}:0", tuple)
        try:
            assert server.address.startswith(f"{host}:")
            with urllib.request.urlopen(f"http://{server.address}/metrics", timeout=10) as answer:
                assert answer.read() == b""
        finally:
            server.close()
