"""Options of calls by keyword, for the signatures that type checkers see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from typing_extensions import Required, TypedDict

from invincible.common import (
    Priority,
    QueryRejectCondition,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from ._status import WorkflowUpdateStage


class CallOptions(TypedDict, total=False):
    """Options of every call."""

    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None


class QueryOptions(CallOptions, total=False):
    """Options of :meth:`WorkflowHandle.query`."""

    reject_condition: QueryRejectCondition | None


class UpdateOptions(CallOptions, total=False):
    """Options of :meth:`WorkflowHandle.execute_update`."""

    id: str | None


class StartUpdateOptions(UpdateOptions, total=False):
    """Options of :meth:`WorkflowHandle.start_update`."""

    wait_for_stage: Required[WorkflowUpdateStage]


class _StartOptions(TypedDict, total=False):
    """What every start of a workflow can be told."""

    id: Required[str]
    task_queue: Required[str]
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    id_reuse_policy: WorkflowIDReusePolicy
    retry_policy: RetryPolicy | None
    cron_schedule: str
    memo: Mapping[str, Any] | None
    search_attributes: TypedSearchAttributes | SearchAttributes | None
    static_summary: str | None
    static_details: str | None
    start_delay: timedelta | None
    priority: Priority
    versioning_override: VersioningOverride | None


class StartOptions(_StartOptions, CallOptions, total=False):
    """Options of :meth:`Client.start_workflow` and :meth:`Client.execute_workflow`."""

    id_conflict_policy: WorkflowIDConflictPolicy
    start_signal: str | None
    start_signal_args: Sequence[Any]
    request_eager_start: bool


class WithStartOptions(_StartOptions, total=False):
    """Options of :class:`WithStartWorkflowOperation`."""

    id_conflict_policy: Required[WorkflowIDConflictPolicy]
