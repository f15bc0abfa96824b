//! A worker: polls Core, hands tasks to Python's threads and loops, takes their completions back.

use std::collections::HashSet;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Wake;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use pyo3::prelude::*;
use temporalio_protos::coresdk::ActivityHeartbeat;
use temporalio_protos::coresdk::workflow_activation::WorkflowActivation;
use temporalio_protos::coresdk::workflow_completion::WorkflowActivationCompletion;
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::enums::v1::WorkflowTaskFailedCause;
use temporalio_protos::temporal::api::failure::v1 as failure;
use temporalio_sdk_core::{PollError, Worker as CoreWorker, WorkerValidationError, init_worker};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::activation::{Activation, activation_to_python};
use crate::activity::{ActivityOutcome, ActivityTask, activity_completion};
use crate::client::Client;
use crate::commands::{failed_completion, successful_completion};
use crate::drive::{Driven, begin_here};
use crate::errors::Error;
use crate::failure::Failure;
use crate::health::slots::WorkerSlots;
use crate::heartbeat::Heartbeats;
use crate::limits::{KnownLimits, Limits, OversizedPayloads};
use crate::mailbox::{Backlog, Bell, Heard, Mailbox};
use crate::nexus::{NexusTask, NexusTaskCompletion};
use crate::payload::{Payload, Payloads};
use crate::process::InProcess;
use crate::queue::{CompletionQueue, Operation, Sink};
use crate::replay::{Server as HistoryServer, end_replay, is_end_of_history};
use crate::runtime::{RuntimeRef, seconds};
use crate::sync::lock;
use crate::transit::{Detour, EncodedActivation, PlainCompletion};
use crate::tuner::{EagerSlots, Tuner};
use crate::worker_config::WorkerConfig;

/// How often a worker that shuts down looks whether its last completion is on the way.
const COMPLETION_CHECK: Duration = Duration::from_millis(2);

/// A worker of Core. One thread takes activations, any number take activities; completions come from anywhere.
#[pyclass(frozen, module = "invincible._native")]
pub struct Worker(InProcess<Inner>);

struct Inner {
    runtime: RuntimeRef,
    /// `None` once the worker is finalized.
    core: Mutex<Option<Arc<CoreWorker>>>,
    activations: Arc<Mailbox<WorkflowActivation>>,
    /// The poll that fills it, once it has begun.
    workflow_poll: OnceLock<Arc<Driven>>,
    activities: Mutex<Option<Sender<ActivityTask>>>,
    waiting_activities: Receiver<ActivityTask>,
    taken_activities: Arc<AtomicU64>,
    limits: Arc<KnownLimits>,
    heartbeats: Arc<Heartbeats>,
    /// The way of messages with payloads, if Python has a codec for them.
    detour: OnceLock<Arc<Detour>>,
    /// Slots of activities that start with the task that schedules them, if Python supplies them.
    eager: Option<Arc<EagerSlots>>,
    /// What the slots tell, if somebody wants to know.
    slots: Option<Arc<WorkerSlots>>,
    /// Where its tasks come from, if they are histories.
    histories: Option<Arc<HistoryServer>>,
}

