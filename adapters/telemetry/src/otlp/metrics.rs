//! Metrics to the collector: what `/metrics` says, in other words. There is one account of what happens, whoever reads
//! it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{counter, describe_counter};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use tonic::transport::Channel;

use super::spans::DROPPED;
use super::text::{self, Family, Labels, Sample};
use super::{OURS, PATIENCE};
use crate::Metrics;

const EVERY: Duration = Duration::from_secs(10);

/// From when on counters count, and now, in nanoseconds since the epoch.
#[derive(Clone, Copy)]
struct Times {
    since: u64,
    now: u64,
}

/// Tells the collector every few seconds, for as long as it is polled.
pub(super) async fn tell(channel: Channel, resource: &[(&'static str, String)], metrics: &Metrics) {
    describe_counter!(DROPPED, "Spans and metrics that the collector did not take, or not in time.");
    let dropped = counter!(DROPPED, "signal" => "metrics");
    dropped.increment(0);
    let mut collector = MetricsServiceClient::new(channel);
    let since = now();
    let mut pause = tokio::time::interval(EVERY);
    pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        pause.tick().await;
        let metrics = translated(&metrics.render(), Times { since, now: now() });
        let count = metrics.len();
        let request = request(resource, metrics);
        if !matches!(tokio::time::timeout(PATIENCE, collector.export(request)).await, Ok(Ok(_))) {
            dropped.increment(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a collector is told when, nothing is decided by it")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn request(resource: &[(&'static str, String)], metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let attributes = resource.iter().map(|(key, value)| attribute(key, value)).collect();
    let scope = InstrumentationScope { name: OURS.into(), ..Default::default() };
    let told = ScopeMetrics { scope: Some(scope), metrics, ..Default::default() };
    let resource = Resource { attributes, ..Default::default() };
    let resource = ResourceMetrics { resource: Some(resource), scope_metrics: vec![told], ..Default::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

fn translated(text: &str, times: Times) -> Vec<Metric> {
    let metrics = text::read(text).into_iter().filter_map(|(name, family)| {
        let unit = if name.ends_with("_seconds") { "s" } else { "" };
        let (description, data) = (family.help.clone(), data(&family, times)?);
        Some(Metric { name, description, unit: unit.into(), data: Some(data), ..Default::default() })
    });
    metrics.collect()
}

fn data(family: &Family, times: Times) -> Option<Data> {
    let temporality = AggregationTemporality::Cumulative.into();
    let points = || family.samples.iter().map(|sample| point(sample, times)).collect();
    match family.kind.as_str() {
        "gauge" => Some(Data::Gauge(Gauge { data_points: points() })),
        "counter" => {
            let sum = Sum { data_points: points(), aggregation_temporality: temporality, is_monotonic: true };
            Some(Data::Sum(sum))
        }
        "histogram" => {
            let data_points = histograms(family, times);
            Some(Data::Histogram(Histogram { data_points, aggregation_temporality: temporality }))
        }
        _ => None,
    }
}

fn point(sample: &Sample, Times { since, now }: Times) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(&sample.labels),
        start_time_unix_nano: since,
        time_unix_nano: now,
        value: Some(Number::AsDouble(sample.value)),
        ..Default::default()
    }
}

/// The lines of each histogram, put together. Prometheus counts whatever is below a bound, OTLP what lies between two.
fn histograms(family: &Family, Times { since, now }: Times) -> Vec<HistogramDataPoint> {
    let mut points: BTreeMap<Labels, HistogramDataPoint> = BTreeMap::new();
    let mut below: BTreeMap<Labels, u64> = BTreeMap::new();
    for Sample { end, labels, value } in &family.samples {
        let (bound, labels): (Vec<_>, Vec<_>) = labels.iter().cloned().partition(|(label, _)| label == "le");
        let point = points.entry(labels.clone()).or_insert_with(|| HistogramDataPoint {
            attributes: attributes(&labels),
            start_time_unix_nano: since,
            time_unix_nano: now,
            ..Default::default()
        });
        match *end {
            "_sum" => point.sum = Some(*value),
            "_count" => point.count = whole(*value),
            _ => {
                let below = below.entry(labels).or_default();
                point.bucket_counts.push(whole(*value).saturating_sub(*below));
                *below = whole(*value);
                let bound = bound.first().and_then(|(_, bound)| bound.parse::<f64>().ok());
                point.explicit_bounds.extend(bound.filter(|bound| bound.is_finite()));
            }
        }
    }
    points.into_values().collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, as it was written")]
fn whole(count: f64) -> u64 {
    count as u64
}

fn attributes(labels: &[(String, String)]) -> Vec<KeyValue> {
    labels.iter().map(|(key, value)| attribute(key, value)).collect()
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = AnyValue { value: Some(Value::StringValue(value.to_owned())) };
    KeyValue { key: key.to_owned(), value: Some(value), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_what_lies_between_bounds() {
        let text = "# HELP calls_seconds How long.\n# TYPE calls_seconds histogram\n\
                    calls_seconds_bucket{to=\"a\",le=\"0.5\"} 2\ncalls_seconds_bucket{to=\"a\",le=\"1\"} 5\n\
                    calls_seconds_bucket{to=\"a\",le=\"+Inf\"} 6\ncalls_seconds_sum{to=\"a\"} 4.5\n\
                    calls_seconds_count{to=\"a\"} 6\n# TYPE made_total counter\nmade_total 3\n";
        let metrics = translated(text, Times { since: 1, now: 2 });
        assert_eq!((metrics[0].name.as_str(), metrics[0].unit.as_str()), ("calls_seconds", "s"));
        let Some(Data::Histogram(histogram)) = &metrics[0].data else { panic!("{metrics:?}") };
        let point = &histogram.data_points[0];
        assert_eq!(
            (point.bucket_counts.as_slice(), point.explicit_bounds.as_slice()),
            ([2, 3, 1].as_slice(), [0.5, 1.0].as_slice())
        );
        assert_eq!((point.count, point.sum, point.start_time_unix_nano), (6, Some(4.5), 1));
        let Some(Data::Sum(sum)) = &metrics[1].data else { panic!("{metrics:?}") };
        assert!(sum.is_monotonic && sum.data_points[0].value == Some(Number::AsDouble(3.0)));
    }
}
