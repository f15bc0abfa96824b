//! The border between Python and Temporal's Rust core: a list of exports and no logic.

mod activation;
mod activity;
mod client;
mod commands;
mod convert;
mod errors;
mod failure;
mod logs;
mod mailbox;
mod metrics;
mod payload;
mod process;
mod queue;
mod record;
mod replay;
mod requests;
mod result;
mod rpc;
mod runtime;
mod sync;
mod worker;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::activation::{
        Activation, ActivityBackoff, CancelWorkflow, FireTimer, InitializeWorkflow, NotifyHasPatch, Priority,
        QueryWorkflow, RemoveFromCache, ResolveActivity, RetryPolicy, SignalWorkflow, UnsupportedJob, UpdateRandomSeed,
    };
    #[pymodule_export]
    use super::activity::{ActivityCancel, ActivityStart};
    #[pymodule_export]
    use super::client::{Client, QueryAnswer, StartedWorkflow};
    #[pymodule_export]
    use super::commands::{
        CancelTimer, CancelWorkflowExecution, CompleteWorkflowExecution, FailWorkflowExecution, QueryResult,
        RequestCancelActivity, ScheduleActivity, SetPatchMarker, StartTimer,
    };
    #[pymodule_export]
    use super::failure::{
        ActivityFailureInfo, ApplicationFailureInfo, CanceledFailureInfo, ChildWorkflowExecutionFailureInfo, Failure,
        NexusHandlerFailureInfo, NexusOperationFailureInfo, ResetWorkflowFailureInfo, ServerFailureInfo,
        TerminatedFailureInfo, TimeoutFailureInfo,
    };
    #[pymodule_export]
    use super::logs::{LogQueue, LogRecord};
    #[pymodule_export]
    use super::metrics::{OtlpExporter, PrometheusExporter};
    #[pymodule_export]
    use super::payload::Payload;
    #[pymodule_export]
    use super::queue::{CompletionQueue, Operation};
    #[pymodule_export]
    use super::replay::{HistoryFeeder, replay_worker};
    #[pymodule_export]
    use super::requests::{
        CancelWorkflowRequest, QueryWorkflowRequest, SignalWorkflowRequest, StartWorkflowRequest,
        TerminateWorkflowRequest, WorkflowResultRequest,
    };
    #[pymodule_export]
    use super::result::WorkflowOutcome;
    #[pymodule_export]
    use super::runtime::Runtime;
    #[pymodule_export]
    use super::worker::{Worker, WorkerConfig};
}
