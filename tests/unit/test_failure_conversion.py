"""Exceptions to failures and back: the bytes of the official Python SDK, and what survives a round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invincible._native import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    NexusHandlerFailureInfo,
    NexusOperationFailureInfo,
    Payload,
    ResetWorkflowFailureInfo,
    ServerFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from invincible.api.failure.v1 import Failure as FailureMessage
from invincible.common import RawValue
from invincible.converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
    PayloadConverter,
)
from invincible.exceptions import (
    ActivityError,
    ApplicationError,
    ApplicationErrorCategory,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    InvalidVersioningOverrideError,
    NexusHandlerError,
    NexusOperationError,
    RetryState,
    ServerError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)

payloads = PayloadConverter.default
failures = FailureConverter.default
encoding_failures = DefaultFailureConverterWithEncodedAttributes()


class OwnError(Exception): ...


class OwnApplicationError(ApplicationError): ...


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def activity_error(retry_state: RetryState | None = RetryState.TIMEOUT) -> ActivityError:
    return ActivityError(
        "a",
        scheduled_event_id=1,
        started_event_id=2,
        identity="i",
        activity_type="at",
        activity_id="ai",
        retry_state=retry_state,
    )


def child_workflow_error() -> ChildWorkflowError:
    return ChildWorkflowError(
        "a",
        namespace="n",
        workflow_id="w",
        run_id="r",
        workflow_type="t",
        initiated_event_id=1,
        started_event_id=2,
        retry_state=RetryState.CANCEL_REQUESTED,
    )


def chain() -> BaseException:
    return caused(activity_error(), caused(ApplicationError("x", type="Y"), KeyError("z")))


# Exceptions, and the serialized failures that temporalio 1.35 makes of them.
GOLDEN: list[tuple[BaseException, str]] = [
    (
        ApplicationError(
            "m",
            1,
            "x",
            type="T",
            non_retryable=True,
            next_retry_delay=timedelta(seconds=1.5),
            category=ApplicationErrorCategory.BENIGN,
        ),
        "0a016d2a4f0a015410011a3c0a1b0a160a08656e636f64696e67120a6a736f6e2f706c61696e1201310a1d0a160a08656e636f64"
        "696e67120a6a736f6e2f706c61696e1203227822220808011080cab5ee012801",
    ),
    (ApplicationError("m"), "0a016d2a00"),
    (OwnApplicationError("subm", type="ST"), "0a047375626d2a040a025354"),
    (OwnApplicationError("subm"), "0a047375626d2a00"),
    (ValueError("v"), "0a01762a0c0a0a56616c75654572726f72"),
    (ValueError(), "2a0c0a0a56616c75654572726f72"),
    (ValueError("a", 1), "0a08282761272c2031292a0c0a0a56616c75654572726f72"),
    (KeyError("k"), "0a03276b272a0a0a084b65794572726f72"),
    (OwnError("é"), "0a02c3a92a0a0a084f776e4572726f72"),
    (KeyboardInterrupt(), "2a130a114b6579626f617264496e74657272757074"),
    (asyncio.CancelledError("zz"), "0a027a7a2a100a0e43616e63656c6c65644572726f72"),
    (CancelledError(), "0a0943616e63656c6c65643a00"),
    (
        CancelledError("m", 1, 2),
        "0a016d3a3c0a3a0a1b0a160a08656e636f64696e67120a6a736f6e2f706c61696e1201310a1b0a160a08656e636f64696e67120a"
        "6a736f6e2f706c61696e120132",
    ),
    (
        TimeoutError("to", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[1, "a"]),
        "0a02746f32400804123c0a1b0a160a08656e636f64696e67120a6a736f6e2f706c61696e1201310a1d0a160a08656e636f64696e"
        "67120a6a736f6e2f706c61696e1203226122",
    ),
    (TimeoutError("to", type=None, last_heartbeat_details=[]), "0a02746f3200"),
    (TerminatedError("tt", 1), "0a0274744200"),
    (ServerError("s", non_retryable=True), "0a01734a020801"),
    (activity_error(), "0a01615a13080110021a016922040a0261742a0261693003"),
    (activity_error(None), "0a01615a11080110021a016922040a0261742a026169"),
    (child_workflow_error(), "0a016162160a016e12060a01771201721a030a0174200128023007"),
    (
        NexusOperationError("a", scheduled_event_id=1, endpoint="e", service="s", operation="o", operation_token="tok"),
        "0a01616a1008011201651a017322016f3203746f6b",
    ),
    (
        WorkflowAlreadyStartedError("w", "t", run_id="r"),
        "0a22576f726b666c6f7720657865637574696f6e20616c72656164792073746172746564",
    ),
    (InvalidVersioningOverrideError(), "0a1b496e76616c69642076657273696f6e696e67206f76657272696465"),
    (FailureError("plain"), "0a05706c61696e"),
    (
        chain(),
        "0a0161221b0a017822110a03277a272a0a0a084b65794572726f722a030a01595a13080110021a016922040a0261742a0261693003",
    ),
]
GOLDEN_ENCODED: list[tuple[BaseException, str]] = [
    (
        ValueError("v"),
        "0a0f456e636f646564206661696c7572652a0c0a0a56616c75654572726f72a2013a0a160a08656e636f64696e67120a6a736f6e"
        "2f706c61696e12207b226d657373616765223a2276222c22737461636b5f7472616365223a22227d",
    ),
    (
        chain(),
        "0a0f456e636f646564206661696c75726522b1010a0f456e636f646564206661696c757265225c0a0f456e636f64656420666169"
        "6c7572652a0a0a084b65794572726f72a2013c0a160a08656e636f64696e67120a6a736f6e2f706c61696e12227b226d65737361"
        "6765223a22277a27222c22737461636b5f7472616365223a22227d2a030a0159a2013a0a160a08656e636f64696e67120a6a736f"
        "6e2f706c61696e12207b226d657373616765223a2278222c22737461636b5f7472616365223a22227d5a13080110021a01692204"
        "0a0261742a0261693003a2013a0a160a08656e636f64696e67120a6a736f6e2f706c61696e12207b226d657373616765223a2261"
        "222c22737461636b5f7472616365223a22227d",
    ),
]


class TestToFailure:
    @pytest.mark.parametrize(("error", "serialized"), GOLDEN, ids=lambda value: repr(value)[:40])
    def test_as_the_official_sdk(self, error: BaseException, serialized: str) -> None:
        assert failures.to_native(error, payloads) == Failure.FromString(bytes.fromhex(serialized))

    @pytest.mark.parametrize(("error", "serialized"), GOLDEN_ENCODED)
    def test_encoded_attributes_as_the_official_sdk(self, error: BaseException, serialized: str) -> None:
        assert encoding_failures.to_native(error, payloads) == Failure.FromString(bytes.fromhex(serialized))

    def test_stack_trace(self) -> None:
        def fails() -> None:
            raise ValueError("v")

        with pytest.raises(ValueError) as raised:  # noqa: PT011 - any will do
            fails()
        lines = failures.to_native(raised.value, payloads).stack_trace.split("\n\n")
        assert "in test_stack_trace" in lines[0]
        assert lines[-1].startswith('  File "')
        assert lines[-1].endswith('in fails\n    raise ValueError("v")\n')

    def test_source_is_empty(self) -> None:
        assert failures.to_native(ValueError(), payloads).source == ""

    def test_only_explicit_causes(self) -> None:
        error = ValueError("v")
        error.__context__ = KeyError("context")
        assert failures.to_native(error, payloads).cause is None

    def test_causes_in_a_circle(self) -> None:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        outer = caused(ValueError("outer"), first)
        failure = failures.to_native(outer, payloads)
        assert failure.message == "outer"
        assert failure.cause is not None
        assert failure.cause.message == "first"

    def test_details_that_cannot_be_converted_do_not_hide_the_error(self) -> None:
        failure = failures.to_native(ApplicationError("m", object(), type="T", non_retryable=True), payloads)
        assert failure.message.startswith("m (without its details: a value of type object cannot be written as JSON")
        info = failure.info
        assert isinstance(info, ApplicationFailureInfo)
        assert (info.type, info.non_retryable, info.details) == ("T", True, None)

    def test_message_that_cannot_be_read(self) -> None:
        class Unreadable(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        assert failures.to_native(Unreadable(), payloads).message == "<the message cannot be read: RuntimeError>"


def payload(value: Any) -> Payload:
    return payloads.to_payload(value)


# Kinds of failures without a message, and the exceptions that stand for them.
EMPTY: list[tuple[Any, type[FailureError], str]] = [
    (None, FailureError, "Failure error"),
    (ApplicationFailureInfo(), ApplicationError, "Application error"),
    (TimeoutFailureInfo(), TimeoutError, "Timeout"),
    (CanceledFailureInfo(), CancelledError, "Cancelled"),
    (TerminatedFailureInfo(), TerminatedError, "Terminated"),
    (ServerFailureInfo(), ServerError, "Server error"),
    (ResetWorkflowFailureInfo(), FailureError, "Failure error"),
    (ActivityFailureInfo(), ActivityError, "Activity error"),
    (ChildWorkflowExecutionFailureInfo(), ChildWorkflowError, "Child workflow error"),
    (NexusOperationFailureInfo(), NexusOperationError, "Nexus operation error"),
    (NexusHandlerFailureInfo(type="INTERNAL", retry_behavior=1), NexusHandlerError, "Nexus handler error"),
]


class TestFromFailure:
    @pytest.mark.parametrize(("info", "kind", "message"), EMPTY)
    def test_kinds(self, info: Any, kind: type[FailureError], message: str) -> None:
        error = failures.from_native(Failure("", info=info), payloads)
        assert type(error) is kind
        assert error.message == message

    @pytest.mark.parametrize(("behavior", "retryable"), [(0, None), (1, True), (2, False)])
    def test_nexus_handler_error(self, behavior: int, retryable: bool | None) -> None:
        info = NexusHandlerFailureInfo(type="NOT_FOUND", retry_behavior=behavior)
        error = failures.from_native(Failure("no such operation", info=info), payloads)
        assert isinstance(error, NexusHandlerError)
        assert (error.message, error.type, error.retryable) == ("no such operation", "NOT_FOUND", retryable)
        error._failure = None
        back = failures.to_native(error, payloads).info
        assert isinstance(back, NexusHandlerFailureInfo)
        assert (back.type, back.retry_behavior) == ("NOT_FOUND", behavior)

    def test_application_error(self) -> None:
        info = ApplicationFailureInfo(
            type="T", non_retryable=True, details=[payload(1), payload("x")], next_retry_delay=1.5, category=1
        )
        error = failures.from_native(Failure("m", info=info), payloads)
        assert isinstance(error, ApplicationError)
        assert (error.message, error.type, error.non_retryable) == ("m", "T", True)
        assert error.details == (1, "x")
        assert error.next_retry_delay == timedelta(seconds=1.5)
        assert error.category is ApplicationErrorCategory.BENIGN

    def test_timeout_error(self) -> None:
        info = TimeoutFailureInfo(timeout_type=4, last_heartbeat_details=[payload(1)])
        error = failures.from_native(Failure("m", info=info), payloads)
        assert isinstance(error, TimeoutError)
        assert error.type is TimeoutType.HEARTBEAT
        assert error.last_heartbeat_details == [1]

    def test_activity_error_and_its_causes(self) -> None:
        received = failures.from_native(failures.to_native(chain(), payloads), payloads)
        assert isinstance(received, ActivityError)
        assert (received.scheduled_event_id, received.started_event_id) == (1, 2)
        assert (received.identity, received.activity_type, received.activity_id) == ("i", "at", "ai")
        assert received.retry_state is RetryState.TIMEOUT
        application_error = received.cause
        assert isinstance(application_error, ApplicationError)
        assert application_error.type == "Y"
        key_error = application_error.cause
        assert isinstance(key_error, ApplicationError)
        assert (key_error.type, key_error.message, key_error.cause) == ("KeyError", "'z'", None)

    def test_child_workflow_error(self) -> None:
        received = failures.from_native(failures.to_native(child_workflow_error(), payloads), payloads)
        assert isinstance(received, ChildWorkflowError)
        assert (received.namespace, received.workflow_id, received.run_id) == ("n", "w", "r")
        assert (received.workflow_type, received.initiated_event_id, received.started_event_id) == ("t", 1, 2)
        assert received.retry_state is RetryState.CANCEL_REQUESTED

    def test_nexus_operation_error(self) -> None:
        info = NexusOperationFailureInfo(
            scheduled_event_id=1, endpoint="e", service="s", operation="o", operation_token="t"
        )
        received = failures.from_native(Failure("m", info=info), payloads)
        assert isinstance(received, NexusOperationError)
        assert received.scheduled_event_id == 1
        assert (received.endpoint, received.service, received.operation, received.operation_token) == tuple("esot")

    def test_numbers_of_a_newer_server(self) -> None:
        error = failures.from_native(Failure("m", info=ApplicationFailureInfo(category=99)), payloads)
        assert isinstance(error, ApplicationError)
        assert error.category is ApplicationErrorCategory.UNSPECIFIED
        error = failures.from_native(Failure("m", info=ActivityFailureInfo(retry_state=99)), payloads)
        assert isinstance(error, ActivityError)
        assert error.retry_state is None

    def test_details_that_cannot_be_decoded_do_not_hide_the_error(self) -> None:
        unknown = Payload({"encoding": b"binary/encrypted"}, b"x")
        info = ApplicationFailureInfo(type="T", details=[payload(1), unknown])
        error = failures.from_native(Failure("m", info=info), payloads)
        assert isinstance(error, ApplicationError)
        assert error.type == "T"
        assert error.details == (RawValue(payload(1)), RawValue(unknown))

    @pytest.mark.parametrize(("error", "serialized"), GOLDEN, ids=lambda value: repr(value)[:40])
    def test_the_failure_is_kept_and_sent_again(self, error: BaseException, serialized: str) -> None:
        failure = Failure.FromString(bytes.fromhex(serialized))
        received = failures.from_native(failure, payloads)
        assert isinstance(received, FailureError)
        assert received.failure == failure
        assert failures.to_native(received, payloads) == failure

    def test_what_other_sdks_say_is_sent_again(self) -> None:
        failure = Failure("m", source="GoSDK", stack_trace="main.go:1", info=ApplicationFailureInfo(type="T"))
        received = failures.from_native(failure, payloads)
        received.__cause__ = ValueError("not sent")
        assert failures.to_native(received, payloads) == failure


class TestEncodedAttributes:
    @staticmethod
    def encoded(attributes: Any) -> Failure:
        return Failure("Encoded failure", encoded_attributes=payload(attributes), info=ApplicationFailureInfo())

    def test_are_read_by_every_converter(self) -> None:
        error = failures.from_native(self.encoded({"message": "real", "stack_trace": "trace"}), payloads)
        assert isinstance(error, ApplicationError)
        assert error.message == "real"
        assert error.failure is not None
        assert error.failure.stack_trace == "trace"

    @pytest.mark.parametrize("converter", [failures, encoding_failures])
    def test_are_hidden_again_when_sent_again(self, converter: FailureConverter) -> None:
        failure = self.encoded({"message": "real", "stack_trace": "trace"})
        assert converter.to_native(converter.from_native(failure, payloads), payloads) == failure

    @pytest.mark.parametrize("attributes", ["text", {}, {"message": 5, "stack_trace": None}, b"bytes"])
    def test_of_another_form_change_nothing(self, attributes: Any) -> None:
        failure = self.encoded(attributes)
        error = failures.from_native(failure, payloads)
        assert isinstance(error, ApplicationError)
        assert error.message == "Encoded failure"
        assert error.failure == failure

    def test_that_cannot_be_read_change_nothing(self) -> None:
        unknown = Payload({"encoding": b"binary/encrypted"}, b"x")
        failure = Failure("Encoded failure", encoded_attributes=unknown, info=ApplicationFailureInfo())
        assert str(failures.from_native(failure, payloads)) == "Encoded failure"


class TestConvertersOfUsers:
    """Overrides see protobuf messages, as in the official SDK."""

    class Renaming(DefaultFailureConverter):
        def to_failure(
            self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
        ) -> None:
            super().to_failure(exception, payload_converter, failure)
            failure.message = failure.message.upper()
            failure.application_failure_info.type += "!"

        def from_failure(self, failure: Any, payload_converter: PayloadConverter) -> BaseException:
            error = super().from_failure(failure, payload_converter)
            return OwnError(str(error)) if failure.application_failure_info.type == "OwnError!" else error

    def test_overrides_see_every_exception_of_a_chain(self) -> None:
        converter = self.Renaming()
        failure = converter.to_native(caused(ValueError("outer"), OwnError("inner")), payloads)
        assert failure.message == "OUTER"
        assert failure.cause is not None
        assert failure.cause.message == "INNER"
        error = converter.from_native(failure, payloads)
        assert isinstance(error, ApplicationError)
        assert error.type == "ValueError!"
        assert isinstance(error.cause, OwnError)

    def test_from_scratch(self) -> None:
        class Scratch(FailureConverter):
            def to_failure(
                self, exception: BaseException, payload_converter: PayloadConverter, failure: FailureMessage
            ) -> None:
                failure.message = f"scratch: {exception}"

            def from_failure(self, failure: Any, payload_converter: PayloadConverter) -> BaseException:
                return OwnError(failure.message)

        failure = Scratch().to_native(ValueError("v"), payloads)
        assert failure == Failure("scratch: v")
        error = Scratch().from_native(failure, payloads)
        assert isinstance(error, OwnError)
        assert str(error) == "scratch: v"

    @pytest.mark.parametrize("make", [DefaultFailureConverter, DefaultFailureConverterWithEncodedAttributes])
    def test_the_default_converter_takes_messages_too(self, make: Callable[[], FailureConverter]) -> None:
        message = FailureMessage()
        make().to_failure(ValueError("v"), payloads, message)
        assert message.application_failure_info.type == "ValueError"
        assert str(make().from_failure(message, payloads)) == "ValueError: v"
