"""The start of a workflow as a value, for update-with-start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Generic, overload

from typing_extensions import Unpack

from invincible._engine.reference import NOT_GIVEN, workflow_reference
from invincible.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from invincible.service import RPCError
from invincible.types import ReturnType, SelfType

from ._errors import WorkflowUpdateRPCTimeoutOrCancelledError
from ._handle import WorkflowHandle

if TYPE_CHECKING:
    from invincible.common import RetryPolicy, SearchAttributes, TypedSearchAttributes, VersioningOverride
    from invincible.types import (
        AnyType,
        CallableAsyncNoParam,
        CallableAsyncSingleParam,
        MethodAsyncNoParam,
        MethodAsyncSingleParam,
        ParamType,
    )

    from ._client import Client
    from ._inputs import UpdateWithStartStartWorkflowInput
    from ._options import WithStartOptions


class WithStartWorkflowOperation(Generic[SelfType, ReturnType]):
    """The start of a workflow, to be sent together with an update. To be used once.

    Args:
        workflow: A ``@workflow.run`` method, a function decorated with ``@workflow.defn``, or a name.
        arg: The argument, where there is just one.
        args: The arguments, where there are several.
        id: Id of the workflow.
        task_queue: Task queue that its workers poll.
        id_conflict_policy: What to do if one of this id is running: ``USE_EXISTING`` sends that one the update,
            ``FAIL`` refuses.
        result_type: Type of the result; that of the method or function by default.
        execution_timeout: Longest time for all runs together, retries and continuing as new included.
        run_timeout: Longest time for one run.
        task_timeout: Longest time for a worker to answer one workflow task; the server's default is ten seconds.
        id_reuse_policy: Whether the id of a closed workflow may be used again.
        retry_policy: How a failed workflow is repeated; by default it is not.
        cron_schedule: When to repeat it, in cron's notation.
        memo: Values to keep with it that cannot be searched for.
        search_attributes: Values that it can be found by.
        static_summary: One line for the Web UI.
        static_details: A text for the Web UI.
        start_delay: Time to wait before it begins; the update begins it earlier.
        priority: Priority and fairness.
        versioning_override: Version to run on, whatever the workers say.

    Raises:
        ValueError: ``id_conflict_policy`` is ``UNSPECIFIED``.
        TypeError: ``workflow`` is no workflow.
        ArgumentError: The arguments do not fit the method or function.

    Example:
        start = WithStartWorkflowOperation(
            Cart.run, id=f"cart-{user}", task_queue="shop", id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
        )
        total = await client.execute_update_with_start_workflow(Cart.add, item, start_workflow_operation=start)
        cart = await start.workflow_handle()
    """

    @overload
    def __init__(
        self, workflow: MethodAsyncNoParam[SelfType, ReturnType], **options: Unpack[WithStartOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: WithStartWorkflowOperation[Any, AnyType],
        workflow: CallableAsyncNoParam[AnyType],
        **options: Unpack[WithStartOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: MethodAsyncSingleParam[SelfType, ParamType, ReturnType],
        arg: ParamType,
        **options: Unpack[WithStartOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WithStartWorkflowOperation[Any, AnyType],
        workflow: CallableAsyncSingleParam[ParamType, AnyType],
        arg: ParamType,
        **options: Unpack[WithStartOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfType, ...], Awaitable[ReturnType]],
        *,
        args: Sequence[Any],
        **options: Unpack[WithStartOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WithStartWorkflowOperation[Any, AnyType],
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[WithStartOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WithStartWorkflowOperation[Any, Any],
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        **options: Unpack[WithStartOptions],
    ) -> None: ...
    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str,
        task_queue: str,
        id_conflict_policy: WorkflowIDConflictPolicy,
        result_type: type | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        id_reuse_policy: WorkflowIDReusePolicy = WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        retry_policy: RetryPolicy | None = None,
        cron_schedule: str = "",
        memo: Mapping[str, Any] | None = None,
        search_attributes: TypedSearchAttributes | SearchAttributes | None = None,
        static_summary: str | None = None,
        static_details: str | None = None,
        start_delay: timedelta | None = None,
        priority: Priority = Priority.default,
        versioning_override: VersioningOverride | None = None,
    ) -> None:
        """Creates the operation; nothing is sent yet."""
        from ._inputs import UpdateWithStartStartWorkflowInput

        if id_conflict_policy == WorkflowIDConflictPolicy.UNSPECIFIED:
            raise ValueError(
                "id_conflict_policy cannot be UNSPECIFIED: use WorkflowIDConflictPolicy.USE_EXISTING or FAIL"
            )
        reference = workflow_reference(workflow)
        self._input = UpdateWithStartStartWorkflowInput(
            workflow=reference.name,
            args=reference.bind(arg, args),
            id=id,
            task_queue=task_queue,
            execution_timeout=execution_timeout,
            run_timeout=run_timeout,
            task_timeout=task_timeout,
            id_reuse_policy=id_reuse_policy,
            id_conflict_policy=id_conflict_policy,
            retry_policy=retry_policy,
            cron_schedule=cron_schedule,
            memo=memo,
            search_attributes=search_attributes,
            start_delay=start_delay,
            headers={},
            static_summary=static_summary,
            static_details=static_details,
            ret_type=result_type or reference.return_hint,
            priority=priority,
            versioning_override=versioning_override,
            _signature=reference.signature,
        )
        self._used = False
        self._started: asyncio.Future[WorkflowHandle[SelfType, ReturnType]] | None = None

    async def workflow_handle(self) -> WorkflowHandle[SelfType, ReturnType]:
        """Waits until the workflow is started or found running.

        Raises:
            WorkflowAlreadyStartedError: The id is taken and the policies say that it may not be.
            RPCError: The service refused the call.
            WorkflowUpdateRPCTimeoutOrCancelledError: The call was cancelled before it was known.
        """
        return await asyncio.shield(self._outcome())

    def _outcome(self) -> asyncio.Future[WorkflowHandle[SelfType, ReturnType]]:
        if self._started is None:
            self._started = asyncio.get_running_loop().create_future()
        return self._started

    @contextmanager
    def _sent_by(self, client: Client) -> Iterator[UpdateWithStartStartWorkflowInput]:
        """Around the call that sends it. However that ends, nobody waits for the handle any longer."""
        if self._used:
            raise RuntimeError("this WithStartWorkflowOperation was used before: make a new one for each call")
        self._used = True
        try:
            yield self._input
        except BaseException as error:
            self._fail(error)
            raise

    def _succeed(self, client: Client, run_id: str | None) -> None:
        outcome = self._outcome()
        if not outcome.done():
            outcome.set_result(
                WorkflowHandle(
                    client,
                    self._input.id,
                    result_run_id=run_id,
                    first_execution_run_id=run_id,
                    result_type=self._input.ret_type,
                )
            )

    def _fail(self, error: BaseException) -> None:
        outcome = self._outcome()
        if not outcome.done():
            # A deadline is the update's way to say it.
            expired = isinstance(error, WorkflowUpdateRPCTimeoutOrCancelledError)
            outcome.set_exception(error.__cause__ if expired and isinstance(error.__cause__, RPCError) else error)
            outcome.exception()  # whoever sent the update sees the error: nobody need ask for it here
