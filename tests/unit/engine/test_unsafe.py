"""``workflow.unsafe``: what most code should not ask, and the names of the official SDK's sandbox."""

from __future__ import annotations

import pytest

from invincible import workflow
from invincible.workflow._unsafe import SandboxImportNotificationPolicy
from tests.support.engine import Driver, completed

unsafe = workflow.unsafe


def test_guarded_code_knows_it() -> None:
    @workflow.defn
    async def guarded() -> bool:
        return unsafe.in_sandbox()

    @workflow.defn(sandboxed=False)
    async def unguarded() -> bool:
        return unsafe.in_sandbox()

    assert completed(Driver(guarded).start()) is True
    assert completed(Driver(unguarded).start()) is False


def test_blocks_are_known_inside_and_not_after_them() -> None:
    @workflow.defn
    async def blocks() -> list[bool]:
        states = [unsafe.is_sandbox_unrestricted(), unsafe.is_imports_passed_through()]
        with unsafe.sandbox_unrestricted():
            states.append(unsafe.is_sandbox_unrestricted())
        with unsafe.imports_passed_through():
            states.append(unsafe.is_imports_passed_through())
        return [*states, unsafe.is_sandbox_unrestricted(), unsafe.is_imports_passed_through()]

    assert completed(Driver(blocks).start()) == [False, False, True, True, False, False]


def test_blocks_end_with_an_exception_too() -> None:
    with pytest.raises(KeyError), unsafe.imports_passed_through():
        raise KeyError
    assert not unsafe.is_imports_passed_through()


def test_the_import_policy_is_known_inside() -> None:
    policy = SandboxImportNotificationPolicy.SILENT
    assert unsafe.current_import_notification_policy_override() is None
    with unsafe.sandbox_import_notification_policy(policy):
        assert unsafe.current_import_notification_policy_override() is policy
    assert unsafe.current_import_notification_policy_override() is None


def test_a_block_in_an_evicted_run_ends_quietly() -> None:
    seen: list[type[BaseException]] = []

    @workflow.defn
    async def held() -> None:
        try:
            with unsafe.sandbox_unrestricted():
                await workflow.sleep(60)
        except BaseException as error:
            seen.append(type(error))
            raise

    driver = Driver(held)
    driver.start()
    driver.evict()
    (kind,) = seen
    assert not issubclass(kind, Exception)
