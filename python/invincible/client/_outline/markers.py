"""Markers, by which SDKs keep what they need for a replay: local activities, versions, side effects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from .messages import time_of
from .steps import Run, Step
from .values import parsed, value_text

if TYPE_CHECKING:
    from invincible.api.common.v1 import Payload
    from invincible.api.history.v1 import HistoryEvent

_PATCHES = frozenset({"core_patch", "Version"})
_LOCAL_ACTIVITIES = frozenset({"core_local_activity", "LocalActivity"})


def read_marker(run: Run, event: HistoryEvent, marker: Any) -> Step:
    """The step that a marker tells of."""
    if marker.marker_name in _LOCAL_ACTIVITIES:
        return _local_activity(run, event, marker)
    if marker.marker_name in _PATCHES:
        return _patch(run, event, marker)
    notes = [
        f"{name} = {value_text(each, 60)}" for name, group in sorted(marker.details.items()) for each in group.payloads
    ]
    return run.tell(event, "marker", marker.marker_name, notes=notes)


def _local_activity(run: Run, event: HistoryEvent, marker: Any) -> Step:
    data = parsed(_first(marker, "data"))
    told: dict[str, Any] = data if isinstance(data, dict) else {}
    name = told.get("activity_type") or told.get("ActivityType") or ""
    step = run.begin(event, "local activity", str(name))
    step.end(event, "done")
    attempt = told.get("attempt", told.get("Attempt"))
    step.attempt = attempt if isinstance(attempt, int) and attempt > 0 else 1
    began, ended = _time(told.get("original_schedule_time")), _time(told.get("complete_time"))
    if began is not None:
        # Workers have clocks of their own: the history's is the one that all is measured by.
        end = time_of(event, "event_time")
        step.began = end - max(ended - began, timedelta(0)) if ended is not None and end is not None else began
    result = marker.details.get("result") if "result" in marker.details else None
    step.result = result.payloads if result is not None else ()
    if marker.HasField("failure"):
        step.failure = marker.failure
        step.state = "cancelled" if marker.failure.WhichOneof("failure_info") == "canceled_failure_info" else "failed"
        if told.get("backoff"):
            step.notes.append("retried after a timer")
    return step


def _patch(run: Run, event: HistoryEvent, marker: Any) -> Step:
    data = parsed(_first(marker, "patch-data"))
    if isinstance(data, dict):
        notes = ["deprecated"] if data.get("deprecated") else []
        return run.tell(event, "patch", str(data.get("id", "")), notes=notes)
    change, version = parsed(_first(marker, "change-id")), parsed(_first(marker, "version"))
    return run.tell(event, "patch", str(change or ""), notes=[] if version is None else [f"version {version}"])


def _first(marker: Any, key: str) -> Payload | None:
    payloads = marker.details[key].payloads if key in marker.details else ()
    return payloads[0] if payloads else None


def _time(stamp: Any) -> datetime | None:
    if not isinstance(stamp, dict) or not isinstance(stamp.get("seconds"), int):
        return None
    nanos = stamp.get("nanos")
    try:
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(
            seconds=stamp["seconds"], microseconds=nanos // 1000 if isinstance(nanos, int) else 0
        )
    except OverflowError:
        return None
