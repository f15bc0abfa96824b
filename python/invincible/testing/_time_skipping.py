"""Time skipping: how a workflow's clock skips, as the server is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invincible.api.common import v1

_MOST_SKIPS = 2**31 - 1


@dataclass(frozen=True)
class FastForwardConfig:
    """One step forward of a workflow's clock, after which it skips no more.

    Args:
        id: A name for the step.
        duration: How far the clock moves.
    """

    id: str
    duration: timedelta

    def __post_init__(self) -> None:
        """Refuses what the server would refuse.

        Raises:
            TypeError: An argument is of a wrong type.
            ValueError: The id is empty, or the duration no step forward.
        """
        if not isinstance(self.id, str):
            raise TypeError(f"id of a fast-forward must be a str, got {type(self.id).__name__}")
        if not self.id.strip():
            raise ValueError("id of a fast-forward must not be empty")
        if not isinstance(self.duration, timedelta):
            raise TypeError(f"duration of a fast-forward must be a timedelta, got {type(self.duration).__name__}")
        if self.duration <= timedelta():
            raise ValueError(f"duration of a fast-forward must be positive, got {self.duration}")


@dataclass(frozen=True)
class TimeSkippingConfig:
    """How the clock of a workflow skips time.

    Args:
        enabled: Whether it does: whenever the workflow waits for nothing but time, its clock jumps to where the wait
            ends.
        fast_forward_config: How far it skips at most; to the workflow's end if ``None``.
        disable_propagation: Whether child workflows do not skip. They begin at their parent's time in any case.
        max_session_skip_count: How many skips are enough; the server's choice if 0, a million for the embedded server.
    """

    enabled: bool = True
    fast_forward_config: FastForwardConfig | None = None
    disable_propagation: bool = False
    max_session_skip_count: int = 0

    def __post_init__(self) -> None:
        """Refuses what the server would refuse, or misunderstand.

        Raises:
            TypeError: An argument is of a wrong type.
            ValueError: Arguments make no sense, or do not go together.
        """
        for name in ("enabled", "disable_propagation"):
            if not isinstance(value := getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool, got {type(value).__name__}")
        if not isinstance(self.fast_forward_config, (FastForwardConfig, type(None))):
            raise TypeError(
                f"fast_forward_config must be a FastForwardConfig, got {type(self.fast_forward_config).__name__}"
            )
        count: object = self.max_session_skip_count
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"max_session_skip_count must be an int, got {type(count).__name__}")
        if not 0 <= count <= _MOST_SKIPS:
            raise ValueError(f"max_session_skip_count must be from 0 to {_MOST_SKIPS}, got {count}")
        if self.fast_forward_config is not None and not self.enabled:
            raise ValueError("fast_forward_config needs enabled=True: a clock that does not skip has nothing to limit")

    def _to_message(self) -> v1.TimeSkippingConfig:
        from google.protobuf.duration_pb2 import Duration

        from invincible.api.common import v1

        message = v1.TimeSkippingConfig(
            enabled=self.enabled,
            disable_propagation=self.disable_propagation,
            max_session_skip_count=self.max_session_skip_count,
        )
        if self.fast_forward_config is not None:
            duration = Duration()
            duration.FromTimedelta(self.fast_forward_config.duration)
            message.fast_forward_config.id = self.fast_forward_config.id
            message.fast_forward_config.duration.CopyFrom(duration)
        return message


# Skips all there is to skip.
UNLIMITED = TimeSkippingConfig()
