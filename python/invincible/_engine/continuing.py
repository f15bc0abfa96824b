"""The command by which a run continues as a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from invincible import _native
from invincible._native import Payload
from invincible.common import RetryPolicy, SearchAttributes, TypedSearchAttributes
from invincible.converter import encode_search_attributes

from .groups import EventGroup, markers
from .options import (
    ContinueAsNewVersioningBehavior,
    VersioningIntent,
    given_groups,
    native_retry_policy,
    seconds,
)

if TYPE_CHECKING:
    from .run import WorkflowRun


def continue_as_new_command(
    run: WorkflowRun,
    workflow: str | None,
    arguments: Sequence[Any],
    *,
    task_queue: str | None,
    run_timeout: timedelta | None,
    task_timeout: timedelta | None,
    backoff_start_interval: timedelta | None,
    retry_policy: RetryPolicy | None,
    memo: Mapping[str, Any] | None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None,
    versioning_intent: VersioningIntent | None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None,
    event_groups: Sequence[EventGroup] | None,
    headers: Mapping[str, Payload] | None = None,
) -> Any:
    """The command; ``workflow`` is the type to go on as, ``None`` for that of the run."""
    return _native.ContinueAsNewWorkflowExecution(
        workflow_type=workflow or "",
        task_queue=task_queue or "",
        arguments=run.encode(arguments, "workflow", workflow or run.init.workflow_type),
        run_timeout=seconds("run_timeout", run_timeout),
        task_timeout=seconds("task_timeout", task_timeout),
        memo=run.encode_memo(memo) if memo is not None else None,
        headers=headers,
        search_attributes=encode_search_attributes(search_attributes) if search_attributes is not None else None,
        retry_policy=native_retry_policy("retry_policy", retry_policy) if retry_policy is not None else None,
        versioning_intent=int(versioning_intent or 0),
        initial_versioning_behavior=int(initial_versioning_behavior or 0),
        backoff_start_interval=seconds("backoff_start_interval", backoff_start_interval),
        event_groups=markers(given_groups(event_groups)),
    )
