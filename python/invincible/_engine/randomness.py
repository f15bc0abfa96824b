"""Random numbers that are the same on every replay."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from weakref import WeakKeyDictionary

from .parts import made_when_used


class Randomness:
    """The random numbers of one run.

    Args:
        seed: The seed from the server; a reset of the run gives a new one.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._callbacks: list[Callable[[int], None]] = []

    @made_when_used
    def _generators(self) -> WeakKeyDictionary[random.Random, str | None]:
        """Those of `new_random`, for as long as somebody has them."""
        return WeakKeyDictionary()

    @made_when_used
    def generator(self) -> random.Random:
        """The generator that workflow code shares. Histories depend on who takes how much from it."""
        return random.Random(self.seed)

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(bytes=self.generator.getrandbits(128).to_bytes(16, "big"), version=4)

    def uuid7(self, timestamp_ns: int) -> uuid.UUID:
        """A UUID that begins with the time of the workflow task (RFC 9562, section 5.7)."""
        milliseconds = timestamp_ns // 1_000_000
        first, second = self.generator.getrandbits(12), self.generator.getrandbits(62)
        return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (first << 64) | (0b10 << 62) | second)

    def new_random(self, name: str | None) -> random.Random:
        """A generator of its own, which a reset of the run seeds anew; a name makes its numbers its own too."""

        generator = random.Random(self._seed_of(name))
        self._generators[generator] = name
        return generator

    def _seed_of(self, name: str | None) -> int | str:
        return self.seed if name is None else f"{self.seed}:{name}"

    def on_reseed(self, callback: Callable[[int], None]) -> None:
        self._callbacks.append(callback)

    def reseed(self, seed: int) -> None:
        self.seed = seed
        if "generator" in self.__dict__:
            self.generator.seed(seed)
        for generator, name in self._generators.items():
            generator.seed(self._seed_of(name))
        for callback in self._callbacks:
            callback(seed)
