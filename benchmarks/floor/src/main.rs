//! The floor under a replay: one history, again and again, through Core, answered by a language layer that only repeats
//! recorded commands. Prints one line of JSON.

mod paged;
mod recording;
#[path = "../../../core-bridge/src/sync.rs"]
mod sync;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cpu_time::ProcessTime;
use prost::Message;
use temporalio_common::protos::coresdk::workflow_activation::{
    RemoveFromCache, WorkflowActivation, remove_from_cache::EvictionReason, workflow_activation_job::Variant,
};
use temporalio_common::protos::coresdk::workflow_completion::WorkflowActivationCompletion;
use temporalio_common::protos::temporal::api::history::v1::{History, history_event::Attributes};
use temporalio_common::worker::WorkerTaskTypes;
use temporalio_sdk_core::replay::{HistoryFeeder, HistoryForReplay, ReplayWorkerInput};
use temporalio_sdk_core::{
    CoreRuntime, PollError, PollerBehavior, RuntimeOptions, TokioRuntimeBuilder, Worker, WorkerConfig,
    WorkerVersioningStrategy, init_replay_worker,
};

use crate::recording::Recording;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: floor [--paged] HISTORY CPU_SECONDS
  --paged      a worker that has the history by pages, and several runs at a time, instead of Core's own replay worker
  HISTORY      file with one binary temporal.api.history.v1.History
  CPU_SECONDS  CPU time to measure";

/// Replays before the clock starts, so that threads and allocator are warm.
const WARM_UP_REPLAYS: u64 = 5;
/// Histories that wait at the feeder, so that Core never waits for one.
const FEED_AHEAD: usize = 2;

fn main() -> Result<()> {
    let Arguments { paged, path, budget } = parse_arguments()?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let history = History::decode(bytes.as_slice()).with_context(|| format!("{} is no History", path.display()))?;

    let runtime = CoreRuntime::new(RuntimeOptions::default(), TokioRuntimeBuilder::default())?;
    let Measured { runs, activations, events, cpu } = runtime.tokio_handle().block_on(async {
        match paged {
            true => paged::measure(&runtime, &history, budget).await,
            false => measure(&history, budget).await,
        }
    })?;

    let seconds = cpu.as_secs_f64();
    println!(
        r#"{{"cpu_seconds": {seconds:.6}, "runs": {runs}, "activations": {activations}, "events": {events}, "cpu_us_per_activation": {per_activation:.3}}}"#,
        per_activation = seconds * 1e6 / activations as f64,
    );
    Ok(())
}

struct Arguments {
    paged: bool,
    path: PathBuf,
    budget: Duration,
}

fn parse_arguments() -> Result<Arguments> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let paged = arguments.first().is_some_and(|first| first == "--paged");
    arguments.drain(..usize::from(paged));
    let [history, seconds] = arguments.as_slice() else { bail!("{USAGE}") };
    let seconds: f64 = seconds.parse().with_context(|| format!("no number of seconds: {seconds}\n{USAGE}"))?;
    Ok(Arguments { paged, path: history.into(), budget: Duration::try_from_secs_f64(seconds).context(USAGE)? })
}

struct Measured {
    runs: u64,
    activations: u64,
    events: u64,
    cpu: Duration,
}

async fn measure(history: &History, budget: Duration) -> Result<Measured> {
    let recording = Recording::of(history)?;
    let (feeder, stream) = HistoryFeeder::new(FEED_AHEAD);
    let worker = init_replay_worker(ReplayWorkerInput::new(worker_config()?, stream))?;

    let mut fed = 0;
    for _ in 0..FEED_AHEAD {
        feeder.feed(numbered_copy(history, &mut fed)).await?;
    }
    for _ in 0..WARM_UP_REPLAYS {
        replay_one(&worker, &recording).await?;
        feeder.feed(numbered_copy(history, &mut fed)).await?;
    }

    let (mut runs, mut activations) = (0, 0);
    let start = ProcessTime::now();
    while start.elapsed() < budget {
        activations += replay_one(&worker, &recording).await?;
        runs += 1;
        feeder.feed(numbered_copy(history, &mut fed)).await?;
    }
    let cpu = start.elapsed();

    // Core shuts the worker down by itself when the feeder is empty, if need be before it has evicted the last run.
    drop(feeder);
    loop {
        match replay_one(&worker, &recording).await {
            Ok(_) => {}
            Err(error) if matches!(error.downcast_ref(), Some(PollError::ShutDown)) => break,
            Err(error) => return Err(error),
        }
    }
    worker.finalize_shutdown().await;
    Ok(Measured { runs, activations, events: runs * history.events.len() as u64, cpu })
}

fn worker_config() -> Result<WorkerConfig> {
    WorkerConfig::builder()
        .namespace("default")
        .task_queue("floor")
        .task_types(WorkerTaskTypes::workflow_only())
        .versioning_strategy(WorkerVersioningStrategy::None { build_id: String::new() })
        // The replay worker has one of each, whatever is said here.
        .max_cached_workflows(100_usize)
        .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(2))
        .build()
        .map_err(anyhow::Error::msg)
}

/// The history with a run id of its own: Core tells the runs of a worker apart by it.
fn numbered_copy(history: &History, counter: &mut u64) -> HistoryForReplay {
    *counter += 1;
    let mut copy = history.clone();
    if let Some(Attributes::WorkflowExecutionStartedEventAttributes(started)) =
        copy.events.first_mut().and_then(|event| event.attributes.as_mut())
    {
        started.original_execution_run_id = format!("run-{counter}");
    }
    HistoryForReplay::new(copy, format!("workflow-{counter}"))
}

/// Answers the activations of one run up to its eviction; returns how many there were.
async fn replay_one(worker: &Worker, recording: &Recording) -> Result<u64> {
    let mut answered = 0;
    loop {
        let activation = worker.poll_workflow_activation().await?;
        let run_id = activation.run_id.clone();
        if let Some(eviction) = eviction(&activation) {
            worker.complete_workflow_activation(WorkflowActivationCompletion::empty(run_id)).await?;
            ensure_replayed(eviction, answered, recording)?;
            return Ok(answered as u64);
        }
        let commands = recording.commands(answered)?;
        worker.complete_workflow_activation(WorkflowActivationCompletion::from_cmds(run_id, commands)).await?;
        answered += 1;
    }
}

fn eviction(activation: &WorkflowActivation) -> Option<&RemoveFromCache> {
    activation.jobs.iter().find_map(|job| match &job.variant {
        Some(Variant::RemoveFromCache(eviction)) => Some(eviction),
        _ => None,
    })
}

fn ensure_replayed(eviction: &RemoveFromCache, answered: usize, recording: &Recording) -> Result<()> {
    let ended = matches!(eviction.reason(), EvictionReason::LangRequested | EvictionReason::WorkflowExecutionEnding);
    if !ended || answered != recording.len() {
        bail!(
            "the replay broke off after {answered} of {} workflow tasks: {:?}: {}",
            recording.len(),
            eviction.reason(),
            eviction.message
        );
    }
    Ok(())
}
