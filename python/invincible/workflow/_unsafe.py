"""What most workflow code should not depend on, and ways around the determinism guard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from enum import Flag, auto
from typing import TypeVar

from invincible._engine.context import current_run, current_run_or_none
from invincible._engine.guard.lifted import PASSED_THROUGH, UNRESTRICTED

T = TypeVar("T")


class SandboxImportNotificationPolicy(Flag):
    """When to tell of imports in workflow code. Accepted for compatibility: modules are imported once, as anywhere."""

    SILENT = auto()
    WARN_ON_DYNAMIC_IMPORT = auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = auto()


_import_policy: ContextVar[SandboxImportNotificationPolicy | None] = ContextVar("import_policy", default=None)


class unsafe:
    """What most workflow code should not depend on."""

    @staticmethod
    def is_replaying() -> bool:
        """Whether the current task replays history. Code that branches on it is not deterministic.

        Raises:
            NotInWorkflowError: outside of workflow code.
        """
        return current_run().is_replaying

    @staticmethod
    def is_replaying_history_events() -> bool:
        """Whether code runs again that ran before; unlike ``is_replaying``, not in queries and update validators.

        Raises:
            NotInWorkflowError: outside of workflow code.
        """
        run = current_run()
        return run.is_replaying and not run.read_only

    @staticmethod
    def is_read_only() -> bool:
        """Whether a query or an update validator runs, which may not change the workflow.

        Raises:
            NotInWorkflowError: outside of workflow code.
        """
        return current_run().read_only

    @staticmethod
    def in_sandbox() -> bool:
        """Whether this is workflow code that the determinism guard watches."""
        run = current_run_or_none()
        return run is not None and run.guarded

    @staticmethod
    def is_sandbox_unrestricted() -> bool:
        """Whether the code is inside ``sandbox_unrestricted``."""
        return UNRESTRICTED.get()

    @staticmethod
    @contextmanager
    def sandbox_unrestricted() -> Iterator[None]:
        """Lift the determinism guard for a block, in the current task and in tasks it starts there.

        Nothing that the block finds out may influence what the workflow does: a replay would do something else.

        Example:
            with workflow.unsafe.sandbox_unrestricted():
                started = time.perf_counter()
        """
        with _set(UNRESTRICTED, True):
            yield

    @staticmethod
    def is_imports_passed_through() -> bool:
        """Whether the code is inside ``imports_passed_through``."""
        return PASSED_THROUGH.get()

    @staticmethod
    @contextmanager
    def imports_passed_through() -> Iterator[None]:
        """Mark imports for the official SDK's sandbox. Here modules are imported once in any case; the determinism
        guard is lifted inside, so that an import in workflow code may do what it needs to."""
        with _set(PASSED_THROUGH, True):
            yield

    @staticmethod
    def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
        """The policy that ``sandbox_import_notification_policy`` has set, ``None`` outside of it."""
        return _import_policy.get()

    @staticmethod
    @contextmanager
    def sandbox_import_notification_policy(policy: SandboxImportNotificationPolicy) -> Iterator[None]:
        """Set the policy for a block. It has no effect here: modules are imported once, so there is nothing to tell."""
        with _set(_import_policy, policy):
            yield


@contextmanager
def _set(variable: ContextVar[T], value: T) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        # The code of an evicted run is closed in another context, where there is nothing to set back.
        with suppress(ValueError):
            variable.reset(token)
