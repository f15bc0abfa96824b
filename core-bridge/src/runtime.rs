//! The one door into tokio: the threads Core runs on, with its telemetry.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pyo3::prelude::*;
use temporalio_common::protos::temporal::api::worker::v1::environment_info;
use temporalio_common::telemetry::metrics::CoreMeter;
use temporalio_common::telemetry::{
    CoreLogConsumer, Logger, LoggerFormat, TelemetryOptions, remove_trace_subscriber_for_current_thread,
    set_trace_subscriber_for_current_thread,
};
use temporalio_sdk_core::{CoreRuntime, RuntimeOptions};
use tokio::task::AbortHandle;
use tracing::dispatcher::{Dispatch, with_default};

use crate::errors::Error;
use crate::logs::{LogQueue, log_panics_of_this_thread};
use crate::meter::MetricMeter;
use crate::metric_buffer::MetricBuffer;
use crate::metrics::{self, OtlpExporter, PrometheusExporter};
use crate::process::InProcess;

/// Threads of Core and their telemetry. Clients and workers of one runtime share them.
#[pyclass(frozen, module = "invincible._native")]
pub struct Runtime(RuntimeRef);

/// A shared hold on a runtime; it lives as long as anything that runs on it.
#[derive(Clone)]
pub struct RuntimeRef(Arc<InProcess<Threads>>);

struct Threads {
    core: Option<CoreRuntime>,
    tokio: Option<tokio::runtime::Runtime>,
    /// Where Core logs to.
    log: Dispatch,
}

#[derive(FromPyObject)]
enum Metrics<'py> {
    Prometheus(Bound<'py, PrometheusExporter>),
    Otlp(Bound<'py, OtlpExporter>),
    Buffer(Bound<'py, MetricBuffer>),
}

#[pymethods]
impl Runtime {
    /// Starts the threads. Logs go to `log_queue` if there is one, else to the console; without a filter there are none.
    #[new]
    #[pyo3(signature = (*, threads = 2, log_filter = None, log_format = None, log_queue = None, metrics = None,
                        attach_service_name = true, metric_prefix = None, worker_heartbeat_interval = None,
                        disable_environment_info = false))]
    #[expect(clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        threads: usize,
        log_filter: Option<String>,
        log_format: Option<&str>,
        log_queue: Option<&Bound<'_, LogQueue>>,
        metrics: Option<Metrics<'_>>,
        attach_service_name: bool,
        metric_prefix: Option<String>,
        worker_heartbeat_interval: Option<f64>,
        disable_environment_info: bool,
    ) -> PyResult<Self> {
        let log_consumer = log_queue.map(|queue| queue.get().consumer()).transpose()?;
        let logging = match (log_filter, &log_consumer) {
            (None, _) => None,
            (Some(filter), Some(consumer)) => Some(Logger::Push { filter, consumer: consumer.clone() }),
            (Some(filter), None) => {
                Some(Logger::Console { filter, format: log_format.map(console_format).transpose()? })
            }
        };
        let telemetry = TelemetryOptions::builder()
            .maybe_logging(logging)
            .attach_service_name(attach_service_name)
            .maybe_metric_prefix(metric_prefix)
            .build();
        let options = RuntimeOptions::builder()
            .telemetry_options(telemetry)
            .heartbeat_interval(
                worker_heartbeat_interval.map(|interval| seconds("worker_heartbeat_interval", interval)).transpose()?,
            )
            .disable_environment_info(disable_environment_info)
            .build()
            .map_err(|_| {
                Error::InvalidArgument("worker_heartbeat_interval must be between 1 and 60 seconds".to_owned())
            })?
            .with_runtimes(vec![python_version(py)]);
        let start_metrics = metrics.map(|metrics| match metrics {
            Metrics::Prometheus(exporter) => metrics::prometheus(exporter.get()),
            Metrics::Otlp(exporter) => metrics::otlp(exporter.get()),
            Metrics::Buffer(buffer) => metrics::buffer(buffer.get()),
        });
        let start_metrics = start_metrics.transpose()?;
        let threads = py.detach(|| Threads::start(threads, options, start_metrics, log_consumer))?;
        Ok(Self(RuntimeRef(Arc::new(InProcess::new("runtime", threads)))))
    }

    /// The meter for metrics of user code; `None` if the runtime exports none.
    fn metric_meter(&self) -> PyResult<Option<MetricMeter>> {
        Ok(MetricMeter::of(self.share())?)
    }
}

impl Runtime {
    pub fn share(&self) -> RuntimeRef {
        self.0.clone()
    }
}

impl RuntimeRef {
    /// An error in a process forked from the one that started the runtime.
    pub fn check_process(&self) -> Result<(), Error> {
        self.0.get().map(|_| ())
    }

