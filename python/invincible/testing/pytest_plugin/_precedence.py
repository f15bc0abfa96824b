"""Which of the fixtures are offered: those whose names no other plugin has."""

from __future__ import annotations

from types import ModuleType

import pytest

# Names that others use as well: pytest-django and pytest-flask have a `client`.
SHORT_NAMES = ("client", "env", "sync_client", "task_queue", "worker")

TAKEN = pytest.StashKey[frozenset[str]]()


def register_fixtures(config: pytest.Config) -> None:
    """Offers the fixtures. Of two plugins with a fixture of one name pytest takes whichever it has loaded last, which
    is chance; this one yields."""
    from . import _fixtures

    manager = config.pluginmanager
    # Those of a conftest.py are for its folder, and go before all others there anyway.
    others = [plugin for name, plugin in manager.list_name_plugin() if not name.endswith("conftest.py")]
    taken = frozenset(name for name in SHORT_NAMES if any(_is_fixture(getattr(each, name, None)) for each in others))
    config.stash[TAKEN] = taken
    offered = ModuleType("invincible-fixtures", _fixtures.__doc__)
    for name, value in vars(_fixtures).items():
        if _is_fixture(value) and name not in taken:
            setattr(offered, name, value)
    manager.register(offered, offered.__name__)


def _is_fixture(value: object) -> bool:
    # pytest 8.4 and later has a class for them, which is not public.
    return type(value).__name__ == "FixtureFunctionDefinition" or (
        not isinstance(value, ModuleType) and hasattr(value, "_pytestfixturefunction")
    )
