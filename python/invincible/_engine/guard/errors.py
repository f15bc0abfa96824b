"""What the guard raises in workflow code, and what it warns of at registration."""

from __future__ import annotations

from invincible._engine.errors import NondeterminismError


class RestrictedWorkflowAccessError(NondeterminismError):
    """Workflow code called something that a replay could not repeat; raised at the call.

    It is no failure: the workflow task fails and is tried again, so a corrected worker carries on.

    Attributes:
        qualified_name: What was called, for example ``time.time``.
        message: What happened, where, and what to use instead.
    """

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        self.qualified_name = qualified_name
        self.message = override_message or self.default_message(qualified_name)
        super().__init__(self.message)

    @staticmethod
    def default_message(qualified_name: str) -> str:
        """The message where no better one is known."""
        return (
            f"{qualified_name} is not possible in workflow code, because a replay could not repeat it: "
            "move it into an activity"
        )


class DeterminismWarning(UserWarning):
    """The static pass found workflow code that a replay may not repeat; the text is ``file:line: message``."""
