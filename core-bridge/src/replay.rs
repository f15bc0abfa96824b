//! Replay: a worker whose tasks come from histories instead of a server.
//!
//! Core has a worker for this, but that takes time with the square of a history's length, and has one history at a time.

use std::fmt::Display;
use std::sync::Arc;

use prost::Message;
use pyo3::prelude::*;
use temporalio_client::{Connection, ConnectionOptions, GrpcCompression, Url};
use temporalio_protos::temporal::api::enums::v1::EventType;
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowExecutionStartedEventAttributes, history_event::Attributes,
};
use temporalio_sdk_core::{CoreRuntime, RuntimeOptions, Worker as CoreWorker, WorkerConfig as CoreConfig, init_worker};

use crate::errors::Error;
use crate::process::InProcess;
use crate::replay::events::Event;
use crate::replay::pages::Pages;
use crate::replay::server::{Replay, serve};
use crate::runtime::{Runtime, RuntimeRef};
use crate::worker::Worker;
use crate::worker_config::WorkerConfig;

pub use crate::replay::end::{end_replay, is_end_of_history};
pub use crate::replay::server::Server;

mod end;
mod events;
mod pages;
mod server;

/// Takes the histories that a replay worker replays.
#[pyclass(frozen, module = "invincible._native")]
pub struct HistoryFeeder(InProcess<Arc<Server>>);

/// A worker that replays the histories given to the feeder. There must be fewer of them at a time than runs in its
/// cache, and no two of the same run.
#[pyfunction]
pub fn replay_worker(
    py: Python<'_>,
    runtime: &Bound<'_, Runtime>,
    config: &Bound<'_, WorkerConfig>,
) -> PyResult<(Worker, HistoryFeeder)> {
    let runtime = runtime.get().share();
    let config = config.get().to_core(None)?;
    let (server, service) = serve();
    let options = ConnectionOptions::new(Url::parse("http://replay").expect("a constant"))
        .identity(config.client_identity_override.clone().unwrap_or_default())
        .dns_load_balancing(None)
        .grpc_compression(GrpcCompression::None)
        .service_override(service)
        .build();
    let core = py.detach(|| connect(&runtime, options, config))?;
    Ok((Worker::for_replay(runtime, core, server.clone()), HistoryFeeder(InProcess::new("history feeder", server))))
}

fn connect(runtime: &RuntimeRef, options: ConnectionOptions, config: CoreConfig) -> Result<CoreWorker, Error> {
    let failed =
        |error: &dyn Display| Error::InvalidArgument(format!("the replay worker could not be set up: {error:#}"));
    let connection = runtime.handle()?.block_on(Connection::connect(options)).map_err(|error| failed(&error))?;
    let _context = runtime.handle()?.enter();
    // What happens in a replay has happened before: it is not for the metrics of the runtime.
    let silent = RuntimeOptions::builder().heartbeat_interval(None).build().map_err(|error| failed(&error))?;
    let silent = CoreRuntime::new_assume_tokio(silent).map_err(|error| failed(&error))?;
    init_worker(&silent, config, connection).map_err(|error| failed(&error))
}

#[pymethods]
impl HistoryFeeder {
    /// Replays a serialized `temporal.api.history.v1.History`, in pages of about that many events, or in one.
    fn feed(&self, workflow_id: String, history: &[u8], events_per_page: Option<usize>) -> PyResult<()> {
        let feeder = self.0.get()?;
        let replay = replay(workflow_id, history, events_per_page)?;
        if !feeder.feed(replay) {
            return Err(Error::Closed { what: "history feeder" }.into());
        }
        Ok(())
    }

    /// Forgets the history of a run that was replayed. Returns whether its pages may have made a difference.
    fn forget(&self, run_id: &str) -> PyResult<bool> {
        Ok(self.0.get()?.forget(run_id))
    }

    /// No more histories will come, and no more of those that are replayed. A second time does nothing.
    fn close(&self) -> PyResult<()> {
        self.0.get()?.close();
        Ok(())
    }
}

fn replay(workflow_id: String, history: &[u8], events_per_page: Option<usize>) -> Result<Replay, Error> {
    let refused = |problem: &dyn Display| {
        Error::InvalidArgument(format!("the history of workflow '{workflow_id}' cannot be replayed: {problem}"))
    };
    let events = events::scan(history).map_err(|error| refused(&error))?;
    let started = start(history, &events).map_err(|problem| refused(&problem))?;
    if let Some(problem) = gap(&events) {
        return Err(refused(&problem));
    }
    let pages = Pages::of(history, &events, events_per_page);
    Ok(Replay { workflow_id, started, history: Arc::from(history), pages })
}

/// The attributes of the first event, which Core cannot do without.
fn start(history: &[u8], events: &[Event]) -> Result<WorkflowExecutionStartedEventAttributes, String> {
    let first = events.first().map(|event| HistoryEvent::decode(&history[event.message()]));
    let first = first.transpose().map_err(|error| error.to_string())?;
    let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = first.and_then(|event| event.attributes)
    else {
        return Err("it does not begin with the start of a workflow".to_owned());
    };
    if started.workflow_type.as_ref().is_none_or(|kind| kind.name.is_empty()) || started.task_queue.is_none() {
        return Err("its first event names no workflow type or no task queue".to_owned());
    }
    Ok(started)
}

/// What Core would not survive to find missing.
fn gap(events: &[Event]) -> Option<String> {
    use EventType::*;
    const ENDS: [EventType; 5] = [
        WorkflowTaskCompleted,
        WorkflowTaskFailed,
        WorkflowTaskTimedOut,
        WorkflowExecutionTerminated,
        WorkflowExecutionTimedOut,
    ];
    if !events.iter().any(|event| event.is(WorkflowTaskStarted)) {
        return Some("no workflow task of it has started yet".to_owned());
    }
    let unfinished = |both: &&[Event]| both[0].is(WorkflowTaskStarted) && !ENDS.iter().any(|&end| both[1].is(end));
    let event = &events.windows(2).find(unfinished)?[0];
    Some(format!("after event {}, where a workflow task starts, the end of that task is missing", event.id))
}