/// With the runtime, the work ends that its threads leave to another.
struct StopOnDrop(Arc<Driven>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What tells of the health of a worker.
pub struct Watched {
    pub runtime: RuntimeRef,
    pub core: Arc<CoreWorker>,
    pub activations: Box<dyn Fn() -> Backlog + Send + Sync>,
    pub activities: Box<dyn Fn() -> Backlog + Send + Sync>,
    pub slots: Option<Arc<WorkerSlots>>,
}

impl Inner {
    fn core(&self) -> Result<Arc<CoreWorker>, Error> {
        lock(&self.core).clone().ok_or(Error::Closed { what: "worker" })
    }

    /// Leaves the poll for activations to the thread that waits for them; the outcome is for the runtime.
    fn drive_workflow_poll(
        &self,
        poll: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Result<impl Future<Output = Result<(), Error>> + Send + 'static, Error> {
        let (ended, end) = oneshot::channel();
        let work = async move {
            let _ = ended.send(poll.await);
        };
        let activations = self.activations.clone();
        let driven = Driven::new(self.runtime.guest()?, work, move || activations.call());
        self.workflow_poll.set(driven.clone()).map_err(|_| Error::Closed { what: "worker" })?;
        // Not before the thread can find it.
        driven.wake_by_ref();
        let stop = StopOnDrop(driven);
        Ok(async move {
            let _stop = stop;
            end.await.unwrap_or(Err(Error::Lost))
        })
    }

    /// Waits until there are activations, or none will come any more; meanwhile this thread goes on with their poll.
    fn wait_for_activations(&self) {
        loop {
            if let Some(poll) = self.workflow_poll.get() {
                poll.go_on();
            }
            if self.activations.wait_for_mail_or_call() != Heard::Call {
                return;
            }
        }
    }

    /// With `replayed`, nothing is to be told to the server.
    fn send_workflow_completion(&self, completion: WorkflowActivationCompletion, replayed: bool) -> Result<(), Error> {
        let core = self.core()?;
        if let Some(histories) = &self.histories {
            histories.notice(&completion);
        }
        let slots = self
            .eager
            .as_ref()
            .and_then(|eager| Python::attach(|py| eager.reserve(py, core.get_config(), &completion)));
        let completing = async move {
            if let Err(error) = core.complete_workflow_activation(completion).await {
                tracing::error!("a workflow task could not be completed: {error}");
            }
        };
        let guest = self.runtime.guest()?;
        match slots {
            None => begin_here(guest, replayed, completing),
            Some(slots) => begin_here(guest, replayed, slots.at_hand(completing)),
        }
        Ok(())
    }

    /// By way of Python's codec, if it has one.
    fn complete_workflow_task(
        &self,
        completion: WorkflowActivationCompletion,
        replayed: bool,
    ) -> Result<Option<OversizedPayloads>, Error> {
        let completion = match self.detour.get() {
            Some(detour) => match PlainCompletion::new(completion, detour.headers) {
                Ok(completion) => {
                    detour.sink.send(completion);
                    return Ok(None);
                }
                Err(completion) => *completion,
            },
            None => completion,
        };
        self.check_and_send(completion, replayed)
    }

    /// Sends nothing that the server would refuse.
    fn check_and_send(
        &self,
        completion: WorkflowActivationCompletion,
        replayed: bool,
    ) -> Result<Option<OversizedPayloads>, Error> {
        let oversized = self.limits.get().and_then(|limits| limits.check_completion(&completion));
        if oversized.is_none() {
            self.send_workflow_completion(completion, replayed)?;
        }
        Ok(oversized)
    }

    fn complete_activity(&self, task_token: &[u8], outcome: ActivityOutcome) -> Result<(), Error> {
        let core = self.core()?;
        self.heartbeats.end(task_token);
        let completion = activity_completion(task_token.to_vec(), outcome);
        self.runtime.spawn(async move {
            if let Err(error) = core.complete_activity_task(completion).await {
                tracing::error!("an activity task could not be completed: {error}");
            }
        })?;
        Ok(())
    }
}

impl Worker {
    pub fn for_replay(runtime: RuntimeRef, core: CoreWorker, histories: Arc<HistoryServer>) -> Self {
        Self::from_core(runtime, core, None, None, Some(histories))
    }

    fn from_core(
        runtime: RuntimeRef,
        core: CoreWorker,
        eager: Option<Arc<EagerSlots>>,
        slots: Option<Arc<WorkerSlots>>,
        histories: Option<Arc<HistoryServer>>,
    ) -> Self {
        let (activities, waiting_activities) = crossbeam_channel::unbounded();
        Self(InProcess::new(
            "worker",
            Inner {
                runtime,
                core: Mutex::new(Some(Arc::new(core))),
                activations: Arc::new(Mailbox::new(Bell::Wait(Default::default()))),
                workflow_poll: OnceLock::new(),
                activities: Mutex::new(Some(activities)),
                waiting_activities,
                taken_activities: Arc::default(),
                limits: Arc::default(),
                heartbeats: Arc::default(),
                detour: OnceLock::new(),
                eager,
                slots,
                histories,
            },
        ))
    }

    pub fn watched(&self) -> Result<Watched, Error> {
        let inner = self.0.get()?;
        let (activations, activities) = (inner.activations.clone(), inner.waiting_activities.clone());
        let taken = inner.taken_activities.clone();
        Ok(Watched {
            runtime: inner.runtime.clone(),
            core: inner.core()?,
            activations: Box::new(move || activations.backlog()),
            activities: Box::new(move || Backlog { waiting: activities.len(), taken: taken.load(Ordering::Relaxed) }),
            slots: inner.slots.clone(),
        })
    }
}

#[pymethods]
impl Worker {
    /// A worker that polls through the client's connection.
    #[new]
    #[pyo3(signature = (client, config, tuner = None, *, watch_slots = false))]
    fn new(
        client: &Bound<'_, Client>,
        config: &Bound<'_, WorkerConfig>,
        tuner: Option<&Bound<'_, Tuner>>,
        watch_slots: bool,
    ) -> PyResult<Self> {
        let client = client.get();
        let (runtime, connection) = (client.runtime().clone(), client.connection()?);
        let eager = tuner.and_then(|tuner| tuner.get().eager());
        let tuner = tuner.map(|tuner| tuner.get().build()).transpose()?;
        let mut config = config.get().to_core(tuner.map(|tuner| tuner as _))?;
        let slots = watch_slots.then(|| Arc::new(WorkerSlots::watch(&mut config)));
        let _context = runtime.handle()?.enter();
        let core = init_worker(runtime.core()?, config, connection)
            .map_err(|error| Error::InvalidArgument(format!("the worker could not be set up: {error:#}")))?;
        Ok(Self::from_core(runtime.clone(), core, eager, slots, None))
    }

    /// Polls through another connection of the same runtime from now on. Polls that are under way end where they are.
    fn replace_client(&self, client: &Bound<'_, Client>) -> PyResult<()> {
        let inner = self.0.get()?;
        let connection = client.get().connection()?;
        let core = inner.core()?;
        let _context = inner.runtime.handle()?.enter();
        core.replace_client(connection)
            .map_err(|error| Error::InvalidArgument(format!("the client could not be replaced: {error:#}")).into())
    }

    /// Checks with the server that the namespace exists, and learns its limits.
    fn validate(&self) -> PyResult<Operation> {
        let inner = self.0.get()?;
        let core = inner.core()?;
        let known = inner.limits.clone();
        Ok(Operation::new(&inner.runtime, async move {
            let namespace = core.validate().await.map_err(|error| Error::Setup(refusal(&error)))?;
            if let Some(limits) = namespace.limits.filter(|_| !core.get_config().disable_payload_error_limit) {
                let bytes = |size: i64| usize::try_from(size).unwrap_or_default();
                let limits =
                    Limits { payloads: bytes(limits.blob_size_limit_error), memo: bytes(limits.memo_size_limit_error) };
                known.get_or_init(|| limits);
            }
            Ok(())
        }))
    }

    /// Polls until shutdown; the operation ends when no task comes any more, with the error if that is the reason.
    ///
    /// Activities whose type is in `thread_activities`, or any but those in `loop_activities` when that is given, are for
    /// `next_activity`; the other tasks go to `on_activity_task`, called by the event loop of `queue`.
    ///
    /// With `on_transit`, so do activations and completions that have payloads, headers only with `transit_headers`: it
    /// is to give them to `deliver_activation` and `deliver_completion`.
    ///
    /// Nexus tasks go to `on_nexus_task`, which a worker for them needs.
    #[pyo3(signature = (queue, on_activity_task, *, thread_activities, loop_activities = None, on_transit = None,
                        transit_headers = false, on_nexus_task = None))]
    #[allow(clippy::too_many_arguments)] // they are named in Python
    fn poll(
        &self,
        queue: &Bound<'_, CompletionQueue>,
        on_activity_task: Py<PyAny>,
        thread_activities: HashSet<String>,
        loop_activities: Option<HashSet<String>>,
        on_transit: Option<Py<PyAny>>,
        transit_headers: bool,
        on_nexus_task: Option<Py<PyAny>>,
    ) -> PyResult<Operation> {
        let inner = self.0.get()?;
        let core = inner.core()?;
        if let Some(on_transit) = on_transit {
            let sink = queue.get().sink(on_transit)?;
            inner.detour.get_or_init(|| Arc::new(Detour { sink, headers: transit_headers }));
        }
        let config = core.get_config();
        let (workflows, activities) = (
            config.task_types.enable_workflows,
            config.task_types.enable_remote_activities || config.task_types.enable_local_activities,
        );
        let handle = inner.runtime.handle()?;
        // The loops are tasks of their own: when the operation is aborted they go on, as Core demands, until shutdown.
        let mut polls: Vec<JoinHandle<Result<(), Error>>> = Vec::new();
        if workflows {
            let detour = inner.detour.get().cloned();
            let poll = poll_workflows(core.clone(), inner.activations.clone(), detour, inner.histories.is_some());
            polls.push(handle.spawn(inner.drive_workflow_poll(poll)?));
        } else {
            inner.activations.close();
        }
        if let Some(on_nexus_task) = on_nexus_task {
            polls.push(handle.spawn(poll_nexus(core.clone(), queue.get().sink(on_nexus_task)?)));
        }
        let threads = lock(&inner.activities).take();
        if activities {
            let router = ActivityRouter {
                sink: queue.get().sink(on_activity_task)?,
                threads: threads.ok_or(Error::Closed { what: "worker" })?,
                thread_activities,
                loop_activities,
            };
            polls.push(handle.spawn(poll_activities(core, router)));
        }
        Ok(Operation::new(&inner.runtime, async move {
            let mut result = Ok(());
            for poll in polls {
                result = result.and(poll.await.unwrap_or(Err(Error::Lost)));
            }
            result
        }))
    }

    /// Waits, detached from Python, for activations; `None` when no more will come.
    fn next_activations(&self, py: Python<'_>) -> PyResult<Option<Vec<Py<Activation>>>> {
        let inner = self.0.get()?;
        py.detach(|| inner.wait_for_activations());
        let activations = inner.activations.take();
        if activations.is_empty() {
            return Ok(None);
        }
        activations
            .into_iter()
            .map(|activation| activation_to_python(py, activation))
            .collect::<PyResult<_>>()
            .map(Some)
    }

    /// Waits, detached from Python, for an activity to run on this thread; `None` when no more will come.
    fn next_activity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let inner = self.0.get()?;
        let activities = inner.waiting_activities.clone();
        let task = py.detach(|| activities.recv());
        inner.taken_activities.fetch_add(1, Ordering::Relaxed);
        task.ok().map(|task| task.into_pyobject(py)).transpose()
    }

    /// Gives the workflow thread an activation with its payloads decoded, field by field.
    fn deliver_activation(&self, activation: &Bound<'_, EncodedActivation>, payloads: Vec<Payloads>) -> PyResult<()> {
        let inner = self.0.get()?;
        let activation = activation.get().with_payloads(payloads)?;
        let run_id = activation.run_id.clone();
        if !inner.activations.push(activation) {
            let failure = failure::Failure { message: "the worker has shut down".to_owned(), ..Default::default() };
            let cause = WorkflowTaskFailedCause::ResetStickyTaskQueue;
            inner.send_workflow_completion(failed_completion(run_id, failure, cause), false)?;
        }
        Ok(())
    }

    /// Sends a completion with its payloads encoded, field by field, unless the server would refuse some. With `None`,
    /// the completion of a failed task goes without any.
    fn deliver_completion(
        &self,
        completion: &Bound<'_, PlainCompletion>,
        payloads: Option<Vec<Payloads>>,
    ) -> PyResult<Option<OversizedPayloads>> {
        let completion = completion.get();
        let completion = match payloads {
            Some(payloads) => completion.with_payloads(payloads)?,
            None => completion.without_payloads()?,
        };
        Ok(self.0.get()?.check_and_send(completion, false)?)
    }

    /// Answers an activation with the run's commands, unless the server would refuse some payloads. With `replayed`, its
    /// task is not the last of the history, so that the server hears nothing of it.
    #[pyo3(signature = (run_id, commands, versioning_behavior = 0, replayed = false))]
    fn complete_workflow_task(
        &self,
        run_id: String,
        commands: &Bound<'_, PyAny>,
        versioning_behavior: i32,
        replayed: bool,
    ) -> PyResult<Option<OversizedPayloads>> {
        let completion = successful_completion(run_id, commands, versioning_behavior)?;
        Ok(self.0.get()?.complete_workflow_task(completion, replayed)?)
    }

    /// Answers an activation with a failure of the workflow task, which the server will try again. `abandoned` says that
    /// the workflow's code has no part in it, `too_large` that its payloads are.
    #[pyo3(signature = (run_id, failure, *, nondeterminism = false, abandoned = false, too_large = false))]
    fn fail_workflow_task(
        &self,
        run_id: String,
        failure: Failure,
        nondeterminism: bool,
        abandoned: bool,
        too_large: bool,
    ) -> PyResult<()> {
        let cause = match (nondeterminism, abandoned, too_large) {
            (true, ..) => WorkflowTaskFailedCause::NonDeterministicError,
            (false, true, _) => WorkflowTaskFailedCause::ResetStickyTaskQueue,
            (false, false, true) => WorkflowTaskFailedCause::PayloadsTooLarge,
            (false, false, false) => WorkflowTaskFailedCause::WorkflowWorkerUnhandledFailure,
        };
        self.0.get()?.complete_workflow_task(failed_completion(run_id, failure.into(), cause), false)?;
        Ok(())
    }

    /// Ends an activity with a result, unless the server would refuse it.
    fn complete_activity(&self, task_token: &[u8], result: Option<Payload>) -> PyResult<Option<OversizedPayloads>> {
        let inner = self.0.get()?;
        // The one copy of the data: from here on it moves.
        let result = result.map(common::Payload::from);
        let oversized = inner.limits.get().and_then(|limits| limits.check_result(result.as_ref()));
        if oversized.is_none() {
            inner.complete_activity(task_token, ActivityOutcome::Completed(result.map(Payload::from)))?;
        }
        Ok(oversized)
    }

    fn fail_activity(&self, task_token: &[u8], failure: Failure) -> PyResult<()> {
        Ok(self.0.get()?.complete_activity(task_token, ActivityOutcome::Failed(failure))?)
    }

    fn cancel_activity(&self, task_token: &[u8], failure: Failure) -> PyResult<()> {
        Ok(self.0.get()?.complete_activity(task_token, ActivityOutcome::Cancelled(failure))?)
    }

    /// Says that the activity will be completed by its task token, from anywhere.
    fn release_activity(&self, task_token: &[u8]) -> PyResult<()> {
        Ok(self.0.get()?.complete_activity(task_token, ActivityOutcome::WillCompleteAsync)?)
    }

    fn record_activity_heartbeat(&self, task_token: &[u8], details: Payloads) -> PyResult<()> {
        let inner = self.0.get()?;
        let core = inner.core()?;
        inner.heartbeats.told(task_token, &details.0);
        let _context = inner.runtime.handle()?.enter();
        core.record_activity_heartbeat(ActivityHeartbeat { task_token: task_token.to_vec(), details: details.0 });
        Ok(())
    }

    /// Heartbeats for an activity, now and at every interval (seconds), until it ends. They have the details of the
    /// activity's own last heartbeat, before its first one those given.
    fn keep_activity_alive(&self, task_token: Vec<u8>, interval: f64, details: Payloads) -> PyResult<()> {
        let inner = self.0.get()?;
        let core = Arc::downgrade(&inner.core()?);
        let interval = seconds("interval", interval)?.max(Duration::from_millis(1));
        inner.heartbeats.begin(task_token.clone(), details.0);
        let beat = move |heartbeat| core.upgrade().map(|core| core.record_activity_heartbeat(heartbeat)).is_some();
        inner.runtime.spawn(inner.heartbeats.clone().keep_alive(task_token, interval, beat))?;
        Ok(())
    }

    /// Answers a Nexus task, unless the server would refuse the result.
    fn complete_nexus_task(&self, completion: &Bound<'_, NexusTaskCompletion>) -> PyResult<Option<OversizedPayloads>> {
        let inner = self.0.get()?;
        let oversized = inner.limits.get().and_then(|limits| limits.check_result(completion.get().result()));
        if oversized.is_some() {
            return Ok(oversized);
        }
        let (core, completion) = (inner.core()?, completion.get().message());
        inner.runtime.spawn(async move {
            if let Err(error) = core.complete_nexus_task(completion).await {
                tracing::error!("a Nexus task could not be completed: {error}");
            }
        })?;
        Ok(None)
    }

    /// Asks Core to drop a run from the cache.
    fn request_workflow_eviction(&self, run_id: &str) -> PyResult<()> {
        let inner = self.0.get()?;
        let core = inner.core()?;
        let _context = inner.runtime.handle()?.enter();
        core.request_workflow_eviction(run_id);
        Ok(())
    }

    /// What the server tells the polls of this worker by.
    #[getter]
    fn instance_key(&self) -> PyResult<String> {
        Ok(self.0.get()?.core()?.worker_instance_key().to_string())
    }

    /// Stops taking new tasks. Those under way are still to be completed.
    fn initiate_shutdown(&self) -> PyResult<()> {
        let inner = self.0.get()?;
        let Ok(core) = inner.core() else { return Ok(()) };
        let _context = inner.runtime.handle()?.enter();
        core.initiate_shutdown();
        Ok(())
    }

    /// Frees the worker, after its polling has ended and its tasks are completed. A second time does nothing.
    fn finalize_shutdown(&self) -> PyResult<Operation> {
        let inner = self.0.get()?;
        let core = lock(&inner.core).take();
        inner.activations.close();
        lock(&inner.activities).take();
        Ok(Operation::new(&inner.runtime, async move {
            if let Some(core) = core {
                finalize(core).await;
            }
            Ok(())
        }))
    }
}

