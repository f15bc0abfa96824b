"""Enum values in JSON histories. Besides protobuf's names there are older, shorter ones: ``WorkflowExecutionStarted``
for ``EVENT_TYPE_WORKFLOW_EXECUTION_STARTED``."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def with_proto_names(value: dict[str, Any], message: Descriptor) -> dict[str, Any]:
    """A copy of a message's JSON in which enum values have protobuf's names."""
    fields = {name: field for field in message.fields for name in (field.json_name, field.name)}
    return {name: _converted(member, fields[name]) if name in fields else member for name, member in value.items()}


def _converted(value: Any, field: FieldDescriptor) -> Any:
    if isinstance(value, list):
        return [_converted(item, field) for item in value]
    if field.enum_type is not None:
        return _proto_name(value, field.enum_type) if isinstance(value, str) else value
    if field.message_type is None or not isinstance(value, dict):
        return value
    if field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name["value"]
        return {key: _converted(member, entry) for key, member in value.items()}
    if field.message_type.full_name.startswith("google.protobuf."):
        return value
    return with_proto_names(value, field.message_type)


def _proto_name(name: str, enum: EnumDescriptor) -> str:
    known = enum.values_by_name
    if name in known:
        return name
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    spelled = prefix + _WORD_START.sub("_", name).upper()
    if spelled not in known:
        raise ValueError(f"{name!r} is no value of {enum.name}")
    return spelled
