//! The server that a replay worker believes to talk to: it has nothing but histories.

use std::collections::HashMap;
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use temporalio_client::callback_based::{CallbackBasedGrpcService, GrpcRequest, GrpcSuccessResponse};
use temporalio_client::tonic::Status;
use temporalio_protos::coresdk::workflow_commands::workflow_command::Variant;
use temporalio_protos::coresdk::workflow_completion::{WorkflowActivationCompletion, workflow_activation_completion};
use temporalio_protos::temporal::api::common::v1::{WorkflowExecution, WorkflowType};
use temporalio_protos::temporal::api::enums::v1::TaskQueueKind;
use temporalio_protos::temporal::api::history::v1::WorkflowExecutionStartedEventAttributes;
use temporalio_protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_protos::temporal::api::workflowservice::v1::get_system_info_response::Capabilities;
use temporalio_protos::temporal::api::workflowservice::v1::{
    GetSystemInfoResponse, GetWorkflowExecutionHistoryRequest, GetWorkflowExecutionHistoryResponse,
    PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::end::queries;
use super::pages::Pages;
use crate::sync::lock;

/// Fields of the responses.
const HISTORY_OF_TASK: u32 = 8;
const HISTORY_OF_PAGE: u32 = 1;

/// A history to replay, with attributes of its first event.
pub struct Replay {
    pub workflow_id: String,
    pub started: WorkflowExecutionStartedEventAttributes,
    pub history: Arc<[u8]>,
    pub pages: Pages,
}

/// The service of a connection for one worker.
pub fn serve() -> (Arc<Server>, CallbackBasedGrpcService) {
    let (waiting, histories) = unbounded_channel();
    let server = Arc::new(Server {
        waiting,
        histories: tokio::sync::Mutex::new(histories),
        closed: AtomicBool::default(),
        paged: Mutex::default(),
    });
    let serving = server.clone();
    let callback = Arc::new(move |request| serving.clone().answer(request));
    (server, CallbackBasedGrpcService { callback })
}

type Answer = Pin<Box<dyn Future<Output = Result<GrpcSuccessResponse, Status>> + Send>>;

pub struct Server {
    waiting: UnboundedSender<Replay>,
    histories: tokio::sync::Mutex<UnboundedReceiver<Replay>>,
    closed: AtomicBool,
    /// The histories in pages that are replayed, by run id.
    paged: Mutex<HashMap<String, Paged>>,
}

struct Paged {
    replay: Arc<Replay>,
    /// Whether the code has just cancelled something.
    cancels: bool,
    /// Whether that was at the end of a page.
    cancelled_at_end: bool,
}

impl Server {
    /// Whether the worker will take the history.
    pub fn feed(&self, replay: Replay) -> bool {
        !self.closed.load(Ordering::Relaxed) && self.waiting.send(replay).is_ok()
    }

    /// The worker gets nothing from now on, not even the next page of what it replays.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Forgets a history that was replayed. Returns whether Core may have replayed it otherwise than in one page: what is
    /// cancelled may end at once, which the code is to hear before anything else, but at the end of a page Core goes on
    /// to the next task first.
    pub fn forget(&self, run_id: &str) -> bool {
        lock(&self.paged).remove(run_id).is_some_and(|paged| paged.cancelled_at_end)
    }

    /// Takes notice of what the code of a run is about to answer.
    pub fn notice(&self, completion: &WorkflowActivationCompletion) {
        if let Some(paged) = lock(&self.paged).get_mut(&completion.run_id) {
            paged.cancels = cancels(completion);
        }
    }

    fn answer(self: Arc<Self>, request: GrpcRequest) -> Answer {
        Box::pin(async move {
            let proto = match request.rpc.as_str() {
                "PollWorkflowTaskQueue" => self.task(decoded(&request)?).await,
                "GetWorkflowExecutionHistory" => self.page(decoded(&request)?)?,
                "GetSystemInfo" => system_info().encode_to_vec(),
                "RespondWorkflowTaskCompleted"
                | "RespondWorkflowTaskFailed"
                | "DescribeNamespace"
                | "ShutdownWorker" => vec![],
                other => return Err(Status::unimplemented(format!("a replay has no {other}"))),
            };
            Ok(GrpcSuccessResponse { headers: Default::default(), proto })
        })
    }

    /// Waits for a history, for as long as it takes: Core drops the call when it shuts down.
    async fn task(&self, request: PollWorkflowTaskQueueRequest) -> Vec<u8> {
        let sticky = request.task_queue.is_some_and(|queue| queue.kind() == TaskQueueKind::Sticky);
        let replay = if sticky { None } else { self.histories.lock().await.recv().await };
        match replay {
            Some(replay) => self.first_page(replay),
            None => pending().await,
        }
    }

    fn first_page(&self, replay: Replay) -> Vec<u8> {
        let Pages { previous_started_event_id, started_event_id, ref pages } = replay.pages;
        let more = pages.len() > 1;
        let run_id = replay.started.original_execution_run_id.clone();
        let task_queue = replay.started.task_queue.as_ref().map(|queue| queue.name.clone()).unwrap_or_default();
        let task = PollWorkflowTaskQueueResponse {
            task_token: run_id.clone().into_bytes(),
            workflow_execution: Some(WorkflowExecution {
                workflow_id: replay.workflow_id.clone(),
                run_id: run_id.clone(),
            }),
            workflow_type: Some(WorkflowType {
                name: replay.started.workflow_type.as_ref().map(|kind| kind.name.clone()).unwrap_or_default(),
            }),
            workflow_execution_task_queue: Some(TaskQueue {
                name: task_queue,
                kind: TaskQueueKind::Normal.into(),
                ..Default::default()
            }),
            previous_started_event_id,
            started_event_id,
            next_page_token: if more { token(1) } else { vec![] },
            queries: queries(),
            ..Default::default()
        };
        let response = with_history(task.encode_to_vec(), HISTORY_OF_TASK, &replay.history[pages[0].clone()]);
        if more {
            let paged = Paged { replay: Arc::new(replay), cancels: false, cancelled_at_end: false };
            lock(&self.paged).insert(run_id, paged);
        }
        response
    }

    fn page(&self, request: GetWorkflowExecutionHistoryRequest) -> Result<Vec<u8>, Status> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Status::invalid_argument("the replay was given up"));
        }
        let gone = || Status::invalid_argument("there is no such page of a history");
        let number = parse_token(&request.next_page_token).ok_or_else(gone)?;
        let run_id = request.execution.unwrap_or_default().run_id;
        let replay = {
            let mut paged = lock(&self.paged);
            let paged = paged.get_mut(&run_id).ok_or_else(gone)?;
            paged.cancelled_at_end |= paged.cancels;
            paged.replay.clone()
        };
        let pages = &replay.pages.pages;
        let page = pages.get(number).ok_or_else(gone)?;
        let response = GetWorkflowExecutionHistoryResponse {
            next_page_token: if number + 1 == pages.len() { vec![] } else { token(number + 1) },
            ..Default::default()
        };
        Ok(with_history(response.encode_to_vec(), HISTORY_OF_PAGE, &replay.history[page.clone()]))
    }
}

