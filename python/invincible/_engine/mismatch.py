"""What Core's messages about histories that do not fit mean for the workflow code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .command_kinds import CommandKind

_EVENT = r"HistoryEvent\(id: (?P<id>\d+), (?P<type>\w+)\)"
_UNHANDLED = re.compile(rf"(?P<machine>[A-Z][A-Za-z ]*?) (?:does not|cannot) handle (?:this event: )?{_EVENT}")
_NO_COMMAND = re.compile(rf"No command scheduled for event {_EVENT}")
_NO_BEGIN = re.compile(rf"could not find a matching command for it: {_EVENT}")
_OTHER_ATTRIBUTE = re.compile(
    r"(?P<what>(?:Activity|Child workflow) (?:id|type)) of (?:scheduled event|recorded marker) '(?P<recorded>.*?)' "
    r"does not match .*? of (?P<local>local )?(?:activity )?command '(?P<issued>.*?)'$"
)
_NO_PATCH = re.compile(r"Non-deprecated patch marker encountered for change (?P<patch>.*), but there is")
_OTHER_PATCH = re.compile(r"Change id (?P<recorded>.*) does not match expected id (?P<issued>.*)")
_NO_OPERATION = re.compile(r"Missing associated machine for (?P<what>\w+)\((?P<seq>\d+)\)")
_INVALID = re.compile(
    r"says the transition is invalid during event EventInfo \{ event_id: (?P<id>\d+), event_type: (?P<type>\w+)"
)

_NAMED: Mapping[str, tuple[str, str]] = {
    "Activity id": ("ScheduleActivity", "activity_id"),
    "Activity type": ("ScheduleActivity", "activity_type"),
    "Child workflow id": ("StartChildWorkflowExecution", "workflow_id"),
    "Child workflow type": ("StartChildWorkflowExecution", "workflow_type"),
}
_OPERATIONS: Mapping[str, str] = {
    "Timer": "timer",
    "Activity": "activity",
    "LocalActivity": "local activity",
    "ChildWorkflowStart": "child workflow",
    "SignalExternal": "signal to another workflow",
    "CancelExternal": "cancellation of another workflow",
    "NexusOperation": "Nexus operation",
}


@dataclass(frozen=True)
class IssuedCommand:
    """A command of the workflow code, and the place that asked for it, where it is known."""

    name: str
    kind: CommandKind
    attributes: Mapping[str, Any]
    site: str | None

    def __str__(self) -> str:
        return f"{self.kind.words.format(**self.attributes)} ({self.name})"

    @property
    def location(self) -> str:
        """The place, as the end of a sentence."""
        return f": {self.site}" if self.site is not None else ""


def explanation(
    core_message: str, history_length: int, commands: Sequence[IssuedCommand], earlier: Sequence[IssuedCommand]
) -> str:
    """Say in terms of the workflow code what Core's message means; that message comes last.

    Args:
        core_message: The reason that Core gave.
        history_length: Events before the commands of the workflow task: the id of its start.
        commands: The commands of this task.
        earlier: Commands of tasks before it.
    """
    words = core_words(core_message)
    return _Mismatch(history_length, commands, earlier).explained(words)


def core_words(message: str) -> str:
    """The sentence in a message that is the debug print of a failure, without the contents of events."""
    nested = re.search(r'message: "((?:[^"\\]|\\.)*)"', message)
    if nested is not None:
        message = re.sub(r"\\(.)", lambda match: " " if match[1] == "n" else match[1], nested[1])
    return re.sub(
        r"HistoryEvent \{ event_id: (\d+),.*?event_type: (\w+).*", r"HistoryEvent(id: \1, \2)", message, flags=re.DOTALL
    )


class _Mismatch:
    def __init__(
        self, history_length: int, commands: Sequence[IssuedCommand], earlier: Sequence[IssuedCommand]
    ) -> None:
        self._first_event = history_length + 2  # the event between is the completion of the task
        self._commands = commands
        self._earlier = earlier
        self._recorded = recorded_commands(commands, earlier)

    def explained(self, words: str) -> str:
        reason = self._reason(words)
        return f"{words}{self._last_command}" if reason is None else f"{reason}\n{words}"

    def _reason(self, words: str) -> str | None:
        if match := _UNHANDLED.search(words):
            return self._met_another_command(int(match["id"]), match["type"], match["machine"])
        if match := _NO_COMMAND.search(words):
            return f"{_event(match)}, but the workflow code did nothing more in this task{self._last_command}"
        if match := _NO_BEGIN.search(words):
            return f"{_event(match)}, but the workflow code has not done what it belongs to{self._last_command}"
        if match := _OTHER_ATTRIBUTE.search(words):
            command, attribute = _NAMED[match["what"]]
            if match["local"]:
                command = "ScheduleLocalActivity"
            return self._another_attribute(command, attribute, match["recorded"], match["issued"])
        if match := _NO_PATCH.search(words):
            patch = match["patch"]
            return (
                f"the history has patch {patch!r} at event {self._first_event} or soon after, but the workflow code "
                f"does not ask for it there{self._last_command}. Once a patch is in histories, "
                f"workflow.deprecate_patch({patch!r}) must stay in its place until these runs have ended. If this code "
                "is older than the patch, the run goes on once a worker with the patch takes it up again"
            )
        if match := _OTHER_PATCH.search(words):
            return self._another_attribute("SetPatchMarker", "patch_id", match["recorded"], match["issued"])
        if match := _NO_OPERATION.search(words):
            operation = f"{_OPERATIONS.get(match['what'], match['what'])} {match['seq']}"
            return f"the history has {operation}, but the workflow code has none{self._last_command}"
        if match := _INVALID.search(words):
            return f"{_event(match)}, which cannot follow what the workflow code did{self._last_command}"
        if "Nondeterminism error" in words:
            return f"the history does not fit what the workflow code did{self._last_command}"
        return None

    def _met_another_command(self, event_id: int, event_type: str, machine: str) -> str:
        event = f"event {event_id} of the history is {event_type}, but the workflow code"
        index = max(event_id - self._first_event, 0)
        # Some events cannot be counted, those of local activities say: the machine tells the right one of the next.
        for command in (*self._recorded[index:], *self._recorded[index - 1 :: -1], *self._commands):
            if command.kind.machine == machine:
                return f"{event} {command} there{command.location}"
        for command in reversed(self._earlier):
            if command.kind.machine == machine:
                return f"{event} had {command} before, of which the history has nothing{command.location}"
        return f"{event} did something else there"

    def _another_attribute(self, name: str, attribute: str, recorded: str, issued: str) -> str:
        found = [each for each in (*self._commands, *self._earlier) if each.name == name]
        found = [each for each in found if each.attributes[attribute] == issued]
        what = attribute.replace("_", " ")
        if not found:
            return f"the history has {what} {recorded!r}, but the workflow code has {issued!r} there"
        event = "the history"
        if found[0] in self._recorded:
            event = f"event {self._first_event + self._recorded.index(found[0])} of the history"
        location = "".join((found[0].location, *(f", or {each.site}" for each in found[1:3] if each.site is not None)))
        return f"{event} has {what} {recorded!r}, but the workflow code {found[0]} there{location}"

    @property
    def _last_command(self) -> str:
        commands = self._commands or self._earlier
        return f"; before, it {commands[-1]}{commands[-1].location}" if commands else ""


def _event(match: re.Match[str]) -> str:
    return f"event {match['id']} of the history is {match['type']}"


def recorded_commands(
    commands: Sequence[IssuedCommand], earlier: Sequence[IssuedCommand] = ()
) -> Sequence[IssuedCommand]:
    """The commands of a task that make events, in the order of these events.

    What is cancelled in the task that asks for it makes none, nor does its cancellation; a patch makes two, the marker
    and a search attribute, when it is asked for first.
    """
    recorded: list[IssuedCommand] = []
    for command in commands:
        kind = command.kind
        if kind.cancels is not None:
            target = _cancelled(command, commands, earlier)
            if target is not None and target in recorded:
                recorded.remove(target)
                continue
            if target is not None and target.attributes.get("cancellation_type") == target.kind.abandon is not None:
                continue
        if command.name == "SetPatchMarker":
            if not any(
                each.name == command.name and each.attributes == command.attributes for each in (*recorded, *earlier)
            ):
                recorded += (command, command)
        elif kind.event is not None:
            recorded.append(command)
    return recorded


def _cancelled(
    command: IssuedCommand, commands: Sequence[IssuedCommand], earlier: Sequence[IssuedCommand]
) -> IssuedCommand | None:
    number = command.attributes[command.kind.attributes[0]]
    for each in (*commands, *earlier):
        if each.name == command.kind.cancels and each.attributes["seq"] == number:
            return each
    return None
