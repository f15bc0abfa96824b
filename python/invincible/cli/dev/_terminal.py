"""The terminal's own settings, which debuggers that are killed leave as they have made them."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any


class Terminal:
    """The terminal as it is when this is made, if there is one."""

    def __init__(self) -> None:
        self._settings = _settings()

    def restore(self) -> None:
        """Leave it as it was; from any thread."""
        if self._settings is not None:
            import termios

            with suppress(termios.error, OSError):  # the terminal is gone
                termios.tcsetattr(0, termios.TCSADRAIN, self._settings)


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
