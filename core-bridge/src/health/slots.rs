//! What a worker's slots tell of its polls: Core takes a slot before it polls and gives it back when nothing came.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use temporalio_sdk_core::{
    ActivitySlotKind, LocalActivitySlotKind, NexusSlotKind, SlotKind, SlotMarkUsedContext, SlotReleaseContext,
    SlotReservationContext, SlotSupplier, SlotSupplierPermit, TunerHolder, WorkerConfig, WorkerTuner, WorkflowSlotKind,
};

/// What Core takes where nothing else is said.
const DEFAULT_SLOTS: usize = 100;

type Supplier<K> = Arc<dyn SlotSupplier<SlotKind = K> + Send + Sync>;

/// The last time that something happened.
pub struct Moment {
    base: Instant,
    /// Milliseconds after `base`, and one more; 0 is never.
    at: AtomicU64,
}

impl Default for Moment {
    fn default() -> Self {
        Self { base: Instant::now(), at: AtomicU64::new(0) }
    }
}

impl Moment {
    pub fn mark(&self) {
        self.at.store(self.base.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// How long ago it was; `None` if it never was.
    pub fn ago(&self) -> Option<Duration> {
        let at = self.at.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.base.elapsed().saturating_sub(Duration::from_millis(at)))
    }
}

/// The slots of one kind of task.
pub struct Slots {
    held: AtomicUsize,
    used: AtomicUsize,
    pub poll_began: Moment,
    pub poll_returned: Moment,
    pub task_came: Moment,
    available: Box<dyn Fn() -> Option<usize> + Send + Sync>,
}

impl Slots {
    fn new<K: SlotKind + 'static>(supplier: &Supplier<K>) -> Arc<Self> {
        let supplier = supplier.clone();
        Arc::new(Self {
            held: AtomicUsize::new(0),
            used: AtomicUsize::new(0),
            poll_began: Moment::default(),
            poll_returned: Moment::default(),
            task_came: Moment::default(),
            available: Box::new(move || supplier.available_slots()),
        })
    }

    /// Slots with a task in them.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Slots that polls hold.
    pub fn polling(&self) -> usize {
        self.held.load(Ordering::Relaxed).saturating_sub(self.used())
    }

    /// Slots that tasks may still take, if the supplier knows: those of polls are among them.
    pub fn available(&self) -> Option<usize> {
        (self.available)().map(|free| free + self.polling())
    }

    fn reserved(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
        self.poll_began.mark();
    }

    fn taken(&self) {
        self.used.fetch_add(1, Ordering::Relaxed);
        self.poll_returned.mark();
        self.task_came.mark();
    }

    fn released(&self, had_task: bool) {
        if had_task {
            self.used.fetch_sub(1, Ordering::Relaxed);
        } else {
            self.poll_returned.mark();
        }
        self.held.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The slots of a worker, by kind.
pub struct WorkerSlots {
    pub workflow: Arc<Slots>,
    pub activity: Arc<Slots>,
    pub local_activity: Arc<Slots>,
    pub nexus: Arc<Slots>,
}

impl WorkerSlots {
    /// Puts itself between Core and the slot suppliers of the configuration.
    pub fn watch(config: &mut WorkerConfig) -> Self {
        let tuner = config.tuner.take().unwrap_or_else(|| {
            let slots = |limit: Option<usize>| limit.unwrap_or(DEFAULT_SLOTS);
            Arc::new(TunerHolder::fixed_size(
                slots(config.max_outstanding_workflow_tasks.take()),
                slots(config.max_outstanding_activities.take()),
                slots(config.max_outstanding_local_activities.take()),
                slots(config.max_outstanding_nexus_tasks.take()),
            ))
        });
        let watched = WatchedTuner {
            workflow: Watched::new(tuner.workflow_task_slot_supplier()),
            activity: Watched::new(tuner.activity_task_slot_supplier()),
            local_activity: Watched::new(tuner.local_activity_slot_supplier()),
            nexus: Watched::new(tuner.nexus_task_slot_supplier()),
        };
        let slots = Self {
            workflow: watched.workflow.slots.clone(),
            activity: watched.activity.slots.clone(),
            local_activity: watched.local_activity.slots.clone(),
            nexus: watched.nexus.slots.clone(),
        };
        config.tuner = Some(Arc::new(watched));
        slots
    }
}

struct WatchedTuner {
    workflow: Arc<Watched<WorkflowSlotKind>>,
    activity: Arc<Watched<ActivitySlotKind>>,
    local_activity: Arc<Watched<LocalActivitySlotKind>>,
    nexus: Arc<Watched<NexusSlotKind>>,
}

impl WorkerTuner for WatchedTuner {
    fn workflow_task_slot_supplier(&self) -> Supplier<WorkflowSlotKind> {
        self.workflow.clone()
    }

    fn activity_task_slot_supplier(&self) -> Supplier<ActivitySlotKind> {
        self.activity.clone()
    }

    fn local_activity_slot_supplier(&self) -> Supplier<LocalActivitySlotKind> {
        self.local_activity.clone()
    }

    fn nexus_task_slot_supplier(&self) -> Supplier<NexusSlotKind> {
        self.nexus.clone()
    }
}

struct Watched<K: SlotKind> {
    supplier: Supplier<K>,
    slots: Arc<Slots>,
}

impl<K: SlotKind + 'static> Watched<K> {
    fn new(supplier: Supplier<K>) -> Arc<Self> {
        let slots = Slots::new(&supplier);
        Arc::new(Self { supplier, slots })
    }
}

#[async_trait::async_trait]
impl<K: SlotKind + Send + Sync> SlotSupplier for Watched<K> {
    type SlotKind = K;

    async fn reserve_slot(&self, context: &dyn SlotReservationContext) -> SlotSupplierPermit {
        let permit = self.supplier.reserve_slot(context).await;
        self.slots.reserved();
        permit
    }

    fn try_reserve_slot(&self, context: &dyn SlotReservationContext) -> Option<SlotSupplierPermit> {
        let permit = self.supplier.try_reserve_slot(context)?;
        self.slots.reserved();
        Some(permit)
    }

    fn mark_slot_used(&self, context: &dyn SlotMarkUsedContext<SlotKind = K>) {
        self.supplier.mark_slot_used(context);
        self.slots.taken();
    }

    fn release_slot(&self, context: &dyn SlotReleaseContext<SlotKind = K>) {
        self.slots.released(context.info().is_some());
        self.supplier.release_slot(context);
    }

    fn available_slots(&self) -> Option<usize> {
        self.supplier.available_slots()
    }

    fn slot_supplier_kind(&self) -> String {
        self.supplier.slot_supplier_kind()
    }
}

#[cfg(test)]
mod tests {
    use temporalio_sdk_core::FixedSizeSlotSupplier;

    use super::*;

    #[test]
    fn polls_and_tasks_are_told_apart() {
        let supplier: Supplier<ActivitySlotKind> = Arc::new(FixedSizeSlotSupplier::new(3));
        let slots = Slots::new(&supplier);
        assert!(slots.poll_began.ago().is_none());
        slots.reserved();
        slots.reserved();
        assert_eq!((slots.polling(), slots.used()), (2, 0));
        assert!(slots.poll_began.ago().is_some() && slots.poll_returned.ago().is_none());
        slots.taken();
        assert_eq!((slots.polling(), slots.used()), (1, 1));
        assert!(slots.task_came.ago().is_some());
        slots.released(true);
        assert_eq!((slots.polling(), slots.used()), (1, 0));
        slots.released(false);
        assert_eq!((slots.polling(), slots.used()), (0, 0));
        assert_eq!(slots.available(), Some(3));
    }
}
