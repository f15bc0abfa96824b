"""Values above the server's limits, through a directory that client and worker share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._native import Payload
from invincible.client import Client, WorkflowFailureError
from invincible.contrib.encryption import EncryptionCodec
from invincible.contrib.storage import DirectoryStorageDriver
from invincible.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriverClaim,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)
from invincible.exceptions import ActivityError, ApplicationError
from invincible.worker import Worker

LARGE = 3_000_000


@activity.defn(start_to_close_timeout=timedelta(seconds=30))
async def repeated(text: str, times: int) -> str:
    if times < 0:
        raise ApplicationError("negative", text, non_retryable=True)
    return text * times


@workflow.defn
class Large:
    def __init__(self) -> None:
        self.text = ""

    @workflow.run
    async def run(self, text: str, times: int) -> str:
        result = await repeated.execute(text, times)
        await workflow.wait_condition(lambda: bool(self.text))
        return result + self.text

    @workflow.signal
    def add(self, text: str) -> None:
        self.text = text

    @workflow.query
    def added(self) -> str:
        return self.text


class RecordingDriver(DirectoryStorageDriver):
    """Notes for what it stores."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.targets: list[Any] = []

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        self.targets.append(context.target)
        return await super().store(context, payloads)


def converter(directory: Path, *, encrypted: bool = False) -> DataConverter:
    return DataConverter(
        payload_codec=EncryptionCodec({"k": bytes(32)}, key_id="k") if encrypted else None,
        external_storage=ExternalStorage([DirectoryStorageDriver(directory)]),
    )


def contents(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


@pytest.mark.parametrize("encrypted", [False, True])
async def test_values_of_megabytes_go_everywhere(
    address: str, task_queue: str, tmp_path: Path, encrypted: bool
) -> None:
    client = await Client.connect(address, data_converter=converter(tmp_path, encrypted=encrypted))
    client._raise_task_failures = True
    async with Worker(client, task_queue=task_queue, workflows=[Large], activities=[repeated]):
        handle = await client.start_workflow(Large.run, args=["a" * LARGE, 2], id=task_queue, task_queue=task_queue)
        await handle.signal(Large.add, "b" * LARGE)
        assert await handle.result() == "a" * (2 * LARGE) + "b" * LARGE
        assert await handle.query(Large.added) == "b" * LARGE
    stored = contents(tmp_path)
    assert any(len(content) > 2 * LARGE for content in stored)
    assert any(b"aaaa" in content for content in stored) is not encrypted
    history = await handle.fetch_history()
    assert sum(len(event.SerializeToString()) for event in history.events) < 20_000


async def test_details_of_failures_are_stored(address: str, task_queue: str, tmp_path: Path) -> None:
    client = await Client.connect(address, data_converter=converter(tmp_path))
    async with Worker(client, task_queue=task_queue, workflows=[Large], activities=[repeated]):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(Large.run, args=["a" * LARGE, -1], id=task_queue, task_queue=task_queue)
    assert isinstance(failed.value.cause, ActivityError)
    cause = failed.value.cause.cause
    assert isinstance(cause, ApplicationError)
    assert cause.details == ("a" * LARGE,)


async def test_drivers_are_told_the_workflow(address: str, task_queue: str, tmp_path: Path) -> None:
    driver = RecordingDriver(tmp_path)
    storage = ExternalStorage([driver], payload_size_threshold=0)
    client = await Client.connect(address, data_converter=DataConverter(external_storage=storage))
    handle = await client.start_workflow(
        "Large", "x", id=task_queue, task_queue=task_queue, memo={"m": 1}, start_signal="add", start_signal_args=["y"]
    )
    typed = StorageDriverWorkflowInfo(namespace="default", id=task_queue, type="Large")
    assert driver.targets == [typed] * 3
    await handle.signal("add", "z")
    assert driver.targets[3:] == [StorageDriverWorkflowInfo(namespace="default", id=task_queue)]
    assert await (await handle.describe()).memo() == {"m": 1}


async def test_a_client_without_the_storage_is_told_so(address: str, task_queue: str, tmp_path: Path) -> None:
    storage = ExternalStorage([DirectoryStorageDriver(tmp_path)], payload_size_threshold=0)
    storing = await Client.connect(address, data_converter=DataConverter(external_storage=storage))
    await storing.start_workflow("Large", "x", id=task_queue, task_queue=task_queue, memo={"m": "value"})
    plain = await Client.connect(address)
    description = await plain.get_workflow_handle(task_queue).describe()
    with pytest.raises(TypeError, match=r"\[TMPRL1105\] the payload is in external storage \(driver 'directory'\)"):
        await description.memo()
