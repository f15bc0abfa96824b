"""Which files make ``invincible dev`` load the project again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

from .._sources import SKIPPED_FOLDERS, shown_path

# Milliseconds in which changes count as one: editors and version control write several files at once.
_DEBOUNCE = 400


class SourceFilter(DefaultFilter):
    """Passes Python files of the project itself.

    Args:
        project: Its folder.
    """

    def __init__(self, project: Path) -> None:
        super().__init__()
        self._project = project
        self._environments: dict[Path, bool] = {}

    def __call__(self, change: Change, path: str) -> bool:
        """Whether a file counts."""
        if not path.endswith(".py") or not super().__call__(change, path):
            return False
        try:
            folders = Path(path).relative_to(self._project).parts[:-1]
        except ValueError:
            return False
        if any(each.startswith(".") or each in SKIPPED_FOLDERS for each in folders):
            return False
        folder = self._project
        for each in folders:
            folder /= each
            if self._is_environment(folder):
                return False
        return True

    def _is_environment(self, folder: Path) -> bool:
        known = self._environments.get(folder)
        if known is None:
            known = self._environments[folder] = (folder / "pyvenv.cfg").exists()
        return known


async def changes(project: Path, stop: asyncio.Event) -> AsyncIterator[list[str]]:
    """The files that change, together, until the event is set.

    Raises:
        OSError: The folder cannot be watched.
    """
    # In the way of the library, which asks for the event from a thread of its own.
    ended = threading.Event()
    stopping = asyncio.ensure_future(_hand_on(stop, ended))
    try:
        async for changed in awatch(
            project,
            watch_filter=SourceFilter(project),
            debounce=_DEBOUNCE,
            stop_event=ended,
            rust_timeout=1000,
            ignore_permission_denied=True,
        ):
            yield sorted({shown_path(path) for _, path in changed})
    finally:
        ended.set()
        stopping.cancel()


async def _hand_on(stop: asyncio.Event, ended: threading.Event) -> None:
    await stop.wait()
    ended.set()
