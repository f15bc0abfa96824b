"""How a blocking class is made from an async one."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import is_dataclass
from functools import partial, wraps
from types import new_class
from typing import Any, Generic, get_origin

from .blocking import Blocking, counterpart, next_of, register, unwrapped, wrapped
from .calls import Call, Calls
from .discovery import fields, functions, mentioned, properties
from .rules import BASES, COMMON_BASE, SPECIAL, sync_doc, sync_name

_CONTAINERS = frozenset({"Mapping", "Sequence", "dict", "list", "tuple"})


class Maker:
    """Makes blocking classes.

    Args:
        names: Names of all async classes that have one.
        module: Name of the module they are for.
    """

    def __init__(self, names: Collection[str], module: str) -> None:
        """Makes none yet."""
        self._names = frozenset(names)
        self._module = module

    def make(self, cls: type) -> type[Blocking]:
        """Makes the blocking class of an async one, whose bases have theirs already."""
        name = sync_name(cls.__name__)
        own = _own_base(cls)
        bases = [base for parent in cls.__bases__ if (base := counterpart(parent))]
        if own is not Blocking or not bases:
            bases.append(own)
        generics = [base for base in getattr(cls, "__orig_bases__", ()) if get_origin(base) is Generic]
        members = {
            "__module__": self._module,
            "__doc__": sync_doc(cls.__doc__ or "", self._names) if own is Blocking else own.__doc__,
            "_async_class": cls,
            **{member: self._described(made, name) for member, made in self._members(cls)},
        }
        made: type[Blocking] = new_class(name, (*bases, *generics), exec_body=lambda body: body.update(members))
        return register(cls, made)

    def _members(self, cls: type) -> Iterator[tuple[str, Any]]:
        if "__init__" in vars(cls) and not is_dataclass(cls):
            yield "__init__", wraps(vars(cls)["__init__"])(_initializer())
        for name, annotation in fields(cls).items():
            deep = self._is_deep(mentioned(annotation, vars(sys.modules[cls.__module__])))
            yield name, property(_getter(name, deep))
        for name, getter in properties(cls):
            deep = self._is_deep(mentioned(inspect.get_annotations(getter).get("return"), getter.__globals__))
            settable = getattr(vars(cls)[name], "fset", None) is not None
            yield name, property(wraps(getter)(_getter(name, deep)), _setter(name) if settable else None)
        for name, function in functions(cls):
            yield SPECIAL.get(name, name), self._method(vars(cls)[name], function)

    def _method(self, member: Any, function: Any) -> Any:
        name = function.__name__
        names = {
            parameter: mentioned(annotation, function.__globals__)
            for parameter, annotation in inspect.get_annotations(function).items()
        }
        deep = self._is_deep(names.pop("return", frozenset()))
        waits = inspect.iscoroutinefunction(function)
        if isinstance(member, classmethod):
            return classmethod(wraps(function)(_class_method(name, waits)))
        if isinstance(member, staticmethod):
            return staticmethod(wraps(function)(_static_method(function, waits)))
        if name == "__anext__":
            return wraps(function)(lambda self: next_of(self._async, self._calls))
        callbacks = [
            parameter for parameter, mentions in names.items() if "Callable" in mentions and self._leads_on(mentions)
        ]
        if callbacks and waits:
            return wraps(function)(_asking(function, callbacks, deep))
        return wraps(function)(_waiting(name, deep) if waits else _direct(name, deep))

    def _leads_on(self, mentions: frozenset[str]) -> bool:
        return not self._names.isdisjoint(mentions)

    def _is_deep(self, mentions: frozenset[str]) -> bool:
        # Of a Sequence[T], only derived classes tell what T is.
        return self._leads_on(mentions) or not _CONTAINERS.isdisjoint(mentions)

    def _described(self, made: Any, owner: str) -> Any:
        """A member with the name and the docs that it has in the blocking class."""
        function: Any = made.fget if isinstance(made, property) else getattr(made, "__func__", made)
        function.__module__ = self._module
        function.__name__ = SPECIAL.get(function.__name__, function.__name__)
        function.__qualname__ = f"{owner}.{function.__name__}"
        function.__doc__ = sync_doc(function.__doc__ or "", self._names)
        return property(made.fget, made.fset) if isinstance(made, property) else made


def _own_base(cls: type) -> type[Blocking]:
    module, name = BASES.get(cls.__name__, COMMON_BASE)
    base: type[Blocking] = getattr(importlib.import_module(module), name)
    return base


def _initializer() -> Callable[..., None]:
    return lambda self, *args, **kwargs: Blocking.__init__(self, *args, **kwargs)


def _getter(name: str, deep: bool) -> Callable[[Blocking], Any]:
    return lambda self: self._give(getattr(self._async, name), deep)


def _setter(name: str) -> Callable[[Blocking, Any], None]:
    return lambda self, value: setattr(self._async, name, unwrapped(value))


def _direct(name: str, deep: bool) -> Callable[..., Any]:
    def direct(self: Blocking, *args: Any, **kwargs: Any) -> Any:
        return self._give(_bound(self, name, args, kwargs)(), deep)

    return direct


def _waiting(name: str, deep: bool) -> Callable[..., Any]:
    def waiting(self: Blocking, *args: Any, **kwargs: Any) -> Any:
        method = _bound(self, name, args, kwargs)
        return self._give(self._calls.run(lambda _: method()).get(), deep)

    return waiting


def _bound(self: Blocking, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Callable[[], Any]:
    """The call of a method of the async object."""
    named = {key: unwrapped(value) for key, value in kwargs.items()}
    return partial(getattr(self._async, name), *map(unwrapped, args), **named)


def _asking(function: Any, callbacks: Collection[str], deep: bool) -> Callable[..., Any]:
    """A method with functions of the caller's among its arguments, which run in the thread that waits."""
    signature = inspect.signature(function)

    def asking(self: Blocking, *args: Any, **kwargs: Any) -> Any:
        given = signature.bind(self._async, *args, **kwargs)

        def work(call: Call) -> Any:
            for name in callbacks:
                if callable(callback := given.arguments.get(name)):
                    given.arguments[name] = partial(_ask, call, self._calls, callback)
            return function(*map(unwrapped, given.args), **given.kwargs)

        return self._give(self._calls.run(work).get(), deep)

    return asking


async def _ask(call: Call, calls: Calls, callback: Callable[..., Any], *args: Any) -> Any:
    return unwrapped(await call.ask(lambda: callback(*(wrapped(value, calls, deep=True) for value in args))))


def _class_method(name: str, waits: bool) -> Callable[..., Any]:
    def class_method(cls: type[Blocking], *args: Any, **kwargs: Any) -> Any:
        value, calls = _called(getattr(cls._async_class, name), waits, args, kwargs)
        return cls._of(value, calls) if isinstance(value, cls._async_class) else wrapped(value, calls)

    return class_method


def _static_method(function: Callable[..., Any], waits: bool) -> Callable[..., Any]:
    def static_method(*args: Any, **kwargs: Any) -> Any:
        value, calls = _called(function, waits, args, kwargs)
        return wrapped(value, calls)

    return static_method


def _called(
    function: Callable[..., Any], waits: bool, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Any, Calls]:
    """What a function that belongs to no object gives, and the calls of whoever comes of it."""
    calls = Calls()
    args, kwargs = tuple(map(unwrapped, args)), {key: unwrapped(value) for key, value in kwargs.items()}
    return calls.run(lambda _: function(*args, **kwargs)).get() if waits else function(*args, **kwargs), calls
