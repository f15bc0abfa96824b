# The border, in the order of core-bridge/src/lib.rs. Durations are seconds, instants seconds since the epoch, enums
# numbers.

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from types import GenericAlias
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, final

__all__ = [
    "CORE_VERSION",
    "Activation",
    "ActivityBackoff",
    "ActivityCancel",
    "ActivityFailureInfo",
    "ActivityStart",
    "ApplicationFailureInfo",
    "BufferedMetric",
    "BufferedMetricUpdate",
    "CancelChildWorkflowExecution",
    "CancelSignalWorkflow",
    "CancelTimer",
    "CancelWorkflow",
    "CancelWorkflowExecution",
    "CancelWorkflowRequest",
    "CanceledFailureInfo",
    "ChildWorkflowExecutionFailureInfo",
    "Client",
    "CompleteWorkflowExecution",
    "CompletionQueue",
    "ContinueAsNewWorkflowExecution",
    "DoUpdate",
    "EncodedActivation",
    "EventGroupMarker",
    "FailWorkflowExecution",
    "Failure",
    "FireTimer",
    "HealthServer",
    "HistoryFeeder",
    "InitializeWorkflow",
    "JsonPlan",
    "JsonWriter",
    "LogQueue",
    "LogRecord",
    "MetricBuffer",
    "MetricCounter",
    "MetricGauge",
    "MetricGaugeFloat",
    "MetricHistogram",
    "MetricHistogramFloat",
    "MetricHistogramTimedelta",
    "MetricMeter",
    "ModifyWorkflowProperties",
    "NexusHandlerFailureInfo",
    "NexusOperationCancel",
    "NexusOperationFailureInfo",
    "NexusOperationStart",
    "NexusTaskCancel",
    "NexusTaskCompletion",
    "NotifyHasPatch",
    "Operation",
    "OtlpExporter",
    "OversizedPayloads",
    "Payload",
    "PayloadField",
    "PlainCompletion",
    "PollUpdateRequest",
    "Priority",
    "PrometheusExporter",
    "QueryAnswer",
    "QueryResult",
    "QueryWorkflow",
    "QueryWorkflowRequest",
    "RemoveFromCache",
    "RequestCancelActivity",
    "RequestCancelExternalWorkflowExecution",
    "RequestCancelLocalActivity",
    "RequestCancelNexusOperation",
    "ResetWorkflowFailureInfo",
    "ResolveActivity",
    "ResolveChildWorkflowExecution",
    "ResolveChildWorkflowExecutionStart",
    "ResolveNexusOperation",
    "ResolveNexusOperationStart",
    "ResolveRequestCancelExternalWorkflow",
    "ResolveSignalExternalWorkflow",
    "RetryPolicy",
    "Runtime",
    "ScheduleActivity",
    "ScheduleLocalActivity",
    "ScheduleNexusOperation",
    "ServerFailureInfo",
    "SetPatchMarker",
    "SignalExternalWorkflowExecution",
    "SignalWorkflow",
    "SignalWorkflowRequest",
    "SlotRelease",
    "SlotRequest",
    "SlotUse",
    "SlotWithdrawal",
    "StartChildWorkflowExecution",
    "StartTimer",
    "StartWorkflowRequest",
    "StartedWorkflow",
    "TerminateWorkflowRequest",
    "TerminatedFailureInfo",
    "TimeoutFailureInfo",
    "Tuner",
    "UpdateAccepted",
    "UpdateCompleted",
    "UpdateRandomSeed",
    "UpdateRejected",
    "UpdateRequest",
    "UpdateResponse",
    "UpsertWorkflowSearchAttributes",
    "Worker",
    "WorkerConfig",
    "WorkerHealth",
    "WorkflowOutcome",
    "WorkflowResultRequest",
    "replay_worker",
    "signal_with_start_run_id",
]

_T = TypeVar("_T", covariant=True)
_Metadata: TypeAlias = Mapping[str, str | bytes]
# A number, or minimum, maximum and throttle, or callables for messages and for permits at once.
_Slots: TypeAlias = int | tuple[int, int, float] | tuple[Callable[[Any], object], Callable[[int], Sequence[int]]]
_MetricAttributes: TypeAlias = Mapping[str, str | int | float | bool]
_FailureInfo: TypeAlias = (
    ApplicationFailureInfo
    | TimeoutFailureInfo
    | CanceledFailureInfo
    | TerminatedFailureInfo
    | ServerFailureInfo
    | ResetWorkflowFailureInfo
    | ActivityFailureInfo
    | ChildWorkflowExecutionFailureInfo
    | NexusOperationFailureInfo
    | NexusHandlerFailureInfo
)

class _TLSConfig(Protocol):
    @property
    def server_root_ca_cert(self) -> bytes | None: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def client_cert(self) -> bytes | None: ...
    @property
    def client_private_key(self) -> bytes | None: ...
    @property
    def verification_server_name(self) -> str | None: ...

class _RetryConfig(Protocol):
    @property
    def initial_interval_millis(self) -> int: ...
    @property
    def randomization_factor(self) -> float: ...
    @property
    def multiplier(self) -> float: ...
    @property
    def max_interval_millis(self) -> int: ...
    @property
    def max_elapsed_time_millis(self) -> int | None: ...
    @property
    def max_retries(self) -> int: ...

class _KeepAliveConfig(Protocol):
    @property
    def interval_millis(self) -> int: ...
    @property
    def timeout_millis(self) -> int: ...

class _HttpConnectProxyConfig(Protocol):
    @property
    def target_host(self) -> str: ...
    @property
    def basic_auth(self) -> tuple[str, str] | None: ...

class _PayloadLimitsConfig(Protocol):
    @property
    def payloads_warn_size(self) -> int: ...
    @property
    def memo_warn_size(self) -> int: ...

CORE_VERSION: str

@final
class Activation:
    def __new__(
        cls,
        *,
        run_id: str,
        timestamp_ns: int = ...,
        is_replaying: bool = ...,
        history_length: int = ...,
        history_size_bytes: int = ...,
        continue_as_new_suggested: bool = ...,
        target_worker_deployment_version_changed: bool = ...,
        deployment_version: tuple[str, str] | None = ...,
        jobs: list[Any],
    ) -> Activation: ...
    @property
    def run_id(self) -> str: ...
    @property
    def timestamp_ns(self) -> int: ...
    @property
    def is_replaying(self) -> bool: ...
    @property
    def history_length(self) -> int: ...
    @property
    def history_size_bytes(self) -> int: ...
    @property
    def continue_as_new_suggested(self) -> bool: ...
    @property
    def target_worker_deployment_version_changed(self) -> bool: ...
    @property
    def deployment_version(self) -> tuple[str, str] | None: ...
    @property
    def jobs(self) -> list[Any]: ...

@final
class ActivityBackoff:
    def __new__(
        cls,
        *,
        attempt: int,
        backoff: float,
        original_schedule_time_ns: int | None = ...,
    ) -> ActivityBackoff: ...
    @property
    def attempt(self) -> int: ...
    @property
    def backoff(self) -> float: ...
    @property
    def original_schedule_time_ns(self) -> int | None: ...

@final
class CancelWorkflow:
    def __new__(
        cls,
        *,
        reason: str = ...,
    ) -> CancelWorkflow: ...
    @property
    def reason(self) -> str: ...

