"""The determinism guard: workflow code that calls what a replay cannot repeat gets an error at the call.

``install`` prepares the process for a worker's workflows; the worker enters the guard around each batch of
activations. ``check_definition`` is the static pass, for what is only seen in the source. Both are loaded when a worker
needs them: a program that only defines or starts workflows does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import DeterminismWarning, RestrictedWorkflowAccessError

if TYPE_CHECKING:
    from .guard import Guard, install
    from .static import Finding, check_definition

__all__ = [
    "DeterminismWarning",
    "Finding",
    "Guard",
    "RestrictedWorkflowAccessError",
    "check_definition",
    "install",
]

_LOADED_LATE = {"Finding": "static", "Guard": "guard", "check_definition": "static", "install": "guard"}


def __getattr__(name: str) -> Any:
    module = _LOADED_LATE.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{module}", __name__), name)
