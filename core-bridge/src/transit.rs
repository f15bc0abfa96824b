//! Activations and completions on their way through Python's payload codec: their payloads, taken out and put back.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use prost::Message;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use temporalio_common::data_converters::PayloadConversionError;
use temporalio_common::payload_visitor::{
    AsyncPayloadVisitor, PayloadField as Field, PayloadFieldData, PayloadVisitable,
};
use temporalio_protos::coresdk::workflow_activation::{WorkflowActivation, workflow_activation_job::Variant as Job};
use temporalio_protos::coresdk::workflow_commands::{WorkflowCommand, workflow_command::Variant as Command};
use temporalio_protos::coresdk::workflow_completion::{
    WorkflowActivationCompletion, workflow_activation_completion::Status,
};
use temporalio_protos::temporal::api::common::v1 as common;
use temporalio_protos::temporal::api::failure::v1::failure::FailureInfo;
use temporalio_protos::temporal::api::workflowservice::v1::SignalWithStartWorkflowExecutionRequest as SignalWithStart;

use crate::convert::seconds;
use crate::payload::Payloads;
use crate::queue::Sink;
use crate::sync::lock;

/// The server's own Nexus endpoint: its operations take requests whose payloads are the caller's.
const SYSTEM_ENDPOINT: &str = "__temporal_system";
const SIGNAL_WITH_START: &str = "SignalWithStartWorkflowExecution";

/// Where messages with payloads go before they go to their receiver.
pub struct Detour {
    pub sink: Sink,
    /// Whether headers are encoded and decoded too.
    pub headers: bool,
}

/// Payloads that are encoded or decoded together.
///
/// `message` is the job or command that they belong to, by the name of its class, and `seq` its sequence number, 0 if it
/// has none. What user interfaces show of a command belongs to `UserMetadata` or `EventGroupMarker`.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct PayloadField {
    message: &'static str,
    seq: u32,
    path: &'static str,
    payloads: Payloads,
}

/// An activation on its way to the workflow thread, with payloads as they came from the server.
#[pyclass(frozen, module = "invincible._native")]
pub struct EncodedActivation {
    #[pyo3(get)]
    run_id: String,
    /// Id, type and task timeout (seconds) of the workflow, if its run starts here.
    #[pyo3(get)]
    workflow: Option<(String, String, f64)>,
    /// The ids of its queries, if there is nothing else in it.
    #[pyo3(get)]
    query_ids: Vec<String>,
    transit: Mutex<Option<Transit<WorkflowActivation>>>,
}

/// A completion on its way to Core, with payloads as workflow code made them.
#[pyclass(frozen, module = "invincible._native")]
pub struct PlainCompletion {
    #[pyo3(get)]
    run_id: String,
    /// Whether it fails the workflow task.
    #[pyo3(get)]
    fails: bool,
    /// The ids of the queries that it answers, if it does nothing else.
    #[pyo3(get)]
    query_ids: Vec<String>,
    transit: Mutex<Option<Transit<WorkflowActivationCompletion>>>,
}

impl EncodedActivation {
    /// The activation itself if there is nothing to decode in it.
    pub fn new(activation: WorkflowActivation, headers: bool) -> Result<Self, Box<WorkflowActivation>> {
        let transit = Transit::new(activation, headers)?;
        let workflow = transit.message.jobs.iter().find_map(|job| match &job.variant {
            Some(Job::InitializeWorkflow(job)) => Some((
                job.workflow_id.clone(),
                job.workflow_type.clone(),
                job.workflow_task_timeout.as_ref().map(seconds).unwrap_or_default(),
            )),
            _ => None,
        });
        let queries = transit.message.jobs.iter().map(|job| match &job.variant {
            Some(Job::QueryWorkflow(query)) => Some(query.query_id.clone()),
            _ => None,
        });
        let query_ids = queries.collect::<Option<_>>().unwrap_or_default();
        Ok(Self { run_id: transit.message.run_id.clone(), workflow, query_ids, transit: Mutex::new(Some(transit)) })
    }

