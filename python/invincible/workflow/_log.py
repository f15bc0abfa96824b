"""The logger for workflow code."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from typing import Any

from invincible._engine.context import current_run_or_none
from invincible._engine.log import LoggerAdapter as _Base
from invincible._engine.messages import current_update
from invincible._engine.run import WorkflowRun

from ._info import info


class LoggerAdapter(_Base):
    """Adds what identifies the run to each record, and is silent on replay.

    The message stays as it is. The run's identity is the record's attribute ``temporal_workflow``, a dict of its
    attempt, namespace, run id, task queue, workflow id and workflow type, and of the update that is handled.

    Attributes:
        workflow_info_on_message: Append that dict to the message; off by default.
        workflow_info_on_extra: Give records the attribute ``temporal_workflow``; on by default.
        full_workflow_info_on_extra: Give records the attribute ``workflow_info``, all of ``workflow.info()``.
        log_during_replay: Log on replay too.
    """

    def __init__(self, logger: logging.Logger, extra: Mapping[str, Any] | None = None) -> None:
        """Wraps a logger."""
        super().__init__(logger, extra or {})
        self.workflow_info_on_message = False
        self.workflow_info_on_extra = True
        self.full_workflow_info_on_extra = False
        self.log_during_replay = False

    @property
    def base_logger(self) -> logging.Logger:
        """The logger behind the adapter, to add handlers to."""
        return self.logger

    def unsafe_disable_sandbox(self, value: bool = True) -> None:
        """Accepted for compatibility, without effect: logging is free to do what it must, guarded workflow or not."""

    def isEnabledFor(self, level: int) -> bool:
        run = current_run_or_none()
        if run is not None and run.is_replaying_history_events and not self.log_during_replay:
            return False
        return super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        run = current_run_or_none()
        extra = {**(self.extra or {})}
        if run is not None:
            if self.workflow_info_on_message:
                msg = f"{msg} ({_identity(run)})"
            if self.workflow_info_on_extra:
                extra["temporal_workflow"] = _identity(run)
            if self.full_workflow_info_on_extra:
                extra["workflow_info"] = info()
        # What the call itself gives goes first.
        kwargs["extra"] = {**extra, **(kwargs.get("extra") or {})}
        return msg, kwargs


def _identity(run: WorkflowRun) -> dict[str, Any]:
    identity = {
        "attempt": run.init.attempt,
        "namespace": run.worker.namespace,
        "run_id": run.run_id,
        "task_queue": run.worker.task_queue,
        "workflow_id": run.init.workflow_id,
        "workflow_type": run.init.workflow_type,
    }
    update = current_update.get()
    if update is not None:
        identity["update_id"] = update.id
        identity["update_name"] = update.name
    return identity


logger = LoggerAdapter(logging.getLogger("invincible.workflow"))
"""Logger for workflow code: silent on replay; each record carries the run's identity as ``temporal_workflow``."""
