"""The kinds of failures, and the exceptions that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from enum import IntEnum
from typing import Any, TypeVar

from invincible import exceptions
from invincible._native import (
    ActivityFailureInfo,
    ApplicationFailureInfo,
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    NexusHandlerFailureInfo,
    NexusOperationFailureInfo,
    Payload,
    ServerFailureInfo,
    TerminatedFailureInfo,
    TimeoutFailureInfo,
)
from invincible.common import RawValue

from ._errors import ConversionError
from ._failure_payloads import FailureInfo
from ._payload_converter import PayloadConverter

_Enum = TypeVar("_Enum", bound=IntEnum)

# `NexusHandlerErrorRetryBehavior`
_UNSPECIFIED, _RETRYABLE, _NON_RETRYABLE = range(3)


def info_of(exception: BaseException, converter: PayloadConverter) -> tuple[str, FailureInfo | None]:
    """Message and kind of the failure that stands for an exception.

    Details that cannot be converted are left out, and the message says so: they must not hide the error itself.
    """
    if not isinstance(exception, exceptions.FailureError):
        return _text(exception), ApplicationFailureInfo(type=type(exception).__name__)
    message = exception.message
    make = next((make for kind, make in _INFOS.items() if isinstance(exception, kind)), None)
    if make is None:
        return message, None
    try:
        return message, make(exception, lambda details: converter.to_payloads(details) if details else None)
    except Exception as error:
        problem = error.without_value() if isinstance(error, ConversionError) else error
        return f"{message} (without its details: {problem})", make(exception, lambda details: None)


def exception_of(failure: Failure, converter: PayloadConverter) -> exceptions.FailureError:
    """The exception that stands for a failure, without its cause."""

    def values(details: Sequence[Payload] | None) -> Sequence[Any]:
        if not details:
            return []
        try:
            return converter.from_payloads(details)
        except Exception:
            # The failure must arrive, whatever another worker attached to it.
            return [RawValue(payload) for payload in details]

    make = _EXCEPTIONS.get(type(failure.info), _failure_error)
    exception = make(failure.message, failure.info, values)
    exception._failure = failure
    return exception


Encode = Callable[[Sequence[Any]], "list[Payload] | None"]
Decode = Callable[["Sequence[Payload] | None"], Sequence[Any]]


def _application_info(error: exceptions.ApplicationError, encode: Encode) -> ApplicationFailureInfo:
    delay = error.next_retry_delay
    return ApplicationFailureInfo(
        type=error.type or "",
        non_retryable=error.non_retryable,
        details=encode(error.details),
        next_retry_delay=delay.total_seconds() if delay else None,
        category=error.category,
    )


def _timeout_info(error: exceptions.TimeoutError, encode: Encode) -> TimeoutFailureInfo:
    return TimeoutFailureInfo(timeout_type=error.type or 0, last_heartbeat_details=encode(error.last_heartbeat_details))


def _canceled_info(error: exceptions.CancelledError, encode: Encode) -> CanceledFailureInfo:
    return CanceledFailureInfo(details=encode(error.details))


def _terminated_info(error: exceptions.TerminatedError, encode: Encode) -> TerminatedFailureInfo:
    return TerminatedFailureInfo()


def _server_info(error: exceptions.ServerError, encode: Encode) -> ServerFailureInfo:
    return ServerFailureInfo(non_retryable=error.non_retryable)


def _activity_info(error: exceptions.ActivityError, encode: Encode) -> ActivityFailureInfo:
    return ActivityFailureInfo(
        scheduled_event_id=error.scheduled_event_id,
        started_event_id=error.started_event_id,
        identity=error.identity,
        activity_type=error.activity_type,
        activity_id=error.activity_id,
        retry_state=error.retry_state or 0,
    )


def _child_workflow_info(error: exceptions.ChildWorkflowError, encode: Encode) -> ChildWorkflowExecutionFailureInfo:
    return ChildWorkflowExecutionFailureInfo(
        namespace=error.namespace,
        workflow_id=error.workflow_id,
        run_id=error.run_id,
        workflow_type=error.workflow_type,
        initiated_event_id=error.initiated_event_id,
        started_event_id=error.started_event_id,
        retry_state=error.retry_state or 0,
    )


def _nexus_handler_info(error: exceptions.NexusHandlerError, encode: Encode) -> NexusHandlerFailureInfo:
    behavior = _UNSPECIFIED if error.retryable is None else _RETRYABLE if error.retryable else _NON_RETRYABLE
    return NexusHandlerFailureInfo(type=error.type, retry_behavior=behavior)


def _nexus_operation_info(error: exceptions.NexusOperationError, encode: Encode) -> NexusOperationFailureInfo:
    return NexusOperationFailureInfo(
        scheduled_event_id=error.scheduled_event_id,
        endpoint=error.endpoint,
        service=error.service,
        operation=error.operation,
        operation_token=error.operation_token,
    )


_INFOS: dict[type[exceptions.FailureError], Callable[[Any, Encode], FailureInfo]] = {
    exceptions.ApplicationError: _application_info,
    exceptions.TimeoutError: _timeout_info,
    exceptions.CancelledError: _canceled_info,
    exceptions.TerminatedError: _terminated_info,
    exceptions.ServerError: _server_info,
    exceptions.ActivityError: _activity_info,
    exceptions.ChildWorkflowError: _child_workflow_info,
    exceptions.NexusOperationError: _nexus_operation_info,
    exceptions.NexusHandlerError: _nexus_handler_info,
}


def _application_error(message: str, info: ApplicationFailureInfo, decode: Decode) -> exceptions.FailureError:
    delay = info.next_retry_delay
    category = _member(exceptions.ApplicationErrorCategory, info.category)
    return exceptions.ApplicationError(
        message or "Application error",
        *decode(info.details),
        type=info.type or None,
        non_retryable=info.non_retryable,
        next_retry_delay=None if delay is None else timedelta(seconds=delay),
        category=category or exceptions.ApplicationErrorCategory.UNSPECIFIED,
    )


def _timeout_error(message: str, info: TimeoutFailureInfo, decode: Decode) -> exceptions.FailureError:
    return exceptions.TimeoutError(
        message or "Timeout",
        type=_member(exceptions.TimeoutType, info.timeout_type),
        last_heartbeat_details=decode(info.last_heartbeat_details),
    )


def _cancelled_error(message: str, info: CanceledFailureInfo, decode: Decode) -> exceptions.FailureError:
    return exceptions.CancelledError(message or "Cancelled", *decode(info.details))


def _terminated_error(message: str, info: TerminatedFailureInfo, decode: Decode) -> exceptions.FailureError:
    return exceptions.TerminatedError(message or "Terminated")


def _server_error(message: str, info: ServerFailureInfo, decode: Decode) -> exceptions.FailureError:
    return exceptions.ServerError(message or "Server error", non_retryable=info.non_retryable)


def _activity_error(message: str, info: ActivityFailureInfo, decode: Decode) -> exceptions.FailureError:
    return exceptions.ActivityError(
        message or "Activity error",
        scheduled_event_id=info.scheduled_event_id,
        started_event_id=info.started_event_id,
        identity=info.identity,
        activity_type=info.activity_type,
        activity_id=info.activity_id,
        retry_state=_member(exceptions.RetryState, info.retry_state),
    )


def _child_workflow_error(
    message: str, info: ChildWorkflowExecutionFailureInfo, decode: Decode
) -> exceptions.FailureError:
    return exceptions.ChildWorkflowError(
        message or "Child workflow error",
        namespace=info.namespace,
        workflow_id=info.workflow_id,
        run_id=info.run_id,
        workflow_type=info.workflow_type,
        initiated_event_id=info.initiated_event_id,
        started_event_id=info.started_event_id,
        retry_state=_member(exceptions.RetryState, info.retry_state),
    )


def _nexus_handler_error(message: str, info: NexusHandlerFailureInfo, decode: Decode) -> exceptions.FailureError:
    retryable = {_RETRYABLE: True, _NON_RETRYABLE: False}.get(info.retry_behavior)
    return exceptions.NexusHandlerError(message or "Nexus handler error", type=info.type, retryable=retryable)


def _nexus_operation_error(message: str, info: NexusOperationFailureInfo, decode: Decode) -> exceptions.FailureError:
    return exceptions.NexusOperationError(
        message or "Nexus operation error",
        scheduled_event_id=info.scheduled_event_id,
        endpoint=info.endpoint,
        service=info.service,
        operation=info.operation,
        operation_token=info.operation_token,
    )


def _failure_error(message: str, info: FailureInfo | None, decode: Decode) -> exceptions.FailureError:
    return exceptions.FailureError(message or "Failure error")


_EXCEPTIONS: dict[type[Any], Callable[[str, Any, Decode], exceptions.FailureError]] = {
    ApplicationFailureInfo: _application_error,
    TimeoutFailureInfo: _timeout_error,
    CanceledFailureInfo: _cancelled_error,
    TerminatedFailureInfo: _terminated_error,
    ServerFailureInfo: _server_error,
    ActivityFailureInfo: _activity_error,
    ChildWorkflowExecutionFailureInfo: _child_workflow_error,
    NexusOperationFailureInfo: _nexus_operation_error,
    NexusHandlerFailureInfo: _nexus_handler_error,
}


def _member(enum: type[_Enum], number: int) -> _Enum | None:
    """The member of a number, if there is one: zero is unspecified, others may be of a newer server."""
    try:
        return enum(number)
    except ValueError:
        return None


def _text(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as error:
        return f"<the message cannot be read: {type(error).__name__}>"
