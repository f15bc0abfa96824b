"""What the engine knows of a workflow type before any run of it exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from typing import Any

from invincible.converter._signature import Signature


class HandlerUnfinishedPolicy(IntEnum):
    """What happens when a workflow ends while this handler still runs."""

    WARN_AND_ABANDON = 1
    ABANDON = 2


@dataclass(frozen=True)
class SignalDefinition:
    """A signal handler; ``name`` is ``None`` for the dynamic one."""

    name: str | None
    function: Callable[..., Any]
    unfinished_policy: HandlerUnfinishedPolicy = HandlerUnfinishedPolicy.WARN_AND_ABANDON
    description: str | None = None

    @cached_property
    def signature(self) -> Signature:
        """Parameters of the method, without ``self``; read when first needed, so that annotations may refer forward."""
        return Signature.of(self.function, f"signal {self.name!r}", skip_first=True)


@dataclass(frozen=True)
class QueryDefinition:
    """A query handler; ``name`` is ``None`` for the dynamic one."""

    name: str | None
    function: Callable[..., Any]
    description: str | None = None

    @cached_property
    def signature(self) -> Signature:
        """Parameters of the method, without ``self``; read when first needed."""
        return Signature.of(self.function, f"query {self.name!r}", skip_first=True)


@dataclass(frozen=True)
class WorkflowDefinition:
    """A workflow type: a class with a run method, or one async function."""

    name: str | None
    run: Callable[..., Any]
    workflow_class: type | None = None
    init_takes_arguments: bool = False
    signals: Mapping[str | None, SignalDefinition] = field(default_factory=dict)
    queries: Mapping[str | None, QueryDefinition] = field(default_factory=dict)
    failure_exception_types: Sequence[type[BaseException]] = ()

    @cached_property
    def signature(self) -> Signature:
        """Parameters and result of the run function, without ``self``; read when first needed."""
        return Signature.of(self.run, f"workflow {self.name!r}", skip_first=self.workflow_class is not None)
