//! Metric updates kept until the program fetches them, in place of an exporter.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use temporalio_common::telemetry::metrics::core::CustomMetricAttributes;
use temporalio_common::telemetry::metrics::{
    CoreMeter, Counter, CounterBase, Gauge, GaugeBase, GaugeF64, GaugeF64Base, Histogram, HistogramBase,
    HistogramDuration, HistogramDurationBase, HistogramF64, HistogramF64Base, MetricAttributable, MetricAttributes,
    MetricKeyValue, MetricParameters, MetricValue, NewAttributes, UpDownCounter, UpDownCounterBase,
};

use crate::errors::Error;
use crate::process::InProcess;
use crate::sync::lock;

/// Updates of the metrics of one runtime, at most `capacity` of them; what comes when there is no room is dropped and
/// counted.
#[pyclass(frozen, module = "invincible._native")]
pub struct MetricBuffer(InProcess<Arc<Updates>>);

struct Updates {
    capacity: usize,
    durations_as_seconds: bool,
    global_tags: Vec<MetricKeyValue>,
    kept: Mutex<Kept>,
    /// One object per metric, however often it is created.
    metrics: Mutex<HashMap<(String, Kind), Arc<Metric>>>,
}

#[derive(Default)]
struct Kept {
    updates: Vec<Update>,
    dropped: usize,
}

struct Update {
    metric: Arc<Metric>,
    attributes: Arc<Attributes>,
    value: Value,
}

struct Metric {
    parameters: MetricParameters,
    kind: Kind,
    object: PyOnceLock<Py<BufferedMetric>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Counter = 0,
    Gauge = 1,
    Histogram = 2,
}

#[derive(Clone, Copy, IntoPyObject, IntoPyObjectRef)]
enum Value {
    Integer(u64),
    Signed(i64),
    Float(f64),
}

/// The attributes of one attribute set, made into a dict when first fetched.
struct Attributes {
    pairs: Vec<MetricKeyValue>,
    object: PyOnceLock<Py<PyDict>>,
}

/// A metric of a buffer; the same object in all of its updates.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct BufferedMetric {
    name: String,
    description: Option<String>,
    unit: Option<String>,
    /// 0 for a counter, 1 for a gauge, 2 for a histogram.
    kind: u8,
}

/// One value: what was added to a counter, set on a gauge or recorded in a histogram.
#[pyclass(frozen, get_all, module = "invincible._native")]
pub struct BufferedMetricUpdate {
    metric: Py<BufferedMetric>,
    value: Value,
    attributes: Py<PyDict>,
}

#[pymethods]
impl MetricBuffer {
    #[new]
    #[pyo3(signature = (*, capacity, durations_as_seconds = false, global_tags = HashMap::new()))]
    fn new(capacity: usize, durations_as_seconds: bool, global_tags: HashMap<String, String>) -> Self {
        let global_tags = global_tags.into_iter().map(|(key, value)| MetricKeyValue::new(key, value)).collect();
        let (kept, metrics) = (Mutex::default(), Mutex::default());
        let updates = Updates { capacity, durations_as_seconds, global_tags, kept, metrics };
        Self(InProcess::new("metric buffer", Arc::new(updates)))
    }

    /// What has come since the last call, oldest first, and how many more there would be had there been room.
    fn take(&self, py: Python<'_>) -> PyResult<(Vec<BufferedMetricUpdate>, usize)> {
        let Kept { updates, dropped } = std::mem::take(&mut *lock(&self.0.get()?.kept));
        Ok((updates.into_iter().map(|update| update.fetched(py)).collect::<PyResult<_>>()?, dropped))
    }
}

#[pymethods]
impl BufferedMetric {
    fn __repr__(&self) -> String {
        let kind = ["counter", "gauge", "histogram"].get(usize::from(self.kind)).unwrap_or(&"metric");
        format!("<{kind} {:?}>", self.name)
    }
}

#[pymethods]
impl BufferedMetricUpdate {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (metric, attributes) = (self.metric.get().__repr__(), self.attributes.bind(py).repr()?);
        Ok(match &self.value {
            Value::Integer(value) => format!("<update of {metric}: {value} {attributes}>"),
            Value::Signed(value) => format!("<update of {metric}: {value} {attributes}>"),
            Value::Float(value) => format!("<update of {metric}: {value} {attributes}>"),
        })
    }
}

impl MetricBuffer {
    pub fn meter(&self) -> Result<Arc<dyn CoreMeter>, Error> {
        Ok(Arc::new(Meter(self.0.get()?.clone())))
    }
}

