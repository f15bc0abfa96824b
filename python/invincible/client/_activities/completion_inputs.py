"""Which activity is completed from outside of its worker, and what interceptors of such calls are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from invincible.converter import DataConverter

from .._checks import identifier, optional_text


@dataclass(frozen=True)
class AsyncActivityIDReference:
    """Names an activity by ids.

    Args:
        workflow_id: Id of the workflow that scheduled it; ``None`` for a standalone activity.
        run_id: Run of that workflow, or of the standalone activity; the latest if ``None``.
        activity_id: Id of the activity.
    """

    workflow_id: str | None
    run_id: str | None
    activity_id: str

    def __post_init__(self) -> None:
        """Refuses what is no id.

        Raises:
            TypeError: An id is no ``str``.
            ValueError: ``activity_id`` is empty.
        """
        optional_text("workflow_id", self.workflow_id)
        optional_text("run_id", self.run_id)
        identifier("activity_id", self.activity_id)


@dataclass
class HeartbeatAsyncActivityInput:
    """Arguments of :meth:`OutboundInterceptor.heartbeat_async_activity`."""

    id_or_token: AsyncActivityIDReference | bytes
    details: Sequence[Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class CompleteAsyncActivityInput:
    """Arguments of :meth:`OutboundInterceptor.complete_async_activity`."""

    id_or_token: AsyncActivityIDReference | bytes
    result: Any | None
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class FailAsyncActivityInput:
    """Arguments of :meth:`OutboundInterceptor.fail_async_activity`."""

    id_or_token: AsyncActivityIDReference | bytes
    error: Exception
    last_heartbeat_details: Sequence[Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None


@dataclass
class ReportCancellationAsyncActivityInput:
    """Arguments of :meth:`OutboundInterceptor.report_cancellation_async_activity`."""

    id_or_token: AsyncActivityIDReference | bytes
    details: Sequence[Any]
    rpc_metadata: Mapping[str, str | bytes]
    rpc_timeout: timedelta | None
    data_converter_override: DataConverter | None = None