    pub fn with_payloads(&self, payloads: Vec<Payloads>) -> PyResult<WorkflowActivation> {
        close(&self.transit, payloads)
    }
}

#[pymethods]
impl EncodedActivation {
    /// The fields with payloads, once.
    fn take_fields(&self) -> PyResult<Vec<PayloadField>> {
        lock(&self.transit).as_mut().map(Transit::fields).ok_or_else(gone)
    }
}

impl PlainCompletion {
    /// The completion itself if there is nothing to encode in it.
    pub fn new(
        completion: WorkflowActivationCompletion,
        headers: bool,
    ) -> Result<Self, Box<WorkflowActivationCompletion>> {
        let transit = Transit::new(completion, headers)?;
        let (fails, query_ids) = match &transit.message.status {
            Some(Status::Successful(success)) => {
                let answers = success.commands.iter().map(|command| match &command.variant {
                    Some(Command::RespondToQuery(answer)) => Some(answer.query_id.clone()),
                    _ => None,
                });
                (false, answers.collect::<Option<_>>().unwrap_or_default())
            }
            _ => (true, Vec::new()),
        };
        Ok(Self { run_id: transit.message.run_id.clone(), fails, query_ids, transit: Mutex::new(Some(transit)) })
    }

    pub fn with_payloads(&self, payloads: Vec<Payloads>) -> PyResult<WorkflowActivationCompletion> {
        close(&self.transit, payloads)
    }

    /// The completion of a failed task with nothing but its message, type and stack trace.
    pub fn without_payloads(&self) -> PyResult<WorkflowActivationCompletion> {
        let mut completion = lock(&self.transit).take().ok_or_else(gone)?.message;
        if let Some(Status::Failed(failed)) = &mut completion.status {
            let mut failure = failed.failure.as_mut();
            while let Some(each) = failure {
                each.encoded_attributes = None;
                if let Some(FailureInfo::ApplicationFailureInfo(info)) = &mut each.failure_info {
                    info.details = None;
                } else {
                    each.failure_info = None;
                }
                failure = each.cause.as_deref_mut();
            }
        }
        Ok(completion)
    }
}

#[pymethods]
impl PlainCompletion {
    /// The fields with payloads, once.
    fn take_fields(&self) -> PyResult<Vec<PayloadField>> {
        lock(&self.transit).as_mut().map(Transit::fields).ok_or_else(gone)
    }
}

fn close<M: Traverse>(transit: &Mutex<Option<Transit<M>>>, payloads: Vec<Payloads>) -> PyResult<M> {
    let mut transit = lock(transit);
    // It stays where it is if these payloads cannot be put back.
    transit.as_ref().ok_or_else(gone)?.check(&payloads)?;
    Ok(transit.take().ok_or_else(gone)?.close(payloads))
}

fn gone() -> PyErr {
    PyRuntimeError::new_err("this message has gone on its way already")
}

/// A message, and what was taken out of it in the order in which it is traversed.
struct Transit<M> {
    message: M,
    headers: bool,
    fields: Vec<TakenField>,
    /// Messages that were inside of payloads.
    nested: Vec<SignalWithStart>,
}

struct TakenField {
    message: &'static str,
    seq: u32,
    path: &'static str,
    single: bool,
    payloads: Vec<common::Payload>,
}

