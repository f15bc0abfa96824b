"""What callers give to name a Nexus service or operation, resolved."""

from __future__ import annotations

import sys
from typing import Any, Protocol, TypeVar

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


class NexusOperation(Protocol[I, O]):
    """An operation of a ``nexusrpc`` service, by what of it is needed here: that package is no dependency."""

    name: str
    input_type: type[I] | None
    output_type: type[O] | None


def service_name(service: type | str) -> str:
    """The name of a service given as a class decorated by ``nexusrpc.service``, or as its name.

    Raises:
        TypeError: It is neither.
    """
    if isinstance(service, str):
        return service
    # Whoever has such a class has imported the package: it is no dependency of this one.
    nexusrpc = sys.modules.get("nexusrpc")
    definition = nexusrpc.get_service_definition(service) if nexusrpc is not None else None
    if definition is None:
        name = getattr(service, "__qualname__", repr(service))
        raise TypeError(f"{name} is not a Nexus service: decorate it with @nexusrpc.service, or give the name of one")
    name = definition.name
    assert isinstance(name, str)
    return name


def operation_reference(operation: Any) -> tuple[str, Any]:
    """Name and result type of an operation given as one of a ``nexusrpc`` service, a handler's method, or its name.

    Raises:
        TypeError: It is none of them.
    """
    if isinstance(operation, str):
        return operation, None
    found = operation
    name = getattr(found, "name", None)
    if not isinstance(name, str):
        nexusrpc = sys.modules.get("nexusrpc")
        # A handler's method knows the operation that it implements.
        found = nexusrpc.get_operation(operation) if nexusrpc is not None else None
        name = getattr(found, "name", None)
    if not isinstance(name, str):
        given = getattr(operation, "__qualname__", repr(operation))
        raise TypeError(
            f"a Nexus operation is named by an operation of a nexusrpc service, or by its name, got {given}"
        )
    return name, getattr(found, "output_type", None)
