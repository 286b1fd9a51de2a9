//! How the demo tells what happens: for terminals of 100 columns and more.

use highstreet_wire::proto::notification::Notification;
use highstreet_wire::proto::seating::{Screening, SeatStatus};
use highstreet_wire::proto::tracking::{Board, Trace, TraceStep};
use tonic::Status;
use tonic_types::StatusExt;

const WIDTH: usize = 96;

/// A story begins.
pub(super) fn story(title: &str) {
    println!("\n━━ {title} {}", "━".repeat(WIDTH.saturating_sub(title.chars().count() + 4)));
}

/// A chapter begins.
pub(super) fn chapter(title: &str) {
    println!("\n── {title}");
}

/// Somebody does something.
pub(super) fn call(who: &str, what: &str, answer: &str) {
    println!("  {who:<11} {what:<44} → {answer}");
}

/// Somebody does something, and it is refused.
pub(super) fn refusal(who: &str, what: &str, reason: &str, status: &Status) {
    println!("  {who:<11} {what:<44} ✗ {reason}");
    for line in folded(&format!("“{}”", status.message()), WIDTH - 14) {
        println!("              {line}");
    }
}

/// Somebody was told to come back a little later, and does.
pub(super) fn again(status: &Status) {
    println!("              … {} (asking again)", status.message());
}

/// Something happened.
pub(super) fn event(step: &TraceStep) {
    println!("              · {}.{} ({})", step.context, step.event, step.status);
}

/// What the customer sees in the end.
pub(super) fn trace(trace: &Trace) {
    let whose = if trace.customer.is_empty() { String::new() } else { format!(" of {}", trace.customer) };
    println!("\n  Trace{whose}: {}", trace.status);
    let begin = trace.steps.first().and_then(|step| step.time).unwrap_or_default();
    for step in &trace.steps {
        let time = step.time.unwrap_or_default();
        let after = (time.seconds - begin.seconds) * 1000 + i64::from(time.nanos - begin.nanos) / 1_000_000;
        println!("    +{after:>5} ms  {:<14} {:<28} {}", step.context, step.event, step.status);
    }
    println!();
}

/// What somebody was told.
pub(super) fn message(message: &Notification) {
    println!("              ✉ {:<20} {}", message.event, message.text);
}

/// What the owner of a store sees.
pub(super) fn board(board: &Board) {
    println!("\n  Board of {}", board.shop_id);
    for order in &board.orders {
        let (name, count) = (&order.product_name, order.quantity);
        println!("    order   {count:>4} × {name:<12} {:<12} delivery {}", order.status, order.delivery_status);
    }
    for stock in &board.stock {
        let low = if stock.low { ", low" } else { "" };
        println!(
            "    stock   {:>4} × {:<12} reorder at {}{low}",
            stock.on_hand, stock.product_name, stock.reorder_point
        );
    }
    let Some(sales) = &board.sales else { return };
    let (sold, called_off, pieces) = (sales.purchases, sales.cancellations, sales.pieces);
    println!("    sales   {sold} purchases and {called_off} cancellations on {}: {pieces} pieces", sales.date);
}

/// The seats of a screening, row by row.
pub(super) fn seats(title: &str, screening: &Screening) {
    let columns = usize::try_from(screening.seats_per_row).unwrap_or(1).max(1);
    let letters: String = ('A'..).take(columns).flat_map(|letter| [' ', letter]).collect();
    println!("\n    {title} ({}, {})", screening.movie_name, screening.hall);
    println!("       {letters}");
    for (row, seats) in screening.seats.chunks(columns).enumerate() {
        let drawn: String = seats.iter().flat_map(|seat| [' ', sign(seat.status())]).collect();
        println!("    {:>3}{drawn}", row + 1);
    }
    println!("        · free  ▫ held  ■ taken\n");
}

fn sign(status: SeatStatus) -> char {
    match status {
        SeatStatus::Free => '·',
        SeatStatus::Held => '▫',
        SeatStatus::Assigned => '■',
        SeatStatus::Unspecified => '?',
    }
}

/// What went wrong, and why.
pub(super) fn failure(status: &Status) -> String {
    let reason = reason(status).map_or_else(String::new, |reason| format!(" {reason}"));
    format!("{:?}{reason}: {}", status.code(), status.message())
}

/// Why, for programs.
pub(super) fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// `ORDER_STATUS_PAID` is `PAID`.
pub(super) fn name(status: &'static str) -> &'static str {
    status.split_once("_STATUS_").map_or(status, |(_, name)| name)
}

/// The text in lines of at most `width` characters, if its words allow.
fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let room = lines.last().is_none_or(|line| line.chars().count() + 1 + word.chars().count() <= width);
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_refusals_are_folded_between_words() {
        assert_eq!(folded("this order is shipped", 12), ["this order", "is shipped"]);
        assert_eq!(folded("short", 12), ["short"]);
        assert_eq!(folded("a verylongwordindeed b", 6), ["a", "verylongwordindeed", "b"]);
    }

    #[test]
    fn statuses_go_by_their_short_names() {
        assert_eq!((name("ORDER_STATUS_PAID"), name("OTHER")), ("PAID", "OTHER"));
    }
}
