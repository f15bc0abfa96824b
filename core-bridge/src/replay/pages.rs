//! Where a history may be cut, so that Core replays its pages as it would replay the whole.
//!
//! Core holds the events it knows in one vector, and takes those of a workflow task from the front: given the whole
//! history, it moves all that follow for each task. So it gets a page at a time, as from a server.
//!
//! But Core also looks ahead. While it applies the events up to the start of a task, it looks at the events up to the
//! start of the next one: for the flags and the version of the worker that completed the task, for the markers of local
//! activities and patches, and for accepted updates. It does not ask for a page for that: at the start of the last task
//! it knows of, it goes on as if there were nothing. What follows that start on the same page it puts back, to take it
//! together with the next page. So the last task of a page must be one that Core finds nothing ahead of: see `is_safe`.

use std::ops::Range;

use prost::Message;
use temporalio_protos::temporal::api::enums::v1::EventType;
use temporalio_protos::temporal::api::history::v1::{
    HistoryEvent, WorkflowTaskCompletedEventAttributes, history_event::Attributes,
};

use super::events::Event;

/// A history in pages, with what a server would say of its last workflow task.
#[derive(Debug, PartialEq)]
pub struct Pages {
    /// The bytes of each.
    pub pages: Vec<Range<usize>>,
    pub previous_started_event_id: i64,
    pub started_event_id: i64,
}

impl Pages {
    /// Pages of that many events, or more where there is no place to cut. `None` for a single page.
    pub fn of(history: &[u8], events: &[Event], size: Option<usize>) -> Self {
        let completed = (0..events.len()).rfind(|&index| ends_in(events, index, EventType::WorkflowTaskCompleted));
        let previous_started_event_id = completed.map_or(0, |started| events[started].id);
        let started_event_id = match events.last() {
            Some(event) if event.is(EventType::WorkflowTaskStarted) => event.id,
            _ => previous_started_event_id,
        };
        let cuts = match (size, completed) {
            (Some(size), Some(last)) => cuts(history, events, last, size),
            _ => vec![],
        };
        // Core takes the events that come with a task and the first page that it asks for together.
        let with_task = (!cuts.is_empty()).then_some(0);
        // Core reads all pages up to this event before it replays the first one: see `may_be_cut`.
        let previous_started_event_id = with_task.map_or(previous_started_event_id, |first: usize| events[first].id);
        let ends: Vec<usize> = with_task.into_iter().chain(cuts).map(|index| events[index].field.end).collect();
        let begins = [0].into_iter().chain(ends.iter().copied());
        let pages = begins.zip(ends.iter().copied().chain([history.len()])).map(|(begin, end)| begin..end).collect();
        Self { pages, previous_started_event_id, started_event_id }
    }
}

/// The last events of pages with at least `size` events; `last` is where the last task starts that was completed.
fn cuts(history: &[u8], events: &[Event], last: usize, size: usize) -> Vec<usize> {
    if events.len() <= size || !may_be_cut(events, last) {
        return vec![];
    }
    let starts: Vec<usize> =
        (0..events.len()).filter(|&index| events[index].is(EventType::WorkflowTaskStarted)).collect();
    let mut cuts = vec![];
    let mut begin = 0;
    for around in starts.windows(3) {
        let [previous, started, next] = *around else { continue };
        let commands = started + 2..commands_end(events, started + 2);
        if commands.end - begin >= size && is_safe(history, events, previous, started, next) {
            begin = commands.end;
            cuts.push(commands.end - 1);
        }
    }
    cuts
}

fn commands_end(events: &[Event], first: usize) -> usize {
    (first..events.len()).find(|&index| !is_command(&events[index])).unwrap_or(events.len())
}

/// Whether Core says of the end of a history in pages that it is replayed where it says so of the whole. It goes by the
/// last task that was completed, but cannot be told it without being given everything up to there at once. This makes no
/// difference if Core applies the events up to the start of that task by themselves, because the rest is new either way.
/// It does not if that task is but a continuation, or may be continued.
fn may_be_cut(events: &[Event], last: usize) -> bool {
    let begin = (0..last).rfind(|&index| events[index].is(EventType::WorkflowTaskStarted)).map_or(0, |start| start + 1);
    let behind = events.get(last + 2);
    behind.is_some_and(|event| !event.is(EventType::WorkflowTaskScheduled))
        || events[begin..last].iter().any(is_command)
}

