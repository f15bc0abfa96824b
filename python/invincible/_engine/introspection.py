"""Queries that every workflow answers: where its code waits, and what it offers."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from invincible._native import Payload
from invincible.common import RawValue

if TYPE_CHECKING:
    from .run import WorkflowRun

STACK_TRACE = "__stack_trace"
ENHANCED_STACK_TRACE = "__enhanced_stack_trace"
METADATA = "__temporal_workflow_metadata"


def stack_trace(run: WorkflowRun) -> str:
    """Where each task of the workflow waits."""
    return "\n\n".join(
        f"Stack for {task.get_name()} (most recent call last):\n" + "".join(traceback.format_list(frames))
        for task, frames in _stacks(run)
    )


def enhanced_stack_trace(run: WorkflowRun) -> RawValue:
    """The same with the sources, as ``temporal.api.sdk.v1.EnhancedStackTrace``."""
    from invincible import __version__

    stacks = []
    sources: dict[str, Any] = {}
    for _, frames in _stacks(run):
        stacks.append(
            {
                "locations": [
                    {
                        "filePath": frame.filename,
                        "line": frame.lineno,
                        "functionName": frame.name,
                        "internalCode": False,
                    }
                    for frame in frames
                ]
            }
        )
        for frame in frames:
            if frame.filename not in sources:
                sources[frame.filename] = [{"lineOffset": 0, "content": _source(frame.filename)}]
    return _message(
        "EnhancedStackTrace",
        {"sdk": {"name": "invincible", "version": __version__}, "sources": sources, "stacks": stacks},
    )


def metadata(run: WorkflowRun) -> RawValue:
    """Type, handlers and current details, as ``temporal.api.sdk.v1.WorkflowMetadata``."""
    messages = run.messages
    queries = [{"name": name} for name in BUILT_IN_QUERIES]
    return _message(
        "WorkflowMetadata",
        {
            "definition": {
                "type": run.init.workflow_type,
                "queryDefinitions": _described([*queries, *map(_handler, messages.queries)]),
                "signalDefinitions": _described(map(_handler, messages.signals)),
                "updateDefinitions": _described(map(_handler, messages.updates)),
            },
            "currentDetails": run.current_details,
        },
    )


BUILT_IN_QUERIES: Mapping[str, Callable[[WorkflowRun], Any]] = {
    STACK_TRACE: stack_trace,
    ENHANCED_STACK_TRACE: enhanced_stack_trace,
    METADATA: metadata,
}


def _handler(handler: Any) -> dict[str, str]:
    return {"name": handler.name or "", "description": handler.description or ""}


def _described(handlers: Any) -> list[dict[str, str]]:
    entries = [{key: value for key, value in handler.items() if value} for handler in handlers]
    return sorted(entries, key=lambda entry: entry.get("name", ""))


def _message(name: str, fields: Mapping[str, Any]) -> RawValue:
    # Written as protobuf's JSON by hand, so that no workflow needs protobuf to answer.
    encoding = {"encoding": b"json/protobuf", "messageType": f"temporal.api.sdk.v1.{name}".encode()}
    return RawValue(Payload(encoding, json.dumps(fields, separators=(",", ":")).encode()))


def _stacks(run: WorkflowRun) -> Sequence[tuple[asyncio.Task[Any], list[traceback.FrameSummary]]]:
    stacks = []
    for task in run.loop.unfinished_tasks():
        frames = [
            frame
            for frame in traceback.StackSummary.extract(_waiting_frames(task.get_coro()))
            if not frame.filename.startswith(_OWN_FILES)
        ]
        if frames:
            stacks.append((task, frames))
    return stacks


def _waiting_frames(coroutine: Any) -> Any:
    """The frames of a suspended coroutine, from the outermost to the one that waits."""
    while coroutine is not None:
        frame: FrameType | None = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is None:
            return
        yield frame, frame.f_lineno
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)


def _source(filename: str) -> str:
    try:
        with open(filename, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


_PACKAGE = __file__.rpartition("_engine")[0]
_OWN_FILES = f"{_PACKAGE}_engine", f"{_PACKAGE}workflow/_interception"