/// Why a worker cannot begin, in the server's words: Core shows the whole status of the call.
fn refusal(error: &WorkerValidationError) -> String {
    let WorkerValidationError::NamespaceDescribeError { source, namespace } = error;
    let reason = if source.message().is_empty() { source.code().description() } else { source.message() };
    format!("the server does not tell of namespace {namespace:?}: {reason}")
}

async fn finalize(mut core: Arc<CoreWorker>) {
    core.shutdown().await;
    // Completions under way hold the worker for as long as they take.
    loop {
        match Arc::try_unwrap(core) {
            Ok(core) => return core.finalize_shutdown().await,
            Err(shared) => core = shared,
        }
        tokio::time::sleep(COMPLETION_CHECK).await;
    }
}

async fn poll_workflows(
    core: Arc<CoreWorker>,
    activations: Arc<Mailbox<WorkflowActivation>>,
    detour: Option<Arc<Detour>>,
    replays: bool,
) -> Result<(), Error> {
    let ended = loop {
        let activation = match core.poll_workflow_activation().await {
            Ok(activation) if replays && is_end_of_history(&activation) => {
                let core = core.clone();
                tokio::spawn(async move {
                    if let Err(error) = end_replay(&core, activation.run_id).await {
                        tracing::error!("a replay could not be ended: {error}");
                    }
                });
                continue;
            }
            Ok(activation) => activation,
            Err(error) => break poll_ended(&core, error),
        };
        match &detour {
            None => activations.push(activation),
            Some(detour) => match EncodedActivation::new(activation, detour.headers) {
                Ok(encoded) => detour.sink.send(encoded),
                Err(activation) => activations.push(*activation),
            },
        };
    };
    activations.close();
    ended
}