impl<M: Traverse> Transit<M> {
    fn new(mut message: M, headers: bool) -> Result<Self, Box<M>> {
        let (mut fields, mut nested) = (Vec::new(), Vec::new());
        let mut see = |owner: Owner, path, data: PayloadFieldData<'_>| {
            let (single, payloads) = match data {
                PayloadFieldData::Single(payload) => (true, vec![std::mem::take(payload)]),
                PayloadFieldData::Repeated(payloads) => (false, take_list(payloads)),
                PayloadFieldData::Payloads(payloads) => (false, take_list(&mut payloads.payloads)),
            };
            fields.push(TakenField { message: owner.message, seq: owner.seq, path, single, payloads });
        };
        let mut traversal = Traversal { headers, owner: Owner::default(), see: &mut see };
        message.traverse(&mut traversal, &mut Nested::Opening(&mut nested));
        if fields.is_empty() { Err(Box::new(message)) } else { Ok(Self { message, headers, fields, nested }) }
    }

    fn fields(&mut self) -> Vec<PayloadField> {
        let fields = self.fields.iter_mut();
        fields
            .map(|field| PayloadField {
                message: field.message,
                seq: field.seq,
                path: field.path,
                payloads: Payloads(std::mem::take(&mut field.payloads)),
            })
            .collect()
    }

    fn check(&self, payloads: &[Payloads]) -> PyResult<()> {
        if payloads.len() != self.fields.len() {
            let (expected, given) = (self.fields.len(), payloads.len());
            return Err(PyValueError::new_err(format!("expected the payloads of {expected} fields, got {given}")));
        }
        for (field, payloads) in self.fields.iter().zip(payloads) {
            if field.single && payloads.0.len() != 1 {
                let (path, given) = (field.path, payloads.0.len());
                let message = format!("the payload codec made {given} payloads of one, in {path}");
                return Err(PyValueError::new_err(message));
            }
        }
        Ok(())
    }

    /// The message with these payloads, field by field.
    fn close(mut self, payloads: Vec<Payloads>) -> M {
        let mut payloads = payloads.into_iter();
        let mut see = |_: Owner, _: &str, data: PayloadFieldData<'_>| {
            let given = payloads.next().unwrap_or_default().0;
            match data {
                PayloadFieldData::Single(payload) => *payload = given.into_iter().next().unwrap_or_default(),
                PayloadFieldData::Repeated(payloads) => *payloads = given,
                PayloadFieldData::Payloads(payloads) => payloads.payloads = given,
            }
        };
        let mut traversal = Traversal { headers: self.headers, owner: Owner::default(), see: &mut see };
        self.message.traverse(&mut traversal, &mut Nested::Closing(self.nested.into_iter()));
        self.message
    }
}

/// Leaves a payload behind, as an empty list would not be seen again.
fn take_list(payloads: &mut Vec<common::Payload>) -> Vec<common::Payload> {
    std::mem::replace(payloads, vec![common::Payload::default()])
}

/// The job or command that payloads belong to.
#[derive(Clone, Copy, Default)]
struct Owner {
    message: &'static str,
    seq: u32,
}

/// Sees the fields of a message that the codec is for; the same ones in the same order every time.
struct Traversal<'a> {
    headers: bool,
    owner: Owner,
    see: &'a mut (dyn FnMut(Owner, &'static str, PayloadFieldData<'_>) + Send),
}

impl AsyncPayloadVisitor for Traversal<'_> {
    fn visit<'a>(
        &'a mut self,
        field: Field<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<(), PayloadConversionError>> + Send + 'a>> {
        if !self.is_exempt(&field) {
            let mut owner = self.owner;
            // Those of a Nexus operation belong to the operation.
            if field.path.starts_with("temporal.api.sdk.v1.") && owner.message != "ScheduleNexusOperation" {
                let metadata = field.path.starts_with("temporal.api.sdk.v1.UserMetadata");
                owner = Owner { message: if metadata { "UserMetadata" } else { "EventGroupMarker" }, seq: 0 };
            }
            (self.see)(owner, field.path, field.data);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Traversal<'_> {
    fn is_exempt(&self, field: &Field<'_>) -> bool {
        let name = field.path.rsplit('.').next().unwrap_or_default();
        match &field.data {
            // The server reads them.
            _ if field.path == "temporal.api.common.v1.SearchAttributes.indexed_fields" => true,
            _ if name == "headers" || field.path == "temporal.api.common.v1.Header.fields" => !self.headers,
            // What removes an entry of the memo stays empty: otherwise it would be the entry's new value.
            PayloadFieldData::Single(payload) if self.owner.message == "ModifyWorkflowProperties" => {
                payload.data.is_empty() && payload.metadata.get("encoding").is_some_and(|it| it == b"binary/null")
            }
            PayloadFieldData::Single(_) => false,
            PayloadFieldData::Repeated(payloads) => payloads.is_empty(),
            PayloadFieldData::Payloads(payloads) => payloads.payloads.is_empty(),
        }
    }

    fn visit_all(&mut self, owner: Owner, part: &mut impl PayloadVisitable) {
        self.owner = owner;
        let outcome = part.visit_payloads_mut(self).as_mut().poll(&mut Context::from_waker(Waker::noop()));
        debug_assert!(matches!(outcome, Poll::Ready(Ok(()))), "a visitor that neither waits nor fails");
    }
}

