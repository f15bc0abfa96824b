"""The end of the worker's process with the command, however that ends."""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system end this process when its parent is gone, even while native code keeps all threads waiting.

    Only Linux can do that; elsewhere the process ends by itself, as soon as a thread of it runs.
    """
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended meanwhile, which nobody tells any more
        os._exit(1)
