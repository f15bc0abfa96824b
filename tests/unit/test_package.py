"""The package itself: its version, and what importing it loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import invincible

ROOT = Path(__file__).parents[2]


def test_version_is_that_of_the_crate() -> None:
    manifest = (ROOT / "Cargo.toml").read_text()
    assert f'[workspace.package]\nversion = "{invincible.__version__}"' in manifest


def test_a_missing_name_is_named() -> None:
    with pytest.raises(AttributeError, match="module 'invincible' has no attribute 'wrong'"):
        _ = invincible.wrong


def test_using_the_public_names_loads_no_protobuf() -> None:
    code = """
import importlib, sys
import invincible.exceptions, invincible.runtime
for package in ("activity", "client", "common", "converter", "worker", "workflow"):
    module = importlib.import_module(f"invincible.{package}")
    for name in module.__all__:
        if not name.startswith("Sync"):  # blocking classes come with those of the raw services
            getattr(module, name)
loaded = [name for name in sys.modules if name.startswith(("google.protobuf", "invincible.api"))]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
