"""The pytest plugin: an environment, clients and workers as fixtures, over one embedded server per test session.

pytest loads it wherever this package is installed, so it imports neither the native module nor client and worker
before a test uses one of its fixtures.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from . import _options
from ._leftovers import Leftovers
from ._servers import SERVERS, SessionServer, SessionServers

__all__ = ["SessionServer", "SessionServers"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options."""
    _options.add(parser)


# Last, so that the fixtures of all other plugins are known.
@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Registers markers and fixtures."""
    _options.add_markers(config)
    from ._precedence import register_fixtures

    register_fixtures(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a process of pytest-xdist where to ask for the server of the session."""
    from ._sharing import share_with

    share_with(node)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the servers of the session."""
    servers = config.stash.get(SERVERS, None)
    if servers is not None:
        del config.stash[SERVERS]
        servers.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows with a failed test what its workflows and the server have done, and notes what the test left behind."""
    report = yield
    from ._record import RECORD

    record = item.stash.get(RECORD, None)
    if record is not None:
        if report.failed and report.when != "teardown":
            from ._report import sections

            record.failed = True
            report.sections.extend(sections(record))
        # What a failed test could not end any more is nothing to tell.
        if report.when == "teardown" and not record.failed:
            Leftovers.attach(report, record.left)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells kindly which tests left something behind."""
    Leftovers.tell(terminalreporter)
