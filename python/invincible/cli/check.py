"""`invincible check`: the static pass over the workflows in source files."""

from __future__ import annotations

import json
import sys
import tokenize
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

import click

from invincible._engine.guard.static import Finding, Report, check_source

# Folders whose sources are not the project's own.
_SKIPPED = frozenset({"__pycache__", "build", "dist", "node_modules", "site-packages"})


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array of objects with path, line and message.")
def command(paths: Sequence[str], as_json: bool) -> None:
    """Find workflow code that a replay may not repeat.

    PATH is a file, a folder, or the name of a module. Nothing is imported or run. Prints file:line: message; lines
    with the comment "# invincible: allow" are left out. The exit code is 0 if there is nothing to report, 1 if there
    is, 2 for a PATH that does not exist.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files(path)))
    findings: list[Finding] = []
    workflows = 0
    for file in files:
        report = _check(file)
        findings += report.findings
        workflows += report.workflows
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
    checked = f"{_count(workflows, 'workflow')} in {_count(len(files), 'file')}"
    click.echo(f"{_count(len(findings), 'finding') if findings else 'no findings'}: {checked}", err=True)
    sys.exit(1 if findings else 0)


def _files(path: str) -> Iterator[Path]:
    """The source files that a command line argument stands for, in a stable order."""
    given = Path(path)
    if given.is_dir():
        yield from _files_below(given)
    elif given.exists():
        yield given
    else:
        origin = _module_source(path)
        if origin is None:
            raise click.BadParameter(f"{path!r} is no file, folder or module", param_hint="PATH")
        if origin.name == "__init__.py":
            yield from _files_below(origin.parent)
        else:
            yield origin


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir():
            if not (entry / "pyvenv.cfg").exists():
                yield from _files_below(entry)
        elif entry.suffix == ".py":
            yield entry


def _module_source(name: str) -> Path | None:
    """The source of a module, found as an import would find it, but without importing the packages around it."""
    search: Sequence[str] | None = ["", *sys.path]
    spec = None
    parts = name.split(".")
    for number in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:number]), search) if search and all(parts) else None
        search = list(spec.submodule_search_locations or ()) if spec is not None else None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def _check(file: Path) -> Report:
    try:
        with tokenize.open(file) as source:
            text = source.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return Report([Finding(str(file), 1, f"cannot be read: {reason}")], 0)
    return check_source(text, str(file))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
