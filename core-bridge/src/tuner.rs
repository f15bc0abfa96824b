//! How many tasks a worker has at a time: slot suppliers of Core's own, and such as are written in Python.
//!
//! Core asks and tells its suppliers while it holds locks that Python's threads wait for, attached, in calls such as a
//! heartbeat. So nothing here ever waits for Python on Core's threads: requests and news are left for the event loop of
//! the worker, in the order in which they come. Where Core wants an answer at once, for activities that start with the
//! task that schedules them, Python has been asked before, when it handed the completion of that task over.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant as Command;
use temporalio_protos::coresdk::workflow_completion::{
    WorkflowActivationCompletion, workflow_activation_completion::Status,
};
use temporalio_sdk_core::{
    ResourceBasedSlotsOptions, ResourceBasedTunerConfig, ResourceSlotOptions, SlotInfo, SlotInfoTrait, SlotKind,
    SlotKindType, SlotMarkUsedContext, SlotReleaseContext, SlotReservationContext, SlotSupplier, SlotSupplierOptions,
    SlotSupplierPermit, TunerHolder, TunerHolderOptions, WorkerConfig as CoreConfig,
};
use tokio::sync::oneshot;

use crate::errors::Error;
use crate::queue::{CompletionQueue, Sink};
use crate::runtime::seconds;
use crate::sync::lock;

/// Where the slots of one kind come from.
#[derive(FromPyObject)]
enum Slots {
    /// A number of them.
    Fixed(usize),
    /// Minimum, maximum, and the seconds between two of them above the minimum.
    ResourceBased(usize, usize, f64),
    /// Called by the event loop with `SlotRequest`, `SlotWithdrawal`, `SlotUse` and `SlotRelease`; and, on the thread
    /// that completes a workflow task, with how many permits are wanted at once: it returns their ids.
    Python(Py<PyAny>, Py<PyAny>),
}

/// Says how many tasks of each kind one worker has at a time.
#[pyclass(frozen, module = "invincible._native")]
pub struct Tuner {
    options: TunerHolderOptions,
    eager: Option<Arc<EagerSlots>>,
}

impl Tuner {
    pub fn build(&self) -> Result<Arc<TunerHolder>, Error> {
        let holder = self.options.clone().build_tuner_holder();
        holder.map(Arc::new).map_err(|error| Error::InvalidArgument(format!("{error:#}")))
    }

    /// What to ask before a workflow task is completed, if Python supplies the slots of activities.
    pub fn eager(&self) -> Option<Arc<EagerSlots>> {
        self.eager.clone()
    }
}

#[pymethods]
impl Tuner {
    /// `target_usage`, of memory and CPU from 0 to 1, is for slots that are resource-based.
    #[new]
    #[pyo3(signature = (queue, *, workflow, activity, local_activity, nexus, target_usage = None))]
    fn new(
        queue: &Bound<'_, CompletionQueue>,
        workflow: Slots,
        activity: Slots,
        local_activity: Slots,
        nexus: Slots,
        target_usage: Option<(f64, f64)>,
    ) -> PyResult<Self> {
        let queue = queue.get();
        let mut eager = None;
        let activity = match activity {
            Slots::Python(on_event, try_reserve) => {
                let slots = PythonSlots::new(queue.sink(on_event)?);
                eager = Some(Arc::new(EagerSlots { try_reserve, sink: slots.sink.clone() }));
                SlotSupplierOptions::Custom(Arc::new(slots))
            }
            native => options(queue, native)?,
        };
        let usage = target_usage.map(|(memory, cpu)| {
            let options = ResourceBasedSlotsOptions::builder().target_mem_usage(memory).target_cpu_usage(cpu).build();
            ResourceBasedTunerConfig::Options(options)
        });
        let options = TunerHolderOptions::builder()
            .workflow_slot_options(options(queue, workflow)?)
            .activity_slot_options(activity)
            .local_activity_slot_options(options(queue, local_activity)?)
            .nexus_slot_options(options(queue, nexus)?)
            .maybe_resource_based_config(usage)
            .build()
            .map_err(Error::InvalidArgument)?;
        Ok(Self { options, eager })
    }
}

