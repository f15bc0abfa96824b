"""What Sphinx needs help with to read our docstrings and annotations."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from contextlib import suppress
from types import UnionType
from typing import Any, get_origin, get_type_hints

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import ExtensionMetadata, restify

from public_names import is_private, public_places


def mark_examples(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Makes the body of ``Example:`` a block of code."""
    marked: list[str] = []
    depth = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if depth is not None and line and indent <= depth:
            depth = None
        if re.fullmatch(r" *Example::?", line):
            depth = indent
            marked += [f"{' ' * indent}.. rubric:: Example", "", f"{' ' * indent}.. code-block:: python", ""]
        else:
            marked.append(line)
    lines[:] = marked


def describe_data(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Describes data by the text below its assignment, wherever that is, and not by its type's docstring."""
    if what != "data":
        return
    attribute = name.rpartition(".")[2]
    ours = [module for module in sys.modules.values() if module.__name__.startswith("invincible.")]
    makers = [module.__name__ for module in ours if vars(module).get(attribute) is value]
    texts = (ModuleAnalyzer.for_module(maker).find_attr_docs().get(("", attribute)) for maker in makers)
    lines[:] = next(filter(None, texts), [])
    # Of other aliases, autodoc says it itself.
    if isinstance(value, UnionType):
        lines += ["", f"alias of {restify(value, 'smart')}"]


def look_for_no_types() -> None:
    """Has napoleon take what stands before a colon for words, where it looks for a type: annotations have the types.

    Properties are read as methods are: there it would look for nothing else.
    """
    parse = GoogleDocstring._parse

    def parse_sections(self: GoogleDocstring) -> None:
        if self._what in {"attribute", "data", "property"}:
            self._what = "method"
        parse(self)

    def without_type(self: GoogleDocstring, preprocess_types: bool = False) -> list[tuple[str, str, list[str]]]:
        return [("", "", self._dedent(self._consume_to_next_section()))]

    GoogleDocstring._parse = parse_sections  # type: ignore[method-assign]
    GoogleDocstring._consume_returns_section = without_type  # type: ignore[method-assign]


def leave_overloads_out() -> None:
    """Has autodoc show the implementation's signature, which has every option, in place of up to nine overloads."""
    analyze = ModuleAnalyzer.analyze

    def without_overloads(self: ModuleAnalyzer) -> None:
        analyze(self)
        self.overloads = {}

    ModuleAnalyzer.analyze = without_overloads  # type: ignore[method-assign]


def import_what_annotations_name(app: Sphinx) -> None:
    """Runs what stands under ``if TYPE_CHECKING:`` in each module, so that annotations can be evaluated."""
    public_places()
    for name, module in list(sys.modules.items()):
        if not name.startswith("invincible.") or name.startswith("invincible.api") or not inspect.getsourcefile(module):
            continue
        for statement in ast.parse(inspect.getsource(module)).body:
            if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
                # A package is not installed, or a class is generic for type checkers only.
                with suppress(ImportError, TypeError):
                    exec(compile(ast.Module(statement.body, []), name, "exec"), vars(module))


def show_defaults(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Shows defaults that have no name as ``...``, which can be parsed."""
    return signature and re.sub(r"<(factory|object object)>", "...", signature), returns


def leave_private_constructors_out(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str, None] | None:
    """Shows no parameters of a class whose objects only the package can make: some are of private types."""
    if what != "class":
        return None
    with suppress(NameError, TypeError):
        types = [get_origin(hint) or hint for hint in get_type_hints(value.__init__).values()]
        if any(inspect.isclass(each) and is_private(each) for each in types):
            return "", None
    return None


def look_names_up_exactly(app: Sphinx, doctree: nodes.document) -> None:
    """Has ``type`` in an annotation be the builtin: where the mark is, Sphinx looks for all that ends in ``.type``."""
    for node in doctree.findall(pending_xref):
        if not node.get("refspecific", True) or node["reftarget"] == "type":
            node.attributes.pop("refspecific", None)


def draw_dashes(app: Sphinx, doctree: nodes.document) -> None:
    """Puts a dash between names and descriptions, where Sphinx has two hyphens."""
    for text in list(doctree.findall(nodes.Text)):
        if text == " -- ":
            text.parent.replace(text, nodes.Text(" \N{EN DASH} "))


def setup(app: Sphinx) -> ExtensionMetadata:
    # Before napoleon, which takes the sections of a docstring apart.
    app.connect("autodoc-process-docstring", mark_examples, priority=100)
    app.connect("autodoc-process-docstring", describe_data)
    app.connect("autodoc-process-signature", leave_private_constructors_out, priority=100)
    app.connect("autodoc-process-signature", show_defaults)
    app.connect("builder-inited", import_what_annotations_name)
    app.connect("doctree-read", look_names_up_exactly)
    app.connect("doctree-read", draw_dashes)
    leave_overloads_out()
    look_for_no_types()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
