"""Event groups: made by hand, by scopes, and by the messages that handlers work on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from invincible import _native, workflow
from tests.support.engine import Driver, greet, signal, update, value


def ids(command: Any) -> list[Any]:
    return [each.id or each.inbound_event_id or each.inbound_update_id for each in command.event_groups]


def test_a_group_has_an_id_and_perhaps_a_label() -> None:
    @workflow.defn
    async def grouped() -> None:
        labelled = workflow.create_event_group("billing", label="Billing")
        plain = workflow.create_event_group("plain")
        await workflow.sleep(1, event_groups=[labelled, plain])

    (timer,) = Driver(grouped).start()
    labelled, plain = timer.event_groups
    assert (labelled.id, value(labelled.label)) == ("billing", "Billing")
    assert (plain.id, plain.label) == ("plain", None)


@pytest.mark.parametrize(
    ("create", "match"),
    [
        (lambda: workflow.create_event_group(""), "an event group needs an id that is not empty"),
        (
            lambda: workflow.create_event_group("a", label=""),
            "the label of an event group must not be empty; leave it ou",
        ),
    ],
)
def test_empty_ids_and_labels_are_refused(create: Any, match: str) -> None:
    @workflow.defn
    async def grouped() -> None:
        create()

    with pytest.raises(ValueError, match=match):
        Driver(grouped).start()


def test_a_scope_covers_what_is_started_in_it_and_nothing_else() -> None:
    @workflow.defn
    async def grouped() -> None:
        outer, inner = workflow.create_event_group("outer"), workflow.create_event_group("inner")
        greet.start("before")
        with outer.scope():
            greet.start("outer")
            with inner.scope():
                greet.start_local("both")
                workflow.patched("change")
                workflow.upsert_memo({"key": 1})
                asyncio.get_running_loop().call_later(1, print)
            greet.with_options(event_groups=[outer, inner]).start("no group twice")
        greet.start("after")

    *commands, _ = Driver(grouped).start()
    both = ["outer", "inner"]
    assert [ids(each) for each in commands] == [[], ["outer"], both, both, both, both, both, []]


def test_tasks_made_in_a_scope_stay_in_it() -> None:
    @workflow.defn
    async def grouped() -> None:
        async def later() -> None:
            await asyncio.sleep(0)
            greet.start("inside")

        with workflow.create_event_group("scope").scope():
            task = asyncio.create_task(later())
        greet.start("outside")
        await task

    outside, inside, _ = Driver(grouped).start()
    assert (ids(outside), ids(inside)) == ([], ["scope"])


def test_what_handlers_start_belongs_to_their_message() -> None:
    @workflow.defn
    class Handling:
        @workflow.run
        async def run(self) -> None:
            await workflow.sleep(60)

        @workflow.signal
        async def signalled(self) -> None:
            greet.start("signalled")
            with workflow.create_event_group("more").scope():
                greet.start("more")

        @workflow.update
        async def updated(self) -> None:
            greet.start("updated")

    driver = Driver(Handling)
    (timer,) = driver.start()
    assert ids(timer) == []
    first, second = driver.activate(signal("signalled", event_id=7))
    assert [ids(first), ids(second)] == [[7], [7, "more"]]
    (plain, _) = driver.activate(signal("signalled"))
    assert ids(plain) == []
    commands = driver.activate(update("updated", id="update-id"))
    (scheduled,) = [each for each in commands if isinstance(each, _native.ScheduleActivity)]
    assert ids(scheduled) == ["update-id"]
