"""How Sphinx builds the documentation: ``make docs``.

The sources are the whole repository's pages, so that a link from one to another is the same on a code host and here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import invincible

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "invincible"
author = "The invincible authors"
copyright = author
version = release = invincible.__version__

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "docs/**",
    "examples/README.md",
    "examples/*/README.md",
    "server/README.md",
]
# Those that hold no pages: looking through them takes longer than the build. And parts of other pages.
exclude_patterns = [
    ".*",
    "build",
    "core-bridge",
    "dist",
    "docs/_*",
    "docs/pictures",
    "protos",
    "python",
    "server/*/**",
    "target",
    "tests",
    "tools",
]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
    "public_names",
    "foreign_names",
    "docstrings",
    "commands",
]

# A reference that leads nowhere is a mistake.
nitpicky = True
# Names of OpenTelemetry, whose own types cannot be evaluated, and a type variable.
_UNRESOLVED = ("AnyValue", "Attributes", "Context", "Meter", "P", "SpanKind", "Tracer")
nitpick_ignore = [("py:class", name) for name in _UNRESOLVED]

# Pages and help say `--option` and "text" as they are to be typed.
smartquotes = False

myst_enable_extensions = ["attrs_block", "colon_fence", "deflist"]
# Anchors as code hosts make them.
myst_heading_anchors = 4

autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 100
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
add_module_names = False

copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"invincible {release}"
html_static_path = ["_static"]
html_css_files = ["invincible.css"]
html_copy_source = False
html_show_sphinx = False
html_additional_pages = {"index": "redirect.html"}
templates_path = ["_templates"]
html_theme_options = {"navigation_with_keys": True}
