"""Tracing with spans as long as what they stand for, in workflows too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Tracer

from invincible import worker, workflow
from invincible.converter import Payload
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
from ._propagation import record_error
from ._replay import attached
from ._tracer_provider import ReplaySafeTracerProvider

if TYPE_CHECKING:
    from invincible.workflow._interception.signal_with_start import (
        SignalWithStartWorkflowRequest,
        SignalWithStartWorkflowResponse,
    )

_EXTERN = "__invincible_opentelemetry_spans"


class OpenTelemetryInterceptor(CallTracing):
    """Traces clients and workers, with the global provider, which :func:`create_tracer_provider` must have made.

    Give it to the client, whose workers take it from there; :class:`OpenTelemetryPlugin` does.

    Args:
        add_temporal_spans: Whether there are spans of its own: ``StartWorkflow``, ``RunWorkflow``, ``RunActivity`` and
            so on. Without them, contexts are propagated, so that spans of user code belong to one trace.
    """

    def __init__(self, add_temporal_spans: bool = False) -> None:
        """Traces with the global provider."""
        super().__init__()
        self.makes_spans = add_temporal_spans

    def get_tracer(self) -> Tracer:
        """What makes spans."""
        return trace.get_tracer(__name__)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        """Traces workflows.

        Raises:
            ValueError: Spans of the global provider would differ on replay.
        """
        provider = trace.get_tracer_provider()
        if not isinstance(provider, ReplaySafeTracerProvider):
            raise ValueError(
                f"the global tracer provider is a {type(provider).__name__}, whose spans would differ on replay: "
                "set one made by create_tracer_provider() before workers are made"
            )
        input.unsafe_extern_functions[_EXTERN] = lambda: self
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    def __init__(self, next: WorkflowInboundInterceptor) -> None:
        super().__init__(next)
        self._tracing: OpenTelemetryInterceptor = workflow.extern_functions()[_EXTERN]()

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound, self._tracing))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        with self._span(f"RunWorkflow:{workflow.info().workflow_type}", input.headers):
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with self._span(f"HandleSignal:{input.signal}", input.headers):
            await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        with self._span(f"HandleQuery:{input.query}", input.headers):
            return await super().handle_query(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        with self._span(f"ValidateUpdate:{input.update}", input.headers):
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with self._span(f"HandleUpdate:{input.update}", input.headers):
            return await super().handle_update_handler(input)

    def _span(self, name: str, headers: Mapping[str, Payload]) -> Any:
        parent = self._tracing.context_from_headers(headers)
        if parent is None:
            # A message from one who does not trace belongs to what started the workflow.
            parent = self._tracing.context_from_headers(workflow.info().headers)
        return _workflow_span(self._tracing, name, SpanKind.SERVER, parent)


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, tracing: OpenTelemetryInterceptor) -> None:
        super().__init__(next)
        self._tracing = tracing

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        self._tracing.inject(input)
        super().continue_as_new(input)

    async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
        with self._span(f"SignalChildWorkflow:{input.signal}"):
            self._tracing.inject(input)
            await super().signal_child_workflow(input)

    async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
        with self._span(f"SignalExternalWorkflow:{input.signal}"):
            self._tracing.inject(input)
            await super().signal_external_workflow(input)

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        with self._span(f"StartActivity:{input.activity}"):
            self._tracing.inject(input)
            return super().start_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        with self._span(f"StartChildWorkflow:{input.workflow}"):
            self._tracing.inject(input)
            return await super().start_child_workflow(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        with self._span(f"StartActivity:{input.activity}"):
            self._tracing.inject(input)
            return super().start_local_activity(input)

    async def start_nexus_operation(
        self, input: StartNexusOperationInput[Any, Any]
    ) -> workflow.NexusOperationHandle[Any]:
        with self._span(f"StartNexusOperation:{input.service}/{input.operation_name}"):
            self._tracing.inject_text(input)
            return await super().start_nexus_operation(input)

    async def start_signal_with_start_workflow(
        self, request: SignalWithStartWorkflowRequest
    ) -> workflow.NexusOperationHandle[SignalWithStartWorkflowResponse]:
        with self._span("SignalWithStartWorkflow"):
            self._tracing.inject(request)
            return await super().start_signal_with_start_workflow(request)

    def _span(self, name: str) -> Any:
        return _workflow_span(self._tracing, name, SpanKind.CLIENT, None)


@contextmanager
def _workflow_span(
    tracing: OpenTelemetryInterceptor, name: str, kind: SpanKind, parent: Context | None
) -> Iterator[None]:
    """A current span of workflow code; it stays open if the workflow task fails, as the code will run again."""
    if not tracing.makes_spans:
        with attached(parent):
            yield
        return
    info = workflow.info()
    attributes = {"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id}
    span = tracing.get_tracer().start_span(name, parent, kind, attributes)
    with attached(trace.set_span_in_context(span, parent)):
        try:
            yield
        except Exception as error:
            if not workflow.is_failure_exception(error) and not workflow.unsafe.is_read_only():
                raise
            record_error(span, error)
            span.end()
            raise
        except BaseException:
            # Cancelled, or continued as new.
            span.end()
            raise
        span.end()
