//! `/healthz` and `/readyz` over HTTP, answered by the runtime's threads: they need nothing of Python.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use pyo3::prelude::*;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Monitor, Verdict, WorkerHealth};
use crate::errors::Error;
use crate::process::InProcess;
use crate::queue::Operation;
use crate::runtime::{Runtime, RuntimeRef};
use crate::sync::lock;

/// From a connection's first byte to the last of its answer.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// A process whose reports do not come any more is not healthy.
const REPORT_LIMIT: Duration = Duration::from_secs(10);
/// When no connection can be accepted, for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers for any number of workers at one address; the worst of them decides.
#[pyclass(frozen, module = "invincible._native")]
pub struct HealthServer(InProcess<Inner>);

struct Inner {
    runtime: RuntimeRef,
    address: SocketAddr,
    board: Arc<Board>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Board {
    workers: Mutex<Vec<Arc<Monitor>>>,
    reports: Mutex<Vec<Report>>,
}

/// What another process says of its worker.
struct Report {
    name: String,
    figures: Value,
    at: Instant,
}

#[pymethods]
impl HealthServer {
    /// Listens at "host:port"; port 0 takes a free one.
    #[new]
    fn new(py: Python<'_>, runtime: &Runtime, address: String) -> PyResult<Self> {
        let runtime = runtime.share();
        let listener = py.detach(|| listen(&address))?;
        let setup = |error: std::io::Error| Error::Setup(format!("could not serve health at {address}: {error}"));
        let bound = listener.local_addr().map_err(setup)?;
        let listener = {
            let _context = runtime.handle()?.enter();
            TcpListener::from_std(listener).map_err(setup)?
        };
        let board = Arc::new(Board::default());
        let serving = runtime.handle()?.spawn(serve(listener, board.clone()));
        let inner = Inner { runtime, address: bound, board, serving: Mutex::new(Some(serving)) };
        Ok(Self(InProcess::new("health server", inner)))
    }

    /// Where it listens, as "host:port".
    #[getter]
    fn address(&self) -> PyResult<String> {
        Ok(self.0.get()?.address.to_string())
    }

    fn add(&self, worker: &WorkerHealth) -> PyResult<()> {
        lock(&self.0.get()?.board.workers).push(worker.share()?);
        Ok(())
    }

    fn remove(&self, worker: &WorkerHealth) -> PyResult<()> {
        let gone = worker.share()?;
        lock(&self.0.get()?.board.workers).retain(|each| !Arc::ptr_eq(each, &gone));
        Ok(())
    }

    /// What a worker in another process says of itself, as `WorkerHealth.report` gives it. It counts for ten seconds,
    /// after which the worker is not healthy. Without a report, the process is known and has not said anything yet.
    #[pyo3(signature = (name, report = None))]
    fn put_report(&self, name: String, report: Option<&str>) -> PyResult<()> {
        let figures = match report {
            Some(report) => serde_json::from_str(report)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| Error::InvalidArgument(format!("the health report of {name} is no JSON object")))?,
            None => json!({"healthy": true, "ready": false, "reasons": ["polls have not begun"]}),
        };
        let mut reports = lock(&self.0.get()?.board.reports);
        reports.retain(|each| each.name != name);
        reports.push(Report { name, figures, at: Instant::now() });
        Ok(())
    }

    /// Forgets another process.
    fn remove_report(&self, name: &str) -> PyResult<()> {
        lock(&self.0.get()?.board.reports).retain(|each| each.name != name);
        Ok(())
    }

    /// Stops listening. A second time does nothing.
    fn close(&self) -> PyResult<Operation> {
        let inner = self.0.get()?;
        let serving = lock(&inner.serving).take();
        Ok(Operation::new(&inner.runtime, async move {
            if let Some(serving) = serving {
                serving.abort();
                let _ = serving.await;
            }
            Ok(())
        }))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(serving) = lock(&self.serving).take() {
            serving.abort();
        }
    }
}

fn listen(address: &str) -> Result<StdListener, Error> {
    let unusable = |error| Error::InvalidArgument(format!("health_address {address:?} cannot be used: {error}"));
    let addresses: Vec<_> = address.to_socket_addrs().map_err(unusable)?.collect();
    let listener = StdListener::bind(addresses.as_slice())
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| Error::Setup(format!("could not serve health at {address}: {error}")))?;
    Ok(listener)
}

