//! The one door into async: work of Core's threads, and its outcome for an event loop or a waiting thread.
//!
//! Core's threads never attach to Python. They leave outcomes in a mailbox, and the loop's own thread turns them into
//! Python objects, any number for one wake-up.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::{IntoPyObjectExt, intern};
use tokio::task::AbortHandle;

use crate::errors::Error;
use crate::mailbox::{Backlog, Bell, Mailbox};
use crate::process::InProcess;
use crate::runtime::RuntimeRef;
use crate::sync::lock;

/// How often a thread that waits for an operation looks for signals such as Ctrl-C.
const SIGNAL_CHECK: Duration = Duration::from_millis(100);

/// A result as Core's threads leave it: made into a Python object later, by a thread that is attached to Python.
type Outcome = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

fn outcome<T>(result: Result<T, Error>) -> Outcome
where
    T: for<'py> IntoPyObjectExt<'py> + Send + 'static,
{
    Box::new(move |py| result?.into_py_any(py))
}

/// One call into Core that has not begun. `CompletionQueue.submit` or `wait` starts it, once.
#[pyclass(frozen, generic, module = "invincible._native")]
pub struct Operation {
    runtime: RuntimeRef,
    work: InProcess<Mutex<Option<Work>>>,
}

impl Operation {
    pub fn new<T>(runtime: &RuntimeRef, work: impl Future<Output = Result<T, Error>> + Send + 'static) -> Self
    where
        T: for<'py> IntoPyObjectExt<'py> + Send + 'static,
    {
        let work: Work = Box::pin(async move { outcome(work.await) });
        Self { runtime: runtime.clone(), work: InProcess::new("operation", Mutex::new(Some(work))) }
    }

    /// Runs the work on Core's threads; `deliver` is called with the outcome exactly once, whatever becomes of the work.
    fn start(&self, deliver: impl FnOnce(Outcome) + Send + 'static) -> PyResult<AbortHandle> {
        let work = lock(self.work.get()?).take();
        let work = work.ok_or_else(|| PyRuntimeError::new_err("this operation has been started already"))?;
        let mut delivery = Delivery(Some(deliver));
        Ok(self.runtime.spawn(async move {
            let outcome = work.await;
            delivery.deliver(outcome);
        })?)
    }
}

#[pymethods]
impl Operation {
    /// Runs the operation while this thread waits, detached from Python. Ctrl-C ends the wait and aborts the operation.
    fn wait(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let (sender, mut receiver) = std::sync::mpsc::sync_channel(1);
        let task = self.start(move |outcome| {
            let _ = sender.send(outcome);
        })?;
        loop {
            let receiver = &mut receiver;
            let received = py.detach(move || receiver.recv_timeout(SIGNAL_CHECK));
            match received {
                Ok(outcome) => return outcome(py),
                Err(_) => py.check_signals().inspect_err(|_| task.abort())?,
            }
        }
    }
}

/// Delivers an outcome even if the work panics, is aborted, or loses its runtime.
struct Delivery<F: FnOnce(Outcome)>(Option<F>);

impl<F: FnOnce(Outcome)> Delivery<F> {
    fn deliver(&mut self, outcome: Outcome) {
        if let Some(deliver) = self.0.take() {
            deliver(outcome);
        }
    }
}

impl<F: FnOnce(Outcome)> Drop for Delivery<F> {
    fn drop(&mut self) {
        self.deliver(Box::new(|_| Err(Error::Lost.into())));
    }
}

/// Outcomes for one event loop.
///
/// With `poll=True` the loop is to watch `fileno()` and call `drain()` when it becomes readable. Otherwise a thread calls
/// `wait()` and has the loop call `drain()`.
#[pyclass(frozen, module = "invincible._native")]
pub struct CompletionQueue(InProcess<Inner>);

struct Inner {
    mailbox: Arc<Mailbox<Mail>>,
    receivers: Mutex<Receivers>,
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixStream>,
}

struct Mail {
    ticket: u64,
    /// `None`: no more mail comes for this ticket.
    outcome: Option<Outcome>,
}

/// Who gets what. Touched only by threads attached to Python: Core's threads know tickets, never Python objects.
#[derive(Default)]
struct Receivers {
    last_ticket: u64,
    by_ticket: HashMap<u64, Receiver>,
    closed: bool,
}

enum Receiver {
    Call { future: Py<PyAny>, task: AbortHandle },
    Stream { callback: Py<PyAny> },
}

impl Receivers {
    fn next_ticket(&mut self) -> Result<u64, Error> {
        if self.closed {
            return Err(Error::Closed { what: "completion queue" });
        }
        self.last_ticket += 1;
        Ok(self.last_ticket)
    }
}

#[pymethods]
impl CompletionQueue {
    #[new]
    #[pyo3(signature = (*, poll))]
    fn new(poll: bool) -> PyResult<Self> {
        #[cfg(unix)]
        let (socket, bell) = if poll {
            let (reader, writer) = std::os::unix::net::UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            (Some(reader), Bell::Socket(writer))
        } else {
            (None, Bell::Wait(Condvar::new()))
        };
        #[cfg(not(unix))]
        let bell = match poll {
            true => return Err(pyo3::exceptions::PyNotImplementedError::new_err("poll=True needs Unix sockets")),
            false => Bell::Wait(Condvar::new()),
        };
        let inner = Inner {
            mailbox: Arc::new(Mailbox::new(bell)),
            receivers: Mutex::default(),
            #[cfg(unix)]
            socket,
        };
        Ok(Self(InProcess::new("completion queue", inner)))
    }

