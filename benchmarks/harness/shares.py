"""Where the CPU time of a process goes: the samples of `perf`, sorted into parts by library and symbol."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import SetupError

# Samples per CPU second; a prime, so that nothing periodic keeps step with it.
FREQUENCY = 997

PYTHON = "Python: interpreter and standard library"
PYTHON_PROTOBUF = "Python: protobuf"
BRIDGE = "bridge: this project's Rust, and PyO3"
CORE = "Core: state machines, worker, telemetry"
PROTOBUF = "protobuf in Rust"
GRPC = "gRPC: client, HTTP/2, compression, TLS"
TOKIO = "tokio: tasks, timers, channels"
NATIVE = "native code that belongs to several"
ALLOCATOR = "allocator"
COPIES = "copying and comparing memory"
KERNEL_NETWORK = "kernel: network"
KERNEL_THREADS = "kernel: threads that wait and wake"
KERNEL = "kernel: the rest"
OTHER = "other libraries"

_ALLOCATOR = re.compile(
    r"^(__libc_)?(malloc|free|calloc|realloc|cfree|_int_|malloc_|unlink_chunk|tcache_|sysmalloc|systrim|alloc_perturb"
    r"|__rdl_|__rust_(de|re)?alloc|_?mi_|_?rjem_|je_|extent_|arena_|edata_|tcache|large_)"
)
_COPIES = re.compile(r"^_*(mem(move|cpy|set|cmp|chr)|bcmp|str(len|cmp|chr))")
_KERNEL_NETWORK = re.compile(
    r"tcp|sock|skb|inet|^ip_|^__ip|netif|net_|napi|loopback|nf_|dev_queue|unix_stream|sendmsg|recvmsg"
)
_KERNEL_THREADS = re.compile(
    r"futex|sched|switch|wake|wait|poll|spin_unlock_irq|idle|ipi|smp_|enqueue|dequeue|pick_next|update_curr|timer|ttwu"
    r"|eventfd|mwait|halt|rq_|load_avg"
)
# Crates by the part they belong to. Of several crates in one symbol the first one counts, after those that are
# everybody's.
_CRATES = {
    BRIDGE: ("_native", "pyo3", "invincible"),
    CORE: (
        "temporalio_sdk_core", "temporalio_common", "temporalio_protos", "rustfsm", "tracing", "tracing_core",
        "tracing_subscriber", "opentelemetry", "opentelemetry_sdk", "prometheus", "lru", "dashmap", "governor",
        "siphasher", "itertools", "slotmap", "uuid", "rand", "rand_chacha",
    ),
    PROTOBUF: ("prost", "prost_types", "prost_wkt", "prost_wkt_types"),
    GRPC: (
        "temporalio_client", "tonic", "tonic_prost", "hyper", "hyper_util", "h2", "tower", "tower_service", "http",
        "http_body", "http_body_util", "rustls", "ring", "flate2", "miniz_oxide", "bytes", "httparse", "backoff",
        "backon", "zlib_rs", "httpdate", "tokio_rustls", "tokio_stream", "tokio_util", "url",
    ),
    TOKIO: (
        "tokio", "mio", "futures_util", "futures_channel", "futures_core", "futures", "parking_lot",
        "parking_lot_core", "crossbeam_utils", "crossbeam_channel", "crossbeam_epoch", "crossbeam_deque",
    ),
}  # fmt: skip
_PART_OF_CRATE = {crate: part for part, crates in _CRATES.items() for crate in crates}
_CRATE = re.compile(r"(?<![\w:])(\w+)(?=::)")


@dataclass(frozen=True)
class Sample:
    """Samples that hit one symbol in one thread, as a share of all."""

    share: float
    thread: str
    library: str
    symbol: str

    @property
    def part(self) -> str:
        if self.library.startswith("[kernel") or self.library.startswith("[guest.kernel"):
            if _KERNEL_NETWORK.search(self.symbol):
                return KERNEL_NETWORK
            return KERNEL_THREADS if _KERNEL_THREADS.search(self.symbol) else KERNEL
        if _ALLOCATOR.match(self.symbol):
            return ALLOCATOR
        if _COPIES.match(self.symbol):
            return COPIES
        if self.library.startswith(("_native", "temporal_sdk_bridge")):
            return _part_of_native(self.symbol)
        if self.library.startswith(("_message", "_upb")):
            return PYTHON_PROTOBUF
        if self.library.startswith(("python", "libpython")) or ".cpython-" in self.library:
            return PYTHON
        return OTHER


def _part_of_native(symbol: str) -> str:
    for crate in _CRATE.findall(symbol):
        if crate in _PART_OF_CRATE:
            return _PART_OF_CRATE[crate]
    return NATIVE


def record(options: Sequence[str], data: Path) -> list[str]:
    """The command line that samples what `options` name: a process, or a command after `--`.

    Raises:
        SetupError: There is no `perf`.
    """
    perf = shutil.which("perf")
    if not perf:
        raise SetupError("profiles need perf: install it (Debian: apt-get install linux-perf)")
    # The clock of the CPU: virtual machines have no counters of cycles.
    return [
        perf,
        "record",
        "--quiet",
        "--event",
        "cpu-clock",
        "--freq",
        str(FREQUENCY),
        "--output",
        str(data),
        *options,
    ]


def read(data: Path) -> list[Sample]:
    """What `record` wrote.

    Raises:
        SetupError: `perf` cannot read it, or there are no samples.
    """
    command = ["perf", "report", "--stdio", "--quiet", "--no-children", "--input", str(data)]
    command += ["--sort", "comm,dso,symbol", "--field-separator", "|", "--percent-limit", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"perf cannot read its samples:\n{done.stderr}")
    samples = parse(done.stdout.splitlines())
    if not samples:
        raise SetupError("perf took no samples: may this user use it? See /proc/sys/kernel/perf_event_paranoid")
    return samples


def parse(lines: Iterable[str]) -> list[Sample]:
    """The lines of `perf report` with `|` between the columns: share, thread, library, symbol."""
    samples = []
    for line in lines:
        columns = line.split("|", 3)
        if len(columns) != 4 or not columns[0].strip().endswith("%"):
            continue
        share, thread, library, symbol = (column.strip() for column in columns)
        # A tag for user or kernel before the symbol; a column for branches behind it.
        symbol = re.sub(r"^\[.\]\s+", "", symbol).partition("|")[0].strip()
        samples.append(Sample(float(share.removesuffix("%")) / 100, thread, library, symbol))
    return samples


def by_part(samples: Iterable[Sample]) -> list[tuple[str, float]]:
    return _summed((sample.part, sample.share) for sample in samples)


def by_thread(samples: Iterable[Sample]) -> list[tuple[str, float]]:
    """Threads of one name together; threads that Python started have the name of the process."""
    return _summed((sample.thread, sample.share) for sample in samples)


def by_symbol(samples: Iterable[Sample], part: str) -> list[tuple[str, float]]:
    return _summed((sample.symbol, sample.share) for sample in samples if sample.part == part)


def _summed(shares: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    total: Counter[str] = Counter()
    for name, share in shares:
        total[name] += share  # type: ignore[assignment]
    return [(name, float(share)) for name, share in total.most_common()]
