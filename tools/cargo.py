"""Runs cargo in the environment in which maturin builds the extension module.

    python tools/cargo.py test --lib
    python tools/cargo.py clippy --all-targets

PyO3's build scripts run again when their variables change, and everything after them is compiled anew. With maturin's
own values (as of maturin 1.16; others only cost time) the module, its tests and clippy share one build.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINKER = ROOT / "tools" / "rustc-libpython"


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    environment = {**os.environ, **pyo3_variables()}
    command, *rest = arguments
    if command == "test":
        environment |= libpython_variables()
        # Optimizing the bridge takes minutes, most of them on code of Core's that is generic. Its tests do not need it.
        rest = ["--config", "profile.release.package.invincible-core-bridge.opt-level=0", *rest]
    if command in ("bench", "build", "check", "clippy", "test"):
        rest = ["--locked", "--release", *rest]
    return subprocess.run(["cargo", command, *rest], cwd=ROOT, env=environment).returncode


def pyo3_variables() -> dict[str, str]:
    release = f"{sys.version_info.major}.{sys.version_info.minor}"
    variables = {
        "PYO3_BUILD_EXTENSION_MODULE": "1",
        "PYO3_PYTHON": sys.executable,
        "PYO3_ENVIRONMENT_SIGNATURE": f"{sys.implementation.name}-{release}-{64 if sys.maxsize > 2**32 else 32}bit",
    }
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    for path in target.glob(f"maturin/pyo3-config-*-{release}-abi3.txt"):
        variables["PYO3_CONFIG_FILE"] = str(path)
    return variables


def libpython_variables() -> dict[str, str]:
    """What a test program needs to link the interpreter, which the extension module must not."""
    release = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = sysconfig.get_config_var("LIBDIR") or ""
    if not any(Path(folder, f"libpython{release}{suffix}").exists() for suffix in (".so", ".dylib")):
        sys.exit(
            f"The Rust tests embed Python, but {sys.executable} has no shared library libpython{release} in "
            f"{folder or 'any folder it names'}. Install the development package of this Python (Debian: "
            f"libpython{release}-dev), or set PYTHON to one built with --enable-shared and run 'make clean setup'."
        )
    return {"RUSTC_WORKSPACE_WRAPPER": str(LINKER), "LIBPYTHON_DIR": folder, "LIBPYTHON_NAME": f"python{release}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
