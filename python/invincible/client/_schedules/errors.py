"""What calls about schedules raise, beside :class:`~invincible.service.RPCError`."""

from __future__ import annotations

from invincible.exceptions import TemporalError


class ScheduleAlreadyRunningError(TemporalError):
    """There is a schedule of this id already.

    Args:
        schedule_id: The id, if known.
    """

    def __init__(self, schedule_id: str | None = None) -> None:
        """Creates the error."""
        named = "Schedule" if schedule_id is None else f"Schedule {schedule_id!r}"
        super().__init__(f"{named} already running")
        self._schedule_id = schedule_id

    @property
    def schedule_id(self) -> str | None:
        """The id, if known."""
        return self._schedule_id

    def __reduce__(self) -> tuple[type[ScheduleAlreadyRunningError], tuple[str | None]]:
        """Pickles the id: the message is made of it."""
        return type(self), (self._schedule_id,)
