"""The logger for activity code."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from invincible._engine.log import LoggerAdapter as _Base

from ._context import ActivityContext, current


class LoggerAdapter(_Base):
    """Adds what identifies the activity to each record.

    The message stays as it is. The activity's identity is the record's attribute ``temporal_activity``, a dict of its
    activity id, activity type, attempt, namespace, task queue, workflow id, workflow run id and workflow type.

    Attributes:
        activity_info_on_message: Append that dict to the message; off by default.
        activity_info_on_extra: Give records the attribute ``temporal_activity``; on by default.
        full_activity_info_on_extra: Give records the attribute ``activity_info``, all of ``activity.info()``.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None = None) -> None:
        """Wraps a logger."""
        super().__init__(logger, extra or {})
        self.activity_info_on_message = False
        self.activity_info_on_extra = True
        self.full_activity_info_on_extra = False

    @property
    def base_logger(self) -> logging.Logger:
        """The logger behind the adapter, to add handlers to."""
        return self.logger

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        context = current.get(None)
        extra = {**(self.extra or {})}
        if context is not None:
            if self.activity_info_on_message:
                msg = f"{msg} ({_identity(context)})"
            if self.activity_info_on_extra:
                extra["temporal_activity"] = _identity(context)
            if self.full_activity_info_on_extra:
                extra["activity_info"] = context.info
        # What the call itself gives goes first.
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return msg, kwargs


def _identity(context: ActivityContext) -> dict[str, Any]:
    start = context.start
    return {
        "activity_id": start.activity_id,
        "activity_type": start.activity_type,
        "attempt": start.attempt,
        "namespace": context.namespace,
        "task_queue": context.task_queue,
        "workflow_id": start.workflow_id or None,
        "workflow_run_id": start.workflow_run_id or None,
        "workflow_type": start.workflow_type or None,
    }


logger = LoggerAdapter(logging.getLogger("invincible.activity"))
"""Logger for activity code; each record carries the activity's identity as ``temporal_activity``."""
