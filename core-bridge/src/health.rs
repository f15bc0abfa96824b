//! The health of workers: what moves and what does not, seen without Python, which may be what does not move.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use serde_json::{Map, Value, json};
use temporalio_client::grpc::WorkflowService;
use temporalio_client::request_extensions::RetryConfigForCall;
use temporalio_client::{RetryOptions, tonic};
use temporalio_protos::temporal::api::workflowservice::v1::GetSystemInfoRequest;
use temporalio_sdk_core::Worker as CoreWorker;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::slots::{Moment, Slots, WorkerSlots};
use self::verdict::{Progress, Silence, Waiting};
use crate::errors::Error;
use crate::mailbox::Backlog;
use crate::process::InProcess;
use crate::queue::CompletionQueue;
use crate::runtime::{RuntimeRef, seconds};
use crate::sync::lock;
use crate::worker::Worker;

mod server;
pub mod slots;
mod verdict;

pub use self::server::HealthServer;

/// Longest time between two looks; shorter if a stall is to be noticed sooner.
const TICK: Duration = Duration::from_secs(1);
const SHORTEST_TICK: Duration = Duration::from_millis(10);
/// Looks within the time after which something counts as a stall.
const LOOKS: u32 = 4;
/// The server is asked for a sign of life so many times within the time after which it counts as lost.
const PROBES: u32 = 3;
/// Core counts when it next gets to it.
const CORE_ANSWERS: Duration = Duration::from_secs(1);
/// Stacks are written once for all workers of a process that notice the same.
const DUMP_PAUSE: Duration = Duration::from_secs(60);

/// What waits for Python, and how to see how much that is.
type Source = (Waiting, Box<dyn Fn() -> Backlog + Send + Sync>);

