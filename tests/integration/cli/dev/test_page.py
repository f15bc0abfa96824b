"""`invincible dev`: its page shows what it prints."""

from __future__ import annotations

import difflib
import re
import signal
from pathlib import Path

from invincible.client import Client
from tests.support import guides
from tests.support.dev import Dev, has, write


class Page:
    """What docs/dev.md says that is printed, block by block."""

    def __init__(self) -> None:
        text = guides.text("dev.md")
        self.blocks = re.findall(r"^```(?:text|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)

    def has(self, printed: str) -> None:
        """Assert that a block is this."""
        blocks = [block.partition("$ invincible dev orders.py\n")[2] or block for block in self.blocks]
        likest = difflib.get_close_matches(printed, blocks, n=1, cutoff=0)
        assert printed == likest[0]


def normalized(printed: str) -> str:
    """What differs from run to run, as it is on the page."""
    for pattern, text in (
        (r"^\d\d:\d\d:\d\d ", "10:42:07 "),
        (r"in \d+\.\d s", "in 0.4 s"),
        (r"after \d+\.\d s", "after 0.3 s"),
        (r"127\.0\.0\.1:\d+ ", "127.0.0.1:7233 "),
        (r"http://127\.0\.0\.1:\d+$", "http://127.0.0.1:8233"),
        (r" --address 127\.0\.0\.1:\d+", ""),
        (r"run [0-9a-f-]{36}", "run 0198c0de-7b1e-7f3a-9d52-3f0a5d7c1e42"),
        (r"^invincible dev .*$", "invincible dev 0.1.0"),
    ):
        printed = re.sub(pattern, text, printed, flags=re.MULTILINE)
    return printed


class Typist(Dev):
    """The command without `--json`, read a part at a time."""

    _from = 0

    async def until(self, pattern: str) -> str:
        """What was printed since the last time, up to the first line with a pattern; normalized."""
        await self.line(pattern, timeout=60)
        lines = self.output.split("\n")
        end = next(number for number, line in enumerate(lines) if number >= self._from and re.search(pattern, line)) + 1
        # On a machine that has much to do, a load takes long enough to be told.
        part = [line for line in lines[self._from : end] if "worker waits for" not in line]
        self._from = end
        return normalized("".join(f"{line}\n" for line in part))


async def test_the_page_shows_what_is_printed(project: Path) -> None:
    page = Page()
    folder = project
    app = guides.blocks("dev.md")[0]
    call = "        receipt = await charge.execute(customer, amount)\n"
    assert call in app
    write(folder, app)
    async with Typist(folder, "--port", "0", as_json=False) as dev:
        started = await dev.until("watching this folder")
        page.has(started)
        address = re.search(r"127\.0\.0\.1:\d+", dev.output)
        assert address is not None
        client = await Client.connect(address[0])
        handle = await client.start_workflow("Order", args=["Ada", 12.5], id="order-1", task_queue="orders")
        page.has(await dev.until("charging Ada"))
        await has(handle, "EVENT_TYPE_ACTIVITY_TASK_COMPLETED")

        write(folder, app + "\n\n@activity.defn\nasync def refund() -> None: ...\n")
        page.has(await dev.until("reloaded"))

        write(folder, app.replace("shipped = True", "shipped = (True"))
        page.has(await dev.until("the code before goes on running"))

        write(folder, app.replace(call, f"        await workflow.sleep(1)\n{call}"))
        reloaded = await dev.until("reloaded")
        await handle.signal("ship")
        page.has(reloaded + await dev.until("invincible workflow reset"))

        slow = app.replace("    return f", "    await asyncio.sleep(600)\n    return f")
        write(folder, slow)
        await dev.until("reloaded")
        assert await handle.result() == "Ada paid 12.5"
        await client.start_workflow("Order", args=["Bob", 1], id="order-2", task_queue="orders")
        await dev.until("charging Bob")
        write(folder, app)
        page.has(await dev.until("ApplicationError: WorkerShutdown"))
        await client.get_workflow_handle("order-2").signal("ship")
        assert await client.get_workflow_handle("order-2").result() == "Bob paid 1.0"
        await dev.until("charging Bob")

        dev.send(signal.SIGINT)
        page.has(await dev.until("has ended"))
        assert await dev.exit_code() == 0
