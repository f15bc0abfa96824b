"""Switches that processes share: bytes of a file that all of them have mapped."""

from __future__ import annotations

import mmap
from pathlib import Path

NAMES = ("codec", "converter", "interceptor", "stubborn")


class Switches:
    """The switches of a file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), len(NAMES))

    @classmethod
    def create(cls, path: Path) -> Switches:
        """All off, in a new file."""
        path.write_bytes(bytes(len(NAMES)))
        return cls(path)

    def is_on(self, name: str) -> bool:
        """Whether it is on now; no system call, so that workflows may ask."""
        return self._bytes[NAMES.index(name)] == 1

    def set(self, name: str, on: bool) -> None:
        """Turn it on or off, in all processes."""
        self._bytes[NAMES.index(name)] = int(on)
