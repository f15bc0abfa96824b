"""`invincible check`: the static pass over the workflows in source files."""

from __future__ import annotations

import json
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from invincible._engine.guard.static import Finding, Report, check_source

from ._sources import module_source, source_files


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
        yield from source_files(given)
    elif given.exists():
        yield given
    else:
        origin = module_source(path, Path.cwd())
        if origin is None:
            raise click.BadParameter(f"{path!r} is no file, folder or module", param_hint="PATH")
        if origin.name == "__init__.py":
            yield from source_files(origin.parent)
        else:
            yield origin


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
