"""What becomes of failed workflow tasks on the worker: they are logged, and kept for those who wait for the result.

The server has a failed task tried again for as long as the run lives. The log tells each cause once.
"""

from __future__ import annotations

import threading
import traceback
from collections import OrderedDict

from invincible.client._task_failures import task_failures

from ._failures import logger, text_of

_CAPACITY = 1000
# Causes that are told apart in one run: a run that fails in turn for some of them tells each once.
_CAUSES = 16


class TaskFailureLog:
    """Logs why workflow tasks fail: a cause once with its traceback, and then how often it came again.

    Args:
        keep: Whether to keep failures for the clients of this process as well.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._lock = threading.Lock()
        # Bounded, as nobody tells when a run has ended that this worker does not have any more.
        self._causes: OrderedDict[str, OrderedDict[object, int]] = OrderedDict()

    def add(self, workflow_type: str, workflow_id: str, run_id: str, error: BaseException) -> None:
        """A workflow task of the run failed."""
        if self._keep:
            task_failures.keep(workflow_id, run_id, error)
        cause = _cause(error)
        with self._lock:
            causes = self._causes[run_id] = self._causes.pop(run_id, OrderedDict())
            count = causes[cause] = causes.pop(cause, 0) + 1
            if len(causes) > _CAUSES:
                causes.popitem(last=False)
            if len(self._causes) > _CAPACITY:
                self._causes.popitem(last=False)
        fields = {"workflow_type": workflow_type, "workflow_id": workflow_id, "run_id": run_id}
        if count == 1:
            logger.warning(
                "workflow task failed and will be tried again: %s %r, run %s",
                workflow_type,
                workflow_id,
                run_id,
                exc_info=error,
                extra=fields,
            )
        elif str(count).strip("0") == "1":
            logger.warning(
                "workflow task has failed %d times in the same way: %s %r, run %s: %s: %s",
                count,
                workflow_type,
                workflow_id,
                run_id,
                type(error).__name__,
                text_of(error),
                extra=fields,
            )
        else:
            text = text_of(error)
            logger.debug(
                "workflow task failed again: %s %r, run %s: %s", workflow_type, workflow_id, run_id, text, extra=fields
            )


def _cause(error: BaseException) -> object:
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = frame.f_code.co_filename, line
    return type(error), text_of(error), place
