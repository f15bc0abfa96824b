"""The workflows that the command line names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from invincible._engine.reference import workflow_definition


def named_workflow(reference: str) -> Any:
    """The workflow of ``MODULE:NAME``.

    Raises:
        UsageError: There is none.
    """
    module_name, separator, name = reference.rpartition(":")
    if not separator:
        raise click.UsageError(f"--workflow takes MODULE:NAME, not {reference!r}")
    found: Any = _module(module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"there is no {name!r} in {module_name!r}")
        found = getattr(found, part)
    if not _is_workflow(found):
        raise click.UsageError(f"{reference!r} is no workflow: decorate it with @workflow.defn")
    return found


def workflows_of(module_name: str) -> list[Any]:
    """All workflows of a module, which may be given as a file.

    Raises:
        UsageError: There are none, or it cannot be imported.
    """
    found = [each for each in vars(_module(module_name)).values() if _is_workflow(each)]
    if not found:
        raise click.UsageError(f"there are no workflows in {module_name!r}")
    return found


def _is_workflow(value: Any) -> bool:
    try:
        workflow_definition(value)
    except TypeError:
        return False
    return True


def _module(name: str) -> ModuleType:
    path = Path(name)
    try:
        if path.suffix != ".py":
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise click.UsageError(f"there is no file {name!r}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        # What the file imports from its own folder is found as when it is run.
        sys.path.insert(0, str(path.resolve().parent))
        spec.loader.exec_module(module)
        return module
    except click.UsageError:
        raise
    except Exception as error:
        raise click.UsageError(f"cannot import {name!r}: {type(error).__name__}: {error}") from error
