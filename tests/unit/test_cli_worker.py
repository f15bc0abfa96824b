"""Options of `invincible worker run` that need no server."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import click
import pytest
from click.testing import CliRunner

from invincible.cli import main
from invincible.cli._logging import JSONFormatter, TextFormatter
from invincible.cli._units import duration, size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop"], "'shop' is not MODULE:ATTRIBUTE"),
        (["shop:"], "'shop:' is not MODULE:ATTRIBUTE"),
        (["shop:make", "--max-memory", "500MB"], "--max-memory is for --processes"),
        (["shop:make", "--grace", "soon"], "'soon' is no duration: write 500ms, 30s, 2m, 1h or 7d"),
        (["shop:make", "--grace", "99999999999999h"], "'99999999999999h' is too long"),
        (["shop:make", "-p", "2", "--max-memory", "5 apples"], "'5 apples' is no size"),
        (["shop:make", "-p", "0"], "0 is not in the range x>=1"),
        (["shop:make", "-p", "2", "--metrics", "9000"], "'9000' is no address: write host:port"),
        (["shop:make", "--metrics", "9000"], "'9000' is no address: write host:port"),
        (["shop:make", "--health", "::1:80"], "'::1:80' is no address: write host:port"),
        (["shop:make", "--task-queue", ""], "'--task-queue': it must not be empty"),
        (["src/shop.py:make"], "'src/shop.py:make' names a file: give the module, src.shop:make"),
        ([".shop:make"], "'.shop:make' is relative: give the whole name of the module"),
    ],
)
def test_wrong_options_are_named(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["worker", "run", *arguments])
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30), ("30", 30), ("2m", 120), ("1.5h", 5400), ("2 M", 120)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500MB", 500_000_000), ("1.5 GB", 1_500_000_000), ("512MiB", 2**29), ("1g", 2**30)],
)
def test_sizes(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "-1s", "1 s s", "1e3", "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        duration(text)


def record(**extra: object) -> logging.LogRecord:
    return logging.getLogger("shop").makeRecord("shop", logging.INFO, "x.py", 1, "sold %d", (3,), None, extra=extra)


def test_json_has_the_fields_of_a_record() -> None:
    line = JSONFormatter().format(record(order=17, worker_process=1))
    values = json.loads(line)
    assert values.pop("time").endswith("+00:00")
    assert values.pop("pid") > 0
    assert values == {"level": "INFO", "logger": "shop", "message": "sold 3", "order": 17, "worker_process": 1}


def test_json_has_exceptions() -> None:
    made = record()
    made.exc_text = "Traceback ..."
    assert json.loads(JSONFormatter().format(made))["exception"] == "Traceback ..."


def test_text_names_the_process() -> None:
    assert TextFormatter().format(record()).endswith(" INFO shop: sold 3")
    assert TextFormatter().format(record(worker_process=1)).endswith(" INFO shop [1]: sold 3")
