"""Histories drawn for people, from recordings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from invincible._native import Payload
from invincible.api.common.v1 import Payload as PayloadMessage
from invincible.api.failure.v1 import Failure
from invincible.api.history.v1 import HistoryEvent
from invincible.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from invincible.client._outline import outline
from invincible.client._outline.failures import failure_lines, place_of
from invincible.client._outline.text import clean, duration_text, shortened, size_text
from invincible.client._outline.values import value_json, value_text
from tests.histories.catalog import names, recording

NOW = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def drawn(name: str, **options: Any) -> list[str]:
    return [str(line) for line in outline(recording(name).events, **options)]


def steps(name: str, **options: Any) -> list[str]:
    """What a run did, without the times."""
    lines = drawn(name, **options)
    return [line.lstrip().partition(" ")[2] for line in lines if line.lstrip().startswith("+")]


@pytest.mark.parametrize("name", names())
def test_every_recording_can_be_drawn(name: str) -> None:
    for options in ({"width": 80}, {"full": True}, {"now": NOW}):
        lines = drawn(name, **options)
        assert lines[0].startswith(recording(name).events[0].workflow_execution_started_event_attributes.workflow_id)
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", ["hops", "children", "nexus", "updates", "local-failures", "activity-failures"])
def test_parts_of_histories_are_no_error(name: str) -> None:
    events = list(recording(name).events)
    random = Random(name)
    for _ in range(5):
        list(outline([event for event in events if random.random() < 0.5], width=80))
    list(outline(reversed(events)))


def test_activities_with_attempts_and_failures() -> None:
    lines = drawn("activity-failures")
    assert lines[0] == "activity-failures  ActivityFailures  completed in 2.3s"
    start = lines.index('   +179ms ✗ activity failing("no")  failed after 10ms')
    assert lines[start + 1 : start + 2] == ['            Sorry: no (not retryable, details "detail")']
    assert "   +365ms ✓ activity flaky(3) → 3  203ms, 3 attempts" in lines
    assert any(line.strip().startswith("attempt 2 failed: Flaky: attempt 2") for line in lines)
    assert any("timed out (heartbeat) after" in line for line in lines)
    assert lines[-1] == "result  null"


def test_all_kinds_of_steps() -> None:
    children = steps("children")
    assert any(line.startswith('✓ child workflow Child("by-method") (id ') for line in children)
    assert any(
        line.startswith('✗ child workflow Child("again") (id children-own, workflow already') for line in children
    )
    assert any(line.startswith("✓ signal to workflow end (to ") for line in children)
    assert "⊘ timer 1m 40s  cancelled after 11.1s" in steps("waiting")
    assert "✗ workflow task (workflow worker unhandled failure)  failed" in steps("task-failed")
    assert "• patch first" in steps("patched")
    assert "• patch old (deprecated)" in steps("patched")
    assert any(line.startswith('✓ update plain("early") (id early) → "EARLY"') for line in steps("updates"))
    assert any(line.startswith("✗ update fails(false) (id fails)  failed after") for line in steps("updates"))
    assert any(
        line.startswith("✗ local activity flaky()  failed after 0ms, 2 attempts") for line in steps("local-failures")
    )
    assert any(line.startswith("• signal ") for line in steps("signals"))
    assert any(line.startswith("✓ Nexus operation Recorded.echo(") for line in steps("hops"))
    assert any(line.startswith("• cancellation requested") for line in steps("cancellation"))
    assert any(line.startswith("• reset (from run ") for line in steps("chance-reset"))
    assert any(line.startswith("• memo (gone = ") for line in steps("attributes"))
    assert any(line.startswith("• search attributes (RecordedInt = 1") for line in steps("attributes"))


def test_sdks_own_search_attribute_is_left_out() -> None:
    assert not any("TemporalChangeVersion" in line for line in drawn("patched"))


def test_endings() -> None:
    assert drawn("continued-0")[-1].startswith("continued as new with 1, goes on as run ")
    failed = drawn("failures-child")
    assert failed[0].endswith("  failed after 114ms")
    where = failed.index("failed")
    assert failed[where + 1].startswith("  child workflow Child '")
    assert failed[where + 2] == "  caused by Sorry: no (not retryable)"


def test_a_run_that_is_open_tells_what_it_waits_for() -> None:
    events = _open_events()
    now = NOW + timedelta(seconds=90)
    lines = [str(line) for line in outline(events, now=now)]
    assert lines[0] == "order-1  Order  running for 1m 30s"
    assert lines[-4:] == [
        "     +10s … activity charge()  open for 1m 20s",
        "     +10s … timer 1h  fires in 58m 40s",
        "",
        "waits for activity charge, timer 1h",
    ]


def test_a_run_that_is_paused_says_so() -> None:
    events = list(_open_events())
    events.append(HistoryEvent(event_id=7))
    events[-1].event_time.FromDatetime(NOW + timedelta(seconds=60))
    events[-1].workflow_execution_paused_event_attributes.identity = "ada\x1b"
    events[-1].workflow_execution_paused_event_attributes.reason = "audit"
    now = NOW + timedelta(seconds=90)
    lines = [str(line) for line in outline(events, now=now)]
    assert lines[0] == "order-1  Order  paused, running for 1m 30s"
    assert "      +1m • paused (reason: audit)" in lines
    assert lines[-1] == "waits for somebody to unpause it: paused for 30s by ada\\x1b: audit"

    events.append(HistoryEvent(event_id=8))
    events[-1].event_time.FromDatetime(NOW + timedelta(seconds=70))
    events[-1].workflow_execution_unpaused_event_attributes.SetInParent()
    lines = [str(line) for line in outline(events, now=now)]
    assert lines[0] == "order-1  Order  running for 1m 30s"
    assert lines[-1] == "waits for activity charge, timer 1h"

    events[-1].workflow_execution_terminated_event_attributes.SetInParent()
    lines = [str(line) for line in outline(events, now=now)]
    assert lines[0] == "order-1  Order  terminated after 1m 10s"


def test_pending_attempts_come_from_the_description() -> None:
    description = DescribeWorkflowExecutionResponse()
    pending = description.pending_activities.add(activity_id="1", attempt=3, maximum_attempts=5, state=1)
    pending.last_failure.message = "no route\nto the bank"
    pending.last_failure.application_failure_info.type = "ConnectionError"
    pending.next_attempt_schedule_time.FromDatetime(NOW + timedelta(seconds=100))
    lines = [str(line) for line in outline(_open_events(), description=description, now=NOW + timedelta(seconds=90))]
    assert "     +10s … activity charge()  attempt 3 of 5 in 10s" in lines
    assert "            attempt 2 failed: ConnectionError: no route…" in lines


def test_a_workflow_task_that_nobody_takes() -> None:
    [started, scheduled, *_] = _open_events()
    lines = [str(line) for line in outline([started, scheduled], now=NOW + timedelta(seconds=5))]
    assert lines[-1] == "waits for a worker of task queue 'orders' to take its workflow task (for 5s)"


def test_a_workflow_task_that_fails_again_and_again_is_one_line() -> None:
    [started, scheduled, *_] = _open_events()
    failed = _event(3, 1, "workflow_task_failed")
    failed.workflow_task_failed_event_attributes.cause = 24  # type: ignore[assignment]
    failed.workflow_task_failed_event_attributes.failure.message = "a bug"
    lines = [str(line) for line in outline([started, scheduled, failed, failed], now=NOW)]
    assert sum("workflow task" in line and "✗" in line for line in lines) == 1
    assert any(line.endswith("failed, 2 times") for line in lines)


def test_markers_of_other_sdks() -> None:
    [started, *_] = _open_events()
    markers = [_event(number, number, "marker_recorded") for number in (5, 6, 7)]
    contents: list[tuple[str, dict[str, bytes]]] = [
        ("Version", {"change-id": b'"faster"', "version": b"2"}),
        ("LocalActivity", {"data": b'{"ActivityType": "Charge", "Attempt": 2}', "result": b"17"}),
        ("SideEffect", {"data": b'"4f1c"'}),
    ]
    for marker, (name, details) in zip(markers, contents, strict=True):
        attributes = marker.marker_recorded_event_attributes
        attributes.marker_name = name
        for key, data in details.items():
            attributes.details[key].payloads.add(metadata={"encoding": b"json/plain"}, data=data)
    lines = [str(line).strip() for line in outline([started, *markers], now=NOW)]
    assert "+5s • patch faster (version 2)" in lines
    assert "+6s ✓ local activity Charge() → 17  0ms, 2 attempts" in lines
    assert '+7s • marker SideEffect (data = "4f1c")' in lines


def test_an_event_that_is_not_known_yet_is_no_error() -> None:
    [started, *_] = _open_events()
    lines = [str(line) for line in outline([started, HistoryEvent(event_id=2, event_type=9999)], now=NOW)]  # type: ignore[arg-type]
    assert lines[0] == "order-1  Order  running for 0ms"


def test_what_was_open_when_the_run_ended() -> None:
    ended = _event(7, 60, "workflow_execution_terminated")
    ended.workflow_execution_terminated_event_attributes.reason = "enough"
    lines = [str(line) for line in outline([*_open_events(), ended], now=NOW + timedelta(hours=9))]
    assert lines[0] == "order-1  Order  terminated after 1m"
    assert "     +10s … activity charge()  open when the run ended" in lines
    assert lines[-1] == "terminated, reason: enough"


def test_what_is_not_printable_is_escaped() -> None:
    [started, *others] = _open_events()
    attributes = started.workflow_execution_started_event_attributes
    attributes.workflow_id = "a\x1b[2J\u202eb\n"
    attributes.workflow_type.name = "\x9b"
    attributes.input.payloads.add(metadata={"encoding": b"json/plain"}, data='"\x7f\u202e"'.encode())
    lines = [str(line) for line in outline([started, *others], now=NOW)]
    assert lines[0] == "a\\x1b[2J\\u202eb\\n  \\x9b  running for 0ms"
    assert '  input    "\\x7f\\u202e"' in lines


def test_values() -> None:
    assert value_text(_payload(b'{"a":  "\xc3\xbc"}')) == '{"a": "ü"}'
    assert value_text(_payload(b'"' + b"x" * 3000 + b'"'), 10) == '"xxxxxxxx… (2.9 KiB in all)'
    assert value_text(_payload(b'"' + b"x" * 300_000 + b'"'), 10) == '"xxxxxxxx… (293 KiB in all)'
    assert value_text(_payload(b"", "binary/null")) == "null"
    assert value_text(_payload(b"\0\1", "binary/plain")) == "<2 B of bytes>"
    assert value_text(_payload(b"\0" * 2048, "binary/encrypted")) == "<encrypted, 2 KiB>"
    assert value_text(_payload(b"\0", "binary/\x1b")) == "<binary/\\x1b, 1 B>"
    assert value_text(_payload(b"not json")) == "not json"
    assert value_text(Payload({}, b"")) == "<without encoding, 0 B>"
    assert value_json(_payload(b"[1]")) == [1]
    assert value_json(_payload(b"\0", "binary/plain")) == {"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": "AA=="}


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        (
            '  File "/app/orders.py", line 3, in charge\n    f()\n  File "/x/site-packages/lib.py", line 9, in f\n',
            "/app/orders.py:3, in charge",
        ),
        # Their clone of the project, and a worker whose code is installed.
        ('  File "/home/ada/invincible/orders.py", line 3, in charge\n', "/home/ada/invincible/orders.py:3, in charge"),
        ('  File "/x/site-packages/orders.py", line 9, in f\n', "/x/site-packages/orders.py:9, in f"),
        # Nothing of theirs.
        (
            '  File "/x/site-packages/invincible/_engine/messages.py", line 9, in run\n'
            '  File "/usr/lib/python3.12/asyncio/tasks.py", line 9, in sleep\n',
            "",
        ),
        ("    at charge (/app/orders.ts:3:7)\n    at f (/app/x.js:1:1)", "/app/orders.ts:3:7, in charge"),
        ("com.Orders.charge(Orders.java:3)\nat com.Orders.run(Orders.java:9)", "Orders.java:9, in com.Orders.run"),
        ("main.Charge(0x1)\n\t/app/orders.go:12 +0x1d", "/app/orders.go:12"),
        ("nothing of the kind", ""),
        ("", ""),
    ],
)
def test_places_in_stack_traces(stack: str, place: str) -> None:
    assert place_of(stack) == place


def test_a_failure_whose_words_are_encoded() -> None:
    failure = Failure(message="Encoded failure")
    failure.application_failure_info.type = "CardError"
    encoded = b'{"message": "declined", "stack_trace": "  File \\"/app/a.py\\", line 1, in f\\n"}'
    failure.encoded_attributes.CopyFrom(PayloadMessage(metadata={"encoding": b"json/plain"}, data=encoded))
    assert _lines(failure) == ["CardError: declined", "  at /app/a.py:1, in f"]


def test_messages_of_many_lines_are_shortened_unless_all_is_wanted() -> None:
    failure = Failure(message="\n".join(f"line {number}" for number in range(9)), stack_trace="the stack")
    assert _lines(failure)[-2:] == ["  line 5", "  … 3 more lines"]
    assert _lines(failure, full=True)[-2:] == ["  line 8", "  the stack"]


def test_texts() -> None:
    assert clean("a\tb\n", lines=True) == "a\tb\n"
    assert clean("\x00\ud800👩\u200d👩") == "\\x00\\ud800👩\u200d👩"
    assert shortened("abcdef", 4) == "abc…"
    assert [size_text(size) for size in (0, 1023, 1536, 5 * 1024**2)] == ["0 B", "1023 B", "1.5 KiB", "5 MiB"]
    moments = (0, 0.85, 0.9999, 3.25, 59.97, 3661, 7_786_800, -70)
    texts = ["0ms", "850ms", "1s", "3.2s", "1m", "1h 1m", "90d 3h", "-1m 10s"]
    assert [duration_text(timedelta(seconds=each)) for each in moments] == texts


def _lines(failure: Failure, **options: Any) -> list[str]:
    return [str(line) for line in failure_lines(failure, **options)]


def _payload(data: bytes, encoding: str = "json/plain") -> Payload:
    return Payload({"encoding": encoding.encode()}, data)


def _event(number: int, seconds: float, kind: str) -> HistoryEvent:
    event = HistoryEvent(event_id=number)
    event.event_time.FromDatetime(NOW + timedelta(seconds=seconds))
    getattr(event, f"{kind}_event_attributes").SetInParent()
    return event


def _open_events() -> Sequence[HistoryEvent]:
    """The history of a run that waits for an activity and a timer."""
    started = _event(1, 0, "workflow_execution_started")
    attributes = started.workflow_execution_started_event_attributes
    attributes.workflow_id, attributes.workflow_type.name, attributes.task_queue.name = "order-1", "Order", "orders"
    scheduled = _event(5, 10, "activity_task_scheduled")
    scheduled.activity_task_scheduled_event_attributes.activity_id = "1"
    scheduled.activity_task_scheduled_event_attributes.activity_type.name = "charge"
    timer = _event(6, 10, "timer_started")
    timer.timer_started_event_attributes.start_to_fire_timeout.FromSeconds(3600)
    tasks = [
        _event(2, 0, "workflow_task_scheduled"),
        _event(3, 10, "workflow_task_started"),
        _event(4, 10, "workflow_task_completed"),
    ]
    return [started, *tasks, scheduled, timer]
