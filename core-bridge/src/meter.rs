//! Metrics of user code. They go where Core's own go.

use pyo3::prelude::*;
use temporalio_common::telemetry::metrics::{
    Counter, CounterBase, Gauge, GaugeBase, GaugeF64, GaugeF64Base, Histogram, HistogramBase, HistogramDuration,
    HistogramDurationBase, HistogramF64, HistogramF64Base, MetricAttributable, MetricAttributes, MetricParameters,
    TemporalMeter,
};

use crate::errors::Error;
use crate::runtime::RuntimeRef;

mod scope;
mod values;

use self::scope::Scope;
use self::values::{duration, float, integer};

/// Makes metrics, which all have the meter's attributes.
#[pyclass(frozen, module = "invincible._native")]
pub struct MetricMeter(Scope);

/// One kind of metric: what it is called, and Core's part of it with the attributes bound.
struct Metric<I> {
    name: String,
    description: Option<String>,
    unit: Option<String>,
    instrument: I,
    scope: Scope,
}

/// The class of one kind of metric: `record(value)` checks its value by `take` and passes it to `core`.
macro_rules! metric {
    ($(#[doc = $doc:literal])+ $class:ident($instrument:ty): $record:ident by $take:ident and $core:ident) => {
        $(#[doc = $doc])+
        #[pyclass(frozen, module = "invincible._native")]
        pub struct $class(Metric<$instrument>);

        #[pymethods]
        impl $class {
            #[getter]
            fn name(&self) -> &str {
                &self.0.name
            }

            #[getter]
            fn description(&self) -> Option<&str> {
                self.0.description.as_deref()
            }

            #[getter]
            fn unit(&self) -> Option<&str> {
                self.0.unit.as_deref()
            }

            fn with_additional_attributes(&self, additional_attributes: &Bound<'_, PyAny>) -> PyResult<Self> {
                self.0.with_additional_attributes(additional_attributes).map(Self)
            }

            #[pyo3(signature = (value, additional_attributes = None))]
            fn $record(
                &self,
                value: &Bound<'_, PyAny>,
                additional_attributes: Option<&Bound<'_, PyAny>>,
            ) -> PyResult<()> {
                self.0.scope.runtime.check_process()?;
                let value = $take(&self.0.name, value)?;
                match additional_attributes {
                    None => self.0.instrument.$core(value),
                    Some(attributes) => self.0.with_additional_attributes(attributes)?.instrument.$core(value),
                }
                Ok(())
            }
        }
    };
}

metric! {
    /// A sum of integers.
    MetricCounter(Counter): add by integer and adds
}
metric! {
    /// A distribution of integers.
    MetricHistogram(Histogram): record by integer and records
}
metric! {
    /// A distribution of floats.
    MetricHistogramFloat(HistogramF64): record by float and records
}
metric! {
    /// A distribution of durations.
    MetricHistogramTimedelta(HistogramDuration): record by duration and records
}
metric! {
    /// A current integer.
    MetricGauge(Gauge): set by integer and records
}
metric! {
    /// A current float.
    MetricGaugeFloat(GaugeF64): set by float and records
}

#[pymethods]
impl MetricMeter {
    fn with_additional_attributes(&self, additional_attributes: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.0.extended("metric meter", additional_attributes).map(Self)
    }

    #[pyo3(signature = (name, description = None, unit = None))]
    fn create_counter(
        &self,
        name: String,
        description: Option<String>,
        unit: Option<String>,
    ) -> PyResult<MetricCounter> {
        Metric::new(&self.0, name, description, unit, |meter, it| meter.counter(it)).map(MetricCounter)
    }

    #[pyo3(signature = (name, description = None, unit = None))]
    fn create_histogram(
        &self,
        name: String,
        description: Option<String>,
        unit: Option<String>,
    ) -> PyResult<MetricHistogram> {
        Metric::new(&self.0, name, description, unit, |meter, it| meter.histogram(it)).map(MetricHistogram)
    }

    #[pyo3(signature = (name, description = None, unit = None))]
    fn create_histogram_float(
        &self,
        name: String,
        description: Option<String>,
        unit: Option<String>,
    ) -> PyResult<MetricHistogramFloat> {
        Metric::new(&self.0, name, description, unit, |meter, it| meter.histogram_f64(it)).map(MetricHistogramFloat)
    }

    #[pyo3(signature = (name, description = None, unit = None))]
    fn create_histogram_timedelta(
        &self,
        name: String,
        description: Option<String>,
        unit: Option<String>,
    ) -> PyResult<MetricHistogramTimedelta> {
        Metric::new(&self.0, name, description, unit, |meter, it| meter.histogram_duration(it))
            .map(MetricHistogramTimedelta)
    }

    #[pyo3(signature = (name, description = None, unit = None))]
    fn create_gauge(&self, name: String, description: Option<String>, unit: Option<String>) -> PyResult<MetricGauge> {
        Metric::new(&self.0, name, description, unit, |meter, it| meter.gauge(it)).map(MetricGauge)
    }

    #[pyo3(signature = (name, description = None, unit = None))]
    fn create_gauge_float(
        &self,
        name: String,
        description: Option<String>,
        unit: Option<String>,
    ) -> PyResult<MetricGaugeFloat> {
        Metric::new(&self.0, name, description, unit, |meter, it| meter.gauge_f64(it)).map(MetricGaugeFloat)
    }
}

impl MetricMeter {
    /// The meter of a runtime; `None` if it exports no metrics.
    pub fn of(runtime: RuntimeRef) -> Result<Option<Self>, Error> {
        let meter = runtime.core()?.telemetry().get_metric_meter();
        let scope = |meter: TemporalMeter| Scope { attributes: meter.get_default_attributes().clone(), meter, runtime };
        Ok(meter.map(scope).map(Self))
    }
}

impl<I: MetricAttributable<I>> Metric<I> {
    fn new(
        scope: &Scope,
        name: String,
        description: Option<String>,
        unit: Option<String>,
        create: impl FnOnce(&TemporalMeter, MetricParameters) -> I,
    ) -> PyResult<Self> {
        scope.runtime.check_process()?;
        scope.check_metric_name(&name)?;
        let parameters = MetricParameters::builder()
            .name(name.clone())
            .description(description.clone().unwrap_or_default())
            .unit(unit.clone().unwrap_or_default())
            .build();
        let instrument = bound(&create(&scope.meter, parameters), &scope.attributes)?;
        Ok(Self { name, description, unit, instrument, scope: scope.clone() })
    }

    fn with_additional_attributes(&self, attributes: &Bound<'_, PyAny>) -> PyResult<Self> {
        let scope = self.scope.extended(&format!("metric {:?}", self.name), attributes)?;
        let (name, description, unit) = (self.name.clone(), self.description.clone(), self.unit.clone());
        Ok(Self { name, description, unit, instrument: bound(&self.instrument, &scope.attributes)?, scope })
    }
}

fn bound<I: MetricAttributable<I>>(instrument: &I, attributes: &MetricAttributes) -> Result<I, Error> {
    instrument.with_attributes(attributes).map_err(|error| Error::InvalidArgument(error.to_string()))
}
