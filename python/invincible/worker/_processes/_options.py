"""How the processes of a worker are run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ._memory import check_memory_is_known


@dataclass(frozen=True)
class WorkerProcesses:
    """How many processes a worker has, and what becomes of those that end, grow or do not stop.

    Args:
        count: Number of processes.
        max_memory: Bytes of memory (resident set size) above which a process is replaced: another one starts, then
            this one takes no new tasks and ends when those under way are completed. ``None`` for no limit. Platforms
            other than Linux need the package ``psutil`` for it.
        max_crashes: A process that crashed so often within ``crash_window`` ends the whole worker with an error.
        crash_window: For how long a crash counts.
        restart_backoff: Time until a process is started again that crashed for the first time within the window;
            doubled by each further crash, up to 30 seconds.
        kill_after: Time, after the grace of the activities, in which processes must have ended: then they are killed.
        metrics_address: Where to serve the metrics of all processes for Prometheus, as ``host:port``. They differ in
            the label ``worker_process``.

    Raises:
        RuntimeError: The memory of processes is not known on this platform, as ``psutil`` is not installed.
        TypeError: An option is of a wrong type; the message names it.
        ValueError: An option is out of its range; the message names it.

    Example:
        Worker(client, ..., processes=WorkerProcesses(4, max_memory=1_000_000_000))
    """

    count: int
    max_memory: int | None = None
    max_crashes: int = 5
    crash_window: timedelta = timedelta(seconds=60)
    restart_backoff: timedelta = timedelta(seconds=0.5)
    kill_after: timedelta = timedelta(seconds=30)
    metrics_address: str | None = None

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        _whole("processes", self.count)
        _whole("max_crashes", self.max_crashes)
        if self.max_memory is not None:
            _whole("max_memory", self.max_memory, "bytes")
            check_memory_is_known()
        for name in ("crash_window", "restart_backoff", "kill_after"):
            value = getattr(self, name)
            if not isinstance(value, timedelta):
                raise TypeError(f"{name} must be a timedelta, got {type(value).__name__}")
            if value < timedelta():
                raise ValueError(f"{name} must not be negative, got {value}")
        if not self.crash_window:
            raise ValueError("crash_window must be positive: crashes count for that long")
        if self.metrics_address is not None:
            host_and_port("metrics_address", self.metrics_address)

    @classmethod
    def of(cls, processes: int | WorkerProcesses) -> WorkerProcesses:
        """The settings that a number of processes stands for."""
        return processes if isinstance(processes, WorkerProcesses) else cls(processes)


def host_and_port(name: str, address: str) -> tuple[str, int]:
    """The parts of ``host:port``.

    Raises:
        TypeError: It is no text.
        ValueError: It is not of this form.
    """
    if not isinstance(address, str):
        raise TypeError(f"{name} must be a str, got {type(address).__name__}")
    host, _, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not host.strip("[]") or not port.isdecimal() or int(port) > 65535 or (":" in host and not bracketed):
        raise ValueError(f"{name} must be host:port, got {address!r}")
    return host[1:-1] if bracketed else host, int(port)


def _whole(name: str, value: object, unit: str = "") -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number{unit and f' of {unit}'}, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
