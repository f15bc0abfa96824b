"""External storage: what is stored where, the references in its place, and what is wrong with it named."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.converter import (
    ActivitySerializationContext,
    ConversionError,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    ExternalStorage,
    NexusSerializationContext,
    PayloadCodec,
    SerializationContext,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    StorageWarning,
    WorkflowSerializationContext,
)
from invincible.exceptions import ApplicationError

REFERENCE = b"temporal.api.sdk.v1.ExternalStorageReference"
LARGE = "a" * 200
LARGER = "b" * 300


class MemoryDriver(StorageDriver):
    """Keeps payloads, and how it was called."""

    def __init__(self, name: str = "memory") -> None:
        self._name = name
        self.kept: list[Payload] = []
        self.stored: list[tuple[object, int]] = []
        self.retrieved: list[int] = []

    def name(self) -> str:
        return self._name

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        self.stored.append((context.target, len(payloads)))
        first = len(self.kept)
        self.kept += payloads
        return [StorageDriverClaim({"number": str(first + index)}) for index in range(len(payloads))]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        self.retrieved.append(len(claims))
        return [self.kept[int(claim.claim_data["number"])] for claim in claims]


class Reversing(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({"encoding": b"test/reversed"}, each.SerializeToString()[::-1]) for each in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert {each.encoding for each in payloads} == {"test/reversed"}
        return [Payload.FromString(each.data[::-1]) for each in payloads]


def storing(driver: StorageDriver, *, codec: PayloadCodec | None = None, threshold: int = 100) -> DataConverter:
    return DataConverter(
        payload_codec=codec, external_storage=ExternalStorage([driver], payload_size_threshold=threshold)
    )


async def test_large_payloads_are_stored_in_one_batch() -> None:
    driver = MemoryDriver()
    converter = storing(driver)
    payloads = await converter.encode([LARGE, "small", LARGER])
    assert driver.stored == [(None, 2)]
    assert payloads[1] == (await DataConverter.default.encode(["small"]))[0]
    assert await converter.decode(payloads) == [LARGE, "small", LARGER]
    assert driver.retrieved == [2]


async def test_the_reference_is_that_of_every_sdk() -> None:
    driver = MemoryDriver()
    (payload,) = await storing(driver).encode([LARGE])
    message = PayloadMessage.FromString(payload.SerializeToString())
    assert message.metadata == {"encoding": b"json/protobuf", "messageType": REFERENCE}
    assert message.data == b'{"claimData":{"number":"0"},"driverName":"memory"}'
    assert [details.size_bytes for details in message.external_payloads] == [len(driver.kept[0].SerializeToString())]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        (b"json/protobuf", b'{"driverName": "memory", "claimData": {"number": "0"}}'),
        (b"json/protobuf", b'{"driver_name": "memory", "claim_data": {"number": "0"}, "later": 1}'),
        (b"json/external-storage-reference", b'{"driver_name":"memory","driver_claim":{"claim_data":{"number":"0"}}}'),
    ],
)
async def test_references_of_others(encoding: bytes, data: bytes) -> None:
    driver = MemoryDriver()
    await storing(driver).encode([LARGE])
    reference = Payload({"encoding": encoding, "messageType": REFERENCE}, data)
    assert await storing(driver).decode([reference]) == [LARGE]


async def test_the_threshold_counts_the_whole_payload() -> None:
    size = len((await DataConverter.default.encode([LARGE]))[0].SerializeToString())
    for threshold, stored in ((size + 1, 0), (size, 1), (0, 1)):
        driver = MemoryDriver()
        await storing(driver, threshold=threshold).encode([LARGE])
        assert len(driver.kept) == stored


async def test_the_codec_comes_before_the_storage() -> None:
    driver = MemoryDriver()
    converter = storing(driver, codec=Reversing())
    payloads = await converter.encode([LARGE, "small"])
    assert driver.kept[0].encoding == "test/reversed"
    # The reference itself is not encoded.
    assert [payload.encoding for payload in payloads] == ["json/protobuf", "test/reversed"]
    assert await converter.decode(payloads) == [LARGE, "small"]


async def test_failures_are_stored_too() -> None:
    driver = MemoryDriver()
    converter = DataConverter(
        payload_codec=Reversing(),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        external_storage=ExternalStorage([driver], payload_size_threshold=100),
    )
    error = ApplicationError("m" * 200, LARGE, "small", LARGER)
    error.__cause__ = ApplicationError("cause", LARGE)
    failure = await converter.encode_failure(error)
    assert [count for _, count in driver.stored] == [1, 2, 1]
    assert b"aaaa" not in failure.SerializeToString()[::-1]
    received = await converter.decode_failure(failure)
    assert isinstance(received, ApplicationError)
    assert (received.message, received.details) == ("m" * 200, (LARGE, "small", LARGER))
    assert isinstance(received.cause, ApplicationError)
    assert received.cause.details == (LARGE,)


async def test_several_drivers_work_at_once() -> None:
    meeting: list[str] = []
    met = asyncio.Event()

    class Meeting(MemoryDriver):
        async def store(self, *args: Any, **kwargs: Any) -> list[StorageDriverClaim]:
            meeting.append(self.name())
            if len(meeting) == 2:
                met.set()
            await met.wait()
            return await super().store(*args)

    first, second = Meeting("first"), Meeting("second")
    contexts: list[StorageDriverSelectContext] = []

    def select(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        contexts.append(context)
        return {b"a": first, b"b": second}.get(payload.data[1:2])

    converter = DataConverter(external_storage=ExternalStorage([first, second], select, 100))
    payloads = await asyncio.wait_for(converter.encode([LARGE, LARGER, LARGE, "c" * 200]), 10)
    assert [len(first.kept), len(second.kept)] == [2, 1]
    assert payloads[3].encoding == "json/plain"
    assert contexts == [StorageDriverSelectContext(None)] * 4
    assert await converter.decode(payloads) == [LARGE, LARGER, LARGE, "c" * 200]


async def test_a_driver_that_fails_ends_the_others() -> None:
    ended = asyncio.Event()
    waits = asyncio.Event()

    class Waiting(MemoryDriver):
        async def store(self, *args: Any, **kwargs: Any) -> list[StorageDriverClaim]:
            waits.set()
            try:
                await asyncio.get_running_loop().create_future()
                return []
            finally:
                ended.set()

    class Failing(MemoryDriver):
        async def store(self, *args: Any, **kwargs: Any) -> list[StorageDriverClaim]:
            await waits.wait()
            raise OSError("the disk is full")

    waiting, failing = Waiting("waiting"), Failing("failing")
    storage = ExternalStorage([waiting, failing], lambda _, payload: waiting if b"a" in payload.data else failing, 100)
    with pytest.raises(OSError, match="the disk is full"):
        await DataConverter(external_storage=storage).encode([LARGE, LARGER])
    assert ended.is_set()


@pytest.mark.parametrize(
    ("context", "target"),
    [
        (WorkflowSerializationContext("ns", "wf"), StorageDriverWorkflowInfo(namespace="ns", id="wf")),
        (
            ActivitySerializationContext("ns", "1", "ship", "queue", "wf", "Order", False),
            StorageDriverWorkflowInfo(namespace="ns", id="wf", type="Order"),
        ),
        (
            ActivitySerializationContext("ns", "1", "ship", "queue", None, None, False),
            StorageDriverActivityInfo(namespace="ns", id="1", type="ship"),
        ),
        (NexusSerializationContext("endpoint", "service", "operation"), None),
    ],
)
async def test_drivers_are_told_the_target(context: SerializationContext, target: object) -> None:
    driver = MemoryDriver()
    converter = storing(driver)
    told = converter.with_context(context)
    await told.encode([LARGE])
    await told.encode_failure(ApplicationError("x", LARGE))
    await converter.encode([LARGE])
    assert driver.stored == [(target, 1), (target, 1), (None, 1)]


async def test_without_storage_a_context_makes_no_other_converter() -> None:
    context = WorkflowSerializationContext("ns", "wf")
    assert DataConverter.default.with_context(context) is DataConverter.default
    assert not DataConverter.default._transforms
    assert storing(MemoryDriver())._transforms


@pytest.mark.parametrize("codec", [None, Reversing()])
async def test_no_storage_where_there_is_a_reference(codec: PayloadCodec | None) -> None:
    payloads = await storing(MemoryDriver("bucket"), codec=codec).encode(["small", LARGE])
    with pytest.raises(ConversionError) as caught:
        await DataConverter(payload_codec=codec).decode(payloads)
    assert caught.value.index == 1
    assert str(caught.value) == (
        "[TMPRL1105] the payload is in external storage (driver 'bucket'), but the data converter has no "
        "external_storage: give it the one that the payload was written with"
    )


async def test_no_storage_where_a_failure_has_a_reference() -> None:
    failure = await storing(MemoryDriver()).encode_failure(ApplicationError("x", LARGE))
    with pytest.raises(ConversionError, match="TMPRL1105"):
        await DataConverter(payload_codec=Reversing()).decode_failure(failure)


async def test_a_driver_that_is_not_there() -> None:
    payloads = await storing(MemoryDriver("old")).encode([LARGE])
    with pytest.raises(ConversionError) as caught:
        await storing(MemoryDriver("new")).decode(payloads)
    assert str(caught.value) == (
        "the payload is in external storage of driver 'old', and external_storage has only 'new'"
    )
    assert caught.value.index == 0


async def test_a_broken_reference() -> None:
    for encoding, data in (
        (b"json/protobuf", b"{"),
        (b"json/protobuf", b'{"driverName": 1}'),
        (b"json/external-storage-reference", b'{"driver_name": "memory"}'),
        (b"json/external-storage-reference", b"\xff"),
    ):
        with pytest.raises(ConversionError, match="a reference to external storage refused the value"):
            await storing(MemoryDriver()).decode([Payload({"encoding": encoding, "messageType": REFERENCE}, data)])


async def test_a_driver_that_returns_too_few() -> None:
    class Losing(MemoryDriver):
        async def store(self, *args: Any, **kwargs: Any) -> list[StorageDriverClaim]:
            return (await super().store(*args))[1:]

        async def retrieve(self, *args: Any, **kwargs: Any) -> list[Payload]:
            return []

    with pytest.raises(ConversionError) as caught:
        await storing(Losing()).encode([LARGE, LARGER])
    assert str(caught.value) == "Losing.store of driver 'memory' returned 1 claims for 2"
    payloads = await storing(MemoryDriver()).encode([LARGE])
    with pytest.raises(ConversionError) as caught:
        await storing(Losing()).decode(payloads)
    assert str(caught.value) == "Losing.retrieve of driver 'memory' returned 0 payloads for 1"


async def test_a_selector_that_chooses_another_driver() -> None:
    storage = ExternalStorage([MemoryDriver("a")], lambda *_: MemoryDriver("a"), 100)
    with pytest.raises(ConversionError) as caught:
        await DataConverter(external_storage=storage).encode([LARGE])
    assert str(caught.value) == "driver_selector chose 'a', which is not one of the drivers of external_storage"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ExternalStorage([]), "ExternalStorage needs at least one driver"),
        (
            lambda: ExternalStorage([MemoryDriver("a"), MemoryDriver("a")], lambda *_: None),
            "ExternalStorage has several drivers named 'a': give each a name of its own",
        ),
        (
            lambda: ExternalStorage([MemoryDriver("a"), MemoryDriver("b")]),
            "ExternalStorage with several drivers needs a driver_selector",
        ),
        (
            lambda: ExternalStorage([MemoryDriver()], payload_size_threshold=-1),
            "payload_size_threshold must not be negative, got -1",
        ),
    ],
)
def test_bad_settings(make: Callable[[], ExternalStorage], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole message is compared
        make()
    assert str(caught.value) == message


def test_a_threshold_above_what_servers_take() -> None:
    with pytest.warns(StorageWarning, match="smaller payloads than the threshold will fail") as caught:
        ExternalStorage([MemoryDriver()], payload_size_threshold=3_000_000)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ExternalStorage([MemoryDriver()], payload_size_threshold=2 * 1024 * 1024)


def test_the_type_of_a_driver_is_its_class() -> None:
    assert MemoryDriver().type() == "MemoryDriver"


async def test_drivers_may_return_protobuf_messages() -> None:
    class Messages(MemoryDriver):
        async def retrieve(self, *args: Any, **kwargs: Any) -> list[Any]:
            return [PayloadMessage.FromString(each.SerializeToString()) for each in await super().retrieve(*args)]

    driver = Messages()
    assert await storing(driver).decode(await storing(driver).encode([LARGE])) == [LARGE]
