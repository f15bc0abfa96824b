"""Program: replay one history for a given CPU time. Prints one line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import itertools
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from invincible.api.history.v1 import History
from invincible.client import WorkflowHistory
from invincible.worker import Replayer

# Replayed by turns, so that a replayer may hold several at a time: it tells runs apart by their id.
MOST_COPIES = 64
# Of a long history there are fewer: the memory of an event is about 1 KB.
EVENTS_IN_ALL_COPIES = 40_000
WARM_UP_RUNS = 5


def copies(path: Path) -> list[WorkflowHistory]:
    encoded = path.read_bytes()
    events = len(History.FromString(encoded).events)
    histories = []
    for number in range(min(MOST_COPIES, EVENTS_IN_ALL_COPIES // events)):
        history = History.FromString(encoded)
        started = history.events[0].workflow_execution_started_event_attributes
        started.original_execution_run_id = started.first_execution_run_id = f"run-{number}"
        histories.append(WorkflowHistory(f"workflow-{number}", list(history.events)))
    return histories


class Feed:
    """Hands out the copies by turns until the CPU time is spent, at least `minimum` of them."""

    def __init__(self, histories: list[WorkflowHistory], cpu_seconds: float, minimum: int) -> None:
        self.histories = histories
        self.cpu_seconds = cpu_seconds
        self.minimum = minimum
        self.runs = 0

    async def __aiter__(self) -> AsyncIterator[WorkflowHistory]:
        end = time.process_time() + self.cpu_seconds
        for history in itertools.cycle(self.histories):
            if self.runs >= self.minimum and time.process_time() >= end:
                return
            self.runs += 1
            yield history


async def measure(
    replayer: Replayer, path: Path, warm_up: Path, cpu_seconds: float, minimum_runs: int
) -> dict[str, float]:
    await replayer.replay_workflows(aiter(Feed(copies(warm_up), 0, WARM_UP_RUNS)))
    histories = copies(path)
    feed = Feed(histories, cpu_seconds, minimum_runs)
    start = time.process_time()
    await replayer.replay_workflows(aiter(feed))
    spent = time.process_time() - start
    return {"cpu_seconds": spent, "runs": feed.runs, "events": feed.runs * len(histories[0].events)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("history", type=Path)
    parser.add_argument("module")
    parser.add_argument("workflow")
    parser.add_argument("cpu_seconds", type=float)
    parser.add_argument("--warm-up", type=Path, required=True, help="a history of the same workflow")
    parser.add_argument("--minimum-runs", type=int, default=3, help="where a run costs more than the CPU time")
    parser.add_argument("--unsandboxed", action="store_true")
    arguments = parser.parse_args()

    options: dict[str, Any] = {}
    if arguments.unsandboxed:
        # Only the official SDK has a sandbox to do without.
        options["workflow_runner"] = importlib.import_module("invincible.worker").UnsandboxedWorkflowRunner()
    workflow = getattr(importlib.import_module(arguments.module), arguments.workflow)
    replayer = Replayer(workflows=[workflow], **options)
    measured = measure(replayer, arguments.history, arguments.warm_up, arguments.cpu_seconds, arguments.minimum_runs)
    print(json.dumps(asyncio.run(measured)))


if __name__ == "__main__":
    main()
