"""The type checkers read the modules of this folder: types are what they assert, and what must be an error is one.

A line that must be an error has a ``type: ignore``, which mypy reports where there is no error to ignore. So does
pyright in modules that ask for it by a comment.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.type_checkers import ROOT, complaints

FOLDER = Path(__file__).parent
MODULES = sorted(path.relative_to(ROOT) for path in FOLDER.glob("*.py") if path.name != Path(__file__).name)


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_types_are_as_asserted(checker: str) -> None:
    assert complaints(checker, MODULES) == []


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_line_that_must_be_an_error_and_is_none_is_found(checker: str, tmp_path: Path) -> None:
    module = tmp_path / "wrong.py"
    module.write_text(
        "# pyright: reportUnnecessaryTypeIgnoreComment=true\n"
        "from invincible import activity\n\n\n"
        "@activity.defn\n"
        "async def greet(name: str) -> None: ...\n\n\n"
        'greet.start("Ada")  # type: ignore[arg-type]\n'
        "greet.start(1)\n"
    )
    lines = [line.strip().split(":")[1] for line in complaints(checker, [module])]
    assert lines == ["9", "10"]