@final
class DoUpdate:
    def __new__(
        cls,
        *,
        id: str,
        protocol_instance_id: str = ...,
        name: str,
        input: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] = ...,
        identity: str = ...,
        update_id: str = ...,
        run_validator: bool = ...,
    ) -> DoUpdate: ...
    @property
    def id(self) -> str: ...
    @property
    def protocol_instance_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def identity(self) -> str: ...
    @property
    def update_id(self) -> str: ...
    @property
    def run_validator(self) -> bool: ...

@final
class FireTimer:
    def __new__(
        cls,
        *,
        seq: int,
    ) -> FireTimer: ...
    @property
    def seq(self) -> int: ...

@final
class InitializeWorkflow:
    def __new__(
        cls,
        *,
        workflow_type: str,
        workflow_id: str,
        arguments: Sequence[Payload] = ...,
        randomness_seed: int = ...,
        headers: Mapping[str, Payload] = ...,
        identity: str = ...,
        parent: tuple[str, str, str] | None = ...,
        root: tuple[str, str] | None = ...,
        execution_timeout: float | None = ...,
        run_timeout: float | None = ...,
        task_timeout: float | None = ...,
        continued_run_id: str | None = ...,
        continued_initiator: int = ...,
        continued_failure: Failure | None = ...,
        last_completion_result: Sequence[Payload] | None = ...,
        first_execution_run_id: str = ...,
        original_execution_run_id: str = ...,
        retry_policy: RetryPolicy | None = ...,
        attempt: int = ...,
        cron_schedule: str | None = ...,
        cron_schedule_to_schedule_interval: float | None = ...,
        workflow_execution_expiration_time: float | None = ...,
        memo: Mapping[str, Payload] = ...,
        search_attributes: Mapping[str, Payload] = ...,
        start_time_ns: int = ...,
        priority: Priority | None = ...,
    ) -> InitializeWorkflow: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def randomness_seed(self) -> int: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def identity(self) -> str: ...
    @property
    def parent(self) -> tuple[str, str, str] | None: ...
    @property
    def root(self) -> tuple[str, str] | None: ...
    @property
    def execution_timeout(self) -> float | None: ...
    @property
    def run_timeout(self) -> float | None: ...
    @property
    def task_timeout(self) -> float | None: ...
    @property
    def continued_run_id(self) -> str | None: ...
    @property
    def continued_initiator(self) -> int: ...
    @property
    def continued_failure(self) -> Failure | None: ...
    @property
    def last_completion_result(self) -> list[Payload] | None: ...
    @property
    def first_execution_run_id(self) -> str: ...
    @property
    def original_execution_run_id(self) -> str: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def attempt(self) -> int: ...
    @property
    def cron_schedule(self) -> str | None: ...
    @property
    def cron_schedule_to_schedule_interval(self) -> float | None: ...
    @property
    def workflow_execution_expiration_time(self) -> float | None: ...
    @property
    def memo(self) -> dict[str, Payload]: ...
    @property
    def search_attributes(self) -> dict[str, Payload]: ...
    @property
    def start_time_ns(self) -> int: ...
    @property
    def priority(self) -> Priority | None: ...

@final
class NotifyHasPatch:
    def __new__(
        cls,
        *,
        patch_id: str,
    ) -> NotifyHasPatch: ...
    @property
    def patch_id(self) -> str: ...

@final
class QueryWorkflow:
    def __new__(
        cls,
        *,
        query_id: str,
        query_type: str,
        arguments: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] = ...,
    ) -> QueryWorkflow: ...
    @property
    def query_id(self) -> str: ...
    @property
    def query_type(self) -> str: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload]: ...

@final
class RemoveFromCache:
    def __new__(
        cls,
        *,
        message: str = ...,
        reason: int = ...,
    ) -> RemoveFromCache: ...
    @property
    def message(self) -> str: ...
    @property
    def reason(self) -> int: ...

@final
class ResolveActivity:
    def __new__(
        cls,
        *,
        seq: int,
        is_local: bool = ...,
        result: Payload | None = ...,
        failure: Failure | None = ...,
        backoff: ActivityBackoff | None = ...,
    ) -> ResolveActivity: ...
    @property
    def seq(self) -> int: ...
    @property
    def is_local(self) -> bool: ...
    @property
    def result(self) -> Payload | None: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def backoff(self) -> ActivityBackoff | None: ...

@final
class ResolveChildWorkflowExecution:
    def __new__(
        cls,
        *,
        seq: int,
        result: Payload | None = ...,
        failure: Failure | None = ...,
    ) -> ResolveChildWorkflowExecution: ...
    @property
    def seq(self) -> int: ...
    @property
    def result(self) -> Payload | None: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class ResolveChildWorkflowExecutionStart:
    def __new__(
        cls,
        *,
        seq: int,
        run_id: str | None = ...,
        workflow_id: str = ...,
        workflow_type: str = ...,
        cause: int = ...,
        failure: Failure | None = ...,
    ) -> ResolveChildWorkflowExecutionStart: ...
    @property
    def seq(self) -> int: ...
    @property
    def run_id(self) -> str | None: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def cause(self) -> int: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class ResolveNexusOperation:
    def __new__(
        cls,
        *,
        seq: int,
        result: Payload | None = ...,
        failure: Failure | None = ...,
    ) -> ResolveNexusOperation: ...
    @property
    def seq(self) -> int: ...
    @property
    def result(self) -> Payload | None: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class ResolveNexusOperationStart:
    def __new__(
        cls,
        *,
        seq: int,
        operation_token: str | None = ...,
        started_sync: bool = ...,
        failure: Failure | None = ...,
    ) -> ResolveNexusOperationStart: ...
    @property
    def seq(self) -> int: ...
    @property
    def operation_token(self) -> str | None: ...
    @property
    def started_sync(self) -> bool: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class ResolveRequestCancelExternalWorkflow:
    def __new__(
        cls,
        *,
        seq: int,
        failure: Failure | None = ...,
    ) -> ResolveRequestCancelExternalWorkflow: ...
    @property
    def seq(self) -> int: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class ResolveSignalExternalWorkflow:
    def __new__(
        cls,
        *,
        seq: int,
        failure: Failure | None = ...,
    ) -> ResolveSignalExternalWorkflow: ...
    @property
    def seq(self) -> int: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class SignalWorkflow:
    def __new__(
        cls,
        *,
        signal_name: str,
        input: Sequence[Payload] = ...,
        identity: str = ...,
        headers: Mapping[str, Payload] = ...,
        originating_event_id: int = ...,
    ) -> SignalWorkflow: ...
    @property
    def signal_name(self) -> str: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def identity(self) -> str: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def originating_event_id(self) -> int: ...

@final
class UpdateRandomSeed:
    def __new__(
        cls,
        *,
        randomness_seed: int,
    ) -> UpdateRandomSeed: ...
    @property
    def randomness_seed(self) -> int: ...

@final
class ActivityCancel:
    def __new__(
        cls,
        *,
        task_token: bytes,
        not_found: bool = ...,
        cancel_requested: bool = ...,
        paused: bool = ...,
        reset: bool = ...,
        timed_out: bool = ...,
        worker_shutdown: bool = ...,
    ) -> ActivityCancel: ...
    @property
    def task_token(self) -> bytes: ...
    @property
    def not_found(self) -> bool: ...
    @property
    def cancel_requested(self) -> bool: ...
    @property
    def paused(self) -> bool: ...
    @property
    def reset(self) -> bool: ...
    @property
    def timed_out(self) -> bool: ...
    @property
    def worker_shutdown(self) -> bool: ...

