"""What tests leave behind: ended for them, and told once at the end of the session."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

# In test reports, which pytest-xdist sends from process to process.
_ATTRIBUTE = "invincible_left"
_TOLD = 10


class Leftovers:
    """Notes about tests, on their way to the terminal."""

    @staticmethod
    def attach(report: pytest.TestReport, left: Sequence[str]) -> None:
        """Has a report take the notes along."""
        if left:
            setattr(report, _ATTRIBUTE, list(left))

    @staticmethod
    def tell(terminal: pytest.TerminalReporter) -> None:
        """Shows the notes of all reports."""
        notes = [
            (report.nodeid, note)
            for reports in terminal.stats.values()
            for report in reports
            for note in getattr(report, _ATTRIBUTE, ())
        ]
        if not notes or terminal.verbosity < 0:
            return
        terminal.section("invincible: left behind by tests", "-")
        shown = notes if terminal.verbosity > 0 else notes[:_TOLD]
        for test, note in shown:
            terminal.line(f"{test}: {note}")
        if len(shown) < len(notes):
            terminal.line(f"... and {len(notes) - len(shown)} more; -v shows all")
