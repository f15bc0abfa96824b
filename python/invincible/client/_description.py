"""What the server tells about a workflow execution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from invincible.common import Priority, SearchAttributes, TypedSearchAttributes
from invincible.converter import (
    DataConverter,
    WorkflowSerializationContext,
    decode_search_attributes,
    decode_typed_search_attributes,
)

from ._checks import text
from ._status import WorkflowExecutionStatus
from ._values import decode_first

if TYPE_CHECKING:
    from typing_extensions import Self

    from invincible.api.common.v1 import Payload as PayloadMessage
    from invincible.api.workflow.v1 import WorkflowExecutionInfo
    from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

_REQUIRED: Any = object()


@dataclass
class WorkflowExecution:
    """One execution of a workflow.

    Attributes:
        close_time: When it ended, if it has.
        execution_time: When its first workflow task was or is due; later than ``start_time`` if it was delayed.
        history_length: Number of events in its history.
        id: Id of the workflow.
        namespace: Its namespace.
        parent_id: Id of the workflow it is a child of, if any.
        parent_run_id: Run of that workflow.
        root_id: Id of the topmost workflow that it descends from, itself perhaps.
        root_run_id: Run of that workflow.
        raw_info: All of it, as a protobuf message.
        run_id: Id of this run.
        search_attributes: Its search attributes, as lists of values.
        start_time: When it was started.
        status: Its status; ``None`` if it is one that this version does not know.
        task_queue: Its task queue.
        typed_search_attributes: Its search attributes.
        workflow_type: Type of the workflow.
    """

    close_time: datetime | None
    execution_time: datetime | None
    history_length: int
    id: str
    namespace: str
    parent_id: str | None
    parent_run_id: str | None
    root_id: str | None
    root_run_id: str | None
    raw_info: WorkflowExecutionInfo = field(repr=False)
    run_id: str
    search_attributes: SearchAttributes
    start_time: datetime
    status: WorkflowExecutionStatus | None
    task_queue: str
    typed_search_attributes: TypedSearchAttributes
    workflow_type: str
    _context_free_data_converter: DataConverter = field(repr=False)

    @classmethod
    def _from_info(cls, info: WorkflowExecutionInfo, namespace: str, converter: DataConverter, **others: Any) -> Self:
        from ._proto import time_of

        started = time_of(info, "start_time")
        return cls(
            close_time=time_of(info, "close_time"),
            execution_time=time_of(info, "execution_time"),
            history_length=info.history_length,
            id=info.execution.workflow_id,
            namespace=namespace,
            parent_id=info.parent_execution.workflow_id or None,
            parent_run_id=info.parent_execution.run_id or None,
            root_id=info.root_execution.workflow_id or None,
            root_run_id=info.root_execution.run_id or None,
            raw_info=info,
            run_id=info.execution.run_id,
            search_attributes=decode_search_attributes(info.search_attributes),
            start_time=started or datetime.fromtimestamp(0, timezone.utc),
            status=WorkflowExecutionStatus._of(info.status),
            task_queue=info.task_queue,
            typed_search_attributes=decode_typed_search_attributes(info.search_attributes),
            workflow_type=info.type.name,
            _context_free_data_converter=converter,
            **others,
        )

    @property
    def data_converter(self) -> DataConverter:
        """Converts values of this workflow."""
        return self._context_free_data_converter.with_context(WorkflowSerializationContext(self.namespace, self.id))

    @property
    def priority(self) -> Priority:
        """Its priority."""
        return Priority._from_wire(self.raw_info.priority)

    async def memo(self) -> Mapping[str, Any]:
        """The memo, each value as its payload gives it.

        Raises:
            ConversionError: A value cannot be decoded.
        """
        return {key: await self._memo(key, payload, None) for key, payload in self.raw_info.memo.fields.items()}

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
        payload = self.raw_info.memo.fields.get(text("key", key))
        if payload is not None:
            return await self._memo(key, payload, type_hint)
        if default is _REQUIRED:
            raise KeyError(f"memo of workflow {self.id!r} has no value {key!r}")
        return default

    async def _memo(self, key: str, payload: PayloadMessage, hint: type | None) -> Any:
        return await _decode(self.data_converter, payload, hint, f"memo value {key!r}")


@dataclass
class WorkflowExecutionDescription(WorkflowExecution):
    """One execution of a workflow, in detail.

    Attributes:
        raw_description: All of it, as a protobuf message.
    """

    raw_description: DescribeWorkflowExecutionResponse = field(repr=False)

    @classmethod
    def _from_response(
        cls, response: DescribeWorkflowExecutionResponse, namespace: str, converter: DataConverter
    ) -> WorkflowExecutionDescription:
        return cls._from_info(response.workflow_execution_info, namespace, converter, raw_description=response)

    async def static_summary(self) -> str | None:
        """The summary it was started with."""
        return await self._metadata("summary")

    async def static_details(self) -> str | None:
        """The details it was started with."""
        return await self._metadata("details")

    async def _metadata(self, name: str) -> str | None:
        metadata = self.raw_description.execution_config.user_metadata
        if not metadata.HasField(name):  # type: ignore[arg-type]
            return None
        text: str = await _decode(self.data_converter, getattr(metadata, name), str, f"static {name}")
        return text


async def _decode(converter: DataConverter, payload: PayloadMessage, hint: type | None, target: str) -> Any:
    from invincible.converter._payloads import as_payload

    return await decode_first(converter, [as_payload(payload)], hint, target)
