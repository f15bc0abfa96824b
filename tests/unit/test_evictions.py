"""What is said of a run that Core drops."""

from __future__ import annotations

from invincible._native import RemoveFromCache
from invincible.worker._workflows import eviction_error
from invincible.workflow import NondeterminismError

FATAL, TASK_NOT_FOUND = 8, 6
NOT_REPORTED = "Error reporting WFT to server"


def test_a_task_that_the_server_did_not_take_is_no_mismatch() -> None:
    error = eviction_error(None, RemoveFromCache(message=NOT_REPORTED, reason=FATAL))
    assert not isinstance(error, NondeterminismError)
    assert "it could not be reached, or refused what the workflow code asked for" in str(error)


def test_a_task_that_came_too_late_is_nobodys_fault() -> None:
    assert eviction_error(None, RemoveFromCache(message=NOT_REPORTED, reason=TASK_NOT_FOUND)) is None
