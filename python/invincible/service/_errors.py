"""What failed calls raise."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from invincible.exceptions import TemporalError

if TYPE_CHECKING:
    from invincible.api.common.v1 import GrpcStatus


class RPCStatusCode(IntEnum):
    """Status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(TemporalError):
    """The service, or the way to it, refused a call.

    Args:
        message: What the service said, or what stopped the call.
        status: The gRPC status code.
        raw_grpc_status: The status with its details as a serialized message; empty if there are none.
    """

    def __init__(self, message: str, status: RPCStatusCode, raw_grpc_status: bytes) -> None:
        """Creates the error."""
        super().__init__(message)
        self._message = message
        self._status = status
        self._raw_grpc_status = raw_grpc_status

    @property
    def message(self) -> str:
        """What the service said, or what stopped the call."""
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        """The gRPC status code."""
        return self._status

    @property
    def raw_grpc_status(self) -> bytes:
        """The status with its details as a serialized message; empty if there are none."""
        return self._raw_grpc_status

    @property
    def grpc_status(self) -> GrpcStatus:
        """The status with its details."""
        from invincible.api.common.v1 import GrpcStatus

        return GrpcStatus.FromString(self._raw_grpc_status)

    def __reduce__(self) -> tuple[type[RPCError], tuple[str, RPCStatusCode, bytes]]:
        """Pickles with all arguments, of which ``args`` shows the message only."""
        return type(self), (self._message, self._status, self._raw_grpc_status)
