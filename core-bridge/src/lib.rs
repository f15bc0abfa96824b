//! The border between Python and Temporal's Rust core: a list of exports and no logic.

mod activation;
mod activity;
mod client;
mod commands;
mod convert;
mod drive;
mod errors;
mod failure;
mod health;
mod heartbeat;
mod json;
mod limits;
mod logs;
mod long_poll;
mod mailbox;
mod messages;
mod meter;
mod metric_buffer;
mod metrics;
mod nexus;
mod payload;
mod policies;
mod process;
mod queue;
mod record;
mod replay;
mod requests;
mod result;
mod rpc;
mod runtime;
mod sync;
mod transit;
mod tuner;
mod update;
mod versioning;
mod worker;
mod worker_config;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    /// Version of Temporal's Core that is inside.
    #[pymodule_export]
    const CORE_VERSION: &str = env!("LOCKED_CORE_VERSION");

    #[pymodule_export]
    use super::activation::{
        Activation, ActivityBackoff, CancelWorkflow, DoUpdate, FireTimer, InitializeWorkflow, NotifyHasPatch,
        QueryWorkflow, RemoveFromCache, ResolveActivity, ResolveChildWorkflowExecution,
        ResolveChildWorkflowExecutionStart, ResolveNexusOperation, ResolveNexusOperationStart,
        ResolveRequestCancelExternalWorkflow, ResolveSignalExternalWorkflow, SignalWorkflow, UpdateRandomSeed,
    };
    #[pymodule_export]
    use super::activity::{ActivityCancel, ActivityStart};
    #[pymodule_export]
    use super::client::{Client, QueryAnswer, StartedWorkflow};
    #[pymodule_export]
    use super::commands::{
        CancelChildWorkflowExecution, CancelSignalWorkflow, CancelTimer, CancelWorkflowExecution,
        CompleteWorkflowExecution, ContinueAsNewWorkflowExecution, EventGroupMarker, FailWorkflowExecution,
        ModifyWorkflowProperties, QueryResult, RequestCancelActivity, RequestCancelExternalWorkflowExecution,
        RequestCancelLocalActivity, RequestCancelNexusOperation, ScheduleActivity, ScheduleLocalActivity,
        ScheduleNexusOperation, SetPatchMarker, SignalExternalWorkflowExecution, StartChildWorkflowExecution,
        StartTimer, UpdateAccepted, UpdateCompleted, UpdateRejected, UpsertWorkflowSearchAttributes,
    };
    #[pymodule_export]
    use super::failure::{
        ActivityFailureInfo, ApplicationFailureInfo, CanceledFailureInfo, ChildWorkflowExecutionFailureInfo, Failure,
        NexusHandlerFailureInfo, NexusOperationFailureInfo, ResetWorkflowFailureInfo, ServerFailureInfo,
        TerminatedFailureInfo, TimeoutFailureInfo,
    };
    #[pymodule_export]
    use super::health::{HealthServer, WorkerHealth};
    #[pymodule_export]
    use super::json::{JsonPlan, JsonWriter};
    #[pymodule_export]
    use super::limits::OversizedPayloads;
    #[pymodule_export]
    use super::logs::{LogQueue, LogRecord};
    #[pymodule_export]
    use super::meter::{
        MetricCounter, MetricGauge, MetricGaugeFloat, MetricHistogram, MetricHistogramFloat, MetricHistogramTimedelta,
        MetricMeter,
    };
    #[pymodule_export]
    use super::metric_buffer::{BufferedMetric, BufferedMetricUpdate, MetricBuffer};
    #[pymodule_export]
    use super::metrics::{OtlpExporter, PrometheusExporter};
    #[pymodule_export]
    use super::nexus::{NexusOperationCancel, NexusOperationStart, NexusTaskCancel, NexusTaskCompletion};
    #[pymodule_export]
    use super::payload::Payload;
    #[pymodule_export]
    use super::policies::{Priority, RetryPolicy};
    #[pymodule_export]
    use super::queue::{CompletionQueue, Operation};
    #[pymodule_export]
    use super::replay::{HistoryFeeder, replay_worker};
    #[pymodule_export]
    use super::requests::{
        CancelWorkflowRequest, PollUpdateRequest, QueryWorkflowRequest, SignalWorkflowRequest, StartWorkflowRequest,
        TerminateWorkflowRequest, UpdateRequest, WorkflowResultRequest, signal_with_start_run_id,
    };
    #[pymodule_export]
    use super::result::WorkflowOutcome;
    #[pymodule_export]
    use super::runtime::Runtime;
    #[pymodule_export]
    use super::transit::{EncodedActivation, PayloadField, PlainCompletion};
    #[pymodule_export]
    use super::tuner::{SlotRelease, SlotRequest, SlotUse, SlotWithdrawal, Tuner};
    #[pymodule_export]
    use super::update::UpdateResponse;
    #[pymodule_export]
    use super::worker::Worker;
    #[pymodule_export]
    use super::worker_config::WorkerConfig;
}