/// What does not move: what it is when it moves again, and what is wrong.
type Stall = (&'static str, String);

/// Watches one worker from the time it is made until `close`.
#[pyclass(frozen, module = "invincible._native")]
pub struct WorkerHealth {
    monitor: InProcess<Arc<Monitor>>,
    watching: AbortHandle,
}

pub struct Monitor {
    core: Weak<CoreWorker>,
    task_queue: String,
    namespace: String,
    identity: Option<String>,
    slots: Option<Arc<WorkerSlots>>,
    kinds: Kinds,
    sources: Vec<Source>,
    limits: Limits,
    state: AtomicU8,
    /// Goes up whenever Python runs.
    word: AtomicU64,
    /// Seconds, as bits: what the event loop took for its last turn, and for how long the present one is overdue.
    loop_lag: AtomicU64,
    loop_overdue: AtomicU64,
    /// The server has answered.
    reached: Moment,
    probing: AtomicBool,
    counting: AtomicBool,
    /// When waiting began to count: once the server could be reached again, or the process went on.
    steady: Mutex<Instant>,
    cached_workflows: AtomicUsize,
    stalls: Mutex<Vec<Stall>>,
    last_error: Mutex<Option<(String, Instant)>>,
}

struct Kinds {
    workflow: bool,
    activity: bool,
    local_activity: bool,
    nexus: bool,
}

struct Limits {
    stall: Option<Duration>,
    poll: Duration,
    server: Duration,
    /// What makes Python's `faulthandler` write the stacks of all threads.
    dump_signal: Option<i32>,
}

const STARTING: u8 = 0;
const RUNNING: u8 = 1;
const DRAINING: u8 = 2;

/// What a worker's health comes to.
#[derive(Default)]
pub struct Verdict {
    pub healthy: bool,
    pub ready: bool,
    pub reasons: Vec<String>,
    pub figures: Value,
}

#[pymethods]
impl WorkerHealth {
    /// Times are seconds. `queue` is what the worker's event loop drains; `dump_signal` makes `faulthandler` write stacks.
    #[new]
    #[pyo3(signature = (worker, queue, *, identity = None, stall_timeout = None, poll_timeout = 180.0,
                        server_timeout = 30.0, dump_signal = None))]
    fn new(
        worker: &Worker,
        queue: &Bound<'_, CompletionQueue>,
        identity: Option<String>,
        stall_timeout: Option<f64>,
        poll_timeout: f64,
        server_timeout: f64,
        dump_signal: Option<i32>,
    ) -> PyResult<Self> {
        let watched = worker.watched()?;
        let config = watched.core.get_config();
        let limits = Limits {
            stall: stall_timeout.map(|timeout| seconds("stall_timeout", timeout)).transpose()?,
            poll: seconds("poll_timeout", poll_timeout)?,
            server: seconds("server_timeout", server_timeout)?,
            dump_signal,
        };
        let kinds = Kinds {
            workflow: config.task_types.enable_workflows,
            activity: config.task_types.enable_remote_activities,
            local_activity: config.task_types.enable_local_activities,
            nexus: config.task_types.enable_nexus,
        };
        let (activations, activities) = (watched.activations, watched.activities);
        let monitor = Arc::new(Monitor {
            core: Arc::downgrade(&watched.core),
            task_queue: config.task_queue.clone(),
            namespace: config.namespace.clone(),
            identity,
            slots: watched.slots,
            kinds,
            sources: vec![
                (Waiting::Activations, activations),
                (Waiting::Activities, activities),
                (Waiting::EventLoop, queue.get().backlog()?),
            ],
            limits,
            state: AtomicU8::new(STARTING),
            word: AtomicU64::new(0),
            loop_lag: AtomicU64::new(0f64.to_bits()),
            loop_overdue: AtomicU64::new(0f64.to_bits()),
            reached: Moment::default(),
            probing: AtomicBool::new(false),
            counting: AtomicBool::new(false),
            steady: Mutex::new(Instant::now()),
            cached_workflows: AtomicUsize::new(0),
            stalls: Mutex::default(),
            last_error: Mutex::default(),
        });
        let watching = watched.runtime.spawn(watch(Arc::downgrade(&monitor), watched.runtime.clone()))?;
        Ok(Self { monitor: InProcess::new("worker health", monitor), watching })
    }

    /// The server has answered, and polls have begun.
    fn running(&self) -> PyResult<()> {
        let monitor = self.monitor.get()?;
        monitor.reached.mark();
        monitor.state.store(RUNNING, Ordering::Relaxed);
        Ok(())
    }

    /// No new tasks are taken.
    fn draining(&self) -> PyResult<()> {
        self.monitor.get()?.state.store(DRAINING, Ordering::Relaxed);
        Ok(())
    }

    /// The worker gives up, and why.
    fn failed(&self, message: String) -> PyResult<()> {
        self.monitor.get()?.failed(message);
        Ok(())
    }

    /// Python runs. `lag` is what the event loop took for its last turn, `overdue` what the present one is late by.
    /// Returns what does not move: what will be told of it when it moves again, and what is wrong.
    #[pyo3(signature = (*, lag = 0.0, overdue = 0.0))]
    fn beat(&self, lag: f64, overdue: f64) -> PyResult<Vec<(&'static str, String)>> {
        let monitor = self.monitor.get()?;
        monitor.word.fetch_add(1, Ordering::Relaxed);
        monitor.loop_lag.store(lag.to_bits(), Ordering::Relaxed);
        monitor.loop_overdue.store(overdue.to_bits(), Ordering::Relaxed);
        Ok(lock(&monitor.stalls).clone())
    }

    /// What another process can hand to a server of its own by `put_report`: JSON.
    fn report(&self) -> PyResult<String> {
        Ok(self.monitor.get()?.verdict().to_json().to_string())
    }

    /// Ends the watch.
    fn close(&self) -> PyResult<()> {
        self.monitor.get()?;
        self.watching.abort();
        Ok(())
    }
}

impl WorkerHealth {
    fn share(&self) -> Result<Arc<Monitor>, Error> {
        Ok(self.monitor.get()?.clone())
    }
}

/// Looks at the worker until it is gone.
async fn watch(monitor: Weak<Monitor>, runtime: RuntimeRef) {
    let Some(first) = monitor.upgrade() else { return };
    let tick = first.limits.stall.map_or(TICK, |stall| TICK.min(stall / LOOKS)).min(first.limits.server / PROBES);
    let tick = tick.max(SHORTEST_TICK);
    let mut progress: Vec<_> = first.sources.iter().map(|(waiting, _)| Progress::new(*waiting)).collect();
    drop(first);
    let mut silence = Silence::default();
    let mut ticks = interval(tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        ticks.tick().await;
        let Some(monitor) = monitor.upgrade() else { return };
        if last.elapsed() > tick * 10 {
            *lock(&monitor.steady) = Instant::now();
        }
        last = Instant::now();
        monitor.look(&mut progress, &mut silence, tick);
        if monitor.slots.is_some() && monitor.state.load(Ordering::Relaxed) != STARTING {
            if !monitor.counting.swap(true, Ordering::Relaxed) {
                let _ = runtime.spawn(monitor.count_cached_workflows());
            }
            if monitor.needs_sign_of_life() {
                let _ = runtime.spawn(monitor.probe());
            }
        }
    }
}