async fn serve(listener: TcpListener, board: Arc<Board>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let board = board.clone();
        tokio::spawn(async move {
            let answer = service_fn(|request: Request<Incoming>| {
                let response = board.respond(request.method(), request.uri().path());
                async { Ok::<_, Infallible>(response) }
            });
            let mut protocol = http1::Builder::new();
            let connection =
                protocol.keep_alive(false).header_read_timeout(None).serve_connection(TokioIo::new(stream), answer);
            let _ = timeout(REQUEST_LIMIT, connection).await;
        });
    }
}

impl Board {
    fn respond(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let (status, body) = match path {
            "/healthz" | "/readyz" if method != Method::GET && method != Method::HEAD => {
                (StatusCode::METHOD_NOT_ALLOWED, json!({"error": "only GET and HEAD are answered"}))
            }
            "/healthz" => self.answer(|verdict| verdict.healthy),
            "/readyz" => self.answer(|verdict| verdict.ready),
            _ => (StatusCode::NOT_FOUND, json!({"error": "there are /healthz and /readyz here"})),
        };
        let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }

    /// Good only if all are; without any worker there is nothing wrong, and nothing ready.
    fn answer(&self, good: impl Fn(&Verdict) -> bool) -> (StatusCode, Value) {
        let own: Vec<_> = lock(&self.workers).iter().map(|each| each.verdict()).collect();
        let all: Vec<_> = own.into_iter().chain(lock(&self.reports).iter().map(Report::verdict)).collect();
        let none = all.is_empty() && !good(&Verdict { healthy: true, ready: false, ..Verdict::default() });
        let is_good = !none && all.iter().all(&good);
        let reasons = all.iter().filter(|each| !good(each)).flat_map(|each| each.reasons.iter());
        let mut reasons: Vec<_> = reasons.cloned().collect();
        if none {
            reasons.push("no worker runs".to_owned());
        }
        let body = json!({
            "status": if is_good { "ok" } else { "failing" },
            "reasons": reasons,
            "workers": all.iter().map(Verdict::to_json).collect::<Vec<_>>(),
        });
        (if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body)
    }
}

impl Report {
    fn verdict(&self) -> Verdict {
        let says = |name| self.figures.get(name).and_then(Value::as_bool).unwrap_or_default();
        let reasons = self.figures.get("reasons").and_then(Value::as_array).into_iter().flatten();
        let reasons = reasons.filter_map(Value::as_str).map(|reason| format!("{}: {reason}", self.name));
        let mut verdict = Verdict {
            healthy: says("healthy"),
            ready: says("ready"),
            reasons: reasons.collect(),
            figures: self.figures.clone(),
        };
        verdict.figures["process"] = self.name.clone().into();
        let silent = self.at.elapsed();
        if silent > REPORT_LIMIT {
            (verdict.healthy, verdict.ready) = (false, false);
            verdict.reasons.push(format!("{}: nothing heard for {} s", self.name, silent.as_secs()));
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(reports: &[(&str, Value, Duration)]) -> Board {
        let board = Board::default();
        for (name, figures, age) in reports {
            let at = Instant::now().checked_sub(*age).unwrap();
            lock(&board.reports).push(Report { name: (*name).to_owned(), figures: figures.clone(), at });
        }
        board
    }

    fn ask(board: &Board, path: &str) -> u16 {
        board.respond(&Method::GET, path).status().as_u16()
    }

    #[test]
    fn the_worst_decides() {
        let now = Duration::ZERO;
        let good = json!({"healthy": true, "ready": true, "reasons": []});
        let starting = json!({"healthy": true, "ready": false, "reasons": ["polls have not begun"]});
        let stalled = json!({"healthy": false, "ready": false, "reasons": ["stuck"]});
        let codes = |reports: &[(&str, Value, Duration)]| {
            let board = board(reports);
            (ask(&board, "/healthz"), ask(&board, "/readyz"))
        };
        assert_eq!(codes(&[]), (200, 503));
        assert_eq!(codes(&[("a", good.clone(), now)]), (200, 200));
        assert_eq!(codes(&[("a", good.clone(), now), ("b", starting, now)]), (200, 503));
        assert_eq!(codes(&[("a", good.clone(), now), ("b", stalled, now)]), (503, 503));
        assert_eq!(codes(&[("a", good, REPORT_LIMIT * 2)]), (503, 503));
    }

    #[test]
    fn other_paths_and_methods_are_refused() {
        let board = Board::default();
        assert_eq!(ask(&board, "/"), 404);
        assert_eq!(board.respond(&Method::POST, "/healthz").status().as_u16(), 405);
        assert_eq!(board.respond(&Method::HEAD, "/healthz").status().as_u16(), 200);
    }
}
