"""The pages of the documentation: what their Python blocks use is there and has the types that they take it for, and
their links lead somewhere.

What a page takes for granted, an ``Order`` say, is a module of its name in the folder ``guides`` beside this file.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import guides
from tests.support.type_checkers import complaints

GRANTED = Path(__file__).parent / "guides"
# A page is a session at a prompt: await is allowed (`syntax` is about `async for`), and names may be given away anew.
# What it imports is tried by a test of its own.
ALLOWED = ("top-level-await", "syntax", "no-redef", "empty-body", "import-not-found", "untyped-decorator")
# Packages of the reader, and those that examples are made for.
FOREIGN = {"app", "flask", "orders"}


def session(page: str) -> str:
    """The blocks of a page as one module, each line where it is on the page."""
    lines = guides.text(page).split("\n")
    in_block = False
    for number, line in enumerate(lines):
        in_block = line == "```python" or (in_block and line != "```")
        if not in_block or line == "```python":
            lines[number] = ""
    name = module_name(page)
    lines[0] = f"from tests.typing.guides.{name} import *" if (GRANTED / f"{name}.py").exists() else ""
    lines[1] = f'# mypy: disable-error-code="{",".join(ALLOWED)}"'
    return "\n".join(lines)


def module_name(page: str) -> str:
    return page.removesuffix(".md").replace("-", "_").lower()


def test_blocks_have_the_types_that_they_say(tmp_path: Path) -> None:
    modules = []
    for page in guides.PAGES:
        modules.append(tmp_path / f"{module_name(page)}_md.py")
        modules[-1].write_text(session(page), encoding="utf-8")
    assert "\n".join(complaints("mypy", modules)) == ""


def test_nothing_is_granted_to_a_page_that_there_is_not() -> None:
    assert {path.stem for path in GRANTED.glob("*.py")} <= set(map(module_name, guides.PAGES))


def imports(page: str) -> Iterator[tuple[str, str | None]]:
    for block in guides.blocks(page):
        # Await may stand outside of functions here.
        compile(block, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module
                yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("page", guides.PAGES)
def test_what_blocks_import_is_there(page: str) -> None:
    for module, name in imports(page):
        if module.partition(".")[0] in FOREIGN:
            continue
        imported = importlib.import_module(module)
        assert name is None or hasattr(imported, name) or importlib.util.find_spec(f"{module}.{name}"), (module, name)


def anchors(path: Path) -> set[str]:
    """What links can point to: headings, in lower case with hyphens and without punctuation."""
    outside = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*guides.PAGES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    path = guides.PAGES.get(page, guides.ROOT / page)
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        there = path.parent / target if target else path
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_every_page_with_code_is_followed_by_a_test() -> None:
    tests = guides.ROOT / "tests"
    here = "".join(path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py") if path != Path(__file__))
    assert [page for page in guides.PAGES if guides.blocks(page) and f'"{page}"' not in here] == []


def test_every_page_is_linked_from_another() -> None:
    everything = {page: guides.text(page) for page in guides.PAGES}
    for page in guides.PAGES.keys() - {"README.md"}:
        link = re.compile(rf"\]\((?:[^)\s]*/)?{re.escape(page)}(?:#[^)]*)?\)")
        assert any(link.search(text) for other, text in everything.items() if other != page), page