@final
class ActivityStart:
    def __new__(
        cls,
        *,
        task_token: bytes,
        activity_id: str,
        activity_type: str,
        activity_run_id: str = ...,
        workflow_namespace: str = ...,
        workflow_id: str = ...,
        workflow_run_id: str = ...,
        workflow_type: str = ...,
        headers: Mapping[str, Payload] = ...,
        input: Sequence[Payload] = ...,
        heartbeat_details: Sequence[Payload] = ...,
        attempt: int = ...,
        is_local: bool = ...,
        scheduled_time: float = ...,
        current_attempt_scheduled_time: float = ...,
        started_time: float = ...,
        schedule_to_close_timeout: float | None = ...,
        start_to_close_timeout: float | None = ...,
        heartbeat_timeout: float | None = ...,
        retry_policy: RetryPolicy | None = ...,
        priority: Priority | None = ...,
    ) -> ActivityStart: ...
    @property
    def task_token(self) -> bytes: ...
    @property
    def activity_id(self) -> str: ...
    @property
    def activity_type(self) -> str: ...
    @property
    def activity_run_id(self) -> str: ...
    @property
    def workflow_namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def workflow_run_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def heartbeat_details(self) -> list[Payload]: ...
    @property
    def attempt(self) -> int: ...
    @property
    def is_local(self) -> bool: ...
    @property
    def scheduled_time(self) -> float: ...
    @property
    def current_attempt_scheduled_time(self) -> float: ...
    @property
    def started_time(self) -> float: ...
    @property
    def schedule_to_close_timeout(self) -> float | None: ...
    @property
    def start_to_close_timeout(self) -> float | None: ...
    @property
    def heartbeat_timeout(self) -> float | None: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def priority(self) -> Priority | None: ...

