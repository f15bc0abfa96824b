"""What an SDK's surface lacks of another's, line by line: `client.Client.start_workflow(stack_level): missing`.

What it has beyond the other's is no difference, as long as calls written for the other work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.parity.surface import ANY_DEFAULT, Surface


def differences(theirs: dict[str, Surface | None], ours: dict[str, Surface | None]) -> Iterator[str]:
    """What is missing or different here."""
    for module, names in theirs.items():
        found = ours[module]
        assert names is not None, f"temporalio has no module {module}"
        if found is None:
            yield f"{module}: missing"
            continue
        for name, described in names.items():
            yield from _of_name(f"{module}.{name}", described, found.get(name))


def _of_name(place: str, theirs: Surface, ours: Surface | None) -> Iterator[str]:
    if ours is None:
        yield f"{place}: missing"
        return
    for aspect in ("kind", "asynchronous"):
        if theirs.get(aspect) != ours.get(aspect):
            yield f"{place}: {aspect} {theirs.get(aspect)}, here {ours.get(aspect)}"
    for name, value in theirs.get("values", {}).items():
        if (here := ours.get("values", {}).get(name)) != value:
            yield f"{place}.{name}: value {value}, here {here}"
    yield from (f"{place}.{name}: missing" for name in theirs.get("keys", ()) if name not in ours.get("keys", ()))
    yield from (f"{place}.{name}: no field" for name in theirs.get("fields", ()) if name not in ours.get("fields", ()))
    yield from _of_parameters(place, theirs.get("parameters"), ours.get("parameters"))
    for name, member in theirs.get("members", {}).items():
        yield from _of_name(f"{place}.{name}", member, ours.get("members", {}).get(name))


def _of_parameters(place: str, theirs: list[Any] | None, ours: list[Any] | None) -> Iterator[str]:
    if theirs is None or ours is None:
        return
    here = {name: (kind, default) for name, kind, default in ours}
    there = {name for name, _, _ in theirs}
    for name, kind, default in theirs:
        if name.startswith("_"):
            continue
        if name not in here:
            yield f"{place}({name}): missing"
            continue
        our_kind, our_default = here[name]
        if kind != our_kind and our_kind != "POSITIONAL_OR_KEYWORD":
            yield f"{place}({name}): {kind}, here {our_kind}"
        if default not in (None, our_default) and ANY_DEFAULT not in (default, our_default):
            yield f"{place}({name}): default {default}, here {our_default}"
    for name, (kind, default) in here.items():
        if name not in there and default is None and not kind.startswith("VAR_"):
            yield f"{place}({name}): required, not there"
    shared = [name for name, _, _ in theirs if name in here]
    for name, our_name in zip(shared, (name for name in here if name in there), strict=True):
        if name != our_name and not here[name][0].startswith("KEYWORD"):
            yield f"{place}({name}): {our_name} stands there here"
            break
