"""Records the histories anew, with the official SDK, or has it replay them: see README.md."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import logging
import os
import shutil
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

OFFICIAL, OURS = "temporalio", "invincible"
MODULES = (
    "activity",
    "api.common.v1",
    "api.deployment.v1",
    "api.enums.v1",
    "api.nexus.v1",
    "api.operatorservice.v1",
    "api.update.v1",
    "api.workflowservice.v1",
    "client",
    "common",
    "exceptions",
    "nexus",
    "runtime",
    "worker",
    "workflow",
)
AT_ONCE = 4
DEADLINE = 90


def give_the_official_modules_our_names() -> None:
    """Have `import invincible.x` mean `temporalio.x`, so that the workflows are recorded as they are."""
    sys.modules[OURS] = importlib.import_module(OFFICIAL)
    for module in MODULES:
        sys.modules[f"{OURS}.{module}"] = importlib.import_module(f"{OFFICIAL}.{module}")


@contextmanager
def server() -> Iterator[str]:
    program = os.environ.get("INVINCIBLE_SERVER") or shutil.which("invincible-server")
    if program is None:
        sys.exit("no server: name its program in INVINCIBLE_SERVER, or install invincible-server")
    options = ["--port", "0", "--headless", "--log-level", "error", "--parent-pid", str(os.getpid())]
    for attribute in ("RecordedKeyword=Keyword", "RecordedInt=Int", "RecordedWords=KeywordList"):
        options += ["--search-attribute", attribute]
    process = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["grpc"]
    finally:
        process.terminate()
        process.wait()


def without_stack_traces() -> Any:
    """A data converter that keeps the paths of this machine out of the histories."""
    converter = importlib.import_module(f"{OFFICIAL}.converter")

    class Converter(converter.DefaultFailureConverter):  # type: ignore[misc, name-defined]
        def to_failure(self, exception: Any, payload_converter: Any, failure: Any) -> None:
            super().to_failure(exception, payload_converter, failure)
            failure.stack_trace = ""

    return converter.DataConverter(failure_converter_class=Converter)


async def record(prefixes: list[str], by_python: bool) -> int:
    """Play the scenarios; the number of those that failed."""
    from invincible.client import Client
    from invincible.runtime import LoggingConfig, Runtime, TelemetryConfig

    from .scenarios import FOLDERS, SCENARIOS, Stage

    chosen = [name for name in SCENARIOS if name.startswith(tuple(prefixes) or "")]
    if by_python:
        chosen = [name for name in chosen if FOLDERS.get(name) in ("before-3.12", "since-3.12")]
    places = asyncio.Semaphore(AT_ONCE)
    failed = 0

    with server() as address:
        quiet = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter="error")))
        client = await Client.connect(
            address, identity="recorder", data_converter=without_stack_traces(), runtime=quiet
        )

        async def play(name: str) -> None:
            nonlocal failed
            async with places:
                stage = Stage(client, name)
                try:
                    await asyncio.wait_for(SCENARIOS[name](stage), DEADLINE)
                except Exception:
                    failed += 1
                    print(f"FAILED {name}\n{traceback.format_exc()}\n{await stage.describe()}", flush=True)
                else:
                    print(name, flush=True)

        await asyncio.gather(*map(play, chosen))
    return failed


async def replay(prefixes: list[str]) -> int:
    """Replay with the official SDK; the number of histories that do not fit the workflows."""
    from .catalog import REPLAYER_OPTIONS, names, recording

    worker = importlib.import_module(f"{OFFICIAL}.worker")
    replayer = worker.Replayer(workflow_runner=worker.UnsandboxedWorkflowRunner(), **REPLAYER_OPTIONS)
    chosen = [name for name in names() if name.startswith(tuple(prefixes) or "")]
    failed = 0
    for name in chosen:
        result = await replayer.replay_workflow(recording(name), raise_on_replay_failure=False)
        if result.replay_failure is not None:
            failed += 1
            print(f"FAILED {name}: {result.replay_failure}", flush=True)
    print(f"{len(chosen)} replayed, {failed} failed")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.histories.record")
    parser.add_argument("--replay", action="store_true", help="have the official SDK replay what is recorded")
    parser.add_argument("--by-python", action="store_true", help="record only what depends on the version of Python")
    parser.add_argument("prefix", nargs="*")
    arguments = parser.parse_args()
    # Workflow tasks fail on purpose and handlers stay unfinished: nobody needs to be told.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    give_the_official_modules_our_names()
    prefixes = arguments.prefix
    work = replay(prefixes) if arguments.replay else record(prefixes, arguments.by_python)
    sys.exit(1 if asyncio.run(work) else 0)


if __name__ == "__main__":
    main()
