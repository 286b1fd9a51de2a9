//! How far a case has come, drawn: the stations it passes, and every step of every context that took part.

use highstreet_wire::proto::tracking::{Trace, TraceKind, TraceStep};
use maud::{Markup, html};

use crate::lang::Lang;
use crate::show::Clock;

/// Between two lanes, and between two steps, in pixels; the steps beside the drawing are as high.
const LANE: usize = 18;
const STEP: usize = 30;
/// How many lanes have a colour of their own.
const COLOURS: usize = 6;

/// A station, and by which events it is reached.
type Station = (&'static str, &'static [&'static str]);

const ORDER: [Station; 5] = [
    ("ORDERED", &["OrderPlaced"]),
    ("PAID", &["OrderPaid"]),
    ("READY", &["PreparationReady"]),
    ("SHIPPED", &["Shipped"]),
    ("COMPLETED", &["OrderCompleted"]),
];
const BOOKING: [Station; 4] = [
    ("PAID", &["PaymentApproved"]),
    ("CONFIRMED", &["BookingConfirmed"]),
    ("ISSUED", &["TicketIssued"]),
    ("COLLECTED", &["TicketCollected"]),
];
const RESERVATION: [Station; 2] = [("REQUESTED", &["ReservationRequested"]), ("CONFIRMED", &["ReservationConfirmed"])];
/// What ends a case early, and what it is then.
const ENDS: [(&str, &str); 5] = [
    ("OrderCancelled", "CANCELLED"),
    ("BookingCancelled", "CANCELLED"),
    ("BookingFailed", "FAILED"),
    ("ReservationCancelled", "CANCELLED"),
    ("ReservationFailed", "FAILED"),
];

/// How far a trace has come.
pub(crate) fn draw(l: Lang, trace: &Trace) -> Markup {
    html! {
        (stations(l, trace))
        details.steps id=(format!("steps-{}", id(trace))) {
            summary { (l.every_step()) " · " (trace.steps.len()) }
            (steps(l, &trace.steps))
        }
    }
}

fn id(trace: &Trace) -> &str {
    trace.order.as_ref().map_or("", |order| order.id.as_str())
}

fn stations(l: Lang, trace: &Trace) -> Markup {
    let stations: &[Station] = match trace.kind() {
        TraceKind::Order => &ORDER,
        TraceKind::Booking => &BOOKING,
        TraceKind::Reservation => &RESERVATION,
        TraceKind::Unspecified | TraceKind::Replenishment | TraceKind::Purchase => &[],
    };
    let ended = ENDS.iter().find_map(|(event, status)| Some((*status, first(&trace.steps, &[event])?)));
    let reached = stations.iter().map(|(status, events)| (*status, first(&trace.steps, events)));
    let reached: Vec<_> = reached.filter(|(_, step)| step.is_some() || ended.is_none()).collect();
    let next = reached.iter().position(|(_, step)| step.is_none());
    html! {
        ol.stations {
            @for (index, (status, step)) in reached.iter().enumerate() {
                li.past[step.is_some()].next[Some(index) == next] {
                    span.dot aria-hidden="true" {}
                    span.station { (l.status(status).unwrap_or(status)) }
                    @match step { Some(step) => (at(step)), None => span.hidden { (l.not_yet()) } }
                }
            }
            @if let Some((status, step)) = ended {
                li.past.broken {
                    span.dot aria-hidden="true" {}
                    span.station { (l.status(status).unwrap_or(status)) }
                    (at(step))
                }
            }
        }
    }
}

fn first<'a>(steps: &'a [TraceStep], events: &[&str]) -> Option<&'a TraceStep> {
    steps.iter().find(|step| events.contains(&step.event.as_str()))
}

fn at(step: &TraceStep) -> Markup {
    html! { time { (step.time.as_ref().map(|time| Clock::of(time).minutes()).unwrap_or_default()) } }
}

/// A lane for each context; from step to step the line goes on in the lane of the next.
fn steps(l: Lang, steps: &[TraceStep]) -> Markup {
    let mut contexts: Vec<&str> = Vec::new();
    for step in steps {
        if !contexts.contains(&step.context.as_str()) {
            contexts.push(&step.context);
        }
    }
    let lane = |step: &TraceStep| contexts.iter().position(|context| *context == step.context).unwrap_or_default();
    let (width, height) = (contexts.len() * LANE, steps.len() * STEP);
    let across = |step| lane(step) * LANE + LANE / 2;
    let down = |index: usize| index * STEP + STEP / 2;
    html! {
        div.lanes {
            svg width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) aria-hidden="true" focusable="false" {
                @for (index, pair) in steps.windows(2).enumerate() {
                    @let (from, to) = (across(&pair[0]), across(&pair[1]));
                    @let (top, bottom) = (down(index), down(index + 1));
                    @let middle = usize::midpoint(top, bottom);
                    path class="lane-line" d=(format!("M{from} {top}C{from} {middle} {to} {middle} {to} {bottom}")) {}
                }
                @for (index, step) in steps.iter().enumerate() {
                    circle class=(format!("lane-{}", lane(step) % COLOURS)) cx=(across(step)) cy=(down(index)) r="5" {}
                }
            }
            ol {
                @for step in steps {
                    li {
                        time { (step.time.as_ref().map(|time| Clock::of(time).seconds()).unwrap_or_default()) }
                        span.step { (l.event(&step.event).unwrap_or(&step.event)) }
                        span.context { (l.context(&step.context).unwrap_or(&step.context)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(kind: TraceKind, events: &[(&str, &str)]) -> Trace {
        let step = |(context, event): &(&str, &str)| TraceStep {
            context: (*context).into(),
            event: (*event).into(),
            time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..TraceStep::default()
        };
        Trace { kind: kind.into(), steps: events.iter().map(step).collect(), ..Trace::default() }
    }

    #[test]
    fn what_is_ahead_is_drawn_until_the_case_has_ended() {
        let under_way = trace(TraceKind::Order, &[("ordering", "OrderPlaced"), ("ordering", "OrderPaid")]);
        let drawn = stations(Lang::English, &under_way).into_string();
        assert_eq!(drawn.matches("<li class=\"past\"").count(), 2, "{drawn}");
        assert_eq!(drawn.matches(" next\"").count(), 1, "{drawn}");
        assert_eq!(drawn.matches("<li").count(), 5, "{drawn}");
        let ended = trace(TraceKind::Order, &[("ordering", "OrderPlaced"), ("ordering", "OrderCancelled")]);
        let drawn = stations(Lang::English, &ended).into_string();
        assert_eq!((drawn.matches("<li").count(), drawn.matches("broken").count()), (2, 1), "{drawn}");
    }

    #[test]
    fn each_context_has_a_lane() {
        let steps = trace(TraceKind::Order, &[("ordering", "A"), ("payment", "B"), ("ordering", "<C>")]).steps;
        let drawn = super::steps(Lang::English, &steps).into_string();
        assert!(drawn.contains("width=\"36\" height=\"90\""), "{drawn}");
        assert!(drawn.contains("M9 15C9 30 27 30 27 45"), "{drawn}");
        assert!(drawn.contains("&lt;C&gt;") && !drawn.contains("<C>"), "{drawn}");
    }
}
