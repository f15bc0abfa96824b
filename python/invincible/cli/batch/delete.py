"""`invincible batch delete`."""

from __future__ import annotations

from ._plain import plain_command

command = plain_command(
    "delete",
    "deletion_operation",
    "Delete workflows with their histories. Those that run are terminated first.",
)
