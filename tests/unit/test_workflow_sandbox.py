"""The official SDK's names for its sandbox: code that configures it runs unchanged."""

from __future__ import annotations

import dataclasses

import pytest

from invincible import workflow
from invincible.exceptions import FailureError
from invincible.worker import workflow_sandbox
from invincible.worker._runners import UnsandboxedWorkflowRunner, WorkflowRunner
from invincible.worker.workflow_sandbox import (
    RestrictedWorkflowAccessError,
    SandboxedWorkflowRunner,
    SandboxMatcher,
    SandboxRestrictions,
    UnintentionalPassthroughError,
)
from invincible.workflow._unsafe import SandboxImportNotificationPolicy, unsafe


def test_the_module_has_the_official_names() -> None:
    assert sorted(workflow_sandbox.__all__) == [
        "RestrictedWorkflowAccessError",
        "SandboxMatcher",
        "SandboxRestrictions",
        "SandboxedWorkflowRunner",
        "UnintentionalPassthroughError",
    ]


def test_runners_say_whether_workflows_are_guarded() -> None:
    assert SandboxedWorkflowRunner()._guarded
    assert SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default)._guarded
    assert not UnsandboxedWorkflowRunner()._guarded
    assert issubclass(SandboxedWorkflowRunner, WorkflowRunner)
    assert issubclass(UnsandboxedWorkflowRunner, WorkflowRunner)


def test_the_error_is_the_official_one() -> None:
    error = RestrictedWorkflowAccessError("time.time")
    assert isinstance(error, workflow.NondeterminismError)
    assert not isinstance(error, FailureError)
    assert error.qualified_name == "time.time"
    assert str(error) == RestrictedWorkflowAccessError.default_message("time.time")
    assert "time.time" in str(error)
    assert str(RestrictedWorkflowAccessError("time.time", override_message="no")) == "no"
    assert "some.module" in str(UnintentionalPassthroughError("some.module"))


def test_restrictions_are_made_and_changed_as_usual() -> None:
    default = SandboxRestrictions.default
    changed = default.with_passthrough_modules("pydantic", "httpx").with_passthrough_all_modules()
    assert changed.passthrough_modules - default.passthrough_modules == {"pydantic", "httpx"}
    assert (default.passthrough_all_modules, changed.passthrough_all_modules) == (False, True)
    assert default.import_notification_policy is SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    silent = default.with_import_notification_policy(SandboxImportNotificationPolicy.SILENT)
    assert silent.import_notification_policy is SandboxImportNotificationPolicy.SILENT
    members = SandboxRestrictions.invalid_module_members_default | SandboxMatcher(
        children={"datetime": SandboxMatcher(use={"date"})}
    )
    replaced = dataclasses.replace(default, invalid_module_members=members)
    assert replaced.invalid_module_members.child_matcher("datetime") == SandboxMatcher(use={"date"})
    assert {
        *SandboxRestrictions.passthrough_modules_minimum,
        *SandboxRestrictions.passthrough_modules_with_temporal,
        *SandboxRestrictions.passthrough_modules_maximum,
    } <= SandboxRestrictions.passthrough_modules_default


def test_matchers_combine() -> None:
    child = SandboxMatcher(use={"now"}, exclude={"utc"})
    nested = SandboxMatcher.nested_child(["datetime", "datetime"], child)
    assert nested.child_matcher("datetime", "datetime") == child
    assert nested.child_matcher("datetime", "date") is None
    assert nested.child_matcher("random", "random") is None
    both = nested | SandboxMatcher.nested_child(["datetime", "date"], SandboxMatcher.all) | SandboxMatcher(use={"x"})
    assert both.child_matcher("datetime", "datetime") == child
    assert both.child_matcher("datetime", "date") == SandboxMatcher.all
    assert both.use == {"x"}
    lifted = both.with_child_unrestricted("datetime", "datetime").with_child_unrestricted("x")
    assert lifted.child_matcher("datetime", "datetime") is None
    assert lifted.child_matcher("datetime", "date") == SandboxMatcher.all
    assert lifted.use == set()
    assert both.with_child_unrestricted("random", "random") == both
    assert both.with_child_unrestricted() is both
    assert SandboxMatcher.all_uses_runtime == SandboxMatcher(use={"*"}, only_runtime=True)
    assert SandboxMatcher.all_runtime == SandboxMatcher(match_self=True, only_runtime=True)
    assert SandboxMatcher.all_uses == SandboxMatcher(use={"*"})
    assert SandboxMatcher.none == SandboxMatcher()


def test_unsafe_works_outside_of_workflows() -> None:
    assert (unsafe.in_sandbox(), unsafe.is_sandbox_unrestricted(), unsafe.is_imports_passed_through()) == (False,) * 3
    with unsafe.imports_passed_through():
        assert unsafe.is_imports_passed_through()
        assert not unsafe.is_sandbox_unrestricted()
    with unsafe.sandbox_unrestricted():
        assert unsafe.is_sandbox_unrestricted()
    assert unsafe.current_import_notification_policy_override() is None
    with unsafe.sandbox_import_notification_policy(SandboxImportNotificationPolicy.SILENT):
        assert unsafe.current_import_notification_policy_override() is SandboxImportNotificationPolicy.SILENT
    assert unsafe.current_import_notification_policy_override() is None
    assert (unsafe.is_sandbox_unrestricted(), unsafe.is_imports_passed_through()) == (False, False)


@pytest.mark.parametrize("name", ["is_replaying", "is_replaying_history_events", "is_read_only"])
def test_questions_about_a_run_need_one(name: str) -> None:
    with pytest.raises(workflow.NotInWorkflowError):
        getattr(unsafe, name)()
