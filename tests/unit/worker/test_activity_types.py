"""What is said of activities that the workers of this process do not run."""

from __future__ import annotations

import pytest

from invincible.worker._activity_types import ActivityTypes, complaint

QUEUE = ("localhost:7233", "default", "orders")


def test_types_are_known_for_as_long_as_their_workers_run() -> None:
    types = ActivityTypes()
    first, second = {"charge"}, {"charge", "ship"}
    types.add(QUEUE, first)
    types.add(QUEUE, second)
    assert types.of(QUEUE) == {"charge", "ship"}
    assert types.of(("localhost:7233", "other", "orders")) == set()
    types.remove(QUEUE, second)
    assert types.of(QUEUE) == {"charge"}
    types.remove(QUEUE, first)
    types.remove(QUEUE, first)
    assert types.of(QUEUE) == set()


@pytest.mark.parametrize(
    ("task_queue", "known", "said"),
    [
        ("orders", {"charge"}, None),
        ("orders", {None}, None),
        (
            "orders",
            {"refund", "charges"},
            "a worker of task queue 'orders'; its activities are: charges, refund; did you",
        ),
        (None, set(), "the workflow's worker; its activities are: none. Register it, or a mock"),
    ],
)
def test_complaints(task_queue: str | None, known: set[str | None], said: str | None) -> None:
    told = complaint("charge", task_queue, known)
    if said is None:
        assert told is None
    else:
        assert told is not None
        assert told.startswith(f"activity 'charge' is not registered on {said}")
