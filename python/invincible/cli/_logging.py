"""Where the log records of a command go: to standard error, as text or as JSON."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone

_TEXT = "%(asctime)s %(levelname)s %(name)s%(worker_process_shown)s: %(message)s"
# What every record has; everything else on it is a field that somebody gave.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "worker_process_shown"}


class TextFormatter(logging.Formatter):
    """One line, with the number of the worker process if it comes from one."""

    def __init__(self) -> None:
        super().__init__(_TEXT)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        index = getattr(record, "worker_process", None)
        record.worker_process_shown = "" if index is None else f" [{index}]"
        return super().format(record)


class JSONFormatter(logging.Formatter):
    """One JSON object in a line, with the fields that were given as ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        values: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
        }
        values.update((name, value) for name, value in vars(record).items() if name not in _OWN and name not in values)
        if record.exc_info:
            record.exc_text = record.exc_text or self.formatException(record.exc_info)
        if record.exc_text:
            values["exception"] = record.exc_text
        return json.dumps(values, default=str)


def log_to_stderr(level: str, form: str) -> None:
    """Have all records of a level and above written, as ``text`` or ``json``."""
    handler = logging.StreamHandler()
    handler.setFormatter(JSONFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
