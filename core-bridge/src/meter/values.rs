//! Values of metrics, checked: Core takes what it gets.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

pub fn integer(metric: &str, value: &Bound<'_, PyAny>) -> PyResult<u64> {
    value.extract().or_else(|error| refuse(metric, "an int from 0 to 2**64 - 1", value, Some(error)))
}

pub fn float(metric: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    const EXPECTED: &str = "a float that is not negative";
    match value.extract() {
        Ok(number) if number >= 0.0 => Ok(number),
        Ok(_) => refuse(metric, EXPECTED, value, None),
        Err(error) => refuse(metric, EXPECTED, value, Some(error)),
    }
}

pub fn duration(metric: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    value.extract().or_else(|error| refuse(metric, "a timedelta that is not negative", value, Some(error)))
}

fn refuse<T>(metric: &str, expected: &str, value: &Bound<'_, PyAny>, error: Option<PyErr>) -> PyResult<T> {
    Err(if error.is_some_and(|error| error.is_instance_of::<PyTypeError>(value.py())) {
        let type_name = value.get_type().name()?;
        PyTypeError::new_err(format!("metric {metric:?} takes {expected}, got {type_name}"))
    } else {
        PyValueError::new_err(format!("metric {metric:?} takes {expected}, got {value}"))
    })
}
