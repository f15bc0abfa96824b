"""The embedded development server of invincible: where its binary is.

The binary is the Temporal server, its Web UI and SQLite in one file. ``invincible server`` and
``invincible.testing.WorkflowEnvironment.start_local()`` start it; this package only carries it.
"""

from pathlib import Path

__all__ = ["binary_path"]

__version__: str
"""The version of the installed package."""


def binary_path() -> Path:
    """Where the server's binary is.

    Raises:
        FileNotFoundError: The package is installed without it.
    """
    folder = Path(__file__).parent / "bin"
    for name in ("invincible-server", "invincible-server.exe"):
        path = folder / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"no server binary in {folder}: install the package invincible-server again")


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Reading the installed metadata takes longer than importing this package.
    from importlib.metadata import version

    return version("invincible-server")
