"""Handles of updates: a request that a workflow answers, and the wait for its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, cast

from invincible import _native
from invincible.types import LocalReturnType

from ._call import native_call
from ._checks import identifier, optional_text
from ._errors import WorkflowUpdateFailedError
from ._status import WorkflowUpdateStage
from ._values import decode_first

if TYPE_CHECKING:
    from invincible._native import Failure, Payload

    from ._client import Client


UpdateMethod: TypeAlias = Callable[..., LocalReturnType | Awaitable[LocalReturnType]]
"""An update handler as callers name it, for annotations."""


class UpdateOutcome(NamedTuple):
    """What became of an update: a result, or a failure."""

    result: Sequence[Payload]
    failure: Failure | None


class WorkflowUpdateHandle(Generic[LocalReturnType]):
    """An update of a workflow. Made by :meth:`WorkflowHandle.start_update` or :meth:`WorkflowHandle.get_update_handle`.

    Args:
        client: Makes the calls.
        id: Id of the update, unique in its workflow run.
        workflow_id: Id of the workflow.
        workflow_run_id: Run of the workflow; the current one if ``None``.
        result_type: Type of the result; that of the payload if ``None``.
        known_outcome: What became of it, where that is known already.
    """

    def __init__(
        self,
        client: Client,
        id: str,
        workflow_id: str,
        *,
        workflow_run_id: str | None = None,
        result_type: type | None = None,
        known_outcome: UpdateOutcome | None = None,
    ) -> None:
        """Creates the handle; the server is not asked."""
        self._client = client
        self._id = identifier("id of the update", id)
        self._workflow_id = identifier("workflow_id", workflow_id)
        self._workflow_run_id = optional_text("workflow_run_id", workflow_run_id)
        self._result_type = result_type
        self._known_outcome = known_outcome

    def __repr__(self) -> str:
        """Which update it is."""
        return f"<WorkflowUpdateHandle id={self._id!r} workflow_id={self._workflow_id!r}>"

    @property
    def id(self) -> str:
        """Id of the update."""
        return self._id

    @property
    def workflow_id(self) -> str:
        """Id of the workflow."""
        return self._workflow_id

    @property
    def workflow_run_id(self) -> str | None:
        """Run of the workflow; ``None`` for whichever is current."""
        return self._workflow_run_id

    async def result(
        self, *, rpc_metadata: Mapping[str, str | bytes] = {}, rpc_timeout: timedelta | None = None
    ) -> LocalReturnType:
        """Waits for the update to complete, however long it takes. No worker need be there meanwhile.

        Args:
            rpc_metadata: Headers of the calls.
            rpc_timeout: Longest time to wait.

        Returns:
            The result.

        Raises:
            WorkflowUpdateFailedError: The update was rejected or failed; ``cause`` tells why.
            WorkflowUpdateRPCTimeoutOrCancelledError: The time was up, or the wait was cancelled. The update goes on.
            WorkflowTaskFailedError: The workflow has a bug; raised by clients of a test environment only.
            RPCError: The service refused a call; with the status ``NOT_FOUND`` if there is no such update.
            ArgumentError: The result does not fit its type.
        """
        from ._update_wait import wait_for_update

        outcome = self._known_outcome
        if outcome is None:
            poll = partial(self._poll, rpc_metadata)
            outcome = await wait_for_update(
                self._client, self._workflow_id, self._workflow_run_id or "", poll, rpc_timeout
            )
        converter = self._client._workflow_converter(self._workflow_id)
        if outcome.failure is not None:
            raise WorkflowUpdateFailedError(await converter.decode_failure(outcome.failure))
        target = f"update {self._id!r} of workflow {self._workflow_id!r}"
        return cast(LocalReturnType, await decode_first(converter, outcome.result, self._result_type, target))

    async def _poll(self, metadata: Mapping[str, str | bytes]) -> UpdateOutcome:
        client = self._client
        request = _native.PollUpdateRequest(
            namespace=client.namespace,
            workflow_id=self._workflow_id,
            run_id=self._workflow_run_id or "",
            update_id=self._id,
            identity=client.identity,
            wait_for_stage=WorkflowUpdateStage.COMPLETED,
        )
        response = await native_call(client, _native.Client.poll_update, request, metadata)
        self._known_outcome = UpdateOutcome(response.result or (), response.failure)
        return self._known_outcome
