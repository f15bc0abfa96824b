"""Workflows: durable functions. What they may use is here; I/O belongs into activities.

Example:
    @workflow.defn
    async def greeting(name: str) -> str:
        await workflow.sleep(timedelta(days=1))
        return await greet.execute(name)
"""

from invincible._engine.definition import HandlerUnfinishedPolicy
from invincible._engine.errors import NondeterminismError, NotInWorkflowError, ReadOnlyContextError
from invincible._engine.handles import ActivityHandle
from invincible._engine.options import ActivityCancellationType, ActivityConfig

from ._activities import execute_activity, start_activity
from ._definition import defn, init, query, run, signal
from ._info import Info, ParentInfo, RootInfo, info
from ._runtime import (
    deprecate_patch,
    in_workflow,
    logger,
    now,
    patched,
    random,
    sleep,
    time,
    time_ns,
    unsafe,
    uuid4,
    wait_condition,
)

__all__ = [
    "ActivityCancellationType",
    "ActivityConfig",
    "ActivityHandle",
    "HandlerUnfinishedPolicy",
    "Info",
    "NondeterminismError",
    "NotInWorkflowError",
    "ParentInfo",
    "ReadOnlyContextError",
    "RootInfo",
    "defn",
    "deprecate_patch",
    "execute_activity",
    "in_workflow",
    "info",
    "init",
    "logger",
    "now",
    "patched",
    "query",
    "random",
    "run",
    "signal",
    "sleep",
    "start_activity",
    "time",
    "time_ns",
    "unsafe",
    "uuid4",
    "wait_condition",
]
