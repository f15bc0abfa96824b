"""Schedules as a list has them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from invincible.converter import decode_search_attributes, decode_typed_search_attributes

from .._paging import PagedIterator
from .description import WithMemo

if TYPE_CHECKING:
    from invincible.api.common.v1 import Memo
    from invincible.api.schedule.v1 import ScheduleListEntry
    from invincible.api.schedule.v1 import ScheduleListInfo as ScheduleListInfoMessage
    from invincible.common import SearchAttributes, TypedSearchAttributes
    from invincible.converter import DataConverter

    from .._client import Client
    from .description import ScheduleActionResult
    from .inputs import ListSchedulesInput
    from .spec import ScheduleSpec


class ScheduleListAction(ABC):  # noqa: B024 - each kind of action tells something else
    """What a schedule does. So far, that is to start a workflow: :class:`ScheduleListActionStartWorkflow`."""


@dataclass
class ScheduleListActionStartWorkflow(ScheduleListAction):
    """Starting a workflow.

    Attributes:
        workflow: Type of the workflow.
    """

    workflow: str


@dataclass
class ScheduleListState:
    """Whether a schedule acts.

    Attributes:
        note: A text for those who read it.
        paused: Whether it is paused.
    """

    note: str | None
    paused: bool


@dataclass
class ScheduleListSchedule:
    """What a schedule does, and when.

    Attributes:
        action: What it does.
        spec: When.
        state: Whether it acts.
    """

    action: ScheduleListAction
    spec: ScheduleSpec
    state: ScheduleListState

    @classmethod
    def _from_message(cls, message: ScheduleListInfoMessage) -> ScheduleListSchedule:
        from .messages import spec_of

        return cls(
            action=ScheduleListActionStartWorkflow(message.workflow_type.name),
            spec=spec_of(message.spec),
            state=ScheduleListState(note=message.notes or None, paused=message.paused),
        )


@dataclass
class ScheduleListInfo:
    """How a schedule has fared, and what comes next.

    Attributes:
        recent_actions: The last actions, at most five, the last one at the end.
        next_action_times: When the next actions are due, at most five.
    """

    recent_actions: Sequence[ScheduleActionResult]
    next_action_times: Sequence[datetime]

    @classmethod
    def _from_message(cls, message: ScheduleListInfoMessage) -> ScheduleListInfo:
        from .description import ScheduleActionResult

        return cls(
            recent_actions=[ScheduleActionResult._from_message(each) for each in message.recent_actions],
            next_action_times=[each.ToDatetime(timezone.utc) for each in message.future_action_times],
        )


@dataclass
class ScheduleListDescription(WithMemo):
    """A schedule as a list has it.

    Attributes:
        id: Its id.
        schedule: What it does, and when; ``None`` if the server's list does not tell.
        info: How it has fared, and what comes next; ``None`` if the server's list does not tell.
        typed_search_attributes: Its search attributes.
        search_attributes: Its search attributes, as lists of values.
        data_converter: Converts its memo.
        raw_entry: All of it, as a protobuf message.
    """

    id: str
    schedule: ScheduleListSchedule | None
    info: ScheduleListInfo | None
    typed_search_attributes: TypedSearchAttributes
    search_attributes: SearchAttributes
    data_converter: DataConverter = field(repr=False)
    raw_entry: ScheduleListEntry = field(repr=False)

    @classmethod
    def _from_message(cls, entry: ScheduleListEntry, converter: DataConverter) -> ScheduleListDescription:
        told = entry.HasField("info")
        return cls(
            id=entry.schedule_id,
            schedule=ScheduleListSchedule._from_message(entry.info) if told else None,
            info=ScheduleListInfo._from_message(entry.info) if told else None,
            typed_search_attributes=decode_typed_search_attributes(entry.search_attributes),
            search_attributes=decode_search_attributes(entry.search_attributes),
            data_converter=converter,
            raw_entry=entry,
        )

    @property
    def _raw_memo(self) -> Memo:
        return self.raw_entry.memo


class ScheduleAsyncIterator(PagedIterator[ScheduleListDescription]):
    """The schedules that :meth:`Client.list_schedules` finds, fetched as they are needed. To be iterated over once.

    Args:
        client: Fetches them.
        input: Which schedules.
    """

    def __init__(self, client: Client, input: ListSchedulesInput) -> None:
        """Creates the iterator; it fetches nothing yet."""
        super().__init__(
            page_size=input.page_size,
            next_page_token=input.next_page_token,
            about=f"query={input.query or ''!r}",
        )
        self._client = client
        self._input = input

    async def _fetch_page(
        self, page_size: int | None, token: bytes | None
    ) -> tuple[Sequence[ScheduleListDescription], bytes | None]:
        from invincible.api.workflowservice.v1 import ListSchedulesRequest, ListSchedulesResponse

        client, input = self._client, self._input
        response = await client.service_client._rpc_call(
            "list_schedules",
            ListSchedulesRequest(
                namespace=client.namespace,
                maximum_page_size=page_size or 0,
                next_page_token=token or b"",
                query=input.query or "",
            ),
            ListSchedulesResponse,
            retry=True,
            metadata=input.rpc_metadata,
            timeout=input.rpc_timeout,
        )
        found = [ScheduleListDescription._from_message(entry, client.data_converter) for entry in response.schedules]
        return found, response.next_page_token
