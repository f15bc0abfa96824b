"""Patches that a worker holds back: which of them new runs take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from invincible.workflow import Info, info, unsafe


@dataclass(frozen=True)
class PatchActivationInput:
    """What ``patch_activation_callback`` is asked about: a run that meets a patch for the first time.

    Attributes:
        workflow_info: The run.
        patch_id: Id of the patch, as given to ``workflow.patched``.
    """

    workflow_info: Info
    patch_id: str


def activates_patch(callback: Callable[[PatchActivationInput], bool]) -> Callable[[str], bool]:
    """Whether the current run is to take a patch, as the callback says."""

    def ask(patch_id: str) -> bool:
        # Its answer is in the history, by the patch's marker: how it comes to it need not be repeatable.
        with unsafe.sandbox_unrestricted():
            answer = callback(PatchActivationInput(info(), patch_id))
        if not isinstance(answer, bool):
            raise TypeError(
                f"patch_activation_callback must return True or False, got {type(answer).__name__} for {patch_id!r}"
            )
        return answer

    return ask
