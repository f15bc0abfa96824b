//! Replay: a worker whose tasks come from histories instead of a server.

use std::sync::{Arc, Mutex};

use prost::Message;
use pyo3::prelude::*;
use temporalio_protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_protos::temporal::api::history::v1::{History, HistoryEvent};
use temporalio_sdk_core::init_replay_worker;
use temporalio_sdk_core::replay::{HistoryFeeder as CoreFeeder, HistoryForReplay, ReplayWorkerInput};

use crate::errors::Error;
use crate::process::InProcess;
use crate::queue::Operation;
use crate::runtime::{Runtime, RuntimeRef};
use crate::sync::lock;
use crate::worker::Worker;
use crate::worker_config::WorkerConfig;

/// Takes the histories that a replay worker replays, one after the other.
#[pyclass(frozen, module = "invincible._native")]
pub struct HistoryFeeder(InProcess<Inner>);

struct Inner {
    runtime: RuntimeRef,
    /// `None` once no more histories will come.
    feeder: Mutex<Option<Arc<CoreFeeder>>>,
}

/// A worker that replays the histories given to the feeder, and shuts down after the last.
#[pyfunction]
pub fn replay_worker(
    runtime: &Bound<'_, Runtime>,
    config: &Bound<'_, WorkerConfig>,
) -> PyResult<(Worker, HistoryFeeder)> {
    let runtime = runtime.get().share();
    let (feeder, stream) = CoreFeeder::new(1);
    let input = ReplayWorkerInput::new(config.get().to_core(None)?, stream);
    let _context = runtime.handle()?.enter();
    let core = init_replay_worker(input)
        .map_err(|error| Error::InvalidArgument(format!("the replay worker could not be set up: {error:#}")))?;
    let feeder = Inner { runtime: runtime.clone(), feeder: Mutex::new(Some(Arc::new(feeder))) };
    Ok((Worker::from_core(runtime.clone(), core, None, None), HistoryFeeder(InProcess::new("history feeder", feeder))))
}

#[pymethods]
impl HistoryFeeder {
    /// Replays a serialized `temporal.api.history.v1.History`; the operation ends when the worker has taken it.
    fn feed(&self, workflow_id: String, history: &[u8]) -> PyResult<Operation> {
        let inner = self.0.get()?;
        let history = History::decode(history).map_err(|error| {
            Error::InvalidArgument(format!("the history of workflow '{workflow_id}' cannot be read: {error}"))
        })?;
        // Core takes the facts of a run from its first event, and panics without it.
        let starts = |event: &HistoryEvent| {
            matches!(event.attributes, Some(Attributes::WorkflowExecutionStartedEventAttributes(_)))
        };
        if !history.events.first().is_some_and(starts) {
            let message =
                format!("the history of workflow '{workflow_id}' does not begin with the start of a workflow");
            return Err(Error::InvalidArgument(message).into());
        }
        let feeder = lock(&inner.feeder).clone();
        let feeder = feeder.ok_or(Error::Closed { what: "history feeder" })?;
        Ok(Operation::new(&inner.runtime, async move {
            feeder
                .feed(HistoryForReplay::new(history, workflow_id))
                .await
                .map_err(|_| Error::Closed { what: "replay worker" })
        }))
    }

    /// No more histories will come. A second time does nothing.
    fn close(&self) -> PyResult<()> {
        lock(&self.0.get()?.feeder).take();
        Ok(())
    }
}
