"""The terminal's own settings, which debuggers that are killed leave as they have made them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def terminal_kept() -> Iterator[None]:
    """Leave the terminal as it was, if there is one."""
    settings = _settings()
    try:
        yield
    finally:
        if settings is not None:
            import termios

            with suppress(termios.error, OSError):  # the terminal is gone
                termios.tcsetattr(0, termios.TCSADRAIN, settings)


def _settings() -> list[Any] | None:
    try:
        import termios
    except ImportError:  # a platform that has none
        return None
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    with suppress(termios.error, OSError):
        return termios.tcgetattr(0)
    return None
