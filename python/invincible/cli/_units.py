"""Values of options with a unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import click

_VALUE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_PARTS = re.compile(r"\d+(?:\.\d+)?[A-Za-z]+")  # of several units
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_BYTES |= {"k": 2**10, "m": 2**20, "g": 2**30, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def duration(text: str) -> timedelta:
    """The duration of ``500ms``, ``30s``, ``2m``, ``1h``, ``7d``, ``1h30m``; a bare number is seconds.

    Raises:
        BadParameter: It is none.
    """
    parts = _PARTS.findall(text) if _PARTS.sub("", text) == "" else []
    amounts = [_amount(part, _SECONDS) for part in (parts or [text])]
    seconds = None if None in amounts else sum(filter(None, amounts))
    if seconds is None:
        raise click.BadParameter(f"{text!r} is no duration: write 500ms, 30s, 2m, 1h or 7d")
    try:
        return timedelta(seconds=seconds)
    except OverflowError:
        raise click.BadParameter(f"{text!r} is too long") from None


def moment(text: str) -> datetime:
    """The time of ``2027-01-31``, ``2027-01-31 09:00``, ``2027-01-31T09:00:00Z``; in this machine's zone without one.

    Raises:
        BadParameter: It is none.
    """
    given = text.strip()
    try:
        # Python 3.10 does not know the Z.
        found = datetime.fromisoformat(f"{given[:-1]}+00:00" if given[-1:] in ("Z", "z") else given)
        return found.astimezone() if found.tzinfo is None else found
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time: write 2027-01-31T09:00:00Z, with another zone 2027-01-31T09:00:00+01:00, or "
            "2027-01-31 09:00 for the zone of this machine"
        ) from None


def size(text: str) -> int:
    """The bytes of ``500MB``, ``2GB``, ``512MiB``; a bare number is bytes.

    Raises:
        BadParameter: It is no size.
    """
    amount = _amount(text, _BYTES)
    if amount is None:
        raise click.BadParameter(f"{text!r} is no size: write 500MB, 2GB or 512MiB")
    return round(amount)


def address(text: str) -> str:
    """An address as ``host:port``.

    Raises:
        BadParameter: It is none.
    """
    from invincible.worker._processes._options import host_and_port

    try:
        host_and_port("it", text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no address: write host:port, as in 127.0.0.1:9090") from None
    return text


def name(text: str) -> str:
    """What is not empty.

    Raises:
        BadParameter: It is.
    """
    if not text:
        raise click.BadParameter("it must not be empty")
    return text


def _amount(text: str, units: Mapping[str, float]) -> float | None:
    match = _VALUE.fullmatch(text.strip())
    factor = None if match is None else units.get(match[2].lower())
    return None if match is None or factor is None else float(match[1]) * factor