    pub fn core(&self) -> Result<&CoreRuntime, Error> {
        Ok(self.0.get()?.core.as_ref().expect("taken only when dropped"))
    }

    pub fn handle(&self) -> Result<&tokio::runtime::Handle, Error> {
        Ok(self.0.get()?.tokio.as_ref().expect("taken only when dropped").handle())
    }

    pub fn guest(&self) -> Result<Guest, Error> {
        Ok(Guest::new(self.handle()?.clone(), self.0.get()?.log.clone()))
    }

    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<AbortHandle, Error> {
        Ok(self.handle()?.spawn(work).abort_handle())
    }
}

/// Lets other threads do work of the runtime's. Does not keep the runtime.
#[derive(Clone)]
pub struct Guest {
    tokio: tokio::runtime::Handle,
    log: Dispatch,
}

impl Guest {
    pub fn new(tokio: tokio::runtime::Handle, log: Dispatch) -> Self {
        Self { tokio, log }
    }

    /// Does work on this thread as if it were one of the runtime.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _context = self.tokio.enter();
        with_default(&self.log, work)
    }

    /// Has the runtime do it; a runtime that has ended drops it.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tokio.spawn(work);
    }
}

impl Threads {
    fn start(
        threads: usize,
        options: RuntimeOptions,
        metrics: Option<metrics::Start>,
        log_consumer: Option<Arc<dyn CoreLogConsumer>>,
    ) -> Result<Self, Error> {
        if threads == 0 {
            return Err(Error::InvalidArgument("threads must be at least 1".to_owned()));
        }
        // Threads start before the telemetry they log to, which itself needs them: they wait for it.
        let subscriber = Arc::new(OnceLock::new());
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("invincible-core")
            .enable_all()
            .on_thread_start({
                let subscriber = subscriber.clone();
                move || {
                    if let Some(subscriber) = Option::clone(subscriber.wait()) {
                        set_trace_subscriber_for_current_thread(subscriber);
                    }
                    if let Some(consumer) = &log_consumer {
                        log_panics_of_this_thread(consumer.clone());
                    }
                }
            })
            .build()
            .map_err(|error| Error::Setup(format!("could not start the runtime's threads: {error}")))?;
        let core = Self::start_core(&tokio, options, metrics);
        let logging = core.as_ref().ok().and_then(|core| core.telemetry().trace_subscriber());
        let log = logging.clone().map_or_else(Dispatch::none, Dispatch::new);
        let _ = subscriber.set(logging);
        Ok(Self { core: Some(core?), tokio: Some(tokio), log })
    }

    fn start_core(
        tokio: &tokio::runtime::Runtime,
        options: RuntimeOptions,
        metrics: Option<metrics::Start>,
    ) -> Result<CoreRuntime, Error> {
        let _context = tokio.enter();
        let core = CoreRuntime::new_assume_tokio(options)
            .map_err(|error| Error::Setup(format!("could not start telemetry: {error:#}")));
        // The exporter logs to the subscriber that Core has put on this thread; it is the caller's thread, so none stays.
        let meter = metrics.map(|start| start()).transpose();
        remove_trace_subscriber_for_current_thread();
        let mut core = core?;
        if let Some(meter) = meter? {
            core.telemetry_mut().attach_late_init_metrics(meter as Arc<dyn CoreMeter>);
        }
        Ok(core)
    }
}

impl Drop for Threads {
    /// May run anywhere, even on a thread of the runtime itself, and must not wait there: exporters flush when dropped.
    fn drop(&mut self) {
        let (core, tokio) = (self.core.take(), self.tokio.take());
        let end = move || {
            {
                let _context = tokio.as_ref().map(tokio::runtime::Runtime::enter);
                drop(core);
            }
            if let Some(tokio) = tokio {
                tokio.shutdown_background();
            }
        };
        let _ = std::thread::Builder::new().name("invincible-stop".to_owned()).spawn(end);
    }
}

/// A duration given by Python in seconds.
pub fn seconds(name: &str, value: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| Error::InvalidArgument(format!("{name} must be a positive duration, got {value} seconds")))
}

fn console_format(name: &str) -> Result<LoggerFormat, Error> {
    match name {
        "compact" => Ok(LoggerFormat::Compact),
        "pretty" => Ok(LoggerFormat::Pretty),
        "json" => Ok(LoggerFormat::Json),
        _ => Err(Error::InvalidArgument(format!("log format {name:?} is none of compact, pretty, json"))),
    }
}

fn python_version(py: Python<'_>) -> environment_info::Runtime {
    let version = py.version_info();
    environment_info::Runtime {
        r#type: environment_info::runtime::RuntimeType::Cpython.into(),
        version: format!("{}.{}.{}", version.major, version.minor, version.patch),
    }
}