/// Whether there is a command that cancels something which may then end without the server.
fn cancels(completion: &WorkflowActivationCompletion) -> bool {
    let Some(workflow_activation_completion::Status::Successful(success)) = &completion.status else {
        return false;
    };
    success.commands.iter().any(|command| {
        matches!(
            command.variant,
            Some(
                Variant::RequestCancelActivity(_)
                    | Variant::RequestCancelLocalActivity(_)
                    | Variant::CancelChildWorkflowExecution(_)
                    | Variant::CancelSignalWorkflow(_)
                    | Variant::RequestCancelNexusOperation(_)
            )
        )
    })
}

fn decoded<M: Message + Default>(request: &GrpcRequest) -> Result<M, Status> {
    M::decode(request.proto.clone()).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// What a server of today can do, as far as it shows in a replay.
fn system_info() -> GetSystemInfoResponse {
    let capabilities = Capabilities {
        signal_and_query_header: true,
        internal_error_differentiation: true,
        activity_failure_include_heartbeat: true,
        supports_schedules: true,
        encoded_failure_attributes: true,
        build_id_based_versioning: true,
        upsert_memo: true,
        eager_workflow_start: true,
        sdk_metadata: true,
        ..Default::default()
    };
    GetSystemInfoResponse { capabilities: Some(capabilities), ..Default::default() }
}

/// A serialized response with one more field: events, as they are.
fn with_history(mut response: Vec<u8>, field: u32, events: &[u8]) -> Vec<u8> {
    response.reserve(events.len() + 16);
    encode_key(field, WireType::LengthDelimited, &mut response);
    encode_varint(events.len() as u64, &mut response);
    response.extend_from_slice(events);
    response
}

fn token(page: usize) -> Vec<u8> {
    (page as u64).to_be_bytes().to_vec()
}

fn parse_token(token: &[u8]) -> Option<usize> {
    usize::try_from(u64::from_be_bytes(token.try_into().ok()?)).ok()
}
