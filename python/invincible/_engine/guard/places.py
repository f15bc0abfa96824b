"""Where the functions are looked up that all others of the standard library go through to get at time, randomness,
files, the network, processes and threads: what the guard replaces."""

from __future__ import annotations

import glob
import io
import os
import pathlib
import random
import sys

# Loaded before a batch, because it keeps ``io.open`` for itself: reading a time zone is no use of files.
import zoneinfo  # noqa: F401
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from .rules import RULES
from .swaps import GuardedModule, Replace, Swaps, guarded

# By module, names that there is a rule for. Each costs a batch of activations 30 ns or so: functions that are of little
# use without these, or that nobody calls unawares, are left out. So is os.rmdir, because shutil.rmtree asks for its
# identity, and another thread may be in there.
_NAMES = {
    "time": (
        "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns localtime "
        "gmtime strftime sleep"
    ),
    "os": (
        "urandom open listdir scandir mkdir remove unlink rename replace utime chdir putenv system kill "
        + ("spawnv spawnve startfile" if sys.platform == "win32" else "fork")
    ),
    "builtins": "open input",
    "random": "random getrandbits",
    "socket": "gethostname",
    "sqlite3": "connect",
}
# By module, names that are looked up on the way, and the functions that they stand for.
_INNER_NAMES = {
    "io": {"open": "builtins.open"},
    "random": {"_urandom": "os.urandom"},
    "sqlite3.dbapi2": {"connect": "sqlite3.connect"},
    # Popen calls this before anything else, also where it takes another way to the new process.
    "subprocess": {"_cleanup": "subprocess.Popen"},
    "threading": {
        "_start_joinable_thread" if sys.version_info >= (3, 13) else "_start_new_thread": "threading.Thread.start"
    },
    "uuid": {"_generate_time_safe": "uuid.uuid1"},
}
_SOCKETS = {name: (f"socket.{name}", RULES[f"socket.{name}"]) for name in ("getaddrinfo", "socket", "socketpair")}


def module_swaps() -> list[Swaps]:
    """What is replaced in modules, as far as they are imported by now."""
    swaps = []
    for module_name in dict.fromkeys((*_NAMES, *_INNER_NAMES)):
        module = sys.modules.get(module_name)
        if module is not None:
            names = {name: f"{module_name}.{name}" for name in _NAMES.get(module_name, "").split()}
            replacements = _replacements({**names, **_INNER_NAMES.get(module_name, {})})
            if module_name == "socket":
                # The class itself stays, because others ask what is an instance of it and derive from it.
                replacements["_socket"] = partial(GuardedModule, _SOCKETS)
            swaps.append(Swaps(vars(module), replacements))
    return swaps


def object_swaps() -> Swaps:
    """What is replaced in the generator whose methods the functions of ``random`` are."""
    generator: Any = random._inst
    numbers = vars(generator)
    names = {"random": "random.random", "getrandbits": "random.getrandbits"}
    for name in names:
        # Instance attributes, so that there is a value to replace: randint, shuffle and the like call these two.
        numbers[name] = getattr(random, name)
    return Swaps(numbers, _replacements(names))


def _replacements(names: dict[str, str]) -> dict[str, Replace]:
    return {name: partial(guarded, full_name, RULES[full_name]) for name, full_name in names.items()}


def look_up_late() -> None:
    """Let ``pathlib`` look functions up when it calls them where it keeps them: in 3.10, and in 3.13 for ``glob``."""
    for owner in (getattr(pathlib, "_NormalAccessor", None), getattr(glob, "_StringGlobber", None)):
        for module, names in ((io, "open"), (os, _NAMES["os"])):
            for name in names.split():
                if getattr(owner, name, owner) is getattr(module, name):
                    setattr(owner, name, staticmethod(_late(module, name)))


def _late(module: ModuleType, name: str) -> Callable[..., Any]:
    return lambda *args, **kwargs: getattr(module, name)(*args, **kwargs)
