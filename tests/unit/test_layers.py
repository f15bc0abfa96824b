"""Imports inside the package point down the layers, and no two parts of one layer import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "invincible"
SOURCES = Path(__file__).parents[2] / "python" / PACKAGE

# From the bottom up. A part may import parts of lower layers, and parts of its own layer that do not import it.
LAYERS = (
    ("_lazy", "_native", "api"),
    ("common", "exceptions", "types"),
    ("_loop", "_meter", "_metric_buffer", "converter", "envconfig", "runtime", "service"),
    ("_engine",),
    ("activity", "nexus", "workflow"),
    ("client",),
    ("worker",),
    ("plugin",),
    ("testing",),
    ("cli", "contrib"),
    ("__main__",),
)
LAYER = {part: number for number, layer in enumerate(LAYERS) for part in layer}
# Each of these needs an extra of its own, so nothing may rely on them.
OPTIONAL = "contrib"
# Commands that run what an extra has, and say how to get it where it is not installed.
COMMANDS_OF_EXTRAS = {"cli/codec_server.py"}
# What may be imported from above by type checkers alone: `client()` of activities and Nexus handlers hands on what
# the worker gave them.
TYPES_FROM_ABOVE = {("activity", "client"), ("nexus", "client")}


class Import(NamedTuple):
    importer: str
    imported: str
    place: str
    for_types: bool


def part_of(path: Path, sources: Path) -> str:
    return path.relative_to(sources).parts[0].removesuffix(".pyi").removesuffix(".py")


def imported_modules(path: Path, sources: Path) -> Iterator[tuple[str, int, bool]]:
    """Full names of all modules, or names in modules, that a file imports anywhere, with the line, and whether only
    type checkers see it."""
    package = [PACKAGE, *path.relative_to(sources).parent.parts]
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for_types = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, node in for_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((f"{prefix}.{alias.name}", node.lineno, node in for_types) for alias in node.names)


def imports_between_parts(sources: Path) -> Iterator[Import]:
    for path in sorted([*sources.rglob("*.py"), *sources.rglob("*.pyi")]):
        importer = part_of(path, sources)
        if importer in ("__init__", "api"):
            continue
        for name, line, for_types in imported_modules(path, sources):
            package, _, rest = name.partition(".")
            imported = rest.split(".")[0]
            if package == PACKAGE and imported not in ("", "__version__", importer):
                yield Import(importer, imported, f"{path.relative_to(sources)}:{line}", for_types)


def violations(sources: Path) -> list[str]:
    imports = [
        item
        for item in imports_between_parts(sources)
        if not (item.for_types and (item.importer, item.imported) in TYPES_FROM_ABOVE)
    ]
    edges = {(item.importer, item.imported) for item in imports}
    found = []
    for importer, imported, place, _ in imports:
        what = f"{place}: {importer} imports {imported}"
        unknown = {importer, imported} - LAYER.keys()
        if unknown:
            found.append(f"{what}: no layer is named for {', '.join(sorted(unknown))}")
        elif imported == OPTIONAL and place.partition(":")[0] in COMMANDS_OF_EXTRAS:
            continue
        elif imported == OPTIONAL or LAYER[imported] > LAYER[importer]:
            found.append(f"{what}, which is above it")
        elif LAYER[imported] == LAYER[importer] and (imported, importer) in edges:
            found.append(f"{what}, which imports it in turn")
    return found


def test_imports_point_down() -> None:
    assert len(list(imports_between_parts(SOURCES))) > 10, "the package was not found"
    assert violations(SOURCES) == []


@pytest.mark.parametrize(
    ("path", "source", "message"),
    [
        (
            "_engine/loop.py",
            "from ..worker import Worker",
            "_engine/loop.py:1: _engine imports worker, which is above it",
        ),
        ("common.py", "import invincible.client", "common.py:1: common imports client, which is above it"),
        ("common.py", "def f():\n    from . import runtime", "common.py:2: common imports runtime, which is above it"),
        ("cli/dev.py", "from invincible.contrib import x", "cli/dev.py:1: cli imports contrib, which is above it"),
        ("odd.py", "from .common import x", "odd.py:1: odd imports common: no layer is named for odd"),
        (
            "activity/info.py",
            "from invincible.client import Client",
            "activity/info.py:1: activity imports client, which is above it",
        ),
        (
            "activity/info.py",
            "if TYPE_CHECKING:\n    from invincible.worker import Worker",
            "activity/info.py:2: activity imports worker, which is above it",
        ),
        (
            "worker/run.py",
            "from invincible.odd import x",
            "worker/run.py:1: worker imports odd: no layer is named for odd",
        ),
    ],
)
def test_an_import_that_points_up_is_found(tmp_path: Path, path: str, source: str, message: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(source)
    assert violations(tmp_path) == [message]


def test_imports_within_a_layer_must_not_form_a_circle(tmp_path: Path) -> None:
    (tmp_path / "workflow.py").write_text("from .activity import defn")
    assert violations(tmp_path) == []
    (tmp_path / "activity.py").write_text("from .workflow import now")
    assert len(violations(tmp_path)) == 2
