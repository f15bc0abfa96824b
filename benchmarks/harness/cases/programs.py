"""Programs that measure themselves: one process, one line of JSON with all figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.harness.model import DEFAULT, OURS, Bench, Case, Metric
from benchmarks.harness.process import ProcessError, run


@dataclass(frozen=True, kw_only=True)
class Program(Case):
    """A scenario program that prints the case's figures by the key of their metric.

    `converts` says that it needs the libraries of the conversion benchmark.
    """

    program: str
    arguments: Sequence[object] = ()
    converts: bool = False
    contenders: Sequence[str] = (OURS, DEFAULT)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        address = [bench.address] if self.needs_server else []
        command = bench.contenders[contender].command(self.program, *address, *self.arguments)
        figures = run(command, bench.conversion_env if self.converts else bench.env)
        missing = {metric.key for metric in self.metrics} - figures.keys()
        if missing:
            raise ProcessError(f"`{' '.join(command)}` does not say {', '.join(sorted(missing))}")
        return figures


@dataclass(frozen=True, kw_only=True)
class Imports(Case):
    """The public modules, imported into a fresh interpreter."""

    group: str = "import"
    title: str = "import of client, worker, workflow and activity"
    metrics: Sequence[Metric] = (
        Metric("cpu_ms", "CPU ms", digits=1, aims={DEFAULT: 6}),
        Metric("modules", "modules", aims={DEFAULT: 6}),
        Metric("memory_mb", "resident MB", digits=1, aims={DEFAULT: 6}),
    )
    contenders: Sequence[str] = (OURS, DEFAULT)

    def measure(self, bench: Bench, contender: str) -> dict[str, float]:
        # Without the other scenarios' libraries: an SDK may look for one of them.
        spent = run(bench.contenders[contender].command("imports.py"), bench.env)
        return {
            "cpu_ms": spent["cpu_seconds"] * 1e3,
            "modules": spent["modules"],
            "memory_mb": spent["memory_bytes"] / 1e6,
        }
