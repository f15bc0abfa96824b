"""Log records of worker processes: made there, handled by the supervisor's ``logging``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from .._pickling import through_pickle

_formatter = logging.Formatter()
_PLAIN = frozenset({str, int, float, bool, type(None)})


@dataclass(frozen=True)
class LogLevels:
    """Which records are worth sending.

    Attributes:
        levels: Levels by the name of the logger; the root logger's name is empty.
        disabled: What ``logging.disable`` was called with.
    """

    levels: Mapping[str, int]
    disabled: int

    @classmethod
    def here(cls) -> LogLevels:
        """Those of this process."""
        loggers = logging.root.manager.loggerDict
        levels = {
            name: each.level for name, each in list(loggers.items()) if isinstance(each, logging.Logger) and each.level
        }
        return cls({"": logging.root.level, **levels}, logging.root.manager.disable)

    def apply(self) -> None:
        """Have them in this process too."""
        for name, level in self.levels.items():
            logging.getLogger(name or None).setLevel(level)
        logging.disable(self.disabled)


class Sender(logging.Handler):
    """Sends records to the supervisor.

    Args:
        index: Number of this worker process; records have it as ``worker_process``.
        send: Takes a record that can be pickled.
    """

    def __init__(self, index: int, send: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._index = index
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record."""
        try:
            self._send(portable(record, worker_process=self._index))
        except Exception:  # as every handler does
            self.handleError(record)


def portable(record: logging.LogRecord, **extra: object) -> logging.LogRecord:
    """A copy of a record that can be pickled: with its text, and with a text of what cannot be."""
    made = logging.makeLogRecord(vars(record))
    made.__dict__.update(extra)
    made.msg, made.args = record.getMessage(), None
    if record.exc_info:
        made.exc_text = record.exc_text or _formatter.formatException(record.exc_info)
        made.exc_info = None
    made.__dict__.update({name: _portable_value(value) for name, value in vars(made).items()})
    return made


def _portable_value(value: object) -> object:
    if not _is_portable(value):
        # Records of Core, among others: what can be asked of them can be asked of the copy.
        names = [name for name in dir(type(value)) if not name.startswith("_")]
        fields = {name: getattr(value, name, None) for name in names}
        if fields and not any(map(callable, fields.values())):
            return SimpleNamespace(
                **{name: field if _is_portable(field) else repr(field) for name, field in fields.items()}
            )
        return repr(value)
    return value


def _is_portable(value: object) -> bool:
    return type(value) in _PLAIN or through_pickle(value) is not None
