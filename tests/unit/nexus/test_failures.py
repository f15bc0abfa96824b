"""What the caller of an operation is told of its handler's exceptions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from nexusrpc import HandlerError, HandlerErrorType, OperationError, OperationErrorState

from invincible._native import (
    ApplicationFailureInfo,
    CanceledFailureInfo,
    Failure,
    NexusHandlerFailureInfo,
    NexusTaskCompletion,
)
from invincible.converter import DataConverter, DefaultFailureConverter, FailureConverter, PayloadConverter
from invincible.exceptions import ApplicationError, NexusHandlerError, WorkflowAlreadyStartedError
from invincible.service import RPCError, RPCStatusCode
from invincible.worker._nexus_failures import handler_failure, operation_failure

DEFAULT = DataConverter.default
UNSPECIFIED, RETRYABLE, NON_RETRYABLE = 0, 1, 2


def kind(error: BaseException) -> tuple[str, int]:
    info = handler_failure(error, DEFAULT).info
    assert isinstance(info, NexusHandlerFailureInfo)
    return info.type, info.retry_behavior


@pytest.mark.parametrize("type", list(HandlerErrorType))
def test_handler_errors_keep_their_type(type: HandlerErrorType) -> None:
    assert kind(HandlerError("no", type=type)) == (type.value, UNSPECIFIED)
    assert kind(HandlerError("no", type=type, retryable_override=True)) == (type.value, RETRYABLE)
    assert kind(HandlerError("no", type=type, retryable_override=False)) == (type.value, NON_RETRYABLE)


STATUSES = {
    RPCStatusCode.INVALID_ARGUMENT: ("BAD_REQUEST", UNSPECIFIED),
    RPCStatusCode.DEADLINE_EXCEEDED: ("UPSTREAM_TIMEOUT", UNSPECIFIED),
    RPCStatusCode.NOT_FOUND: ("NOT_FOUND", UNSPECIFIED),
    RPCStatusCode.ALREADY_EXISTS: ("INTERNAL", NON_RETRYABLE),
    RPCStatusCode.RESOURCE_EXHAUSTED: ("RESOURCE_EXHAUSTED", UNSPECIFIED),
    RPCStatusCode.FAILED_PRECONDITION: ("INTERNAL", NON_RETRYABLE),
    RPCStatusCode.OUT_OF_RANGE: ("INTERNAL", NON_RETRYABLE),
    RPCStatusCode.ABORTED: ("UNAVAILABLE", UNSPECIFIED),
    RPCStatusCode.UNAVAILABLE: ("UNAVAILABLE", UNSPECIFIED),
    RPCStatusCode.UNIMPLEMENTED: ("NOT_IMPLEMENTED", UNSPECIFIED),
}


@pytest.mark.parametrize("status", list(RPCStatusCode))
def test_refused_calls_are_the_handler_s_own_problem_unless_the_caller_asked_for_them(status: RPCStatusCode) -> None:
    assert kind(RPCError("no", status, b"")) == STATUSES.get(status, ("INTERNAL", UNSPECIFIED))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("no"), ("INTERNAL", UNSPECIFIED)),
        (ApplicationError("no"), ("INTERNAL", RETRYABLE)),
        (ApplicationError("no", non_retryable=True), ("INTERNAL", NON_RETRYABLE)),
        (WorkflowAlreadyStartedError("id", "type"), ("INTERNAL", NON_RETRYABLE)),
        (NexusHandlerError("no", type="CONFLICT", retryable=True), ("CONFLICT", RETRYABLE)),
        (asyncio.CancelledError(), ("INTERNAL", UNSPECIFIED)),
        (OperationError("no", state=OperationErrorState.FAILED), ("INTERNAL", UNSPECIFIED)),
        (SystemExit(1), ("INTERNAL", UNSPECIFIED)),
    ],
)
def test_other_exceptions_are_internal_errors(error: BaseException, expected: tuple[str, int]) -> None:
    assert kind(error) == expected


def raised(error: BaseException, cause: BaseException | None = None) -> Any:
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def test_failures_show_where_and_why() -> None:
    failure = handler_failure(
        raised(HandlerError("bad", type=HandlerErrorType.BAD_REQUEST), ApplicationError("why", 1, type="Why")), DEFAULT
    )
    assert failure.message == "bad"
    assert "in raised" in failure.stack_trace
    assert failure.cause is not None
    assert (failure.cause.message, failure.cause.info.type) == ("why", "Why")  # type: ignore[union-attr]
    failure = handler_failure(raised(ValueError("oh")), DEFAULT)
    assert failure.message == "Internal handler error"
    assert failure.cause is not None
    assert failure.cause.message == "oh"
    assert "in raised" in failure.cause.stack_trace


def test_operations_fail_or_are_cancelled() -> None:
    error = raised(OperationError("no", state=OperationErrorState.FAILED), ValueError("why"))
    failure = operation_failure(error, DEFAULT)
    assert isinstance(failure.info, ApplicationFailureInfo)
    assert (failure.message, failure.info.type, failure.info.non_retryable) == ("no", "OperationError", True)
    assert "in raised" in failure.stack_trace
    assert failure.cause is not None
    assert failure.cause.message == "why"
    cancelled = operation_failure(OperationError("gone", state=OperationErrorState.CANCELED), DEFAULT)
    assert isinstance(cancelled.info, CanceledFailureInfo)


class Raising(DefaultFailureConverter):
    def to_native(self, exception: BaseException, payload_converter: PayloadConverter) -> Failure:
        raise RuntimeError("broken")


class Odd(FailureConverter):
    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Any) -> None:
        failure.message = "odd"

    def from_failure(self, failure: Any, payload_converter: PayloadConverter) -> BaseException:
        return ValueError(failure.message)


@pytest.mark.parametrize(
    "error",
    [
        ApplicationError("no such file: \udcff", non_retryable=True),
        HandlerError("no such file: \udcff", type=HandlerErrorType.BAD_REQUEST, retryable_override=False),
        NexusHandlerError("no such file: \udcff", type="CONFLICT", retryable=False),
    ],
)
def test_texts_that_cannot_be_sent_change_neither_answer_nor_retries(error: BaseException) -> None:
    failure = handler_failure(error, DEFAULT)
    NexusTaskCompletion.handler_failed(b"token", failure)
    assert isinstance(failure.info, NexusHandlerFailureInfo)
    assert failure.info.retry_behavior == NON_RETRYABLE
    told = f"{failure.message} {failure.cause and failure.cause.message}"
    assert "no such file: \\udcff" in told


@pytest.mark.parametrize("message", ["\udcff", None, 17])
def test_whatever_a_message_is_there_is_an_answer(message: Any) -> None:
    NexusTaskCompletion.handler_failed(
        b"token", handler_failure(HandlerError(message, type=HandlerErrorType.CONFLICT), DEFAULT)
    )
    for state in OperationErrorState:
        failure = operation_failure(OperationError(message, state=state), DEFAULT)
        NexusTaskCompletion.operation_failed(b"token", failure)
        assert failure.message == str(message).encode(errors="backslashreplace").decode()


@pytest.mark.parametrize("converter", [Raising, Odd])
def test_core_can_take_whatever_a_failure_converter_makes(converter: type[FailureConverter]) -> None:
    data_converter = replace(DEFAULT, failure_converter_class=converter)
    failure = handler_failure(
        HandlerError("no", type=HandlerErrorType.CONFLICT, retryable_override=True), data_converter
    )
    NexusTaskCompletion.handler_failed(b"token", failure)
    assert isinstance(failure.info, NexusHandlerFailureInfo)
    assert (failure.info.type, failure.info.retry_behavior) == ("CONFLICT", RETRYABLE)
    for state in OperationErrorState:
        failure = operation_failure(OperationError("no", state=state), data_converter)
        NexusTaskCompletion.operation_failed(b"token", failure)


def test_completions_take_failures_of_their_kind_only() -> None:
    with pytest.raises(ValueError, match="is a Nexus handler failure"):
        NexusTaskCompletion.handler_failed(b"token", Failure("no"))
    with pytest.raises(ValueError, match="is an application failure or a cancellation"):
        NexusTaskCompletion.operation_failed(b"token", Failure("no", info=NexusHandlerFailureInfo(type="INTERNAL")))
