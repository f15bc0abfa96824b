"""The guide to metrics, traces and logs, followed on the real server."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import urllib.request
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from invincible import workflow
from invincible.client import Client, WorkflowFailureError
from invincible.runtime import Runtime, TelemetryConfig
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.guides import follow
from tests.support.logs import Records
from tests.support.tracing import no_global_provider

PAGE = "observability.md"


async def test_metrics(address: str, task_queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = f"127.0.0.1:{free.getsockname()[1]}"
    names = await follow(PAGE, address, {"127.0.0.1:9090": endpoint}, only=[0, 1, 2, 3])
    assert capsys.readouterr().out == "orders 1 {'service_name': 'temporal-core-sdk', 'shop': 'north'}\n"
    assert isinstance(names["telemetry"], TelemetryConfig)
    client, checkout = names["client"], names["checkout"]
    async with Worker(client, task_queue=task_queue, workflows=[checkout], activities=[names["charge"]]):
        await client.execute_workflow(checkout, 12_000, id=task_queue, task_queue=task_queue)

    def scrape() -> str:
        with urllib.request.urlopen(f"http://{endpoint}/metrics", timeout=10) as response:
            body: bytes = response.read()
        return body.decode()

    scraped = await asyncio.to_thread(scrape)
    assert 'large="true"' in scraped
    assert "charged_amount_sum{" in scraped


async def test_traces(address: str, task_queue: str) -> None:
    exported = InMemorySpanExporter()
    given: dict[str, Any] = {"EXPORTED": exported, "Client": Client}
    with no_global_provider():
        names = await follow(
            PAGE,
            address,
            {"ConsoleSpanExporter()": "EXPORTED"},
            only=[1, 3, 4, 5],
            TelemetryConfig=TelemetryConfig,
            **given,
        )
        client, fulfil = names["traced"], names["Fulfil"]
        async with Worker(client, task_queue=task_queue, workflows=[fulfil], activities=[names["charge"]]):
            handle = await client.start_workflow(fulfil.run, 1, id=task_queue, task_queue=task_queue)

            async def charged() -> bool:
                names["provider"].force_flush()
                return any(span.name == "RunActivity:charge" for span in exported.get_finished_spans())

            await eventually(charged, what="the activity")
            await handle.cancel()
            with pytest.raises(WorkflowFailureError):
                await handle.result()
        names["provider"].shutdown()
    expected = {"StartWorkflow:Fulfil", "RunWorkflow:Fulfil", "fulfil", "StartActivity:charge", "RunActivity:charge"}
    assert {span.name for span in exported.get_finished_spans()} == expected


@workflow.defn
async def told(what: str) -> None:
    workflow.logger.info("told of %s", what, extra={"quiet": True})


async def test_logs(client: Client, address: str, task_queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    root, package = logging.getLogger(), logging.getLogger("invincible")
    before = (package.level, [*root.handlers])
    records = Records()
    try:
        names = await follow(PAGE, only=[6, 7], Runtime=Runtime, TelemetryConfig=TelemetryConfig)
        core = logging.getLogger("invincible.core")
        core.addHandler(records)
        traced = await Client.connect(address, runtime=names["forwarding"])
        async with Worker(traced, task_queue=task_queue, workflows=[told]):
            handle = await traced.start_workflow(told, "tea", id=task_queue, task_queue=task_queue)
            await handle.result()
        await asyncio.to_thread(records.wait_for)
        core.removeHandler(records)
    finally:
        package.setLevel(before[0])
        root.handlers[:] = before[1]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (line,) = (line for line in lines if line["logger"] == "invincible.workflow")
    assert (line["message"], line["level"], line["workflow_type"]) == ("told of tea", "INFO", "told")
    assert (line["workflow_id"], line["run_id"]) == (task_queue, handle.first_execution_run_id)
    assert any(line["logger"].startswith("invincible.core-sdk_core::") for line in lines)
