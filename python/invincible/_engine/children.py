"""Child workflows that a run has started."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Generic, TypeVar, overload

from invincible import _native
from invincible._native import Payload
from invincible.converter import SerializationContext, encode_search_attributes
from invincible.exceptions import InvalidVersioningOverrideError, WorkflowAlreadyStartedError
from invincible.types import MethodSyncOrAsyncNoParam, MethodSyncOrAsyncSingleParam, ParamType

from .contexts import workflow_context
from .external import SignalTarget
from .groups import EventGroup, markers
from .operations import Pending, StartedOperationHandle
from .options import ChildWorkflowOptions, given_groups
from .reference import NOT_GIVEN, Reference, signal_reference

if TYPE_CHECKING:
    from .run import WorkflowRun

S = TypeVar("S")
T = TypeVar("T")

# `StartChildWorkflowExecutionFailedCause`
_ALREADY_EXISTS, _INVALID_VERSIONING_OVERRIDE = 1, 3


class ChildWorkflowHandle(StartedOperationHandle[T], Generic[S, T]):
    """A child workflow that has started: await it for the result, ``cancel()`` it to ask for its cancellation.

    Cancelling is a request: the handle ends when the child has, as its cancellation type says, and then raises
    ``ChildWorkflowError`` with a ``CancelledError`` as cause, or returns the result if it completed all the same.
    """

    __slots__ = ("_first_execution_run_id", "_id", "_type")

    def __init__(
        self,
        run: WorkflowRun,
        seq: int,
        workflow_id: str,
        workflow_type: str,
        result_type: Any,
        context: SerializationContext | None = None,
    ) -> None:
        super().__init__(run, seq, f"child workflow {workflow_type!r}", result_type, context)
        self._id = workflow_id
        self._type = workflow_type
        self._first_execution_run_id: str | None = None

    @property
    def id(self) -> str:
        """Id of the child workflow."""
        return self._id

    @property
    def first_execution_run_id(self) -> str | None:
        """Run id of the child's first run."""
        return self._first_execution_run_id

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[S, None], *, event_groups: Sequence[EventGroup] | None = None
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[S, ParamType, None],
        arg: ParamType,
        *,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[S, ...], Awaitable[None] | None],
        *,
        args: Sequence[Any],
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None: ...
    async def signal(
        self,
        signal: Any,
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        event_groups: Sequence[EventGroup] | None = None,
    ) -> None:
        """Send the child a signal, and wait until it has arrived.

        Args:
            signal: A method decorated with ``workflow.signal``, or the signal's name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            event_groups: Groups that the signal's event belongs to.

        Raises:
            ApplicationError: the child has ended.
            TypeError: ``signal`` is no signal, or the arguments do not fit it.
        """
        reference = signal_reference(signal)
        target = SignalTarget(child_workflow_id=self._id)
        await self._run.external.signal(target, reference.name, reference.bind(arg, args), given_groups(event_groups))

    def _cancel_command(self) -> Any:
        return _native.CancelChildWorkflowExecution(child_workflow_seq=self._seq)

    def on_start(self, job: _native.ResolveChildWorkflowExecutionStart) -> None:
        if job.run_id is not None:
            self._first_execution_run_id = job.run_id
            self.resolve_start(None)
        elif job.failure is not None:
            self.resolve_start(self._run.exception_from(job.failure, self.context))
        elif job.cause == _ALREADY_EXISTS:
            self.resolve_start(WorkflowAlreadyStartedError(job.workflow_id, job.workflow_type))
        elif job.cause == _INVALID_VERSIONING_OVERRIDE:
            self.resolve_start(InvalidVersioningOverrideError())
        else:
            problem = f"the server could not start child workflow {self._id!r}: cause {job.cause}"
            self.resolve_start(RuntimeError(problem))


class Children:
    """The child workflows of one run."""

    def __init__(self, run: WorkflowRun) -> None:
        self.run = run
        self.pending: Pending[ChildWorkflowHandle[Any, Any]] = Pending("child workflow")

    def resolve_start(self, job: _native.ResolveChildWorkflowExecutionStart) -> None:
        # A child that did not start gives no second job.
        child = self.pending[job.seq] if job.run_id is not None else self.pending.take(job.seq)
        child.on_start(job)

    def resolve(self, job: _native.ResolveChildWorkflowExecution) -> None:
        self.pending.take(job.seq).resolve(job.result, job.failure)

    async def start(
        self,
        reference: Reference,
        arguments: Sequence[Any],
        options: ChildWorkflowOptions,
        result_type: Any,
        *,
        headers: Mapping[str, Payload] | None = None,
    ) -> ChildWorkflowHandle[Any, Any]:
        """Start a child workflow; the handle, which resolves with its result, is there once it has started."""
        run = self.run
        workflow_type = reference.name
        run.require_writable("starting a child workflow")
        workflow_id = options.id or str(run.randomness.uuid4())
        context = workflow_context(run, workflow_id)
        payloads = run.encode(arguments, "child workflow", workflow_type, context)
        memo = run.encode_memo(options.memo, context) if options.memo is not None else None
        attributes = options.search_attributes
        seq = self.pending.next_seq()
        run.emit(
            _native.StartChildWorkflowExecution(
                seq=seq,
                namespace=run.worker.namespace,
                workflow_id=workflow_id,
                workflow_type=workflow_type,
                task_queue=options.task_queue or run.worker.task_queue,
                input=payloads,
                execution_timeout=options.execution_timeout,
                run_timeout=options.run_timeout,
                task_timeout=options.task_timeout,
                parent_close_policy=options.parent_close_policy,
                id_reuse_policy=options.id_reuse_policy,
                retry_policy=options.retry_policy,
                cron_schedule=options.cron_schedule,
                memo=memo,
                headers=headers,
                search_attributes=encode_search_attributes(attributes) if attributes is not None else None,
                cancellation_type=options.cancellation_type,
                versioning_intent=options.versioning_intent,
                priority=options.priority,
                versioning_override=options.versioning_override,
                summary=run.text(options.static_summary, context),
                details=run.text(options.static_details, context),
                event_groups=markers(options.event_groups),
            )
        )
        child: ChildWorkflowHandle[Any, Any] = ChildWorkflowHandle(
            run, seq, workflow_id, workflow_type, result_type, context
        )
        self.pending[seq] = child
        await child.wait_started()
        return child
