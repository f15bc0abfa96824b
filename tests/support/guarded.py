"""Runs workflow code under the determinism guard by hand: no server, no worker."""

from __future__ import annotations

from typing import Any

from invincible import _native
from invincible._engine.guard import install
from invincible._engine.reference import workflow_definition
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible.converter import DataConverter

CONVERTER = DataConverter.default.payload_converter
CONTEXT = WorkerContext(
    namespace="default",
    task_queue="guard",
    payload_converter=CONVERTER,
    failure_converter=DataConverter.default.failure_converter,
)
NOW = 1_700_000_000 * 1_000_000_000


def new_run(target: Any, *arguments: Any) -> WorkflowRun:
    definition = workflow_definition(target)
    init = _native.InitializeWorkflow(
        workflow_type=definition.name or "dynamic",
        workflow_id="guard-test",
        arguments=[CONVERTER.to_payload(each) for each in arguments],
        randomness_seed=7,
    )
    return WorkflowRun(definition, CONTEXT, "run", init)


def activate(run: WorkflowRun, *jobs: Any) -> list[Any]:
    activation = _native.Activation(run_id="run", timestamp_ns=NOW, jobs=list(jobs) or [run.init])
    return run.activate(activation)


def start(target: Any, *arguments: Any) -> Any:
    """The result of a workflow that ends in its first task, run under the guard."""
    with install([workflow_definition(target)]):
        (command,) = activate(new_run(target, *arguments))
    assert isinstance(command, _native.CompleteWorkflowExecution), command
    return CONVERTER.from_payload(command.result) if command.result is not None else None
