"""What crosses the border between the languages: the Python side of the Go worker's types, and samples of them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Person:
    name: str
    age: int
    tags: list[str] = field(default_factory=list)
    manager: Person | None = None


@dataclass
class Values:
    """One value of each kind. `bytes` is base64 here, as Go writes bytes inside JSON."""

    note: str | None
    bytes: str
    int: int
    float: float
    text: str
    list: list[str]
    map: dict[str, Any]
    person: Person


@dataclass
class Failure:
    """How something is to fail."""

    message: str
    type: str = "Wanted"
    details: list[Any] = field(default_factory=list)
    non_retryable: bool = True
    cause: Failure | None = None


@dataclass
class Link:
    """One error of a chain of causes, as Go sees it. `detail` is the first of the error's details."""

    kind: str
    name: str = ""
    message: str = ""
    type: str = ""
    non_retryable: bool = False
    detail: Any = None


ADA = Person("Ada", 36, ["mathematics", "Äôß ✓ 🙂"], Person("Charles", 60))
BYTES = bytes(range(256))
BOB = Person("Bob", 7)
# Neither can be a number of the other kind: a double cannot hold the integer, and no integer is the fraction.
INT = 2**63 - 1
FLOAT = -1.2345678901234567e-300
TEXT = 'Grüße, "世界" \\ \n\t\u2028 🙂'
LIST = ["one", "", "Ü"]
MAP: dict[str, Any] = {"text": "ü", "list": [1.5, True, None], "inner": {"deep": "er"}}
VALUES = Values(None, base64.b64encode(BYTES).decode(), INT, FLOAT, TEXT, LIST, MAP, ADA)
FAILURE = Failure("on demand", details=[{"code": 7}], cause=Failure("the reason", type="Reason"))
