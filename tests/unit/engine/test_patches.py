"""Patches: which runs take them, what is recorded, and that the answer never changes within a run."""

from __future__ import annotations

from typing import Any

from invincible import _native, workflow
from tests.support.engine import Driver, completed, kinds, value


@workflow.defn
async def changed() -> list[bool]:
    first = workflow.patched("change")
    await workflow.sleep(1)
    return [first, workflow.patched("change")]


def ended(driver: Driver, *jobs: Any, **fields: Any) -> Any:
    return value(driver.activate(*jobs, _native.FireTimer(seq=1), **fields)[-1].result)


def test_new_runs_take_the_patch_and_record_it() -> None:
    driver = Driver(changed)
    marker, timer = driver.start()
    assert isinstance(marker, _native.SetPatchMarker)
    assert isinstance(timer, _native.StartTimer)
    assert (marker.patch_id, marker.deprecated, marker.event_groups) == ("change", False, [])
    assert ended(driver) == [True, True]


def test_runs_whose_history_has_the_patch_take_it() -> None:
    driver = Driver(changed)
    commands = driver.start(_native.NotifyHasPatch(patch_id="change"), is_replaying=True)
    assert kinds(commands) == [_native.SetPatchMarker, _native.StartTimer]
    assert ended(driver, is_replaying=True) == [True, True]


def test_runs_older_than_the_patch_never_take_it() -> None:
    driver = Driver(changed)
    assert kinds(driver.start(is_replaying=True)) == [_native.StartTimer]
    assert ended(driver) == [False, False]


def test_a_run_that_reaches_the_patch_for_the_first_time_when_live_takes_it() -> None:
    @workflow.defn
    async def late() -> bool:
        await workflow.sleep(1)
        return workflow.patched("change")

    driver = Driver(late)
    driver.start(is_replaying=True)
    assert ended(driver) is True


def test_the_notice_of_another_patch_changes_nothing() -> None:
    driver = Driver(changed)
    driver.start(_native.NotifyHasPatch(patch_id="other"), is_replaying=True)
    assert ended(driver, is_replaying=True) == [False, False]


def test_patches_are_apart() -> None:
    @workflow.defn
    async def two() -> list[bool]:
        return [workflow.patched("one"), workflow.patched("two")]

    *markers, end = Driver(two).start(_native.NotifyHasPatch(patch_id="two"), is_replaying=True)
    assert [marker.patch_id for marker in markers] == ["two"]
    assert value(end.result) == [False, True]


def test_the_marker_has_event_groups() -> None:
    @workflow.defn
    async def grouped() -> None:
        workflow.patched("change", event_groups=[workflow.create_event_group("one")])
        workflow.deprecate_patch("old", event_groups=[workflow.create_event_group("two")])

    first, second, _ = Driver(grouped).start()
    assert [[each.id for each in marker.event_groups] for marker in (first, second)] == [["one"], ["two"]]


def test_a_deprecated_patch_is_always_recorded_as_such() -> None:
    @workflow.defn
    async def deprecating() -> None:
        workflow.deprecate_patch("change")

    for fields in ({}, {"is_replaying": True}):
        marker, _ = Driver(deprecating).start(**fields)
        assert isinstance(marker, _native.SetPatchMarker)
        assert (marker.patch_id, marker.deprecated) == ("change", True)


def test_a_run_without_patches_records_none() -> None:
    @workflow.defn
    async def plain() -> str:
        return "plain"

    assert completed(Driver(plain).start(_native.NotifyHasPatch(patch_id="change"))) == "plain"
