"""The workflows that the command line names."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import click

from .._discovery import is_workflow
from .._project import CannotLoadError, load, locate


def named_workflow(reference: str) -> Any:
    """The workflow of ``MODULE:NAME``; the module may be given as a file.

    Raises:
        UsageError: There is none.
    """
    module_name, separator, name = reference.rpartition(":")
    if not separator:
        raise click.UsageError(f"--workflow takes MODULE:NAME, not {reference!r}")
    found: Any = _loaded(module_name)[0]
    for part in name.split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"there is no {name!r} in {module_name!r}")
        found = getattr(found, part)
    if not is_workflow(found):
        raise click.UsageError(f"{reference!r} is no workflow: decorate it with @workflow.defn")
    return found


def workflows_of(module_name: str) -> list[Any]:
    """All workflows of a module, which may be given as a file, or of a folder.

    Raises:
        UsageError: There are none, or it cannot be imported.
    """
    found = [each for module in _loaded(module_name) for each in vars(module).values() if is_workflow(each)]
    if not found:
        raise click.UsageError(f"there are no workflows in {module_name!r}")
    return found


def _loaded(given: str) -> Sequence[ModuleType]:
    try:
        return load(locate(given))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    except CannotLoadError as error:
        raise click.UsageError(f"cannot import {given!r}: {error}") from None
