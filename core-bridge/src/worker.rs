//! A worker: polls Core, hands tasks to Python's threads and loops, takes their completions back.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use pyo3::prelude::*;
use temporalio_common::worker::{
    VersioningBehavior, WorkerDeploymentOptions, WorkerDeploymentVersion, WorkerTaskTypes,
};
use temporalio_protos::coresdk::ActivityHeartbeat;
use temporalio_protos::coresdk::workflow_activation::WorkflowActivation;
use temporalio_protos::coresdk::workflow_completion::WorkflowActivationCompletion;
use temporalio_protos::temporal::api::enums::v1::WorkflowTaskFailedCause;
use temporalio_protos::temporal::api::failure::v1 as failure;
use temporalio_sdk_core::{
    PollError, PollerBehavior, Worker as CoreWorker, WorkerConfig as CoreConfig, WorkerVersioningStrategy,
    WorkflowErrorType, init_worker,
};
use tokio::task::JoinHandle;

use crate::activation::{Activation, activation_to_python};
use crate::activity::{ActivityOutcome, ActivityTask, activity_completion};
use crate::client::Client;
use crate::commands::{failed_completion, successful_completion};
use crate::errors::Error;
use crate::failure::Failure;
use crate::limits::{KnownLimits, Limits, OversizedPayloads};
use crate::mailbox::{Bell, Mailbox};
use crate::payload::{Payload, Payloads};
use crate::process::InProcess;
use crate::queue::{CompletionQueue, Operation, Sink};
use crate::record::record;
use crate::runtime::{RuntimeRef, seconds};
use crate::sync::lock;
use crate::transit::{Detour, EncodedActivation, PlainCompletion};

/// How often a worker that shuts down looks whether its last completion is on the way.
const COMPLETION_CHECK: Duration = Duration::from_millis(2);

record! {
    /// The options of a worker, as Core takes them; durations are seconds.
    WorkerConfig {
        namespace: String,
        task_queue: String,
        build_id: String,
        deployment_name: Option<String> = None,
        use_worker_versioning: bool = false,
        default_versioning_behavior: i32 = 0,
        workflows: bool = true,
        activities: bool = true,
        local_activities: bool = true,
        identity: Option<String> = None,
        max_cached_workflows: usize = 1000,
        max_concurrent_workflow_tasks: usize = 100,
        max_concurrent_activities: usize = 100,
        max_concurrent_local_activities: usize = 100,
        workflow_task_pollers: usize = 5,
        activity_task_pollers: usize = 5,
        nonsticky_to_sticky_poll_ratio: f32 = 0.2,
        sticky_queue_schedule_to_start_timeout: f64 = 10.0,
        max_heartbeat_throttle_interval: f64 = 60.0,
        default_heartbeat_throttle_interval: f64 = 30.0,
        max_activities_per_second: Option<f64> = None,
        max_task_queue_activities_per_second: Option<f64> = None,
        max_eager_activity_reservations_per_workflow_task: usize = 3,
        graceful_shutdown_period: f64 = 0.0,
        nondeterminism_fails_workflow: bool = false,
        nondeterminism_fails_workflow_types: HashSet<String> = HashSet::new(),
        disable_payload_error_limit: bool = false,
    }
}

