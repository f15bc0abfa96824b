"""The workflows whose runs are recorded, one module for each theme. They must not change: the recordings would not
fit any more."""

from __future__ import annotations

from . import (
    activities,
    asyncio_tools,
    children,
    definitions,
    endings,
    hops,
    local_activities,
    nexus,
    races,
    signals,
    timers,
    updates,
)
from .common import ACTIVITIES as COMMON

ACTIVITIES = [*COMMON, *activities.ACTIVITIES]
WORKFLOWS = [
    *activities.WORKFLOWS,
    *asyncio_tools.WORKFLOWS,
    *children.WORKFLOWS,
    *definitions.WORKFLOWS,
    *endings.WORKFLOWS,
    *hops.WORKFLOWS,
    *local_activities.WORKFLOWS,
    *nexus.WORKFLOWS,
    *races.WORKFLOWS,
    *signals.WORKFLOWS,
    *timers.WORKFLOWS,
    *updates.WORKFLOWS,
]
