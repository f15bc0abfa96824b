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
    time_skipping = options.time_skipping if marker is None else _is_on(*marker.args, **marker.kwargs)
    environment = WorkflowEnvironment.from_client(client, time_skipping=time_skipping)
    environment.always_replay = options.always_replay
    return environment


def _is_on(on: bool = True) -> bool:
    return on
