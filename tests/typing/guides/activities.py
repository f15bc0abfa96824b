"""What the page about activities takes for granted."""

from __future__ import annotations

from datetime import timedelta

from invincible import activity
from invincible.client import Client
from invincible.worker import Worker

__all__ = ["Client", "Entry", "Worker", "activity", "ledger", "library", "timedelta"]


class Entry: ...


class Ledger:
    def write(self, entry: Entry) -> None: ...

    def sign(self, entry: Entry) -> None: ...


class Library:
    def train(self, model: str) -> str:
        return model


ledger = Ledger()
library = Library()
