"""Values of Nexus operations that a worker handles: contexts, codecs, storage, limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import nexusrpc
import pytest
from nexusrpc.handler import (
    StartOperationContext,
    service_handler,
    sync_operation,
)
from typing_extensions import Self

from invincible.client import Client, NexusClient, NexusOperationFailureError
from invincible.converter import (
    DataConverter,
    DefaultPayloadConverter,
    ExternalStorage,
    NexusSerializationContext,
    Payload,
    SerializationContext,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    WithSerializationContext,
)
from invincible.exceptions import ApplicationError, FailureError, NexusHandlerError
from invincible.worker import Worker
from tests.support.codecs import SealingCodec, sealing, with_config
from tests.support.conditions import eventually
from tests.support.go_worker import nexus_endpoint

from .people import People, Person, served


async def test_codecs_and_contexts_reach_operations(client: Client, task_queue: str) -> None:
    codec = SealingCodec()
    sealed = with_config(client, data_converter=sealing(codec))
    async with served(sealed, task_queue) as (_, caller):
        assert await caller.execute_operation(People.greet, Person("Ada"), id=task_queue) == "Hello, Ada"
        with pytest.raises(NexusOperationFailureError) as raised:
            await caller.execute_operation(People.fail, "operation failed", id=task_queue)
    error = raised.value.cause
    assert isinstance(error, ApplicationError)
    assert isinstance(error.cause, ApplicationError)
    assert list(error.cause.details) == [1]
    context = NexusSerializationContext(task_queue, "people", "greet")
    assert codec.contexts('"Hello, Ada"') == {context}


class Choosy(DefaultPayloadConverter, WithSerializationContext):
    """Knows operations, and does not want some."""

    def with_context(self, context: SerializationContext) -> Self:
        if isinstance(context, NexusSerializationContext) and context.operation == "greet":
            raise LookupError("no key for this one")
        return self


class Failing(SealingCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise LookupError("no key to seal with")


@pytest.mark.parametrize(
    ("converter", "operation"),
    [
        (DataConverter(payload_converter_class=Choosy), People.greet),
        (DataConverter(payload_codec=Failing()), People.nothing),
        # There is nothing to open: the caller has no codec.
        (sealing(), People.greet),
    ],
    ids=["context", "encode", "decode"],
)
async def test_converters_and_codecs_that_raise_fail_the_call_and_no_more(
    client: Client, task_queue: str, converter: DataConverter, operation: nexusrpc.Operation[Any, Any]
) -> None:
    async with served(with_config(client, data_converter=converter), task_queue):
        caller = client.create_nexus_client(People, task_queue)
        arg = None if operation is People.nothing else Person("Ada")
        call = await caller.start_operation(operation, arg, id=task_queue)

        async def failure() -> FailureError | None:
            error = (await call.describe()).last_attempt_failure
            return error if isinstance(error, FailureError) else None

        error = await eventually(failure, what="the handler has failed")
        assert isinstance(error, NexusHandlerError)
        assert error.type == "INTERNAL"
        await call.terminate()


async def test_a_result_that_is_too_large_is_told(client: Client, task_queue: str) -> None:
    @service_handler(name="large")
    class Large:
        @sync_operation
        async def much(self, ctx: StartOperationContext, input: None) -> str:
            return "x" * 3_000_000

    async with nexus_endpoint(client, name=task_queue, task_queue=task_queue) as endpoint:
        caller: NexusClient[Any] = client.create_nexus_client("large", endpoint)
        async with Worker(client, task_queue=task_queue, nexus_service_handlers=[Large()]):
            with pytest.raises(NexusOperationFailureError) as raised:
                await caller.execute_operation("much", None, id=task_queue)
    error = raised.value.cause
    assert isinstance(error, NexusHandlerError)
    assert (error.type, error.retryable) == ("INTERNAL", False)
    assert "the result of Nexus operation 'much' has 3,000,0" in error.message


class Storage(StorageDriver):
    def __init__(self) -> None:
        self.kept: list[Payload] = []

    def name(self) -> str:
        return "list"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        self.kept += payloads
        first = len(self.kept) - len(payloads)
        return [StorageDriverClaim({"index": str(index)}) for index in range(first, len(self.kept))]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return [self.kept[int(claim.claim_data["index"])] for claim in claims]


async def test_large_values_are_stored_outside(client: Client, task_queue: str) -> None:
    driver = Storage()
    storage = ExternalStorage(drivers=[driver], payload_size_threshold=1000)
    storing = with_config(client, data_converter=DataConverter(external_storage=storage))
    async with served(storing, task_queue) as (_, caller):
        name = "x" * 2000
        assert await caller.execute_operation(People.greet, Person(name), id=task_queue) == f"Hello, {name}"
    # The input and the result.
    assert len(driver.kept) == 2