/// Whether a page may end with the commands of the task that starts at `started`, between two other starts:
///
/// - There are commands of the task before, by which Core knows the start for the end of what it applies together
///   without looking behind it.
/// - The task was completed with commands, so that its events woke the code up: without anything for the code to do,
///   Core goes on to the next task, but asks for a page only when the code has answered.
/// - The task after it was completed, and neither markers nor accepted updates lie between: nothing to look ahead for.
/// - The worker that completed the task was the one before, and told of no new flags.
fn is_safe(history: &[u8], events: &[Event], previous: usize, started: usize, next: usize) -> bool {
    let looked_for =
        |event: &Event| event.is(EventType::MarkerRecorded) || event.is(EventType::WorkflowExecutionUpdateAccepted);
    events[previous..started].iter().any(is_command)
        && ends_in(events, started, EventType::WorkflowTaskCompleted)
        && events.get(started + 2).is_some_and(is_command)
        && ends_in(events, next, EventType::WorkflowTaskCompleted)
        && !events[started..next].iter().any(looked_for)
        && tells_nothing_new(history, events, started)
}

fn ends_in(events: &[Event], started: usize, kind: EventType) -> bool {
    events[started].is(EventType::WorkflowTaskStarted) && events.get(started + 1).is_some_and(|event| event.is(kind))
}

fn tells_nothing_new(history: &[u8], events: &[Event], started: usize) -> bool {
    let before = (0..started).rfind(|&index| events[index].is(EventType::WorkflowTaskCompleted));
    let before = before.and_then(|index| completed(history, &events[index]));
    let (Some(before), Some(now)) = (before, completed(history, &events[started + 1])) else {
        return false;
    };
    let flags = now.sdk_metadata.clone().unwrap_or_default();
    flags == Default::default() && version(now) == version(before)
}

fn completed(history: &[u8], event: &Event) -> Option<WorkflowTaskCompletedEventAttributes> {
    match HistoryEvent::decode(&history[event.message()]).ok()?.attributes? {
        Attributes::WorkflowTaskCompletedEventAttributes(completed) => Some(completed),
        _ => None,
    }
}

/// All that tells the version of a worker.
#[allow(deprecated)]
fn version(completed: WorkflowTaskCompletedEventAttributes) -> impl PartialEq {
    (
        completed.worker_version.map(|version| version.build_id),
        completed.worker_deployment_name,
        completed.worker_deployment_version,
        completed.deployment_version,
    )
}

/// As Core has it.
fn is_command(event: &Event) -> bool {
    use EventType::*;
    matches!(
        EventType::try_from(event.kind),
        Ok(ActivityTaskScheduled
            | ActivityTaskCancelRequested
            | MarkerRecorded
            | RequestCancelExternalWorkflowExecutionInitiated
            | SignalExternalWorkflowExecutionInitiated
            | StartChildWorkflowExecutionInitiated
            | TimerCanceled
            | TimerStarted
            | UpsertWorkflowSearchAttributes
            | WorkflowPropertiesModified
            | NexusOperationScheduled
            | NexusOperationCancelRequested
            | WorkflowExecutionCanceled
            | WorkflowExecutionCompleted
            | WorkflowExecutionContinuedAsNew
            | WorkflowExecutionFailed
            | WorkflowExecutionUpdateAccepted
            | WorkflowExecutionUpdateRejected
            | WorkflowExecutionUpdateCompleted)
    )
}

#[cfg(test)]
mod tests {
    use temporalio_protos::temporal::api::history::v1::History;
    use temporalio_protos::temporal::api::sdk::v1::WorkflowTaskCompletedMetadata;

    use super::super::events::scan;
    use super::EventType::*;
    use super::*;

    const TASK: [EventType; 3] = [WorkflowTaskScheduled, WorkflowTaskStarted, WorkflowTaskCompleted];
    const TIMER: [EventType; 2] = [TimerStarted, TimerFired];

    fn history(kinds: &[&[EventType]]) -> History {
        let event = |(kind, event_id): (EventType, i64)| HistoryEvent {
            event_id,
            event_type: kind.into(),
            attributes: (kind == WorkflowTaskCompleted)
                .then(|| Attributes::WorkflowTaskCompletedEventAttributes(Default::default())),
            ..Default::default()
        };
        History { events: kinds.concat().into_iter().zip(1..).map(event).collect() }
    }

    /// A run with as many timers, one after the other.
    fn timers(count: usize) -> History {
        let mut kinds: Vec<&[EventType]> = vec![&[WorkflowExecutionStarted]];
        for _ in 0..count {
            kinds.extend([&TASK[..], &TIMER]);
        }
        kinds.extend([&TASK[..], &[WorkflowExecutionCompleted]]);
        history(&kinds)
    }

    fn pages(history: &History, size: Option<usize>) -> Pages {
        let bytes = history.encode_to_vec();
        Pages::of(&bytes, &scan(&bytes).unwrap(), size)
    }

