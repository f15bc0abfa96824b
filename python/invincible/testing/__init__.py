"""Environments for tests: the embedded Temporal server, started and stopped by the test, and clients for it."""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

from ._server import ServerStartError

if TYPE_CHECKING:
    from ._activity_environment import ActivityEnvironment, CompleteAsyncError
    from ._environment import WorkflowEnvironment
    from ._mocks import ActivityMock, ActivityMockCall, mock_activity
    from ._time_skipper import TimeSkipper
    from ._time_skipping import FastForwardConfig, TimeSkippingConfig
    from ._worker_factory import EnvironmentWorker, WorkerFactory
else:
    # The command line starts servers, too, and is quicker without client and native module.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "._activity_environment": "ActivityEnvironment CompleteAsyncError",
            "._environment": "WorkflowEnvironment",
            "._mocks": "ActivityMock ActivityMockCall mock_activity",
            "._time_skipper": "TimeSkipper",
            "._time_skipping": "FastForwardConfig TimeSkippingConfig",
            "._worker_factory": "EnvironmentWorker WorkerFactory",
        },
    )

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
