"""Samples of `perf` end up in the part they belong to, and calls are those of the work. No `perf` is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.harness import setup, shares
from benchmarks.profile import calls_for_one
from tests.support.environments import SetupError

COUNTED = setup.BENCHMARKS / "scenarios" / "counted.py"

REPORT = """
# Samples: 1K of event 'cpu-clock'

 40.00% |python         |libpython3.11.so.1.0 |[.] _PyEval_EvalFrameDefault   |-      -
 20.50% |invincible-core|[kernel.kallsyms]    |[k] finish_task_switch.isra.0  |-      -
 10.00% |python         |_native.abi3.so      |[.] _native::payload::Payload::new
  5.00% |invincible-core|libc.so.6            |[.] malloc
  4.00% |python         |libc.so.6            |[.] malloc
"""


def test_lines_of_perf_become_samples() -> None:
    samples = shares.parse(REPORT.splitlines())
    assert samples[1] == shares.Sample(0.205, "invincible-core", "[kernel.kallsyms]", "finish_task_switch.isra.0")
    assert [round(share, 3) for _, share in shares.by_part(samples)] == [0.4, 0.205, 0.1, 0.09]
    assert [name for name, _ in shares.by_part(samples)] == [
        shares.PYTHON,
        shares.KERNEL_THREADS,
        shares.BRIDGE,
        shares.ALLOCATOR,
    ]
    assert dict(shares.by_thread(samples)) == pytest.approx({"python": 0.54, "invincible-core": 0.255})
    assert dict(shares.by_symbol(samples, shares.ALLOCATOR)) == pytest.approx({"malloc": 0.09})


@pytest.mark.parametrize(
    ("library", "symbol", "part"),
    [
        ("_native.abi3.so", "temporalio_sdk_core::worker::workflow::machines::apply", shares.CORE),
        # The crate that comes first has called: what is in the brackets is only a type.
        ("_native.abi3.so", "tokio::runtime::task::raw::poll::<temporalio_sdk_core::Worker>", shares.TOKIO),
        ("_native.abi3.so", "core::ptr::drop_in_place<temporalio_protos::History>", shares.CORE),
        ("_native.abi3.so", "<temporalio_client::Connection as temporalio_client::Caller>::call", shares.GRPC),
        ("_native.abi3.so", "prost::encoding::merge_loop", shares.PROTOBUF),
        ("_native.abi3.so", "hashbrown::map::HashMap<K,V>::insert", shares.NATIVE),
        ("_native.abi3.so", "_rjem_je_malloc_default", shares.ALLOCATOR),
        ("_native.abi3.so", "pyo3::impl_::trampoline::trampoline", shares.BRIDGE),
        ("_message.abi3.so", "encode_message", shares.PYTHON_PROTOBUF),
        ("_json.cpython-311-x86_64-linux-gnu.so", "py_scanstring", shares.PYTHON),
        ("libc.so.6", "__memmove_avx512_unaligned_erms", shares.COPIES),
        ("libc.so.6", "epoll_wait", shares.OTHER),
        ("[kernel.kallsyms]", "tcp_sendmsg_locked", shares.KERNEL_NETWORK),
        ("[kernel.kallsyms]", "clear_page_erms", shares.KERNEL),
    ],
)
def test_each_symbol_has_its_part(library: str, symbol: str, part: str) -> None:
    assert shares.Sample(1, "thread", library, symbol).part == part


def test_without_perf_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="profiles need perf: install it"):
        shares.record(["--pid", "1"], tmp_path / "data")


def test_calls_are_counted_in_every_thread(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, threading\n"
        "def work(): pass\n"
        "threads = [threading.Thread(target=work) for _ in range(int(sys.argv[1]))]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "work()\n"
    )
    counts = tmp_path / "calls.json"
    subprocess.run([sys.executable, str(COUNTED), str(counts), str(program), "3"], check=True)
    assert json.loads(counts.read_text())["program:work"] == 4


def test_what_start_and_end_call_is_not_counted_for_the_work(tmp_path: Path) -> None:
    def wrote(calls: dict[str, int]) -> Callable[[Path], None]:
        def write(file: Path) -> None:
            file.write_text(json.dumps(calls))

        return write

    little = wrote({"a:imported": 1_000, "flows:Flow.run": 2, "b:called": 6})
    more = wrote({"a:imported": 1_000, "flows:Flow.run": 12, "b:called": 46})
    assert calls_for_one(tmp_path, ":Flow.run", little, more) == [("b:called", 4), ("flows:Flow.run", 1)]
    with pytest.raises(SetupError, match="never seen to run"):
        calls_for_one(tmp_path, ":Other.run", little, more)
