"""What the server tells about standalone activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from invincible.common import Priority, RetryPolicy, TypedSearchAttributes, WorkerDeploymentVersion
from invincible.converter import (
    ActivitySerializationContext,
    DataConverter,
    decode_typed_search_attributes,
)
from invincible.converter._payloads import as_payload

from .._values import decode_first
from .status import ActivityExecutionStatus, PendingActivityState

if TYPE_CHECKING:
    from invincible.api.activity.v1 import (
        ActivityExecutionInfo,
        ActivityExecutionListInfo,
        ActivityExecutionOutcome,
        CallbackInfo,
    )
    from invincible.api.common.v1 import Payloads
    from invincible.api.workflowservice.v1 import DescribeActivityExecutionResponse


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecution:
    """One run of a standalone activity. Times are UTC.

    Attributes:
        activity_id: Id of the activity.
        activity_run_id: Id of this run.
        activity_type: Type of the activity.
        close_time: When it ended, if it has.
        execution_duration: How long it took, all attempts and the waits between them included; if it has ended.
        execution_time: When its first attempt was or is due; later than ``schedule_time`` if it was delayed.
        namespace: Its namespace.
        schedule_time: When it was started by a client.
        status: Its status.
        task_queue: Its task queue.
        typed_search_attributes: Its search attributes.
        raw_info: All of it, as a protobuf message.
    """

    activity_id: str
    activity_run_id: str | None
    activity_type: str
    close_time: datetime | None
    execution_duration: timedelta | None
    execution_time: datetime | None
    namespace: str
    schedule_time: datetime
    status: ActivityExecutionStatus
    task_queue: str
    typed_search_attributes: TypedSearchAttributes
    raw_info: ActivityExecutionListInfo | ActivityExecutionInfo = field(repr=False)

    @staticmethod
    def _from_list_info(info: ActivityExecutionListInfo, namespace: str) -> ActivityExecution:
        return ActivityExecution(**_common(info, namespace), raw_info=info)


@dataclass(frozen=True, eq=False, kw_only=True)
class ActivityExecutionDescription(ActivityExecution):
    """One run of a standalone activity, in detail. Times are UTC; timeouts that are not set may be zero.

    What it was given and what came of it is there only if :meth:`ActivityHandle.describe` was asked to include it.

    Attributes:
        attempt: Number of the attempt it is at, from 1.
        canceled_reason: Why it was asked to stop, if it was.
        current_retry_interval: Wait before the next attempt, if this one has failed or fails.
        expiration_time: When the schedule-to-close timeout ends it.
        heartbeat_timeout: Longest time between two heartbeats.
        last_attempt_complete_time: When its last attempt ended, if one has.
        last_deployment_version: Version of the worker that its last attempt went to.
        last_heartbeat_time: When the last heartbeat came.
        last_started_time: When its last attempt began.
        last_worker_identity: Identity of the worker that its last attempt went to.
        next_attempt_schedule_time: When its next attempt is due, while it waits for that.
        priority: Priority and fairness.
        retry_policy: How a failed attempt is repeated.
        run_state: What it is doing, if it has not ended.
        schedule_to_close_timeout: Longest time for all attempts together.
        schedule_to_start_timeout: Longest time for an attempt to wait for a worker.
        start_to_close_timeout: Longest time for one attempt.
        start_delay: Time it was to wait before its first attempt.
        total_heartbeat_count: Number of heartbeats that the server has recorded, of all attempts.
        raw_callbacks: Callbacks for its end, as protobuf messages.
        raw_input: Its arguments, as a protobuf message.
        raw_outcome: Its result or failure, as a protobuf message.
        data_converter: Converts values of this activity.
    """

    raw_info: ActivityExecutionInfo = field(repr=False)
    attempt: int
    canceled_reason: str | None
    current_retry_interval: timedelta | None
    expiration_time: datetime | None
    heartbeat_timeout: timedelta | None
    last_attempt_complete_time: datetime | None
    last_deployment_version: WorkerDeploymentVersion | None
    last_heartbeat_time: datetime | None
    last_started_time: datetime | None
    last_worker_identity: str | None
    next_attempt_schedule_time: datetime | None
    priority: Priority
    retry_policy: RetryPolicy | None
    run_state: PendingActivityState | None
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    start_delay: timedelta | None
    total_heartbeat_count: int
    raw_callbacks: Sequence[CallbackInfo] = field(repr=False)
    raw_input: Payloads | None = field(repr=False)
    raw_outcome: ActivityExecutionOutcome | None = field(repr=False)
    data_converter: DataConverter = field(repr=False)

    @staticmethod
    def _from_response(
        response: DescribeActivityExecutionResponse, namespace: str, converter: DataConverter
    ) -> ActivityExecutionDescription:
        from .._proto import field, time_of, timedelta_of

        info = response.info
        version, retry_policy = field(info, "last_deployment_version"), field(info, "retry_policy")
        return ActivityExecutionDescription(
            **_common(info, namespace),
            raw_info=info,
            attempt=info.attempt,
            canceled_reason=info.canceled_reason or None,
            current_retry_interval=timedelta_of(info, "current_retry_interval"),
            expiration_time=time_of(info, "expiration_time"),
            heartbeat_timeout=timedelta_of(info, "heartbeat_timeout"),
            last_attempt_complete_time=time_of(info, "last_attempt_complete_time"),
            last_deployment_version=(
                None if version is None else WorkerDeploymentVersion(version.deployment_name, version.build_id)
            ),
            last_heartbeat_time=time_of(info, "last_heartbeat_time"),
            last_started_time=time_of(info, "last_started_time"),
            last_worker_identity=info.last_worker_identity or None,
            next_attempt_schedule_time=time_of(info, "next_attempt_schedule_time"),
            priority=Priority._from_wire(info.priority),
            retry_policy=None if retry_policy is None else RetryPolicy.from_proto(retry_policy),
            run_state=PendingActivityState(info.run_state) if info.run_state else None,
            schedule_to_close_timeout=timedelta_of(info, "schedule_to_close_timeout"),
            schedule_to_start_timeout=timedelta_of(info, "schedule_to_start_timeout"),
            start_to_close_timeout=timedelta_of(info, "start_to_close_timeout"),
            start_delay=timedelta_of(info, "start_delay"),
            total_heartbeat_count=info.total_heartbeat_count,
            raw_callbacks=response.callbacks,
            raw_input=field(response, "input"),
            raw_outcome=field(response, "outcome"),
            data_converter=converter.with_context(
                ActivitySerializationContext(
                    namespace=namespace,
                    activity_id=info.activity_id,
                    activity_type=info.activity_type.name,
                    activity_task_queue=info.task_queue,
                    workflow_id=None,
                    workflow_type=None,
                    is_local=False,
                )
            ),
        )

    def has_input(self) -> bool:
        """Whether the arguments are included."""
        return self.raw_input is not None

    async def input(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """The arguments; ``None`` if they are not included.

        Args:
            type_hints: Types wanted, by position.

        Raises:
            ConversionError: One cannot be decoded.
        """
        return None if self.raw_input is None else await self.data_converter.decode_wrapper(self.raw_input, type_hints)

    def has_result(self) -> bool:
        """Whether the activity has completed, and its result is included."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("result")

    async def result(self, type_hint: type | None = None) -> Any | None:
        """The result; ``None`` if there is none, or it is not included.

        Args:
            type_hint: Type wanted.

        Raises:
            ArgumentError: It does not fit the type.
        """
        if self.raw_outcome is None or not self.raw_outcome.HasField("result"):
            return None
        payloads = [as_payload(each) for each in self.raw_outcome.result.payloads]
        return await decode_first(self.data_converter, payloads, type_hint, f"activity {self.activity_id!r}")

    def has_outcome_failure(self) -> bool:
        """Whether the activity has ended without completing, and the reason is included."""
        return self.raw_outcome is not None and self.raw_outcome.HasField("failure")

    async def outcome_failure(self) -> BaseException | None:
        """Why the activity did not complete; ``None`` if it has not failed, or the reason is not included."""
        if self.raw_outcome is None or not self.raw_outcome.HasField("failure"):
            return None
        return await self.data_converter.decode_failure(self.raw_outcome.failure)

    def has_last_failure(self) -> bool:
        """Whether an attempt has failed, and the reason is included."""
        return self.raw_info.HasField("last_failure")

    async def last_failure(self) -> BaseException | None:
        """Why the last failed attempt failed; ``None`` if none has, or the reason is not included."""
        return await self.data_converter.decode_failure(self.raw_info.last_failure) if self.has_last_failure() else None

    def has_heartbeat_details(self) -> bool:
        """Whether a heartbeat had details, and they are included."""
        return self.raw_info.HasField("heartbeat_details")

    async def heartbeat_details(self, type_hints: list[type] | None = None) -> list[Any] | None:
        """Details of the last heartbeat; ``None`` if there are none, or they are not included.

        Args:
            type_hints: Types wanted, by position.

        Raises:
            ConversionError: One cannot be decoded.
        """
        if not self.has_heartbeat_details():
            return None
        return await self.data_converter.decode_wrapper(self.raw_info.heartbeat_details, type_hints)

    async def static_summary(self) -> str | None:
        """The summary it was started with."""
        from .._proto import field

        payload = field(self.raw_info.user_metadata, "summary")
        if payload is None:
            return None
        text: str = await decode_first(self.data_converter, [as_payload(payload)], str, "static summary")
        return text


def _common(info: ActivityExecutionListInfo | ActivityExecutionInfo, namespace: str) -> dict[str, Any]:
    from .._proto import time_of, timedelta_of

    return {
        "activity_id": info.activity_id,
        "activity_run_id": info.run_id or None,
        "activity_type": info.activity_type.name,
        "close_time": time_of(info, "close_time"),
        "execution_duration": timedelta_of(info, "execution_duration"),
        "execution_time": time_of(info, "execution_time"),
        "namespace": namespace,
        "schedule_time": time_of(info, "schedule_time") or datetime.fromtimestamp(0, timezone.utc),
        "status": ActivityExecutionStatus(info.status),
        "task_queue": info.task_queue,
        "typed_search_attributes": decode_typed_search_attributes(info.search_attributes),
    }
