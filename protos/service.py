"""What the service classes of ``invincible.api`` have in common: they send messages over a connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Protocol, TypeVar

from google.protobuf.message import Message

Response = TypeVar("Response", bound=Message)


class Connection(Protocol):
    """A connection to a Temporal service; ``invincible.service.ServiceClient`` is one."""

    async def _rpc_call(
        self,
        rpc: str,
        req: Message,
        resp_type: type[Response],
        *,
        service: str,
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> Response: ...


class Service:
    """A service of Temporal's API with a method for each of its RPCs.

    Every method takes the RPC's request and returns its response.

    Args of every method:
        req: The request.
        retry: Whether a failed call is repeated as the connection's retry configuration says.
        metadata: Headers of this call; names of those with ``bytes`` end in ``-bin``.
        timeout: Deadline of each attempt.

    Raises of every method:
        RPCError: The service, or the way to it, refused the call.
        TypeError: The request is another message.
        RuntimeError: A lazy client could not connect.

    Args:
        client: The connection, an ``invincible.service.ServiceClient``.
    """

    _name: ClassVar[str]

    def __init__(self, client: Connection) -> None:
        """Creates the service over a connection."""
        self._client = client

    def __repr__(self) -> str:
        """Which service it is, and over which connection."""
        return f"<{type(self).__name__} of {self._client!r}>"

    async def _call(
        self,
        rpc: str,
        req_type: type[Message],
        req: Message,
        resp_type: type[Response],
        retry: bool,
        metadata: Mapping[str, str | bytes],
        timeout: timedelta | None,
    ) -> Response:
        # Another message might parse as this one. Its class may be that of another package that has the same protos.
        descriptor = getattr(req, "DESCRIPTOR", None)
        if descriptor is None or descriptor.full_name != req_type.DESCRIPTOR.full_name:
            raise TypeError(f"{rpc} takes a {req_type.__name__}, got {type(req).__name__}")
        return await self._client._rpc_call(
            rpc, req, resp_type, service=self._name, retry=retry, metadata=metadata, timeout=timeout
        )
