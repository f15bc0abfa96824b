"""What a schedule does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import Required, TypedDict, Unpack

from invincible._engine.reference import NOT_GIVEN, Reference, workflow_reference
from invincible._native import Payload
from invincible.common import Priority, RetryPolicy, SearchAttributes, TypedSearchAttributes
from invincible.types import (
    CallableAsyncNoParam,
    CallableAsyncSingleParam,
    MethodAsyncNoParam,
    MethodAsyncSingleParam,
    ParamType,
)

if TYPE_CHECKING:
    from invincible.api.schedule.v1 import ScheduleAction as ScheduleActionMessage
    from invincible.api.workflow.v1 import NewWorkflowExecutionInfo

    from .._client import Client


class ScheduleAction(ABC):
    """What a schedule does. So far, that is to start a workflow: :class:`ScheduleActionStartWorkflow`."""

    @abstractmethod
    async def _message(self, client: Client) -> ScheduleActionMessage:
        """The action as its message, its values converted by the client."""


class ScheduleActionOptions(TypedDict, total=False):
    """Options of :class:`ScheduleActionStartWorkflow`."""

    id: Required[str]
    task_queue: Required[str]
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    typed_search_attributes: TypedSearchAttributes
    untyped_search_attributes: SearchAttributes
    static_summary: str | None
    static_details: str | None
    headers: Mapping[str, Payload] | None
    priority: Priority


@dataclass(init=False)
class ScheduleActionStartWorkflow(ScheduleAction):
    """Starting a workflow.

    That of a description has payloads where values were given, as they are on the server: in ``args``, ``memo``,
    ``static_summary`` and ``static_details``. They go back unchanged in an update, beside new values.
    ``await client.data_converter.decode(action.args)`` gives the values.

    Args:
        workflow: A ``@workflow.run`` method, a class or function decorated with ``@workflow.defn``, or a name.
        arg: The argument, where there is just one.
        args: The arguments, where there are several.
        id: Beginning of the workflows' ids; the server adds the time that the action was due at.
        task_queue: Task queue that its workers poll.
        execution_timeout: Longest time for all runs together, retries and continuing as new included.
        run_timeout: Longest time for one run.
        task_timeout: Longest time for a worker to answer one workflow task; the server's default is ten seconds.
        retry_policy: How a failed workflow is repeated; by default it is not.
        memo: Values to keep with it that cannot be searched for.
        typed_search_attributes: Values that it can be found by.
        untyped_search_attributes: More of them, as lists of values.
        static_summary: One line for the Web UI.
        static_details: A text for the Web UI.
        headers: Headers of the workflow; what interceptors of clients set.
        raw_info: All of it as a protobuf message, in place of everything else.
        priority: Priority and fairness.

    Raises:
        ValueError: There is no id or task queue, or both ``arg`` and ``args``.
        TypeError: ``workflow`` is no workflow.
        ArgumentError: The arguments do not fit the method or function.
    """

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    typed_search_attributes: TypedSearchAttributes
    untyped_search_attributes: SearchAttributes
    static_summary: str | Payload | None
    static_details: str | Payload | None
    priority: Priority
    headers: Mapping[str, Payload] | None
    _reference: Reference | None = field(init=False, repr=False, compare=False)
    _described: NewWorkflowExecutionInfo | None = field(init=False, repr=False, compare=False)

    @overload
    def __init__(self, workflow: MethodAsyncNoParam[Any, Any], **options: Unpack[ScheduleActionOptions]) -> None: ...
    @overload
    def __init__(self, workflow: CallableAsyncNoParam[Any], **options: Unpack[ScheduleActionOptions]) -> None: ...
    @overload
    def __init__(
        self,
        workflow: MethodAsyncSingleParam[Any, ParamType, Any],
        arg: ParamType,
        **options: Unpack[ScheduleActionOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: CallableAsyncSingleParam[ParamType, Any],
        arg: ParamType,
        **options: Unpack[ScheduleActionOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: Callable[..., Awaitable[Any]],
        *,
        args: Sequence[Any],
        **options: Unpack[ScheduleActionOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        workflow: str | type,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        **options: Unpack[ScheduleActionOptions],
    ) -> None: ...
    @overload
    def __init__(self, workflow: str, *, raw_info: NewWorkflowExecutionInfo) -> None: ...
    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]] | type,
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str | None = None,
        task_queue: str | None = None,
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        retry_policy: RetryPolicy | None = None,
        memo: Mapping[str, Any] | None = None,
        typed_search_attributes: TypedSearchAttributes = TypedSearchAttributes.empty,
        untyped_search_attributes: SearchAttributes = {},  # noqa: B006 - copied
        static_summary: str | None = None,
        static_details: str | None = None,
        headers: Mapping[str, Payload] | None = None,
        raw_info: NewWorkflowExecutionInfo | None = None,
        priority: Priority = Priority.default,
    ) -> None:
        """Creates the action."""
        self._reference = None
        self._described = raw_info
        if raw_info is not None:
            from .action_message import fields_of

            vars(self).update(fields_of(raw_info))
            return
        if not id:
            raise ValueError("id of the workflow is missing: the server makes the ids of its runs from it")
        if not task_queue:
            raise ValueError("task_queue is missing: the workflow needs one that its workers poll")
        self._reference = workflow_reference(workflow)
        self.workflow = self._reference.name
        self.args = self._reference.bind(arg, args)
        self.id = id
        self.task_queue = task_queue
        self.execution_timeout = execution_timeout
        self.run_timeout = run_timeout
        self.task_timeout = task_timeout
        self.retry_policy = retry_policy
        self.memo = memo
        self.typed_search_attributes = typed_search_attributes
        self.untyped_search_attributes = dict(untyped_search_attributes)
        self.static_summary = static_summary
        self.static_details = static_details
        self.priority = priority
        self.headers = headers

    async def _message(self, client: Client) -> ScheduleActionMessage:
        from .action_message import action_message

        return await action_message(client, self)
