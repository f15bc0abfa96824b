"""Exceptions that cross from one process to another."""

from __future__ import annotations

import pickle

from invincible.converter import DataConverter
from invincible.exceptions import ApplicationError
from invincible.worker._remote_errors import RemoteError


class Particular(Exception):
    def __init__(self, what: str, *, why: str) -> None:
        super().__init__(f"{what}: {why}")


def crossed(error: BaseException) -> BaseException:
    form: RemoteError = pickle.loads(pickle.dumps(RemoteError.of(error)))
    return form.exception()


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_the_failure_is_the_same_as_that_of_the_original() -> None:
    inner = raised(KeyError("inner"))
    error = raised(ApplicationError("outer", {"a": 1}, type="Outer", non_retryable=True), inner)
    converter = DataConverter.default
    failures = [
        converter.failure_converter.to_native(each, converter.payload_converter) for each in (error, crossed(error))
    ]
    assert failures[0] == failures[1]
    assert "in raised" in failures[1].stack_trace
    assert failures[1].cause is not None
    assert "in raised" in failures[1].cause.stack_trace


def test_one_that_cannot_be_read_again_keeps_type_message_and_stack() -> None:
    error = crossed(raised(Particular("no", why="way")))
    assert isinstance(error, ApplicationError)
    assert (error.type, error.message) == ("Particular", "no: way")


def test_context_and_its_suppression_cross_too() -> None:
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904  # without a cause
    except ValueError as error:
        again = crossed(error)
    assert repr(again.__context__) == "KeyError('first')"
    assert not again.__suppress_context__
    assert crossed(raised(ValueError("x"), None)).__suppress_context__


def test_causes_that_go_in_circles_end() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    again = crossed(first)
    assert repr(again.__cause__) == "ValueError('second')"
    assert again.__cause__ is not None
    assert again.__cause__.__cause__ is None


def test_failures_of_the_server_cross_whole() -> None:
    converter = DataConverter.default
    failure = converter.failure_converter.to_native(
        ApplicationError("from afar", type="Far"), converter.payload_converter
    )
    received = converter.failure_converter.from_native(failure, converter.payload_converter)
    assert isinstance(received, ApplicationError)
    again = crossed(received)
    assert isinstance(again, ApplicationError)
    assert again.failure == failure
