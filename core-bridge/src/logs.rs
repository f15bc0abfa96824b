//! Core's log records, kept for the Python thread that hands them to `logging`.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Once};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fmt, panic};

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::Value;
use temporalio_common::telemetry::{CoreLog, CoreLogConsumer};
use tracing::Level;

use crate::errors::Error;
use crate::mailbox::{Bell, Mailbox};
use crate::process::InProcess;

/// Records kept while Python does not keep up; later ones are dropped and counted.
const CAPACITY: usize = 10_000;

/// The log records of one runtime, from its threads to the Python thread that calls `take`.
#[pyclass(frozen, module = "invincible._native")]
pub struct LogQueue(InProcess<Arc<Records>>);

struct Records {
    mailbox: Mailbox<CoreLog>,
    waiting: AtomicUsize,
    dropped: AtomicUsize,
}

/// One record of Core's log.
#[pyclass(frozen, module = "invincible._native")]
pub struct LogRecord(CoreLog);

#[pymethods]
impl LogQueue {
    #[new]
    fn new() -> Self {
        let mailbox = Mailbox::new(Bell::Wait(Condvar::new()));
        let records = Records { mailbox, waiting: AtomicUsize::new(0), dropped: AtomicUsize::new(0) };
        Self(InProcess::new("log queue", Arc::new(records)))
    }

    /// Waits for records, detached from Python, and returns them with the number of records lost because there was no
    /// room; no records at all when the queue is closed.
    fn take(&self, py: Python<'_>) -> PyResult<(Vec<LogRecord>, usize)> {
        let records = self.0.get()?;
        let taken = py.detach(|| {
            records.mailbox.wait();
            records.mailbox.take()
        });
        records.waiting.fetch_sub(taken.len(), Ordering::Relaxed);
        Ok((taken.into_iter().map(LogRecord).collect(), records.dropped.swap(0, Ordering::Relaxed)))
    }

    /// Lets `take` return what is left and then nothing.
    fn close(&self) -> PyResult<()> {
        self.0.get()?.mailbox.close();
        Ok(())
    }
}

impl LogQueue {
    pub fn consumer(&self) -> Result<Arc<dyn CoreLogConsumer>, Error> {
        Ok(self.0.get()?.clone())
    }
}

thread_local! {
    /// Where panics of this thread are told.
    static PANICS: OnceCell<Arc<dyn CoreLogConsumer>> = const { OnceCell::new() };
}

/// Logs panics of this thread, which go to standard error besides: straight to the consumer, as a panic may come from
/// amid the making of a record.
pub fn log_panics_of_this_thread(consumer: Arc<dyn CoreLogConsumer>) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let earlier = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let _ = PANICS.try_with(|panics| panics.get().map(|consumer| consumer.on_log(log_of(panic))));
            earlier(panic);
        }));
    });
    PANICS.with(|panics| {
        let _ = panics.set(consumer);
    });
}

fn log_of(panic: &panic::PanicHookInfo<'_>) -> CoreLog {
    CoreLog {
        target: "panic".to_owned(),
        message: format!("a thread of Core {panic}"),
        timestamp: SystemTime::now(),
        level: Level::ERROR,
        fields: HashMap::new(),
        span_contexts: Vec::new(),
    }
}

impl CoreLogConsumer for Records {
    fn on_log(&self, log: CoreLog) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= CAPACITY {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        } else {
            self.mailbox.push(log);
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LogQueue")
    }
}

#[pymethods]
impl LogRecord {
    /// The part of Core that speaks.
    #[getter]
    fn target(&self) -> &str {
        &self.0.target
    }

    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    /// Seconds since the epoch.
    #[getter]
    fn time(&self) -> f64 {
        self.0.timestamp.duration_since(UNIX_EPOCH).map(|time| time.as_secs_f64()).unwrap_or_default()
    }

    /// The level as a number of Python's `logging`.
    #[getter]
    fn level(&self) -> u8 {
        match self.0.level {
            Level::TRACE => 9,
            Level::DEBUG => 10,
            Level::INFO => 20,
            Level::WARN => 30,
            Level::ERROR => 40,
        }
    }

    #[getter]
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let fields = PyDict::new(py);
        for (name, value) in &self.0.fields {
            fields.set_item(name, to_python(py, value)?)?;
        }
        Ok(fields)
    }
}

fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => value.into_bound_py_any(py),
            (None, Some(value)) => value.into_bound_py_any(py),
            (None, None) => number.as_f64().into_bound_py_any(py),
        },
        Value::String(value) => value.into_bound_py_any(py),
        Value::Array(values) => {
            let values = values.iter().map(|value| to_python(py, value)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, values)?.into_bound_py_any(py)
        }
        Value::Object(members) => {
            let object = PyDict::new(py);
            for (name, value) in members {
                object.set_item(name, to_python(py, value)?)?;
            }
            object.into_bound_py_any(py)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_of_core_s_threads_are_logged_and_others_are_not() {
        let queue = LogQueue::new();
        let consumer = queue.consumer().unwrap();
        let threads = [Some(consumer), None].map(|consumer| {
            std::thread::spawn(move || {
                if let Some(consumer) = consumer {
                    log_panics_of_this_thread(consumer);
                }
                panic!("for a test");
            })
        });
        for thread in threads {
            assert!(thread.join().is_err());
        }
        let records = queue.0.get().unwrap().mailbox.take();
        assert_eq!(records.len(), 1);
        assert!(records[0].message.starts_with("a thread of Core panicked at "), "{}", records[0].message);
        assert!(records[0].message.ends_with(":\nfor a test"), "{}", records[0].message);
    }
}
