"""Environments for tests: the embedded Temporal server, started and stopped by the test, and clients for it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._server import ServerStartError

if TYPE_CHECKING:
    from ._activity_environment import ActivityEnvironment, CompleteAsyncError
    from ._environment import WorkflowEnvironment
    from ._mocks import ActivityMock, ActivityMockCall, mock_activity
    from ._time_skipper import TimeSkipper
    from ._time_skipping import FastForwardConfig, TimeSkippingConfig
    from ._worker_factory import EnvironmentWorker, WorkerFactory

__all__ = [
    "ActivityEnvironment",
    "ActivityMock",
    "ActivityMockCall",
    "CompleteAsyncError",
    "EnvironmentWorker",
    "FastForwardConfig",
    "ServerStartError",
    "TimeSkipper",
    "TimeSkippingConfig",
    "WorkerFactory",
    "WorkflowEnvironment",
    "mock_activity",
]

# The command line starts servers, too, and is quicker without client and native module: names by the module that has
# them, imported when it is first used.
_LAZY = {
    "ActivityEnvironment": "_activity_environment",
    "ActivityMock": "_mocks",
    "ActivityMockCall": "_mocks",
    "CompleteAsyncError": "_activity_environment",
    "EnvironmentWorker": "_worker_factory",
    "FastForwardConfig": "_time_skipping",
    "TimeSkipper": "_time_skipper",
    "TimeSkippingConfig": "_time_skipping",
    "WorkerFactory": "_worker_factory",
    "WorkflowEnvironment": "_environment",
    "mock_activity": "_mocks",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
