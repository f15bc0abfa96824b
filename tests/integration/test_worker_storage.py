"""External storage in workers: large payloads of workflows and activities go to the driver, and come back from it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from invincible import activity, workflow
from invincible._native import Payload
from invincible.client import Client
from invincible.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
)
from invincible.worker import Replayer, Worker
from tests.support.codecs import SealingCodec, payloads_in, with_config
from tests.support.history import fetch_events

THRESHOLD = 1000
LIMIT = 30.0


class MemoryDriver(StorageDriver):
    """Keeps payloads in memory, and notes who they are for and how many calls run at a time."""

    def __init__(self) -> None:
        self.stored: dict[str, Payload] = {}
        self.targets: list[object] = []
        self.running = 0
        self.most_running = 0

    def name(self) -> str:
        return "memory"

    async def store(self, context: StorageDriverStoreContext, payloads: Sequence[Payload]) -> list[StorageDriverClaim]:
        self.targets.append(context.target)
        claims = []
        for payload in payloads:
            key = str(len(self.stored))
            self.stored[key] = payload
            claims.append(StorageDriverClaim({"key": key}))
        await self._work()
        return claims

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        await self._work()
        return [self.stored[claim.claim_data["key"]] for claim in claims]

    async def _work(self) -> None:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        for _ in range(10):  # lets others begin
            await asyncio.sleep(0)
        self.running -= 1


def large(text: str) -> str:
    return text.ljust(2 * THRESHOLD)


@activity.defn(start_to_close_timeout=timedelta(seconds=20))
async def enlarge(text: str) -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(large("beat"))
        raise ValueError("once")
    assert list(activity.info().heartbeat_details) == [large("beat")]
    return large(text.strip().upper())


@activity.defn(start_to_close_timeout=timedelta(seconds=20))
def enlarge_on_thread(text: str) -> str:
    return large(text.strip().upper())


@workflow.defn
async def kid(text: str) -> str:
    return large(text.strip().upper())


@workflow.defn
class Storing:
    @workflow.run
    async def run(self, text: str, count: int) -> str:
        assert await enlarge.execute(large("one")) == large("ONE")
        assert await enlarge_on_thread.execute(large("two")) == large("TWO")
        threes = await asyncio.gather(*(enlarge_on_thread.execute(large(f"{each}")) for each in range(count)))
        assert list(threes) == [large(f"{each}") for each in range(count)]
        own_id = workflow.info().workflow_id
        child: Any = await workflow.start_child_workflow(
            kid, large("kid"), id=f"{own_id}-kid", memo={"note": large("memo")}
        )
        assert await child == large("KID")
        workflow.upsert_memo({"note": large("note")})
        return text.upper()


def storing(client: Client, driver: StorageDriver) -> Client:
    storage = ExternalStorage(drivers=[driver], payload_size_threshold=THRESHOLD)
    return with_config(client, data_converter=DataConverter(payload_codec=SealingCodec(), external_storage=storage))


def worker(client: Client, task_queue: str, **options: Any) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[Storing, kid],
        activities=[enlarge, enlarge_on_thread],
        **options,
    )


async def test_large_payloads_are_stored_for_those_who_need_them(client: Client, task_queue: str) -> None:
    driver = MemoryDriver()
    client = storing(client, driver)
    async with worker(client, task_queue):
        handle = await client.start_workflow(Storing.run, args=[large("text"), 8], id=task_queue, task_queue=task_queue)
        assert await asyncio.wait_for(handle.result(), LIMIT) == large("TEXT")
    events = await fetch_events(client, task_queue)
    assert all(len(payload.data) < THRESHOLD for event in events for _, payload in payloads_in(event))
    run_id = handle.result_run_id

    def target(**fields: str | None) -> StorageDriverWorkflowInfo:
        return StorageDriverWorkflowInfo(namespace=client.namespace, **fields)

    own = target(id=task_queue, run_id=run_id, type="Storing")
    # The client, which knows no run yet; the run and its activities; the child, and its result for the parent.
    assert set(driver.targets) == {
        target(id=task_queue, type="Storing"),
        own,
        target(id=f"{task_queue}-kid", type="kid"),
        target(id=task_queue, run_id=run_id),
    }
    assert driver.targets.count(own) >= 20

    history = await handle.fetch_history()
    await Replayer(workflows=[Storing], data_converter=client.data_converter).replay_workflow(history)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_the_payloads_of_a_task_are_stored_a_few_at_a_time(
    client: Client, task_queue: str, concurrency: int
) -> None:
    @workflow.defn
    async def memos() -> int:
        workflow.upsert_memo({f"note {each}": large(str(each)) for each in range(12)})
        await workflow.sleep(0.01)
        return len(workflow.memo())

    driver = MemoryDriver()
    client = storing(client, driver)
    options: dict[str, Any] = {"max_workflow_task_external_storage_concurrency": concurrency}
    async with Worker(client, task_queue=task_queue, workflows=[memos], **options):
        count = await asyncio.wait_for(client.execute_workflow(memos, id=task_queue, task_queue=task_queue), LIMIT)
    assert count == 12
    assert driver.most_running == concurrency


def test_the_concurrency_is_at_least_one(client: Client) -> None:
    with pytest.raises(ValueError, match="max_workflow_task_external_storage_concurrency must be at least 1"):
        Worker(client, task_queue="queue", workflows=[kid], max_workflow_task_external_storage_concurrency=0)
