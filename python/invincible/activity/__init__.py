"""Activities: the steps of a workflow that do I/O. Define them with ``defn``, call them from workflows.

Example:
    @activity.defn(start_to_close_timeout=timedelta(seconds=10))
    async def greet(name: str) -> str:
        return f"Hello, {name}"

    # in a workflow
    greeting = await greet.execute("Temporal")
"""

from typing import TYPE_CHECKING

from invincible._lazy import lazy_names

if TYPE_CHECKING:
    from ._client import client
    from ._completion import raise_complete_async
    from ._context import (
        ActivityCancellationDetails,
        Info,
        cancellation_details,
        heartbeat,
        heartbeat_details,
        in_activity,
        info,
        is_cancelled,
        is_worker_shutdown,
        metric_meter,
        payload_converter,
        shield_thread_cancel_exception,
        wait_for_cancelled,
        wait_for_cancelled_sync,
        wait_for_worker_shutdown,
        wait_for_worker_shutdown_sync,
    )
    from ._definition import defn
    from ._log import LoggerAdapter, logger
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "._client": "client",
            "._completion": "raise_complete_async",
            "._context": (
                "ActivityCancellationDetails Info cancellation_details heartbeat heartbeat_details in_activity info "
                "is_cancelled is_worker_shutdown metric_meter payload_converter shield_thread_cancel_exception "
                "wait_for_cancelled wait_for_cancelled_sync wait_for_worker_shutdown wait_for_worker_shutdown_sync"
            ),
            "._definition": "defn",
            "._log": "LoggerAdapter logger",
        },
    )

__all__ = [
    "ActivityCancellationDetails",
    "Info",
    "LoggerAdapter",
    "cancellation_details",
    "client",
    "defn",
    "heartbeat",
    "heartbeat_details",
    "in_activity",
    "info",
    "is_cancelled",
    "is_worker_shutdown",
    "logger",
    "metric_meter",
    "payload_converter",
    "raise_complete_async",
    "shield_thread_cancel_exception",
    "wait_for_cancelled",
    "wait_for_cancelled_sync",
    "wait_for_worker_shutdown",
    "wait_for_worker_shutdown_sync",
]
