"""What the server tells about a schedule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from invincible.common import SearchAttributes, TypedSearchAttributes
from invincible.converter import DataConverter, decode_search_attributes, decode_typed_search_attributes

from .._checks import text
from .._values import decode_first
from .schedule import Schedule

if TYPE_CHECKING:
    from invincible.api.common.v1 import Memo
    from invincible.api.common.v1 import Payload as PayloadMessage
    from invincible.api.schedule.v1 import ScheduleActionResult as ScheduleActionResultMessage
    from invincible.api.schedule.v1 import ScheduleInfo as ScheduleInfoMessage
    from invincible.api.workflowservice.v1 import DescribeScheduleResponse

_REQUIRED: Any = object()


class ScheduleActionExecution(ABC):  # noqa: B024 - each kind of action has an outcome of its own
    """What came of an action. So far, that is a workflow: :class:`ScheduleActionExecutionStartWorkflow`."""


@dataclass
class ScheduleActionExecutionStartWorkflow(ScheduleActionExecution):
    """A workflow that a schedule started.

    Attributes:
        workflow_id: Its id.
        first_execution_run_id: Its first run.
    """

    workflow_id: str
    first_execution_run_id: str


@dataclass
class ScheduleActionResult:
    """An action that happened.

    Attributes:
        scheduled_at: When it was due, jitter included.
        started_at: When it happened.
        action: What came of it.
    """

    scheduled_at: datetime
    started_at: datetime
    action: ScheduleActionExecution

    @classmethod
    def _from_message(cls, message: ScheduleActionResultMessage) -> ScheduleActionResult:
        execution = message.start_workflow_result
        return cls(
            scheduled_at=message.schedule_time.ToDatetime(timezone.utc),
            started_at=message.actual_time.ToDatetime(timezone.utc),
            action=ScheduleActionExecutionStartWorkflow(execution.workflow_id, execution.run_id),
        )


@dataclass
class ScheduleInfo:
    """How a schedule has fared, and what comes next.

    Attributes:
        num_actions: Number of actions that happened.
        num_actions_missed_catchup_window: Number of actions dropped because they would have been too late.
        num_actions_skipped_overlap: Number of actions skipped because the last workflow still ran.
        running_actions: Workflows that it started and that still run. Where they may overlap, the server does not
            follow all of them.
        recent_actions: The last actions, at most ten, the last one at the end.
        next_action_times: When the next actions are due, at most ten.
        created_at: When it was created.
        last_updated_at: When it was last updated, if it was.
    """

    num_actions: int
    num_actions_missed_catchup_window: int
    num_actions_skipped_overlap: int
    running_actions: Sequence[ScheduleActionExecution]
    recent_actions: Sequence[ScheduleActionResult]
    next_action_times: Sequence[datetime]
    created_at: datetime
    last_updated_at: datetime | None

    @classmethod
    def _from_message(cls, message: ScheduleInfoMessage) -> ScheduleInfo:
        from .._proto import time_of

        return cls(
            num_actions=message.action_count,
            num_actions_missed_catchup_window=message.missed_catchup_window,
            num_actions_skipped_overlap=message.overlap_skipped,
            running_actions=[
                ScheduleActionExecutionStartWorkflow(each.workflow_id, each.run_id)
                for each in message.running_workflows
            ],
            recent_actions=[ScheduleActionResult._from_message(each) for each in message.recent_actions],
            next_action_times=[each.ToDatetime(timezone.utc) for each in message.future_action_times],
            created_at=message.create_time.ToDatetime(timezone.utc),
            last_updated_at=time_of(message, "update_time"),
        )


class WithMemo(ABC):
    """Whatever has a schedule's memo."""

    id: str
    data_converter: DataConverter

    @property
    @abstractmethod
    def _raw_memo(self) -> Memo: ...

    async def memo(self) -> Mapping[str, Any]:
        """The memo, each value as its payload gives it.

        Raises:
            ArgumentError: A value cannot be decoded.
        """
        return {name: await self._decode(name, payload, None) for name, payload in self._raw_memo.fields.items()}

    async def memo_value(self, key: str, default: Any = _REQUIRED, *, type_hint: type | None = None) -> Any:
        """One value of the memo.

        Args:
            key: Its key.
            default: What to return if there is none.
            type_hint: Type wanted.

        Raises:
            KeyError: There is none, and no default.
            TypeError: ``key`` is no ``str``.
            ArgumentError: It does not fit the type.
        """
        payload = self._raw_memo.fields.get(text("key", key))
        if payload is not None:
            return await self._decode(key, payload, type_hint)
        if default is _REQUIRED:
            raise KeyError(f"memo of schedule {self.id!r} has no value {key!r}")
        return default

    async def _decode(self, key: str, payload: PayloadMessage, hint: type | None) -> Any:
        from invincible.converter._payloads import as_payload

        return await decode_first(self.data_converter, [as_payload(payload)], hint, f"memo value {key!r}")


@dataclass
class ScheduleDescription(WithMemo):
    """A schedule as it is on the server.

    Attributes:
        id: Its id.
        schedule: What it does, and when. Values of its action are payloads.
        info: How it has fared, and what comes next.
        typed_search_attributes: Its search attributes.
        search_attributes: Its search attributes, as lists of values.
        data_converter: Converts its memo.
        raw_description: All of it, as a protobuf message.
    """

    id: str
    schedule: Schedule
    info: ScheduleInfo
    typed_search_attributes: TypedSearchAttributes
    search_attributes: SearchAttributes
    data_converter: DataConverter = field(repr=False)
    raw_description: DescribeScheduleResponse = field(repr=False)

    @classmethod
    def _from_response(
        cls, id: str, response: DescribeScheduleResponse, converter: DataConverter
    ) -> ScheduleDescription:
        from .messages import schedule_of

        return cls(
            id=id,
            schedule=schedule_of(response.schedule),
            info=ScheduleInfo._from_message(response.info),
            typed_search_attributes=decode_typed_search_attributes(response.search_attributes),
            search_attributes=decode_search_attributes(response.search_attributes),
            data_converter=converter,
            raw_description=response,
        )

    @property
    def _raw_memo(self) -> Memo:
        return self.raw_description.memo
