"""How calls get to the server: natively, or as messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from invincible import _loop
from invincible.service import headers, seconds

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from invincible import _native
    from invincible.service import ServiceResponse

    from ._client import Client

T = TypeVar("T")


async def native_call(
    client: Client,
    method: Callable[..., _native.Operation[T]],
    request: Any,
    metadata: Mapping[str, str | bytes],
    timeout: timedelta | None = None,
) -> T:
    """Makes a call, and connects first if the client is lazy.

    Args:
        client: The client.
        method: The method of :class:`_native.Client`.
        request: Its request.
        metadata: Headers of the call.
        timeout: Deadline of the call.

    Raises:
        TypeError: ``timeout`` is no ``timedelta``, or ``metadata`` no headers.
    """
    sent, limit = headers(metadata) if metadata else None, seconds("the timeout of a call", timeout)
    service = client.service_client
    native = service._connected or await service._connect()
    return await _loop.run(method(native, request, metadata=sent, timeout=limit))


class CallInput(Protocol):
    """What the inputs of all calls have."""

    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


async def service_call(
    client: Client, rpc: str, request: Message, response_type: type[ServiceResponse], input: CallInput
) -> ServiceResponse:
    """Makes a call that has no native form, with the headers and the deadline that its input asks for.

    Args:
        client: The client.
        rpc: Name of the method of the workflow service.
        request: Its request.
        response_type: Type of its response.
        input: The arguments of the interceptor's method.
    """
    return await client.service_client._rpc_call(
        rpc, request, response_type, retry=True, metadata=input.rpc_metadata, timeout=input.rpc_timeout
    )
