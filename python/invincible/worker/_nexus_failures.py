"""What a Nexus operation's caller is told of an exception of its handler."""

from __future__ import annotations

from asyncio import CancelledError as AsyncCancelledError

from nexusrpc import HandlerError, HandlerErrorType, OperationError, OperationErrorState

from invincible._native import ApplicationFailureInfo, CanceledFailureInfo, Failure, NexusHandlerFailureInfo
from invincible.converter import DataConverter
from invincible.converter._failure import sendable
from invincible.exceptions import (
    ActivityAlreadyStartedError,
    ApplicationError,
    CancelledError,
    NexusHandlerError,
    WorkflowAlreadyStartedError,
)
from invincible.service import RPCError, RPCStatusCode

from ._failures import failure_of

_OPERATION_ERROR = "OperationError"
_RETRY_BEHAVIORS = {None: 0, True: 1, False: 2}

# What a service's answer to a handler's own call means to the handler's caller: the kind of error, and whether it may
# be retried where the kind does not say it.
_OF_STATUS: dict[RPCStatusCode, tuple[HandlerErrorType, bool | None]] = {
    RPCStatusCode.INVALID_ARGUMENT: (HandlerErrorType.BAD_REQUEST, None),
    RPCStatusCode.ALREADY_EXISTS: (HandlerErrorType.INTERNAL, False),
    RPCStatusCode.FAILED_PRECONDITION: (HandlerErrorType.INTERNAL, False),
    RPCStatusCode.OUT_OF_RANGE: (HandlerErrorType.INTERNAL, False),
    RPCStatusCode.ABORTED: (HandlerErrorType.UNAVAILABLE, None),
    RPCStatusCode.UNAVAILABLE: (HandlerErrorType.UNAVAILABLE, None),
    RPCStatusCode.DEADLINE_EXCEEDED: (HandlerErrorType.UPSTREAM_TIMEOUT, None),
    RPCStatusCode.NOT_FOUND: (HandlerErrorType.NOT_FOUND, None),
    RPCStatusCode.RESOURCE_EXHAUSTED: (HandlerErrorType.RESOURCE_EXHAUSTED, None),
    RPCStatusCode.UNIMPLEMENTED: (HandlerErrorType.NOT_IMPLEMENTED, None),
}


def operation_failure(error: OperationError, converter: DataConverter) -> Failure:
    """The failure of an operation that has failed or was cancelled."""
    failed: BaseException
    message = sendable(error.message)
    if error.state is OperationErrorState.CANCELED:
        failed = CancelledError(message)
    else:
        failed = ApplicationError(message, type=_OPERATION_ERROR, non_retryable=True)
    failure = _failure(_in_place_of(error, failed), converter)
    if isinstance(failure.info, (ApplicationFailureInfo, CanceledFailureInfo)):
        return failure
    # A failure converter of the user's may make others, which Core would not take.
    return Failure(message, cause=failure, info=ApplicationFailureInfo(type=_OPERATION_ERROR, non_retryable=True))


def handler_failure(error: BaseException, converter: DataConverter) -> Failure:
    """The failure of a handler that has raised."""
    found = _handler_error(error)
    failure = _failure(found, converter)
    if isinstance(failure.info, NexusHandlerFailureInfo):
        return failure
    # Nor does one that has failed itself change whether the call is tried again.
    info = NexusHandlerFailureInfo(type=sendable(found.type), retry_behavior=_RETRY_BEHAVIORS[found.retryable])
    return Failure(sendable(found.message), cause=failure, info=info)


def _handler_error(error: BaseException) -> NexusHandlerError:
    match error:
        case NexusHandlerError():
            return error
        case HandlerError():
            made = NexusHandlerError(sendable(error.message), type=error.type.value, retryable=error.retryable_override)
            _in_place_of(error, made)
            return made
        case ApplicationError():
            kind = "non-retryable" if error.non_retryable else "retryable"
            return _caused(f"Handler failed with {kind} application error", error, retryable=not error.non_retryable)
        case WorkflowAlreadyStartedError() | ActivityAlreadyStartedError():
            return _caused(error.message, error, retryable=False)
        case RPCError():
            kind_of_error, retryable = _OF_STATUS.get(error.status, (HandlerErrorType.INTERNAL, None))
            return _caused(error.message, error, type=kind_of_error, retryable=retryable)
        case AsyncCancelledError():
            # Nobody has asked for it, or the server would get no answer.
            return _caused("Handler was cancelled by its own code", error)
    return _caused("Internal handler error", error)


def _caused(
    message: str,
    cause: BaseException,
    *,
    type: HandlerErrorType = HandlerErrorType.INTERNAL,
    retryable: bool | None = None,
) -> NexusHandlerError:
    error = NexusHandlerError(message, type=type.value, retryable=retryable)
    error.__cause__ = cause
    return error


def _in_place_of(error: BaseException, other: BaseException) -> BaseException:
    """Another exception, raised where the first one was, for the same reason."""
    other.__cause__ = error.__cause__
    return other.with_traceback(error.__traceback__)


def _failure(error: BaseException, converter: DataConverter) -> Failure:
    return failure_of(error, converter.failure_converter, converter.payload_converter)
