//! The context map, the hexagon, and what each context is to the business.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::Mounted;
use crate::ContextName;

/// What a context is to the business, and what it owes its callers.
struct Standing {
    kind: &'static str,
    korean: &'static str,
    shops: &'static str,
    level: &'static str,
}

const CORE: &str = "99.95 % of calls answered; a change in 100 ms (95 of 100)";
const SUPPORTING: &str = "99.9 %; a change in 200 ms; may lag 10 s behind";
const GENERAL: &str = "99.9 %; as fast as its provider; never charges twice";

fn standing(context: ContextName) -> Standing {
    let (kind, korean, shops, level) = match context {
        ContextName::Replenishment => ("core", "발주", "store", CORE),
        ContextName::Inventory => ("core", "상품/재고", "store, library", CORE),
        ContextName::Sales => ("core", "구매", "store", CORE),
        ContextName::Lending => ("core", "도서 예약", "library", CORE),
        ContextName::Ordering => ("core", "주문", "café", CORE),
        ContextName::Booking => ("core", "예매", "cinemas", CORE),
        ContextName::Seating => ("core", "좌석", "cinemas", CORE),
        ContextName::Ticketing => ("core", "티켓", "cinemas", CORE),
        ContextName::Delivery => ("core", "배송", "store, café", CORE),
        ContextName::Kitchen => ("supporting", "제조", "café", SUPPORTING),
        ContextName::Loyalty => ("supporting", "스탬프/포인트", "café, cinemas", SUPPORTING),
        ContextName::Notification => ("supporting", "알림", "all", SUPPORTING),
        ContextName::Tracking => ("supporting", "마이페이지", "all", SUPPORTING),
        ContextName::Payment => ("general", "결제", "café, cinemas", GENERAL),
    };
    Standing { kind, korean, shops, level }
}

/// The whole, in pictures.
pub(super) fn page(all: &[Mounted]) -> String {
    let mut page = String::from(
        "# The design, in pictures\n\nDrawn from the code by `cargo xtask docs`; a test fails when they differ. Why it \
         is so stands in [ARCHITECTURE.md](../ARCHITECTURE.md), the words in the [glossary](glossary.md).\n\n\
         ## Core, supporting, general\n\nCore is what a shop is there for; supporting helps it; general is bought \
         elsewhere as well. The levels are what each is built and watched for: they say what to scale and whom to \
         wake.\n\n| context | 이름 | kind | shops | service level |\n|---|---|---|---|---|\n",
    );
    for Mounted { name, .. } in all {
        let Standing { kind, korean, shops, level } = standing(*name);
        let _ = writeln!(page, "| {name} | {korean} | {kind} | {shops} | {level} |");
    }
    page.push_str(&context_map(all));
    page.push_str(&hexagon(all));
    page
}

fn context_map(all: &[Mounted]) -> String {
    let mut map = String::from(
        "\n## Context map\n\nA thick arrow is a call that its caller waits for; a dotted one carries events. Every \
         context tells tracking and notification what happened, which is not drawn. What an event means to its \
         listener is translated where it is heard (`adapters/wire`): the anti-corruption layer.\n\n```mermaid\n\
         flowchart LR\n",
    );
    for kind in ["core", "supporting", "general"] {
        let _ = writeln!(map, "  subgraph {kind}");
        for Mounted { name, .. } in all.iter().filter(|it| standing(it.name).kind == kind) {
            let _ = writeln!(map, "    {name}[\"{name}<br/>{}\"]", standing(*name).korean);
        }
        map.push_str("  end\n");
    }
    for Mounted { name, .. } in all {
        for (callee, what) in name.calls() {
            let _ = writeln!(map, "  {name} ==>|\"{what}\"| {callee}");
        }
    }
    let told: BTreeSet<(String, String)> = all
        .iter()
        .filter(|it| !matches!(it.name, ContextName::Tracking | ContextName::Notification))
        .flat_map(|it| it.subscriptions.iter().map(|heard| (heard.source.clone(), it.name.to_string())))
        .collect();
    for (source, listener) in told {
        let _ = writeln!(map, "  {source} -.-> {listener}");
    }
    map.push_str("```\n");
    map
}

fn hexagon(all: &[Mounted]) -> String {
    let calls: BTreeSet<String> =
        all.iter().flat_map(|it| it.name.calls()).map(|(callee, _)| callee.to_string()).collect();
    format!(
        "\n## The hexagon\n\nEvery context is the same hexagon: pure rules inside, ports around them, and an adapter for \
         each technology plugged in from outside. Dependencies point inwards.\n\n```mermaid\nflowchart LR\n  \
         people([grpcurl, SDKs, other contexts]) --> grpc[adapters/grpc<br/>inbound services]\n  bus1[(the bus)] --> \
         wire[adapters/wire<br/>what others tell, in own words]\n  subgraph inside [domain: no I/O]\n    \
         kernel[[kernel<br/>handler, worker, relay, consumer, projector]]\n    rules{{{{decide · evolve · due}}}}\n    \
         policy{{{{react}}}}\n    view{{{{apply}}}}\n    kernel --- rules\n    kernel --- policy\n    kernel --- view\n  \
         end\n  grpc --> kernel\n  wire --> kernel\n  kernel -->|Journal, Listing, Agenda, Outbox, Views| store[(sqlite or \
         postgres)]\n  kernel -->|Bus| bus2[(embedded or JetStream)]\n  rules -->|\"{}\"| peers[adapters/grpc<br/>clients \
         behind breakers]\n  rules -->|PaymentProvider| provider[adapters/provider]\n  rules -->|Notifier| \
         notify[adapters/notify<br/>log, webhook, smtp]\n```\n",
        calls.into_iter().collect::<Vec<_>>().join(", ")
    )
}
