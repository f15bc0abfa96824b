"""How a workflow is defined, and what it knows of itself: init, dynamic workflows, info, attributes, chance."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from invincible import workflow
from invincible.common import (
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    VersioningBehavior,
)
from invincible.exceptions import ApplicationError

from .common import MINUTE, later, mark, marked

KEYWORD = SearchAttributeKey.for_keyword("RecordedKeyword")
NUMBER = SearchAttributeKey.for_int("RecordedInt")
WORDS = SearchAttributeKey.for_keyword_list("RecordedWords")


@workflow.defn
class Initialised:
    """The start, the signal that came before and what the initialiser sees and schedules."""

    @workflow.init
    def __init__(self, name: str, number: int = 3) -> None:
        self.name = name
        self.seen = [f"init {name} {number} {workflow.info().workflow_id}"]
        self.first = str(workflow.uuid4())
        self.handle = workflow.start_activity(mark, "init", activity_id="from-init", start_to_close_timeout=MINUTE)

    @workflow.signal
    async def early(self) -> None:
        self.seen.append(f"signal after {self.name}")
        await marked("signal")

    @workflow.run
    async def run(self, name: str, number: int = 3) -> str:
        self.seen.append(f"run {number}")
        await marked(f"run {self.first}")
        await self.handle
        await marked("; ".join(self.seen))
        return name


@workflow.defn(dynamic=True)
class Anything:
    """Runs for each type that has no workflow of its own."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        self.count = len(args)

    @workflow.dynamic_config
    def config(self) -> workflow.DynamicWorkflowConfig:
        behaviour = VersioningBehavior.AUTO_UPGRADE if self.count else VersioningBehavior.UNSPECIFIED
        return workflow.DynamicWorkflowConfig(failure_exception_types=[KeyError], versioning_behavior=behaviour)

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> Any:
        values = [workflow.payload_converter().from_payload(arg.payload) for arg in args]
        await marked(f"{workflow.info().workflow_type} {self.count} {values}")
        raise KeyError("fails the workflow, as configured")


@workflow.defn
class Informed:
    """Everything that a run is told, as of the first task and after others."""

    @workflow.run
    async def run(self) -> None:
        info = workflow.info()
        retries = info.retry_policy
        await marked(
            [
                info.attempt,
                info.continued_run_id,
                info.cron_schedule,
                info.execution_timeout,
                info.run_timeout,
                info.task_timeout,
                info.first_execution_run_id == info.run_id == info.original_execution_run_id,
                info.parent,
                info.root,
                retries and retries.maximum_attempts,
                info.typed_search_attributes.get(KEYWORD),
                info.workflow_id,
                info.workflow_type,
                info.start_time.isoformat(),
                info.workflow_start_time.isoformat(),
                sorted(workflow.memo().items()),
                workflow.memo_value("missing", "none"),
                info.get_current_history_length(),
                info.is_continue_as_new_suggested(),
            ]
        )
        await asyncio.sleep(0.1)
        await marked(
            [
                info.get_current_history_length(),
                info.get_current_history_size(),
                workflow.now().isoformat(),
                workflow.time(),
                workflow.time_ns(),
                workflow.instance() is self,
                workflow.in_workflow(),
                workflow.has_last_completion_result(),
                workflow.get_last_failure(),
            ]
        )


@workflow.defn
class Attributes:
    """Memo and search attributes, upserted between other commands; with details and a summary of the run."""

    @workflow.run
    async def run(self) -> None:
        workflow.set_current_details("at **work**")
        workflow.upsert_memo({"one": 1, "two": {"deep": [2]}, "gone": "soon"})
        await marked(sorted(workflow.memo().items()))
        workflow.upsert_search_attributes(
            [KEYWORD.value_set("first"), NUMBER.value_set(1), WORDS.value_set(["a", "b"])]
        )
        workflow.upsert_memo({"gone": None})
        timer = asyncio.create_task(asyncio.sleep(0.1))
        await marked(sorted(workflow.memo().items()))
        await timer
        workflow.upsert_search_attributes([KEYWORD.value_unset(), NUMBER.value_set(2)])
        found = workflow.info().typed_search_attributes
        await marked([found.get(KEYWORD), found.get(NUMBER), found.get(WORDS), workflow.get_current_details()])
        workflow.upsert_memo({})
        await marked(len(workflow.memo()))


