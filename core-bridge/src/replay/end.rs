//! The end of a history: Core itself says when it has no more of it to replay, by asking the query it came with.

use std::collections::HashMap;

use temporalio_protos::coresdk::workflow_activation::WorkflowActivation;
use temporalio_protos::coresdk::workflow_activation::workflow_activation_job::Variant;
use temporalio_protos::coresdk::workflow_completion::WorkflowActivationCompletion;
use temporalio_protos::temporal::api::query::v1::WorkflowQuery;
use temporalio_sdk_core::{CompleteWfError, Worker};

const END_OF_HISTORY: &str = "end-of-history";

/// The queries of each history.
pub fn queries() -> HashMap<String, WorkflowQuery> {
    HashMap::from([(END_OF_HISTORY.to_owned(), WorkflowQuery::default())])
}

pub fn is_end_of_history(activation: &WorkflowActivation) -> bool {
    activation
        .jobs
        .iter()
        .any(|job| matches!(&job.variant, Some(Variant::QueryWorkflow(query)) if query.query_id == END_OF_HISTORY))
}

/// Has the run dropped, which nobody waits for any more, without an answer to the query.
pub async fn end_replay(worker: &Worker, run_id: String) -> Result<(), CompleteWfError> {
    worker.request_workflow_eviction(&run_id);
    worker.complete_workflow_activation(WorkflowActivationCompletion::empty(run_id)).await
}
