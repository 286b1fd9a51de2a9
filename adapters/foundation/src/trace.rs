//! Spans across processes: the seam between adapters, which make spans with `tracing` alone, and whoever tells them to a
//! collector.
//!
//! What connects spans is text, the W3C `traceparent`, and it travels where the story of a change travels: in the
//! headers of calls and messages and in the [`Origin`](highstreet_domain::kernel::Origin) of every event. Whoever makes
//! a span makes it a child of what that text names, and hands on its own. Without a collector nothing is made at all;
//! in a trace that nobody looks at (its last two digits say so) a call that arrives has a [`Place`] and no span.

use std::fmt;
use std::future::Future;
use std::sync::OnceLock;

use highstreet_domain::kernel::Message;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

/// Whoever tells a collector of spans.
pub trait Traces: Send + Sync {
    /// Whether somebody is to look at a call that arrives with this `traceparent`, or none: as its caller decided, or by
    /// chance.
    fn chosen(&self, parent: Option<&str>) -> bool;
    /// A place in the trace that `parent` names, or else in a new one.
    fn place(&self, parent: Option<&str>) -> Place;
    /// Makes a span that was just made a child of the span that a `traceparent` names, wherever that is.
    fn continue_from(&self, span: &Span, traceparent: &str);
    /// Links a span to the one that a `traceparent` names.
    fn link(&self, span: &Span, traceparent: &str);
    /// How others continue from a span.
    fn traceparent(&self, span: &Span) -> Option<String>;
}

/// Where something happens that nobody looks at: it costs next to nothing, and tells lines of the log their trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The trace.
    pub trace: u128,
    /// What stands for a span in it.
    pub span: u64,
}

tokio::task_local! {
    static HERE: Option<Place>;
}

static TRACES: OnceLock<Box<dyn Traces>> = OnceLock::new();

/// From now on spans are made, and `traces` is told. Once; who comes later is not heard.
pub fn install(traces: impl Traces + 'static) {
    TRACES.get_or_init(|| Box::new(traces));
}

/// Whether anybody is told of spans.
pub fn is_on() -> bool {
    TRACES.get().is_some()
}

/// The `traceparent` of a trace that somebody looks at; the others need no spans.
pub fn looked_at(traceparent: Option<&str>) -> Option<&str> {
    traceparent.filter(|it| is_on() && is_sampled(it))
}

/// Whether somebody looks at a call that arrives with this `traceparent`, or none.
pub fn chosen(parent: Option<&str>) -> bool {
    TRACES.get().is_some_and(|traces| traces.chosen(parent))
}

/// A place for what nobody looks at, in the trace that `parent` names or else in a new one.
pub fn unseen(parent: Option<&str>) -> Option<Place> {
    TRACES.get().map(|traces| traces.place(parent))
}

/// Does `work` in a span, and at a place if nobody looks at it.
pub fn within<F: Future>(span: Span, place: Option<Place>, work: F) -> impl Future<Output = F::Output> {
    HERE.scope(place, work).instrument(span)
}

/// Does `work` where the caller is, whoever does it.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    within(Span::current(), here(), work)
}

/// The place of what is done, if nobody looks at it.
pub fn here() -> Option<Place> {
    HERE.try_with(|here| *here).ok().flatten()
}

/// Whether the last two digits, which are flags, say that the trace is looked at.
fn is_sampled(traceparent: &str) -> bool {
    let flags = traceparent.rsplit('-').next().and_then(|flags| u8::from_str_radix(flags, 16).ok());
    flags.is_some_and(|flags| flags & 1 == 1)
}

/// Makes a span that was just made a child of the one that `parent` names, if that is one.
pub fn continue_from(span: &Span, parent: Option<&str>) {
    if let (Some(traces), Some(parent)) = (TRACES.get(), parent) {
        traces.continue_from(span, parent);
    }
}

