"""What can be pickled for another process, and read there."""

from __future__ import annotations

import pickle
from typing import Any


def through_pickle(value: object) -> tuple[bytes, Any] | None:
    """The pickle of a value, and what that is read as; ``None`` if either fails.

    Exceptions with parameters of their own, among others, often can be written and not be read.
    """
    try:
        pickled = pickle.dumps(value)
        return pickled, pickle.loads(pickled)
    except Exception:  # it is the value's own code
        return None
