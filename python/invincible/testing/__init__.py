"""Environments for tests: the embedded Temporal server, started and stopped by the test, and clients for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._server import ServerStartError

if TYPE_CHECKING:
    from ._environment import WorkflowEnvironment

__all__ = ["ServerStartError", "WorkflowEnvironment"]


def __getattr__(name: str) -> Any:
    # The command line starts servers, too, and is quicker without client and native module.
    if name == "WorkflowEnvironment":
        from ._environment import WorkflowEnvironment

        return WorkflowEnvironment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
