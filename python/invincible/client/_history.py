"""Histories of workflows: fetched page by page, kept whole, read and written as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ._paging import PagedIterator

if TYPE_CHECKING:
    from invincible.api.history.v1 import HistoryEvent

    from ._client import Client
    from ._inputs import FetchWorkflowHistoryEventsInput

# The server holds a poll for new events this long at most; the default deadline of calls is shorter.
_LONG_POLL = timedelta(seconds=70)


@dataclass(frozen=True)
class WorkflowHistory:
    """The history of one run of a workflow.

    Args:
        workflow_id: Id of the workflow.
        events: The events, as protobuf messages, from the first on.
    """

    workflow_id: str
    events: Sequence[HistoryEvent]

    @property
    def run_id(self) -> str:
        """Id of the run; after a reset, that of the run in which the history began.

        Raises:
            RuntimeError: The first event does not tell.
        """
        if not self.events or not self.events[0].HasField("workflow_execution_started_event_attributes"):
            raise RuntimeError(f"the history of workflow {self.workflow_id!r} does not begin with its start")
        return self.events[0].workflow_execution_started_event_attributes.original_execution_run_id

    @staticmethod
    def from_json(workflow_id: str, history: str | dict[str, Any]) -> WorkflowHistory:
        """Reads a history written by :meth:`to_json`, the Web UI, or any version of Temporal's command line.

        Args:
            workflow_id: Id of the workflow.
            history: The JSON text, or what it parses to.

        Raises:
            ValueError: It is no history.
        """
        from google.protobuf.json_format import ParseDict, ParseError

        from invincible.api.history.v1 import History

        from ._history_json import with_proto_names

        try:
            parsed = json.loads(history) if isinstance(history, str) else history
            if isinstance(parsed, list) and parsed:
                parsed = {"events": parsed}
            if not isinstance(parsed, dict):
                raise ValueError("it must be an object with events")
            message = ParseDict(with_proto_names(parsed, History.DESCRIPTOR), History(), ignore_unknown_fields=True)
        except (ParseError, ValueError) as error:
            raise ValueError(f"the history of workflow {workflow_id!r} cannot be read: {error}") from error
        return WorkflowHistory(workflow_id, message.events)

    def to_json(self) -> str:
        """The history as JSON text."""
        from google.protobuf.json_format import MessageToJson

        from invincible.api.history.v1 import History

        return MessageToJson(History(events=self.events))

    def to_json_dict(self) -> dict[str, Any]:
        """The history as the dictionary that its JSON text parses to."""
        from google.protobuf.json_format import MessageToDict

        from invincible.api.history.v1 import History

        return MessageToDict(History(events=self.events))


class WorkflowHistoryEventAsyncIterator(PagedIterator["HistoryEvent"]):
    """The events of a history, fetched as they are needed. To be iterated over once.

    With ``wait_new_event`` a page comes when there are events for it, while the workflow runs.

    Args:
        client: Fetches them.
        input: Which events.
    """

    def __init__(self, client: Client, input: FetchWorkflowHistoryEventsInput) -> None:
        """Creates the iterator; it fetches nothing yet."""
        super().__init__(
            page_size=input.page_size,
            next_page_token=input.next_page_token,
            about=f"workflow_id={input.id!r}{f' run_id={input.run_id!r}' if input.run_id else ''}",
        )
        self._client = client
        self._input = input

    async def _fetch_page(
        self, page_size: int | None, token: bytes | None
    ) -> tuple[Sequence[HistoryEvent], bytes | None]:
        from invincible.api.common.v1 import WorkflowExecution
        from invincible.api.workflowservice.v1 import (
            GetWorkflowExecutionHistoryRequest,
            GetWorkflowExecutionHistoryResponse,
        )

        input = self._input
        timeout = input.rpc_timeout
        response = await self._client.service_client._rpc_call(
            "get_workflow_execution_history",
            GetWorkflowExecutionHistoryRequest(
                namespace=self._client.namespace,
                execution=WorkflowExecution(workflow_id=input.id, run_id=input.run_id or ""),
                maximum_page_size=page_size or 0,
                next_page_token=token or b"",
                wait_new_event=input.wait_new_event,
                history_event_filter_type=input.event_filter_type,  # type: ignore[arg-type]
                skip_archival=input.skip_archival,
            ),
            GetWorkflowExecutionHistoryResponse,
            retry=True,
            metadata=input.rpc_metadata,
            timeout=_LONG_POLL if timeout is None and input.wait_new_event else timeout,
        )
        return response.history.events, response.next_page_token
