"""Failures with their payloads replaced."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

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

FailureInfo: TypeAlias = (
    ActivityFailureInfo
    | ApplicationFailureInfo
    | CanceledFailureInfo
    | ChildWorkflowExecutionFailureInfo
    | NexusHandlerFailureInfo
    | NexusOperationFailureInfo
    | ResetWorkflowFailureInfo
    | ServerFailureInfo
    | TerminatedFailureInfo
    | TimeoutFailureInfo
)
Convert = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


async def with_payloads(failure: Failure, convert: Convert) -> Failure:
    """A copy of the failure in which each group of payloads, those of its causes included, is converted."""
    attributes = failure.encoded_attributes
    return Failure(
        failure.message,
        source=failure.source,
        stack_trace=failure.stack_trace,
        encoded_attributes=None if attributes is None else (await convert([attributes]))[0],
        info=await _info_with_payloads(failure.info, convert),
        cause=None if failure.cause is None else await with_payloads(failure.cause, convert),
    )


async def _info_with_payloads(info: FailureInfo | None, convert: Convert) -> FailureInfo | None:
    if isinstance(info, ApplicationFailureInfo):
        return ApplicationFailureInfo(
            type=info.type,
            non_retryable=info.non_retryable,
            details=await _converted(info.details, convert),
            next_retry_delay=info.next_retry_delay,
            category=info.category,
        )
    if isinstance(info, TimeoutFailureInfo):
        return TimeoutFailureInfo(
            timeout_type=info.timeout_type,
            last_heartbeat_details=await _converted(info.last_heartbeat_details, convert),
        )
    if isinstance(info, CanceledFailureInfo):
        return CanceledFailureInfo(details=await _converted(info.details, convert), identity=info.identity)
    if isinstance(info, ResetWorkflowFailureInfo):
        return ResetWorkflowFailureInfo(
            last_heartbeat_details=await _converted(info.last_heartbeat_details, convert),
        )
    return info


async def _converted(payloads: Sequence[Payload] | None, convert: Convert) -> list[Payload] | None:
    return None if payloads is None else await convert(payloads)
