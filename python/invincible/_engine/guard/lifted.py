"""Where workflow code has lifted the guard; by task, because tasks take turns inside of a ``with`` block."""

from __future__ import annotations

from contextvars import ContextVar

UNRESTRICTED: ContextVar[bool] = ContextVar("unrestricted", default=False)
"""Whether the current task is inside ``workflow.unsafe.sandbox_unrestricted()``."""

PASSED_THROUGH: ContextVar[bool] = ContextVar("passed_through", default=False)
"""Whether the current task is inside ``workflow.unsafe.imports_passed_through()``."""
