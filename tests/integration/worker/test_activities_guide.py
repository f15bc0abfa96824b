"""The page about activities, followed on the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.support.guides import blocks, first_program


async def test_the_program_prints_what_it_should(address: str, tmp_path: Path) -> None:
    program = tmp_path / "pictures.py"
    program.write_text(first_program("activities.md", address), encoding="utf-8")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "cat.jpg is small now\ndog.jpg is small now\n2\n", "")


async def test_the_executor_of_the_page_runs_its_activity(address: str, tmp_path: Path) -> None:
    """The blocks about training, as a module."""
    source = "\n".join(
        [
            "import asyncio",
            "from datetime import timedelta",
            "from invincible import activity",
            "from invincible.client import Client",
            "from invincible.worker import Worker",
            *blocks("activities.md")[2:4],
            "class library:",
            "    @staticmethod",
            "    def train(model: str) -> str:",
            "        import os",
            "        return f'{model} {os.getpid()}'",
            "async def main() -> None:",
            f"    client = await Client.connect({address!r})",
            "    serving = asyncio.ensure_future(serve(client))",
            "    handle = await client.start_activity(train, 'm', id='training', task_queue='training',",
            "        start_to_close_timeout=timedelta(minutes=1))",
            "    model, pid = (await handle.result()).split()",
            "    import os",
            "    print(model, int(pid) != os.getpid())",
            "    serving.cancel()",
            "    await asyncio.wait([serving])",
            "if __name__ == '__main__':",
            "    asyncio.run(main())",
        ]
    )
    program = tmp_path / "training.py"
    program.write_text(source, encoding="utf-8")
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, str(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "m True\n", "")