async fn poll_activities(core: Arc<CoreWorker>, router: ActivityRouter) -> Result<(), Error> {
    loop {
        match core.poll_activity_task().await {
            Ok(task) => router.route(ActivityTask(task)),
            Err(error) => return poll_ended(&core, error),
        }
    }
}

async fn poll_nexus(core: Arc<CoreWorker>, sink: Sink) -> Result<(), Error> {
    loop {
        match core.poll_nexus_task().await {
            Ok(task) => sink.send(NexusTask(task)),
            Err(error) => return poll_ended(&core, error),
        };
    }
}

/// A poll that fails for good takes the other polls with it.
fn poll_ended(core: &CoreWorker, error: PollError) -> Result<(), Error> {
    match error {
        PollError::ShutDown => Ok(()),
        PollError::TonicError(status) => {
            core.initiate_shutdown();
            Err(status.into())
        }
    }
}

/// Who runs an activity: a thread that waits for it, or the event loop.
struct ActivityRouter {
    sink: Sink,
    threads: Sender<ActivityTask>,
    thread_activities: HashSet<String>,
    loop_activities: Option<HashSet<String>>,
}

impl ActivityRouter {
    fn route(&self, task: ActivityTask) {
        let to_thread = task.starts().is_some_and(|name| match &self.loop_activities {
            Some(on_loop) => !on_loop.contains(name),
            None => self.thread_activities.contains(name),
        });
        // A receiver that is gone belongs to a worker that is gone: the server will time the task out and try it again.
        if to_thread {
            let _ = self.threads.send(task);
        } else {
            self.sink.send(task);
        }
    }
}
