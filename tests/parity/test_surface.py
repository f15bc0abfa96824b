"""The public surface of temporalio, name by name, parameter by parameter: what is not here is listed, and why."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.parity.differences import differences
from tests.parity.peer import peer_python
from tests.parity.surface import ANY_DEFAULT, MODULES, Surface, surface_of
from tests.support.environments import PEER, run

# What differs on purpose: a pattern for the lines of `differences`, and the reason.
DELIBERATE = {
    r"default \[\], here \(\)$": "a default that all calls share should be one that cannot change",
    r"\(stack_level\): missing$": "warnings find the caller's line by themselves",
    r"\(grpc_compression\): default <GzipGrpcCompression>, here <GrpcCompression>$": "both are GrpcCompression.GZIP",
    r"^nexus\.WorkflowRunOperationContext\(\w+\): (missing|required)": "the worker makes them",
    r"^client\.NexusClient\(\w+\): required": "Client.create_nexus_client makes them",
    r"^workflow\.(NexusClient|EventGroup)\(\w+\): required": "functions of the module make them",
    r"^workflow\.\w+Handle\(\w+\): (missing|required)": "functions of the module make them; they are not tasks",
    r"^workflow\.ContinueAsNewError\(\w+\): (missing|required)": "continue_as_new() makes it",
    r"^workflow\.LoggerAdapter\.log: missing$": "logging.LoggerAdapter's is used",
    r"^workflow\.UpdateMethodMultiParam\.validator: missing$": "what @update returns has it",
    r"^worker\.(\w+SlotInfo|Slot\w+Context)\(\w+\): (missing|required)": "the worker makes them",
    r"^worker\.Worker\(graceful_shutdown_timeout\): default": "without one, the runner of a program gives 30 seconds",
    r"\(workflow_runner\): default <SandboxedWorkflowRunner>": "modules are imported once, and guarded at run time",
    r"^worker\..*Runner\.(create_instance|prepare_workflow|set_worker_level_\w+): missing$": (
        "a runner only says whether workflows are guarded; it does not run them"
    ),
    r"^worker\.WorkflowInstance(Details)?: missing$": "runners do not run workflows, and these are protobuf throughout",
    r"^worker\.workflow_sandbox\.SandboxMatcher\.(access_matcher|match_access): missing$": (
        "modules and their members are not imported anew, so that no access to them is matched"
    ),
}

# What later work brings: patterns of names by module, none for all of it. The aim is to have nothing here.
NOT_THERE_YET: dict[str, str] = {}


@pytest.fixture(scope="module")
def theirs() -> dict[str, Surface | None]:
    printed = run([str(peer_python()), "-m", "tests.parity.surface", PEER], f"cannot read the surface of {PEER}")
    surface: dict[str, Surface | None] = json.loads(printed)
    return surface


@pytest.fixture(scope="module")
def found(theirs: dict[str, Surface | None]) -> list[str]:
    return [*differences(theirs, surface_of("invincible", with_imported=True))]


def patterns() -> list[str]:
    later = [
        f"^{re.escape(module)}{name and '[.]' + name}: missing$"
        for module, names in NOT_THERE_YET.items()
        for name in names.split() or [""]
    ]
    return [*DELIBERATE, *later]


def test_every_difference_is_listed(found: list[str]) -> None:
    unlisted = [line for line in found if not any(re.search(pattern, line) for pattern in patterns())]
    assert not unlisted, "\n".join(unlisted)


def test_every_entry_is_still_true(found: list[str]) -> None:
    untrue = [pattern for pattern in patterns() if not any(re.search(pattern, line) for line in found)]
    assert not untrue, "\n".join(untrue)


def test_the_surface_was_read(theirs: dict[str, Surface | None]) -> None:
    assert sorted(theirs) == sorted(MODULES)
    client, common = theirs["client"], theirs["common"]
    assert client is not None
    assert common is not None
    assert "DataConverter" not in client
    assert ["self", "POSITIONAL_OR_KEYWORD", None] in client["Client"]["members"]["start_workflow"]["parameters"]
    assert common["RetryPolicy"]["fields"][0] == "initial_interval"
    assert common["WorkflowIDReusePolicy"]["values"]["REJECT_DUPLICATE"] == "3"
    assert "target_host" in client["ClientConnectConfig"]["keys"]


def function(*parameters: tuple[str, str, str | None]) -> Surface:
    return {"kind": "function", "asynchronous": False, "parameters": [*parameters]}


A, B, C = ((name, "POSITIONAL_OR_KEYWORD", None) for name in "abc")
NAMED = ("a", "KEYWORD_ONLY", "1")


@pytest.mark.parametrize(
    ("theirs", "ours", "lines"),
    [
        (function(A, B), function(A, B), []),
        (function(A, B), function(A), ["m.x(b): missing"]),
        (function(A, B), function(B, A), ["m.x(a): b stands there here"]),
        (function(A), function(A, B), ["m.x(b): required, not there"]),
        (function(A), function(A, ("b", "POSITIONAL_OR_KEYWORD", "1")), []),
        (function(A), function(("a", "POSITIONAL_OR_KEYWORD", "None")), []),
        (function(NAMED), function(("a", "KEYWORD_ONLY", "2")), ["m.x(a): default 1, here 2"]),
        (function(NAMED), function(("a", "KEYWORD_ONLY", None)), ["m.x(a): default 1, here None"]),
        (function(NAMED), function(("a", "KEYWORD_ONLY", ANY_DEFAULT)), []),
        (function(A), function(("a", "KEYWORD_ONLY", None)), ["m.x(a): POSITIONAL_OR_KEYWORD, here KEYWORD_ONLY"]),
        (function(NAMED), function(("a", "POSITIONAL_OR_KEYWORD", "1")), []),
        (function(), {**function(), "asynchronous": True}, ["m.x: asynchronous False, here True"]),
        (function(), {"kind": "value"}, ["m.x: kind function, here value", "m.x: asynchronous False, here None"]),
        (
            {"kind": "enum", "values": {"A": "1", "B": "2"}},
            {"kind": "enum", "values": {"A": "3"}},
            ["m.x.A: value 1, here 3", "m.x.B: value 2, here None"],
        ),
        ({"kind": "typed dict", "keys": ["a"]}, {"kind": "typed dict", "keys": []}, ["m.x.a: missing"]),
        ({"kind": "class", "fields": ["a"]}, {"kind": "class"}, ["m.x.a: no field"]),
        ({"kind": "class", "members": {"y": function(A)}}, {"kind": "class"}, ["m.x.y: missing"]),
        (
            {"kind": "class", "members": {"y": function(A)}},
            {"kind": "class", "members": {"y": function()}},
            ["m.x.y(a): missing"],
        ),
    ],
)
def test_differences(theirs: Surface, ours: Surface, lines: list[str]) -> None:
    assert [*differences({"m": {"x": theirs}}, {"m": {"x": ours, "more": function()}})] == lines


def test_missing_names_and_modules() -> None:
    there: dict[str, Any] = {"m": {"x": function()}, "n": {"y": function()}}
    assert [*differences(there, {"m": {}, "n": None})] == ["m.x: missing", "n: missing"]
