"""Keeps the cores of the machine awake while something is measured."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

# Runs only where nothing else wants to, and ends with the process that started it.
SPINNER = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
print(flush=True)
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


@contextlib.contextmanager
def awake() -> Iterator[list[int]]:
    """Spin at idle priority on every core that this process may use; yields the ids of the spinning processes.

    To wake a sleeping core costs the process that does it CPU time, on a virtual machine several times what Core needs
    for an activation. Whatever passes messages between threads pays it on an idle machine and not on a loaded one.
    """
    spinners = [
        subprocess.Popen([sys.executable, "-S", "-c", SPINNER, str(core)], stdout=subprocess.PIPE)
        for core in os.sched_getaffinity(0)
    ]
    try:
        for spinner in spinners:
            assert spinner.stdout is not None
            if not spinner.stdout.readline():
                raise OSError("cannot run a process at idle priority on every core")
        yield [spinner.pid for spinner in spinners]
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.communicate()
