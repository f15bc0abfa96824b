"""Program: what importing the public modules costs. Prints one line of JSON.

First the imports alone; the figures that begin with ``used_`` are with what each program with a worker uses of them, a
client's and a worker's class and the decorators.
"""

import os
import sys
import time


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cost() -> dict[str, float]:
    return {
        "cpu_seconds": time.process_time() - start,
        "modules": len(sys.modules) - modules,
        "memory_bytes": resident_bytes() - memory,
    }


modules, memory, start = len(sys.modules), resident_bytes(), time.process_time()

import invincible.activity  # noqa: E402
import invincible.client  # noqa: E402
import invincible.worker  # noqa: E402
import invincible.workflow  # noqa: E402

imported = cost()

from invincible.client import Client  # noqa: E402, F401
from invincible.worker import Worker  # noqa: E402, F401


@invincible.activity.defn
async def greet(name: str) -> str:
    return name


@invincible.workflow.defn
class Greeting:
    @invincible.workflow.run
    async def run(self, name: str) -> str:
        return name


used = cost()

import json  # noqa: E402

print(json.dumps({**imported, **{f"used_{what}": figure for what, figure in used.items()}}))
