"""What is refused before a workflow is started, where the wrong argument can still be named."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

from invincible.common import Priority, RetryPolicy, TypedSearchAttributes

if TYPE_CHECKING:
    from ._inputs import StartWorkflowInput, UpdateWithStartStartWorkflowInput


_TYPES: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "task_queue": (str,),
    "retry_policy": (RetryPolicy, type(None)),
    "cron_schedule": (str,),
    "memo": (Mapping, type(None)),
    "search_attributes": (TypedSearchAttributes, Mapping, type(None)),
    "static_summary": (str, type(None)),
    "static_details": (str, type(None)),
    "priority": (Priority,),
}
_checked = attrgetter(*_TYPES)


def check_start(input: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> None:
    """Refuses options of a wrong type.

    Raises:
        TypeError: An option is of a wrong type; the message names it and the workflow.
        ValueError: Options do not go together.
    """
    from ._inputs import StartWorkflowInput

    values = _checked(input)
    if not all(map(isinstance, values, _TYPES.values())):
        for (name, expected), value in zip(_TYPES.items(), values, strict=True):
            if not isinstance(value, expected):
                names = " or ".join(each.__name__ for each in expected if each is not type(None))
                raise TypeError(f"{name} of workflow {input.workflow!r} must be a {names}, got {type(value).__name__}")
    if isinstance(input, StartWorkflowInput) and input.start_signal_args and input.start_signal is None:
        raise ValueError(f"start_signal_args of workflow {input.workflow!r} need a start_signal to be sent with")
