"""What the worker's process tells ``invincible dev``: log records with a field that only it reads."""

from __future__ import annotations

import logging
import threading
from typing import Any

# Records of this logger carry news, and are printed by nobody.
_news = logging.getLogger("invincible.dev.news")
_news.setLevel(logging.INFO)


def send_news(generation: int, **values: Any) -> None:
    """Tell something, in the worker's process; what is told can be pickled."""
    _news.info("", extra={"generation": generation, "news": values})


class NewsBox(logging.Handler):
    """Keeps what the processes of each generation have told."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[int, dict[str, Any]] = {}
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one; of several processes of a generation the last one counts."""
        generation, values = record.__dict__["generation"], record.__dict__["news"]
        with self._guard:
            self._kept.setdefault(generation, {}).update(values)

    def take(self, generation: int) -> dict[str, Any]:
        """What was told, once."""
        with self._guard:
            return self._kept.pop(generation, {})

    def __enter__(self) -> NewsBox:
        _news.propagate = False
        _news.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _news.removeHandler(self)
