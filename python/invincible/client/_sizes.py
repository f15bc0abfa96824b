"""Payloads that are larger than they should be: a warning before they are sent, a clear error if they are refused."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from invincible import _native
from invincible.converter import Signature
from invincible.converter._limits import SentPayloads, named_arguments
from invincible.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from ._client import Client

_logger = logging.getLogger("invincible.client")

# What servers say of a payload or memo (2 MiB by default), and of a whole request (4 MiB).
_REFUSALS = {
    RPCStatusCode.INVALID_ARGUMENT: re.compile("exceeds (size )?limit", re.IGNORECASE),
    RPCStatusCode.RESOURCE_EXHAUSTED: re.compile("message.* larger than max", re.IGNORECASE),
}
_ADVICE = (
    "servers take 2 MiB of payloads for one purpose and 4 MiB for one call by default: give the data converter an "
    "external_storage for large values, or send a reference to them"
)

SendingRequest: TypeAlias = (
    _native.StartWorkflowRequest
    | _native.SignalWorkflowRequest
    | _native.QueryWorkflowRequest
    | _native.UpdateRequest
    | _native.TerminateWorkflowRequest
)


def sent_by(request: SendingRequest, signature: Signature | None = None) -> SentPayloads:
    """What a request sends.

    Args:
        request: The request.
        signature: Of what is called, where it is known.
    """
    workflow = f"workflow {request.workflow_id!r}"
    match request:
        case _native.StartWorkflowRequest():
            values = named_arguments(request.input, signature)
            signalled = named_arguments(request.start_signal_input)
            values |= {f"{name} of signal {request.start_signal!r}": each for name, each in signalled.items()}
            return SentPayloads(f"{request.workflow_type!r} as {workflow}", values, request.memo)
        case _native.SignalWorkflowRequest():
            return SentPayloads(
                f"signal {request.signal!r} to {workflow}", named_arguments(request.input, signature), {}
            )
        case _native.QueryWorkflowRequest():
            return SentPayloads(f"query {request.query!r} of {workflow}", named_arguments(request.input, signature), {})
        case _native.UpdateRequest():
            return SentPayloads(
                f"update {request.name!r} of {workflow}", named_arguments(request.arguments, signature), {}
            )
        case _native.TerminateWorkflowRequest():
            return SentPayloads(f"termination of {workflow}", named_arguments(request.details), {})


@contextmanager
def sizes_checked(client: Client, sent: SentPayloads) -> Iterator[None]:
    """Warns of payloads above ``payload_limits``; names what is too large if the call is refused for it.

    Raises:
        RPCError: The call was refused for the size of what it sent.
    """
    limits = client.service_client.config.payload_limits
    for what, size, limit in (
        ("values", sent.values_size, limits.payloads_warn_size),
        ("memo", sent.memo_size, limits.memo_warn_size),
    ):
        if 0 < limit < size:
            _logger.warning(
                "%s: its %s have %s bytes, above the %s that payload_limits allows without a warning: %s",
                *(sent.target, what, f"{size:,}", f"{limit:,}", sent.largest()),
            )
    try:
        yield
    except RPCError as error:
        refusal = _REFUSALS.get(error.status)
        largest = sent.largest()
        if refusal is None or not largest or not refusal.search(error.message):
            raise
        message = f"{error.message.rstrip('.')}: {sent.target} is sent too much: {largest}; {_ADVICE}"
        raise RPCError(message, error.status, error.raw_grpc_status) from error
