"""How processes end."""

from __future__ import annotations

import signal


def how_it_ended(code: int | None) -> str:
    """An exit code of ``multiprocessing`` in words."""
    if code is None:
        return "ended, nobody knows how"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
