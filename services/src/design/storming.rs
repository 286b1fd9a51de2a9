//! An event-storming board for each shop: who asks what of what, what happens then, and who does something about it.

use std::fmt::Write;

use super::Mounted;
use super::language::{changes, events};
use crate::ContextName::{
    self, Booking, Delivery, Inventory, Kitchen, Lending, Loyalty, Ordering, Payment, Replenishment, Sales, Seating,
    Ticketing,
};

const SHOPS: [(&str, &str, &[ContextName]); 4] = [
    ("Convenience store", "편의점 관리", &[Replenishment, Delivery, Inventory, Sales]),
    ("Coffee shop", "커피 전문점 SKANU", &[Ordering, Payment, Kitchen, Delivery, Loyalty]),
    ("Library", "도서 대여", &[Lending, Inventory]),
    (
        "Cinema, with seats at booking or after the payment",
        "영화 예매",
        &[Booking, Seating, Payment, Ticketing, Loyalty],
    ),
];

const LEGEND: &str = "  classDef command fill:#a6c8ff,stroke:#3b6fb6,color:#111\n  classDef event \
                      fill:#ffb366,stroke:#b3661a,color:#111\n  classDef aggregate \
                      fill:#fff3a6,stroke:#b3a11a,color:#111\n  classDef policy \
                      fill:#d9b3ff,stroke:#7a3bb6,color:#111\n  classDef actor fill:#ffe8cc,stroke:#999,color:#111\n";

/// A board for every shop.
pub(super) fn boards(all: &[Mounted]) -> String {
    let mut page = String::from(
        "## Event storming\n\nBlue is a command and who gives it, yellow what decides, orange what happened, lilac what \
         somebody does about it. Tracking and notification hear all of it, and are not drawn.\n",
    );
    for (title, korean, contexts) in SHOPS {
        let _ = write!(page, "\n### {title} · {korean}\n\n```mermaid\nflowchart LR\n{LEGEND}");
        let here: Vec<_> = all.iter().filter(|it| contexts.contains(&it.name)).collect();
        for mounted in &here {
            page.push_str(&context(mounted.name));
        }
        for mounted in &here {
            page.push_str(&policies(mounted, contexts));
            for (callee, what) in mounted.name.calls().iter().filter(|(callee, _)| contexts.contains(callee)) {
                let _ = writeln!(page, "  {} ==>|\"{what}\"| {callee}", mounted.name);
            }
        }
        page.push_str("```\n");
    }
    page
}

/// Its commands, what decides on them, and its events.
fn context(name: ContextName) -> String {
    let mut board = format!("  subgraph {name}_ [{name}]\n    {name}([{name}]):::aggregate\n");
    for change in changes(name) {
        let command = format!("{name}_{}", change.name);
        let by = change.callers.join(", ");
        let _ = writeln!(board, "    {command}[\"{}<br/><i>{by}</i>\"]:::command --> {name}", change.name);
    }
    for event in events(name) {
        let _ = writeln!(board, "    {name} --> {name}_{event}_happened[\"{event}\"]:::event");
    }
    board.push_str("  end\n");
    board
}

/// What it does about what the others on the board tell.
fn policies(mounted: &Mounted, contexts: &[ContextName]) -> String {
    let name = mounted.name;
    let mut board = String::new();
    // Its own policy; views fold, and do nothing.
    for heard in mounted.subscriptions.iter().filter(|heard| heard.consumer == name.as_str()) {
        if !contexts.iter().any(|context| context.as_str() == heard.source) {
            continue;
        }
        for event in &heard.names {
            let (source, policy) = (&heard.source, format!("{name}_on_{}_{event}", heard.source));
            let _ = writeln!(
                board,
                "  {source}_{event}_happened -.-> {policy}{{{{\"{name}, when {event}\"}}}}:::policy --> {name}"
            );
        }
    }
    board
}
