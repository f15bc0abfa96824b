"""The picture and the table say what was measured, and the documentation shows the kept run."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import plot
from benchmarks.harness import results
from benchmarks.harness.model import DEFAULT, OURS, Metric
from benchmarks.harness.results import Result

DOCS = Path(__file__).resolve().parent.parent / "docs"
SVG = "{http://www.w3.org/2000/svg}"
FACTS = {
    "date": "2026-01-02T03:04:05+00:00",
    "command": "python -m benchmarks.run",
    "python": "3.12.1",
    "platform": "Linux-6.1",
    "cpus": 2,
    "pairs": 5,
    OURS: "0.1.0",
    DEFAULT: "1.35.0",
}


def measured(title: str, ratio: float, aim: float | None) -> Result:
    metric = Metric("cost", "us", aims={DEFAULT: aim} if aim else {})
    return Result("group", title, metric, {OURS: [10.0], DEFAULT: [10 * ratio]})


SOME = [measured("much <better>", 20, 10), measured("missed", 4, 5), measured("worse", 0.5, None)]


def widths(svg: str, color: str) -> list[float]:
    bars = ElementTree.fromstring(svg).iter(f"{SVG}rect")
    # The legend's samples are no bars.
    return [float(bar.get("width", "")) for bar in bars if bar.get("fill") == color and bar.get("width") != "10"]


def test_every_ratio_is_a_bar_on_a_logarithmic_scale() -> None:
    svg = plot.picture(plot.bars(SOME), "a caption")
    (reached,) = widths(svg, plot.REACHED)
    (missed,) = widths(svg, plot.MISSED)
    (worse,) = widths(svg, plot.UNAIMED)
    # From 0.1 to 100 are three decades.
    decade = (plot.WIDTH - plot.LABELS - plot.RIGHT) / 3
    assert reached == pytest.approx(1.301 * decade, abs=0.2)
    assert missed == pytest.approx(0.602 * decade, abs=0.2)
    assert worse == pytest.approx(0.301 * decade, abs=0.2)


def test_each_aim_has_a_mark_and_each_bar_its_name_and_number() -> None:
    root = ElementTree.fromstring(plot.picture(plot.bars(SOME), "a caption"))
    marks = [rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") == plot.AIM]
    # One of them explains the mark.
    assert len(marks) == 3
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"much <better>: us", "20.0x", "missed: us", "4.00x", "worse: us", "0.50x"} <= set(texts)
    assert root.findtext(f"{SVG}title") == "a caption"


def test_what_has_no_ratio_to_the_official_sdk_is_no_bar() -> None:
    share = Result("group", "share", Metric("share", "share", goal=0.9), {OURS: [0.95], DEFAULT: [0.4]})
    alone = Result("group", "alone", Metric("cost", "us"), {OURS: [1.0]})
    assert plot.bars([share, alone]) == []
    with pytest.raises(SystemExit, match="no figure of both"):
        plot.picture([], "a caption")


def test_the_table_goes_between_the_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures, page, svg = tmp_path / "figures.json", tmp_path / "page.md", tmp_path / "plot.svg"
    results.write(figures, FACTS, SOME)
    page.write_text(f"before\n{plot.BEGIN}\nold\n{plot.END}\nafter\n")
    for _ in range(2):
        monkeypatch.setattr(sys, "argv", ["plot", str(figures), str(svg), "--table", str(page)])
        plot.main()
        text = page.read_text()
        assert text.startswith(f"before\n{plot.BEGIN}\n")
        assert text.endswith(f"{plot.END}\nafter\n")
        assert "| missed: us | 10 | 4.00x | | | | 5x | missed |" in text
        assert "2026-01-02: invincible 0.1.0, temporalio 1.35.0, Python 3.12.1, Linux on 2 cores; 5 rounds." in text
        assert "old" not in text
    ElementTree.parse(svg)


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(SystemExit, match="lacks the lines"):
        plot.with_table("a page", "table")


def test_the_documentation_shows_the_kept_run() -> None:
    """Make both anew with:

    python -m benchmarks.plot docs/performance.json docs/pictures/performance.svg --table docs/performance.md
    """
    facts, kept = results.read(DOCS / "performance.json")
    page = (DOCS / "performance.md").read_text(encoding="utf-8")
    assert plot.with_table(page, plot.table(facts, kept)) == page
    caption = f"How many times better invincible {facts[OURS]} is than temporalio {facts[DEFAULT]}"
    drawn = (DOCS / "pictures" / "performance.svg").read_text(encoding="utf-8")
    assert drawn == plot.picture(plot.bars(kept), caption)
