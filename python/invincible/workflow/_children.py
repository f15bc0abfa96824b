"""Other workflows: children, external ones, and the next run of this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, overload

from typing_extensions import Unpack

from invincible._engine.context import current_run
from invincible._engine.external import ExternalWorkflowHandle
from invincible._engine.options import ChildWorkflowOptions
from invincible._engine.reference import NOT_GIVEN, Reference, workflow_reference

if TYPE_CHECKING:
    from invincible._engine.children import ChildWorkflowHandle
    from invincible._engine.configs import ChildWorkflowConfig
    from invincible._engine.groups import EventGroup
    from invincible._engine.options import ContinueAsNewVersioningBehavior, VersioningIntent
    from invincible.common import RetryPolicy, SearchAttributes, TypedSearchAttributes
    from invincible.types import (
        AnyType,
        CallableAsyncNoParam,
        CallableAsyncSingleParam,
        ParamType,
        ReturnType,
        SelfType,
    )

    from ._calls import FunctionWorkflow, RunMethod, RunNoParam, RunSingleParam


@overload
async def start_child_workflow(
    workflow: RunNoParam[SelfType, ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: CallableAsyncNoParam[ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[Any, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: RunSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[Any, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: RunMethod[SelfType, ..., ReturnType], *, args: Sequence[Any], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: FunctionWorkflow[..., ReturnType], *, args: Sequence[Any], **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[Any, ReturnType]: ...
@overload
async def start_child_workflow(
    workflow: type[SelfType], arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[SelfType, Any]: ...
@overload
async def start_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnyType],
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any, AnyType]: ...
@overload
async def start_child_workflow(
    workflow: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ChildWorkflowConfig]
) -> ChildWorkflowHandle[Any, Any]: ...
async def start_child_workflow(
    workflow: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[ChildWorkflowConfig],
) -> ChildWorkflowHandle[Any, Any]:
    """Start a child workflow, and return its handle once it has started.

    Args:
        workflow: A workflow's run method, its function, or the workflow's name.
        arg: The argument, where there is just one.
        args: The arguments, where there are several.
        result_type: The type of the result where ``workflow`` is a name; its own annotation is used otherwise.
        options: Id, task queue, timeouts and the like, see ``ChildWorkflowConfig``. The id is a random one by default,
            the task queue that of this workflow.

    Raises:
        WorkflowAlreadyStartedError: a workflow of this id runs, or has run and the reuse policy forbids another.
        ChildWorkflowError: the child was cancelled before it started.
        TypeError: ``workflow`` is no workflow, an option is unknown, or the arguments do not fit it.
    """
    return await _start(workflow, arg, args, options, result_type)


@overload
async def execute_child_workflow(
    workflow: RunNoParam[SelfType, ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: CallableAsyncNoParam[ReturnType], **options: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: RunSingleParam[SelfType, ParamType, ReturnType],
    arg: ParamType,
    **options: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: CallableAsyncSingleParam[ParamType, ReturnType], arg: ParamType, **options: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: RunMethod[SelfType, ..., ReturnType], *, args: Sequence[Any], **options: Unpack[ChildWorkflowConfig]
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: FunctionWorkflow[..., ReturnType],
    *,
    args: Sequence[Any],
    **options: Unpack[ChildWorkflowConfig],
) -> ReturnType: ...
@overload
async def execute_child_workflow(
    workflow: type[SelfType], arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ChildWorkflowConfig]
) -> Any: ...
@overload
async def execute_child_workflow(
    workflow: str,
    arg: Any = ...,
    *,
    args: Sequence[Any] = ...,
    result_type: type[AnyType],
    **options: Unpack[ChildWorkflowConfig],
) -> AnyType: ...
@overload
async def execute_child_workflow(
    workflow: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[ChildWorkflowConfig]
) -> Any: ...
async def execute_child_workflow(
    workflow: Any,
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    result_type: type | None = None,
    **options: Unpack[ChildWorkflowConfig],
) -> Any:
    """Start a child workflow and wait for its result; the parameters are those of ``start_child_workflow``.

    Raises:
        ChildWorkflowError: the child failed; the reason is its ``cause``.
        WorkflowAlreadyStartedError: a workflow of this id runs, or has run and the reuse policy forbids another.
        TypeError: ``workflow`` is no workflow, an option is unknown, or the arguments do not fit it.
    """
    return await (await _start(workflow, arg, args, options, result_type))


async def _start(
    workflow: Any, arg: Any, args: Sequence[Any], options: ChildWorkflowConfig, result_type: type | None
) -> ChildWorkflowHandle[Any, Any]:
    reference = workflow_reference(workflow)
    return await start_child(
        reference, reference.bind(arg, args), ChildWorkflowOptions().replaced(options), result_type
    )


async def start_child(
    reference: Reference, args: Sequence[Any], options: ChildWorkflowOptions, result_type: Any = None
) -> ChildWorkflowHandle[Any, Any]:
    return await current_run().children.start(reference, args, options, result_type or reference.return_hint)


def get_external_workflow_handle(workflow_id: str, *, run_id: str | None = None) -> ExternalWorkflowHandle[Any]:
    """A handle to any workflow of the namespace, to signal or cancel it.

    Args:
        workflow_id: Id of the workflow.
        run_id: One run of it; the current one if ``None``.
    """
    return ExternalWorkflowHandle(current_run(), workflow_id, run_id)


@overload
def get_external_workflow_handle_for(
    workflow: RunMethod[SelfType, ..., Any] | type[SelfType], workflow_id: str, *, run_id: str | None = None
) -> ExternalWorkflowHandle[SelfType]: ...
@overload
def get_external_workflow_handle_for(
    workflow: FunctionWorkflow[..., Any], workflow_id: str, *, run_id: str | None = None
) -> ExternalWorkflowHandle[Any]: ...
def get_external_workflow_handle_for(
    workflow: Callable[..., Any] | type, workflow_id: str, *, run_id: str | None = None
) -> ExternalWorkflowHandle[Any]:
    """The same, typed by the workflow's run method.

    Raises:
        TypeError: ``workflow`` is no workflow.
    """
    workflow_reference(workflow)
    return get_external_workflow_handle(workflow_id, run_id=run_id)


def continue_as_new(
    arg: Any = NOT_GIVEN,
    *,
    args: Sequence[Any] = (),
    workflow: Any = None,
    task_queue: str | None = None,
    run_timeout: timedelta | None = None,
    task_timeout: timedelta | None = None,
    backoff_start_interval: timedelta | None = None,
    retry_policy: RetryPolicy | None = None,
    memo: Mapping[str, Any] | None = None,
    search_attributes: SearchAttributes | TypedSearchAttributes | None = None,
    versioning_intent: VersioningIntent | None = None,
    initial_versioning_behavior: ContinueAsNewVersioningBehavior | None = None,
    event_groups: Sequence[EventGroup] | None = None,
) -> NoReturn:
    """End this run, and go on in a new one with an empty history; does not return.

    Memo, search attributes and retry policy stay as they are unless given; arguments and timeouts do not.

    Args:
        arg: The argument of the new run, where there is just one.
        args: The arguments, where there are several.
        workflow: The workflow to go on as; this one by default.
        task_queue: Its task queue; the same by default.
        run_timeout: Bound for the new run.
        task_timeout: Bound for one workflow task.
        backoff_start_interval: How long the new run waits before its first task.
        retry_policy: How the new run is repeated when it fails.
        memo: The memo of the new run.
        search_attributes: The search attributes of the new run.
        versioning_intent: With build-id based versioning, which workers run it.
        initial_versioning_behavior: With worker deployments, which version it begins on.
        event_groups: Groups that the event belongs to.

    Raises:
        ContinueAsNewError: always; let it pass.
        TypeError: ``workflow`` is no workflow, or the arguments do not fit it.
    """
    run = current_run()
    run.require_writable("continuing as new")
    if workflow is not None:
        reference = workflow_reference(workflow)
    else:
        # A dynamic workflow has no arguments of its own that could be checked.
        own = run.definition.signature if run.definition.name is not None else None
        reference = Reference(run.init.workflow_type, own)
    run.continue_as_new(
        reference if workflow is not None else None,
        reference.bind(arg, args),
        task_queue=task_queue,
        run_timeout=run_timeout,
        task_timeout=task_timeout,
        backoff_start_interval=backoff_start_interval,
        retry_policy=retry_policy,
        memo=memo,
        search_attributes=search_attributes,
        versioning_intent=versioning_intent,
        initial_versioning_behavior=initial_versioning_behavior,
        event_groups=event_groups,
    )