impl Updates {
    fn push(&self, update: Update) {
        let mut kept = lock(&self.kept);
        if kept.updates.len() < self.capacity {
            kept.updates.push(update);
            return;
        }
        kept.dropped += 1;
        let first = kept.dropped == 1;
        drop(kept);
        if first {
            tracing::error!("the metric buffer is full: updates are dropped until some are retrieved");
        }
    }

    fn metric(&self, parameters: MetricParameters, kind: Kind) -> Arc<Metric> {
        let make = || Arc::new(Metric { parameters: parameters.clone(), kind, object: PyOnceLock::new() });
        lock(&self.metrics).entry((parameters.name.to_string(), kind)).or_insert_with(make).clone()
    }
}

impl Update {
    fn fetched(self, py: Python<'_>) -> PyResult<BufferedMetricUpdate> {
        Ok(BufferedMetricUpdate {
            metric: self.metric.object(py)?.clone_ref(py),
            value: self.value,
            attributes: self.attributes.object(py)?.clone_ref(py),
        })
    }
}

impl Metric {
    fn object(&self, py: Python<'_>) -> PyResult<&Py<BufferedMetric>> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.object.get_or_try_init(py, || {
            let MetricParameters { name, description, unit } = &self.parameters;
            let (description, unit) = (given(description), given(unit));
            Py::new(py, BufferedMetric { name: name.to_string(), description, unit, kind: self.kind as u8 })
        })
    }
}

impl Attributes {
    /// These after others, which they replace where names are the same.
    fn after(others: &[MetricKeyValue], added: Vec<MetricKeyValue>) -> MetricAttributes {
        let kept = others.iter().filter(|other| added.iter().all(|pair| pair.key != other.key));
        let pairs = kept.cloned().chain(added.iter().cloned()).collect();
        MetricAttributes::Dynamic(Arc::new(Self { pairs, object: PyOnceLock::new() }))
    }

    /// What is behind attributes of this buffer's meter, and none for others'.
    fn of(attributes: &MetricAttributes) -> Arc<Self> {
        let known = match attributes {
            MetricAttributes::Dynamic(attributes) => attributes.clone().as_any().downcast().ok(),
            _ => None,
        };
        known.unwrap_or_else(|| Arc::new(Self { pairs: Vec::new(), object: PyOnceLock::new() }))
    }

    fn object(&self, py: Python<'_>) -> PyResult<&Py<PyDict>> {
        self.object.get_or_try_init(py, || {
            let attributes = PyDict::new(py);
            for MetricKeyValue { key, value } in &self.pairs {
                match value {
                    MetricValue::String(value) => attributes.set_item(key, value)?,
                    MetricValue::Int(value) => attributes.set_item(key, value)?,
                    MetricValue::Float(value) => attributes.set_item(key, value)?,
                    MetricValue::Bool(value) => attributes.set_item(key, value)?,
                }
            }
            Ok(attributes.unbind())
        })
    }
}

impl CustomMetricAttributes for Attributes {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pairs.fmt(formatter)
    }
}

/// What Core and programs record with.
struct Meter(Arc<Updates>);

#[derive(Clone)]
struct Instrument {
    updates: Arc<Updates>,
    metric: Arc<Metric>,
}

struct Bound {
    instrument: Instrument,
    attributes: Arc<Attributes>,
}

impl Meter {
    fn instrument(&self, parameters: MetricParameters, kind: Kind) -> Arc<Instrument> {
        Arc::new(Instrument { metric: self.0.metric(parameters, kind), updates: self.0.clone() })
    }
}

impl Bound {
    fn push(&self, value: Value) {
        let Instrument { updates, metric } = &self.instrument;
        updates.push(Update { metric: metric.clone(), attributes: self.attributes.clone(), value });
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MetricBuffer")
    }
}

impl CoreMeter for Meter {
    fn new_attributes(&self, attributes: NewAttributes) -> MetricAttributes {
        Attributes::after(&self.0.global_tags, attributes.attributes)
    }

    fn extend_attributes(&self, existing: MetricAttributes, added: NewAttributes) -> MetricAttributes {
        Attributes::after(&Attributes::of(&existing).pairs, added.attributes)
    }

    fn counter(&self, parameters: MetricParameters) -> Counter {
        Counter::new(self.instrument(parameters, Kind::Counter))
    }

    fn histogram(&self, parameters: MetricParameters) -> Histogram {
        Histogram::new(self.instrument(parameters, Kind::Histogram))
    }

