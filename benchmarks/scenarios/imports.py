"""Program: what importing the public modules costs. Prints one line of JSON."""

import os
import sys
import time


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


modules, memory, start = len(sys.modules), resident_bytes(), time.process_time()

import invincible.activity  # noqa: E402
import invincible.client  # noqa: E402
import invincible.worker  # noqa: E402
import invincible.workflow  # noqa: E402, F401

cpu_seconds = time.process_time() - start
modules, memory = len(sys.modules) - modules, resident_bytes() - memory

import json  # noqa: E402

print(json.dumps({"cpu_seconds": cpu_seconds, "modules": modules, "memory_bytes": memory}))
