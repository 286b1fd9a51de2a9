//! Where traces and metrics go.

use clap::Args;
use highstreet_telemetry::Metrics;
use highstreet_telemetry::otlp::{Otlp, OtlpSettings};
use uuid::Uuid;

use super::Role;

/// By this other programs know where a collector is.
const STANDARD: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Where traces and metrics go.
#[derive(Args, Clone, Debug, PartialEq)]
pub struct TelemetryArgs {
    /// The collector that traces and metrics are told to, by OTLP over gRPC, such as `http://127.0.0.1:4317`; without one
    /// nothing is. `OTEL_EXPORTER_OTLP_ENDPOINT` says so too.
    #[arg(long, env = "HIGHSTREET_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// The share of traces that are told, 0 to 1. A trace that a caller began is told if the caller tells it.
    #[arg(long, env = "HIGHSTREET_TRACE_SAMPLE", default_value_t = 0.01, value_parser = share, value_name = "SHARE")]
    pub trace_sample: f64,
}

// === impl TelemetryArgs ===

impl TelemetryArgs {
    /// A way to the collector, if there is one. To be called within a runtime, first thing.
    pub fn open(&self, roles: &[Role]) -> Result<Option<Otlp>, String> {
        let standard = || std::env::var(STANDARD).ok();
        let Some(endpoint) = self.otlp_endpoint.clone().or_else(standard).filter(|it| !it.is_empty()) else {
            return Ok(None);
        };
        // What is dropped is counted from the beginning.
        Metrics::install().map_err(|error| error.to_string())?;
        let settings = OtlpSettings {
            endpoint,
            sample: self.trace_sample,
            service: service(roles),
            version: env!("CARGO_PKG_VERSION").into(),
            instance: Uuid::now_v7().to_string(),
        };
        Otlp::open(&settings).map(Some).map_err(|error| error.to_string())
    }
}

/// What a process that has these roles is called.
fn service(roles: &[Role]) -> String {
    match roles {
        [Role::Context(context)] => format!("highstreet-{context}"),
        [Role::Gateway] => "highstreet-gateway".into(),
        _ => "highstreet".into(),
    }
}

fn share(text: &str) -> Result<f64, &'static str> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("must be a share between 0 and 1; write it like 0.01")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ContextName;

    #[test]
    fn a_process_of_one_context_is_called_after_it() {
        assert_eq!(service(&[Role::Context(ContextName::Ordering)]), "highstreet-ordering");
        assert_eq!(service(&[Role::Gateway]), "highstreet-gateway");
        assert_eq!(service(&[]), "highstreet");
    }

    #[test]
    fn a_share_lies_between_nothing_and_all() {
        assert_eq!((share("0"), share("0.25"), share("1")), (Ok(0.0), Ok(0.25), Ok(1.0)));
        for wrong in ["-0.1", "1.01", "NaN", "half"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }
}
