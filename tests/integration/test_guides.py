"""Pages of the documentation, followed on the real server. Those of one area are followed by its tests, and what
`connection.md` says of TLS and keys is tried in the folder `connection`.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from invincible import workflow
from invincible.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec, SyncClient
from invincible.contrib.storage import DirectoryStorageDriver
from invincible.converter import DataConverter, ExternalStorage, WorkflowSerializationContext
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.dev import running
from tests.support.guides import blocks, follow, text
from tests.support.processes import Program
from tests.support.server import server_process


@workflow.defn(name="Order")
class Order:
    def __init__(self) -> None:
        self.approved = False

    @workflow.run
    async def run(self, order: Any = None) -> str:
        if order == {"item": "approval"}:
            await workflow.wait_condition(lambda: self.approved)
        return f"receipt for {order}"

    @workflow.signal
    def approve(self) -> None:
        self.approved = True


async def test_the_first_page(address: str, task_queue: str, tmp_path: Path) -> None:
    """The page in its order: a file, the command that runs it, a call from the command line, and one from a script."""
    app, script = blocks("README.md")
    (tmp_path / "app.py").write_text(app, encoding="utf-8")
    # Two workflows of one id cannot run at the same time, and other tests have a task queue of this name.
    own = (
        script.replace("localhost:7233", address).replace("welcome-ada", task_queue).replace('"app"', f'"{task_queue}"')
    )
    (tmp_path / "script.py").write_text(own, encoding="utf-8")
    [target] = re.findall(r"^\$ invincible dev (\S+)", text("README.md"), re.MULTILINE)
    [(command, printed)] = re.findall(r"^\$ invincible (workflow .*?) +#.*\n(.*)$", text("README.md"), re.MULTILINE)

    async with running(tmp_path, address, task_queue, target=target):
        execute = [task_queue if part == "app" else part for part in shlex.split(command)]
        for program in (["-m", "invincible", *execute, "--address", address], [tmp_path / "script.py"]):
            async with Program(sys.executable, *program) as called:
                assert await called.exit_code(timeout=60) == 0, called.output
            assert called.output.strip('"') == printed.strip('"')


async def test_clients(capsys: pytest.CaptureFixture[str]) -> None:
    page = "client.md"
    async with server_process(search_attributes=["Customer=Keyword"]) as server:
        client = await Client.connect(server.address)
        async with Worker(client, task_queue="orders", workflows=[Order]):
            names = await follow(page, server.address, only=[0, 1])
            await names["main"]()
            assert capsys.readouterr().out == "receipt for {'item': 'tea'}\n"
            handle = await names["start"](client)
            described = await handle.describe()
            assert described.typed_search_attributes[names["CUSTOMER"]] == "ada"
            assert await described.memo() == {"channel": "web"}
            assert await described.static_summary() == "two cups of tea"

        names = await follow(page, server.address, only=[2])
        handle = await (await names["connect"]()).start_workflow("Order", id="tenant", task_queue="orders")
        assert await (await handle.describe()).memo() == {"tenant": "acme"}

        names = await follow(page, server.address, only=[3])
        connected = await names["connect"]()
        assert connected.namespace == "billing"
        assert connected.identity.endswith(" of billing")


async def test_connections(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "there is none"))
    names = await follow("connection.md", address, only=[0, 3, 4])
    assert names["config"] == {"target_host": address}
    assert type(names["response"]).__name__ == "DescribeTaskQueueResponse"


async def test_the_blocking_client(client: Client, address: str, task_queue: str) -> None:
    ids = {
        '"orders"': f'"{task_queue}"',
        '"report"': f'"{task_queue}"',
        "order-": f"{task_queue}-",
        # Other tests have failed workflows too, with memos that are encrypted.
        "ExecutionStatus = 'Failed'": f"WorkflowId STARTS_WITH '{task_queue}'",
    }

    class Cart(dict[str, str]):
        id = "1"

    def session(only: list[int], **names: Any) -> dict[str, Any]:
        return asyncio.run(follow("sync-client.md", address, ids, only=only, **names))

    async with Worker(client, task_queue=task_queue, workflows=[Order]):
        names = await asyncio.to_thread(session, [0], Order=Order, order=Cart(item="approval"))
        assert names["receipt"] == "receipt for {'item': 'approval'}"

    action = ScheduleActionStartWorkflow("Order", id=task_queue, task_queue=task_queue)
    schedule = await client.create_schedule(task_queue, Schedule(action, ScheduleSpec(cron_expressions=["@yearly"])))
    with SyncClient.connect(address) as blocking:
        handle = blocking.get_workflow_handle(f"{task_queue}-1")
        names = await asyncio.to_thread(session, [1, 2], client=blocking, handle=handle)
    assert names["receipt"] == "receipt for {'item': 'approval'}"

    async def updated() -> bool:
        [calendar] = (await schedule.describe()).schedule.spec.calendars
        return [range.start for range in calendar.hour] == [3]

    await eventually(updated, what="the schedule is changed")
    await schedule.delete()


async def test_codecs(address: str, task_queue: str) -> None:
    ids = {f'"{name}"': f'"{task_queue}"' for name in ("reading", "reading-1")}
    names = await follow("codecs.md", address, ids)
    assert names["summary"] == "It was a bright cold"
    events = (await names["client"].get_workflow_handle(task_queue).fetch_history()).events
    [sent] = events[0].workflow_execution_started_event_attributes.input.payloads
    assert sent.metadata["encoding"] == b"binary/deflated"
    codec = names["DeflatePerWorkflow"]().with_context(WorkflowSerializationContext("default", "order-1"))
    assert codec.workflow_id == "order-1"


async def test_encryption(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYLOAD_KEY", "17" * 32)
    monkeypatch.setenv("CODEC_TOKEN", "token")

    class Vault:
        async def read(self, path: str) -> bytes:
            assert path == "payload-keys/2026-07"
            return bytes(32)

    names = await follow("encryption.md", address, only=[0, 1], vault=Vault())
    converter = (await names["connect"]()).data_converter
    await returns(converter, encoding="binary/encrypted")
    await returns(DataConverter(payload_codec=names["codec"]), encoding="binary/encrypted")

    for name in ("orders", "orders.converter"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["orders.converter"].__dict__["converter"] = converter
    assert callable((await follow("encryption.md", only=[2]))["app"])


async def test_external_storage(address: str, tmp_path: Path) -> None:
    class Bucket:
        def __init__(self) -> None:
            self.objects: dict[str, bytes] = {}

        async def put(self, data: bytes) -> str:
            self.objects["key"] = data
            return "key"

        async def get(self, key: str) -> bytes:
            return self.objects[key]

    bucket = Bucket()
    for name in ("all", "fast", "cheap"):
        (tmp_path / name).mkdir()
    fast, cheap = (DirectoryStorageDriver(tmp_path / name, name=name) for name in ("fast", "cheap"))
    place = {"/mnt/payloads": str(tmp_path / "all")}
    names = await follow("external-storage.md", address, place, bucket=bucket, fast=fast, cheap=cheap)
    large = "x" * 300_000
    await returns((await names["connect"]()).data_converter, large)
    assert any((tmp_path / "all").iterdir())
    await returns(DataConverter(external_storage=ExternalStorage([names["BucketDriver"]()])), large)
    assert bucket.objects
    await returns(DataConverter(external_storage=names["storage"]), large)
    assert any((tmp_path / "fast").iterdir())
    assert not any((tmp_path / "cheap").iterdir())


async def returns(converter: DataConverter, value: str = "a value", *, encoding: str | None = None) -> None:
    """Asserts that a value comes back, after it was sent in another form."""
    [payload] = await converter.encode([value])
    assert value.encode() not in payload.data
    assert encoding in (None, payload.encoding)
    assert await converter.decode([payload], [str]) == [value]
