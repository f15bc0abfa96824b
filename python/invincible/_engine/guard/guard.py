"""The guard of one process: all its workers share it, because what it replaces belongs to the process."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import uuid
from collections.abc import Iterable, MutableMapping
from typing import Any

from invincible._engine.definition import WorkflowDefinition

from . import audit
from .reach import functions_reached
from .rules import RULES, Rule
from .stack import own_packages, top_package
from .swaps import Swaps, original_of

_TIME = (
    "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns localtime gmtime "
    "strftime sleep"
)


class Guard:
    """Replaces functions that workflow code must not call, from ``enter`` to ``exit``; pairs may nest and overlap.

    A replaced function asks whether its thread runs workflow code, and is the original in all other cases.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered = 0
        self._base = _base_swaps()
        self._modules: dict[int, Swaps] = {}
        self._swaps: tuple[Swaps, ...] = self._base
        self._plan()

    def enter(self) -> None:
        """Guard from now on, until as many calls of ``exit``."""
        with self._lock:
            self._entered += 1
            if self._entered > 1:
                return
            try:
                for get, values, originals, update, guards in self._put:
                    if get(values) != originals:
                        self._put_anew()
                        return
                    update(guards)
            except KeyError:
                self._put_anew()

    def exit(self) -> None:
        """Take back what ``enter`` did."""
        with self._lock:
            self._entered -= 1
            if self._entered:
                return
            try:
                for get, values, guards, update, originals in self._restore:
                    if get(values) != guards:
                        self._restore_own()
                        return
                    update(originals)
            except KeyError:
                self._restore_own()

    def _put_anew(self) -> None:
        """Guard what there is now: somebody else has replaced some of the functions, for a test perhaps."""
        for swaps in self._swaps:
            swaps.read()
        self._plan()
        for _, _, _, update, guards in self._put:
            update(guards)

    def _restore_own(self) -> None:
        for swaps in self._swaps:
            swaps.restore_own()

    def _plan(self) -> None:
        self._put = tuple(swaps.put for swaps in self._swaps)
        self._restore = tuple(swaps.restore for swaps in self._swaps)

    def __enter__(self) -> None:
        self.enter()

    def __exit__(self, *exception: object) -> None:
        self.exit()

    def cover(self, namespaces: Iterable[MutableMapping[str, Any]]) -> None:
        """Replace also what these modules have bound to names of their own: ``from time import time``."""
        with self._lock:
            bound = {id(function): rule for swaps in self._base for function, rule in swaps.originals()}
            for values in namespaces:
                names = {name: bound.get(id(original_of(value))) for name, value in list(values.items())}
                rules = {name: rule for name, rule in names.items() if rule is not None}
                if rules and id(values) not in self._modules:
                    # The dictionary is kept alive by its entry, so that its id stays its own.
                    self._modules[id(values)] = Swaps(values, rules)
            self._swaps = (*self._base, *self._modules.values())
            self._plan()
            if self._entered:
                self._put_anew()

    def _after_fork(self) -> None:
        """A child of fork has none of the threads that would call ``exit``."""
        self._lock = threading.Lock()
        self._entered = 0
        self._restore_own()


def _base_swaps() -> tuple[Swaps, ...]:
    """The functions through which the standard library's others get at time and randomness as well."""
    generator: Any = random._inst
    numbers = vars(generator)
    for name in ("random", "getrandbits"):
        # Instance attributes, so that there is a value to replace: randint, shuffle and the like call these two.
        numbers[name] = getattr(random, name)
    swaps: tuple[Swaps, ...] = (
        Swaps(time.__dict__, _rules("time", _TIME)),
        Swaps(os.__dict__, _rules("os", "urandom")),
        Swaps(random.__dict__, {**_rules("random", "random getrandbits"), "_urandom": _named("os.urandom")}),
        Swaps(numbers, _rules("random", "random getrandbits")),
        Swaps(uuid.__dict__, {"_generate_time_safe": _named("uuid.uuid1")}),
    )
    if sys.version_info < (3, 12):
        # Later versions report it as an audit event.
        swaps += (Swaps(threading.__dict__, {"_start_new_thread": _named("threading.Thread.start")}),)
    return swaps


def _rules(module: str, names: str) -> dict[str, tuple[str, Rule]]:
    return {name: _named(f"{module}.{name}") for name in names.split()}


def _named(name: str) -> tuple[str, Rule]:
    return name, RULES[name]


_install_lock = threading.Lock()
_guard: Guard | None = None


def install(definitions: Iterable[WorkflowDefinition]) -> Guard:
    """Prepare the process for guarded workflows of these types, and return its guard.

    The audit hook that reports files, sockets, processes and threads is installed with the first call, for good.
    """
    global _guard
    with _install_lock:
        if _guard is None:
            _guard = Guard()
            audit.install()
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_guard._after_fork)
    definitions = list(definitions)
    own_packages.update(top_package(definition.run.__module__) for definition in definitions)
    functions = [function for definition in definitions for function in functions_reached(definition)]
    _guard.cover(function.__globals__ for function in functions)
    if sys.version_info >= (3, 12):
        from . import calls

        calls.watch(function.__code__ for function in functions)
    return _guard
