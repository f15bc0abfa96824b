"""The storm; see the package."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import tests.faults.storm
from invincible.client import Client
from invincible.runtime import LoggingConfig, Runtime, TelemetryConfig
from tests.faults.storm.crew import Crew
from tests.faults.storm.faults import FAULTS, NOT_BOTH, Server, Stage
from tests.faults.storm.histories import check_histories
from tests.faults.storm.load import LATE, Load, Record
from tests.faults.storm.switches import Switches
from tests.faults.storm.trouble import data_converter
from tests.support.conditions import eventually
from tests.support.relay import Relay, relay

# Seconds that workflows have once the last fault is over.
CALM = 120.0
# How often the programs get SIGTERM, once each fault has met it.
SIGTERMS = 0.6


@dataclass
class Row:
    """What is counted of a fault: how often it happened, SIGTERM in the middle of it, and the workflows open then."""

    times: int = 0
    sigterms: int = 0
    slowest: float = 0.0
    open: dict[str, Record] = field(default_factory=dict)

    def __str__(self) -> str:
        """Its cells."""
        counts = Counter(
            each for record in self.open.values() for each in ("lost", "late", "doubled") if getattr(record, each)
        )
        return (
            f"{self.times:>6}{self.sigterms:>9}{self.slowest:>11.1f} s{len(self.open):>7}"
            f"{counts['lost']:>6}{counts['doubled']:>9}{counts['late']:>6}"
        )


class Storm:
    """Rounds of faults.

    Args:
        stage: What they happen to.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.rows = {name: Row() for name in FAULTS}
        self._deck: list[str] = []
        stage.at_work.set()

    async def run(self, seconds: float) -> None:
        """Let faults happen for so long, and each of them once at least."""
        end = time.monotonic() + seconds
        while time.monotonic() < end or not all(row.sigterms for row in self.rows.values()):
            names = self._drawn()
            sigterm = any(not self.rows[name].sigterms for name in names) or self._stage.random.random() < SIGTERMS
            await self._round(names, sigterm=sigterm)
            await asyncio.sleep(self._stage.random.uniform(0.2, 2))

    def _drawn(self) -> list[str]:
        """One fault or two; each comes before one comes again."""
        names: list[str] = []
        while len(names) < self._stage.random.choice((1, 1, 2)):
            if not self._deck:
                self._deck = [*FAULTS]
                self._stage.random.shuffle(self._deck)
            if self._deck[-1] in names or ({*names, self._deck[-1]} >= NOT_BOTH):
                break
            names.append(self._deck.pop())
        return sorted(names, key=list(FAULTS).index)

    async def _round(self, names: Sequence[str], *, sigterm: bool) -> None:
        stage, chance = self._stage, self._stage.random.uniform
        began = time.monotonic()
        ending: asyncio.Task[float] | None = None
        async with AsyncExitStack() as stack:
            for name in names:
                await stack.enter_async_context(FAULTS[name](stage))
            await asyncio.sleep(chance(0.2, 2))
            if sigterm:
                ending = asyncio.create_task(self._end_crew(names))
            await asyncio.sleep(chance(0.5, 2.5))
            for name in names:
                self.rows[name].open.update((each.id, each) for each in stage.load.open)
        took = await ending if ending is not None else 0.0
        if sigterm:
            await stage.crew.start()
        for name in names:
            row = self.rows[name]
            row.times += 1
            row.sigterms += int(sigterm)
            row.slowest = max(row.slowest, took)
        said = f"SIGTERM, ended in {took:.1f} s" if sigterm else ""
        print(
            f"{time.monotonic() - began:>6.1f} s  {' and '.join(names):<48}{len(stage.load.open):>4} open  {said}",
            flush=True,
        )

    async def _end_crew(self, names: Sequence[str]) -> float:
        crew, at_work = self._stage.crew, self._stage.at_work
        at_work.clear()
        try:
            return await crew.end(
                may_be_killed="cancellation ignored" in names, processes_lost="worker process killed" in names
            )
        finally:
            at_work.set()


