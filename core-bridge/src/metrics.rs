//! Where Core's metrics go.

use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use temporalio_common::telemetry::metrics::CoreMeter;
use temporalio_common::telemetry::{
    HistogramBucketOverrides, MetricTemporality, OtelCollectorOptions, OtlpProtocol, PrometheusExporterOptions,
    build_otlp_metric_exporter, start_prometheus_metric_exporter,
};
use temporalio_sdk_core::Url;

use crate::errors::Error;
use crate::metric_buffer::MetricBuffer;
use crate::record::record;
use crate::runtime::seconds;

/// Starts an exporter; to be called in the context of the runtime's threads.
pub type Start = Box<dyn FnOnce() -> Result<Arc<dyn CoreMeter>, Error> + Send>;

record! {
    /// An endpoint that Prometheus scrapes, at `bind_address` ("host:port").
    PrometheusExporter {
        bind_address: String,
        counters_total_suffix: bool = false,
        unit_suffix: bool = false,
        durations_as_seconds: bool = false,
        histogram_bucket_overrides: HashMap<String, Vec<f64>> = HashMap::new(),
        global_tags: HashMap<String, String> = HashMap::new(),
    }
}

record! {
    /// Export to an OpenTelemetry collector at `url`, every `metric_periodicity` seconds.
    OtlpExporter {
        url: String,
        headers: HashMap<String, String> = HashMap::new(),
        metric_periodicity: f64 = 1.0,
        delta_temporality: bool = false,
        durations_as_seconds: bool = false,
        http: bool = false,
        histogram_bucket_overrides: HashMap<String, Vec<f64>> = HashMap::new(),
        global_tags: HashMap<String, String> = HashMap::new(),
    }
}

pub fn prometheus(exporter: &PrometheusExporter) -> Result<Start, Error> {
    let address = exporter.bind_address.clone();
    let options = PrometheusExporterOptions::builder()
        .socket_addr(socket_address(&address)?)
        .global_tags(exporter.global_tags.clone())
        .counters_total_suffix(exporter.counters_total_suffix)
        .unit_suffix(exporter.unit_suffix)
        .use_seconds_for_durations(exporter.durations_as_seconds)
        .histogram_bucket_overrides(HistogramBucketOverrides { overrides: exporter.histogram_bucket_overrides.clone() })
        .build();
    Ok(Box::new(move || match start_prometheus_metric_exporter(options) {
        Ok(server) => Ok(server.meter),
        Err(error) => Err(Error::Setup(format!("could not serve Prometheus metrics at {address}: {error:#}"))),
    }))
}

pub fn otlp(exporter: &OtlpExporter) -> Result<Start, Error> {
    let url = Url::parse(&exporter.url).map_err(|error| {
        Error::InvalidArgument(format!("OpenTelemetry url {:?} is not a URL: {error}", exporter.url))
    })?;
    let options = OtelCollectorOptions::builder()
        .url(url)
        .headers(exporter.headers.clone())
        .metric_periodicity(seconds("metric_periodicity", exporter.metric_periodicity)?)
        .metric_temporality(match exporter.delta_temporality {
            true => MetricTemporality::Delta,
            false => MetricTemporality::Cumulative,
        })
        .global_tags(exporter.global_tags.clone())
        .use_seconds_for_durations(exporter.durations_as_seconds)
        .histogram_bucket_overrides(HistogramBucketOverrides { overrides: exporter.histogram_bucket_overrides.clone() })
        .protocol(if exporter.http { OtlpProtocol::Http } else { OtlpProtocol::Grpc })
        .build();
    Ok(Box::new(move || match build_otlp_metric_exporter(options) {
        Ok(meter) => Ok(Arc::new(meter)),
        // The headers may hold credentials and could be quoted by the cause, so it is not repeated.
        Err(_) => Err(Error::Setup("could not start the OpenTelemetry exporter: check its url and headers".to_owned())),
    }))
}

pub fn buffer(buffer: &MetricBuffer) -> Result<Start, Error> {
    let meter = buffer.meter()?;
    Ok(Box::new(move || Ok(meter)))
}

fn socket_address(address: &str) -> Result<SocketAddr, Error> {
    let invalid = || Error::InvalidArgument(format!("bind_address {address:?} is not host:port"));
    address.to_socket_addrs().map_err(|_| invalid())?.next().ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bind_addresses_may_be_names_or_numbers() {
        assert_eq!(socket_address("127.0.0.1:9000").unwrap().port(), 9000);
        assert!(socket_address("localhost:9000").unwrap().ip().is_loopback());
        assert!(socket_address("9000").is_err());
    }
}