impl WorkerConfig {
    pub fn to_core(&self) -> Result<CoreConfig, Error> {
        let nondeterminism = || HashSet::from([WorkflowErrorType::Nondeterminism]);
        let types = self.nondeterminism_fails_workflow_types.iter().map(|name| (name.clone(), nondeterminism()));
        CoreConfig::builder()
            .namespace(&self.namespace)
            .task_queue(&self.task_queue)
            .versioning_strategy(self.versioning_strategy()?)
            .task_types(WorkerTaskTypes {
                enable_workflows: self.workflows,
                enable_local_activities: self.workflows && self.local_activities,
                enable_remote_activities: self.activities,
                enable_nexus: false,
            })
            .maybe_client_identity_override(self.identity.clone())
            .max_cached_workflows(self.max_cached_workflows)
            .max_outstanding_workflow_tasks(self.max_concurrent_workflow_tasks)
            .max_outstanding_activities(self.max_concurrent_activities)
            .max_outstanding_local_activities(self.max_concurrent_local_activities)
            .workflow_task_poller_behavior(PollerBehavior::SimpleMaximum(self.workflow_task_pollers))
            .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(self.activity_task_pollers))
            .nonsticky_to_sticky_poll_ratio(self.nonsticky_to_sticky_poll_ratio)
            .sticky_queue_schedule_to_start_timeout(seconds(
                "sticky_queue_schedule_to_start_timeout",
                self.sticky_queue_schedule_to_start_timeout,
            )?)
            .max_heartbeat_throttle_interval(seconds(
                "max_heartbeat_throttle_interval",
                self.max_heartbeat_throttle_interval,
            )?)
            .default_heartbeat_throttle_interval(seconds(
                "default_heartbeat_throttle_interval",
                self.default_heartbeat_throttle_interval,
            )?)
            .maybe_max_worker_activities_per_second(self.max_activities_per_second)
            .maybe_max_task_queue_activities_per_second(self.max_task_queue_activities_per_second)
            .max_eager_activity_reservations_per_workflow_task(self.max_eager_activity_reservations_per_workflow_task)
            .graceful_shutdown_period(seconds("graceful_shutdown_timeout", self.graceful_shutdown_period)?)
            .ignore_evicts_on_shutdown(true)
            .workflow_failure_errors(if self.nondeterminism_fails_workflow { nondeterminism() } else { HashSet::new() })
            .workflow_types_to_failure_errors(types.collect())
            .disable_payload_error_limit(self.disable_payload_error_limit)
            .build()
            .map_err(Error::InvalidArgument)
    }

    fn versioning_strategy(&self) -> Result<WorkerVersioningStrategy, Error> {
        let build_id = self.build_id.clone();
        let Some(deployment_name) = self.deployment_name.clone() else {
            if self.use_worker_versioning {
                let message = "use_worker_versioning needs a deployment_name: versions are versions of a deployment";
                return Err(Error::InvalidArgument(message.to_owned()));
            }
            return Ok(WorkerVersioningStrategy::None { build_id });
        };
        let version = WorkerDeploymentVersion::builder().deployment_name(deployment_name).build_id(build_id).build();
        let default_behavior = match self.default_versioning_behavior {
            0 => None,
            1 => Some(VersioningBehavior::Pinned),
            2 => Some(VersioningBehavior::AutoUpgrade),
            unknown => {
                let message = format!("default_versioning_behavior must be 0, 1 or 2, got {unknown}");
                return Err(Error::InvalidArgument(message));
            }
        };
        Ok(WorkerVersioningStrategy::WorkerDeploymentBased(
            WorkerDeploymentOptions::new(version)
                .use_worker_versioning(self.use_worker_versioning)
                .maybe_default_versioning_behavior(default_behavior)
                .build(),
        ))
    }
}

/// A worker of Core. One thread takes activations, any number take activities; completions come from anywhere.
#[pyclass(frozen, module = "invincible._native")]
pub struct Worker(InProcess<Inner>);

struct Inner {
    runtime: RuntimeRef,
    /// `None` once the worker is finalized.
    core: Mutex<Option<Arc<CoreWorker>>>,
    activations: Arc<Mailbox<WorkflowActivation>>,
    activities: Mutex<Option<Sender<ActivityTask>>>,
    waiting_activities: Receiver<ActivityTask>,
    limits: Arc<KnownLimits>,
    /// The way of messages with payloads, if Python has a codec for them.
    detour: OnceLock<Arc<Detour>>,
}

impl Inner {
    fn core(&self) -> Result<Arc<CoreWorker>, Error> {
        lock(&self.core).clone().ok_or(Error::Closed { what: "worker" })
    }

    fn send_workflow_completion(&self, completion: WorkflowActivationCompletion) -> Result<(), Error> {
        let core = self.core()?;
        self.runtime.spawn(async move {
            if let Err(error) = core.complete_workflow_activation(completion).await {
                tracing::error!("a workflow task could not be completed: {error}");
            }
        })?;
        Ok(())
    }

    /// By way of Python's codec, if it has one.
    fn complete_workflow_task(
        &self,
        completion: WorkflowActivationCompletion,
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
        self.check_and_send(completion)
    }

    /// Sends nothing that the server would refuse.
    fn check_and_send(&self, completion: WorkflowActivationCompletion) -> Result<Option<OversizedPayloads>, Error> {
        let oversized = self.limits.get().and_then(|limits| limits.check_completion(&completion));
        if oversized.is_none() {
            self.send_workflow_completion(completion)?;
        }
        Ok(oversized)
    }

    fn complete_activity(&self, task_token: &[u8], outcome: ActivityOutcome) -> Result<(), Error> {
        let core = self.core()?;
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
    pub fn from_core(runtime: RuntimeRef, core: CoreWorker) -> Self {
        let (activities, waiting_activities) = crossbeam_channel::unbounded();
        Self(InProcess::new(
            "worker",
            Inner {
                runtime,
                core: Mutex::new(Some(Arc::new(core))),
                activations: Arc::new(Mailbox::new(Bell::Wait(Default::default()))),
                activities: Mutex::new(Some(activities)),
                waiting_activities,
                limits: Arc::default(),
                detour: OnceLock::new(),
            },
        ))
    }
}

#[pymethods]
impl Worker {
    /// A worker that polls through the client's connection.
    #[new]
    fn new(client: &Bound<'_, Client>, config: &Bound<'_, WorkerConfig>) -> PyResult<Self> {
        let client = client.get();
        let (runtime, connection) = (client.runtime().clone(), client.connection()?);
        let config = config.get().to_core()?;
        let _context = runtime.handle()?.enter();
        let core = init_worker(runtime.core()?, config, connection)
            .map_err(|error| Error::InvalidArgument(format!("the worker could not be set up: {error:#}")))?;
        Ok(Self::from_core(runtime.clone(), core))
    }

