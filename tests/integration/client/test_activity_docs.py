"""The programs and functions of the pages about activities do what the pages say."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invincible import activity
from invincible.client import ActivityFailureError, Client
from invincible.exceptions import CancelledError
from invincible.worker import Worker
from tests.support.conditions import eventually
from tests.support.guides import blocks, first_program

MINUTE = timedelta(minutes=1)

_tokens: list[bytes] = []


@activity.defn(start_to_close_timeout=MINUTE)
async def count_parts() -> int:
    _tokens.append(activity.info().task_token)
    activity.raise_complete_async()


def function(page: str, name: str) -> Callable[..., Awaitable[Any]]:
    [source] = [block for block in blocks(page) if f"async def {name}(" in block]
    module: dict[str, Any] = {}
    exec(compile(source, page, "exec"), module)
    found: Callable[..., Awaitable[Any]] = module[name]
    return found


@pytest.mark.parametrize(
    ("page", "printed"),
    [("standalone-activities.md", "invoice 17: 250\n"), ("async-completion.md", "approved\n")],
)
async def test_programs_print_what_they_should(page: str, printed: str, address: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(first_program(page, address), encoding="utf-8")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")


async def test_functions_about_standalone_activities_work(
    client: Client, task_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "standalone-activities.md"
    client = Client(client.service_client)
    handle = await client.start_activity(
        "send_invoice",
        "17",
        id="invoice-17",
        task_queue=task_queue,
        start_to_close_timeout=MINUTE,
        heartbeat_timeout=MINUTE,
    )
    await function(page, "give_more_time")(handle)
    assert capsys.readouterr().out == "0:10:00\n"
    assert (await handle.describe()).heartbeat_timeout == timedelta(0)

    @activity.defn(name="send_invoice")
    async def send_invoice(order_id: str) -> str:
        return f"invoice {order_id}"

    async with Worker(client, task_queue=task_queue, activities=[send_invoice]):
        await handle.result()
    await function(page, "show")(client)
    assert capsys.readouterr().out == "COMPLETED attempt 1\ncalled with ['17']\nresult invoice 17\n"

    async def reported() -> bool:
        await function(page, "report")(client)
        return "Completed " in capsys.readouterr().out

    await eventually(reported, what="the activity is counted")


async def test_a_worker_from_outside_completes_or_stops(
    client: Client, task_queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    work = function("async-completion.md", "work")
    async with Worker(client, task_queue=task_queue, activities=[count_parts]):

        async def start(number: int) -> tuple[Any, Any]:
            _tokens.clear()
            handle = await client.start_activity(count_parts, id=f"{task_queue}-{number}", task_queue=task_queue)

            async def token() -> bytes | None:
                return _tokens[0] if _tokens else None

            return handle, client.get_async_activity_handle(task_token=await eventually(token, what="it is left"))

        handle, outside = await start(1)
        await work(outside, ["a", "b"])
        assert await handle.result() == 2

        handle, outside = await start(2)
        await handle.cancel()
        await work(outside, ["a", "b"])
        with pytest.raises(ActivityFailureError) as error:
            await handle.result()
        assert isinstance(error.value.cause, CancelledError)
        assert list(error.value.cause.details) == ["stopped at a"]
    assert capsys.readouterr().out == "working on a\nworking on b\nworking on a\n"
