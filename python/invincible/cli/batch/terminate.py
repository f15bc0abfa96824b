"""`invincible batch terminate`."""

from __future__ import annotations

from ._plain import plain_command

command = plain_command(
    "terminate",
    "termination_operation",
    "End workflows at once. Their code does not hear of it.",
)
