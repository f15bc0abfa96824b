"""How a worker runs workflow code: guarded, which is the default, or not."""

from __future__ import annotations

from typing import ClassVar


class WorkflowRunner:
    """How a worker runs workflow code: ``SandboxedWorkflowRunner`` or ``UnsandboxedWorkflowRunner``.

    Runners of your own are not supported: the engine runs workflows without protobuf messages in between.
    """

    _guarded: ClassVar[bool] = True


class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflow code without the determinism guard."""

    _guarded: ClassVar[bool] = False
