"""Log records as a handler gets them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

SOON = 10.0


class Records(logging.Handler):
    """Keeps records, which may come from other threads.

    Attributes:
        records: What has come.
    """

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._came = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._came:
            self.records.append(record)
            self._came.notify_all()

    def wait_for(self, wanted: Callable[[logging.LogRecord], bool] = lambda record: True) -> logging.LogRecord:
        """The first record that is wanted."""
        found: list[logging.LogRecord] = []

        def there() -> bool:
            found[:] = [record for record in self.records if wanted(record)]
            return bool(found)

        with self._came:
            assert self._came.wait_for(there, SOON), [record.getMessage() for record in self.records]
        return found[0]
