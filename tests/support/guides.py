"""Pages of the documentation, executed."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


async def follow(page: str, address: str, replacements: dict[str, str], **names: Any) -> dict[str, Any]:
    """Run the Python blocks of a page one after the other, as if they were typed at a prompt.

    Args:
        page: Name of the file.
        address: Of the server to use.
        replacements: Texts to put in place of others, so that tests do not meet.
        names: What the page takes for granted.

    Returns:
        The names that there are at the end.
    """
    names["__name__"] = "guide"
    for block in _PYTHON.findall((DOCS / page).read_text(encoding="utf-8")):
        source = block.replace("localhost:7233", address)
        for old, new in replacements.items():
            source = source.replace(old, new)
        running = eval(compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.isawaitable(running):
            await running
    return names
