"""Native payloads and failures as protobuf messages, for code that wants those. Imports protobuf."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from invincible._native import Failure, Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.common.v1 import Payloads
from invincible.api.failure.v1 import Failure as FailureMessage

__all__ = ["FailureMessage", "as_failure", "failure_message", "fill", "payloads_message"]


def payloads_message(payloads: Iterable[Payload]) -> Payloads:
    """Payloads as their message."""
    return Payloads(payloads=[PayloadMessage.FromString(payload.SerializeToString()) for payload in payloads])


def failure_message(failure: Failure) -> FailureMessage:
    """A failure as its message."""
    return FailureMessage.FromString(failure.SerializeToString())


def as_failure(failure: Any) -> Failure:
    """A native failure, made of the message if it is one."""
    return failure if isinstance(failure, Failure) else Failure.FromString(failure.SerializeToString())


def fill(message: FailureMessage, failure: Failure) -> None:
    """Makes a message equal to a failure."""
    message.ParseFromString(failure.SerializeToString())
