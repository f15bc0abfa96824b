"""What is told of the error that a program ends with."""

from __future__ import annotations

import asyncio
import logging
import pickle

import pytest

from invincible.client import Client
from invincible.service import RPCError, RPCStatusCode
from invincible.worker._processes._messages import SentError
from invincible.worker._processes._options import host_and_port
from invincible.worker._told import CannotConnectError, ProgramError, is_connection_failure, shown_traceback, tell


def caught(how: str) -> Exception:
    try:
        if how == "ours":
            host_and_port("metrics_address", "9000")
        if how == "user's":
            raise LookupError("no such thing")
        if how == "connection":
            asyncio.run(Client.connect("127.0.0.1:1"))
        raise ProgramError("in words")
    except Exception as error:
        return error


def without_our_test_frame(error: Exception) -> Exception:
    """As if this file, which is not the package's, had not called it."""
    assert error.__traceback__ is not None
    return error.with_traceback(error.__traceback__.tb_next)


def test_our_errors_need_no_traceback_and_others_begin_with_the_users_code() -> None:
    assert shown_traceback(caught("words")) == ""
    assert shown_traceback(without_our_test_frame(caught("ours"))) == ""
    shown = shown_traceback(caught("user's"))
    assert shown.splitlines()[1].startswith(f'  File "{__file__}"')


def test_errors_of_other_processes_show_what_these_chose(caplog: pytest.LogCaptureFixture) -> None:
    sent: SentError = pickle.loads(pickle.dumps(SentError.of(caught("user's"))))
    error = sent.exception()
    assert isinstance(error, Exception)
    tell("it cannot go on", error)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("it cannot go on: LookupError: no such thing\nTraceback (most recent")
    assert "RemoteTraceback" not in record.getMessage()
    assert record.exc_info is None


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CannotConnectError("nobody there"), True),
        (RPCError("gone", RPCStatusCode.UNAVAILABLE, b""), True),
        (RPCError("who are you", RPCStatusCode.UNAUTHENTICATED, b""), False),
        (ProgramError("no worker"), False),
        (RuntimeError("the user's"), False),
        (OSError("the user's"), False),
    ],
)
def test_connections_are_told_from_what_is_wrong_with_the_program(error: Exception, expected: bool) -> None:
    assert is_connection_failure(error) is expected


def test_a_client_that_cannot_connect_is_a_connection_failure() -> None:
    assert is_connection_failure(caught("connection"))