    /// The descriptor that becomes readable when there is something to drain, or -1.
    fn fileno(&self) -> PyResult<i32> {
        #[cfg(unix)]
        if let Some(socket) = &self.0.get()?.socket {
            return Ok(std::os::fd::AsRawFd::as_raw_fd(socket));
        }
        Ok(-1)
    }

    /// Starts the operation; `drain` will resolve the future. Returns the ticket to `abort` it with.
    fn submit(&self, operation: &Operation, future: Py<PyAny>) -> PyResult<u64> {
        let inner = self.0.get()?;
        let mut receivers = lock(&inner.receivers);
        let ticket = receivers.next_ticket()?;
        let mailbox = inner.mailbox.clone();
        let task = operation.start(move |outcome| {
            mailbox.push(Mail { ticket, outcome: Some(outcome) });
        })?;
        receivers.by_ticket.insert(ticket, Receiver::Call { future, task });
        Ok(ticket)
    }

    /// Stops the work behind a ticket, whose future will not be resolved. Does nothing if it is done.
    fn abort(&self, ticket: u64) -> PyResult<()> {
        let receiver = lock(&self.0.get()?.receivers).by_ticket.remove(&ticket);
        if let Some(Receiver::Call { task, .. }) = receiver {
            task.abort();
        }
        Ok(())
    }

    /// Resolves the futures of all operations that have ended. To be called by the event loop's thread.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        let inner = self.0.get()?;
        #[cfg(unix)]
        if let Some(socket) = &inner.socket {
            let _ = std::io::Read::read(&mut &*socket, &mut [0; 8]);
        }
        for mail in inner.mailbox.take() {
            inner.deliver(py, mail);
        }
        Ok(())
    }

    /// Waits, detached from Python, until `drain` is to be called; false when the queue is closed.
    fn wait(&self, py: Python<'_>) -> PyResult<bool> {
        let mailbox = self.0.get()?.mailbox.clone();
        Ok(py.detach(move || mailbox.wait()))
    }

    /// Aborts what is under way and accepts nothing more. Futures that are not resolved stay so: their loop is gone.
    fn close(&self) -> PyResult<()> {
        let inner = self.0.get()?;
        inner.mailbox.close();
        drop(inner.mailbox.take());
        let receivers = {
            let mut receivers = lock(&inner.receivers);
            receivers.closed = true;
            std::mem::take(&mut receivers.by_ticket)
        };
        for receiver in receivers.into_values() {
            if let Receiver::Call { task, .. } = receiver {
                task.abort();
            }
        }
        Ok(())
    }
}

impl CompletionQueue {
    /// A way for Core's threads to have `callback` called, with one item at a time, by the event loop's thread.
    pub fn sink(&self, callback: Py<PyAny>) -> Result<Sink, Error> {
        let inner = self.0.get()?;
        let mut receivers = lock(&inner.receivers);
        let ticket = receivers.next_ticket()?;
        receivers.by_ticket.insert(ticket, Receiver::Stream { callback });
        Ok(Sink(Arc::new(OpenSink { ticket, mailbox: inner.mailbox.clone() })))
    }

    /// How to see what waits for the event loop.
    pub fn backlog(&self) -> Result<Box<dyn Fn() -> Backlog + Send + Sync>, Error> {
        let mailbox = self.0.get()?.mailbox.clone();
        Ok(Box::new(move || mailbox.backlog()))
    }
}

impl Inner {
    fn deliver(&self, py: Python<'_>, mail: Mail) {
        let Mail { ticket, outcome } = mail;
        // The lock is not held while Python runs: callbacks may submit or abort.
        let mut receivers = lock(&self.receivers);
        let (receiver, outcome) = match (receivers.by_ticket.get(&ticket), outcome) {
            (Some(Receiver::Stream { callback }), Some(outcome)) => {
                (Receiver::Stream { callback: callback.clone_ref(py) }, outcome)
            }
            (Some(Receiver::Call { .. }), Some(outcome)) => match receivers.by_ticket.remove(&ticket) {
                Some(receiver) => (receiver, outcome),
                None => return,
            },
            (Some(_), None) => {
                let over = receivers.by_ticket.remove(&ticket);
                drop(receivers);
                drop(over);
                return;
            }
            (None, _) => return,
        };
        drop(receivers);
        match receiver {
            Receiver::Call { future, .. } => {
                resolve(future.bind(py), outcome)
                    .unwrap_or_else(|error| error.write_unraisable(py, Some(future.bind(py))));
            }
            Receiver::Stream { callback } => {
                let called = outcome(py).and_then(|item| callback.call1(py, (item,)));
                if let Err(error) = called {
                    error.write_unraisable(py, Some(callback.bind(py)));
                }
            }
        }
    }
}

fn resolve(future: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match outcome(py) {
        Ok(value) => future.call_method1(intern!(py, "set_result"), (value,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error,))?,
    };
    Ok(())
}

/// Sends items to a Python callback from any thread. Clones send to the same callback.
#[derive(Clone)]
pub struct Sink(Arc<OpenSink>);

struct OpenSink {
    ticket: u64,
    mailbox: Arc<Mailbox<Mail>>,
}

impl Sink {
    /// False if the event loop takes nothing more.
    pub fn send<T>(&self, item: T) -> bool
    where
        T: for<'py> IntoPyObjectExt<'py> + Send + 'static,
    {
        self.0.mailbox.push(Mail { ticket: self.0.ticket, outcome: Some(outcome(Ok(item))) })
    }
}

impl Drop for OpenSink {
    fn drop(&mut self) {
        self.mailbox.push(Mail { ticket: self.ticket, outcome: None });
    }
}
