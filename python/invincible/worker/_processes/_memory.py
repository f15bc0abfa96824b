"""How much memory this process has."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

_STATM = Path("/proc/self/statm")


def resident_memory() -> int:
    """The resident set size of this process in bytes; 0 where it is not known."""
    try:
        return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    try:
        psutil = import_module("psutil")
    except ImportError:
        return 0
    size: int = psutil.Process().memory_info().rss
    return size


def check_memory_is_known() -> None:
    """Refuses memory limits that nobody could watch over.

    Raises:
        RuntimeError: The size of processes is not known here.
    """
    if not resident_memory():
        raise RuntimeError(
            "max_memory needs to know the size of processes, which on this platform takes the package psutil: "
            "install it"
        )


def check_memory_suffices(max_memory: int | None) -> None:
    """Refuses a memory limit for which this process, which has had no task yet, would be replaced at once.

    Raises:
        RuntimeError: It has more.
    """
    size = resident_memory()
    if max_memory is not None and size > max_memory:
        raise RuntimeError(
            f"max_memory of {max_memory / 1e6:.0f} MB is too little: the process has {size / 1e6:.0f} MB before its "
            "first task"
        )