@final
class Client:
    @staticmethod
    def connect(
        runtime: Runtime,
        target_host: str,
        *,
        identity: str,
        tls: _TLSConfig | None = None,
        api_key: str | None = None,
        metadata: _Metadata | None = None,
        retry: _RetryConfig | None = None,
        keep_alive: _KeepAliveConfig | None = None,
        connect_timeout: float | None = None,
        http_connect_proxy: _HttpConnectProxyConfig | None = None,
        dns_resolution_interval: float | None = None,
        gzip: bool = True,
        payload_limits: _PayloadLimitsConfig | None = None,
    ) -> Operation[Client]: ...
    def update_metadata(self, metadata: _Metadata) -> None: ...
    def update_api_key(self, api_key: str | None) -> None: ...
    def close(self) -> None: ...
    def call(
        self,
        service: str,
        rpc: str,
        request: bytes,
        *,
        retry: bool = False,
        metadata: _Metadata | None = None,
        timeout: float | None = None,
    ) -> Operation[bytes]: ...
    def start_workflow(
        self, request: StartWorkflowRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[StartedWorkflow]: ...
    def signal_workflow(
        self, request: SignalWorkflowRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[list[bytes]]: ...
    def query_workflow(
        self, request: QueryWorkflowRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[QueryAnswer]: ...
    def start_update(
        self, request: UpdateRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[UpdateResponse]: ...
    def poll_update(
        self, request: PollUpdateRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[UpdateResponse]: ...
    def cancel_workflow(
        self, request: CancelWorkflowRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[None]: ...
    def terminate_workflow(
        self, request: TerminateWorkflowRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[None]: ...
    def workflow_result(
        self, request: WorkflowResultRequest, *, metadata: _Metadata | None = None, timeout: float | None = None
    ) -> Operation[WorkflowOutcome]: ...

@final
class QueryAnswer:
    @property
    def result(self) -> list[Payload]: ...
    @property
    def rejected_status(self) -> int | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class StartedWorkflow:
    @property
    def run_id(self) -> str: ...
    @property
    def first_execution_run_id(self) -> str: ...
    @property
    def started(self) -> bool: ...
    @property
    def links(self) -> list[bytes]: ...

@final
class CancelChildWorkflowExecution:
    def __new__(
        cls,
        *,
        child_workflow_seq: int,
        reason: str = ...,
    ) -> CancelChildWorkflowExecution: ...
    @property
    def child_workflow_seq(self) -> int: ...
    @property
    def reason(self) -> str: ...

@final
class CancelSignalWorkflow:
    def __new__(
        cls,
        *,
        seq: int,
    ) -> CancelSignalWorkflow: ...
    @property
    def seq(self) -> int: ...

@final
class CancelTimer:
    def __new__(
        cls,
        *,
        seq: int,
    ) -> CancelTimer: ...
    @property
    def seq(self) -> int: ...

@final
class CancelWorkflowExecution:
    def __new__(cls) -> CancelWorkflowExecution: ...

@final
class CompleteWorkflowExecution:
    def __new__(
        cls,
        *,
        result: Payload | None = ...,
    ) -> CompleteWorkflowExecution: ...
    @property
    def result(self) -> Payload | None: ...

@final
class ContinueAsNewWorkflowExecution:
    def __new__(
        cls,
        *,
        workflow_type: str = ...,
        task_queue: str = ...,
        arguments: Sequence[Payload] = ...,
        run_timeout: float | None = ...,
        task_timeout: float | None = ...,
        memo: Mapping[str, Payload] | None = ...,
        headers: Mapping[str, Payload] | None = ...,
        search_attributes: Mapping[str, Payload] | None = ...,
        retry_policy: RetryPolicy | None = ...,
        versioning_intent: int = ...,
        initial_versioning_behavior: int = ...,
        backoff_start_interval: float | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> ContinueAsNewWorkflowExecution: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def task_queue(self) -> str: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def run_timeout(self) -> float | None: ...
    @property
    def task_timeout(self) -> float | None: ...
    @property
    def memo(self) -> dict[str, Payload] | None: ...
    @property
    def headers(self) -> dict[str, Payload] | None: ...
    @property
    def search_attributes(self) -> dict[str, Payload] | None: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def versioning_intent(self) -> int: ...
    @property
    def initial_versioning_behavior(self) -> int: ...
    @property
    def backoff_start_interval(self) -> float | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class EventGroupMarker:
    def __new__(
        cls,
        *,
        id: str | None = ...,
        label: Payload | None = ...,
        inbound_event_id: int | None = ...,
        inbound_update_id: str | None = ...,
    ) -> EventGroupMarker: ...
    @property
    def id(self) -> str | None: ...
    @property
    def label(self) -> Payload | None: ...
    @property
    def inbound_event_id(self) -> int | None: ...
    @property
    def inbound_update_id(self) -> str | None: ...

@final
class FailWorkflowExecution:
    def __new__(
        cls,
        *,
        failure: Failure,
    ) -> FailWorkflowExecution: ...
    @property
    def failure(self) -> Failure: ...

@final
class ModifyWorkflowProperties:
    def __new__(
        cls,
        *,
        upserted_memo: Mapping[str, Payload],
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> ModifyWorkflowProperties: ...
    @property
    def upserted_memo(self) -> dict[str, Payload]: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class QueryResult:
    def __new__(
        cls,
        *,
        query_id: str,
        result: Payload | None = ...,
        failure: Failure | None = ...,
    ) -> QueryResult: ...
    @property
    def query_id(self) -> str: ...
    @property
    def result(self) -> Payload | None: ...
    @property
    def failure(self) -> Failure | None: ...

@final
class RequestCancelActivity:
    def __new__(
        cls,
        *,
        seq: int,
    ) -> RequestCancelActivity: ...
    @property
    def seq(self) -> int: ...

@final
class RequestCancelExternalWorkflowExecution:
    def __new__(
        cls,
        *,
        seq: int,
        namespace: str = ...,
        workflow_id: str,
        run_id: str = ...,
        reason: str = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> RequestCancelExternalWorkflowExecution: ...
    @property
    def seq(self) -> int: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class RequestCancelLocalActivity:
    def __new__(
        cls,
        *,
        seq: int,
    ) -> RequestCancelLocalActivity: ...
    @property
    def seq(self) -> int: ...

@final
class RequestCancelNexusOperation:
    def __new__(
        cls,
        *,
        seq: int,
    ) -> RequestCancelNexusOperation: ...
    @property
    def seq(self) -> int: ...

@final
class ScheduleActivity:
    def __new__(
        cls,
        *,
        seq: int,
        activity_id: str,
        activity_type: str,
        task_queue: str,
        arguments: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] | None = ...,
        schedule_to_close_timeout: float | None = ...,
        schedule_to_start_timeout: float | None = ...,
        start_to_close_timeout: float | None = ...,
        heartbeat_timeout: float | None = ...,
        retry_policy: RetryPolicy | None = ...,
        cancellation_type: int = ...,
        do_not_eagerly_execute: bool = ...,
        versioning_intent: int = ...,
        summary: Payload | None = ...,
        priority: Priority | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> ScheduleActivity: ...
    @property
    def seq(self) -> int: ...
    @property
    def activity_id(self) -> str: ...
    @property
    def activity_type(self) -> str: ...
    @property
    def task_queue(self) -> str: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload] | None: ...
    @property
    def schedule_to_close_timeout(self) -> float | None: ...
    @property
    def schedule_to_start_timeout(self) -> float | None: ...
    @property
    def start_to_close_timeout(self) -> float | None: ...
    @property
    def heartbeat_timeout(self) -> float | None: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def cancellation_type(self) -> int: ...
    @property
    def do_not_eagerly_execute(self) -> bool: ...
    @property
    def versioning_intent(self) -> int: ...
    @property
    def summary(self) -> Payload | None: ...
    @property
    def priority(self) -> Priority | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class ScheduleLocalActivity:
    def __new__(
        cls,
        *,
        seq: int,
        activity_id: str,
        activity_type: str,
        attempt: int = ...,
        original_schedule_time_ns: int | None = ...,
        headers: Mapping[str, Payload] | None = ...,
        arguments: Sequence[Payload] = ...,
        schedule_to_close_timeout: float | None = ...,
        schedule_to_start_timeout: float | None = ...,
        start_to_close_timeout: float | None = ...,
        retry_policy: RetryPolicy | None = ...,
        local_retry_threshold: float | None = ...,
        cancellation_type: int = ...,
        summary: Payload | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> ScheduleLocalActivity: ...
    @property
    def seq(self) -> int: ...
    @property
    def activity_id(self) -> str: ...
    @property
    def activity_type(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def original_schedule_time_ns(self) -> int | None: ...
    @property
    def headers(self) -> dict[str, Payload] | None: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def schedule_to_close_timeout(self) -> float | None: ...
    @property
    def schedule_to_start_timeout(self) -> float | None: ...
    @property
    def start_to_close_timeout(self) -> float | None: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def local_retry_threshold(self) -> float | None: ...
    @property
    def cancellation_type(self) -> int: ...
    @property
    def summary(self) -> Payload | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class ScheduleNexusOperation:
    def __new__(
        cls,
        *,
        seq: int,
        endpoint: str,
        service: str,
        operation: str,
        input: Payload | None = ...,
        schedule_to_close_timeout: float | None = ...,
        schedule_to_start_timeout: float | None = ...,
        start_to_close_timeout: float | None = ...,
        nexus_header: Mapping[str, str] = ...,
        cancellation_type: int = ...,
        summary: Payload | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> ScheduleNexusOperation: ...
    @property
    def seq(self) -> int: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def input(self) -> Payload | None: ...
    @property
    def schedule_to_close_timeout(self) -> float | None: ...
    @property
    def schedule_to_start_timeout(self) -> float | None: ...
    @property
    def start_to_close_timeout(self) -> float | None: ...
    @property
    def nexus_header(self) -> dict[str, str]: ...
    @property
    def cancellation_type(self) -> int: ...
    @property
    def summary(self) -> Payload | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class SetPatchMarker:
    def __new__(
        cls,
        *,
        patch_id: str,
        deprecated: bool = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> SetPatchMarker: ...
    @property
    def patch_id(self) -> str: ...
    @property
    def deprecated(self) -> bool: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class SignalExternalWorkflowExecution:
    def __new__(
        cls,
        *,
        seq: int,
        signal_name: str,
        arguments: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] | None = ...,
        namespace: str = ...,
        workflow_id: str = ...,
        run_id: str = ...,
        child_workflow_id: str | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> SignalExternalWorkflowExecution: ...
    @property
    def seq(self) -> int: ...
    @property
    def signal_name(self) -> str: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload] | None: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def child_workflow_id(self) -> str | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class StartChildWorkflowExecution:
    def __new__(
        cls,
        *,
        seq: int,
        namespace: str = ...,
        workflow_id: str,
        workflow_type: str,
        task_queue: str,
        input: Sequence[Payload] = ...,
        execution_timeout: float | None = ...,
        run_timeout: float | None = ...,
        task_timeout: float | None = ...,
        parent_close_policy: int = ...,
        id_reuse_policy: int = ...,
        retry_policy: RetryPolicy | None = ...,
        cron_schedule: str = ...,
        headers: Mapping[str, Payload] | None = ...,
        memo: Mapping[str, Payload] | None = ...,
        search_attributes: Mapping[str, Payload] | None = ...,
        cancellation_type: int = ...,
        versioning_intent: int = ...,
        priority: Priority | None = ...,
        versioning_override: tuple[str, tuple[str, str] | None] | None = ...,
        summary: Payload | None = ...,
        details: Payload | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> StartChildWorkflowExecution: ...
    @property
    def seq(self) -> int: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def task_queue(self) -> str: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def execution_timeout(self) -> float | None: ...
    @property
    def run_timeout(self) -> float | None: ...
    @property
    def task_timeout(self) -> float | None: ...
    @property
    def parent_close_policy(self) -> int: ...
    @property
    def id_reuse_policy(self) -> int: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def cron_schedule(self) -> str: ...
    @property
    def headers(self) -> dict[str, Payload] | None: ...
    @property
    def memo(self) -> dict[str, Payload] | None: ...
    @property
    def search_attributes(self) -> dict[str, Payload] | None: ...
    @property
    def cancellation_type(self) -> int: ...
    @property
    def versioning_intent(self) -> int: ...
    @property
    def priority(self) -> Priority | None: ...
    @property
    def versioning_override(self) -> tuple[str, tuple[str, str] | None] | None: ...
    @property
    def summary(self) -> Payload | None: ...
    @property
    def details(self) -> Payload | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class StartTimer:
    def __new__(
        cls,
        *,
        seq: int,
        duration: float,
        summary: Payload | None = ...,
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> StartTimer: ...
    @property
    def seq(self) -> int: ...
    @property
    def duration(self) -> float: ...
    @property
    def summary(self) -> Payload | None: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class UpdateAccepted:
    def __new__(
        cls,
        *,
        protocol_instance_id: str,
    ) -> UpdateAccepted: ...
    @property
    def protocol_instance_id(self) -> str: ...

@final
class UpdateCompleted:
    def __new__(
        cls,
        *,
        protocol_instance_id: str,
        result: Payload | None = ...,
    ) -> UpdateCompleted: ...
    @property
    def protocol_instance_id(self) -> str: ...
    @property
    def result(self) -> Payload | None: ...

@final
class UpdateRejected:
    def __new__(
        cls,
        *,
        protocol_instance_id: str,
        failure: Failure,
    ) -> UpdateRejected: ...
    @property
    def protocol_instance_id(self) -> str: ...
    @property
    def failure(self) -> Failure: ...

@final
class UpsertWorkflowSearchAttributes:
    def __new__(
        cls,
        *,
        search_attributes: Mapping[str, Payload],
        event_groups: Sequence[EventGroupMarker] = ...,
    ) -> UpsertWorkflowSearchAttributes: ...
    @property
    def search_attributes(self) -> dict[str, Payload]: ...
    @property
    def event_groups(self) -> list[EventGroupMarker]: ...

@final
class ActivityFailureInfo:
    def __new__(
        cls,
        *,
        scheduled_event_id: int = ...,
        started_event_id: int = ...,
        identity: str = ...,
        activity_type: str = ...,
        activity_id: str = ...,
        retry_state: int = ...,
    ) -> ActivityFailureInfo: ...
    @property
    def scheduled_event_id(self) -> int: ...
    @property
    def started_event_id(self) -> int: ...
    @property
    def identity(self) -> str: ...
    @property
    def activity_type(self) -> str: ...
    @property
    def activity_id(self) -> str: ...
    @property
    def retry_state(self) -> int: ...

@final
class ApplicationFailureInfo:
    def __new__(
        cls,
        *,
        type: str = ...,
        non_retryable: bool = ...,
        details: Sequence[Payload] | None = ...,
        next_retry_delay: float | None = ...,
        category: int = ...,
    ) -> ApplicationFailureInfo: ...
    @property
    def type(self) -> str: ...
    @property
    def non_retryable(self) -> bool: ...
    @property
    def details(self) -> list[Payload] | None: ...
    @property
    def next_retry_delay(self) -> float | None: ...
    @property
    def category(self) -> int: ...

@final
class CanceledFailureInfo:
    def __new__(
        cls,
        *,
        details: Sequence[Payload] | None = ...,
        identity: str = ...,
    ) -> CanceledFailureInfo: ...
    @property
    def details(self) -> list[Payload] | None: ...
    @property
    def identity(self) -> str: ...

@final
class ChildWorkflowExecutionFailureInfo:
    def __new__(
        cls,
        *,
        namespace: str = ...,
        workflow_id: str = ...,
        run_id: str = ...,
        workflow_type: str = ...,
        initiated_event_id: int = ...,
        started_event_id: int = ...,
        retry_state: int = ...,
    ) -> ChildWorkflowExecutionFailureInfo: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def initiated_event_id(self) -> int: ...
    @property
    def started_event_id(self) -> int: ...
    @property
    def retry_state(self) -> int: ...

@final
class Failure:
    def __new__(
        cls,
        message: str,
        *,
        source: str = ...,
        stack_trace: str = ...,
        encoded_attributes: Payload | None = None,
        cause: Failure | None = None,
        info: _FailureInfo | None = None,
    ) -> Failure: ...
    @property
    def message(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def stack_trace(self) -> str: ...
    @property
    def encoded_attributes(self) -> Payload | None: ...
    @property
    def cause(self) -> Failure | None: ...
    @property
    def info(self) -> _FailureInfo | None: ...
    def SerializeToString(self) -> bytes: ...
    @classmethod
    def FromString(cls, data: bytes) -> Failure: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class NexusHandlerFailureInfo:
    def __new__(
        cls,
        *,
        type: str = ...,
        retry_behavior: int = ...,
    ) -> NexusHandlerFailureInfo: ...
    @property
    def type(self) -> str: ...
    @property
    def retry_behavior(self) -> int: ...

@final
class NexusOperationFailureInfo:
    def __new__(
        cls,
        *,
        scheduled_event_id: int = ...,
        endpoint: str = ...,
        service: str = ...,
        operation: str = ...,
        operation_token: str = ...,
    ) -> NexusOperationFailureInfo: ...
    @property
    def scheduled_event_id(self) -> int: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def operation_token(self) -> str: ...

@final
class ResetWorkflowFailureInfo:
    def __new__(
        cls,
        *,
        last_heartbeat_details: Sequence[Payload] | None = ...,
    ) -> ResetWorkflowFailureInfo: ...
    @property
    def last_heartbeat_details(self) -> list[Payload] | None: ...

@final
class ServerFailureInfo:
    def __new__(
        cls,
        *,
        non_retryable: bool = ...,
    ) -> ServerFailureInfo: ...
    @property
    def non_retryable(self) -> bool: ...

@final
class TerminatedFailureInfo:
    def __new__(
        cls,
        *,
        identity: str = ...,
    ) -> TerminatedFailureInfo: ...
    @property
    def identity(self) -> str: ...

@final
class TimeoutFailureInfo:
    def __new__(
        cls,
        *,
        timeout_type: int = ...,
        last_heartbeat_details: Sequence[Payload] | None = ...,
    ) -> TimeoutFailureInfo: ...
    @property
    def timeout_type(self) -> int: ...
    @property
    def last_heartbeat_details(self) -> list[Payload] | None: ...

@final
class HealthServer:
    def __new__(cls, runtime: Runtime, address: str) -> HealthServer: ...
    @property
    def address(self) -> str: ...
    def add(self, worker: WorkerHealth) -> None: ...
    def remove(self, worker: WorkerHealth) -> None: ...
    def put_report(self, name: str, report: str | None = None) -> None: ...
    def remove_report(self, name: str) -> None: ...
    def close(self) -> Operation[None]: ...

@final
class WorkerHealth:
    def __new__(
        cls,
        worker: Worker,
        queue: CompletionQueue,
        *,
        identity: str | None = None,
        stall_timeout: float | None = None,
        poll_timeout: float = 180.0,
        server_timeout: float = 30.0,
        dump_signal: int | None = None,
    ) -> WorkerHealth: ...
    def running(self) -> None: ...
    def draining(self) -> None: ...
    def failed(self, message: str) -> None: ...
    def beat(self, *, lag: float = 0.0, overdue: float = 0.0) -> list[tuple[str, str]]: ...
    def report(self) -> str: ...
    def close(self) -> None: ...

@final
class JsonPlan:
    ANY: JsonPlan
    NULL: JsonPlan
    TEXT: JsonPlan
    INT: JsonPlan
    FLOAT: JsonPlan
    BOOL: JsonPlan
    @staticmethod
    def list(item: JsonPlan) -> JsonPlan: ...
    @staticmethod
    def dict(value: JsonPlan) -> JsonPlan: ...
    @staticmethod
    def optional(other: JsonPlan) -> JsonPlan: ...
    @staticmethod
    def record(kind: type[Any], fields_of: Callable[[], Sequence[tuple[str, JsonPlan]]]) -> JsonPlan: ...
    @staticmethod
    def decoded(decoder: Callable[[Any], Any]) -> JsonPlan: ...
    def read(self, payload: Payload) -> Any: ...

@final
class JsonWriter:
    def __new__(
        cls, form_of: Callable[[type[Any]], tuple[str, ...] | Callable[[Any], Any] | None], encode: Callable[[Any], str]
    ) -> JsonWriter: ...
    def payload(self, value: Any, encoding: str) -> Payload: ...

@final
class OversizedPayloads:
    def __new__(
        cls, *, message: str, seq: int, field: str, sizes: Sequence[int], size: int, limit: int
    ) -> OversizedPayloads: ...
    @property
    def message(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def field(self) -> str: ...
    @property
    def sizes(self) -> list[int]: ...
    @property
    def size(self) -> int: ...
    @property
    def limit(self) -> int: ...

@final
class LogQueue:
    def __new__(cls) -> LogQueue: ...
    def take(self) -> tuple[list[LogRecord], int]: ...
    def close(self) -> None: ...

@final
class LogRecord:
    @property
    def target(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def time(self) -> float: ...
    @property
    def level(self) -> int: ...
    @property
    def fields(self) -> dict[str, Any]: ...

@final
class MetricCounter:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricCounter: ...
    def add(self, value: int, additional_attributes: _MetricAttributes | None = None) -> None: ...

@final
class MetricGauge:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricGauge: ...
    def set(self, value: int, additional_attributes: _MetricAttributes | None = None) -> None: ...

@final
class MetricGaugeFloat:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricGaugeFloat: ...
    def set(self, value: float, additional_attributes: _MetricAttributes | None = None) -> None: ...

@final
class MetricHistogram:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricHistogram: ...
    def record(self, value: int, additional_attributes: _MetricAttributes | None = None) -> None: ...

@final
class MetricHistogramFloat:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricHistogramFloat: ...
    def record(self, value: float, additional_attributes: _MetricAttributes | None = None) -> None: ...

@final
class MetricHistogramTimedelta:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricHistogramTimedelta: ...
    def record(self, value: timedelta, additional_attributes: _MetricAttributes | None = None) -> None: ...

@final
class MetricMeter:
    def with_additional_attributes(self, additional_attributes: _MetricAttributes) -> MetricMeter: ...
    def create_counter(self, name: str, description: str | None = None, unit: str | None = None) -> MetricCounter: ...
    def create_histogram(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogram: ...
    def create_histogram_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramFloat: ...
    def create_histogram_timedelta(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricHistogramTimedelta: ...
    def create_gauge(self, name: str, description: str | None = None, unit: str | None = None) -> MetricGauge: ...
    def create_gauge_float(
        self, name: str, description: str | None = None, unit: str | None = None
    ) -> MetricGaugeFloat: ...

@final
class BufferedMetric:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def kind(self) -> int: ...

@final
class BufferedMetricUpdate:
    @property
    def metric(self) -> BufferedMetric: ...
    @property
    def value(self) -> int | float: ...
    @property
    def attributes(self) -> dict[str, str | int | float | bool]: ...

@final
class MetricBuffer:
    def __new__(
        cls, *, capacity: int, durations_as_seconds: bool = False, global_tags: Mapping[str, str] = ...
    ) -> MetricBuffer: ...
    def take(self) -> tuple[list[BufferedMetricUpdate], int]: ...

@final
class OtlpExporter:
    def __new__(
        cls,
        *,
        url: str,
        headers: Mapping[str, str] = ...,
        metric_periodicity: float = ...,
        delta_temporality: bool = ...,
        durations_as_seconds: bool = ...,
        http: bool = ...,
        histogram_bucket_overrides: Mapping[str, Sequence[float]] = ...,
        global_tags: Mapping[str, str] = ...,
    ) -> OtlpExporter: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def metric_periodicity(self) -> float: ...
    @property
    def delta_temporality(self) -> bool: ...
    @property
    def durations_as_seconds(self) -> bool: ...
    @property
    def http(self) -> bool: ...
    @property
    def histogram_bucket_overrides(self) -> dict[str, list[float]]: ...
    @property
    def global_tags(self) -> dict[str, str]: ...

@final
class PrometheusExporter:
    def __new__(
        cls,
        *,
        bind_address: str,
        counters_total_suffix: bool = ...,
        unit_suffix: bool = ...,
        durations_as_seconds: bool = ...,
        histogram_bucket_overrides: Mapping[str, Sequence[float]] = ...,
        global_tags: Mapping[str, str] = ...,
    ) -> PrometheusExporter: ...
    @property
    def bind_address(self) -> str: ...
    @property
    def counters_total_suffix(self) -> bool: ...
    @property
    def unit_suffix(self) -> bool: ...
    @property
    def durations_as_seconds(self) -> bool: ...
    @property
    def histogram_bucket_overrides(self) -> dict[str, list[float]]: ...
    @property
    def global_tags(self) -> dict[str, str]: ...

@final
class NexusOperationCancel:
    def __new__(
        cls,
        *,
        task_token: bytes,
        endpoint: str,
        service: str,
        operation: str,
        operation_token: str = ...,
        headers: Mapping[str, str] = ...,
        deadline: float | None = ...,
    ) -> NexusOperationCancel: ...
    @property
    def task_token(self) -> bytes: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def operation_token(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def deadline(self) -> float | None: ...

@final
class NexusOperationStart:
    def __new__(
        cls,
        *,
        task_token: bytes,
        endpoint: str,
        service: str,
        operation: str,
        request_id: str = ...,
        callback_url: str = ...,
        callback_headers: Mapping[str, str] = ...,
        headers: Mapping[str, str] = ...,
        links: Sequence[tuple[str, str]] = ...,
        input: Payload | None = ...,
        deadline: float | None = ...,
    ) -> NexusOperationStart: ...
    @property
    def task_token(self) -> bytes: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def callback_url(self) -> str: ...
    @property
    def callback_headers(self) -> dict[str, str]: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def links(self) -> list[tuple[str, str]]: ...
    @property
    def input(self) -> Payload | None: ...
    @property
    def deadline(self) -> float | None: ...

@final
class NexusTaskCancel:
    def __new__(cls, *, task_token: bytes, worker_shutdown: bool = ...) -> NexusTaskCancel: ...
    @property
    def task_token(self) -> bytes: ...
    @property
    def worker_shutdown(self) -> bool: ...

@final
class NexusTaskCompletion:
    @staticmethod
    def completed(
        task_token: bytes, result: Payload, links: Sequence[tuple[str, str]] = ...
    ) -> NexusTaskCompletion: ...
    @staticmethod
    def started(
        task_token: bytes, operation_token: str, links: Sequence[tuple[str, str]] = ...
    ) -> NexusTaskCompletion: ...
    @staticmethod
    def operation_failed(task_token: bytes, failure: Failure) -> NexusTaskCompletion: ...
    @staticmethod
    def cancel_requested(task_token: bytes) -> NexusTaskCompletion: ...
    @staticmethod
    def handler_failed(task_token: bytes, failure: Failure) -> NexusTaskCompletion: ...
    @staticmethod
    def stopped(task_token: bytes) -> NexusTaskCompletion: ...

@final
class Payload:
    def __new__(cls, metadata: Mapping[str, bytes], data: bytes | None = None) -> Payload: ...
    @property
    def metadata(self) -> dict[str, bytes]: ...
    @property
    def data(self) -> bytes: ...
    @property
    def encoding(self) -> str | None: ...
    def SerializeToString(self) -> bytes: ...
    @classmethod
    def FromString(cls, data: bytes) -> Payload: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Priority:
    def __new__(
        cls,
        *,
        priority_key: int = ...,
        fairness_key: str = ...,
        fairness_weight: float = ...,
    ) -> Priority: ...
    @property
    def priority_key(self) -> int: ...
    @property
    def fairness_key(self) -> str: ...
    @property
    def fairness_weight(self) -> float: ...

@final
class RetryPolicy:
    def __new__(
        cls,
        *,
        initial_interval: float | None = ...,
        backoff_coefficient: float = ...,
        maximum_interval: float | None = ...,
        maximum_attempts: int = ...,
        non_retryable_error_types: Sequence[str] = ...,
    ) -> RetryPolicy: ...
    @property
    def initial_interval(self) -> float | None: ...
    @property
    def backoff_coefficient(self) -> float: ...
    @property
    def maximum_interval(self) -> float | None: ...
    @property
    def maximum_attempts(self) -> int: ...
    @property
    def non_retryable_error_types(self) -> list[str]: ...

@final
class CompletionQueue:
    def __new__(cls, *, poll: bool) -> CompletionQueue: ...
    def fileno(self) -> int: ...
    def submit(self, operation: Operation[Any], future: asyncio.Future[Any]) -> int: ...
    def abort(self, ticket: int) -> None: ...
    def drain(self) -> None: ...
    def wait(self) -> bool: ...
    def close(self) -> None: ...

@final
class Operation(Generic[_T]):
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def wait(self) -> _T: ...

@final
class HistoryFeeder:
    def feed(self, workflow_id: str, history: bytes, events_per_page: int | None) -> None: ...
    def forget(self, run_id: str) -> bool: ...
    def close(self) -> None: ...

def replay_worker(runtime: Runtime, config: WorkerConfig) -> tuple[Worker, HistoryFeeder]: ...

@final
class CancelWorkflowRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        first_execution_run_id: str = ...,
        identity: str,
        reason: str = ...,
        request_id: str | None = ...,
    ) -> CancelWorkflowRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def first_execution_run_id(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def request_id(self) -> str | None: ...

@final
class PollUpdateRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        update_id: str,
        identity: str,
        wait_for_stage: int = ...,
    ) -> PollUpdateRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def update_id(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def wait_for_stage(self) -> int: ...

@final
class QueryWorkflowRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        query: str,
        input: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] = ...,
        reject_condition: int = ...,
    ) -> QueryWorkflowRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def reject_condition(self) -> int: ...

@final
class SignalWorkflowRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        signal: str,
        identity: str,
        input: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] = ...,
        request_id: str | None = ...,
        links: Sequence[bytes] = ...,
    ) -> SignalWorkflowRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def signal(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def links(self) -> list[bytes]: ...

@final
class StartWorkflowRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        workflow_type: str,
        task_queue: str,
        identity: str,
        input: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] = ...,
        execution_timeout: float | None = ...,
        run_timeout: float | None = ...,
        task_timeout: float | None = ...,
        start_delay: float | None = ...,
        id_reuse_policy: int = ...,
        id_conflict_policy: int = ...,
        retry_policy: RetryPolicy | None = ...,
        cron_schedule: str = ...,
        memo: Mapping[str, Payload] = ...,
        search_attributes: Mapping[str, Payload] = ...,
        static_summary: Payload | None = ...,
        static_details: Payload | None = ...,
        start_signal: str | None = ...,
        start_signal_input: Sequence[Payload] = ...,
        priority: Priority | None = ...,
        versioning_override: tuple[str, tuple[str, str] | None] | None = ...,
        request_eager_start: bool = ...,
        time_skipping_config: bytes | None = ...,
        request_id: str | None = ...,
        completion_callbacks: Sequence[bytes] = ...,
        links: Sequence[bytes] = ...,
    ) -> StartWorkflowRequest: ...
    def signal_with_start_payload(self) -> Payload: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def workflow_type(self) -> str: ...
    @property
    def task_queue(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def input(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def execution_timeout(self) -> float | None: ...
    @property
    def run_timeout(self) -> float | None: ...
    @property
    def task_timeout(self) -> float | None: ...
    @property
    def start_delay(self) -> float | None: ...
    @property
    def id_reuse_policy(self) -> int: ...
    @property
    def id_conflict_policy(self) -> int: ...
    @property
    def retry_policy(self) -> RetryPolicy | None: ...
    @property
    def cron_schedule(self) -> str: ...
    @property
    def memo(self) -> dict[str, Payload]: ...
    @property
    def search_attributes(self) -> dict[str, Payload]: ...
    @property
    def static_summary(self) -> Payload | None: ...
    @property
    def static_details(self) -> Payload | None: ...
    @property
    def start_signal(self) -> str | None: ...
    @property
    def start_signal_input(self) -> list[Payload]: ...
    @property
    def priority(self) -> Priority | None: ...
    @property
    def versioning_override(self) -> tuple[str, tuple[str, str] | None] | None: ...
    @property
    def request_eager_start(self) -> bool: ...
    @property
    def time_skipping_config(self) -> bytes | None: ...
    @property
    def request_id(self) -> str | None: ...
    @property
    def completion_callbacks(self) -> list[bytes]: ...
    @property
    def links(self) -> list[bytes]: ...

@final
class TerminateWorkflowRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        first_execution_run_id: str = ...,
        identity: str,
        reason: str = ...,
        details: Sequence[Payload] = ...,
    ) -> TerminateWorkflowRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def first_execution_run_id(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def details(self) -> list[Payload]: ...

@final
class UpdateRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        first_execution_run_id: str = ...,
        update_id: str,
        name: str,
        identity: str,
        arguments: Sequence[Payload] = ...,
        headers: Mapping[str, Payload] = ...,
        wait_for_stage: int = ...,
        request_id: str = ...,
        completion_callbacks: Sequence[bytes] = ...,
        links: Sequence[bytes] = ...,
    ) -> UpdateRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def first_execution_run_id(self) -> str: ...
    @property
    def update_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def arguments(self) -> list[Payload]: ...
    @property
    def headers(self) -> dict[str, Payload]: ...
    @property
    def wait_for_stage(self) -> int: ...
    @property
    def request_id(self) -> str: ...
    @property
    def completion_callbacks(self) -> list[bytes]: ...
    @property
    def links(self) -> list[bytes]: ...

@final
class WorkflowResultRequest:
    def __new__(
        cls,
        *,
        namespace: str,
        workflow_id: str,
        run_id: str = ...,
        follow_runs: bool = ...,
        task_failures: bool = ...,
    ) -> WorkflowResultRequest: ...
    @property
    def namespace(self) -> str: ...
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def follow_runs(self) -> bool: ...
    @property
    def task_failures(self) -> bool: ...

def signal_with_start_run_id(payload: Payload) -> str: ...

@final
class WorkflowOutcome:
    # kind: Literal["completed", "failed", "canceled", "terminated", "timed_out", "continued_as_new", "task_failed"]
    @property
    def kind(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def payloads(self) -> list[Payload]: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def identity(self) -> str: ...
    @property
    def retry_state(self) -> int: ...
    @property
    def new_execution_run_id(self) -> str: ...

@final
class Runtime:
    def __new__(
        cls,
        *,
        threads: int = 2,
        log_filter: str | None = None,
        log_format: str | None = None,
        log_queue: LogQueue | None = None,
        metrics: PrometheusExporter | OtlpExporter | MetricBuffer | None = None,
        attach_service_name: bool = True,
        metric_prefix: str | None = None,
        worker_heartbeat_interval: float | None = None,
        disable_environment_info: bool = False,
    ) -> Runtime: ...
    def metric_meter(self) -> MetricMeter | None: ...

@final
class EncodedActivation:
    @property
    def run_id(self) -> str: ...
    @property
    def workflow(self) -> tuple[str, str, float] | None: ...
    @property
    def query_ids(self) -> list[str]: ...
    def take_fields(self) -> list[PayloadField]: ...

@final
class PayloadField:
    @property
    def message(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def payloads(self) -> list[Payload]: ...

@final
class PlainCompletion:
    @property
    def run_id(self) -> str: ...
    @property
    def fails(self) -> bool: ...
    @property
    def query_ids(self) -> list[str]: ...
    def take_fields(self) -> list[PayloadField]: ...

@final
class UpdateResponse:
    @property
    def workflow_id(self) -> str: ...
    @property
    def run_id(self) -> str: ...
    @property
    def stage(self) -> int: ...
    @property
    def result(self) -> list[Payload] | None: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def completed(self) -> bool: ...
    @property
    def links(self) -> list[bytes]: ...

@final
class Tuner:
    def __new__(
        cls,
        queue: CompletionQueue,
        *,
        workflow: _Slots,
        activity: _Slots,
        local_activity: _Slots,
        nexus: _Slots,
        target_usage: tuple[float, float] | None = None,
    ) -> Tuner: ...

@final
class SlotRequest:
    @property
    def id(self) -> int: ...
    @property
    def is_sticky(self) -> bool: ...
    def grant(self, permit: int) -> bool: ...

@final
class SlotWithdrawal:
    @property
    def id(self) -> int: ...

@final
class SlotUse:
    @property
    def permit(self) -> int: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def is_sticky(self) -> bool: ...

@final
class SlotRelease:
    @property
    def permit(self) -> int: ...

@final
class Worker:
    def __new__(
        cls, client: Client, config: WorkerConfig, tuner: Tuner | None = None, *, watch_slots: bool = False
    ) -> Worker: ...
    def replace_client(self, client: Client) -> None: ...
    def validate(self) -> Operation[None]: ...
    def poll(
        self,
        queue: CompletionQueue,
        on_activity_task: Callable[[Any], object],
        *,
        thread_activities: Collection[str],
        loop_activities: Collection[str] | None = None,
        on_transit: Callable[[Any], object] | None = None,
        transit_headers: bool = False,
        on_nexus_task: Callable[[Any], object] | None = None,
    ) -> Operation[None]: ...
    def next_activations(self) -> list[Activation] | None: ...
    def next_activity(self) -> ActivityStart | None: ...
    def deliver_activation(self, activation: EncodedActivation, payloads: Sequence[Iterable[Payload]]) -> None: ...
    def deliver_completion(
        self, completion: PlainCompletion, payloads: Sequence[Iterable[Payload]] | None
    ) -> OversizedPayloads | None: ...
    def complete_workflow_task(
        self,
        run_id: str,
        commands: Iterable[Any],
        versioning_behavior: int = 0,
        replayed: bool = False,
    ) -> OversizedPayloads | None: ...
    def fail_workflow_task(
        self,
        run_id: str,
        failure: Failure,
        *,
        nondeterminism: bool = False,
        abandoned: bool = False,
        too_large: bool = False,
    ) -> None: ...
    def complete_activity(self, task_token: bytes, result: Payload | None) -> OversizedPayloads | None: ...
    def fail_activity(self, task_token: bytes, failure: Failure) -> None: ...
    def cancel_activity(self, task_token: bytes, failure: Failure) -> None: ...
    def release_activity(self, task_token: bytes) -> None: ...
    def record_activity_heartbeat(self, task_token: bytes, details: Iterable[Payload]) -> None: ...
    def keep_activity_alive(self, task_token: bytes, interval: float, details: Iterable[Payload]) -> None: ...
    def complete_nexus_task(self, completion: NexusTaskCompletion) -> OversizedPayloads | None: ...
    def request_workflow_eviction(self, run_id: str) -> None: ...
    @property
    def instance_key(self) -> str: ...
    def initiate_shutdown(self) -> None: ...
    def finalize_shutdown(self) -> Operation[None]: ...

@final
class WorkerConfig:
    def __new__(
        cls,
        *,
        namespace: str,
        task_queue: str,
        build_id: str,
        deployment_name: str | None = ...,
        use_worker_versioning: bool = ...,
        default_versioning_behavior: int = ...,
        workflows: bool = ...,
        activities: bool = ...,
        local_activities: bool = ...,
        nexus: bool = ...,
        identity: str | None = ...,
        max_cached_workflows: int = ...,
        max_concurrent_workflow_tasks: int = ...,
        max_concurrent_activities: int = ...,
        max_concurrent_local_activities: int = ...,
        max_concurrent_nexus_tasks: int = ...,
        workflow_task_pollers: int | tuple[int, int, int] = ...,
        activity_task_pollers: int | tuple[int, int, int] = ...,
        nexus_task_pollers: int | tuple[int, int, int] = ...,
        nonsticky_to_sticky_poll_ratio: float = ...,
        sticky_queue_schedule_to_start_timeout: float = ...,
        max_heartbeat_throttle_interval: float = ...,
        default_heartbeat_throttle_interval: float = ...,
        max_activities_per_second: float | None = ...,
        max_task_queue_activities_per_second: float | None = ...,
        max_eager_activity_reservations_per_workflow_task: int = ...,
        graceful_shutdown_period: float = ...,
        nondeterminism_fails_workflow: bool = ...,
        nondeterminism_fails_workflow_types: Collection[str] = ...,
        disable_payload_error_limit: bool = ...,
        plugins: Collection[str] = ...,
    ) -> WorkerConfig: ...
    @property
    def namespace(self) -> str: ...
    @property
    def task_queue(self) -> str: ...
    @property
    def build_id(self) -> str: ...
    @property
    def deployment_name(self) -> str | None: ...
    @property
    def use_worker_versioning(self) -> bool: ...
    @property
    def default_versioning_behavior(self) -> int: ...
    @property
    def workflows(self) -> bool: ...
    @property
    def activities(self) -> bool: ...
    @property
    def local_activities(self) -> bool: ...
    @property
    def nexus(self) -> bool: ...
    @property
    def identity(self) -> str | None: ...
    @property
    def max_cached_workflows(self) -> int: ...
    @property
    def max_concurrent_workflow_tasks(self) -> int: ...
    @property
    def max_concurrent_activities(self) -> int: ...
    @property
    def max_concurrent_local_activities(self) -> int: ...
    @property
    def max_concurrent_nexus_tasks(self) -> int: ...
    @property
    def workflow_task_pollers(self) -> int | tuple[int, int, int]: ...
    @property
    def activity_task_pollers(self) -> int | tuple[int, int, int]: ...
    @property
    def nexus_task_pollers(self) -> int | tuple[int, int, int]: ...
    @property
    def nonsticky_to_sticky_poll_ratio(self) -> float: ...
    @property
    def sticky_queue_schedule_to_start_timeout(self) -> float: ...
    @property
    def max_heartbeat_throttle_interval(self) -> float: ...
    @property
    def default_heartbeat_throttle_interval(self) -> float: ...
    @property
    def max_activities_per_second(self) -> float | None: ...
    @property
    def max_task_queue_activities_per_second(self) -> float | None: ...
    @property
    def max_eager_activity_reservations_per_workflow_task(self) -> int: ...
    @property
    def graceful_shutdown_period(self) -> float: ...
    @property
    def nondeterminism_fails_workflow(self) -> bool: ...
    @property
    def nondeterminism_fails_workflow_types(self) -> set[str]: ...
    @property
    def disable_payload_error_limit(self) -> bool: ...
    @property
    def plugins(self) -> set[str]: ...
