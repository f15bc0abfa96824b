"""Text that others wrote, made fit for a terminal: ids, messages and payloads may hold anything."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

# What a terminal acts upon, what turns text around, and halves of characters that have no encoding.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Parts of what people write: a joiner holds emoji and scripts together, a variation selector is of category Mn.
_HARMLESS = frozenset("\u200c\u200d")


_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def clean(text: str, *, lines: bool = False) -> str:
    """The text with everything that a terminal would act upon written as an escape, ``\\x1b`` say.

    Args:
        text: The text.
        lines: Whether line breaks and tabs stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = frozenset("\n\t") if lines else frozenset[str]()
    return "".join(each if each in kept or _visible(each) else _escaped(each) for each in text)


def shortened(text: str, limit: int | None, size: int | None = None) -> str:
    """The text, or its beginning if it has more than ``limit`` characters, and its size if it is large.

    Args:
        text: The text, or more than ``limit`` characters of it.
        limit: Most characters; all of them if ``None``.
        size: Bytes of all of it; those of ``text`` by default.
    """
    if limit is None or len(text) <= limit:
        return text
    size = len(text.encode(errors="surrogatepass")) if size is None else size
    return f"{text[: max(limit - 1, 1)]}…{f' ({size_text(size)} in all)' if size >= 1024 else ''}"


def size_text(size: int) -> str:
    """``512 B``, ``1.5 KiB``, ``2 MiB``."""
    amount, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{f'{amount:.1f}'.removesuffix('.0')} {unit}"


def duration_text(duration: timedelta) -> str:
    """``850ms``, ``3.2s``, ``5m 10s``, ``2h 5m``, ``90d 3h``."""
    seconds = duration.total_seconds()
    if abs(seconds) < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    if abs(seconds) < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    sign, rest = ("-" if seconds < 0 else ""), round(abs(seconds))
    amounts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        amounts.append((amount, unit))
    first = next(index for index, (amount, _) in enumerate(amounts) if amount)
    return sign + " ".join(f"{amount}{unit}" for amount, unit in amounts[first : first + 2] if amount)


def _visible(character: str) -> bool:
    return character in _HARMLESS or unicodedata.category(character) not in _UNSEEN


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{ord(character):02x}" if ord(character) < 0x80 else ascii(character)[1:-1]
