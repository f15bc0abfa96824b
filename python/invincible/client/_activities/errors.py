"""What calls about activities raise, beside :class:`~invincible.service.RPCError`."""

from __future__ import annotations

from invincible.activity import ActivityCancellationDetails
from invincible.exceptions import TemporalError


class ActivityFailureError(TemporalError):
    """The standalone activity did not complete: it failed, timed out, was cancelled or terminated.

    Args:
        cause: Why; an :class:`~invincible.exceptions.ApplicationError`, ``CancelledError``, ``TerminatedError``,
            ``TimeoutError`` ...
    """

    def __init__(self, *, cause: BaseException) -> None:
        """Creates the error."""
        super().__init__("Activity execution failed")
        self.__cause__ = cause

    @property
    def cause(self) -> BaseException:
        """Why the activity did not complete."""
        assert self.__cause__ is not None
        return self.__cause__


class AsyncActivityCancelledError(TemporalError):
    """The activity whose heartbeat was sent is to stop.

    Args:
        details: Why.

    Attributes:
        details: Why; ``None`` if it is not known.
    """

    def __init__(self, details: ActivityCancellationDetails | None = None) -> None:
        """Creates the error."""
        super().__init__("Activity cancelled")
        self.details = details
