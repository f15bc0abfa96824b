"""References to names of others: into Python's own documentation by a rule, without asking the network."""

from __future__ import annotations

import builtins
import sys

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata

LIBRARY = "https://docs.python.org/3/library"
# Packages whose types our signatures name. Nothing is linked.
OTHERS = {"click", "google", "nexusrpc", "opentelemetry", "pydantic", "starlette", "typing_extensions"}
# Where what is defined in one place is described in another.
ASYNCIO = {"CancelledError": "asyncio-exceptions", "TimeoutError": "asyncio-exceptions", "Task": "asyncio-task"}
FUNDAMENTAL = {
    *("bool", "bytes", "bytearray", "complex", "dict", "float", "frozenset", "int", "list", "memoryview", "range"),
    *("set", "slice", "str", "tuple"),
}


def address(name: str) -> str | None:
    """Where Python's documentation has a name, or ``None`` if it is not one of Python's.

    ``""`` for those that it has somewhere else than the rule says.
    """
    module, _, rest = name.rpartition(".")
    if not module:
        if not hasattr(builtins, name):
            return None
        value = getattr(builtins, name)
        if isinstance(value, type) and issubclass(value, BaseException):
            return f"{LIBRARY}/exceptions.html#{name}"
        if name == "None":
            return f"{LIBRARY}/constants.html#{name}"
        return f"{LIBRARY}/{'stdtypes' if name in FUNDAMENTAL else 'functions'}.html#{name}"
    top = module.partition(".")[0]
    if top not in sys.stdlib_module_names:
        return "" if top in OTHERS else None
    if top == "asyncio":
        page = ASYNCIO.get(rest)
        return f"{LIBRARY}/{page}.html#asyncio.{rest}" if page else ""
    if "._" in f".{module}":
        return ""
    return f"{LIBRARY}/{module}.html#{name}"


def lead_out(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """Resolves a reference to a name of Python's; leaves the name of a known package as text."""
    if node.get("refdomain") != "py" or (found := address(node["reftarget"])) is None:
        return None
    if not found:
        return content
    return nodes.reference("", "", content, internal=False, refuri=found, reftitle=f"Python: {node['reftarget']}")


def setup(app: Sphinx) -> ExtensionMetadata:
    # After what knows our own names.
    app.connect("missing-reference", lead_out, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
