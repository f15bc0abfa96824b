//! Replay by pages, several histories at a time, as the SDK does it: with the very code that it feeds Core by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cpu_time::ProcessTime;
use prost::Message;
use temporalio_client::{Connection, ConnectionOptions, GrpcCompression, Url};
use temporalio_common::protos::coresdk::workflow_completion::WorkflowActivationCompletion;
use temporalio_common::protos::temporal::api::history::v1::{History, history_event::Attributes};
use temporalio_sdk_core::{CoreRuntime, Worker, init_worker};

use self::end::{end_replay, is_end_of_history};
use self::pages::Pages;
use self::server::{Replay, Server, serve};
use crate::recording::Recording;
use crate::{Measured, WARM_UP_REPLAYS, ensure_replayed, eviction, worker_config};

#[path = "../../../core-bridge/src/replay/end.rs"]
mod end;
#[path = "../../../core-bridge/src/replay/events.rs"]
mod events;
#[path = "../../../core-bridge/src/replay/pages.rs"]
mod pages;
#[path = "../../../core-bridge/src/replay/server.rs"]
mod server;

/// As the SDK has them.
const AT_A_TIME: usize = 8;
const EVENTS_PER_PAGE: usize = 100;

pub async fn measure(runtime: &CoreRuntime, history: &History, budget: Duration) -> Result<Measured> {
    let recording = Recording::of(history)?;
    let (server, service) = serve();
    let options = ConnectionOptions::new(Url::parse("http://replay")?)
        .identity("floor")
        .dns_load_balancing(None)
        .grpc_compression(GrpcCompression::None)
        .service_override(service)
        .build();
    let worker = init_worker(runtime, worker_config()?, Connection::connect(options).await?)?;

    let mut replays =
        Replays { copies: Copies::of(history)?, server, recording: &recording, answered: HashMap::new(), waiting: 0 };
    for _ in 0..AT_A_TIME {
        replays.feed()?;
    }
    for _ in 0..WARM_UP_REPLAYS {
        while !replays.answer_one(&worker).await? {}
        replays.feed()?;
    }
    let (mut runs, mut activations) = (0, 0);
    let start = ProcessTime::now();
    while start.elapsed() < budget {
        if replays.answer_one(&worker).await? {
            runs += 1;
            replays.feed()?;
        } else {
            activations += 1;
        }
    }
    let cpu = start.elapsed();

    while replays.waiting > 0 {
        replays.answer_one(&worker).await?;
    }
    replays.server.close();
    worker.initiate_shutdown();
    while worker.poll_workflow_activation().await.is_ok() {}
    worker.finalize_shutdown().await;
    // The runs are cut off at both ends of the time.
    let events = activations * history.events.len() as u64 / recording.len() as u64;
    Ok(Measured { runs, activations, events, cpu })
}

/// Serialized copies of one history, each with a run id of its own: Core tells the runs of a worker apart by it.
struct Copies {
    first: History,
    rest: Vec<u8>,
    made: u64,
}

impl Copies {
    fn of(history: &History) -> Result<Self> {
        let (first, rest) = history.events.split_first().context("the history is empty")?;
        let rest = History { events: rest.to_vec() }.encode_to_vec();
        Ok(Self { first: History { events: vec![first.clone()] }, rest, made: 0 })
    }

    fn make(&mut self) -> Result<Replay> {
        self.made += 1;
        let (workflow_id, run_id) = (format!("workflow-{}", self.made), format!("run-{}", self.made));
        let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) = &mut self.first.events[0].attributes
        else {
            bail!("the history does not begin with the start of a workflow")
        };
        started.original_execution_run_id = run_id;
        let started = started.clone();
        let history = [self.first.encode_to_vec(), self.rest.clone()].concat();
        let pages = Pages::of(&history, &events::scan(&history)?, Some(EVENTS_PER_PAGE));
        Ok(Replay { workflow_id, started, history: history.into(), pages })
    }
}

struct Replays<'a> {
    copies: Copies,
    server: Arc<Server>,
    recording: &'a Recording,
    /// How many activations of each run were answered.
    answered: HashMap<String, usize>,
    /// How many runs were fed that have not ended.
    waiting: usize,
}

impl Replays<'_> {
    fn feed(&mut self) -> Result<()> {
        let replay = self.copies.make()?;
        ensure!(self.server.feed(replay), "the worker takes no more histories");
        self.waiting += 1;
        Ok(())
    }

    /// Returns whether that was the end of a run.
    async fn answer_one(&mut self, worker: &Worker) -> Result<bool> {
        loop {
            let activation = worker.poll_workflow_activation().await?;
            if is_end_of_history(&activation) {
                end_replay(worker, activation.run_id).await?;
                continue;
            }
            let run_id = activation.run_id.clone();
            if let Some(eviction) = eviction(&activation) {
                let answered = self.answered.remove(&run_id).unwrap_or_default();
                self.server.forget(&run_id);
                worker.complete_workflow_activation(WorkflowActivationCompletion::empty(run_id)).await?;
                ensure_replayed(eviction, answered, self.recording)?;
                self.waiting -= 1;
                return Ok(true);
            }
            let answered = self.answered.entry(run_id.clone()).or_default();
            let commands = self.recording.commands(*answered)?;
            *answered += 1;
            let completion = WorkflowActivationCompletion::from_cmds(run_id, commands);
            self.server.notice(&completion);
            worker.complete_workflow_activation(completion).await?;
            return Ok(false);
        }
    }
}
