//! How the demo tells what happens.

use highstreet_wire::proto::tracking::Trace;
use tonic::Status;
use tonic_types::StatusExt;

/// A chapter begins.
pub(super) fn chapter(title: &str) {
    println!("\n── {title}");
}

/// Somebody does something.
pub(super) fn call(who: &str, what: &str, answer: &str) {
    println!("  {who:<9} {what:<46} → {answer}");
}

/// Something happened.
pub(super) fn event(context: &str, event: &str, status: &str) {
    println!("            · {context}.{event} ({status})");
}

/// What the customer sees in the end.
pub(super) fn trace(trace: &Trace) {
    println!("\n  Trace of {}: {}", trace.customer, trace.status);
    let begin = trace.steps.first().and_then(|step| step.time).unwrap_or_default();
    for step in &trace.steps {
        let time = step.time.unwrap_or_default();
        let after = (time.seconds - begin.seconds) * 1000 + i64::from(time.nanos - begin.nanos) / 1_000_000;
        println!("    +{after:>5} ms  {:<13} {:<20} {}", step.context, step.event, step.status);
    }
}

/// What went wrong, and why.
pub(super) fn refused(status: &Status) -> String {
    let reason = status.get_details_error_info().map_or_else(String::new, |info| format!(" {}", info.reason));
    format!("{:?}{reason}: {}", status.code(), status.message())
}
