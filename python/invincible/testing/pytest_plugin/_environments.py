"""The environments of tests."""

from __future__ import annotations

import pytest

from invincible.client import Client
from invincible.testing import WorkflowEnvironment

from ._options import Options


def environment_for(request: pytest.FixtureRequest, client: Client) -> WorkflowEnvironment:
    """An environment over a client, as the test's marker and the options say."""
    options = Options.of(request.config)
    marker = request.node.get_closest_marker("time_skipping")
    time_skipping = options.time_skipping if marker is None else _is_on(marker)
    environment = WorkflowEnvironment.from_client(client, time_skipping=time_skipping)
    environment.always_replay = options.always_replay
    return environment


def _is_on(marker: pytest.Mark) -> bool:
    named = dict(marker.kwargs)
    given = [*marker.args, *([named.pop("on")] if "on" in named else [])]
    if named or len(given) > 1 or not all(isinstance(each, bool) for each in given):
        raise pytest.UsageError(
            "the marker time_skipping takes True or False, or nothing: got "
            + ", ".join([*map(repr, marker.args), *(f"{name}={value!r}" for name, value in marker.kwargs.items())])
        )
    return all(given)
