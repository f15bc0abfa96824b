"""Program: runs another program of this folder and counts the calls of Python functions in all its threads.

    counted.py FILE PROGRAM ARGUMENTS...

Writes a JSON object to FILE when the program ends: calls by function, as `module:function`. Counting makes the program
several times slower: it says how often, not how long.
"""

from __future__ import annotations

import json
import runpy
import sys
import threading
from collections import defaultdict
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

CALLS: defaultdict[CodeType, int] = defaultdict(int)
SELF = "invincible"


def count(frame: FrameType, event: str, argument: Any) -> None:
    if event == "call":
        CALLS[frame.f_code] += 1


def name(code: CodeType) -> str:
    """The path from the package's folder on, or the file's name alone, and the function."""
    parts = Path(code.co_filename).with_suffix("").parts
    package = max((number for number, part in enumerate(parts) if part == SELF), default=len(parts) - 1)
    return f"{'.'.join(parts[package:])}:{getattr(code, 'co_qualname', code.co_name)}"


def main() -> None:
    file, program, *arguments = sys.argv[1:]
    sys.argv = [program, *arguments]
    sys.path[0] = str(Path(program).parent)
    threading.setprofile(count)
    sys.setprofile(count)
    try:
        runpy.run_path(program, run_name="__main__")
    finally:
        sys.setprofile(None)
        calls: defaultdict[str, int] = defaultdict(int)
        for code, number in CALLS.copy().items():
            calls[name(code)] += number
        Path(file).write_text(json.dumps(calls), encoding="utf-8")


if __name__ == "__main__":
    main()
