"""Facts about the current run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType

from invincible._engine.context import current_run
from invincible._engine.options import timedelta_or_none
from invincible._engine.run import WorkflowRun
from invincible._native import Activation, Payload
from invincible.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
    WorkerDeploymentVersion,
)


@dataclass(frozen=True)
class ParentInfo:
    """The workflow that started this one as its child.

    Attributes:
        namespace: Its namespace.
        run_id: Its run id.
        workflow_id: Its id.
    """

    namespace: str
    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class RootInfo:
    """The first workflow of the chain of parents.

    Attributes:
        run_id: Its run id.
        workflow_id: Its id.
    """

    run_id: str
    workflow_id: str


@dataclass(frozen=True)
class Info:
    """Facts about the run; times are UTC. The ``get_`` and ``is_`` methods tell the state of the current task.

    Attributes:
        attempt: Which attempt of its retry policy this is, counted from 1.
        continued_run_id: The run that this one continues as new, or retries; ``None`` for the first.
        cron_schedule: When it is repeated, in cron's notation, if it is.
        execution_timeout: Longest time for all runs together, if there is one.
        first_execution_run_id: The first run of the chain.
        headers: Headers that it was started with.
        namespace: Its namespace.
        original_execution_run_id: The run id it had before it was reset; ``run_id`` otherwise.
        parent: The workflow that started it as its child, if one did.
        root: The first workflow of the chain of parents; ``None`` if it has no parent.
        priority: Priority and fairness.
        raw_memo: Its memo, as payloads; ``workflow.memo()`` has the values.
        retry_policy: How it is repeated when it fails, if it is.
        run_id: Its run id.
        run_timeout: Longest time for this run, if there is one.
        search_attributes: Its search attributes, lists of values by name.
        start_time: When the first task of this run began.
        task_queue: The task queue it runs on.
        task_timeout: Longest time for one workflow task.
        typed_search_attributes: Its search attributes, with their types.
        workflow_id: Its id.
        workflow_start_time: When the server started this run, or the one that a reset made it of.
        workflow_type: Its type.
    """

    attempt: int
    continued_run_id: str | None
    cron_schedule: str | None
    execution_timeout: timedelta | None
    first_execution_run_id: str
    headers: Mapping[str, Payload]
    namespace: str
    original_execution_run_id: str
    parent: ParentInfo | None
    root: RootInfo | None
    priority: Priority
    raw_memo: Mapping[str, Payload]
    retry_policy: RetryPolicy | None
    run_id: str
    run_timeout: timedelta | None
    search_attributes: SearchAttributes
    start_time: datetime
    task_queue: str
    task_timeout: timedelta
    typed_search_attributes: TypedSearchAttributes
    workflow_id: str
    workflow_start_time: datetime
    workflow_type: str

    def get_current_history_length(self) -> int:
        """Events in the history at the current task."""
        return _activation().history_length

    def get_current_history_size(self) -> int:
        """Bytes of the history at the current task."""
        return _activation().history_size_bytes

    def is_continue_as_new_suggested(self) -> bool:
        """Whether the server suggests to continue as new, because the history grows long."""
        return _activation().continue_as_new_suggested

    def is_target_worker_deployment_version_changed(self) -> bool:
        """Whether the run, being pinned, is on another version than new runs are sent to."""
        return _activation().target_worker_deployment_version_changed

    def get_current_deployment_version(self) -> WorkerDeploymentVersion | None:
        """The worker version that completed, or completes, the current task.

        Without worker deployments its deployment name is empty.
        """
        version = _activation().deployment_version
        return WorkerDeploymentVersion(*version) if version is not None else None

    def get_current_build_id(self) -> str:
        """The build id of that version; empty if there is none."""
        version = _activation().deployment_version
        return version[1] if version is not None else ""


def info() -> Info:
    """Facts about the current run.

    Raises:
        NotInWorkflowError: outside of workflow code.
    """
    run = current_run()
    outbound = run.outbound
    if outbound is None:
        return info_of(run)
    intercepted: Info = outbound.info()
    return intercepted


def info_of(run: WorkflowRun) -> Info:
    """Facts about a run."""
    if run.info is None:
        run.info = _make_info(run)
    info: Info = run.info
    return info


def _activation() -> Activation:
    activation = current_run().activation
    assert activation is not None
    return activation


def _make_info(run: WorkflowRun) -> Info:
    init = run.init
    return Info(
        attempt=init.attempt,
        continued_run_id=init.continued_run_id,
        cron_schedule=init.cron_schedule,
        execution_timeout=timedelta_or_none(init.execution_timeout),
        first_execution_run_id=init.first_execution_run_id,
        headers=init.headers,
        namespace=run.worker.namespace,
        original_execution_run_id=init.original_execution_run_id,
        parent=_parent(init.parent),
        root=RootInfo(workflow_id=init.root[0], run_id=init.root[1]) if init.root is not None else None,
        priority=Priority._from_wire(init.priority) if init.priority is not None else Priority.default,
        raw_memo=MappingProxyType(run.attributes.memo),
        retry_policy=RetryPolicy._from_native(init.retry_policy) if init.retry_policy is not None else None,
        run_id=run.run_id,
        run_timeout=timedelta_or_none(init.run_timeout),
        search_attributes=run.attributes.search_attributes,
        start_time=_utc(run.start_timestamp_ns),
        task_queue=run.worker.task_queue,
        task_timeout=timedelta(seconds=init.task_timeout or 0),
        typed_search_attributes=run.attributes.typed_search_attributes,
        workflow_id=init.workflow_id,
        workflow_start_time=_utc(init.start_time_ns),
        workflow_type=init.workflow_type,
    )


def _parent(parent: tuple[str, str, str] | None) -> ParentInfo | None:
    if parent is None:
        return None
    namespace, workflow_id, run_id = parent
    return ParentInfo(namespace=namespace, workflow_id=workflow_id, run_id=run_id)


def _utc(timestamp_ns: int) -> datetime:
    """The time, to the microsecond below: float seconds cannot tell them apart."""
    return datetime.fromtimestamp(timestamp_ns // 1_000_000_000, timezone.utc).replace(
        microsecond=timestamp_ns // 1_000 % 1_000_000
    )
