"""A whole application in one file. Prints its result and the files that it ran from."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

from invincible import activity, workflow
from invincible.testing import WorkflowEnvironment
from invincible.worker import Worker


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def greet(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
async def hello(name: str) -> str:
    return await greet.execute(name)


def child_programs() -> list[str]:
    """The executables of this process's children, where the system has a /proc to tell."""
    children = [pid for thread in Path("/proc/self/task").glob("*/children") for pid in thread.read_text().split()]
    return [os.readlink(f"/proc/{pid}/exe") for pid in children]


async def main() -> None:
    async with await WorkflowEnvironment.start_local() as environment:
        async with Worker(environment.client, task_queue="wheels", workflows=[hello], activities=[greet]):
            greeting = await environment.client.execute_workflow(hello, "wheel", id="hello", task_queue="wheels")
        programs = child_programs()
    modules = [path for module in list(sys.modules.values()) if (path := getattr(module, "__file__", None))]
    print(json.dumps({"greeting": greeting, "modules": modules, "programs": programs}))


if __name__ == "__main__":
    asyncio.run(main())