impl Monitor {
    fn look(&self, progress: &mut [Progress], silence: &mut Silence, tick: Duration) {
        let Some(limit) = self.limits.stall else { return };
        if let Some(held) = silence.look(self.word.load(Ordering::Relaxed), tick, limit) {
            self.dump(&held);
            // Whatever else waits, waits for that.
            *lock(&self.stalls) = vec![("Python runs", held)];
            return;
        }
        let mut stalls = Vec::new();
        for ((_, backlog), progress) in self.sources.iter().zip(progress) {
            stalls.extend(progress.look(backlog(), tick, limit));
        }
        let overdue = f64::from_bits(self.loop_overdue.load(Ordering::Relaxed));
        if overdue >= limit.as_secs_f64() {
            stalls.push(("the event loop turns", format!("the event loop has not turned for {overdue:.1} s")));
        }
        *lock(&self.stalls) = stalls;
    }

    /// Has the stacks of all threads written. Python itself cannot, so it is done by a signal's handler.
    fn dump(&self, why: &str) {
        static LAST: Mutex<Option<Instant>> = Mutex::new(None);
        let Some(signal) = self.limits.dump_signal else { return };
        {
            let mut last = lock(&LAST);
            if last.is_some_and(|last| last.elapsed() < DUMP_PAUSE) {
                return;
            }
            *last = Some(Instant::now());
        }
        tracing::error!("{why}; the stacks of all threads are on standard error");
        let why = why.to_owned();
        // On a thread of its own: nobody may be reading standard error.
        let write = move || {
            eprintln!("invincible: {why}; all threads:");
            write_stacks(signal);
        };
        let _ = std::thread::Builder::new().name("invincible-stacks".to_owned()).spawn(write);
    }

    fn count_cached_workflows(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let monitor = self.clone();
        async move {
            if let Some(core) = monitor.core.upgrade().filter(|_| monitor.kinds.workflow)
                && let Ok(count) = timeout(CORE_ANSWERS, core.cached_workflows()).await
            {
                monitor.cached_workflows.store(count, Ordering::Relaxed);
            }
            monitor.counting.store(false, Ordering::Relaxed);
        }
    }

    /// How long ago the server has answered; tasks are answers.
    fn reached(&self) -> Option<Duration> {
        let kinds = self.slots.iter().flat_map(|slots| [&slots.workflow, &slots.activity, &slots.nexus]);
        kinds.filter_map(|slots| slots.task_came.ago()).chain(self.reached.ago()).min()
    }

    fn needs_sign_of_life(&self) -> bool {
        let silent = self.reached().is_none_or(|ago| ago >= self.limits.server / PROBES);
        silent && !self.probing.swap(true, Ordering::Relaxed)
    }

    fn probe(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let (monitor, limit) = (self.clone(), self.limits.server / PROBES);
        async move {
            match timeout(limit, monitor.ask_server()).await {
                Ok(Err(status)) if !is_refusal(&status) => {
                    monitor.failed(format!("the server cannot be reached: {:?}", status.code()));
                }
                Ok(_) => {
                    if monitor.reached().is_none_or(|ago| ago > monitor.limits.server) {
                        *lock(&monitor.steady) = Instant::now();
                    }
                    monitor.reached.mark();
                }
                Err(_) => monitor.failed("the server does not answer".to_owned()),
            }
            monitor.probing.store(false, Ordering::Relaxed);
        }
    }

    async fn ask_server(&self) -> Result<(), tonic::Status> {
        // The worker may have been given another client meanwhile.
        let connection = self.core.upgrade().and_then(|core| core.get_client_connection());
        let Some(mut connection) = connection else { return Ok(()) };
        let mut request = tonic::Request::new(GetSystemInfoRequest::default());
        request.extensions_mut().insert(RetryConfigForCall(RetryOptions::no_retries()));
        connection.get_system_info(request).await.map(drop)
    }

    fn failed(&self, message: String) {
        *lock(&self.last_error) = Some((message, Instant::now()));
    }

