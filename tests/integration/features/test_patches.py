"""Patches: code that changes while runs of the old one are open."""

from __future__ import annotations

from typing import Any

from invincible import workflow
from invincible.worker import Replayer
from tests.support.features import Feature, attributes, of_kind, recorded, rested


@workflow.defn(name="Changing")
class Before:
    @workflow.run
    async def run(self) -> list[str]:
        steps = [await recorded("old")]
        await rested()
        return [*steps, await recorded("old end")]


@workflow.defn(name="Changing")
class Patched:
    @workflow.run
    async def run(self) -> list[str]:
        steps = [await recorded("new" if workflow.patched("first") else "old")]
        await rested()
        # As it was answered the first time.
        end = "new end" if workflow.patched("first") else "old end"
        return [*steps, await recorded(end)]


@workflow.defn(name="Changing")
class Deprecated:
    @workflow.run
    async def run(self) -> list[str]:
        workflow.deprecate_patch("first")
        steps = [await recorded("new")]
        await rested()
        return [*steps, await recorded("new end")]


@workflow.defn(name="Changing")
class After:
    @workflow.run
    async def run(self) -> list[str]:
        steps = [await recorded("new")]
        await rested()
        return [*steps, await recorded("new end")]


async def played(feature: Feature, first: Any, second: Any) -> tuple[list[str], Any]:
    """Begin a run with one version of the code and end it with another; its result and its handle."""
    async with feature.unverified_worker([first], no_remote_activities=True):
        handle = await feature.start("Changing")
        await feature.scheduled(handle, "echo")
    async with feature.worker([second]):
        return await handle.result(), handle


async def test_a_new_run_takes_the_patched_path(feature: Feature) -> None:
    async with feature.worker([Patched]):
        handle = await feature.start(Patched.run)
        assert await handle.result() == ["new", "new end"]
        description = await handle.describe()
    (marker,) = attributes(await feature.events(handle), "marker_recorded")
    assert marker.marker_name == "core_patch"
    assert description.search_attributes["TemporalChangeVersion"] == ["first"]
    # Later code, which has put the patch on its way out, replays it too.
    await Replayer(workflows=[Deprecated], data_converter=feature.client.data_converter).replay_workflow(
        await handle.fetch_history()
    )


async def test_a_run_of_the_old_code_keeps_to_its_path(feature: Feature) -> None:
    result, handle = await played(feature, Before, Patched)
    assert result == ["old", "old end"]
    assert not of_kind(await feature.events(handle), "marker_recorded")


async def test_a_patched_run_goes_on_in_code_that_deprecates_the_patch(feature: Feature) -> None:
    result, _ = await played(feature, Patched, Deprecated)
    assert result == ["new", "new end"]


async def test_a_run_with_the_patch_deprecated_goes_on_without_it(feature: Feature) -> None:
    result, handle = await played(feature, Deprecated, After)
    assert result == ["new", "new end"]
    (marker,) = attributes(await feature.events(handle), "marker_recorded")
    assert b'"deprecated":true' in marker.details["patch-data"].payloads[0].data.replace(b" ", b"")
