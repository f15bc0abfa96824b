"""Payloads into external storage and out of it: which go, to which driver, and the references that stand for them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence, Sized
from typing import Any, Generic, TypeVar

from invincible._native import Payload

from ._errors import ConversionError
from ._payloads import as_payload
from ._storage import (
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageTarget,
)
from ._storage_references import claim_of, is_reference, not_configured, reference

_T = TypeVar("_T")


async def stored(storage: ExternalStorage, payloads: Sequence[Payload], target: StorageTarget | None) -> list[Payload]:
    """The payloads, with references in place of those that were stored.

    Raises:
        ConversionError: The selector chose an unknown driver, or a driver did not return a claim for each payload.
    """
    result = list(payloads)
    batches: dict[str, _Batch[int]] = {}
    for index, payload in enumerate(payloads):
        size = len(payload.SerializeToString())
        driver = _selected(storage, payload, target) if size >= storage.payload_size_threshold else None
        if driver is not None:
            batches.setdefault(driver.name(), _Batch(driver)).add(index, size)

    async def store(batch: _Batch[int]) -> None:
        claims = await batch.driver.store(
            StorageDriverStoreContext(target), [payloads[index] for index in batch.indexes]
        )
        batch.check("store", "claims", claims)
        for index, size, claim in zip(batch.indexes, batch.items, claims, strict=True):
            result[index] = reference(batch.driver.name(), claim, size)

    await _all([store(batch) for batch in batches.values()])
    return result


async def retrieved(storage: ExternalStorage | None, payloads: Sequence[Payload]) -> list[Payload]:
    """The payloads, with those that were stored in place of their references.

    Raises:
        ConversionError: There is no external storage, it does not have the driver of a reference, or a driver did
            not return a payload for each claim.
    """
    result = list(payloads)
    batches: dict[str, _Batch[StorageDriverClaim]] = {}
    for index, payload in enumerate(payloads):
        if is_reference(payload):
            try:
                driver, claim = _claimed(storage, payload)
            except ConversionError as error:
                error.index = index
                raise
            batches.setdefault(driver.name(), _Batch(driver)).add(index, claim)

    async def retrieve(batch: _Batch[StorageDriverClaim]) -> None:
        found = await batch.driver.retrieve(StorageDriverRetrieveContext(), batch.items)
        batch.check("retrieve", "payloads", found)
        for index, payload in zip(batch.indexes, found, strict=True):
            result[index] = as_payload(payload)

    await _all([retrieve(batch) for batch in batches.values()])
    return result


class _Batch(Generic[_T]):
    """What one driver stores or retrieves at once, with the positions of the payloads."""

    def __init__(self, driver: StorageDriver) -> None:
        self.driver = driver
        self.indexes: list[int] = []
        self.items: list[_T] = []

    def add(self, index: int, item: _T) -> None:
        self.indexes.append(index)
        self.items.append(item)

    def check(self, method: str, what: str, returned: Sized) -> None:
        if len(returned) != len(self.indexes):
            raise ConversionError(
                f"{type(self.driver).__name__}.{method} of driver {self.driver.name()!r} returned {len(returned)} "
                f"{what} for {len(self.indexes)}"
            )


def _selected(storage: ExternalStorage, payload: Payload, target: StorageTarget | None) -> StorageDriver | None:
    if storage.driver_selector is None:
        return storage.drivers[0]
    driver = storage.driver_selector(StorageDriverSelectContext(target), payload)
    if driver is not None and all(driver is not each for each in storage.drivers):
        raise ConversionError(
            f"driver_selector chose {driver.name()!r}, which is not one of the drivers of external_storage"
        )
    return driver


def _claimed(storage: ExternalStorage | None, payload: Payload) -> tuple[StorageDriver, StorageDriverClaim]:
    if storage is None:
        raise not_configured(payload)
    name, claim = claim_of(payload)
    for driver in storage.drivers:
        if driver.name() == name:
            return driver, claim
    names = ", ".join(repr(driver.name()) for driver in storage.drivers)
    raise ConversionError(
        f"the payload is in external storage of driver {name!r}, and external_storage has only {names}"
    )


async def _all(transfers: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Awaits all of them at once. The first that fails ends the others."""
    if len(transfers) == 1:
        await transfers[0]
        return
    tasks = [asyncio.ensure_future(transfer) for transfer in transfers]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
