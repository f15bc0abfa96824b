"""Calls of the native client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from invincible import _loop, _native
from invincible.service import seconds

if TYPE_CHECKING:
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
    """
    service = client.service_client
    native = service._connected or await service._connect()
    return await _loop.run(method(native, request, metadata=metadata or None, timeout=seconds(timeout)))
