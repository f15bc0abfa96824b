"""Programs that run a worker when they are imported: worker processes import them."""

from __future__ import annotations

import sys

NAME = "invincible-worker-"
MESSAGE = (
    "a worker process has imported the program, which runs the worker again: have it do so under "
    'if __name__ == "__main__":'
)


def in_worker_process() -> bool:
    """Whether this is a worker process, which may still be importing the program."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.current_process().name.startswith(NAME)
