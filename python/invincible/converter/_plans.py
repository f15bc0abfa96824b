"""Decoders that native code follows by itself while it reads JSON. Other decoders it calls with what JSON gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invincible._native import JsonPlan

_ATTRIBUTE = "_invincible_json_plan"


def set_plan(decoder: Callable[[Any], Any], plan: JsonPlan) -> None:
    """Says that a plan makes the same of JSON as a decoder, wherever the plan makes something of it at all."""
    setattr(decoder, _ATTRIBUTE, plan)


def own_plan(decoder: Callable[[Any], Any]) -> JsonPlan | None:
    """The plan that was set for a decoder."""
    plan: JsonPlan | None = getattr(decoder, _ATTRIBUTE, None)
    return plan


def plan_of(decoder: Callable[[Any], Any]) -> JsonPlan:
    """The plan of a decoder; if none was set, the one that calls it."""
    return own_plan(decoder) or JsonPlan.decoded(decoder)
