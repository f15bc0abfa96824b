"""Tracing with any provider: of workflows, spans tell that something has begun or ended, and have no duration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import Attributes

from invincible import worker, workflow
from invincible.converter import Payload
from invincible.exceptions import is_cancelled_exception
from invincible.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

from ._interceptor import CallTracing
from ._propagation import Propagation, link_to, record_error
from ._replay import attached, is_replayed, skipped_on_replay, unguarded

if TYPE_CHECKING:
    from invincible.workflow._interception.signal_with_start import (
        SignalWithStartWorkflowRequest,
        SignalWithStartWorkflowResponse,
    )

_EXTERN = "__invincible_opentelemetry_tracing"
_INTERCEPTOR = otel_context.create_key("invincible-tracing-interceptor")


class TracingInterceptor(CallTracing):
    """Traces clients and workers, with any provider. Give it to the client, whose workers take it from there.

    A span that is open while a workflow waits would have to survive the worker, so workflows are told of by spans
    without a duration: ``RunWorkflow`` when one starts, ``CompleteWorkflow`` when it ends, ``HandleSignal`` and the
    like when a message comes. They are made when code runs for the first time, not when it is replayed. For spans with
    durations see :class:`OpenTelemetryInterceptor`.

    To change the header, the propagator or the payload converter, set the attributes in the constructors of a
    subclass and of a subclass of :class:`TracingWorkflowInboundInterceptor`, which :meth:`workflow_interceptor_class`
    is to return after a call of its ``super()``.

    Args:
        tracer: Makes the spans; ``None`` for the global provider's.
        always_create_workflow_spans: Make spans in workflows also if they were started without a trace, by a schedule
            say. Each of them then is a trace of its own.
    """

    def __init__(self, tracer: Tracer | None = None, *, always_create_workflow_spans: bool = False) -> None:
        """Traces with a tracer."""
        super().__init__()
        self.tracer = tracer or trace.get_tracer(__name__)
        self._always_create_workflow_spans = always_create_workflow_spans

    def get_tracer(self) -> Tracer:
        """What makes spans."""
        return self.tracer

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[TracingWorkflowInboundInterceptor]:
        """Traces workflows."""
        input.unsafe_extern_functions[_EXTERN] = lambda: self
        return TracingWorkflowInboundInterceptor


class TracingWorkflowInboundInterceptor(Propagation, WorkflowInboundInterceptor):
    """Traces one run of a workflow; see :class:`TracingInterceptor`."""

    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        """Traces a run."""
        Propagation.__init__(self)
        WorkflowInboundInterceptor.__init__(self, next)
        self._interceptor: TracingInterceptor = workflow.extern_functions()[_EXTERN]()
        self._of_workflow: Context | None = None

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Called once per run."""
        super().init(_Outbound(outbound, self))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        """Called for the run."""
        with attached(self._context()):
            workflow_type = workflow.info().workflow_type
            self._completed(f"RunWorkflow:{workflow_type}", SpanKind.SERVER)
            error: BaseException | None = None
            try:
                return await super().execute_workflow(input)
            except BaseException as raised:
                error = raised
                raise
            finally:
                # Continued as new, the workflow goes on; what only fails a workflow task will run again.
                if error is None or workflow.is_failure_exception(error) or is_cancelled_exception(error):
                    self._completed(f"CompleteWorkflow:{workflow_type}", SpanKind.INTERNAL, error=error)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        """Called for a signal."""
        with attached(self._handled(f"HandleSignal:{input.signal}", input.headers)):
            await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        """Called for a query, which belongs to the trace of who asks."""
        of_query = self.context_from_headers(input.headers)
        context = self._context()
        if of_query is not None:
            self._completed(f"HandleQuery:{input.query}", SpanKind.SERVER, parent=of_query, link=context)
        with attached(context):
            return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        """Called for an update, before it is accepted."""
        with attached(self._handled(f"ValidateUpdate:{input.update}", input.headers)):
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        """Called for an update."""
        with attached(self._handled(f"HandleUpdate:{input.update}", input.headers)):
            return await super().handle_update_handler(input)

    def _handled(self, name: str, headers: Mapping[str, Payload]) -> Context:
        context = self._context()
        self._completed(name, SpanKind.SERVER, link=self.context_from_headers(headers))
        return context

    def _context(self) -> Context:
        """What all that the run does belongs to: the span that started it."""
        if self._of_workflow is None:
            started = self.context_from_headers(workflow.info().headers)
            self._of_workflow = otel_context.set_value(_INTERCEPTOR, self, Context() if started is None else started)
        return self._of_workflow

    def _completed(
        self,
        name: str,
        kind: SpanKind,
        *,
        attributes: Attributes = None,
        parent: Context | None = None,
        link: Context | None = None,
        error: BaseException | None = None,
    ) -> Context:
        """Makes a span, unless it was made before; returns the context for what follows from it."""
        parent = self._context() if parent is None else parent
        traced = trace.get_current_span(parent).get_span_context().is_valid
        if is_replayed() or not (traced or self._interceptor._always_create_workflow_spans):
            return parent
        info = workflow.info()
        ids = {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}
        with unguarded(), skipped_on_replay():
            span = self._interceptor.tracer.start_span(name, parent, kind, {**ids, **(attributes or {})}, link_to(link))
            if error is not None:
                record_error(span, error)
            span.end()
        return trace.set_span_in_context(span, parent)


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, inbound: TracingWorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self._inbound = inbound

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        self._inbound.inject(input, self._inbound._context())
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        self._start(f"SignalChildWorkflow:{input.signal}", input)
        await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        self._start(f"SignalExternalWorkflow:{input.signal}", input)
        await super().signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        self._start(f"StartActivity:{input.activity}", input)
        return super().start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        self._start(f"StartChildWorkflow:{input.workflow}", input)
        return await super().start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        self._start(f"StartActivity:{input.activity}", input)
        return super().start_local_activity(input)

    async def start_nexus_operation(
        self, input: StartNexusOperationInput[Any, Any]
    ) -> workflow.NexusOperationHandle[Any]:
        name = f"StartNexusOperation:{input.service}/{input.operation_name}"
        self._inbound.inject_text(input, self._inbound._completed(name, SpanKind.CLIENT))
        return await super().start_nexus_operation(input)

    async def start_signal_with_start_workflow(
        self, request: SignalWithStartWorkflowRequest
    ) -> workflow.NexusOperationHandle[SignalWithStartWorkflowResponse]:
        self._start("SignalWithStartWorkflow", request)
        return await super().start_signal_with_start_workflow(request)

    def _start(self, name: str, input: Any) -> None:
        self._inbound.inject(input, self._inbound._completed(name, SpanKind.CLIENT))


def completed_span_in_workflow(name: str, attributes: Attributes, exception: Exception | None) -> bool:
    """Makes a span of a workflow that a :class:`TracingInterceptor` traces; whether one does."""
    inbound = otel_context.get_value(_INTERCEPTOR)
    if not isinstance(inbound, TracingWorkflowInboundInterceptor):
        return False
    inbound._completed(name, SpanKind.INTERNAL, attributes=attributes, error=exception)
    return True