    /// The id of the last event of each page.
    fn ends(history: &History, size: usize) -> Vec<i64> {
        let bytes = history.encode_to_vec();
        let pages = pages(history, Some(size)).pages;
        assert!(pages.windows(2).all(|both| both[0].end == both[1].start));
        pages.into_iter().map(|page| History::decode(&bytes[page]).unwrap().events.last().unwrap().event_id).collect()
    }

    #[test]
    fn a_page_ends_with_the_commands_of_a_task() {
        // Of the first and the last task, Core looks ahead.
        assert_eq!(ends(&timers(4), 1), [1, 10, 15, 20, 25]);
        assert_eq!(ends(&timers(4), 10), [1, 10, 20, 25]);
        assert_eq!(ends(&timers(4), 25), [25]);
    }

    #[test]
    fn a_single_page_says_which_task_was_the_last() {
        let whole = pages(&timers(3), None);
        assert_eq!((whole.previous_started_event_id, whole.started_event_id), (18, 18));
    }

    #[test]
    fn pages_do_not_say_which_task_was_the_last_but_that_they_are_a_replay() {
        let paged = pages(&timers(3), Some(1));
        assert_eq!((paged.previous_started_event_id, paged.started_event_id), (1, 18));
    }

    /// The ends of pages after the history of three timers is changed.
    fn ends_with(change: impl FnOnce(&mut Vec<EventType>)) -> Vec<i64> {
        let mut kinds = timers(3).events.iter().map(HistoryEvent::event_type).collect();
        change(&mut kinds);
        ends(&history(&[&kinds]), 1)
    }

    #[test]
    fn no_page_ends_where_core_looks_ahead() {
        assert_eq!(ends_with(|_| ()), [1, 10, 15, 20]);
        for kind in [MarkerRecorded, WorkflowExecutionUpdateAccepted] {
            assert_eq!(ends_with(|kinds| kinds[9] = kind), [1, 15, 20]);
            assert_eq!(ends_with(|kinds| kinds.insert(10, kind)), [1, 16, 21]);
        }
    }

    #[test]
    fn no_page_ends_with_a_task_that_core_may_not_know_for_the_end() {
        let quiet = |kinds: &mut Vec<EventType>| kinds[4] = WorkflowExecutionSignaled;
        assert_eq!(ends_with(quiet), [1, 15, 20]);
        for kind in [WorkflowTaskFailed, WorkflowTaskTimedOut] {
            assert_eq!(ends_with(|kinds| kinds[8] = kind), [1, 15, 20]);
            assert_eq!(ends_with(|kinds| kinds[13] = kind), [20]);
        }
    }

    #[test]
    fn no_page_ends_with_a_task_that_may_have_woken_nobody() {
        assert_eq!(ends_with(|kinds| kinds[9] = WorkflowExecutionSignaled), [20]);
    }

    #[test]
    fn no_page_ends_with_a_task_of_another_worker() {
        let changed = |change: fn(&mut WorkflowTaskCompletedEventAttributes)| {
            let mut history = timers(4);
            let Some(Attributes::WorkflowTaskCompletedEventAttributes(completed)) = &mut history.events[13].attributes
            else {
                unreachable!()
            };
            change(completed);
            ends(&history, 1)
        };
        let flags = WorkflowTaskCompletedMetadata { core_used_flags: vec![1], ..Default::default() };
        assert_eq!(changed(|completed| completed.sdk_metadata = Some(Default::default())), [1, 10, 15, 20, 25]);
        assert_eq!(changed(|completed| completed.worker_deployment_name = "new".to_owned()), [1, 10, 25]);
        let mut with_flags = timers(4);
        if let Some(Attributes::WorkflowTaskCompletedEventAttributes(completed)) = &mut with_flags.events[13].attributes
        {
            completed.sdk_metadata = Some(flags);
        }
        assert_eq!(ends(&with_flags, 1), [1, 10, 20, 25]);
    }

    #[test]
    fn a_run_whose_last_task_may_be_continued_has_a_single_page() {
        let mut kinds: Vec<&[EventType]> = vec![&[WorkflowExecutionStarted]];
        for _ in 0..3 {
            kinds.extend([&TASK[..], &TIMER]);
        }
        let signal: &[EventType] = &[WorkflowExecutionSignaled];
        assert_eq!(ends(&history(&[&kinds[..], &[&TASK]].concat()), 1).len(), 4);
        assert_eq!(ends(&history(&[&kinds[..], &[&TASK, signal, &TASK]].concat()), 1).len(), 1);
        assert_eq!(ends(&history(&[&kinds[..], &[&TASK, &TASK]].concat()), 1).len(), 1);
    }
}
