//! Where metrics are recorded, and with which attributes; the names that exporters take.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyMapping};
use temporalio_common::telemetry::metrics::{MetricAttributes, MetricKeyValue, MetricValue, TemporalMeter};

use crate::runtime::RuntimeRef;

#[derive(Clone)]
pub struct Scope {
    pub attributes: MetricAttributes,
    pub meter: TemporalMeter,
    /// Dropped after the meter: the last hold on an exporter waits for its last export, which is the runtime's to do.
    pub runtime: RuntimeRef,
}

impl Scope {
    pub fn extended(&self, owner: &str, attributes: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.runtime.check_process()?;
        let Ok(attributes) = attributes.cast::<PyMapping>() else {
            let type_name = attributes.get_type().name()?;
            return Err(PyTypeError::new_err(format!("attributes of {owner} must be a mapping, got {type_name}")));
        };
        let mut added = Vec::new();
        for item in attributes.items()? {
            let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            added.push(MetricKeyValue {
                key: self.attribute_name(owner, &key)?,
                value: attribute(owner, &key, &value)?,
            });
        }
        let attributes = self.meter.extend_attributes(self.attributes.clone(), added.into());
        Ok(Self { attributes, ..self.clone() })
    }

    fn attribute_name(&self, owner: &str, key: &Bound<'_, PyAny>) -> PyResult<String> {
        let Ok(name) = key.extract::<String>() else {
            let type_name = key.get_type().name()?;
            return Err(PyTypeError::new_err(format!("names of attributes of {owner} must be str, got {type_name}")));
        };
        let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '-';
        if self.is_prometheus() && !is_name(&name, letter, letter) {
            return Err(PyValueError::new_err(format!(
                "attribute {name:?} of {owner}: a name for Prometheus has letters, digits, _ and -, and begins with none \
                 of the digits"
            )));
        }
        Ok(name)
    }

    /// Exporters drop a metric whose name they cannot export, and say so in a log at best.
    pub fn check_metric_name(&self, name: &str) -> PyResult<()> {
        // No exporter, no rules.
        if matches!(self.attributes, MetricAttributes::Dynamic(_)) {
            return Ok(());
        }
        let word = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '-';
        let (valid, rule) = if self.is_prometheus() {
            let valid = is_name(name, |c| word(c) || c == ':', |c| word(c) || c == ':');
            (valid, "for Prometheus it has letters, digits, _, - and :, and begins with none of the digits")
        } else {
            let valid = is_name(name, |c| c.is_ascii_alphabetic(), |c| word(c) || c == '.' || c == '/');
            (
                valid && name.len() <= 255,
                "for OpenTelemetry it has at most 255 letters, digits, _, -, . and /, the first a letter",
            )
        };
        if valid { Ok(()) } else { Err(PyValueError::new_err(format!("metric name {name:?}: {rule}"))) }
    }

    fn is_prometheus(&self) -> bool {
        matches!(self.attributes, MetricAttributes::Prometheus { .. })
    }
}

fn is_name(name: &str, begins: impl Fn(char) -> bool, goes_on: impl Fn(char) -> bool) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(begins) && letters.all(|c| c.is_ascii_digit() || goes_on(c))
}

fn attribute(owner: &str, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<MetricValue> {
    if let Ok(text) = value.extract::<String>() {
        Ok(text.into())
    } else if let Ok(truth) = value.extract::<bool>() {
        Ok(truth.into())
    } else if value.is_instance_of::<PyInt>() {
        let too_large =
            |_| PyValueError::new_err(format!("attribute {key} of {owner} does not fit in 64 bits: {value}"));
        value.extract::<i64>().map(MetricValue::from).map_err(too_large)
    } else if let Ok(number) = value.cast::<PyFloat>() {
        Ok(number.value().into())
    } else {
        let type_name = value.get_type().name()?;
        Err(PyTypeError::new_err(format!(
            "attribute {key} of {owner} must be a str, int, float or bool, got {type_name}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_no_digit() {
        let letter = |c: char| c.is_ascii_alphabetic();
        assert!(is_name("a1", letter, letter));
        for name in ["", "1a", "a b", "ä"] {
            assert!(!is_name(name, letter, letter), "{name}");
        }
    }

    #[test]
    fn attributes_keep_their_types() {
        Python::initialize();
        Python::attach(|py| {
            let value = |expression| {
                let key = py.eval(c"'key'", None, None).unwrap();
                attribute("metric", &key, &py.eval(expression, None, None).unwrap())
            };
            assert_eq!(value(c"'x'").unwrap(), MetricValue::from("x"));
            assert_eq!(value(c"True").unwrap(), MetricValue::Bool(true));
            assert_eq!(value(c"3").unwrap(), MetricValue::Int(3));
            assert_eq!(value(c"1.0").unwrap(), MetricValue::Float(1.0));
            assert!(value(c"None").unwrap_err().is_instance_of::<PyTypeError>(py));
            assert!(value(c"2**64").unwrap_err().is_instance_of::<PyValueError>(py));
        });
    }
}
