"""The reference before it is built: it lists every public name, and each says what it is.

The build, ``make docs``, checks the rest: references, links, navigation, and that what is listed is documented.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter
from itertools import pairwise
from types import ModuleType
from typing import ParamSpec, TypeVar

import pytest

from public_modules import modules, names
from tests.support.guides import ROOT

DOCS = ROOT / "docs"
_LISTED = re.compile(r"^```\{public-names\} (\S+)\n(?::[\w-]+:\n\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)
MODULES = {module.__name__: module for module in modules()}


@pytest.fixture(scope="module")
def listed() -> Counter[str]:
    """The names in the pages of the reference."""
    blocks = (block for page in (DOCS / "reference").glob("*.md") for block in _LISTED.findall(page.read_text("utf-8")))
    return Counter(f"{module}.{name}" for module, body in blocks for name in body.split())


@pytest.mark.parametrize("module", MODULES)
def test_the_reference_has_every_public_name_once(module: str, listed: Counter[str]) -> None:
    here = {name: count for name, count in listed.items() if name.rpartition(".")[0] == module}
    assert here == {f"{module}.{name}": 1 for name in names(MODULES[module])}


@pytest.mark.parametrize("module", MODULES)
def test_public_names_say_what_they_are(module: str) -> None:
    assert MODULES[module].__doc__
    assert [name for name in names(MODULES[module]) if not described(MODULES[module], name)] == []


def described(module: ModuleType, name: str) -> bool:
    """Whether something has a docstring of its own, or needs none."""
    value = getattr(module, name)
    if inspect.isclass(value):
        return bool(vars(value).get("__doc__"))
    if inspect.isroutine(value):
        return bool(value.__doc__)
    return isinstance(value, TypeVar | ParamSpec) or any(text_below(each, name) for each in list(sys.modules.values()))


def text_below(module: ModuleType, name: str) -> bool:
    """Whether a module of ours assigns a name and says in the line below what it is."""
    if not module.__name__.startswith("invincible.") or not hasattr(module, name):
        return False
    body = ast.parse(inspect.getsource(module)).body
    for statement, below in pairwise(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    return False
