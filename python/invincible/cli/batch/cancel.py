"""`invincible batch cancel`."""

from __future__ import annotations

from ._plain import plain_command

command = plain_command(
    "cancel",
    "cancellation_operation",
    "Ask workflows to cancel themselves. Their code hears of it and may clean up first, or refuse.",
)
