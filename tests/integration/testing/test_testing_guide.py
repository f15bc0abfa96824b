"""The page about testing is a test file: it passes."""

from __future__ import annotations

import re

import pytest

from invincible.testing.pytest_plugin import SessionServer
from tests.support.guides import blocks, text

pytest_plugins = ["pytester"]

SETTINGS = """
[pytest]
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = --strict-markers
"""
SHARED = """

def test_shared_client(shared_client: SyncClient) -> None:
    assert shared_client.service_client.check_health()
"""


def test_the_tests_on_the_page_pass(pytester: pytest.Pytester, invincible_server: SessionServer) -> None:
    source = "\n\n".join(blocks("testing.md"))
    pytester.makeini(SETTINGS)
    pytester.makepyfile(source + SHARED)
    result = pytester.runpytest_subprocess("-n2", f"--invincible-address={invincible_server.address}")
    result.assert_outcomes(passed=source.count("def test_") + 1)


def test_the_page_names_all_options_and_fixtures(pytester: pytest.Pytester) -> None:
    page = text("testing.md")
    said = pytester.runpytest_subprocess("--help").stdout.str()
    options = set(re.findall(r"--invincible-[a-z-]+", said))
    assert len(options) == 4
    assert {option for option in options if option not in page} == set()
    shown = pytester.runpytest_subprocess("--fixtures").stdout.lines
    fixtures = [line.split()[0] for line in shown if "pytest_plugin/_fixtures.py" in line]
    assert {name for name in fixtures if name not in page} == set()
