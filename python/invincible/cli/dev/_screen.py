"""The texts of ``invincible dev`` about what it has found."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._output import clean
from ._examples import start_command

# Of how many workflows the screen shows how to start them.
_STARTED = 3


@dataclass(frozen=True)
class Where:
    """The server, for people.

    Args:
        address: Where it is.
        ui: Its Web UI, if there is one.
        keeps: Where it keeps everything, in words.
        options: What commands must be given to find it, and to read what is in it.
    """

    address: str
    ui: str | None
    keeps: str
    options: Sequence[str]


@dataclass(frozen=True)
class Content:
    """What a state of the code has.

    Args:
        task_queue: Where it polls.
        workflows: Example arguments of each by its name; ``None`` where none can be told.
        activities: Names.
        nexus_services: Names.
        findings: What the static pass has found.
        notes: What could not be used.
    """

    task_queue: str = ""
    workflows: Mapping[str, Sequence[str] | None] | None = None
    activities: Sequence[str] = ()
    nexus_services: Sequence[str] = ()
    findings: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def names(self) -> set[str]:
        """Of everything that tasks can ask for."""
        return {*(self.workflows or ()), *self.activities, *self.nexus_services}

    def counted(self) -> str:
        """How much there is."""
        parts = [_count(len(self.workflows or ()), "workflow", "workflows")]
        parts.append(_count(len(self.activities), "activity", "activities"))
        if self.nexus_services:
            parts.append(_count(len(self.nexus_services), "Nexus service", "Nexus services"))
        return ", ".join(parts)

    def changed_from(self, before: Content | None) -> str:
        """What is there that was not, and the other way round: `` (+ ship, - send)``; empty for nothing."""
        if before is None:
            return ""
        told = [f"+ {name}" for name in sorted(self.names - before.names)]
        told += [f"- {name}" for name in sorted(before.names - self.names)]
        return f" ({', '.join(told)})" if told else ""

    def fields(self) -> dict[str, Any]:
        """For programs."""
        return {
            "task_queue": self.task_queue,
            "workflows": sorted(self.workflows or ()),
            "activities": list(self.activities),
            "nexus_services": list(self.nexus_services),
        }


def start_screen(version: str, where: Where, content: Content, bold: Callable[[str], str]) -> str:
    """What stands on the terminal when the first worker polls."""
    rows = [("server", f"{where.address} ({where.keeps})")]
    if where.ui is not None:
        rows.append(("Web UI", where.ui))
    rows.append(("task queue", content.task_queue))
    for name, values in (
        ("workflows", list(content.workflows or ())),
        ("activities", content.activities),
        ("Nexus services", content.nexus_services),
    ):
        if values:
            rows.append((name, ", ".join(values)))
    width = max(len(name) for name, _ in rows)
    lines = ["", bold(f"invincible dev {version}"), ""]
    lines += [f"  {name:<{width}}  {clean(value)}" for name, value in rows]
    commands = start_commands(where, content)
    if commands:
        lines += ["", "  start a workflow from another terminal:", ""]
        lines += [f"    {bold(clean(command))}" for command in commands]
    return "\n".join([*lines, ""])


def start_commands(where: Where, content: Content) -> list[str]:
    """How to start the first workflows."""
    known = [(name, arguments) for name, arguments in (content.workflows or {}).items() if arguments is not None]
    return [start_command(name, content.task_queue, arguments, where.options) for name, arguments in known[:_STARTED]]


def misfit_help(workflow_id: str, options: Sequence[str]) -> str:
    """What to do about a workflow whose history does not fit its code any more."""
    command = shlex.join(["invincible", "workflow", "reset", workflow_id, "--to", "first", *options])
    return (
        "The edit does not fit what this workflow has done already. It waits; nothing is lost. Either\n"
        "- undo the edit, or\n"
        '- keep the old way for old runs: if workflow.patched("new-way"): ... else: ..., or\n'
        f"- have it begin again:\n    {command}"
    )


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
