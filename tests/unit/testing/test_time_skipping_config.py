"""What a test says about clocks, checked before anything is sent, and as the server gets it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invincible.api.common import v1
from invincible.client import Client
from invincible.testing import FastForwardConfig, TimeSkipper, TimeSkippingConfig
from invincible.testing._clocks import Clocks

STEP = FastForwardConfig(id="step", duration=timedelta(days=1))


def test_the_default_skips_all_there_is() -> None:
    assert TimeSkippingConfig() == TimeSkippingConfig(
        enabled=True, fast_forward_config=None, disable_propagation=False, max_session_skip_count=0
    )
    assert TimeSkippingConfig()._to_message() == v1.TimeSkippingConfig(enabled=True)


def test_all_of_it_is_sent() -> None:
    message = TimeSkippingConfig(
        fast_forward_config=STEP, disable_propagation=True, max_session_skip_count=7
    )._to_message()
    assert (message.enabled, message.disable_propagation, message.max_session_skip_count) == (True, True, 7)
    assert message.fast_forward_config.id == "step"
    assert message.fast_forward_config.duration.ToTimedelta() == timedelta(days=1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"enabled": 1}, TypeError, "enabled must be a bool, got int"),
        ({"disable_propagation": None}, TypeError, "disable_propagation must be a bool, got NoneType"),
        ({"fast_forward_config": timedelta(1)}, TypeError, "must be a FastForwardConfig, got timedelta"),
        ({"max_session_skip_count": 1.5}, TypeError, "max_session_skip_count must be an int, got float"),
        ({"max_session_skip_count": True}, TypeError, "max_session_skip_count must be an int, got bool"),
        ({"max_session_skip_count": -1}, ValueError, "max_session_skip_count must be from 0 to 2147483647, got -1"),
        ({"max_session_skip_count": 2**31}, ValueError, "max_session_skip_count must be from 0"),
        ({"enabled": False, "fast_forward_config": STEP}, ValueError, "fast_forward_config needs enabled=True"),
    ],
)
def test_wrong_configs_are_named(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TimeSkippingConfig(**arguments)


@pytest.mark.parametrize(
    ("step_id", "duration", "error", "message"),
    [
        (1, timedelta(1), TypeError, "id of a fast-forward must be a str, got int"),
        (" ", timedelta(1), ValueError, "id of a fast-forward must not be empty"),
        ("step", 3600, TypeError, "duration of a fast-forward must be a timedelta, got int"),
        ("step", timedelta(), ValueError, "duration of a fast-forward must be positive"),
        ("step", timedelta(seconds=-1), ValueError, "duration of a fast-forward must be positive"),
    ],
)
def test_wrong_steps_are_named(step_id: Any, duration: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        FastForwardConfig(step_id, duration)


def test_a_skipper_wants_a_client_and_a_config() -> None:
    with pytest.raises(TypeError, match="client must be a Client, got str"):
        TimeSkipper("localhost:7233")  # type: ignore[arg-type]


def enabled(clocks: Clocks, *, awaited: bool) -> bool | None:
    config = clocks.start_config(awaited=awaited)
    return None if config is None else v1.TimeSkippingConfig.FromString(config).enabled


def test_clocks_stand_until_somebody_waits() -> None:
    clocks = Clocks(TimeSkippingConfig(), held=True)
    assert enabled(clocks, awaited=False) is False
    assert enabled(clocks, awaited=True) is True
    with clocks.no_release():
        assert enabled(clocks, awaited=True) is False
    with clocks.real_time(), clocks.real_time():
        assert enabled(clocks, awaited=True) is None
    assert enabled(clocks, awaited=True) is True


def test_free_clocks_run_from_their_start_on() -> None:
    clocks = Clocks(TimeSkippingConfig(fast_forward_config=STEP), held=False)
    assert enabled(clocks, awaited=False) is True
    assert clocks.start_config(awaited=False) == clocks.config._to_message().SerializeToString()
    with clocks.real_time():
        assert enabled(clocks, awaited=False) is None


def test_clients_without_an_environment_skip_nothing() -> None:
    assert Client._time_skipping is None