fn options<K: SlotKind + Send + Sync + 'static>(
    queue: &CompletionQueue,
    slots: Slots,
) -> Result<SlotSupplierOptions<K>, Error> {
    Ok(match slots {
        Slots::Fixed(slots) => SlotSupplierOptions::FixedSize { slots },
        Slots::ResourceBased(minimum, maximum, ramp_throttle) => SlotSupplierOptions::ResourceBased(
            ResourceSlotOptions::new(minimum, maximum, seconds("ramp_throttle", ramp_throttle)?),
        ),
        Slots::Python(on_event, _) => SlotSupplierOptions::Custom(Arc::new(PythonSlots::new(queue.sink(on_event)?))),
    })
}

/// Core waits for a slot.
#[pyclass(frozen, module = "invincible._native")]
pub struct SlotRequest {
    #[pyo3(get)]
    id: u64,
    /// Whether the slot is for a poll of the worker's own task queue.
    #[pyo3(get)]
    is_sticky: bool,
    answer: Mutex<Option<oneshot::Sender<u64>>>,
}

#[pymethods]
impl SlotRequest {
    /// Gives Core a permit. False if it does not wait any more: the permit is still Python's.
    fn grant(&self, permit: u64) -> bool {
        lock(&self.answer).take().is_some_and(|answer| answer.send(permit).is_ok())
    }
}

/// Core does not wait for a slot any more.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct SlotWithdrawal {
    /// Of the request.
    id: u64,
}

/// A slot has got its task.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct SlotUse {
    permit: u64,
    /// The type of the workflow or activity, or the Nexus service and operation.
    names: Vec<String>,
    is_sticky: bool,
}

/// A slot is free.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct SlotRelease {
    permit: u64,
}

/// The id that Python knows a permit by.
struct PermitId(u64);

fn permit_of(permit: &SlotSupplierPermit) -> Option<u64> {
    permit.user_data::<PermitId>().map(|id| id.0)
}

/// Supplies the slots of one kind as Python says.
struct PythonSlots<K> {
    sink: Sink,
    last_request: AtomicU64,
    kind: PhantomData<fn() -> K>,
}

impl<K> PythonSlots<K> {
    fn new(sink: Sink) -> Self {
        Self { sink, last_request: AtomicU64::new(0), kind: PhantomData }
    }
}

/// Tells Python when Core drops a request before it is granted.
struct OpenRequest<'a> {
    sink: &'a Sink,
    id: u64,
    granted: oneshot::Receiver<u64>,
    over: bool,
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        // A permit that was granted and not seen goes back.
        self.granted.close();
        match self.granted.try_recv() {
            Ok(permit) => self.sink.send(SlotRelease { permit }),
            Err(_) => self.sink.send(SlotWithdrawal { id: self.id }),
        };
    }
}

#[async_trait::async_trait]
impl<K: SlotKind + Send + Sync + 'static> SlotSupplier for PythonSlots<K> {
    type SlotKind = K;

    async fn reserve_slot(&self, context: &dyn SlotReservationContext) -> SlotSupplierPermit {
        let (answer, granted) = oneshot::channel();
        let id = self.last_request.fetch_add(1, Ordering::Relaxed);
        let mut request = OpenRequest { sink: &self.sink, id, granted, over: false };
        let is_sticky = context.is_sticky();
        self.sink.send(SlotRequest { id, is_sticky, answer: Mutex::new(Some(answer)) });
        let granted = (&mut request.granted).await;
        request.over = true;
        match granted {
            Ok(permit) => SlotSupplierPermit::with_user_data(PermitId(permit)),
            // The event loop is gone: there will be no slot until Core gives the wait up.
            Err(_) => pending().await,
        }
    }

    fn try_reserve_slot(&self, _: &dyn SlotReservationContext) -> Option<SlotSupplierPermit> {
        if K::kind() != SlotKindType::Activity {
            return None;
        }
        let permit = AT_HAND.try_with(|permits| permits.borrow_mut().ids.pop()).ok().flatten();
        permit.map(|id| SlotSupplierPermit::with_user_data(PermitId(id)))
    }

    fn mark_slot_used(&self, context: &dyn SlotMarkUsedContext<SlotKind = K>) {
        let Some(permit) = permit_of(context.permit()) else { return };
        let (names, is_sticky) = match context.info().downcast() {
            SlotInfo::Workflow(info) => (vec![info.workflow_type.clone()], info.is_sticky),
            SlotInfo::Activity(info) => (vec![info.activity_type.clone()], false),
            SlotInfo::LocalActivity(info) => (vec![info.activity_type.clone()], false),
            SlotInfo::Nexus(info) => (vec![info.service.clone(), info.operation.clone()], false),
        };
        self.sink.send(SlotUse { permit, names, is_sticky });
    }

    fn release_slot(&self, context: &dyn SlotReleaseContext<SlotKind = K>) {
        if let Some(permit) = permit_of(context.permit()) {
            self.sink.send(SlotRelease { permit });
        }
    }
}

