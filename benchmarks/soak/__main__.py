"""A worker under full load for minutes: memory, threads and descriptors must stay flat. Runs on Linux.

Exit codes: 0, all is flat and nothing was lost; 1, something grows or got lost; 2, it could not be measured.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.soak.load import Load
from benchmarks.soak.samples import Sample, findings
from invincible.client import Client
from invincible.testing._server import ServerProcess, ServerStartError

FLAT, GROWS, NOT_MEASURED = 0, 1, 2
STOP_TIMEOUT = 60.0


class NotMeasuredError(Exception):
    """There are no figures; the message says why."""


def main() -> int:
    options = _options()
    try:
        return asyncio.run(_soak(options))
    except (NotMeasuredError, ServerStartError) as error:
        print(f"error: {error}", file=sys.stderr)
        return NOT_MEASURED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to measure (default: %(default)g)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="minutes before that (default: %(default)g)")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between samples (default: %(default)g)")
    parser.add_argument("--lanes", type=int, default=60, help="workflows at a time (default: %(default)s)")
    parser.add_argument(
        "--memory", type=float, default=5.0, help="MB by which memory may be higher at the end (default: %(default)g)"
    )
    parser.add_argument(
        "--handles", type=float, default=2.0, help="the same for threads and for descriptors (default: %(default)g)"
    )
    parser.add_argument("--address", metavar="HOST:PORT", help="use this server, not an embedded one of our own")
    return parser.parse_args()


async def _soak(options: argparse.Namespace) -> int:
    with _server(options.address) as address, _worker(address) as worker:
        load = Load(await Client.connect(address), options.lanes)
        samples = await _sample(worker, load, options)
        await load.stop()
    return _report(samples, load, options)


@contextmanager
def _server(address: str | None) -> Iterator[str]:
    if address is not None:
        yield address
        return
    server = ServerProcess(["--port", "0", "--headless", "--log-level", "error"])
    try:
        yield server.ready.grpc
    finally:
        server.stop()


@contextmanager
def _worker(address: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.soak.worker", address]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise NotMeasuredError(f"the worker ended with exit code {process.wait()} before it was ready")
        yield process
        process.stdin.close()
        try:
            if process.wait(STOP_TIMEOUT):
                raise NotMeasuredError(f"the worker ended with exit code {process.returncode}")
        except subprocess.TimeoutExpired:
            raise NotMeasuredError(f"the worker had not ended {STOP_TIMEOUT:g} s after it was asked to") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()


async def _sample(worker: subprocess.Popen[str], load: Load, options: argparse.Namespace) -> list[Sample]:
    begin = time.monotonic()
    end = begin + (options.warm_up + options.minutes) * 60
    samples = []
    print(f"{'seconds':>8}{'MB':>9}{'threads':>9}{'descriptors':>13}{'CPU s':>8}{'workflows':>11}{'failures':>10}")
    due = begin
    while due <= end:
        await asyncio.sleep(max(due - time.monotonic(), 0))
        if worker.poll() is not None:
            raise NotMeasuredError(f"the worker ended under load with exit code {worker.returncode}")
        sample = Sample.of(worker.pid, time.monotonic() - begin)
        warm = sample.seconds >= options.warm_up * 60
        print(
            f"{sample.seconds:>8.0f}{sample.memory / 1e6:>9.1f}{sample.threads:>9}{sample.descriptors:>13}"
            f"{sample.cpu_seconds:>8.0f}{load.completed:>11}{load.failures.total():>10}{'' if warm else '  warm-up'}",
            flush=True,
        )
        if warm:
            samples.append(sample)
        due += options.every
    return samples


def _report(samples: Sequence[Sample], load: Load, options: argparse.Namespace) -> int:
    try:
        found = findings(samples, memory=options.memory, handles=options.handles)
    except ValueError as error:
        raise NotMeasuredError(str(error)) from None
    print()
    for finding in found:
        print(finding)
    seconds = samples[-1].seconds - samples[0].seconds
    cores = (samples[-1].cpu_seconds - samples[0].cpu_seconds) / seconds
    print(f"\n{load.completed} workflows completed; the worker used {cores:.2f} cores")
    for failure, times in load.failures.most_common():
        print(f"{times} times {failure}")
    if not load.completed:
        raise NotMeasuredError("no workflow has completed")
    good = all(each.flat for each in found) and not load.failures
    print("verdict: " + ("flat, and nothing was lost" if good else "something grows, or got lost"))
    return FLAT if good else GROWS


if __name__ == "__main__":
    sys.exit(main())
