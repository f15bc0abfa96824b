"""Durable execution for Python on Temporal's Rust core.

Workflow code imports :mod:`invincible.workflow`, activities :mod:`invincible.activity`; programs that start or run them
import :mod:`invincible.client` and :mod:`invincible.worker`. Importing this package alone loads none of them.
"""

__version__: str
"""The version of the installed package."""


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Reading the installed metadata takes longer than importing this package.
    from importlib.metadata import version

    return version("invincible")
