"""Generated exceptions and their failures, here and in the peer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invincible import exceptions
from invincible._native import Failure
from invincible.converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
    PayloadConverter,
)
from tests.parity import strategies
from tests.parity.failures import ATTRIBUTES, Recipe, described, make
from tests.parity.peer import Peer

FAILURES: dict[str, FailureConverter] = {
    "default": DefaultFailureConverter(),
    "encoded": DefaultFailureConverterWithEncodedAttributes(),
}
text = strategies.text
details = st.lists(strategies.json_values, max_size=2)
numbers = st.integers(0, 2**62)

OPTIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "ApplicationError": {
        "type": st.none() | text,
        "non_retryable": st.booleans(),
        "next_retry_delay": st.none() | st.timedeltas(timedelta(0), timedelta(days=10_000)),
        "category": st.sampled_from(["UNSPECIFIED", "BENIGN"]),
    },
    "CancelledError": {},
    "TerminatedError": {},
    "TimeoutError": {
        "type": st.none() | st.sampled_from([each.name for each in exceptions.TimeoutType]),
        "last_heartbeat_details": details,
    },
    "ServerError": {"non_retryable": st.booleans()},
    "ActivityError": {
        "scheduled_event_id": numbers,
        "started_event_id": numbers,
        "identity": text,
        "activity_type": text,
        "activity_id": text,
        "retry_state": st.none() | st.sampled_from([each.name for each in exceptions.RetryState]),
    },
    "ChildWorkflowError": {
        "namespace": text,
        "workflow_id": text,
        "run_id": text,
        "workflow_type": text,
        "initiated_event_id": numbers,
        "started_event_id": numbers,
        "retry_state": st.none() | st.sampled_from([each.name for each in exceptions.RetryState]),
    },
    "NexusOperationError": {
        "scheduled_event_id": numbers,
        "endpoint": text,
        "service": text,
        "operation": text,
        "operation_token": text,
    },
}


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    kind = draw(st.sampled_from([*OPTIONS, "ValueError", "KeyError", "OSError"]))
    args: tuple[Any, ...] = (draw(text),)
    if kind in ("ApplicationError", "CancelledError"):
        args += tuple(draw(details))
    options = draw(st.fixed_dictionaries(OPTIONS.get(kind, {})))
    return Recipe(kind, args, options, draw(st.none() | recipes()) if draw(st.booleans()) else None)


def test_every_kind_is_tried() -> None:
    raised_by_callers_only = {"WorkflowAlreadyStartedError", "FailureError"}
    assert {*OPTIONS} | raised_by_callers_only == {*ATTRIBUTES}


@pytest.mark.parametrize("which", FAILURES)
@settings(max_examples=80)
@given(recipe=recipes())
def test_there_and_back(peer: Peer, which: str, recipe: Recipe) -> None:
    converter, payloads = FAILURES[which], PayloadConverter.default
    ours = converter.to_native(make(exceptions, recipe), payloads)
    theirs = Failure.FromString(peer.ask("to_failure", which, recipe))
    assert ours == theirs
    decoded = converter.from_native(ours, payloads)
    assert described(exceptions, decoded) == peer.ask("from_failure", which, ours.SerializeToString())
    again = Failure.FromString(peer.ask("failure_again", which, ours.SerializeToString()))
    assert converter.to_native(decoded, payloads) == again