    fn histogram_f64(&self, parameters: MetricParameters) -> HistogramF64 {
        HistogramF64::new(self.instrument(parameters, Kind::Histogram))
    }

    fn histogram_duration(&self, parameters: MetricParameters) -> HistogramDuration {
        let unit = if self.0.durations_as_seconds { "s" } else { "ms" };
        HistogramDuration::new(self.instrument(MetricParameters { unit: unit.into(), ..parameters }, Kind::Histogram))
    }

    fn gauge(&self, parameters: MetricParameters) -> Gauge {
        Gauge::new(self.instrument(parameters, Kind::Gauge))
    }

    fn gauge_f64(&self, parameters: MetricParameters) -> GaugeF64 {
        GaugeF64::new(self.instrument(parameters, Kind::Gauge))
    }

    fn up_down_counter(&self, parameters: MetricParameters) -> UpDownCounter {
        UpDownCounter::new(self.instrument(parameters, Kind::Counter))
    }
}

macro_rules! recorded {
    ($($base:ident::$method:ident($value:ident: $type:ty) as $recorded:expr;)*) => {$(
        impl MetricAttributable<Box<dyn $base>> for Instrument {
            fn with_attributes(
                &self,
                attributes: &MetricAttributes,
            ) -> Result<Box<dyn $base>, Box<dyn std::error::Error>> {
                Ok(Box::new(Bound { instrument: self.clone(), attributes: Attributes::of(attributes) }))
            }
        }

        impl $base for Bound {
            fn $method(&self, $value: $type) {
                let recorded: fn(&Updates, $type) -> Value = $recorded;
                self.push(recorded(&self.instrument.updates, $value));
            }
        }
    )*};
}

recorded! {
    CounterBase::adds(value: u64) as |_, value| Value::Integer(value);
    HistogramBase::records(value: u64) as |_, value| Value::Integer(value);
    HistogramF64Base::records(value: f64) as |_, value| Value::Float(value);
    HistogramDurationBase::records(value: Duration) as |updates, value| {
        if updates.durations_as_seconds {
            Value::Float(value.as_secs_f64())
        } else {
            Value::Integer(value.as_millis().try_into().unwrap_or(u64::MAX))
        }
    };
    GaugeBase::records(value: u64) as |_, value| Value::Integer(value);
    GaugeF64Base::records(value: f64) as |_, value| Value::Float(value);
    UpDownCounterBase::adds(value: i64) as |_, value| Value::Signed(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(capacity: usize) -> MetricBuffer {
        MetricBuffer::new(capacity, false, HashMap::from([("team".to_owned(), "blue".to_owned())]))
    }

    #[test]
    fn updates_that_find_no_room_are_counted() {
        Python::initialize();
        let buffer = buffer(2);
        let meter = buffer.meter().unwrap();
        let counter = meter.counter("orders".into());
        let attributes = meter.new_attributes(NewAttributes::default());
        for _ in 0..5 {
            counter.add(1, &attributes);
        }
        Python::attach(|py| {
            let (updates, dropped) = buffer.take(py).unwrap();
            assert_eq!((updates.len(), dropped), (2, 3));
            let (updates, dropped) = buffer.take(py).unwrap();
            assert_eq!((updates.len(), dropped), (0, 0));
        });
    }

    #[test]
    fn metrics_and_attribute_sets_are_shared_by_their_updates() {
        Python::initialize();
        let buffer = buffer(10);
        let meter = buffer.meter().unwrap();
        let attributes = meter.new_attributes([MetricKeyValue::new("shop", "north")].into());
        let more = meter.extend_attributes(attributes.clone(), [MetricKeyValue::new("shop", "south")].into());
        meter.counter("orders".into()).add(1, &attributes);
        meter.counter("orders".into()).add(2, &attributes);
        meter.gauge("orders".into()).record(3, &more);
        Python::attach(|py| {
            let (updates, _) = buffer.take(py).unwrap();
            assert!(updates[0].metric.is(&updates[1].metric) && !updates[0].metric.is(&updates[2].metric));
            assert!(updates[0].attributes.is(&updates[1].attributes));
            let shown = |update: &BufferedMetricUpdate| update.attributes.bind(py).to_string();
            assert_eq!(shown(&updates[0]), "{'team': 'blue', 'shop': 'north'}");
            assert_eq!(shown(&updates[2]), "{'team': 'blue', 'shop': 'south'}");
        });
    }
}
