"""Options of the command line and of the configuration file, and markers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

_FLAGS = {
    "always_replay": "replay each workflow from its start for every task, so that code that does not replay fails "
    "at once",
    "time_skipping": "let workflows skip the time they wait, as if all tests were marked with time_skipping",
}


@dataclass(frozen=True)
class Options:
    """What the options say.

    Attributes:
        server: The server program, if one is named.
        address: A server that runs already, as host:port, if one is named.
        always_replay: Whether workers replay each workflow from its start for every task.
        time_skipping: Whether workflows of unmarked tests skip time.
    """

    server: str | None
    address: str | None
    always_replay: bool
    time_skipping: bool

    @classmethod
    def of(cls, config: pytest.Config) -> Options:
        """The options of a session; the command line goes before the configuration file."""

        def text(name: str) -> str | None:
            return config.getoption(f"invincible_{name}") or config.getini(f"invincible_{name}") or None

        def flag(name: str) -> bool:
            return bool(config.getoption(f"invincible_{name}") or config.getini(f"invincible_{name}"))

        return cls(text("server"), text("address"), flag("always_replay"), flag("time_skipping"))


def add(parser: pytest.Parser) -> None:
    """Adds all options to the parser."""
    group = parser.getgroup("invincible", "durable workflows")
    for name, text in _FLAGS.items():
        group.addoption(
            f"--invincible-{name.replace('_', '-')}", action="store_true", dest=f"invincible_{name}", help=text
        )
        parser.addini(f"invincible_{name}", text, type="bool", default=False)
    values = {
        "server": ("PATH", "the server program, if not that of the package invincible-server"),
        "address": ("HOST:PORT", "a server that runs already, to be used instead of one of the session"),
    }
    for name, (metavar, text) in values.items():
        group.addoption(f"--invincible-{name}", metavar=metavar, dest=f"invincible_{name}", help=text)
        parser.addini(f"invincible_{name}", text, default="")


def add_markers(config: pytest.Config) -> None:
    """Declares the markers."""
    config.addinivalue_line(
        "markers", "time_skipping(on=True): workflows of the test's environment skip the time they wait"
    )
