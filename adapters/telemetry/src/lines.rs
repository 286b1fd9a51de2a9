//! Lines of the log that say in which span they were written.

use std::fmt;

use highstreet_foundation::trace::{self, Place};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// Lines as `inner` writes them, and in which span.
#[derive(Clone, Debug)]
pub(crate) struct Traced<F> {
    inner: F,
    json: bool,
}

// === impl Traced ===

impl<F> Traced<F> {
    /// Lines that are JSON objects.
    pub(crate) fn json(inner: F) -> Self {
        Self { inner, json: true }
    }

    /// Lines for people.
    pub(crate) fn human(inner: F) -> Self {
        Self { inner, json: false }
    }

    fn end(&self, line: &str, Place { trace, span }: Place, writer: &mut Writer<'_>) -> fmt::Result {
        match line.strip_suffix("}\n") {
            Some(object) if self.json => {
                writeln!(writer, "{object},\"trace_id\":\"{trace:032x}\",\"span_id\":\"{span:016x}\"}}")
            }
            _ => writeln!(writer, "{} trace_id={trace:032x} span_id={span:016x}", line.trim_end()),
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for Traced<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut spans = context.event_scope().into_iter().flatten();
        let told = spans.find_map(|span| span.extensions().get::<Place>().copied());
        let Some(place) = told.or_else(trace::here) else {
            return self.inner.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.inner.format_event(context, Writer::new(&mut line), event)?;
        self.end(&line, place, &mut writer)
    }
}