/// Messages inside of payloads: read when the payloads of a message are taken, written when they are put back.
enum Nested<'a> {
    Opening(&'a mut Vec<SignalWithStart>),
    Closing(std::vec::IntoIter<SignalWithStart>),
}

impl Nested<'_> {
    fn visit(&mut self, owner: Owner, payload: &mut common::Payload, traversal: &mut Traversal<'_>) {
        match self {
            Self::Opening(requests) => {
                if let Ok(mut request) = SignalWithStart::decode(payload.data.as_slice()) {
                    traversal.visit_all(owner, &mut request);
                    requests.push(request);
                }
            }
            Self::Closing(requests) => {
                if let Some(mut request) = requests.next() {
                    traversal.visit_all(owner, &mut request);
                    payload.data = request.encode_to_vec();
                }
            }
        }
    }
}

trait Traverse {
    fn traverse(&mut self, traversal: &mut Traversal<'_>, nested: &mut Nested<'_>);
}

impl Traverse for WorkflowActivation {
    fn traverse(&mut self, traversal: &mut Traversal<'_>, _nested: &mut Nested<'_>) {
        for job in &mut self.jobs {
            if let Some(owner) = job.variant.as_ref().and_then(job_owner) {
                traversal.visit_all(owner, job);
            }
        }
    }
}

impl Traverse for WorkflowActivationCompletion {
    fn traverse(&mut self, traversal: &mut Traversal<'_>, nested: &mut Nested<'_>) {
        match &mut self.status {
            Some(Status::Successful(success)) => {
                for command in &mut success.commands {
                    visit_command(command, traversal, nested);
                }
            }
            Some(Status::Failed(failure)) => traversal.visit_all(Owner::default(), failure),
            None => {}
        }
    }
}

fn visit_command(command: &mut WorkflowCommand, traversal: &mut Traversal<'_>, nested: &mut Nested<'_>) {
    let Some(owner) = command.variant.as_ref().map(command_owner) else { return };
    match &mut command.variant {
        Some(Command::ScheduleNexusOperation(operation)) if operation.endpoint == SYSTEM_ENDPOINT => {
            if let Some(input) = operation.input.as_mut().filter(|_| operation.operation == SIGNAL_WITH_START) {
                nested.visit(owner, input, traversal);
            }
            if let Some(metadata) = &mut command.user_metadata {
                traversal.visit_all(owner, metadata);
            }
            for marker in &mut command.event_group_markers {
                traversal.visit_all(owner, marker);
            }
        }
        _ => traversal.visit_all(owner, command),
    }
}

/// The owner of a job's payloads; `None` for jobs that never have some.
fn job_owner(job: &Job) -> Option<Owner> {
    let (message, seq) = match job {
        Job::InitializeWorkflow(_) => ("InitializeWorkflow", 0),
        Job::SignalWorkflow(_) => ("SignalWorkflow", 0),
        Job::DoUpdate(_) => ("DoUpdate", 0),
        Job::QueryWorkflow(_) => ("QueryWorkflow", 0),
        Job::ResolveActivity(job) => ("ResolveActivity", job.seq),
        Job::ResolveChildWorkflowExecutionStart(job) => ("ResolveChildWorkflowExecutionStart", job.seq),
        Job::ResolveChildWorkflowExecution(job) => ("ResolveChildWorkflowExecution", job.seq),
        Job::ResolveSignalExternalWorkflow(job) => ("ResolveSignalExternalWorkflow", job.seq),
        Job::ResolveRequestCancelExternalWorkflow(job) => ("ResolveRequestCancelExternalWorkflow", job.seq),
        Job::ResolveNexusOperationStart(job) => ("ResolveNexusOperationStart", job.seq),
        Job::ResolveNexusOperation(job) => ("ResolveNexusOperation", job.seq),
        Job::FireTimer(_)
        | Job::UpdateRandomSeed(_)
        | Job::CancelWorkflow(_)
        | Job::NotifyHasPatch(_)
        | Job::RemoveFromCache(_) => return None,
    };
    Some(Owner { message, seq })
}

