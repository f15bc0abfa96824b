"""Progress of a demo, a line per step: live on a terminal, plain when written to a file."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Step:
    """A step that is under way. What it found out goes to `result`, and is shown when it is done."""

    result = ""


class Progress:
    """Prints steps as they end, with the seconds each took, and lines of programs in between."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._colors = self._live and "NO_COLOR" not in os.environ
        self._pending = ""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show the step as pending, then as done, or as failed when the block raises."""
        step = Step()
        begin = time.monotonic()
        self._show_pending(f"  ... {title}")
        try:
            yield step
        except BaseException:
            self._print_step("failed", "31", title, "", begin)
            raise
        self._print_step("ok", "32", title, step.result, begin)

    def line(self, text: str, color: str = "") -> None:
        """Print a line; the step under way stays the last one on a terminal."""
        self._clear_pending()
        print(self._colored(text, color), flush=True)
        if self._live and self._pending:
            print(self._pending, end="", flush=True)

    def program_line(self, program: str, text: str) -> None:
        """Print what a program of the demo printed."""
        self.line(f"{program:>12} | {text}", "2")

    def _print_step(self, word: str, color: str, title: str, result: str, begin: float) -> None:
        self._clear_pending()
        self._pending = ""
        seconds = time.monotonic() - begin
        print(f"{self._colored(f'{word:>6}', color)}  {title:<36} {seconds:5.1f} s  {result}".rstrip(), flush=True)

    def _show_pending(self, text: str) -> None:
        self._pending = text
        if self._live:
            print(text, end="", flush=True)

    def _clear_pending(self) -> None:
        if self._live and self._pending:
            print("\r\x1b[K", end="")

    def _colored(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._colors and color else text