async def _storm(options: argparse.Namespace, folder: Path, logs: Path) -> int:
    queue = f"storm-{uuid.uuid4().hex[:8]}"
    server = Server(folder / "temporal.db")
    address = await server.start()
    try:
        async with relay(address) as way:
            crew = Crew(way.address, queue, folder / "switches", logs)
            try:
                switches = Switches.create(folder / "switches")
                await crew.start()
                # The server is gone so often that what Core says of it says nothing.
                runtime = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig("OFF")))
                client = await Client.connect(address, data_converter=data_converter(), runtime=runtime)
                load = Load(client, queue, options.lanes)
                chance = random.Random(options.seed)
                storm = Storm(Stage(server, address, way, crew, load, switches, chance))
                await storm.run(options.minutes * 60)
                calm = time.monotonic()
                await load.stop(CALM)
                print(f"all workflows ended {time.monotonic() - calm:.1f} s after the last fault")
                await check_histories(client, load.records)
                problems = await _executions(client, queue, load)
                crew.check_descriptors()
                took = await crew.end(may_be_killed=False, processes_lost=False)
                print(f"the last programs ended in {took:.1f} s")
                problems += await _connections_left(way)
            finally:
                await crew.stop()
    finally:
        await server.stop()
    return _report(storm, crew, load, problems)


async def _executions(client: Client, queue: str, load: Load) -> list[str]:
    """Each workflow, and the child of each errand, has run once."""
    expected = sum(2 if each.kind == "errand" else 1 for each in load.records)

    async def counted() -> bool:
        return (await client.count_workflows(f"TaskQueue = '{queue}'")).count == expected

    try:
        await eventually(counted, what="all runs can be seen", timeout=10)
    except AssertionError:
        found = (await client.count_workflows(f"TaskQueue = '{queue}'")).count
        return [f"{found} runs of workflows, not {expected}"]
    return []


async def _connections_left(way: Relay) -> list[str]:
    async def none() -> bool:
        return not way._tasks

    try:
        await eventually(none, what="no connection is left", timeout=5)
    except AssertionError:
        return [f"{len(way._tasks)} connections are left"]
    return []


def _report(storm: Storm, crew: Crew, load: Load, problems: Sequence[str]) -> int:
    print(
        f"\n{'fault':<26}{'times':>6}{'SIGTERM':>9}{'slowest end':>13}{'open':>7}{'lost':>6}{'doubled':>9}{'late':>6}"
    )
    for name, row in storm.rows.items():
        print(f"{name:<26}{row}")
    records = load.records
    kinds = Counter(each.kind for each in records)
    ended = [each.ended - each.began for each in records if each.ended is not None]
    print(f"\n{len(records)} workflows: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()))
    print(
        f"{sum(each.lost for each in records)} lost, {sum(each.doubled for each in records)} doubled, "
        f"{sum(each.late for each in records)} late (more than {LATE:g} s), slowest {max(ended, default=0):.1f} s"
    )
    print("exit codes: " + ", ".join(f"{code} {times} times" for code, times in sorted(crew.exits.items())))
    wrong = [*crew.problems, *problems]
    wrong += (f"{each.id}: {each.problem or 'has not ended'}" for each in records if each.lost)
    wrong += (f"{each.id}: late, it stood still for {each.waited}" for each in records if each.late)
    for each in wrong:
        print(f"wrong: {each}")
    print(
        "verdict: " + ("nothing lost, nothing twice, nothing hangs" if not wrong else f"{len(wrong)} things are wrong")
    )
    return 1 if wrong else 0


def main() -> int:
    """Run the storm; the exit code."""
    parser = argparse.ArgumentParser(
        description=tests.faults.storm.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3.0, help="how long faults happen (default: %(default)g)")
    parser.add_argument("--seed", type=int, default=1, help="which faults, and when (default: %(default)s)")
    parser.add_argument("--lanes", type=int, default=20, help="errands at a time (default: %(default)s)")
    parser.add_argument("--logs", type=Path, help="folder for what the programs print")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        logs = options.logs or Path(folder)
        logs.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_storm(options, Path(folder), logs))


if __name__ == "__main__":
    sys.exit(main())