tokio::task_local! {
    /// Permits for the activities that the workflow task may start that this task of tokio completes.
    static AT_HAND: RefCell<Permits>;
}

/// Permits at hand; those that are not used go back.
struct Permits {
    ids: Vec<u64>,
    sink: Sink,
}

impl Drop for Permits {
    fn drop(&mut self) {
        for permit in self.ids.drain(..) {
            self.sink.send(SlotRelease { permit });
        }
    }
}

/// Permits for activities that start with the workflow task that schedules them.
pub struct EagerSlots {
    try_reserve: Py<PyAny>,
    sink: Sink,
}

impl EagerSlots {
    /// Asks Python for the slots that Core may want while it completes a workflow task.
    pub fn reserve(
        &self,
        py: Python<'_>,
        config: &CoreConfig,
        completion: &WorkflowActivationCompletion,
    ) -> Option<ReservedSlots> {
        let wanted = eager_activities(config, completion);
        if wanted == 0 {
            return None;
        }
        let reserved = self.try_reserve.call1(py, (wanted,)).and_then(|ids| ids.extract::<Vec<u64>>(py));
        match reserved {
            Ok(ids) => Some(ReservedSlots(Permits { ids, sink: self.sink.clone() })),
            Err(error) => {
                error.write_unraisable(py, Some(self.try_reserve.bind(py)));
                None
            }
        }
    }
}

/// How many activities of a completion the server may start together with it, on this worker.
fn eager_activities(config: &CoreConfig, completion: &WorkflowActivationCompletion) -> usize {
    let Some(Status::Successful(success)) = &completion.status else { return 0 };
    if !config.task_types.enable_remote_activities || config.max_task_queue_activities_per_second.is_some() {
        return 0;
    }
    let eager = success.commands.iter().filter(|command| match &command.variant {
        Some(Command::ScheduleActivity(activity)) => {
            !activity.do_not_eagerly_execute && activity.task_queue == config.task_queue
        }
        _ => false,
    });
    eager.take(config.max_eager_activity_reservations_per_workflow_task).count()
}

/// Slots that have been reserved for one completion.
pub struct ReservedSlots(Permits);

impl ReservedSlots {
    /// Runs the completion with its slots at hand.
    pub async fn at_hand<T>(self, completion: impl Future<Output = T>) -> T {
        AT_HAND.scope(RefCell::new(self.0), completion).await
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use temporalio_sdk_core::WorkerTuner;

    use super::*;

    fn tuner(slots: &str) -> PyResult<Arc<TunerHolder>> {
        Python::initialize();
        Python::attach(|py| {
            let names = pyo3::wrap_pymodule!(crate::_native)(py).bind(py).dict();
            let tuner = format!("Tuner(CompletionQueue(poll=False), nexus=1, {slots})");
            let tuner = py.eval(&CString::new(tuner).unwrap(), Some(&names), None)?;
            Ok(tuner.cast::<Tuner>()?.get().build()?)
        })
    }

    #[test]
    fn a_number_of_slots_is_fixed() {
        let tuner = tuner("workflow=2, activity=3, local_activity=4").unwrap();
        assert_eq!(tuner.workflow_task_slot_supplier().available_slots(), Some(2));
        assert_eq!(tuner.activity_task_slot_supplier().available_slots(), Some(3));
        assert_eq!(tuner.local_activity_slot_supplier().available_slots(), Some(4));
        assert_eq!(tuner.nexus_task_slot_supplier().available_slots(), Some(1));
    }

    #[test]
    fn three_numbers_are_resource_based_and_need_a_target() {
        let slots = "workflow=2, activity=(1, 5, 0.05), local_activity=4";
        let message = tuner(slots).err().unwrap().to_string();
        assert!(message.contains("resource_based_config"), "{message}");
        let tuner = tuner(&format!("{slots}, target_usage=(0.5, 0.5)")).unwrap();
        assert_eq!(tuner.activity_task_slot_supplier().slot_supplier_kind(), "ResourceBased");
    }

    #[test]
    fn two_callables_are_a_supplier_in_python() {
        let tuner = tuner("workflow=(print, print), activity=1, local_activity=1").unwrap();
        assert_eq!(tuner.workflow_task_slot_supplier().slot_supplier_kind(), "Custom");
    }
}
