"""Retry policies of workflows and activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from invincible import _native

if TYPE_CHECKING:
    from invincible.api.common.v1 import RetryPolicy as RetryPolicyMessage

_NO_TIME = timedelta(0)
# The server's own default, sent along so that a policy reads the same everywhere.
_DEFAULT_MAXIMUM_FACTOR = 100


@dataclass
class RetryPolicy:
    """When and how often a failed attempt is repeated.

    Args:
        initial_interval: Wait before the second attempt.
        backoff_coefficient: Factor from one wait to the next, at least 1.
        maximum_interval: Longest wait; ``None`` or zero for 100 times the initial interval.
        maximum_attempts: Number of attempts in all; 0 for no limit.
        non_retryable_error_types: Types of application errors that are not retried.
    """

    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta | None = None
    maximum_attempts: int = 0
    non_retryable_error_types: Sequence[str] | None = None

    @staticmethod
    def from_proto(proto: RetryPolicyMessage) -> RetryPolicy:
        """Makes a policy from its protobuf message."""
        return RetryPolicy(
            initial_interval=proto.initial_interval.ToTimedelta(),
            backoff_coefficient=proto.backoff_coefficient,
            maximum_interval=proto.maximum_interval.ToTimedelta() if proto.HasField("maximum_interval") else None,
            maximum_attempts=proto.maximum_attempts,
            non_retryable_error_types=list(proto.non_retryable_error_types) or None,
        )

    def apply_to_proto(self, proto: RetryPolicyMessage) -> None:
        """Sets every field of the protobuf message.

        Raises:
            ValueError: The policy is not valid.
        """
        self._validate()
        proto.initial_interval.FromTimedelta(self.initial_interval)
        proto.backoff_coefficient = self.backoff_coefficient
        proto.maximum_interval.FromTimedelta(self._effective_maximum_interval())
        proto.maximum_attempts = self.maximum_attempts
        proto.non_retryable_error_types.extend(self.non_retryable_error_types or ())

    def _to_native(self) -> _native.RetryPolicy:
        """The policy for the border, made once as long as no field changes."""
        types = tuple(self.non_retryable_error_types or ())
        fields = (
            self.initial_interval,
            self.backoff_coefficient,
            self.maximum_interval,
            self.maximum_attempts,
            types,
        )
        cached: tuple[object, _native.RetryPolicy] | None = self.__dict__.get("_native_policy")
        if cached is not None and cached[0] == fields:
            return cached[1]
        self._validate()
        policy = _native.RetryPolicy(
            initial_interval=self.initial_interval.total_seconds(),
            backoff_coefficient=self.backoff_coefficient,
            maximum_interval=self._effective_maximum_interval().total_seconds(),
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_types=types,
        )
        self.__dict__["_native_policy"] = fields, policy
        return policy

    @staticmethod
    def _from_native(policy: _native.RetryPolicy) -> RetryPolicy:
        maximum = policy.maximum_interval
        return RetryPolicy(
            initial_interval=timedelta(seconds=policy.initial_interval or 0),
            backoff_coefficient=policy.backoff_coefficient,
            maximum_interval=None if maximum is None else timedelta(seconds=maximum),
            maximum_attempts=policy.maximum_attempts,
            non_retryable_error_types=list(policy.non_retryable_error_types) or None,
        )

    def _effective_maximum_interval(self) -> timedelta:
        return self.maximum_interval or self.initial_interval * _DEFAULT_MAXIMUM_FACTOR

    def _validate(self) -> None:
        if self.maximum_attempts == 1:
            # Nothing is retried, so nothing else matters.
            return
        if self.initial_interval < _NO_TIME:
            raise ValueError(f"Initial interval cannot be negative, got {self.initial_interval}")
        if self.backoff_coefficient < 1:
            raise ValueError(f"Backoff coefficient cannot be less than 1, got {self.backoff_coefficient}")
        if self.maximum_interval:
            if self.maximum_interval < _NO_TIME:
                raise ValueError(f"Maximum interval cannot be negative, got {self.maximum_interval}")
            if self.maximum_interval < self.initial_interval:
                raise ValueError(
                    f"Maximum interval cannot be less than initial interval, got {self.maximum_interval} "
                    f"and {self.initial_interval}"
                )
        if self.maximum_attempts < 0:
            raise ValueError(f"Maximum attempts cannot be negative, got {self.maximum_attempts}")

    def __getstate__(self) -> dict[str, object]:
        """The fields alone: native objects do not pickle."""
        return {name: value for name, value in self.__dict__.items() if name != "_native_policy"}
