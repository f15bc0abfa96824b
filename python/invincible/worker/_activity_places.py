"""Where ``def`` activities are called: on the thread that took them, or from there in another process."""

from __future__ import annotations

import pickle
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from invincible.activity._interrupt import ThreadInterrupt
from invincible.converter import DataConverter

from ._activity_registry import Activities, Activity
from ._running_activity import RunningActivity

if TYPE_CHECKING:
    from ._shared_state import SharedStateManager


class Place(Protocol):
    """Calls functions of activities."""

    def call(self, activity: Activity, running: RunningActivity, function: partial[Any]) -> Any:
        """The result of the function with its arguments. Blocks the calling thread until it is there.

        Raises:
            BaseException: What the function has raised, or why it cannot be called.
        """

    def close(self) -> None:
        """Free what this object has made for itself. May block."""


class ThisThread:
    """Calls them on the thread that asks, where a cancellation raises ``CancelledError``."""

    def call(self, activity: Activity, running: RunningActivity, function: partial[Any]) -> Any:
        """The result of the function."""
        if activity.definition.no_thread_cancel_exception:
            return function()
        interrupt = running.context.interrupt = ThreadInterrupt()
        running.interruptible_by(interrupt.request)
        return interrupt.call(function)

    def close(self) -> None:
        """Nothing to do."""


def place_of(
    executor: Executor | None,
    shared_state_manager: SharedStateManager | None,
    on_broken: Callable[[BaseException], object],
) -> Place:
    """Where the activities of a worker are called.

    Args:
        executor: Its executor.
        shared_state_manager: What activities in an executor's processes share with it.
        on_broken: Called, on any thread, when the executor cannot run anything any more.
    """
    if executor is None or not in_processes(executor, shared_state_manager):
        return ThisThread()
    own_place = getattr(executor, "_activity_place", None)
    if own_place is not None:
        return cast("Place", own_place())
    from ._activity_pool import ProcessPool

    return ProcessPool(executor, shared_state_manager, on_broken)


def in_processes(executor: Executor, shared_state_manager: SharedStateManager | None) -> bool:
    """Whether an executor runs activities in other processes: of executors that nobody here knows, those that come
    with a shared state manager do."""
    if isinstance(executor, ThreadPoolExecutor):
        return False
    # Without importing the module, which is not light: nobody can have such an executor before it is imported.
    module = sys.modules.get("concurrent.futures.process")
    return (
        hasattr(executor, "_activity_place")
        or shared_state_manager is not None
        or (module is not None and isinstance(executor, module.ProcessPoolExecutor))
    )


def check_executor(
    executor: Executor,
    shared_state_manager: SharedStateManager | None,
    *,
    activities: Activities,
    data_converter: DataConverter,
    max_concurrent_activities: int | None,
) -> None:
    """Warn of an executor that is too small, and refuse what cannot run in it.

    Raises:
        TypeError: It is no executor, it runs code in subinterpreters, or an activity or converter cannot be pickled
            for its processes.
    """
    kinds = {each.__name__ for each in type(executor).__mro__}
    if not isinstance(executor, Executor):
        raise TypeError(f"activity_executor must be a concurrent.futures.Executor, got {type(executor).__name__}")
    if "InterpreterPoolExecutor" in kinds:
        raise TypeError(
            "activity_executor cannot be an InterpreterPoolExecutor, whose interpreters cannot load this package: use "
            "ActivityProcessExecutor"
        )
    size = getattr(executor, "_max_workers", None)
    if isinstance(size, int) and max_concurrent_activities is not None and size < max_concurrent_activities:
        warnings.warn(
            f"max_concurrent_activities is {max_concurrent_activities}, but activity_executor runs only {size} at a "
            "time: activities that wait for it cannot heartbeat, and their timeouts run",
            stacklevel=4,
        )
    if not in_processes(executor, shared_state_manager):
        return
    for name, activity in activities.items():
        if not activity.is_async:
            _check_pickling(
                f"activity {name!r}" if name else "the dynamic activity",
                activity.function,
                "define its function at the top of a module",
            )
    _check_pickling(
        "the payload converter", data_converter.payload_converter, "it converts the heartbeats of activities there"
    )


def _check_pickling(what: str, value: object, advice: str) -> None:
    try:
        pickle.dumps(value)
    except Exception as error:
        raise TypeError(
            f"{what} cannot be sent to the processes of activity_executor ({type(error).__name__}: {error}): {advice}"
        ) from error
