"""Serialization contexts: what a value belongs to, for converters and codecs that want to know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from typing_extensions import Self

ConverterType = TypeVar("ConverterType")


class SerializationContext:
    """What values that are converted belong to. One of the subclasses here."""


@dataclass(frozen=True)
class WorkflowSerializationContext(SerializationContext):
    """Values of a workflow: its arguments, result and failure, memo, signals, queries and updates.

    A child workflow's arguments and result have the child's context, not the parent's.

    Args:
        namespace: Namespace of the workflow.
        workflow_id: Its id.
    """

    namespace: str
    workflow_id: str


@dataclass(frozen=True)
class ActivitySerializationContext(SerializationContext):
    """Values of an activity: its arguments, result, failure and heartbeat details.

    Args:
        namespace: Namespace of the activity.
        activity_id: Its id, where it is known.
        activity_type: Its type, where it is known.
        activity_task_queue: Its task queue, where it is known.
        workflow_id: Id of the workflow that scheduled it; ``None`` for a standalone activity.
        workflow_type: Type of that workflow, where it is known.
        is_local: Whether it is a local activity.
    """

    namespace: str
    activity_id: str | None
    activity_type: str | None
    activity_task_queue: str | None
    workflow_id: str | None
    workflow_type: str | None
    is_local: bool


@dataclass(frozen=True)
class NexusSerializationContext(SerializationContext):
    """Values of a Nexus operation: its input, result and failure.

    Args:
        endpoint: The endpoint it is called through.
        service: Name of the service.
        operation: Name of the operation.
    """

    endpoint: str
    service: str
    operation: str


class WithSerializationContext:
    """Mixed into a payload converter, codec or failure converter, it is told what the values belong to.

    Example::

        class TenantCodec(PayloadCodec, WithSerializationContext):
            def __init__(self, tenant=None):
                self.tenant = tenant

            def with_context(self, context):
                is_workflow = isinstance(context, WorkflowSerializationContext)
                return TenantCodec(context.workflow_id.split("/")[0] if is_workflow else None)
    """

    def with_context(self, context: SerializationContext) -> Self:
        """The converter to use for values of this context; called often, so it should be cheap.

        Args:
            context: What the values belong to.

        Returns:
            Another converter, or this one. It must not be changed by the call: other contexts use it too.
        """
        raise NotImplementedError(f"{type(self).__name__} is a WithSerializationContext: it must define with_context")

    def _context_parts(self) -> Iterable[object] | None:
        """The parts that contexts are only passed on to; ``None`` if this one is to be told itself."""
        return None


def wants_context(converter: object) -> bool:
    """Whether a converter may differ by context, so that contexts are worth making."""
    if not isinstance(converter, WithSerializationContext):
        return False
    parts = converter._context_parts()
    return parts is None or any(map(wants_context, parts))


def in_context(converter: ConverterType, context: SerializationContext) -> ConverterType:
    """The converter for a context; itself, unless it wants to know of contexts."""
    return converter.with_context(context) if isinstance(converter, WithSerializationContext) else converter
