//! Spans of `tracing` and those of OpenTelemetry, for whoever makes the former and knows nothing of the latter.

use highstreet_foundation::trace::{Place, Traces, install as hand_over};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

struct Seam {
    /// The share of the traces begun here that are looked at, of all numbers of 64 bits.
    chosen: u64,
    ids: RandomIdGenerator,
}

/// Makes spans known; of the traces that are begun here this share.
pub(super) fn install(share: f64) {
    hand_over(Seam { chosen: of_all(share), ids: RandomIdGenerator::default() });
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a share")]
fn of_all(share: f64) -> u64 {
    (share.clamp(0.0, 1.0) * u64::MAX as f64) as u64
}

impl Traces for Seam {
    fn chosen(&self, parent: Option<&str>) -> bool {
        match parent.and_then(parse) {
            Some(parent) => parent.is_sampled(),
            None => self.chosen > 0 && u64::from_be_bytes(self.ids.new_span_id().to_bytes()) <= self.chosen,
        }
    }

    fn place(&self, parent: Option<&str>) -> Place {
        let trace = parent.and_then(parse).map_or_else(|| self.ids.new_trace_id(), |parent| parent.trace_id());
        let (trace, span) = (trace.to_bytes(), self.ids.new_span_id().to_bytes());
        Place { trace: u128::from_be_bytes(trace), span: u64::from_be_bytes(span) }
    }

    fn continue_from(&self, span: &Span, traceparent: &str) {
        if let Some(parent) = parse(traceparent) {
            // A span that nobody is told of has no parent.
            let _ = span.set_parent(Context::new().with_remote_span_context(parent));
        }
    }

    fn link(&self, span: &Span, traceparent: &str) {
        if let Some(other) = parse(traceparent) {
            span.add_link(other);
        }
    }

    fn traceparent(&self, span: &Span) -> Option<String> {
        let context = span.context();
        let told = context.span().span_context().clone();
        if !told.is_valid() {
            return None;
        }
        let (trace, own) = (told.trace_id(), told.span_id());
        note(span, Place { trace: u128::from_be_bytes(trace.to_bytes()), span: u64::from_be_bytes(own.to_bytes()) });
        Some(format!("00-{trace}-{own}-{:02x}", told.trace_flags().to_u8()))
    }
}

/// Lets lines that are written in this span say so.
fn note(span: &Span, place: Place) {
    span.with_subscriber(|(id, subscriber)| {
        let found = subscriber.downcast_ref::<Registry>().and_then(|registry| registry.span(id));
        if let Some(found) = found {
            found.extensions_mut().replace(place);
        }
    });
}

/// `version-trace-span-flags`. Later versions may say more behind that.
fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let mut part = |length: usize| parts.next().filter(|part| part.len() == length);
    part(2).filter(|version| *version != "ff")?;
    let trace = TraceId::from_hex(part(32)?).ok()?;
    let span = SpanId::from_hex(part(16)?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(part(2)?, 16).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_decided_stands_and_chance_decides_else() {
        let seam = |share| Seam { chosen: of_all(share), ids: RandomIdGenerator::default() };
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        for share in [0.0, 1.0] {
            assert!(seam(share).chosen(Some(&format!("{trace}-01"))));
            assert!(!seam(share).chosen(Some(&format!("{trace}-00"))));
            assert_eq!(seam(share).chosen(Some("nonsense")), share > 0.5);
        }
        let chosen = (0..10_000).filter(|_| seam(0.5).chosen(None)).count();
        assert!((4_000..6_000).contains(&chosen), "{chosen}");
        let own = seam(0.0).place(Some(&format!("{trace}-00"))).to_string();
        assert!(own.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && own.ends_with("-00"), "{own}");
        assert_ne!(own, format!("{trace}-00"));
    }

    #[test]
    fn a_traceparent_is_read_and_what_is_none_is_not() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = parse(text).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        assert!(parse(&text.replace("00-4b", "01-4b").replace("-01", "-01-more")).is_some(), "a later version");
        let wrong = ["", "00", "00-1-2-01", &text.replace("00-4b", "ff-4b"), &text.replace("4bf", "xyz")];
        for wrong in wrong.iter().chain([&"00-00000000000000000000000000000000-00f067aa0ba902b7-01"]) {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
