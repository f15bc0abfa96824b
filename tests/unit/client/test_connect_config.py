"""The arguments of `Client.connect` as a dict."""

from __future__ import annotations

import inspect

from invincible.client import Client, ClientConnectConfig


def test_it_has_the_parameters_of_connect() -> None:
    assert list(ClientConnectConfig.__annotations__) == list(inspect.signature(Client.connect).parameters)
    assert ClientConnectConfig.__required_keys__ == frozenset()
