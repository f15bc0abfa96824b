"""Payloads that are larger than they should be: a warning before they are sent, a clear error if they are refused."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from invincible import _native
from invincible._native import Payload
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
    return _SENT[type(request)](request, signature)


def _of_start(request: _native.StartWorkflowRequest, signature: Signature | None) -> SentPayloads:
    values = named_arguments(request.input, signature)
    if request.start_signal is not None:
        signalled = named_arguments(request.start_signal_input)
        values |= {f"{name} of signal {request.start_signal!r}": each for name, each in signalled.items()}
    target = f"workflow {request.workflow_type!r} with id {request.workflow_id!r}"
    return SentPayloads(target, values, named_memo(request.memo))


def _of_signal(request: _native.SignalWorkflowRequest, signature: Signature | None) -> SentPayloads:
    target = f"signal {request.signal!r} to workflow {request.workflow_id!r}"
    return SentPayloads(target, named_arguments(request.input, signature), {})


def _of_query(request: _native.QueryWorkflowRequest, signature: Signature | None) -> SentPayloads:
    target = f"query {request.query!r} of workflow {request.workflow_id!r}"
    return SentPayloads(target, named_arguments(request.input, signature), {})


def _of_update(request: _native.UpdateRequest, signature: Signature | None) -> SentPayloads:
    target = f"update {request.name!r} of workflow {request.workflow_id!r}"
    return SentPayloads(target, named_arguments(request.arguments, signature), {})


def _of_termination(request: _native.TerminateWorkflowRequest, signature: Signature | None) -> SentPayloads:
    return SentPayloads(f"termination of workflow {request.workflow_id!r}", named_arguments(request.details), {})


_SENT: dict[type, Callable[[Any, Signature | None], SentPayloads]] = {
    _native.StartWorkflowRequest: _of_start,
    _native.SignalWorkflowRequest: _of_signal,
    _native.QueryWorkflowRequest: _of_query,
    _native.UpdateRequest: _of_update,
    _native.TerminateWorkflowRequest: _of_termination,
}


class sizes_checked:  # used like a function, as those of contextlib
    """Warns of payloads above ``payload_limits``; names what is too large if the call is refused for it.

    Raises:
        RPCError: The call was refused for the size of what it sent.
    """

    def __init__(self, client: Client, sent: SentPayloads) -> None:
        """Warns of what is too large."""
        self._sent = sent
        limits = client.service_client.config.payload_limits
        self._warn("values", sent.values, limits.payloads_warn_size)
        if sent.memo:
            self._warn("memo", sent.memo, limits.memo_warn_size)

    def _warn(self, what: str, payloads: Mapping[str, Payload], limit: int) -> None:
        size = total_size(payloads) if limit > 0 else 0
        if size > limit:
            _logger.warning(
                "%s: %s bytes of %s, more than the %s from which on payload_limits warns: %s",
                *(self._sent.target, f"{size:,}", what, f"{limit:,}", largest(payloads)),
            )

    def __enter__(self) -> None:
        """Nothing: the call is made."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Raises another error for one that says nothing of what was too large."""
        if not isinstance(error, RPCError):
            return
        sent = self._sent
        refusal = _REFUSALS.get(error.status)
        parts = largest({**sent.values, **sent.memo})
        if refusal is None or not parts or not refusal.search(error.message):
            return
        message = f"{error.message.rstrip('.')}: {sent.target}, {parts}. {_ADVICE}"
        raise RPCError(message, error.status, error.raw_grpc_status) from error
