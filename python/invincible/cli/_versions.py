"""The versions that `invincible --version` tells."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version


def version_lines() -> list[str]:
    """This package, Temporal's Core inside of it, the embedded server and Python, a line each."""
    from invincible._native import CORE_VERSION

    return [
        f"invincible {version('invincible')}",
        f"Temporal Core {CORE_VERSION}",
        f"server: {_server()}",
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}",
    ]


def _server() -> str:
    from invincible.testing._server import ServerStartError, server_binary

    try:
        program = server_binary()
    except ServerStartError as error:
        return str(error)
    try:
        done = subprocess.run([program, "--version"], capture_output=True, encoding="utf-8", timeout=10)
    except subprocess.TimeoutExpired:
        return f"{program} does not answer"
    except OSError as error:
        return f"{program} cannot be run: {error.strerror}"
    told = done.stdout.strip()
    return told if done.returncode == 0 and told else f"{program} does not tell its version"
