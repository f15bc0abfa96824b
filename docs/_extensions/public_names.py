"""The reference: a directive that documents public names, and a check that none is missing.

``public-names`` takes a module and names of it, one in a line::

    ```{public-names} invincible.workflow
    defn
    sleep
    ```

Each is documented by autodoc as what it is. What other modules of ours call by the name of the private module that
defines it is led to its public name.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, ParamSpec, TypeVar, get_origin

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from typing_extensions import is_typeddict

from public_modules import modules, names

_log = logging.getLogger(__name__)


@cache
def public_places() -> dict[str, str]:
    """Public names by where they are defined."""
    places: dict[str, str] = {}
    for module in modules():
        for name in names(module):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                # The first is the lower layer, or the only one.
                places.setdefault(f"{value.__module__}.{value.__qualname__}", f"{module.__name__}.{name}")
    return places


def is_private(value: type) -> bool:
    """Whether a class of ours is a part of others only."""
    return (
        value.__module__.startswith("invincible.") and f"{value.__module__}.{value.__qualname__}" not in public_places()
    )


def _class_options(value: type) -> list[str]:
    public = [base for base in value.__mro__[1:] if not is_private(base)]
    options = ["show-inheritance:"] if public != [object] else []
    if issubclass(value, enum.Enum) or is_typeddict(value):
        options.append("undoc-members:")
    elif any(map(is_private, value.__mro__[1:])):
        # What private bases bring is documented as the class's own.
        options.append(f"inherited-members: {','.join(base.__name__ for base in public)}")
    return options


def _directive(name: str, value: Any, with_members: bool) -> list[str]:
    """The directive of autodoc that documents something."""
    if inspect.isclass(value) and not hasattr(value, "__origin__"):
        home = public_places()[f"{value.__module__}.{value.__qualname__}"]
        kind = "exception" if issubclass(value, BaseException) else "class"
        if home != name:
            return [f".. py:{kind}:: {name.rpartition('.')[2]}", "", f"   Another name of :class:`~{home}`."]
        options = _class_options(value) if with_members else ["no-members:"]
        return [f".. auto{kind}:: {name}", *(f"   :{option}" for option in options)]
    if inspect.isroutine(value):
        return [f".. autofunction:: {name}"]
    return [f".. autodata:: {name}", *(["   :no-value:"] if not isinstance(value, int) else [])]


class PublicNames(SphinxDirective):
    """Documents the names that it lists."""

    has_content = True
    required_arguments = 1
    option_spec: ClassVar[dict[str, Callable[[str], Any]] | None] = {"no-members": directives.flag}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        module = importlib.import_module(name)
        lines = ["```{eval-rst}", f".. currentmodule:: {name}", ""]
        for each in filter(None, map(str.strip, self.content)):
            if not hasattr(module, each):
                raise self.error(f"{name} has no {each}")
            lines += [*_directive(f"{name}.{each}", getattr(module, each), "no-members" not in self.options), ""]
        return self.parse_text_to_nodes("\n".join([*lines, "```"]))


def lead_to_public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Resolves a reference to where something is defined."""
    if node.get("refdomain") != "py":
        return None
    place, rest = node["reftarget"], ""
    while place not in public_places():
        place, dot, last = place.rpartition(".")
        if not dot:
            return None
        rest = f".{last}{rest}"
    target = public_places()[place] + rest
    if target == node["reftarget"]:
        return None
    domain = env.domains.python_domain
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], target, node, content)


def leave_private_names(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.TextElement | None:
    """Shows what annotations name and is no part of the reference as text: messages, type variables."""
    target = node["reftarget"]
    if node.get("refdomain") != "py" or not target.startswith("invincible."):
        return None
    if re.match(r"invincible\.(api\.|(\w+\.)*_)", target):
        return content
    module, _, name = target.rpartition(".")
    return content if isinstance(getattr(sys.modules.get(module), name, None), TypeVar | ParamSpec) else None


def leave_private_bases_out(app: Sphinx, name: str, value: type, options: Any, bases: list[Any]) -> None:
    """Names the public bases that a class has through private ones."""
    public = []
    for base in bases:
        origin = get_origin(base) or base
        if inspect.isclass(origin) and is_private(origin):
            base = next(each for each in origin.__mro__ if not is_private(each))
        if base is not object or len(bases) == 1:
            public.append(base)
    bases[:] = list(dict.fromkeys(public)) or [object]


def check_nothing_is_missing(app: Sphinx, env: BuildEnvironment) -> None:
    """Warns of public names that no page documents."""
    documented = env.domains.python_domain.objects
    for module in modules():
        for name in names(module):
            if f"{module.__name__}.{name}" not in documented:
                _log.warning("docs/reference does not have %s.%s", module.__name__, name)


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("public-names", PublicNames)
    app.connect("autodoc-process-bases", leave_private_bases_out)
    app.connect("missing-reference", lead_to_public_name)
    app.connect("missing-reference", leave_private_names, priority=800)
    app.connect("env-check-consistency", check_nothing_is_missing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