    /// Checks with the server that the namespace exists, and learns its limits.
    fn validate(&self) -> PyResult<Operation> {
        let inner = self.0.get()?;
        let core = inner.core()?;
        let known = inner.limits.clone();
        Ok(Operation::new(&inner.runtime, async move {
            let namespace = core.validate().await.map_err(|error| Error::Setup(error.to_string()))?;
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
    #[pyo3(signature = (queue, on_activity_task, *, thread_activities, loop_activities = None, on_transit = None,
                        transit_headers = false))]
    fn poll(
        &self,
        queue: &Bound<'_, CompletionQueue>,
        on_activity_task: Py<PyAny>,
        thread_activities: HashSet<String>,
        loop_activities: Option<HashSet<String>>,
        on_transit: Option<Py<PyAny>>,
        transit_headers: bool,
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
            polls.push(handle.spawn(poll_workflows(core.clone(), inner.activations.clone(), detour)));
        } else {
            inner.activations.close();
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
        let mailbox = self.0.get()?.activations.clone();
        if !py.detach(|| mailbox.wait()) {
            return Ok(None);
        }
        mailbox
            .take()
            .into_iter()
            .map(|activation| activation_to_python(py, activation))
            .collect::<PyResult<_>>()
            .map(Some)
    }

    /// Waits, detached from Python, for an activity to run on this thread; `None` when no more will come.
    fn next_activity<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let activities = self.0.get()?.waiting_activities.clone();
        let task = py.detach(|| activities.recv());
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
            inner.send_workflow_completion(failed_completion(run_id, failure, cause))?;
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
        Ok(self.0.get()?.check_and_send(completion)?)
    }

    /// Answers an activation with the run's commands, unless the server would refuse some payloads.
    #[pyo3(signature = (run_id, commands, versioning_behavior = 0))]
    fn complete_workflow_task(
        &self,
        run_id: String,
        commands: &Bound<'_, PyAny>,
        versioning_behavior: i32,
    ) -> PyResult<Option<OversizedPayloads>> {
        let completion = successful_completion(run_id, commands, versioning_behavior)?;
        Ok(self.0.get()?.complete_workflow_task(completion)?)
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
        self.0.get()?.complete_workflow_task(failed_completion(run_id, failure.into(), cause))?;
        Ok(())
    }

    /// Ends an activity with a result, unless the server would refuse it.
    fn complete_activity(&self, task_token: &[u8], result: Option<Payload>) -> PyResult<Option<OversizedPayloads>> {
        let inner = self.0.get()?;
        let oversized =
            inner.limits.get().and_then(|limits| limits.check_result(result.as_ref().map(Payload::message)));
        if oversized.is_none() {
            inner.complete_activity(task_token, ActivityOutcome::Completed(result))?;
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
        let _context = inner.runtime.handle()?.enter();
        core.record_activity_heartbeat(ActivityHeartbeat { task_token: task_token.to_vec(), details: details.0 });
        Ok(())
    }

    /// Asks Core to drop a run from the cache.
    fn request_workflow_eviction(&self, run_id: &str) -> PyResult<()> {
        let inner = self.0.get()?;
        let core = inner.core()?;
        let _context = inner.runtime.handle()?.enter();
        core.request_workflow_eviction(run_id);
        Ok(())
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
) -> Result<(), Error> {
    let ended = loop {
        let activation = match core.poll_workflow_activation().await {
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

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn config(fields: &str) -> Result<CoreConfig, Error> {
        Python::initialize();
        Python::attach(|py| {
            let names = pyo3::wrap_pymodule!(crate::_native)(py).bind(py).dict();
            let config = format!("WorkerConfig(namespace='n', task_queue='q', build_id='b', {fields})");
            let config = py.eval(&CString::new(config).unwrap(), Some(&names), None).unwrap();
            config.cast::<WorkerConfig>().unwrap().get().to_core()
        })
    }

    #[test]
    fn a_deployment_name_makes_the_build_a_version_of_that_deployment() {
        let fields = "deployment_name='d', use_worker_versioning=True, default_versioning_behavior=1";
        let WorkerVersioningStrategy::WorkerDeploymentBased(deployment) = config(fields).unwrap().versioning_strategy
        else {
            panic!("not a deployment")
        };
        assert_eq!((deployment.version.deployment_name.as_str(), deployment.version.build_id.as_str()), ("d", "b"));
        assert!(deployment.use_worker_versioning);
        assert_eq!(deployment.default_versioning_behavior, Some(VersioningBehavior::Pinned));
    }

    #[test]
    fn versioning_without_a_deployment_is_an_error() {
        let Err(Error::InvalidArgument(message)) = config("use_worker_versioning=True") else { panic!("accepted") };
        assert!(message.contains("deployment_name"), "{message}");
    }
}