/// How others continue from a span.
pub fn traceparent(span: &Span) -> Option<String> {
    TRACES.get()?.traceparent(span)
}

/// The `traceparent` of the span that the caller is in, if somebody looks at its trace.
pub fn current() -> Option<String> {
    let traces = TRACES.get()?;
    let span = Span::current();
    if span.is_none() {
        return None;
    }
    traces.traceparent(&span).filter(|it| is_sampled(it))
}

/// The span of a store's work for a context, on behalf of `parent`. None in a trace that nobody looks at.
pub fn storing(system: &'static str, operation: &'static str, context: &str, parent: Option<&str>) -> Span {
    let Some(parent) = looked_at(parent) else { return Span::none() };
    let span = info_span!(
        "store",
        otel.name = format!("{operation} {context}"),
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = system,
        db.operation.name = operation,
        db.namespace = context,
    );
    continue_from(&span, Some(parent));
    span
}

/// The span of a message on its way to a bus. None in a trace that nobody looks at.
pub fn sending(system: &'static str, message: &Message) -> Span {
    let Some(parent) = looked_at(message.origin.trace.as_deref()) else { return Span::none() };
    let destination = format!("{}.{}", message.source, message.name);
    let span = info_span!(
        "send",
        otel.name = format!("send {destination}"),
        otel.kind = "producer",
        otel.status_code = Empty,
        messaging.system = system,
        messaging.operation.name = "publish",
        messaging.operation.type = "send",
        messaging.destination.name = destination,
        messaging.message.id = %message.id,
    );
    continue_from(&span, Some(parent));
    span
}

/// The span of handling a message: it continues the trace, and is linked to the span that sent it, from which it may be
/// hours away. None in a trace that nobody looks at.
pub fn handling(system: &'static str, consumer: &str, message: &Message) -> Span {
    let Some(parent) = looked_at(message.origin.trace.as_deref()) else { return Span::none() };
    let destination = format!("{}.{}", message.source, message.name);
    let span = info_span!(
        parent: None,
        "process",
        otel.name = format!("process {destination}"),
        otel.kind = "consumer",
        otel.status_code = Empty,
        messaging.system = system,
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = destination,
        messaging.consumer.group.name = consumer,
        messaging.message.id = %message.id,
    );
    continue_from(&span, Some(parent));
    if let Some(traces) = TRACES.get() {
        traces.link(&span, parent);
    }
    span
}

/// A step that a context takes outside itself. None in a trace that nobody looks at.
pub fn stepping(context: &'static str, aggregate: &'static str, parent: Option<&str>) -> Span {
    let Some(parent) = looked_at(parent) else { return Span::none() };
    let span = info_span!(
        "step",
        otel.name = format!("step {aggregate}"),
        otel.kind = "internal",
        otel.status_code = Empty,
        highstreet.context = context,
        highstreet.aggregate = aggregate,
        highstreet.outcome = Empty,
    );
    continue_from(&span, Some(parent));
    span
}

/// What a span is about did not go well.
pub fn failed(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

// === impl Place ===

/// As `traceparent`, for those who continue from there.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-00", self.trace, self.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_say_whether_anybody_looks() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        for (flags, sampled) in [("01", true), ("00", false), ("03", true), ("02", false), ("xx", false)] {
            assert_eq!(is_sampled(&format!("{trace}-{flags}")), sampled, "{flags}");
        }
        assert!(!is_sampled(""));
        assert_eq!(looked_at(Some(&format!("{trace}-01"))), None, "nobody is told");
    }

    #[tokio::test]
    async fn what_is_done_for_a_call_is_done_at_its_place() {
        let place = Place { trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, span: 0x00f0_67aa_0ba9_02b7 };
        assert_eq!(place.to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
        let done = within(Span::none(), Some(place), async { tokio::spawn(carried(async { here() })).await });
        assert_eq!(done.await.unwrap(), Some(place));
        assert_eq!(here(), None);
    }
}