@workflow.defn
class Chance:
    """Values of each source of chance, as parts of ids: another stream does not fit the history."""

    @workflow.run
    async def run(self) -> None:
        seeds: list[int] = []
        workflow.register_random_seed_callback(seeds.append)
        named, unnamed = workflow.new_random("dice"), workflow.new_random()
        generator = workflow.random()
        await marked(f"uuid4 {workflow.uuid4()}")
        await marked(f"uuid7 {workflow.uuid7()}")
        await marked(f"random {generator.random()} {generator.randint(1, 1000)} {workflow.random().getrandbits(70)}")
        await marked(f"named {named.random()} {workflow.new_random('dice').random()}")
        await marked(f"other {workflow.new_random('other').random()}")
        await marked(f"unnamed {unnamed.random()}")
        await marked(f"seed {workflow.random_seed()}")
        await marked(f"choice {workflow.random().choice('abcdefghij')} {workflow.random().sample(range(99), 3)}")
        await marked(f"seeded {random.Random(workflow.random_seed()).random()}")
        await asyncio.gather(*(marked(f"together {n} {workflow.uuid4()}") for n in range(3)))
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        await marked(f"after {workflow.uuid4()} {named.random()} {unnamed.random()} {generator.random()}")
        await marked(f"new {workflow.new_random('dice').random()} {workflow.new_random().random()}")
        await marked(f"uuid7 after {workflow.uuid7()}")
        await marked(f"seed after {workflow.random_seed()} {seeds}")


@workflow.defn
class Continued:
    """Continues as new with each option, once from the run and once from a handler."""

    @workflow.run
    async def run(self, step: int, note: str = "") -> str:
        info = workflow.info()
        found = info.typed_search_attributes
        retries = info.retry_policy
        await marked(
            [
                step,
                note,
                bool(info.continued_run_id),
                info.first_execution_run_id == info.run_id,
                sorted(workflow.memo().items()),
                found.get(KEYWORD),
                found.get(NUMBER),
                info.run_timeout,
                info.task_timeout,
                retries and retries.maximum_attempts,
            ]
        )
        if step == 0:
            workflow.upsert_memo({"upserted": True})
            workflow.continue_as_new(1)
        if step == 1:
            workflow.continue_as_new(
                args=[2, "all options"],
                task_queue=info.task_queue,
                run_timeout=2 * MINUTE,
                task_timeout=0.5 * MINUTE,
                backoff_start_interval=0.001 * MINUTE,
                retry_policy=RetryPolicy(maximum_attempts=4),
                memo={"new": "memo"},
                search_attributes=TypedSearchAttributes([SearchAttributePair(NUMBER, 7)]),
            )
        if step == 2:
            workflow.continue_as_new(3, workflow="ContinuedElsewhere")
        return "end"


@workflow.defn
class ContinuedElsewhere:
    """Continued by a signal, while the run waits and other handlers are not finished."""

    @workflow.signal
    async def go_on(self) -> None:
        await marked("handler")
        workflow.continue_as_new(workflow=Continued.run, arg=4)

    @workflow.run
    async def run(self, step: int) -> str:
        await marked(f"elsewhere {step} {datetime.fromtimestamp(0, timezone.utc).year}")
        await asyncio.sleep(1000)
        return "never"


@workflow.defn
class Repeated:
    """A run of a schedule, or a further attempt: it fails as the second of them."""

    @workflow.run
    async def run(self) -> int:
        last: Any = workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else -1
        failure = workflow.get_last_failure()
        kind = f"{type(failure).__name__} {failure}" if failure else None
        await marked(f"attempt {workflow.info().attempt} last {last} failure {kind} {workflow.uuid4()}")
        if workflow.info().cron_schedule:
            if last == 0 and failure is None:
                raise ApplicationError("second of the schedule", type="Sorry")
        elif workflow.info().attempt < 3:
            raise ApplicationError(f"attempt {workflow.info().attempt}", type="Sorry")
        result: int = last + 1
        return result


