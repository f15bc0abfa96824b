"""What commands print, and what they do not let through to a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from invincible.cli._output import JsonArray, ago_text, print_fields, print_json, print_table


def test_tables_are_as_wide_as_they_need_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 500
    print_table(("ID", "TYPE"), [(long, "Order"), ("[bold]b[/bold]", "日本"), ("\x1b[31m\n", "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"ID{' ' * 500}TYPE", f"{long}  Order", f"[bold]b[/bold]{' ' * 488}日本", "\\x1b[31m\\n"]


def test_tables_without_rows_have_headings(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("ID", "TYPE"), [])
    assert capsys.readouterr().out == "ID  TYPE\n"


def test_rows_are_printed_as_they_come(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[tuple[str]]:
        for number in range(1000):
            if number == 600:
                # Of what came before, at most one batch is held back.
                assert "\nrow-199\n" in capsys.readouterr().out
            yield (f"row-{number}",)

    print_table(("ROW",), rows())
    assert capsys.readouterr().out.endswith("\nrow-999\n")


def test_json_is_json_whatever_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "a": "ü\x1b\x9b\u202e\ud800\x7f",
        "t": datetime(2026, 1, 1, tzinfo=timezone.utc),
        "d": timedelta(minutes=1),
    }
    print_json(value)
    printed = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in printed)
    assert json.loads(printed) == {"a": value["a"], "t": "2026-01-01T00:00:00+00:00", "d": 60}


@pytest.mark.parametrize("items", [[], [1], [{"a": [1]}, "b"]])
def test_arrays_are_whole(capsys: pytest.CaptureFixture[str], items: list[object]) -> None:
    with JsonArray() as array:
        for item in items:
            array.add(item)
    assert json.loads(capsys.readouterr().out) == items


def test_fields_without_a_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields([("id", "a\x1b"), ("none", ""), ("note", "two\nlines")])
    assert capsys.readouterr().out == "id    a\\x1b\nnote  two\n      lines\n"


def test_times_from_now() -> None:
    now = datetime.now(timezone.utc)
    assert ago_text(None) == ""
    assert ago_text(now) == "now"
    assert ago_text(now - timedelta(minutes=5, seconds=10.5)) == "5m 10s ago"
    assert ago_text(now + timedelta(hours=2, seconds=30)) == "in 2h"


@pytest.mark.parametrize(
    ("text", "width", "fits"),
    [
        ("waits", 5, "waits"),
        ("waits", 4, "wait"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本"),
        ("e\u0301e", 1, "e\u0301"),
    ],
)
def test_what_fits_in_a_line(text: str, width: int, fits: str) -> None:
    from invincible.cli._progress import _fitting

    assert _fitting(text, width) == fits
