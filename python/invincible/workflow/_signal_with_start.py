"""Signalling a workflow that may not run yet: an operation of the server's own Nexus service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from invincible import _native
from invincible._engine.context import current_run
from invincible._engine.contexts import SYSTEM_ENDPOINT, workflow_context
from invincible._engine.external import ExternalWorkflowHandle
from invincible._engine.options import native_retry_policy, seconds
from invincible._engine.reference import Reference, signal_reference, workflow_reference
from invincible._engine.run import WorkflowRun
from invincible._native import Payload
from invincible.common import (
    Priority,
    RawValue,
    RetryPolicy,
    TypedSearchAttributes,
    VersioningOverride,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from invincible.converter import SerializationContext, encode_search_attributes

SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
OPERATION = "SignalWithStartWorkflowExecution"


async def signal_with_start_workflow(
    workflow: Any,
    *positional_args: Any,
    args: Sequence[Any] | None = None,
    id: str,
    task_queue: str,
    signal: Any,
    signal_args: Any = None,
    execution_timeout: timedelta | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    id_conflict_policy: WorkflowIDConflictPolicy | None = None,
    retry_policy: RetryPolicy | None = None,
    cron_schedule: str | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: TypedSearchAttributes | None = None,
    priority: Priority | None = None,
    versioning_override: VersioningOverride | None = None,
    start_delay: timedelta | None = None,
    static_summary: str | None = None,
    static_details: str | None = None,
) -> ExternalWorkflowHandle[Any]:
    """Signal a workflow; start it before if it does not run.

    It needs a server with system Nexus operations.

    Args:
        workflow: A workflow's run method, its function, or the workflow's name.
        positional_args: Its arguments.
        args: Its arguments, in the other form.
        id: Id of the workflow.
        task_queue: Where it runs.
        signal: A method decorated with ``workflow.signal``, or the signal's name.
        signal_args: The signal's argument, or a list of its arguments; wrap a lone list in another one.
        execution_timeout: Bound for all runs together.
        run_timeout: Bound for one run.
        task_timeout: Bound for one workflow task.
        id_reuse_policy: What to do when a workflow of this id has ended.
        id_conflict_policy: What to do when a workflow of this id runs; it gets the signal by default.
        retry_policy: How a failed workflow is repeated.
        cron_schedule: When to run it again and again.
        memo: What it is described by.
        search_attributes: What it is found by.
        priority: Priority and fairness.
        versioning_override: Version to run on, whatever the workers say.
        start_delay: How long the first task waits.
        static_summary: One line for the Web UI.
        static_details: More of it.

    Returns:
        A handle to the run that got the signal.

    Raises:
        NexusOperationError: the server refuses; the reason is its ``cause``.
        TypeError: ``workflow`` is no workflow, ``signal`` no signal, or the arguments do not fit.

    Example:
        await workflow.signal_with_start_workflow(
            Basket.run, owner, id=f"basket-{owner}", task_queue="baskets", signal=Basket.add, signal_args="apple"
        )
    """
    if args is not None and positional_args:
        raise TypeError("give the arguments either one by one or as args, not both")
    run = current_run()
    fields: dict[str, Any] = {
        "workflow": workflow,
        "args": list(positional_args if args is None else args),
        "id": id,
        "task_queue": task_queue,
        "signal": signal,
        "signal_args": signal_args if isinstance(signal_args, list) else [] if signal_args is None else [signal_args],
        "execution_timeout": execution_timeout,
        "run_timeout": run_timeout,
        "task_timeout": task_timeout,
        "id_reuse_policy": id_reuse_policy,
        "id_conflict_policy": id_conflict_policy,
        "retry_policy": retry_policy,
        "cron_schedule": cron_schedule,
        "memo": memo,
        "search_attributes": search_attributes,
        "priority": priority,
        "versioning_override": versioning_override,
        "start_delay": start_delay,
    }
    if run.outbound is not None:
        from ._interception.signal_with_start import started_through_interceptors

        return await started_through_interceptors(run, fields, static_summary, static_details)
    payload = request_payload(run, **fields, static_summary=static_summary, static_details=static_details)
    handle = await run.nexus.start(SYSTEM_ENDPOINT, SERVICE, OPERATION, payload, RawValue, workflow_context(run, id))
    return ExternalWorkflowHandle(run, id, response_run_id(await handle))


def request_payload(
    run: WorkflowRun,
    *,
    workflow: Any,
    args: Sequence[Any],
    id: str,
    task_queue: str,
    signal: Any,
    signal_args: Sequence[Any],
    execution_timeout: timedelta | None,
    run_timeout: timedelta | None,
    task_timeout: timedelta | None,
    id_reuse_policy: WorkflowIDReusePolicy,
    id_conflict_policy: WorkflowIDConflictPolicy | None,
    retry_policy: RetryPolicy | None,
    cron_schedule: str | None,
    memo: Mapping[str, Any] | None,
    search_attributes: TypedSearchAttributes | None,
    priority: Priority | None,
    versioning_override: VersioningOverride | None,
    start_delay: timedelta | None,
    static_summary: str | None,
    static_details: str | None,
    namespace: str | None = None,
    headers: Mapping[str, Payload] | None = None,
) -> Payload:
    """The request of the operation, as its input."""
    context = workflow_context(run, id)
    started = workflow_reference(workflow)
    signalled = signal_reference(signal)
    return _native.StartWorkflowRequest(
        namespace=namespace or run.worker.namespace,
        workflow_id=id,
        workflow_type=started.name,
        task_queue=task_queue,
        identity="",
        input=_encoded(run, started, args, "workflow", context),
        execution_timeout=seconds("execution_timeout", execution_timeout),
        run_timeout=seconds("run_timeout", run_timeout),
        task_timeout=seconds("task_timeout", task_timeout),
        start_delay=seconds("start_delay", start_delay),
        id_reuse_policy=int(id_reuse_policy),
        id_conflict_policy=int(id_conflict_policy or 0),
        retry_policy=native_retry_policy("retry_policy", retry_policy) if retry_policy is not None else None,
        cron_schedule=cron_schedule or "",
        memo=run.encode_memo(memo or {}, context),
        search_attributes=encode_search_attributes(search_attributes) if search_attributes is not None else {},
        headers=headers or {},
        static_summary=run.text(static_summary, context),
        static_details=run.text(static_details, context),
        start_signal=signalled.name,
        start_signal_input=_encoded(run, signalled, signal_args, "signal", context),
        priority=priority._to_native() if priority is not None else None,
        versioning_override=versioning_override._to_native() if versioning_override is not None else None,
    ).signal_with_start_payload()


def response_run_id(response: RawValue) -> str:
    """The run that the signal has reached."""
    return _native.signal_with_start_run_id(response.payload)


def _encoded(
    run: WorkflowRun, reference: Reference, values: Sequence[Any], what: str, context: SerializationContext | None
) -> list[Payload]:
    if reference.signature is not None:
        values = reference.signature.bind(values, {})
    return run.encode(values, what, reference.name, context)
