"""The blocking classes, each made from its async one. Their signatures are in the stub that the build makes.

Those of the raw services are made when they are first met or asked for.
"""

from __future__ import annotations

import importlib

import invincible.client
import invincible.service

from .blocking import Blocking
from .discovery import async_classes
from .making import Maker
from .rules import LATE, sync_name

# The classes to make blocking ones from are found in what is loaded.
for _package in (invincible.client, invincible.service):
    for _name in _package.__all__:
        if not _name.startswith("Sync") and _name not in LATE:
            getattr(_package, _name)

_classes = async_classes()
_maker = Maker([*(cls.__name__ for cls in _classes), *LATE], __name__)
_late = {sync_name(name): name for name in LATE}


def __getattr__(name: str) -> type[Blocking]:
    if name not in _late:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(LATE[_late[name]])
    made = globals()[name] = _maker.make(getattr(module, _late[name]))
    return made


for _cls in _classes:
    globals()[sync_name(_cls.__name__)] = _maker.make(_cls)

_public = {*invincible.client.__all__, *invincible.service.__all__}
__all__ = sorted([*(sync_name(cls.__name__) for cls in _classes if cls.__name__ in _public), *_late])  # pyright: ignore[reportUnsupportedDunderAll]
