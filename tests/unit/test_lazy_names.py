"""Public names that are imported when they are first used, and what an import therefore costs."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import invincible
from invincible._lazy import lazy_names, load

PACKAGE = Path(invincible.__file__).parent
LAZY = [
    path
    for path in sorted([*PACKAGE.rglob("__init__.py"), PACKAGE / "runtime.py"])
    if "lazy_names(" in path.read_text(encoding="utf-8")
]


def module_of(path: Path) -> ModuleType:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def for_type_checkers(path: Path) -> dict[str, str]:
    """What type checkers are told: by name, the module that it comes from."""
    module = module_of(path)
    branch = next(
        node
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or alias.name: importlib.util.resolve_name(f"{'.' * node.level}{node.module}", module.__package__)
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_the_packages_are_found() -> None:
    assert {module_of(path).__name__ for path in LAZY} >= {
        f"invincible.{name}" for name in ("activity", "client", "common", "converter", "service", "worker", "workflow")
    }


@pytest.mark.parametrize("path", LAZY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_are_what_type_checkers_are_told(path: Path) -> None:
    module = module_of(path)
    homes = for_type_checkers(path)
    told = {name: getattr(importlib.import_module(home), name) for name, home in homes.items()}
    assert {name: getattr(module, name) for name in told} == told
    assert set(module.__all__) <= {*vars(module), *told}
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("path", LAZY, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_wrong_names_are_refused_as_by_any_module(path: Path) -> None:
    module = module_of(path)
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'wrong'"):
        _ = module.wrong


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("lazy_example")
    module.__package__ = ""
    monkeypatch.setitem(sys.modules, "lazy_example", module)
    module.__getattr__, module.__dir__ = lazy_names("lazy_example", {"json": "dumps loads"})  # type: ignore[method-assign]
    assert {"dumps", "loads"} <= set(dir(module))
    assert "dumps" not in vars(module)
    assert module.dumps is json.dumps
    assert vars(module)["dumps"] is json.dumps
    assert "loads" not in vars(module)
    module.__all__ = ["dumps", "loads"]  # type: ignore[attr-defined]
    load(["lazy_example"])
    assert vars(module)["loads"] is json.loads


def loaded_by(code: str) -> list[str]:
    """The modules that a program has imported at its end, beyond those of an empty one."""
    program = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


IMPORTS = "import invincible.activity, invincible.client, invincible.worker, invincible.workflow"
DEFINITIONS = """
from invincible import activity, workflow
from invincible.client import Client
from invincible.worker import Worker
@activity.defn
async def greet(name: str) -> str: ...
@workflow.defn
class Greeting:
    @workflow.run
    async def run(self, name: str) -> str: ...
"""


def test_importing_the_public_modules_loads_little() -> None:
    loaded = loaded_by(IMPORTS)
    assert [name for name in loaded if name.partition(".")[0] in ("asyncio", "ssl", "logging", "inspect")] == []
    # Each of the packages, and the standard library's typing; 35 on CPython 3.11.
    assert len(loaded) <= 45, sorted(loaded)


def test_a_program_loads_what_it_uses() -> None:
    ours = [name for name in loaded_by(DEFINITIONS) if name.startswith("invincible")]
    # Eighty. A program that needs more pays for all that it imports.
    assert len(ours) <= 82, sorted(ours)
    unused = ("_schedules.s", "_versions.d", "_nexus.d", "inputs", "worker._local", "_engine.run", "converter._storage")
    assert [name for name in ours for part in unused if part in name] == []


def test_workflow_code_imports_nothing_by_naming_things() -> None:
    code = """
from types import SimpleNamespace
from invincible import activity, common, workflow
from invincible.worker._workflows import WorkflowThread
WorkflowThread(None, {}, SimpleNamespace(guarded=False, unsandboxed_guarded=False))
before = set(sys.modules)
for package in (activity, common, workflow):
    for name in package.__all__:
        getattr(package, name)
"""
    assert loaded_by(code) == []
