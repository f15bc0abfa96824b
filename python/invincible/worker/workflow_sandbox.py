"""The names of the official SDK's workflow sandbox, for code that configures it.

There is no sandbox here: modules are imported once, as anywhere, and workflow code may use all of them. A guard refuses
the calls that a replay could not repeat, at the call and with what to use instead. So restrictions on modules are
accepted and have no effect; ``SandboxedWorkflowRunner`` means the guard, ``UnsandboxedWorkflowRunner`` means none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from invincible._engine.guard import RestrictedWorkflowAccessError
from invincible.exceptions import TemporalError
from invincible.workflow._unsafe import SandboxImportNotificationPolicy

from ._runners import UnsandboxedWorkflowRunner, WorkflowRunner

__all__ = [
    "RestrictedWorkflowAccessError",
    "SandboxMatcher",
    "SandboxRestrictions",
    "SandboxedWorkflowRunner",
    "UnintentionalPassthroughError",
]


class UnintentionalPassthroughError(TemporalError):
    """A module was imported without being passed through. Never raised: modules are imported once, as anywhere."""

    def __init__(self, qualified_name: str) -> None:
        super().__init__(f"module {qualified_name} is not passed through on purpose")


@dataclass(frozen=True)
class SandboxMatcher:
    """Names that the official SDK's sandbox restricts. Accepted, combined and compared; it restricts nothing here.

    Attributes:
        access: Members that must not be read.
        use: Members that must not be called; ``{"*"}`` stands for all.
        children: Matchers for members.
        match_self: Whether the module or member itself is restricted.
        only_runtime: Whether this holds while workflow code runs only, and not during imports.
        leaf_message: The message where this is what matches.
        leaf_warning: A warning to issue in place of the error.
        exclude: Members that stay allowed.
    """

    all: ClassVar[SandboxMatcher]
    all_runtime: ClassVar[SandboxMatcher]
    none: ClassVar[SandboxMatcher]
    all_uses: ClassVar[SandboxMatcher]
    all_uses_runtime: ClassVar[SandboxMatcher]

    access: set[str] = frozenset()  # type: ignore[assignment]  # as the official SDK declares it
    use: set[str] = frozenset()  # type: ignore[assignment]
    children: Mapping[str, SandboxMatcher] = field(default_factory=dict)
    match_self: bool = False
    only_runtime: bool = False
    leaf_message: str | None = None
    leaf_warning: type[Warning] | None = None
    exclude: set[str] = frozenset()  # type: ignore[assignment]

    @staticmethod
    def nested_child(path: Sequence[str], child: SandboxMatcher) -> SandboxMatcher:
        """A matcher in which ``child`` is at the end of a path of members."""
        for name in reversed(path):
            child = SandboxMatcher(children={name: child})
        return child

    def child_matcher(self, *child_path: str) -> SandboxMatcher | None:
        """The matcher at the end of a path of members, ``None`` if there is none."""
        matcher: SandboxMatcher | None = self
        for name in child_path:
            matcher = matcher.children.get(name) if matcher is not None else None
        return matcher

    def with_child_unrestricted(self, *child_path: str) -> SandboxMatcher:
        """This matcher without restrictions on the member at the end of a path."""
        if not child_path:
            return self
        name, rest = child_path[0], child_path[1:]
        children = dict(self.children)
        child = children.pop(name, None)
        if rest and child is not None:
            children[name] = child.with_child_unrestricted(*rest)
        if rest:
            return replace(self, children=children)
        return replace(self, access=set(self.access) - {name}, use=set(self.use) - {name}, children=children)

    def __or__(self, other: SandboxMatcher) -> SandboxMatcher:
        """What either of the two restricts."""
        children = dict(self.children)
        for name, child in other.children.items():
            mine = children.get(name)
            children[name] = child if mine is None else mine | child
        return SandboxMatcher(
            access=self.access | other.access,
            use=self.use | other.use,
            children=children,
            match_self=self.match_self or other.match_self,
            only_runtime=self.only_runtime or other.only_runtime,
            leaf_message=self.leaf_message or other.leaf_message,
            leaf_warning=self.leaf_warning or other.leaf_warning,
            exclude=self.exclude | other.exclude,
        )


SandboxMatcher.all = SandboxMatcher(match_self=True)
SandboxMatcher.all_runtime = SandboxMatcher(match_self=True, only_runtime=True)
SandboxMatcher.none = SandboxMatcher()
SandboxMatcher.all_uses = SandboxMatcher(use={"*"})
SandboxMatcher.all_uses_runtime = SandboxMatcher(use={"*"}, only_runtime=True)


@dataclass(frozen=True)
class SandboxRestrictions:
    """What the official SDK's sandbox restricts. Accepted and combined; every module is passed through here.

    Attributes:
        passthrough_modules: Modules that are imported once.
        invalid_modules: Modules that must not be imported.
        invalid_module_members: Members of modules that must not be used.
        import_notification_policy: When to tell of imports.
        passthrough_all_modules: Whether all modules are imported once.
        disable_lazy_sys_module_passthrough: A detail of the official sandbox.
    """

    passthrough_modules_minimum: ClassVar[set[str]] = set()
    passthrough_modules_with_temporal: ClassVar[set[str]] = set()
    passthrough_modules_maximum: ClassVar[set[str]] = set()
    passthrough_modules_default: ClassVar[set[str]] = set()
    invalid_module_members_default: ClassVar[SandboxMatcher] = SandboxMatcher.none
    default: ClassVar[SandboxRestrictions]

    passthrough_modules: set[str]
    invalid_modules: SandboxMatcher
    invalid_module_members: SandboxMatcher
    import_notification_policy: SandboxImportNotificationPolicy = SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    passthrough_all_modules: bool = False
    disable_lazy_sys_module_passthrough: bool = False

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """These restrictions with more modules passed through."""
        return replace(self, passthrough_modules=self.passthrough_modules | set(modules))

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """These restrictions with all modules passed through."""
        return replace(self, passthrough_all_modules=True)

    def with_import_notification_policy(self, policy: SandboxImportNotificationPolicy) -> SandboxRestrictions:
        """These restrictions with another policy."""
        return replace(self, import_notification_policy=policy)


SandboxRestrictions.default = SandboxRestrictions(
    passthrough_modules=SandboxRestrictions.passthrough_modules_default,
    invalid_modules=SandboxMatcher.none,
    invalid_module_members=SandboxRestrictions.invalid_module_members_default,
)


@dataclass(frozen=True)
class SandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflow code under the determinism guard; what a worker does by default.

    Attributes:
        restrictions: Accepted, without effect.
        runner_class: ``UnsandboxedWorkflowRunner``; the official SDK runs the workflow by it inside of its sandbox.
    """

    restrictions: SandboxRestrictions = SandboxRestrictions.default
    runner_class: type[WorkflowRunner] = UnsandboxedWorkflowRunner
