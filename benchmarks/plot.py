"""The picture and the table of a run, for the documentation.

    python -m benchmarks.plot FIGURES [PICTURE] [--table PAGE]

FIGURES is what `benchmarks.run --json` wrote. PICTURE is an SVG file to write. `--table` writes the table into a page
of Markdown, between the lines `<!-- figures -->` and `<!-- end of figures -->`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.harness import results, summary
from benchmarks.harness.model import DEFAULT, OURS
from benchmarks.harness.results import Result

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"

# In pixels.
WIDTH, LABELS, RIGHT = 960, 450, 60
ROW, BAR, TOP, BOTTOM = 22, 12, 58, 34
# Readable on white and on black: a picture does not know which page it is on.
TEXT, GRID, REACHED, MISSED, UNAIMED, AIM = "#7b818a", "#7b818a55", "#2f9e6e", "#d0872a", "#7b818a", "#5b7fd6"


@dataclass(frozen=True)
class Bar:
    """How many times better ours is in one figure, how many times it is to be, and whether all its aims are reached."""

    label: str
    ratio: float
    aim: float | None
    reached: bool | None


def bars(measured: Sequence[Result]) -> list[Bar]:
    """The figures with a ratio to the official SDK with its defaults."""
    found = []
    for result in measured:
        comparison = result.against(DEFAULT)
        if comparison is not None and result.metric.goal is None:
            label = f"{result.title}: {result.metric.title}"
            verdicts = result.verdicts().values()
            found.append(Bar(label, comparison.ratio.median, comparison.aim, all(verdicts) if verdicts else None))
    return found


def picture(figures: Sequence[Bar], caption: str) -> str:
    """An SVG image: a bar for each figure on a logarithmic scale, with a mark where its aim beside `temporalio` is."""
    if not figures:
        raise SystemExit(f"error: there is no figure of both {OURS} and {DEFAULT} to draw")
    values = [value for bar in figures for value in (bar.ratio, bar.aim, 1.0) if value]
    least, most = (10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values) * 1.05)))
    height = TOP + ROW * len(figures) + BOTTOM

    def x(value: float) -> float:
        share = math.log(value / least) / math.log(most / least)
        return LABELS + share * (WIDTH - LABELS - RIGHT)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{TEXT}">',
        f"<title>{escape(caption)}</title>",
        f'<text x="{LABELS}" y="20" font-size="14">times better than temporalio</text>',
    ]
    for offset, color, meaning in ((0, REACHED, "reached"), (75, MISSED, "missed"), (150, UNAIMED, "no aim")):
        lines.append(f'<rect x="{LABELS + offset}" y="29" width="10" height="10" fill="{color}"/>')
        lines.append(f'<text x="{LABELS + offset + 15}" y="38">{meaning}</text>')
    lines.append(f'<rect x="{LABELS + 225}" y="28" width="3" height="12" fill="{AIM}"/>')
    lines.append(f'<text x="{LABELS + 234}" y="38">aim</text>')
    for tick in _ticks(least, most):
        weight = 2 if tick == 1 else 1
        lines.append(
            f'<path d="M{x(tick):.1f} {TOP - 8}V{height - BOTTOM + 4}" stroke="{GRID}" stroke-width="{weight}"/>'
            f'<text x="{x(tick):.1f}" y="{height - BOTTOM + 18}" text-anchor="middle">{tick:g}</text>'
        )
    for number, bar in enumerate(figures):
        y = TOP + ROW * number
        start, end = sorted((x(1), x(bar.ratio)))
        color = UNAIMED if bar.reached is None else REACHED if bar.reached else MISSED
        lines.append(f'<text x="{LABELS - 10}" y="{y + 10}" text-anchor="end">{escape(bar.label)}</text>')
        lines.append(f'<rect x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="{BAR}" rx="1" fill="{color}"/>')
        if bar.aim:
            lines.append(f'<rect x="{x(bar.aim) - 1.5:.1f}" y="{y - 3}" width="3" height="{BAR + 6}" fill="{AIM}"/>')
        lines.append(f'<text x="{max(end, x(bar.aim or 1)) + 6:.1f}" y="{y + 10}">{summary.times(bar.ratio)}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _ticks(least: float, most: float) -> list[float]:
    first, last = round(math.log10(least)), round(math.log10(most))
    return [10.0**exponent for exponent in range(first, last + 1)]


def table(facts: Mapping[str, Any], measured: Sequence[Result]) -> str:
    """What was run, and a line for each figure."""
    versions = f"invincible {facts[OURS]}, temporalio {facts[DEFAULT]}, Python {facts['python']}"
    machine = f"{facts['platform'].partition('-')[0]} on {facts['cpus']} cores"
    return (
        f"`{facts['command']}`, {facts['date'][:10]}: {versions}, {machine}; {facts['pairs']} rounds.\n\n"
        f"{summary.markdown(measured)}"
    )


def with_table(page: str, text: str) -> str:
    """The page with the text between the marks."""
    before, begin, rest = page.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"error: the page lacks the lines {BEGIN} and {END}")
    return f"{before}{begin}\n{text}\n\n{end}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Picture and table of a run.")
    parser.add_argument("figures", type=Path)
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--table", type=Path, metavar="PAGE")
    arguments = parser.parse_args()
    facts, measured = results.read(arguments.figures)
    if arguments.picture:
        caption = f"How many times better invincible {facts[OURS]} is than temporalio {facts[DEFAULT]}"
        arguments.picture.write_text(picture(bars(measured), caption), encoding="utf-8")
    if arguments.table:
        page = arguments.table.read_text(encoding="utf-8")
        arguments.table.write_text(with_table(page, table(facts, measured)), encoding="utf-8")
    if not arguments.picture and not arguments.table:
        print(table(facts, measured))


if __name__ == "__main__":
    main()