    pub fn verdict(&self) -> Verdict {
        let state = self.state.load(Ordering::Relaxed);
        let mut reasons: Vec<_> = lock(&self.stalls).iter().map(|(_, wrong)| wrong.clone()).collect();
        let reached = self.reached();
        let lost = reached.filter(|ago| *ago > self.limits.server);
        if state == RUNNING && lost.is_none() {
            let steady = lock(&self.steady).elapsed();
            for (kind, slots) in self.polled() {
                let still = [slots.poll_began.ago(), slots.poll_returned.ago(), Some(steady)];
                let still = still.into_iter().flatten().min().unwrap_or_default();
                if slots.polling() > 0 && still > self.limits.poll {
                    reasons.push(format!("no {kind} poll has returned for {} s", still.as_secs()));
                }
            }
        }
        let healthy = reasons.is_empty();
        match state {
            STARTING => reasons.push("polls have not begun".to_owned()),
            DRAINING => reasons.push("the worker shuts down".to_owned()),
            _ => {}
        }
        if let Some(ago) = lost {
            reasons.push(format!("the server has not answered for {} s", ago.as_secs()));
        }
        let ready = healthy && reasons.is_empty();
        Verdict { healthy, ready, figures: self.figures(state, reached), reasons }
    }

    /// The kinds of slots behind polls of the server.
    fn polled(&self) -> impl Iterator<Item = (&'static str, &Arc<Slots>)> {
        self.slots_by_kind().filter(|(kind, _)| *kind != "local_activity")
    }

    fn slots_by_kind(&self) -> impl Iterator<Item = (&'static str, &Arc<Slots>)> {
        let kinds = self.slots.iter().flat_map(|slots| {
            [
                (self.kinds.workflow, ("workflow", &slots.workflow)),
                (self.kinds.activity, ("activity", &slots.activity)),
                (self.kinds.local_activity, ("local_activity", &slots.local_activity)),
                (self.kinds.nexus, ("nexus", &slots.nexus)),
            ]
        });
        kinds.filter_map(|(enabled, kind)| enabled.then_some(kind))
    }

    fn figures(&self, state: u8, reached: Option<Duration>) -> Value {
        let ago = |time: Option<Duration>| json!(time.map(|time| rounded(time.as_secs_f64())));
        let slots = self
            .slots_by_kind()
            .map(|(kind, slots)| (kind.to_owned(), json!({"used": slots.used(), "available": slots.available()})));
        let polls = self.polled().map(|(kind, slots)| {
            let figures = json!({
                "slots_held": slots.polling(),
                "began_seconds_ago": ago(slots.poll_began.ago()),
                "returned_seconds_ago": ago(slots.poll_returned.ago()),
                "task_seconds_ago": ago(slots.task_came.ago()),
            });
            (kind.to_owned(), figures)
        });
        let lag = [&self.loop_lag, &self.loop_overdue].map(|seconds| f64::from_bits(seconds.load(Ordering::Relaxed)));
        let last_error = lock(&self.last_error)
            .as_ref()
            .map(|(message, at)| json!({"message": message, "seconds_ago": ago(Some(at.elapsed()))}));
        json!({
            "task_queue": self.task_queue,
            "namespace": self.namespace,
            "identity": self.identity,
            "state": match state { STARTING => "starting", DRAINING => "draining", _ => "running" },
            "polls": polls.collect::<Map<_, _>>(),
            "slots": slots.collect::<Map<_, _>>(),
            "cached_workflows": self.cached_workflows.load(Ordering::Relaxed),
            "event_loop_lag_seconds": rounded(lag[0].max(lag[1])),
            "server_answered_seconds_ago": ago(reached),
            "last_error": last_error,
        })
    }
}

impl Verdict {
    pub fn to_json(&self) -> Value {
        let mut value = self.figures.clone();
        value["healthy"] = self.healthy.into();
        value["ready"] = self.ready.into();
        value["reasons"] = json!(self.reasons);
        value
    }
}

/// Whether somebody has answered, if not as asked: permissions may be missing, for one.
fn is_refusal(status: &tonic::Status) -> bool {
    use tonic::Code;
    !matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

#[cfg(unix)]
fn write_stacks(signal: i32) {
    // SAFETY: raise touches no memory, and the handler is made to run at any point of a program.
    #[allow(unsafe_code)]
    unsafe {
        libc::raise(signal);
    }
}

#[cfg(not(unix))]
fn write_stacks(_signal: i32) {}
