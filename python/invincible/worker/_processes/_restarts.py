"""When a process that crashed is started again, and when no more."""

from __future__ import annotations

from collections import deque

_LONGEST_BACKOFF = 30.0
_MOST_DOUBLINGS = 64


class Restarts:
    """The crashes of one worker process and its successors.

    Args:
        max_crashes: How many crashes within the window are too many.
        window: Seconds for which a crash counts.
        backoff: Seconds until the start after the first crash within the window; doubled by each further one.
    """

    def __init__(self, *, max_crashes: int, window: float, backoff: float) -> None:
        self._window = window
        self._backoff = backoff
        self._max_crashes = max_crashes
        self._crashes: deque[tuple[float, str]] = deque()

    def crashed(self, now: float, how: str) -> float | None:
        """Note a crash.

        Args:
            now: The time of it, in seconds of any clock.
            how: What is told of it.

        Returns:
            Seconds to wait before the next start; ``None`` if there were too many crashes.
        """
        self._crashes.append((now, how))
        while self._crashes[0][0] <= now - self._window:
            self._crashes.popleft()
        if len(self._crashes) >= self._max_crashes:
            return None
        # Numbers of this size would not do for more doublings, of which there may be any number.
        doublings = min(len(self._crashes) - 1, _MOST_DOUBLINGS)
        return min(self._backoff * 2.0**doublings, _LONGEST_BACKOFF)

    @property
    def crashes(self) -> list[str]:
        """What was told of the crashes that count."""
        return [how for _, how in self._crashes]
