"""Payloads that are larger than they should be: a warning before they are sent, a clear error if they are refused."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from invincible import _native
from invincible.converter import Signature
from invincible.converter._limits import SentPayloads, largest, named_arguments, named_memo, total_size
from invincible.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from ._client import Client

_logger = logging.getLogger("invincible.client")

# What servers say of arguments or a memo, and of a whole call.
_REFUSALS = {
    RPCStatusCode.INVALID_ARGUMENT: re.compile("(size|input) exceeds (length )?limit", re.IGNORECASE),
    RPCStatusCode.RESOURCE_EXHAUSTED: re.compile("message.* larger than max", re.IGNORECASE),
}
_ADVICE = (
    "By default servers take 2 MiB for the arguments of a call or a memo, and 4 MiB for a whole call: give the data "
    "converter an external_storage, or send a reference to the value"
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
            return SentPayloads(
                f"workflow {request.workflow_type!r} with id {request.workflow_id!r}", values, named_memo(request.memo)
            )
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
    for what, payloads, limit in (
        ("values", sent.values, limits.payloads_warn_size),
        ("memo", sent.memo, limits.memo_warn_size),
    ):
        size = total_size(payloads) if limit > 0 else 0
        if size > limit:
            _logger.warning(
                "%s: %s bytes of %s, more than the %s from which on payload_limits warns: %s",
                *(sent.target, f"{size:,}", what, f"{limit:,}", largest(payloads)),
            )
    try:
        yield
    except RPCError as error:
        refusal = _REFUSALS.get(error.status)
        parts = largest({**sent.values, **sent.memo})
        if refusal is None or not parts or not refusal.search(error.message):
            raise
        message = f"{error.message.rstrip('.')}: {sent.target}, {parts}. {_ADVICE}"
        raise RPCError(message, error.status, error.raw_grpc_status) from error
