"""The workflow side of a worker: one thread that takes activations from Core and runs them through the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from invincible import _native
from invincible._engine.definition import WorkflowDefinition
from invincible._engine.errors import NondeterminismError
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible._native import Activation, InitializeWorkflow, RemoveFromCache
from invincible.exceptions import ApplicationError
from invincible.workflow._definition import workflow_definition

from ._failures import failure_of, logger

Definitions = Mapping["str | None", WorkflowDefinition]


def workflow_definitions(workflows: Iterable[Any]) -> Definitions:
    """The definitions of workflow classes and functions, by name; the dynamic one is under ``None``.

    Raises:
        TypeError: one of them is no workflow.
        ValueError: two of them have the same name.
    """
    definitions: dict[str | None, WorkflowDefinition] = {}
    for each in workflows:
        definition = workflow_definition(each)
        other = definitions.get(definition.name)
        if other is not None:
            what = "dynamic" if definition.name is None else f"named {definition.name!r}"
            raise ValueError(
                f"two workflows are {what}: {_location(other)} and {_location(definition)}; "
                "give one of them another name: @workflow.defn(name=...)"
            )
        if definition.name is not None:
            definition.signature  # noqa: B018  # annotations that cannot be resolved are an error now, not in a task
        definitions[definition.name] = definition
    return definitions


def _location(definition: WorkflowDefinition) -> str:
    target = definition.workflow_class or definition.run
    return f"{target.__module__}.{target.__qualname__}"


def includes_nondeterminism(types: Iterable[type[BaseException]]) -> bool:
    """Whether a workflow that these exceptions fail is failed by Core when its history does not fit its code."""
    return any(issubclass(NondeterminismError, each) for each in types)


def types_failed_by_nondeterminism(definitions: Definitions) -> set[str]:
    """Workflow types that ask for it themselves."""
    return {
        name
        for name, definition in definitions.items()
        if name is not None and includes_nondeterminism(definition.failure_exception_types)
    }


class WorkflowThread:
    """Runs the activations of one native worker, on a thread of its own, until no more come.

    Args:
        native: The worker that activations come from and completions go to.
        definitions: What it can run.
        context: What all runs share.
        on_failure: Called with run id and exception when a workflow task fails; logs by default.
        on_eviction: Called with the run id and the reason when a run leaves the cache.
    """

    def __init__(
        self,
        native: _native.Worker,
        definitions: Definitions,
        context: WorkerContext,
        *,
        on_failure: Callable[[str, Exception], None] | None = None,
        on_eviction: Callable[[str, RemoveFromCache], None] | None = None,
    ) -> None:
        self._native = native
        self._definitions = definitions
        self._context = context
        self._on_failure = on_failure
        self._on_eviction = on_eviction
        self._runs: dict[str, WorkflowRun] = {}
        self._thread: threading.Thread | None = None

    def start(self, on_end: Callable[[], object]) -> None:
        """Start the thread; ``on_end`` is called on it when it ends."""

        def work() -> None:
            try:
                self._work()
            finally:
                on_end()

        # A daemon, so that an interpreter whose worker was never shut down can exit.
        self._thread = threading.Thread(target=work, name="invincible-workflows", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (activations := self._native.next_activations()) is not None:
            for activation in activations:
                self._process(activation)
        for run in self._runs.values():
            run.evict()
        self._runs.clear()

    def _process(self, activation: Activation) -> None:
        run_id = activation.run_id
        try:
            last = activation.jobs[-1]
            if type(last) is RemoveFromCache:
                self._evict(run_id, last)
                return
            run = self._runs.get(run_id)
            if run is None:
                run = self._runs[run_id] = self._new_run(activation)
            self._native.complete_workflow_task(run_id, run.activate(activation))
        except Exception as error:  # whatever it is, Core must have an answer
            self._fail(run_id, error)

    def _new_run(self, activation: Activation) -> WorkflowRun:
        init = next((job for job in activation.jobs if type(job) is InitializeWorkflow), None)
        if init is None:
            raise RuntimeError(f"run {activation.run_id} is not in the cache, and its history does not start here")
        definition = self._definitions.get(init.workflow_type) or self._definitions.get(None)
        if definition is None:
            known = ", ".join(sorted(name for name in self._definitions if name is not None)) or "none"
            raise ApplicationError(
                f"workflow type {init.workflow_type!r} is not registered on the worker of task queue "
                f"{self._context.task_queue!r}; its workflows are: {known}",
                type="NotFoundError",
            )
        return WorkflowRun(definition, self._context, activation.run_id, init)

    def _evict(self, run_id: str, reason: RemoveFromCache) -> None:
        run = self._runs.pop(run_id, None)
        if run is not None:
            run.evict()
        self._native.complete_workflow_task(run_id, ())
        if self._on_eviction is not None:
            self._on_eviction(run_id, reason)

    def _fail(self, run_id: str, error: Exception) -> None:
        run = self._runs.get(run_id)
        if self._on_failure is not None:
            self._on_failure(run_id, error)
        else:
            workflow = f"{run.init.workflow_type} {run.init.workflow_id!r}" if run is not None else "unknown workflow"
            logger.warning("workflow task failed and will be tried again: %s, run %s", workflow, run_id, exc_info=error)
        failure = failure_of(error, self._context.failure_converter, self._context.payload_converter)
        self._native.fail_workflow_task(run_id, failure, nondeterminism=isinstance(error, NondeterminismError))
