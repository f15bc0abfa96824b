"""Makes ``killed-worker.svg``, the terminal in the README, from a real run of ``examples/counter``.

Run it from the repository's root, with the project's environment: ``python docs/pictures/killed_worker.py``.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from invincible.testing import WorkflowEnvironment

PICTURE = Path(__file__).with_name("killed-worker.svg")
KILL_AFTER = "4"
# Seconds from a line to the kill: then the number is in the history, and the timer is under way.
INTO_THE_TIMER = 0.5


class Session:
    """A terminal: commands that are run, and what they print."""

    def __init__(self, address: str) -> None:
        self._environment = {**os.environ, "TEMPORAL_ADDRESS": address, "PYTHONUNBUFFERED": "1"}
        self._console = Console(record=True, width=72, file=io.StringIO(), color_system="truecolor", highlight=False)

    async def run(self, module: str, *, comment: str = "", kill_after: str = "", stop_after: str = "") -> None:
        """Runs a program until it ends, or prints a line after which it is killed or stopped."""
        self._show(f"$ python -m {module}", f"   # {comment}" if comment else "")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        async for line in process.stdout:
            said = line.decode().rstrip()
            self._show(said)
            if said == kill_after:
                await asyncio.sleep(INTO_THE_TIMER)
                process.kill()
            elif said == stop_after:
                process.terminate()
                break
        if await process.wait() < 0 and kill_after:
            # What a shell says of it.
            self._show("Killed")

    def _show(self, line: str, comment: str = "") -> None:
        style = "bold" if line.startswith("$") else "bold red" if line == "Killed" else ""
        self._console.print(Text.assemble((line, style), (comment, "bright_black")))

    def picture(self) -> str:
        """The session, as a picture that loads nothing from elsewhere."""
        template = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
        template = template.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
        svg = self._console.export_svg(title="a worker is killed", code_format=template, unique_id="session")
        return "\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n"


async def main() -> None:
    async with await WorkflowEnvironment.start_local() as environment:
        session = Session(environment.client.service_client.config.target_host)
        await session.run("examples.counter.starter")
        await session.run("examples.counter.worker", comment="kill -9 comes after 4", kill_after=KILL_AFTER)
        await session.run("examples.counter.worker", comment="another one goes on", stop_after="*** Counted to 10")
    PICTURE.write_text(session.picture(), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
