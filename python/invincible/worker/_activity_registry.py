"""The activities that a worker can run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from invincible.activity._definition import ActivityDefinition


@dataclass(frozen=True)
class Activity:
    """A registered activity: its definition, what to call, and whether that is to be awaited."""

    definition: ActivityDefinition
    function: Callable[..., Any]
    is_async: bool


Activities = Mapping["str | None", Activity]


def registered_activities(activities: Iterable[Any]) -> Activities:
    """Activities by name; the dynamic one is under ``None``.

    Raises:
        TypeError: one of them is no activity, or a method that is not bound to an object.
        ValueError: two of them have the same name.
    """
    registered: dict[str | None, Activity] = {}
    for each in activities:
        definition = ActivityDefinition.of(each)
        name = getattr(each, "__qualname__", repr(each))
        if definition is None:
            raise TypeError(f"{name} is not an activity: decorate it with @activity.defn")
        if inspect.isclass(each):
            raise TypeError(f"{name} is a class: register an object of it, as `{each.__name__}()`")
        if definition.is_method and inspect.isfunction(each):
            raise TypeError(f"{name} is a method: register it bound to an object, as `instance.{each.__name__}`")
        if definition.name in registered:
            other = registered[definition.name].definition.function
            what = "dynamic" if definition.name is None else f"named {definition.name!r}"
            raise ValueError(
                f"two activities are {what}: {other.__module__}.{other.__qualname__} and "
                f"{definition.function.__module__}.{definition.function.__qualname__}; "
                "give one of them another name: @activity.defn(name=...)"
            )
        if definition.name is not None:
            definition.signature  # noqa: B018  # annotations that cannot be resolved are an error now, not in a task
        is_async = definition.is_async or inspect.iscoroutinefunction(type(each).__call__)
        registered[definition.name] = Activity(definition, each, is_async)
    return registered
