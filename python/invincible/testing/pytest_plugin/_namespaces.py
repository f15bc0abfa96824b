"""Namespaces for tests."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invincible.client import Client
    from invincible.common import SearchAttributeKey

_DAY = 24 * 60 * 60
_NAME_LENGTH = 40


def unique_name(test: str) -> str:
    """A name for what belongs to one test, by which people recognize it."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-")[:_NAME_LENGTH]
    return f"{words or 'test'}-{secrets.token_hex(4)}"


async def register(client: Client, name: str, search_attributes: Sequence[SearchAttributeKey[Any]]) -> None:
    """Make a namespace that has these search attributes."""
    from google.protobuf.duration_pb2 import Duration

    from invincible.api.operatorservice.v1 import AddSearchAttributesRequest
    from invincible.api.workflowservice.v1 import RegisterNamespaceRequest

    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=_DAY))
    )
    if search_attributes:
        types: Mapping[str, Any] = {key.name: int(key.indexed_value_type) for key in search_attributes}
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=name, search_attributes=types)
        )
