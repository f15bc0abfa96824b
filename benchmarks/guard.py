"""What the determinism guard costs: other threads, the thread that runs workflows, and the start of a run.

    python -m benchmarks.guard

Needs no server. Each figure is the least of many short rounds, in nanoseconds. The last table compares workflow files
that import nothing with files that import large libraries; libraries that are not installed are left out.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from timeit import repeat
from typing import Any

from invincible import _native, workflow
from invincible._engine.guard import Guard, check_definition, install
from invincible._engine.reference import workflow_definition
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible.converter import DataConverter

_ROUNDS = 300
_LIBRARIES = ("sqlalchemy", "pydantic", "httpx")
_TARGET = object()

_CONTEXT = WorkerContext(
    namespace="default",
    task_queue="guard",
    payload_converter=DataConverter.default.payload_converter,
    failure_converter=DataConverter.default.failure_converter,
)

# Calls of other threads, with how often to repeat each.
_CALLS: dict[str, tuple[Callable[[], object], int]] = {
    "time.time()": (lambda: time.time(), 2_000),
    "isinstance()": (lambda: isinstance(_TARGET, int), 2_000),
    "id()": (lambda: id(_TARGET), 2_000),
    "os.urandom(16)": (lambda: os.urandom(16), 500),
    "open().close()": (lambda: open(os.devnull).close(), 100),
}


def _nanoseconds(function: Callable[[], object], number: int) -> float:
    return min(repeat(function, number=number, repeat=_ROUNDS)) / number * 1e9


def _measure_calls() -> dict[str, float]:
    return {name: _nanoseconds(function, number) for name, (function, number) in _CALLS.items()}


_inside, _leave = threading.Event(), threading.Event()


@workflow.defn
async def _parked() -> None:
    """Stays in workflow code, without taking CPU time from the thread that measures."""
    _inside.set()
    _leave.wait()


def _start(definition: Any, *, guarded: bool = True) -> list[Any]:
    init = _native.InitializeWorkflow(workflow_type="measured", workflow_id="measured", arguments=[], randomness_seed=1)
    run = WorkflowRun(definition, _CONTEXT, "run", init)
    run.guarded = guarded
    return run.activate(_native.Activation(run_id="run", timestamp_ns=1, jobs=[init]))


def _calls_during_a_batch(guard: Guard) -> dict[str, float]:
    def work() -> None:
        with guard:
            _start(workflow_definition(_parked))

    thread = threading.Thread(target=work)
    thread.start()
    _inside.wait()
    try:
        return _measure_calls()
    finally:
        _leave.set()
        thread.join()


def _module(folder: Path, name: str, imports: str) -> Any:
    path = folder / f"{name}.py"
    path.write_text(
        f"{imports}\nfrom invincible import workflow\n\n@workflow.defn\nasync def measured() -> None: ...\n"
    )
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _starts(folder: Path) -> None:
    found = [name for name in _LIBRARIES if importlib.util.find_spec(name) is not None]
    missing = sorted(set(_LIBRARIES) - set(found))
    plain = workflow_definition(_module(folder, "imports_nothing", "").measured)
    heavy = workflow_definition(_module(folder, "imports_much", "".join(f"import {name}\n" for name in found)).measured)
    guard = install([plain, heavy])
    without = f", without {', '.join(missing)}: not installed" if missing else ""
    print(f"\nstart of a run{without}")
    for label, definition in (
        ("a file that imports nothing", plain),
        (f"a file that imports {', '.join(found)}", heavy),
    ):

        def batch(definition: Any = definition) -> None:
            with guard:
                _start(definition)

        guarded = _nanoseconds(batch, 100)
        alone = _nanoseconds(lambda definition=definition: _start(definition, guarded=False), 100)  # type: ignore[misc]
        print(f"  {label:<50} {guarded:8.0f} ns guarded, {alone:8.0f} ns not guarded")
    checks = _nanoseconds(lambda: check_definition(heavy), 10)
    print(f"  static pass over a workflow, once per registration: {checks:.0f} ns")


def main() -> None:
    before = _measure_calls()
    guard = install([workflow_definition(_parked)])
    idle = _measure_calls()
    during = _calls_during_a_batch(guard)
    print(f"Python {sys.version.partition(' ')[0]}: calls of another thread, ns")
    print(f"  {'':<16}{'no guard':>12}{'between batches':>18}{'during a batch':>18}")
    for name in _CALLS:
        print(f"  {name:<16}{before[name]:>12.0f}{idle[name]:>18.0f}{during[name]:>18.0f}")

    def pair() -> None:
        with guard:
            pass

    print(f"\nin place and back, once per batch of activations: {_nanoseconds(pair, 500):.0f} ns")
    with tempfile.TemporaryDirectory() as folder:
        _starts(Path(folder))


if __name__ == "__main__":
    main()
