"""Values given on the command line as JSON."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click
import pytest

from invincible.cli._input import Input, checked_json, key_and_value, named_json


def test_json_is_sent_as_it_was_written() -> None:
    values = Input(inputs=(' {"b":1,  "a": 1e400000} ', "12345678901234567890123")).values()
    assert [value.payload.data for value in values] == [b'{"b":1,  "a": 1e400000}', b"12345678901234567890123"]
    assert {value.payload.encoding for value in values} == {"json/plain"}


def test_files_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": 1}\n')

    class Stdin:
        buffer = io.BytesIO(b"[2]\n")

    monkeypatch.setattr(sys, "stdin", Stdin())
    values = Input(input_files=(str(file), "-")).values()
    assert [value.payload.data for value in values] == [b'{"a": 1}', b"[2]"]
    with pytest.raises(click.UsageError, match="cannot be read: No such file"):
        Input(input_files=(str(tmp_path / "none"),)).values()
    with pytest.raises(click.UsageError, match="--input and --input-file cannot be combined"):
        Input(inputs=("1",), input_files=(str(file),)).values()


def test_metadata_for_all_or_for_each() -> None:
    values = Input(
        inputs=("AAE=", "AAI="), input_meta=("encoding=binary/plain", "n=1", "n=2"), input_base64=True
    ).values()
    assert [(value.payload.data, value.payload.metadata["n"]) for value in values] == [(b"\0\1", b"1"), (b"\0\2", b"2")]
    assert {value.payload.encoding for value in values} == {"binary/plain"}
    with pytest.raises(click.UsageError, match="--input-meta n is given 2 times for 1 arguments"):
        Input(inputs=("1",), input_meta=("n=1", "n=2")).values()
    with pytest.raises(click.UsageError, match="--input is no Base64"):
        Input(inputs=("?",), input_base64=True).values()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo", "--x is no JSON: Expecting value at column 1: foo\nA text is written with quotes: '\"foo\"'"),
        ('{"a": 1,\n"b": }', '--x is no JSON: Expecting value at line 2, column 6: {"a": 1,\\n"b": }'),
        ("", "--x is no JSON: Expecting value at column 1: "),
        ("NaN", "--x is no JSON: it has no NaN"),
        ("[" * 100_000, "--x is nested too deeply"),
        ("\x1b[31m", "--x is no JSON: Expecting value at column 1: \\x1b[31m"),
    ],
)
def test_what_is_no_json(text: str, message: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        checked_json(text, "--x")
    assert caught.value.message == message


def test_long_texts_are_shortened_in_errors() -> None:
    with pytest.raises(click.UsageError) as caught:
        checked_json("{" + "x" * 10_000, "--x")
    assert len(caught.value.message) < 200


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(click.UsageError, match=r"it is not UTF-8 \(byte 1\)"):
        checked_json(b'"\xff"', "--x")


def test_named_values() -> None:
    assert named_json(("a=1", 'b={"=": "="}'), "--memo") == {"a": 1, "b": {"=": "="}}
    for items, message in (
        (("a",), "--memo takes NAME=JSON"),
        (("=1",), "--memo takes NAME=JSON"),
        (("a=1", "a=2"), "--memo a is given twice"),
        (("a=x",), "--memo a is no JSON"),
    ):
        with pytest.raises(click.UsageError, match=message):
            named_json(items, "--memo")


def test_values_that_may_be_secret_are_not_quoted() -> None:
    with pytest.raises(click.UsageError) as caught:
        key_and_value("the secret", "--grpc-meta", "KEY=VALUE")
    assert "secret" not in caught.value.message
