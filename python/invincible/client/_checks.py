"""What is refused before anything is sent, where the wrong argument can still be named."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

Texts = TypeVar("Texts", bound=Collection[str])


def text(name: str, value: str) -> str:
    """A text, as it is.

    Args:
        name: How errors name it.
        value: The text.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {type(value).__name__}")
    return value


def optional_text(name: str, value: str | None) -> str | None:
    """:func:`text`, or ``None``."""
    return None if value is None else text(name, value)


def identifier(name: str, value: str) -> str:
    """:func:`text` that names something.

    Raises:
        TypeError: It is no text.
        ValueError: It is empty.
    """
    if not text(name, value):
        raise ValueError(f"{name} must not be empty")
    return value


def texts(name: str, values: Texts) -> Texts:
    """Several texts, as they are.

    Raises:
        TypeError: They are none, or a single text, which would pass for a sequence of its letters.
    """
    if isinstance(values, (str, bytes)) or not isinstance(values, Collection):
        raise TypeError(f"{name} must be a sequence of str, got {type(values).__name__}")
    for value in values:
        text(f"each of {name}", value)
    return values
