"""What type checkers make of Nexus operations. Nothing here is run; ``test_checkers`` has the checkers read it."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from typing_extensions import assert_type

from invincible import workflow
from invincible.client import Client
from invincible.client import NexusClient as StandaloneNexusClient
from invincible.client import NexusOperationHandle as StandaloneNexusOperationHandle
from invincible.workflow import NexusClient, NexusOperationHandle

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


@dataclass
class Operation(Generic[I, O]):
    """An operation with the attributes of those of ``nexusrpc``, which is no dependency."""

    name: str
    method_name: str | None = None
    input_type: type[I] | None = None
    output_type: type[O] | None = None


class Translation:
    translate: Operation[str, list[str]]
    count: Operation[int, None]


async def operations() -> None:
    client = workflow.create_nexus_client(service=Translation, endpoint="languages")
    assert_type(client, NexusClient[Translation])
    assert_type(workflow.create_nexus_client(service="translation", endpoint="languages"), NexusClient[Any])

    assert_type(await client.start_operation(Translation.translate, "hello"), NexusOperationHandle[list[str]])
    assert_type(await client.execute_operation(Translation.translate, "hello", summary="one word"), list[str])
    assert_type(await client.execute_operation(Translation.count, 1, start_to_close_timeout=timedelta(1)), None)
    assert_type(await client.start_operation("translate", "hello"), NexusOperationHandle[Any])
    assert_type(await client.start_operation("translate", "hello", output_type=str), NexusOperationHandle[str])
    assert_type(await client.execute_operation("translate", "hello"), Any)
    assert_type(await client.execute_operation("translate", "hello", output_type=str), str)

    await client.execute_operation(Translation.translate, 1)  # type: ignore[misc]
    await client.start_operation(Translation.count, "1")  # type: ignore[misc]
    await client.execute_operation(Translation.translate)  # type: ignore[call-overload]
    await client.execute_operation(Translation.translate, "hello", timeout=timedelta(1))  # type: ignore[call-overload]
    await client.execute_operation(Translation.translate, "hello", summary=1)  # type: ignore[call-overload]
    workflow.create_nexus_client(service=1, endpoint="languages")  # type: ignore[call-overload]


async def standalone_operations(client: Client) -> None:
    nexus = client.create_nexus_client(Translation, "languages")
    assert_type(nexus, StandaloneNexusClient[Translation])
    assert_type(client.create_nexus_client("translation", "languages"), StandaloneNexusClient[Any])

    started = await nexus.start_operation(Translation.translate, "hello", id="1")
    assert_type(started, StandaloneNexusOperationHandle[list[str]])
    assert_type(await started.result(), list[str])
    assert_type(await nexus.execute_operation(Translation.translate, "hello", id="1", summary="a word"), list[str])
    assert_type(await nexus.execute_operation("translate", "hello", id="1"), Any)
    assert_type(await nexus.execute_operation("translate", "hello", id="1", result_type=str), str)
    found = client.get_nexus_operation_handle("1", operation=Translation.translate)
    assert_type(found, StandaloneNexusOperationHandle[list[str]])
    assert_type(client.get_nexus_operation_handle("1"), StandaloneNexusOperationHandle[Any])
    assert_type(client.get_nexus_operation_handle("1", result_type=str), StandaloneNexusOperationHandle[str])

    await nexus.execute_operation(Translation.translate, 1, id="1")  # type: ignore[misc]
    await nexus.start_operation(Translation.translate, "hello")  # type: ignore[call-overload]
    await nexus.start_operation("translate", "hello", id=1)  # type: ignore[call-overload]
