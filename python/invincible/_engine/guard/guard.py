"""The guard of one process: all its workers share it, because what it replaces belongs to the process."""

from __future__ import annotations

import copyreg
import os
import sys
import threading
from collections.abc import Iterable, MutableMapping
from types import BuiltinFunctionType
from typing import Any

from invincible._engine.definition import WorkflowDefinition

from .places import look_up_late, module_swaps, object_swaps
from .reach import functions_reached, reached_from
from .stack import own_packages, top_package
from .swaps import Swaps, original_of, reduce_function


class Guard:
    """Replaces functions that workflow code must not call for the time of a ``with`` block; blocks may overlap.

    A replaced function asks whether its thread runs workflow code, and is the original in all other cases.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered = 0
        self._random = object_swaps()
        self._libraries = [self._random, *module_swaps()]
        self._modules: dict[int, Swaps] = {}
        self._plan()

    def __enter__(self) -> None:
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
                for values, name, original, guard in self._entries:
                    if values[name] is not original:
                        self._put_anew()
                        return
                    values[name] = guard
            except KeyError:
                self._put_anew()

    def __exit__(self, *exception: object) -> None:
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
                for values, name, original, guard in self._entries:
                    if values[name] is not guard:
                        self._restore_own()
                        return
                    values[name] = original
            except KeyError:
                self._restore_own()

    def _put_anew(self) -> None:
        """Guard what there is now: somebody else has replaced some of the functions, for a test perhaps."""
        for swaps in self._swaps:
            swaps.read()
        self._plan()
        for swaps in self._swaps:
            swaps.put_all()

    def _restore_own(self) -> None:
        for swaps in self._swaps:
            swaps.restore_own()

    def _plan(self) -> None:
        self._swaps = (*self._libraries, *self._modules.values())
        self._put = tuple(swaps.put for swaps in self._swaps if swaps.put is not None)
        self._restore = tuple(swaps.restore for swaps in self._swaps if swaps.restore is not None)
        self._entries = tuple(entry for swaps in self._swaps for entry in swaps.entries)

    def cover(self, namespaces: Iterable[MutableMapping[str, Any]]) -> None:
        """Replace also what these modules have bound to names of their own (``from time import time``), and what
        belongs to libraries that have been imported in the meantime."""
        with self._lock:
            self._libraries = [self._random, *module_swaps()]
            bound = {id(function): replace for swaps in self._libraries for function, replace in swaps.functions()}
            for values in namespaces:
                names = {name: bound.get(id(original_of(value))) for name, value in list(values.items())}
                replacements = {name: replace for name, replace in names.items() if replace is not None}
                if replacements and id(values) not in self._modules:
                    # The dictionary is kept alive by its entry, so that its id stays its own.
                    self._modules[id(values)] = Swaps(values, replacements)
            self._plan()
            if self._entered:
                self._put_anew()

    def _after_fork(self) -> None:
        """A child of fork has none of the threads that would leave their blocks."""
        self._lock = threading.Lock()
        self._entered = 0
        self._restore_own()


_install_lock = threading.Lock()
_guard: Guard | None = None


def install(definitions: Iterable[WorkflowDefinition], interceptors: Iterable[type] = ()) -> Guard:
    """Prepare the process for guarded workflows of these types and their interceptors, and return its guard."""
    global _guard
    with _install_lock:
        if _guard is None:
            look_up_late()
            copyreg.pickle(BuiltinFunctionType, reduce_function)
            _guard = Guard()
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_guard._after_fork)
    definitions = list(definitions)
    own_packages.update(top_package(definition.run.__module__) for definition in definitions)
    functions = [function for definition in definitions for function in functions_reached(definition)]
    functions += reached_from(each for interceptor in interceptors for each in interceptor.__mro__)
    _guard.cover(function.__globals__ for function in functions)
    if sys.version_info >= (3, 12):
        from . import calls

        calls.watch(function.__code__ for function in functions)
    return _guard
