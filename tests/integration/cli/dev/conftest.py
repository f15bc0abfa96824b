"""A folder with an app for `invincible dev`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dev import ORDERS, write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an app, resolved as the command shows it."""
    folder = tmp_path.resolve() / "shop"
    folder.mkdir()
    write(folder, ORDERS)
    return folder
