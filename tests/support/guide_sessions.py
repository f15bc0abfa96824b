"""Pages that are one session at a prompt: a worker serves what they define, and they say what their blocks print."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from invincible.client import Client
from invincible.worker import Worker

from . import guides

# What decorators leave on what they decorate.
WORKFLOW, ACTIVITY = "__invincible_workflow__", "__invincible_activity__"

# A Python block, and the text block right behind it, which is what it prints.
_BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def printed(page: str) -> list[str | None]:
    """For each Python block of a page what it says that the block prints; ``None`` if it says nothing of it."""
    return [said or None for _, said in _BLOCK.findall(guides.text(page))]


async def follow(
    page: str,
    *,
    address: str,
    namespace: str,
    task_queue: str,
    normalize: Callable[[str], str] = str,
    replacements: Mapping[str, str] = {},
    **names: Any,
) -> dict[str, Any]:
    """Run the blocks of a page in a namespace of its own, and compare what they print with what the page says.

    Args:
        page: Name of the file.
        address: Of the server.
        namespace: Where the page's workflows run.
        task_queue: The one that the page names.
        normalize: Makes what differs each time, ids say, the same, in what is printed and in the page.
        replacements: Texts to put in place of others.
        names: What the page takes for granted.

    Returns:
        The names that there are at the end.
    """
    client = await Client.connect(address, namespace=namespace)
    replacements = {
        f'Client.connect("{address}"': f'Client.connect("{address}", namespace="{namespace}"',
        **replacements,
    }
    for number, said in enumerate(printed(page)):
        out = io.StringIO()
        async with contextlib.AsyncExitStack() as stack:
            worker = _worker(client, task_queue, names)
            if worker is not None:
                await stack.enter_async_context(worker)
            stack.enter_context(contextlib.redirect_stdout(out))
            names = await guides.follow(page, address, replacements, only=[number], **_plain(names))
        wrote = out.getvalue()
        assert normalize(wrote) == normalize(said or ""), f"block {number} of {page} printed:\n{wrote}"
    return names


def _plain(names: Mapping[str, Any]) -> dict[str, Any]:
    """Without what each module has of its own."""
    return {name: value for name, value in names.items() if not name.startswith("__")}


def _worker(client: Client, task_queue: str, names: Mapping[str, Any]) -> Worker | None:
    """A worker of all that a page has defined so far."""
    # What is defined anew takes the place of what had the name before.
    workflows = {value.__invincible_workflow__.name: value for value in names.values() if hasattr(value, WORKFLOW)}
    activities = {value.__invincible_activity__.name: value for value in names.values() if hasattr(value, ACTIVITY)}
    if not workflows and not activities:
        return None
    return Worker(client, task_queue=task_queue, workflows=[*workflows.values()], activities=[*activities.values()])
