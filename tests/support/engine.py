"""Drives the engine by hand: activations go in, commands come out; no server, no worker, no other event loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from invincible import _native, activity
from invincible._engine.reference import workflow_definition
from invincible._engine.run import WorkerContext, WorkflowRun
from invincible.common import MetricMeter
from invincible.converter import DataConverter
from invincible.workflow._interception.interceptors import WorkflowInboundInterceptor
from invincible.workflow._interception.run import InterceptedRun

CONVERTER = DataConverter.default.payload_converter
SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


@activity.defn(start_to_close_timeout=timedelta(seconds=10))
async def greet(name: str, *, greeting: str = "Hello") -> str:
    """An activity for workflows that need one; no test runs it."""
    return f"{greeting}, {name}"


def payload(value: Any) -> _native.Payload:
    return CONVERTER.to_payload(value)


def value(payload: _native.Payload | None) -> Any:
    """What a command carries."""
    assert payload is not None
    return CONVERTER.from_payload(payload)


def values(payloads: list[_native.Payload]) -> list[Any]:
    return [value(each) for each in payloads]


class Driver:
    """Feeds one run with activations.

    Args:
        target: The workflow.
        arguments: Its arguments.
        init: Further fields of the job that begins the run.
        failure_exception_types: What the worker lets fail its workflows.
        metric_meter: The worker's meter.
        extern_functions: What interceptors have made known.
        converter: Converts the values, as the worker's client does.
        interceptors: Classes that the run's calls pass, the outermost first.
    """

    # What a fixture of the tests closes.
    open: ClassVar[list[Driver]] = []

    def __init__(
        self,
        target: Any,
        *arguments: Any,
        failure_exception_types: tuple[type[BaseException], ...] = (),
        metric_meter: MetricMeter = MetricMeter.noop,
        extern_functions: dict[str, Callable[..., Any]] | None = None,
        converter: DataConverter = DataConverter.default,
        interceptors: Sequence[type[WorkflowInboundInterceptor]] = (),
        **init: Any,
    ) -> None:
        definition = workflow_definition(target)
        context = WorkerContext(
            namespace="default",
            task_queue="engine",
            payload_converter=converter.payload_converter,
            failure_converter=converter.failure_converter,
            show_values=converter.payload_codec is None,
            contextual=converter._contextual,
            failure_exception_types=failure_exception_types,
            metric_meter=metric_meter,
            extern_functions=extern_functions or {},
        )
        fields: dict[str, Any] = {
            "workflow_type": definition.name or "dynamic",
            "workflow_id": "engine-test",
            "arguments": [payload(each) for each in arguments],
            "randomness_seed": 7,
            **init,
        }
        self.init = _native.InitializeWorkflow(**fields)
        if interceptors:
            self.run: WorkflowRun = InterceptedRun(interceptors, definition, context, "run", self.init)
        else:
            self.run = WorkflowRun(definition, context, "run", self.init)
        self.now = NOW
        self.open.append(self)

    def start(self, *jobs: Any, **fields: Any) -> list[Any]:
        """The first activation, with further jobs and fields."""
        return self.activate(self.init, *jobs, **fields)

    def activate(self, *jobs: Any, **fields: Any) -> list[Any]:
        activation = _native.Activation(run_id="run", timestamp_ns=self.now, jobs=list(jobs), **fields)
        return self.run.activate(activation)

    def query(self, name: str, *arguments: Any) -> _native.QueryResult:
        """The answer to a query, which comes as Core sends it: alone, and as if replayed."""
        (answer,) = self.activate(query(name, *arguments), is_replaying=True)
        assert isinstance(answer, _native.QueryResult)
        return answer

    def evict(self) -> None:
        self.run.evict()


def completed(commands: list[Any]) -> Any:
    """The result of a workflow whose only command is that it has ended."""
    (command,) = commands
    assert isinstance(command, _native.CompleteWorkflowExecution), command
    return value(command.result)


def failed(commands: list[Any]) -> _native.Failure:
    """The failure of a workflow whose only command is that it has failed."""
    (command,) = commands
    assert isinstance(command, _native.FailWorkflowExecution), command
    return command.failure


def kinds(commands: list[Any]) -> list[type]:
    return [type(command) for command in commands]


# Jobs


def signal(name: str, *arguments: Any, event_id: int = 0) -> _native.SignalWorkflow:
    return _native.SignalWorkflow(
        signal_name=name, input=[payload(each) for each in arguments], originating_event_id=event_id
    )


def query(name: str, *arguments: Any) -> _native.QueryWorkflow:
    return _native.QueryWorkflow(query_id="q", query_type=name, arguments=[payload(each) for each in arguments])


def update(name: str, *arguments: Any, id: str = "u", run_validator: bool = True) -> _native.DoUpdate:
    return _native.DoUpdate(
        id=id,
        protocol_instance_id=f"{id}-protocol",
        name=name,
        input=[payload(each) for each in arguments],
        run_validator=run_validator,
    )


def activity_done(result: Any = None, *, seq: int = 1) -> _native.ResolveActivity:
    return _native.ResolveActivity(seq=seq, result=payload(result))


def activity_failed(cause: _native.Failure, *, seq: int = 1, is_local: bool = False) -> _native.ResolveActivity:
    info = _native.ActivityFailureInfo(activity_type="greet", activity_id=str(seq))
    return _native.ResolveActivity(
        seq=seq, is_local=is_local, failure=_native.Failure("activity failed", info=info, cause=cause)
    )


def child_started(*, seq: int = 1, run_id: str = "child-run") -> _native.ResolveChildWorkflowExecutionStart:
    return _native.ResolveChildWorkflowExecutionStart(seq=seq, run_id=run_id)


def child_done(result: Any = None, *, seq: int = 1) -> _native.ResolveChildWorkflowExecution:
    return _native.ResolveChildWorkflowExecution(seq=seq, result=payload(result))


def child_failure(cause: _native.Failure) -> _native.Failure:
    info = _native.ChildWorkflowExecutionFailureInfo(workflow_id="child", workflow_type="Child")
    return _native.Failure("child failed", info=info, cause=cause)


def nexus_failure(cause: _native.Failure) -> _native.Failure:
    info = _native.NexusOperationFailureInfo(endpoint="bank", service="Accounts", operation="open")
    return _native.Failure("operation failed", info=info, cause=cause)


def application_failure(message: str = "no voice", *, type: str = "Hoarse") -> _native.Failure:
    return _native.Failure(message, info=_native.ApplicationFailureInfo(type=type))


def cancelled_failure() -> _native.Failure:
    return _native.Failure("cancelled", info=_native.CanceledFailureInfo())
