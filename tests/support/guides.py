"""Pages of the documentation: their Python blocks, read and executed."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Container, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(page: str) -> str:
    """A page, by the name of its file; one of those beside the documentation by its path."""
    return PAGES.get(page, ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """The Python blocks of a page."""
    return _PYTHON.findall(text(page))


def first_program(page: str, address: str) -> str:
    """The first block of a page, a whole program, for the server at an address."""
    source = blocks(page)[0]
    assert "localhost:7233" in source
    return source.replace("localhost:7233", address)


async def follow(
    page: str,
    address: str = "localhost:7233",
    replacements: Mapping[str, str] = {},
    *,
    only: Container[int] = range(100),
    **names: Any,
) -> dict[str, Any]:
    """Run the Python blocks of a page one after the other, as if they were typed at a prompt.

    Args:
        page: Name of the file.
        address: Of the server to use.
        replacements: Texts to put in place of others, so that tests do not meet.
        only: Which blocks, counted from 0.
        names: What the page takes for granted.

    Returns:
        The names that there are at the end.
    """
    module = ModuleType(f"guide.{page}")
    module.__dict__.update(names)
    # Types are looked up in the module that defines them.
    sys.modules[module.__name__] = module
    try:
        for number, block in enumerate(blocks(page)):
            if number not in only:
                continue
            source = block.replace("localhost:7233", address)
            for old, new in replacements.items():
                source = source.replace(old, new)
            code = compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            running = eval(code, module.__dict__)
            if inspect.isawaitable(running):
                await running
        return module.__dict__
    finally:
        del sys.modules[module.__name__]