@workflow.defn
class Patched:
    """Changed code: one patch that old runs do not have, one that is not asked twice, one on its way out."""

    @workflow.run
    async def run(self) -> None:
        await marked("start")
        if workflow.patched("first"):
            await marked("patched")
        else:
            await asyncio.sleep(0.1)
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        again = workflow.patched("first")
        workflow.deprecate_patch("old")
        late = workflow.patched("late")
        await marked(f"again {again} late {late} {workflow.patched('late')}")
        for step in range(2):
            if workflow.patched(f"in-loop-{step % 1}"):
                await marked(f"looped {step}")


@workflow.defn(name="Patched")
class BeforePatch:
    """What `Patched` was before it was changed; only recorded with."""

    @workflow.run
    async def run(self) -> None:
        await marked("start")
        await asyncio.sleep(0.1)
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        await marked("again False late False False")


@workflow.defn
class PatchRace:
    """Patches asked for in handlers and tasks that begin together."""

    @workflow.signal
    async def ask(self, tag: str) -> None:
        await marked(f"signal {tag} {workflow.patched('shared')}")

    @workflow.run
    async def run(self) -> None:
        async def ask(tag: str) -> None:
            await marked(f"{tag} {workflow.patched('shared')} {workflow.patched(tag)}")

        await asyncio.gather(ask("one"), ask("two"))
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        await asyncio.gather(ask("one"), ask("three"))


@workflow.defn
class PatchDeprecated:
    """Takes over from `PatchThere`: its runs had the patch, and this code would not ask any more."""

    @workflow.run
    async def run(self) -> None:
        workflow.deprecate_patch("going")
        await marked("one")
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        workflow.deprecate_patch("going too")
        await marked("two")


@workflow.defn(name="PatchDeprecated")
class PatchThere:
    """Only recorded with."""

    @workflow.run
    async def run(self) -> None:
        if workflow.patched("going"):
            await marked("one")
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        if workflow.patched("going too"):
            await marked("two")


@workflow.defn
class PatchGone:
    """Takes over from `PatchGoing`, whose runs have only patches that were deprecated."""

    @workflow.run
    async def run(self) -> None:
        await marked("one")
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        await marked("two")


@workflow.defn(name="PatchGone")
class PatchGoing:
    """Only recorded with."""

    @workflow.run
    async def run(self) -> None:
        workflow.deprecate_patch("gone")
        await marked("one")
        await workflow.execute_activity(later, "a", activity_id="a", start_to_close_timeout=MINUTE)
        workflow.deprecate_patch("gone too")
        await marked("two")


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Pinned:
    @workflow.run
    async def run(self) -> None:
        await versions()


@workflow.defn(versioning_behavior=VersioningBehavior.AUTO_UPGRADE)
class Upgraded:
    @workflow.run
    async def run(self) -> None:
        await versions()


async def versions() -> None:
    for step in range(2):
        version = workflow.info().get_current_deployment_version()
        name = f"{version.deployment_name}.{version.build_id}" if version else None
        changed = workflow.info().is_target_worker_deployment_version_changed()
        await marked(f"step {step} version {name} build {workflow.info().get_current_build_id()} changed {changed}")
        await workflow.execute_activity(
            later, f"pause-{step}", activity_id=f"pause-{step}", start_to_close_timeout=MINUTE
        )


@workflow.defn
class Grouped:
    """Event groups, as an option and as a scope, of each command that takes one."""

    @workflow.run
    async def run(self) -> None:
        outer = workflow.create_event_group("outer", label="the outer group")
        inner = workflow.create_event_group("inner")
        await workflow.execute_activity(mark, "x", event_groups=[outer], start_to_close_timeout=MINUTE)
        with outer.scope():
            workflow.patched("grouped")
            with inner.scope():
                task = asyncio.create_task(marked("inherited"))
                await workflow.sleep(0.1, event_groups=[outer])
            await workflow.execute_local_activity(mark, "y", start_to_close_timeout=MINUTE)
            workflow.upsert_memo({"a": 1})
        await task
        await workflow.execute_child_workflow("Child", "grouped", event_groups=[inner, outer])
        workflow.deprecate_patch("old", event_groups=[inner])


WORKFLOWS = [
    Initialised,
    Anything,
    Informed,
    Attributes,
    Chance,
    Continued,
    ContinuedElsewhere,
    Repeated,
    Patched,
    PatchRace,
    PatchDeprecated,
    PatchGone,
    Pinned,
    Upgraded,
    Grouped,
]
