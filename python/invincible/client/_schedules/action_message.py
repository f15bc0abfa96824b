"""The start of a workflow by a schedule as its protobuf message, and back. Imports protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.common.v1 import WorkflowType
from invincible.api.schedule.v1 import ScheduleAction as ScheduleActionMessage
from invincible.api.taskqueue.v1 import TaskQueue
from invincible.api.workflow.v1 import NewWorkflowExecutionInfo
from invincible.common import HeaderCodecBehavior, Priority, RetryPolicy
from invincible.converter import (
    DataConverter,
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attributes,
)
from invincible.converter._payloads import as_payload

from .._proto import duration, field, payload_message, timedelta_of, user_metadata
from .._values import encode_arguments, encode_headers
from .action import ScheduleActionStartWorkflow

if TYPE_CHECKING:
    from .._client import Client

# What an action tells itself. The rest of the message, that of schedules made by others, goes through updates as it is.
_OWN_FIELDS = (
    "workflow_id",
    "workflow_type",
    "task_queue",
    "input",
    "workflow_execution_timeout",
    "workflow_run_timeout",
    "workflow_task_timeout",
    "retry_policy",
    "memo",
    "search_attributes",
    "header",
    "user_metadata",
    "priority",
)


def fields_of(info: NewWorkflowExecutionInfo) -> dict[str, Any]:
    """The fields of the action that starts this workflow; values stay payloads."""
    typed = decode_typed_search_attributes(info.search_attributes)
    known = {pair.key.name for pair in typed}
    untyped = {
        name: values for name, values in decode_search_attributes(info.search_attributes).items() if name not in known
    }
    return {
        "workflow": info.workflow_type.name,
        "args": [as_payload(payload) for payload in info.input.payloads],
        "id": info.workflow_id,
        "task_queue": info.task_queue.name,
        "execution_timeout": timedelta_of(info, "workflow_execution_timeout"),
        "run_timeout": timedelta_of(info, "workflow_run_timeout"),
        "task_timeout": timedelta_of(info, "workflow_task_timeout"),
        "retry_policy": RetryPolicy.from_proto(info.retry_policy) if info.HasField("retry_policy") else None,
        "memo": _payloads(info.memo.fields) or None,
        "typed_search_attributes": typed,
        "untyped_search_attributes": untyped,
        "static_summary": _payload(info.user_metadata, "summary"),
        "static_details": _payload(info.user_metadata, "details"),
        "priority": Priority._from_wire(info.priority),
        "headers": _payloads(info.header.fields) or None,
    }


async def action_message(client: Client, action: ScheduleActionStartWorkflow) -> ScheduleActionMessage:
    """The message of an action, its values converted and its payloads as they are.

    Raises:
        ConversionError: A value cannot be converted.
        TypeError: A search attribute is not of its type.
        ValueError: A search attribute is given twice, or the retry policy is not valid.
    """
    converter = client._workflow_converter(action.id, action.workflow)
    twice = {pair.key.name for pair in action.typed_search_attributes} & set(action.untyped_search_attributes)
    if twice:
        raise ValueError(f"search attribute {min(twice)!r} is both in typed and in untyped search attributes")
    own = NewWorkflowExecutionInfo(
        workflow_id=action.id,
        workflow_type=WorkflowType(name=action.workflow),
        task_queue=TaskQueue(name=action.task_queue),
        workflow_execution_timeout=duration(action.execution_timeout),
        workflow_run_timeout=duration(action.run_timeout),
        workflow_task_timeout=duration(action.task_timeout),
        user_metadata=user_metadata(
            await _converted(converter, action.static_summary), await _converted(converter, action.static_details)
        ),
    )
    action.priority._apply_to_proto(own.priority)
    own.input.payloads.extend(payload_message(payload) for payload in await _arguments(converter, action))
    if action.retry_policy is not None:
        action.retry_policy.apply_to_proto(own.retry_policy)
    for name, value in (action.memo or {}).items():
        own.memo.fields[name].CopyFrom(payload_message(await converted(converter, value)))
    for attributes in (action.typed_search_attributes, action.untyped_search_attributes):
        encode_search_attributes(attributes, own.search_attributes)
    for name, payload in (await _headers(client, action)).items():
        own.header.fields[name].CopyFrom(payload_message(payload))
    info = NewWorkflowExecutionInfo()
    if action._described is not None:
        info.CopyFrom(action._described)
        for own_field in _OWN_FIELDS:
            info.ClearField(own_field)  # type: ignore[arg-type]
    info.MergeFrom(own)
    return ScheduleActionMessage(start_workflow=info)


async def converted(converter: DataConverter, value: Any) -> Payload:
    """A value as its payload; a payload as it is."""
    return as_payload(value) if _is_payload(value) else (await converter.encode([value]))[0]


async def _converted(converter: DataConverter, value: Any) -> Payload | None:
    return None if value is None else await converted(converter, value)


async def _arguments(converter: DataConverter, action: ScheduleActionStartWorkflow) -> list[Payload]:
    if isinstance(action.args, str):
        raise TypeError("args must be a sequence of arguments, got a str")
    if any(map(_is_payload, action.args)):
        return [await converted(converter, value) for value in action.args]
    reference = action._reference
    named = reference is not None and reference.name == action.workflow
    return await encode_arguments(converter, action.args, reference.signature if named and reference else None)


async def _headers(client: Client, action: ScheduleActionStartWorkflow) -> dict[str, Payload]:
    headers = {name: as_payload(payload) for name, payload in (action.headers or {}).items()}
    if client._config["header_codec_behavior"] is not HeaderCodecBehavior.CODEC:
        return headers
    # Those that came with a description were encoded then.
    described = {} if action._described is None else _payloads(action._described.header.fields)
    new = {name: payload for name, payload in headers.items() if described.get(name) != payload}
    return {**headers, **await encode_headers(client.data_converter, new)}


def _is_payload(value: Any) -> bool:
    return isinstance(value, (Payload, PayloadMessage))


def _payloads(fields: Mapping[str, PayloadMessage]) -> dict[str, Payload]:
    return {name: as_payload(payload) for name, payload in fields.items()}


def _payload(message: Message, name: str) -> Payload | None:
    payload = field(message, name)
    return None if payload is None else as_payload(payload)
