"""Timeouts of activities that happen now, however long they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from invincible.activity._definition import activity_reference
from invincible.client import WorkflowHandle
from invincible.exceptions import TimeoutType
from invincible.service import RPCError

if TYPE_CHECKING:
    from invincible.api.workflow.v1 import PendingActivityInfo

# Options that the server times an activity by.
_OPTIONS = {
    TimeoutType.START_TO_CLOSE: "start_to_close_timeout",
    TimeoutType.SCHEDULE_TO_START: "schedule_to_start_timeout",
    TimeoutType.SCHEDULE_TO_CLOSE: "schedule_to_close_timeout",
    TimeoutType.HEARTBEAT: "heartbeat_timeout",
}
# The server knows no shorter one that is a timeout.
_SHORTEST = 1_000_000  # nanoseconds
_PATIENCE = 10.0
_PAUSE = 0.01


async def time_out_activity(
    handle: WorkflowHandle[Any, Any], activity: str | Callable[..., Any], timeout_type: TimeoutType
) -> None:
    """:meth:`WorkflowEnvironment.time_out_activity`."""
    if not isinstance(handle, WorkflowHandle):
        raise TypeError(f"handle must be a WorkflowHandle, got {type(handle).__name__}")
    if timeout_type not in _OPTIONS:
        raise ValueError(f"timeout_type must be one of {', '.join(each.name for each in _OPTIONS)}, got {timeout_type}")
    name = activity_reference(activity)[0].name
    pending = await _wait_for(handle, name, timeout_type)
    await _update(handle, pending.activity_id, _OPTIONS[timeout_type])
    deadline = time.monotonic() + _PATIENCE
    while True:
        now = [each for each in await _pending(handle) if each.activity_id == pending.activity_id]
        if not now:
            return
        if now[0].attempt > pending.attempt:
            # The next attempt has all its time again, unless it has ended already.
            with suppress(RPCError):
                await _update(handle, pending.activity_id, None)
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"activity {name!r} of workflow {handle.id!r} did not time out")
        await asyncio.sleep(_PAUSE)


async def _wait_for(handle: WorkflowHandle[Any, Any], name: str, timeout_type: TimeoutType) -> PendingActivityInfo:
    from invincible.api.enums.v1 import PendingActivityState

    started, scheduled = (
        PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
        PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED,
    )
    states = {
        TimeoutType.SCHEDULE_TO_START: (scheduled,),
        TimeoutType.SCHEDULE_TO_CLOSE: (scheduled, started),
    }.get(timeout_type, (started,))
    deadline = time.monotonic() + _PATIENCE
    while True:
        pending = await _pending(handle)
        for each in pending:
            if name in (each.activity_type.name, each.activity_id) and each.state in states:
                return each
        if time.monotonic() > deadline:
            states_of = ", ".join(
                f"{each.activity_type.name} ({PendingActivityState.Name(each.state).rpartition('STATE_')[2].lower()})"
                for each in pending
            )
            raise RuntimeError(
                f"workflow {handle.id!r} has no activity {name!r} that could time out for {timeout_type.name}; its "
                f"activities are: {states_of or 'none'}"
            )
        await asyncio.sleep(_PAUSE)


async def _pending(handle: WorkflowHandle[Any, Any]) -> list[PendingActivityInfo]:
    return list((await handle.describe()).raw_description.pending_activities)


async def _update(handle: WorkflowHandle[Any, Any], activity_id: str, option: str | None) -> None:
    """Make a timeout as short as can be, or all options what they were."""
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.field_mask_pb2 import FieldMask

    from invincible.api.activity.v1 import ActivityOptions
    from invincible.api.common.v1 import WorkflowExecution
    from invincible.api.workflowservice.v1 import UpdateActivityOptionsRequest

    client = handle._client
    request = UpdateActivityOptionsRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or ""),
        identity=client.identity,
        id=activity_id,
        restore_original=option is None,
    )
    if option is not None:
        options = ActivityOptions()
        getattr(options, option).CopyFrom(Duration(nanos=_SHORTEST))
        request.activity_options.CopyFrom(options)
        request.update_mask.CopyFrom(FieldMask(paths=[option]))
    await client.workflow_service.update_activity_options(request, retry=True)
