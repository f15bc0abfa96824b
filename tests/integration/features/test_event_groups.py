"""Event groups, which only the history shows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from invincible import workflow
from tests.support.features import SOON, TEN_SECONDS, Feature, attributes, data, echo, of_kind, rested


def groups(event: Any) -> list[str]:
    """What the markers of an event name: labels' ids, an event or an update."""
    return [_named(marker) for marker in event.event_group_markers]


def _named(marker: Any) -> str:
    kind = marker.WhichOneof("variant")
    if kind == "label":
        label = marker.label
        text = json.loads(data(label.label)) if label.HasField("label") else None
        return f"{label.id} {text}"
    return f"{kind} {getattr(marker, kind)}".strip()


@workflow.defn
async def child(number: int) -> int:
    return number


@workflow.defn
class Grouped:
    @workflow.run
    async def run(self) -> None:
        with pytest.raises(ValueError, match="not empty"):
            workflow.create_event_group("")
        outer = workflow.create_event_group("outer", label="the *outer* group")
        inner = workflow.create_event_group("inner")
        await echo.with_options(event_groups=[outer]).execute("given")
        with outer.scope():
            workflow.patched("grouped")
            with inner.scope():
                task = asyncio.create_task(echo.execute("inherited"))
                await workflow.sleep(SOON, event_groups=[outer])
            await workflow.execute_local_activity(echo, "local", start_to_close_timeout=TEN_SECONDS)
            workflow.upsert_memo({"a": 1})
        await rested()
        await task
        await workflow.execute_child_workflow(child, 1, event_groups=[inner, outer])
        try:
            await workflow.wait_condition(lambda: False, timeout=SOON, event_groups=[inner])
        except asyncio.TimeoutError:
            workflow.upsert_memo({"b": 1}, event_groups=[inner])


async def test_events_carry_the_groups_they_were_started_in(feature: Feature) -> None:
    outer, inner = "outer the *outer* group", "inner None"
    async with feature.worker([Grouped, child]):
        handle = await feature.start(Grouped.run)
        await handle.result()
    events = await feature.events(handle)
    activities = {
        data(each.activity_task_scheduled_event_attributes.input.payloads[0]).decode(): groups(each)
        for each in of_kind(events, "activity_task_scheduled")
        if each.activity_task_scheduled_event_attributes.activity_type.name == "echo"
    }
    assert activities == {'"given"': [outer], '"inherited"': [outer, inner]}
    assert [groups(each) for each in of_kind(events, "timer_started")] == [[outer, inner], [inner]]
    markers = {
        each.marker_name: groups(event)
        for each, event in zip(attributes(events, "marker_recorded"), of_kind(events, "marker_recorded"), strict=True)
    }
    assert markers == {"core_patch": [outer], "core_local_activity": [outer]}
    assert [groups(each) for each in of_kind(events, "workflow_properties_modified")] == [[outer], [inner]]
    (child_event,) = of_kind(events, "start_child_workflow_execution_initiated")
    assert groups(child_event) == [inner, outer]


@workflow.defn
class Inbound:
    def __init__(self) -> None:
        self.done = 0

    @workflow.signal
    async def signalled(self) -> None:
        await echo.execute("by signal")
        self.done += 1

    @workflow.update
    async def updated(self) -> None:
        await echo.execute("by update")
        self.done += 1

    @workflow.run
    async def run(self) -> None:
        await rested()
        await workflow.wait_condition(lambda: self.done == 2 and workflow.all_handlers_finished())


async def test_what_a_handler_starts_is_grouped_by_its_message(feature: Feature) -> None:
    async with feature.worker([Inbound]):
        handle = await feature.start(Inbound.run)
        await handle.signal(Inbound.signalled)
        await handle.execute_update(Inbound.updated, id="the-update")
        await handle.result()
    events = await feature.events(handle)
    (signal,) = of_kind(events, "workflow_execution_signaled")
    markers = {
        data(each.activity_task_scheduled_event_attributes.input.payloads[0]).decode(): each.event_group_markers
        for each in of_kind(events, "activity_task_scheduled")
    }
    (by_signal,), (by_update,) = markers['"by signal"'], markers['"by update"']
    assert by_signal.inbound_event.inbound_event_id == signal.event_id
    assert by_update.inbound_update.inbound_update_id == "the-update"
