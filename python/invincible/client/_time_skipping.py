"""What a client asks of those who skip time: test environments give their clients one of these."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._client import Client

# Whether the workflow that is being started is awaited by the same call.
awaited_at_once: ContextVar[bool] = ContextVar("awaited_at_once", default=False)


class TimeSkipping(Protocol):
    """Skips time for the workflows that a client starts. Used from any event loop."""

    def start_config(self, *, awaited: bool) -> bytes | None:
        """The serialized ``TimeSkippingConfig`` that a start carries.

        Args:
            awaited: Whether somebody waits for the workflow from its start on.
        """

    def started(self, workflow_id: str, *, awaited: bool) -> None:
        """Told of each workflow that the client has started, or found running when it was to start it.

        Args:
            workflow_id: The workflow.
            awaited: As :meth:`start_config` was told.
        """

    def awaited(self, client: Client, workflow_id: str) -> AbstractAsyncContextManager[None]:
        """Open while somebody waits for the result of a workflow."""
        ...


class FreeRunning:
    """Has workflows skip time from their start on, in processes that have no environment.

    Args:
        config: The serialized ``TimeSkippingConfig`` of each start.
    """

    def __init__(self, config: bytes) -> None:
        """Keeps it."""
        self._config = config

    def start_config(self, *, awaited: bool) -> bytes:
        """What a start carries."""
        return self._config

    def started(self, workflow_id: str, *, awaited: bool) -> None:
        """Nothing."""

    def awaited(self, client: Client, workflow_id: str) -> AbstractAsyncContextManager[None]:
        """Nothing: the clock runs."""
        return nullcontext()
