"""Options of retry policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ._options import option_of, taken_as
from ._output import duration_text
from ._units import duration, name

if TYPE_CHECKING:
    from invincible.common import RetryPolicy

_Function = TypeVar("_Function", bound=Callable[..., Any])

_option = option_of("Retry options")
_OPTIONS = (
    _option("--retry-initial-interval", type=duration, metavar="DURATION", help="Wait before the first retry."),
    _option(
        "--retry-backoff-coefficient",
        type=click.FloatRange(min=1),
        metavar="N",
        help="What the wait grows by each time.",
    ),
    _option("--retry-maximum-interval", type=duration, metavar="DURATION", help="Longest wait."),
    _option("--retry-maximum-attempts", type=click.IntRange(min=0), metavar="N", help="Most attempts; 0 for no limit."),
    _option(
        "--retry-non-retryable",
        type=name,
        multiple=True,
        metavar="TYPE",
        help="Errors that are not retried; repeatable.",
    ),
)


@dataclass(frozen=True)
class Retry:
    """What the options say of a retry policy."""

    retry_initial_interval: timedelta | None = None
    retry_backoff_coefficient: float | None = None
    retry_maximum_interval: timedelta | None = None
    retry_maximum_attempts: int | None = None
    retry_non_retryable: tuple[str, ...] = ()

    def policy(self, before: RetryPolicy | None = None) -> RetryPolicy | None:
        """The policy with what is given; ``before`` if nothing is.

        Args:
            before: The policy so far.
        """
        from invincible.common import RetryPolicy

        given = {
            "initial_interval": self.retry_initial_interval,
            "backoff_coefficient": self.retry_backoff_coefficient,
            "maximum_interval": self.retry_maximum_interval,
            "maximum_attempts": self.retry_maximum_attempts,
            "non_retryable_error_types": self.retry_non_retryable or None,
        }
        changed: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        return replace(before or RetryPolicy(), **changed) if changed else before


# A decorator; the command takes the values as ``retry: Retry``.
retry_options = taken_as("retry", Retry, _OPTIONS)


def retry_text(policy: RetryPolicy) -> str:
    """A policy in words."""
    attempts = f"at most {policy.maximum_attempts} attempts" if policy.maximum_attempts else "without end"
    waits = f"after {duration_text(policy.initial_interval)}, {policy.backoff_coefficient:g} times longer each time"
    most = f", at most {duration_text(policy.maximum_interval)}" if policy.maximum_interval else ""
    return f"{attempts}, {waits}{most}"