/// The owner of a command's payloads.
fn command_owner(command: &Command) -> Owner {
    let (message, seq) = match command {
        Command::StartTimer(it) => ("StartTimer", it.seq),
        Command::ScheduleActivity(it) => ("ScheduleActivity", it.seq),
        Command::ScheduleLocalActivity(it) => ("ScheduleLocalActivity", it.seq),
        Command::StartChildWorkflowExecution(it) => ("StartChildWorkflowExecution", it.seq),
        Command::SignalExternalWorkflowExecution(it) => ("SignalExternalWorkflowExecution", it.seq),
        Command::ScheduleNexusOperation(it) => ("ScheduleNexusOperation", it.seq),
        Command::RespondToQuery(_) => ("QueryResult", 0),
        Command::UpdateResponse(_) => ("UpdateResponse", 0),
        Command::CompleteWorkflowExecution(_) => ("CompleteWorkflowExecution", 0),
        Command::FailWorkflowExecution(_) => ("FailWorkflowExecution", 0),
        Command::CancelWorkflowExecution(_) => ("CancelWorkflowExecution", 0),
        Command::ContinueAsNewWorkflowExecution(_) => ("ContinueAsNewWorkflowExecution", 0),
        Command::ModifyWorkflowProperties(_) => ("ModifyWorkflowProperties", 0),
        // Others have nothing but metadata, if that.
        _ => ("", 0),
    };
    Owner { message, seq }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use temporalio_protos::coresdk::activity_result;
    use temporalio_protos::coresdk::workflow_activation::{InitializeWorkflow, ResolveActivity, WorkflowActivationJob};
    use temporalio_protos::coresdk::workflow_commands::{
        ModifyWorkflowProperties, ScheduleActivity, ScheduleNexusOperation, UpsertWorkflowSearchAttributes,
    };
    use temporalio_protos::coresdk::workflow_completion::{Failure as FailedTask, Success};
    use temporalio_protos::temporal::api::failure::v1::{ApplicationFailureInfo, Failure};
    use temporalio_protos::temporal::api::sdk::v1::UserMetadata;

    use super::*;

    fn payload(data: &str) -> common::Payload {
        common::Payload { data: data.as_bytes().to_vec(), ..Default::default() }
    }

    fn null() -> common::Payload {
        let metadata = HashMap::from([("encoding".to_owned(), b"binary/null".to_vec())]);
        common::Payload { metadata, ..Default::default() }
    }

    fn map(entries: &[(&str, common::Payload)]) -> HashMap<String, common::Payload> {
        entries.iter().map(|(key, payload)| ((*key).to_owned(), payload.clone())).collect()
    }

    fn completion(variants: Vec<Command>) -> WorkflowActivationCompletion {
        let commands = variants.into_iter().map(|it| WorkflowCommand { variant: Some(it), ..Default::default() });
        let success = Success { commands: commands.collect(), ..Default::default() };
        WorkflowActivationCompletion { status: Some(Status::Successful(success)), ..Default::default() }
    }

    fn commands(completion: &WorkflowActivationCompletion) -> &[WorkflowCommand] {
        match &completion.status {
            Some(Status::Successful(success)) => &success.commands,
            _ => panic!("not successful"),
        }
    }

    /// What each field holds, and the message with an exclamation mark after each payload.
    fn marked<M: Traverse>(message: M, headers: bool) -> (Vec<(&'static str, u32, String)>, M) {
        let Ok(mut transit) = Transit::new(message, headers) else { panic!("nothing taken") };
        let text = |payload: &common::Payload| String::from_utf8(payload.data.clone()).unwrap();
        let (mut seen, mut payloads) = (Vec::new(), Vec::new());
        for field in transit.fields() {
            let texts: Vec<_> = field.payloads.0.iter().map(text).collect();
            payloads.push(Payloads(texts.iter().map(|text| payload(&format!("{text}!"))).collect()));
            seen.push((field.message, field.seq, texts.join(" ")));
        }
        seen.sort();
        transit.check(&payloads).unwrap();
        (seen, transit.close(payloads))
    }

    #[test]
    fn payloads_come_back_to_where_they_were() {
        let success = activity_result::Success { result: Some(payload("r")) };
        let status = activity_result::activity_resolution::Status::Completed(success);
        let result = activity_result::ActivityResolution { status: Some(status) };
        let initialize = InitializeWorkflow {
            arguments: vec![payload("a"), payload("b")],
            headers: map(&[("trace", payload("h"))]),
            memo: Some(common::Memo { fields: map(&[("one", payload("1")), ("two", payload("2"))]) }),
            search_attributes: Some(common::SearchAttributes { indexed_fields: map(&[("Key", payload("s"))]) }),
            ..Default::default()
        };
        let jobs = [
            Job::InitializeWorkflow(initialize),
            Job::ResolveActivity(ResolveActivity { seq: 7, result: Some(result), is_local: false }),
        ];
        let jobs = jobs.map(|job| WorkflowActivationJob { variant: Some(job) }).into();
        let (seen, activation) = marked(WorkflowActivation { jobs, ..Default::default() }, false);
        let initialize = |data: &str| ("InitializeWorkflow", 0, data.to_owned());
        let expected = [initialize("1"), initialize("2"), initialize("a b"), ("ResolveActivity", 7, "r".to_owned())];
        assert_eq!(seen, expected);
        let Some(Job::InitializeWorkflow(started)) = &activation.jobs[0].variant else { panic!("another job") };
        assert_eq!(started.arguments, [payload("a!"), payload("b!")]);
        assert_eq!(started.memo.as_ref().unwrap().fields, map(&[("one", payload("1!")), ("two", payload("2!"))]));
        assert_eq!(started.headers, map(&[("trace", payload("h"))]));
        assert_eq!(started.search_attributes.as_ref().unwrap().indexed_fields, map(&[("Key", payload("s"))]));
    }

    #[test]
    fn headers_are_seen_where_asked_for_and_metadata_has_an_owner_of_its_own() {
        let headers = map(&[("trace", payload("h"))]);
        let activity = ScheduleActivity { seq: 3, arguments: vec![payload("a")], headers, ..Default::default() };
        let mut message = completion(vec![Command::ScheduleActivity(activity)]);
        if let Some(Status::Successful(success)) = &mut message.status {
            let summary = Some(payload("s"));
            success.commands[0].user_metadata = Some(UserMetadata { summary, details: None });
        }
        let (seen, completion) = marked(message, true);
        let expected = [("ScheduleActivity", 3, "a"), ("ScheduleActivity", 3, "h"), ("UserMetadata", 0, "s")];
        assert_eq!(seen, expected.map(|(message, seq, data)| (message, seq, data.to_owned())));
        let Some(Command::ScheduleActivity(activity)) = &commands(&completion)[0].variant else { panic!("another") };
        assert_eq!(activity.headers, map(&[("trace", payload("h!"))]));
    }

    #[test]
    fn what_the_server_reads_is_left_alone() {
        let attributes = common::SearchAttributes { indexed_fields: map(&[("Key", payload("s"))]) };
        let upsert = UpsertWorkflowSearchAttributes { search_attributes: Some(attributes) };
        assert!(Transit::new(completion(vec![Command::UpsertWorkflowSearchAttributes(upsert)]), true).is_err());
        let memo = common::Memo { fields: map(&[("gone", null()), ("kept", payload("k"))]) };
        let modify = Command::ModifyWorkflowProperties(ModifyWorkflowProperties { upserted_memo: Some(memo) });
        let (seen, completion) = marked(completion(vec![modify]), false);
        assert_eq!(seen, [("ModifyWorkflowProperties", 0, "k".to_owned())]);
        let Some(Command::ModifyWorkflowProperties(modify)) = &commands(&completion)[0].variant else {
            panic!("other")
        };
        let memo = &modify.upserted_memo.as_ref().unwrap().fields;
        assert_eq!(memo, &map(&[("gone", null()), ("kept", payload("k!"))]));
    }

    #[test]
    fn a_request_to_the_server_itself_is_opened() {
        let request = SignalWithStart {
            input: Some(common::Payloads { payloads: vec![payload("a")] }),
            memo: Some(common::Memo { fields: map(&[("one", payload("1")), ("two", payload("2"))]) }),
            ..Default::default()
        };
        let operation = ScheduleNexusOperation {
            seq: 4,
            endpoint: SYSTEM_ENDPOINT.to_owned(),
            operation: SIGNAL_WITH_START.to_owned(),
            input: Some(common::Payload { data: request.encode_to_vec(), ..Default::default() }),
            ..Default::default()
        };
        let (seen, completion) = marked(completion(vec![Command::ScheduleNexusOperation(operation)]), false);
        assert_eq!(seen, ["1", "2", "a"].map(|data| ("ScheduleNexusOperation", 4, data.to_owned())));
        let Some(Command::ScheduleNexusOperation(operation)) = &commands(&completion)[0].variant else {
            panic!("another")
        };
        let request = SignalWithStart::decode(operation.input.as_ref().unwrap().data.as_slice()).unwrap();
        assert_eq!(request.input.unwrap().payloads, [payload("a!")]);
        assert_eq!(request.memo.unwrap().fields, map(&[("one", payload("1!")), ("two", payload("2!"))]));
    }

    #[test]
    fn one_payload_stays_one() {
        let activity = ScheduleActivity { arguments: vec![payload("a"), payload("b")], ..Default::default() };
        let transit = Transit::new(completion(vec![Command::ScheduleActivity(activity)]), false);
        let Ok(transit) = transit else { panic!("nothing taken") };
        // Arguments may become fewer.
        transit.check(&[Payloads(vec![payload("ab")])]).unwrap();
        assert!(transit.check(&[]).is_err());
        let complete =
            temporalio_protos::coresdk::workflow_commands::CompleteWorkflowExecution { result: Some(payload("r")) };
        let transit = Transit::new(completion(vec![Command::CompleteWorkflowExecution(complete)]), false);
        let Ok(transit) = transit else { panic!("nothing taken") };
        let error = transit.check(&[Payloads(vec![payload("1"), payload("2")])]).unwrap_err().to_string();
        assert!(error.contains("2 payloads of one"), "{error}");
    }

    #[test]
    fn a_failure_can_do_without_its_payloads() {
        let details = Some(common::Payloads { payloads: vec![payload("secret")] });
        let info = ApplicationFailureInfo { r#type: "Oops".to_owned(), details, ..Default::default() };
        let failure = Failure {
            message: "no".to_owned(),
            encoded_attributes: Some(payload("secret")),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
            cause: Some(Box::new(Failure { encoded_attributes: Some(payload("secret")), ..Default::default() })),
            ..Default::default()
        };
        let failed = FailedTask { failure: Some(failure), ..Default::default() };
        let status = Some(Status::Failed(failed));
        let message = WorkflowActivationCompletion { status, ..Default::default() };
        let Ok(completion) = PlainCompletion::new(message, false) else { panic!("nothing taken") };
        assert!(completion.fails);
        let bare = completion.without_payloads().unwrap();
        assert!(!format!("{bare:?}").contains("payloads: [Payload"), "{bare:?}");
        let Some(Status::Failed(failed)) = bare.status else { panic!("not failed") };
        let failure = failed.failure.unwrap();
        assert_eq!((failure.message.as_str(), failure.encoded_attributes), ("no", None));
        assert_eq!(failure.cause.unwrap().encoded_attributes, None);
        assert!(completion.without_payloads().is_err());
    }
}
