"""What the engine knows of a workflow type before any run of it exists."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any, ClassVar

from invincible.common import VersioningBehavior
from invincible.converter._signature import Signature


class HandlerUnfinishedPolicy(IntEnum):
    """What happens when a workflow ends while this handler still runs."""

    WARN_AND_ABANDON = 1
    """It is cut off, and a warning names it."""
    ABANDON = 2
    """It is cut off."""


@dataclass(frozen=True)
class HandlerDefinition:
    """A handler of messages; ``name`` is ``None`` for the dynamic one, and a ``bound`` function takes no self."""

    kind: ClassVar[str]

    name: str | None
    function: Callable[..., Any]
    description: str | None = None
    bound: bool = False

    @cached_property
    def signature(self) -> Signature:
        """Parameters without ``self``; read when first needed, so that annotations may refer forward."""
        return Signature.of(self.function, f"{self.kind} {self.name!r}", skip_first=not self.bound)


@dataclass(frozen=True)
class SignalDefinition(HandlerDefinition):
    """A signal handler."""

    kind = "signal"

    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON


@dataclass(frozen=True)
class QueryDefinition(HandlerDefinition):
    """A query handler.

    Raises:
        TypeError: it is async.
    """

    kind = "query"

    def __post_init__(self) -> None:
        """Refuses a handler that would have to wait."""
        if inspect.iscoroutinefunction(self.function):
            raise TypeError(
                f"a query handler cannot be async, because a query may not wait: {self.function.__qualname__}"
            )


@dataclass(frozen=True)
class UpdateDefinition(HandlerDefinition):
    """An update handler, and its validator if it has one.

    Raises:
        TypeError: the validator is async.
    """

    kind = "update"

    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    validator: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        """Refuses a validator that would have to wait."""
        if self.validator is not None and inspect.iscoroutinefunction(self.validator):
            raise TypeError(f"a validator cannot be async, because it may not wait: {self.validator.__qualname__}")


@dataclass(frozen=True)
class DynamicWorkflowConfig:
    """What a dynamic workflow decides for each run, in its ``@workflow.dynamic_config`` method.

    Args:
        failure_exception_types: Exceptions that fail the workflow; those of the definition if ``None``.
        versioning_behavior: Whether the run stays on the worker version it started on.

    Raises:
        TypeError: The behavior is no ``VersioningBehavior``.
    """

    failure_exception_types: Sequence[type[BaseException]] | None = None
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED

    def __post_init__(self) -> None:
        """Refuses another type now, and not in the completion of a task."""
        require_versioning_behavior(self.versioning_behavior)


def require_versioning_behavior(value: object) -> None:
    """Raises a ``TypeError`` if the value is no versioning behavior."""
    if not isinstance(value, VersioningBehavior):
        raise TypeError(f"versioning_behavior must be a VersioningBehavior, got {value!r}")


@dataclass(frozen=True)
class WorkflowDefinition:
    """A workflow type: a class with a run method, or one async function."""

    name: str | None
    run: Callable[..., Any]
    workflow_class: type | None = None
    init_takes_arguments: bool = False
    signals: Mapping[str | None, SignalDefinition] = field(default_factory=dict)
    queries: Mapping[str | None, QueryDefinition] = field(default_factory=dict)
    updates: Mapping[str | None, UpdateDefinition] = field(default_factory=dict)
    dynamic_config: Callable[[Any], DynamicWorkflowConfig] | None = None
    failure_exception_types: Sequence[type[BaseException]] = ()
    versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
    sandboxed: bool = True
    deadlock_timeout: float | None = None

    @cached_property
    def signature(self) -> Signature:
        """Parameters and result of the run function, without ``self``; read when first needed."""
        return Signature.of(self.run, f"workflow {self.name!r}", skip_first=self.workflow_class is not None)

    @property
    def functions(self) -> list[Callable[..., Any]]:
        """Everything that runs as workflow code: the run function and the handlers."""
        handlers = (*self.signals.values(), *self.queries.values(), *self.updates.values())
        validators = [each.validator for each in self.updates.values() if each.validator is not None]
        return [self.run, *(each.function for each in handlers), *validators]
