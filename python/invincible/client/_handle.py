"""Handles: one workflow execution, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, cast, overload

from typing_extensions import Unpack

from invincible import _native
from invincible._engine.reference import NOT_GIVEN, query_reference, signal_reference
from invincible.types import ReturnType, SelfType

from ._call import native_call
from ._checks import identifier, optional_text, text
from ._handle_updates import HandleUpdates
from ._outcome import failure_of
from ._status import WorkflowHistoryEventFilterType
from ._values import decode_first

if TYPE_CHECKING:
    from invincible.api.workflowservice.v1 import (
        SignalWithStartWorkflowExecutionResponse,
        StartWorkflowExecutionResponse,
    )
    from invincible.common import QueryRejectCondition
    from invincible.types import (
        AnyType,
        LocalReturnType,
        MethodSyncNoParam,
        MethodSyncOrAsyncNoParam,
        MethodSyncOrAsyncSingleParam,
        MethodSyncSingleParam,
        ParamType,
    )

    from ._client import Client
    from ._description import WorkflowExecutionDescription
    from ._history import WorkflowHistory, WorkflowHistoryEventAsyncIterator
    from ._options import CallOptions, QueryOptions
    from ._reset.point import WorkflowResetPoint

# pytest shows the line that waits in the test, and none of this file.
__tracebackhide__ = True


class WorkflowHandle(HandleUpdates[SelfType], Generic[SelfType, ReturnType]):
    """A workflow execution. Made by :meth:`Client.start_workflow` and :meth:`Client.get_workflow_handle`.

    All its calls raise :class:`~invincible.service.RPCError` if the service refuses them; with the status
    ``NOT_FOUND`` if there is no such workflow, or it has closed and the call is for running ones.

    Args:
        client: Makes the calls.
        id: Id of the workflow.
        run_id: The run that calls are about; the current one if ``None``.
        result_run_id: The run that :meth:`result` begins with.
        first_execution_run_id: First run of the chain that :meth:`cancel` and :meth:`terminate` are confined to.
        result_type: Type of the result; that of the payload if ``None``.
        start_workflow_response: The server's answer to a raw call that started the workflow; gives the run ids where
            they are ``None``.
    """

    def __init__(
        self,
        client: Client,
        id: str,
        *,
        run_id: str | None = None,
        result_run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
        start_workflow_response: StartWorkflowExecutionResponse
        | SignalWithStartWorkflowExecutionResponse
        | None = None,
    ) -> None:
        """Creates the handle; the server is not asked.

        Raises:
            TypeError: An id is no ``str``.
            ValueError: ``id`` is empty.
        """
        if start_workflow_response is not None:
            result_run_id = result_run_id or start_workflow_response.run_id or None
            first_execution_run_id = first_execution_run_id or start_workflow_response.first_execution_run_id or None
        self._client = client
        self._id = identifier("workflow_id", id)
        self._run_id = optional_text("run_id", run_id)
        self._result_run_id = optional_text("result_run_id", result_run_id)
        self._first_execution_run_id = optional_text("first_execution_run_id", first_execution_run_id)
        self._result_type = result_type

    def __repr__(self) -> str:
        """Which workflow it is."""
        run_id = self._run_id or self._result_run_id
        return f"<WorkflowHandle id={self._id!r}{f' run_id={run_id!r}' if run_id else ''}>"

    @property
    def id(self) -> str:
        """Id of the workflow."""
        return self._id

    @property
    def run_id(self) -> str | None:
        """The run that calls other than :meth:`result` are about; ``None`` for whichever is current."""
        return self._run_id

    @property
    def result_run_id(self) -> str | None:
        """The run that :meth:`result` begins with; ``None`` for whichever is current."""
        return self._result_run_id

    @property
    def first_execution_run_id(self) -> str | None:
        """First run of the chain that :meth:`cancel` and :meth:`terminate` are confined to, if known."""
        return self._first_execution_run_id

    async def result(
        self,
        *,
        follow_runs: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> ReturnType:
        """Waits for the workflow to end, however long it takes.

        A server that goes away meanwhile is waited for, for about a minute.

        Args:
            follow_runs: Whether the result is that of the last run: retries, cron and continuing as new make new ones.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call, of which there may be many.

        Returns:
            The result.

        Raises:
            WorkflowFailureError: The workflow did not complete; ``cause`` tells why.
            WorkflowContinuedAsNewError: It continued as new and ``follow_runs`` is false.
            ArgumentError: The result does not fit its type.
        """
        client = self._client
        request = _native.WorkflowResultRequest(
            namespace=client.namespace,
            workflow_id=self._id,
            run_id=self._result_run_id or "",
            follow_runs=follow_runs,
            task_failures=client._raise_task_failures,
        )
        wait = partial(native_call, client, _native.Client.workflow_result, request, rpc_metadata, rpc_timeout)
        if client._raise_task_failures:
            from ._watch import unless_child_fails

            wait = partial(unless_child_fails, client, self._id, self._result_run_id or "", wait)
        if client._time_skipping is None:
            outcome = await wait()
        else:
            async with client._time_skipping.awaited(client, self._id):
                outcome = await wait()
        converter = client._workflow_converter(self._id)
        if outcome.kind != "completed":
            raise await failure_of(outcome, self._id, converter)
        target = f"workflow {self._id!r}"
        return cast(ReturnType, await decode_first(converter, outcome.payloads, self._result_type, target))

    async def cancel(
        self,
        *,
        reason: str = "",
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Asks the workflow to cancel itself.

        Args:
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from ._inputs import CancelWorkflowInput

        await self._client._calls.cancel_workflow(
            CancelWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                reason=text("reason", reason),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def terminate(
        self,
        *args: Any,
        reason: str | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Ends the workflow at once; its code is not told.

        Args:
            args: Details to keep in its history.
            reason: Why.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from ._inputs import TerminateWorkflowInput

        await self._client._calls.terminate_workflow(
            TerminateWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                args=args,
                reason=optional_text("reason", reason),
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def reset(
        self,
        point: WorkflowResetPoint,
        *,
        reason: str = "",
        reapply_signals: bool = True,
        reapply_updates: bool = True,
        reapply_nexus_results: bool = True,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHandle[SelfType, ReturnType]:
        """Takes the workflow back to a point in its history, from which a new run goes on.

        Works for workflows that are running and for those that have closed. Whichever run is current is terminated.
        What activities have done meanwhile is not undone. A cancellation that was asked for after the point is not
        asked for again.

        Args:
            point: How far to go back.
            reason: Why.
            reapply_signals: Whether signals that came after the point are sent to the new run.
            reapply_updates: Whether updates that were accepted after the point are sent to the new run.
            reapply_nexus_results: Whether the new run learns how Nexus operations ended after the point that were
                started before it.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.

        Returns:
            A handle whose result is that of the new run.

        Raises:
            TypeError: ``point`` is no ``WorkflowResetPoint``, or ``reason`` no ``str``.
            WorkflowResetError: The history has no such point; the message names what it has.

        Example:
            point = WorkflowResetPoint.before_activity(charge)
            handle = await handle.reset(point, reason="charged the wrong amount")
            receipt = await handle.result()
        """
        from ._reset.inputs import ResetWorkflowInput
        from ._reset.point import WorkflowResetPoint

        if not isinstance(point, WorkflowResetPoint):
            raise TypeError(
                "point must be a WorkflowResetPoint such as WorkflowResetPoint.first_task(), "
                f"got {type(point).__name__}"
            )
        return await self._client._calls.reset_workflow(
            ResetWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                first_execution_run_id=self._first_execution_run_id,
                point=point,
                reason=text("reason", reason),
                reapply_signals=reapply_signals,
                reapply_updates=reapply_updates,
                reapply_nexus_results=reapply_nexus_results,
                ret_type=self._result_type,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    async def describe(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> WorkflowExecutionDescription:
        """What the server tells about the workflow.

        Args:
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.
        """
        from ._inputs import DescribeWorkflowInput

        return await self._client._calls.describe_workflow(
            DescribeWorkflowInput(id=self._id, run_id=self._run_id, rpc_metadata=rpc_metadata, rpc_timeout=rpc_timeout)
        )

    async def fetch_history(
        self,
        *,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistory:
        """The whole history, as far as it goes now.

        Args:
            event_filter_type: Which events.
            skip_archival: Whether archived histories are left out.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.
        """
        from ._history import WorkflowHistory

        events = self.fetch_history_events(
            event_filter_type=event_filter_type,
            skip_archival=skip_archival,
            rpc_metadata=rpc_metadata,
            rpc_timeout=rpc_timeout,
        )
        return WorkflowHistory(self._id, [event async for event in events])

    def fetch_history_events(
        self,
        *,
        page_size: int | None = None,
        next_page_token: bytes | None = None,
        wait_new_event: bool = False,
        event_filter_type: WorkflowHistoryEventFilterType = WorkflowHistoryEventFilterType.ALL_EVENT,
        skip_archival: bool = False,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> WorkflowHistoryEventAsyncIterator:
        """The events of the history, one after the other.

        Args:
            page_size: Most events to fetch at once; the server's choice if ``None``.
            next_page_token: Where to begin, as another iterator had it.
            wait_new_event: Whether to wait for more events until the workflow ends.
            event_filter_type: Which events.
            skip_archival: Whether archived histories are left out.
            rpc_metadata: Headers of the calls.
            rpc_timeout: Deadline of each call.
        """
        from ._inputs import FetchWorkflowHistoryEventsInput

        return self._client._calls.fetch_workflow_history_events(
            FetchWorkflowHistoryEventsInput(
                id=self._id,
                run_id=self._run_id,
                page_size=page_size,
                next_page_token=next_page_token,
                wait_new_event=wait_new_event,
                event_filter_type=event_filter_type,
                skip_archival=skip_archival,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
            )
        )

    @overload
    async def query(
        self, query: MethodSyncNoParam[SelfType, LocalReturnType], **options: Unpack[QueryOptions]
    ) -> LocalReturnType: ...
    @overload
    async def query(
        self,
        query: MethodSyncSingleParam[SelfType, ParamType, LocalReturnType],
        arg: ParamType,
        **options: Unpack[QueryOptions],
    ) -> LocalReturnType: ...
    @overload
    async def query(
        self, query: Callable[..., LocalReturnType], *, args: Sequence[Any], **options: Unpack[QueryOptions]
    ) -> LocalReturnType: ...
    @overload
    async def query(
        self,
        query: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        result_type: type[AnyType],
        **options: Unpack[QueryOptions],
    ) -> AnyType: ...
    @overload
    async def query(
        self, query: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[QueryOptions]
    ) -> Any: ...
    async def query(
        self,
        query: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        result_type: type | None = None,
        reject_condition: QueryRejectCondition | None = None,
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> Any:
        """Asks the workflow something; a worker must be there to answer.

        Args:
            query: A method decorated with ``@workflow.query``, or the query's name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            result_type: Type of the answer; that of the method by default.
            reject_condition: States of the workflow in which it is not asked; the client's default if ``None``.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Returns:
            The answer.

        Raises:
            WorkflowQueryRejectedError: The workflow is in a state it is not asked in.
            WorkflowQueryFailedError: The handler raised, or there is none.
            ArgumentError: The arguments do not fit the method, or the answer does not fit its type.
        """
        from ._inputs import QueryWorkflowInput

        reference = query_reference(query)
        return await self._client._calls.query_workflow(
            QueryWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                query=reference.name,
                args=reference.bind(arg, args),
                reject_condition=reject_condition,
                headers={},
                ret_type=result_type or reference.return_hint,
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                _signature=reference.signature,
            )
        )

    @overload
    async def signal(
        self, signal: MethodSyncOrAsyncNoParam[SelfType, None], **options: Unpack[CallOptions]
    ) -> None: ...
    @overload
    async def signal(
        self,
        signal: MethodSyncOrAsyncSingleParam[SelfType, ParamType, None],
        arg: ParamType,
        **options: Unpack[CallOptions],
    ) -> None: ...
    @overload
    async def signal(
        self, signal: Callable[..., Any], *, args: Sequence[Any], **options: Unpack[CallOptions]
    ) -> None: ...
    @overload
    async def signal(
        self, signal: str, arg: Any = ..., *, args: Sequence[Any] = ..., **options: Unpack[CallOptions]
    ) -> None: ...
    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        rpc_metadata: Mapping[str, str | bytes] = {},
        rpc_timeout: timedelta | None = None,
    ) -> None:
        """Tells the workflow something, and waits until the server has it.

        Args:
            signal: A method decorated with ``@workflow.signal``, or the signal's name.
            arg: The argument, where there is just one.
            args: The arguments, where there are several.
            rpc_metadata: Headers of the call.
            rpc_timeout: Deadline of the call.

        Raises:
            ArgumentError: The arguments do not fit the method.
        """
        from ._inputs import SignalWorkflowInput

        reference = signal_reference(signal)
        await self._client._calls.signal_workflow(
            SignalWorkflowInput(
                id=self._id,
                run_id=self._run_id,
                signal=reference.name,
                args=reference.bind(arg, args),
                headers={},
                rpc_metadata=rpc_metadata,
                rpc_timeout=rpc_timeout,
                _signature=reference.signature,
            )
        )
